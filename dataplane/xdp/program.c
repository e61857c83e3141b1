/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/xdp/program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#define PROGRAM "anon_inode:bpf-prog"
#define MAP "anon_inode:bpf-map"

int xdp_object_file(int *fd, char path[XDP_PATH_MAX], struct err *err)
{
	int file = memfd_create("srtpgw_media.o", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;

	if (file < 0)
		return err_set(err, errno, "memfd_create: %s", strerror(errno));
	while (done < xdp_media_object_size) {
		ssize_t n = write(file, xdp_media_object + done, xdp_media_object_size - done);

		if (n < 0) {
			int code = errno;

			close(file);
			return err_set(err, code, "memfd: %s", strerror(code));
		}
		done += (size_t)n;
	}
	(void)fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	snprintf(path, XDP_PATH_MAX, "/proc/self/fd/%d", file);
	*fd = file;
	return 0;
}

/* libbpf has one print function per process and no context for it. */
static _Thread_local char complaint[160];

static __attribute__((format(printf, 2, 0))) int complaint_take(
	enum libbpf_print_level level, const char *fmt, va_list args)
{
	static const char kernel[] = "Kernel error message: ";
	char line[sizeof(complaint)], *at;

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	at = strstr(line, kernel);
	/* The kernel's own words are worth more than what libbpf makes of them after. */
	if (at != NULL)
		snprintf(complaint, sizeof(complaint), "%s", at + sizeof(kernel) - 1);
	else if (complaint[0] == '\0')
		snprintf(complaint, sizeof(complaint), "%s", line);
	return 0;
}

void xdp_complaints_listen(void)
{
	complaint[0] = '\0';
	libbpf_set_print(complaint_take);
}

const char *xdp_complaints_said(void)
{
	return complaint;
}

/*
 * To open a program or a map by its number takes CAP_SYS_ADMIN. What DPDK has put on an interface it has
 * open, in this process: then a copy of that descriptor. -ENOENT: it is not among ours.
 */
static int copy_of_ours(const char *kind, uint32_t id)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	int copy = -ENOENT;

	while (folder && copy < 0 && (entry = readdir(folder))) {
		char name[32];
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, name, sizeof(name) - 1);
		union {
			struct bpf_prog_info program;
			struct bpf_map_info map;
		} info = {0};
		bool program = strcmp(kind, PROGRAM) == 0;
		uint32_t len = program ? sizeof(info.program) : sizeof(info.map);
		int fd = atoi(entry->d_name);

		if (n < 0)
			continue;
		name[n] = '\0';
		if (strcmp(name, kind) == 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0 &&
			(program ? info.program.id : info.map.id) == id)
			copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	if (folder)
		closedir(folder);
	return copy;
}

static int program_open(uint32_t id)
{
	int fd = copy_of_ours(PROGRAM, id);

	if (fd < 0)
		fd = bpf_prog_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

/* A map's descriptor when it has that name and value size, else a negative errno value. */
static int map_open(uint32_t id, const char *name, uint32_t value_size)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	int fd = copy_of_ours(MAP, id);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && strcmp(info.name, name) == 0 &&
		info.value_size == value_size)
		return fd;
	close(fd);
	return -ENOENT;
}

int xdp_maps_of_program(int prog_fd, struct xdp_maps *out, struct err *err)
{
	uint32_t ids[8];
	struct bpf_prog_info info = {.map_ids = (uint64_t)(uintptr_t)ids, .nr_map_ids = 8};
	uint32_t len = sizeof(info);
	struct xdp_maps maps = {.media = -1, .counters = -1};

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len) < 0)
		return err_set(err, errno, "XDP program: %s", strerror(errno));
	for (uint32_t i = 0; i < info.nr_map_ids && i < 8; i++) {
		if (maps.media < 0)
			maps.media = map_open(ids[i], XDP_MAP_MEDIA, sizeof(struct xdp_ports));
		if (maps.counters < 0)
			maps.counters = map_open(ids[i], XDP_MAP_COUNTERS, sizeof(uint64_t));
	}
	if (maps.media < 0 || maps.counters < 0) {
		xdp_maps_close(&maps);
		return err_set(err, ENOENT, "XDP program '%s' has not the maps of this version", info.name);
	}
	*out = maps;
	return 0;
}

uint32_t xdp_program_id(int ifindex)
{
	uint32_t id = 0;

	return bpf_xdp_query_id(ifindex, 0, &id) < 0 ? 0 : id;
}

/* Descriptor of the program on an interface; *ours by its name. -ENOENT: none; -EPERM: who may ask is
 * somebody else. */
static int program_of_interface(int ifindex, bool *ours)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info), id = 0;
	int fd, rc;

	rc = bpf_xdp_query_id(ifindex, 0, &id);
	if (rc < 0)
		return rc;
	if (id == 0)
		return -ENOENT;
	fd = program_open(id);
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*ours = strcmp(info.name, XDP_PROGRAM_NAME) == 0;
	return fd;
}

int xdp_program(int ifindex, struct err *err)
{
	bool ours = false;
	int fd = program_of_interface(ifindex, &ours);

	if (fd < 0)
		return err_set(err, -fd, "no XDP program on the interface: %s", strerror(-fd));
	if (ours)
		return fd;
	close(fd);
	return err_set(err, ENOENT, "the interface carries a foreign XDP program");
}

int xdp_keep(int ifindex, int prog_fd)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info), id = 0;
	int rc = bpf_xdp_query_id(ifindex, 0, &id);

	if (rc < 0)
		return rc;
	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len) < 0)
		return -errno;
	if (id != 0)
		return id == info.id ? 0 : -EBUSY;
	/* As DPDK attached it: native where the driver can, and only where nobody is. */
	rc = bpf_xdp_attach(ifindex, prog_fd, XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	return rc < 0 ? rc : 1;
}

void xdp_maps_close(struct xdp_maps *maps)
{
	if (maps->media >= 0)
		close(maps->media);
	if (maps->counters >= 0)
		close(maps->counters);
	maps->media = maps->counters = -1;
}

int xdp_detach(int ifindex, uint32_t known, struct err *err)
{
	bool ours = false;
	int fd = program_of_interface(ifindex, &ours), rc;
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = fd);

	if (fd == -ENOENT)
		return 0;
	if (fd == -EPERM && known != 0 && xdp_program_id(ifindex) == known) {
		rc = bpf_xdp_detach(ifindex, 0, NULL);
		return rc < 0 ? err_set(err, -rc, "cannot take the XDP program off: %s", strerror(-rc)) : 1;
	}
	if (fd == -EPERM)
		return err_set(err, EPERM,
			"whose the XDP program on the interface is can only be asked with CAP_SYS_ADMIN; take it off "
			"with 'ip link set ... xdp off'");
	if (fd < 0)
		return err_set(err, -fd, "cannot ask which XDP program is there: %s", strerror(-fd));
	/* With old_prog_fd the kernel takes off this very program and no other that came in between. */
	rc = ours ? bpf_xdp_detach(ifindex, XDP_FLAGS_REPLACE, &opts) : -EBUSY;
	close(fd);
	if (rc == -EBUSY)
		return err_set(err, EBUSY,
			"a foreign XDP program is attached; take it off with 'ip link set ... xdp off'");
	if (rc < 0)
		return err_set(err, -rc, "cannot take the XDP program off: %s", strerror(-rc));
	return 1;
}

const char *xdp_mode(int ifindex)
{
	static const char *const modes[] = {
		[XDP_ATTACHED_NONE] = "no",
		[XDP_ATTACHED_DRV] = "native",
		[XDP_ATTACHED_SKB] = "generic",
		[XDP_ATTACHED_HW] = "offloaded",
		[XDP_ATTACHED_MULTI] = "native and generic",
	};
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);

	if (bpf_xdp_query(ifindex, 0, &opts) < 0 || opts.attach_mode > XDP_ATTACHED_MULTI)
		return "no";
	return modes[opts.attach_mode];
}

static struct xdp_address address_key(const struct ip_addr *ip)
{
	struct xdp_address key = {0};

	if (ip->family == IP_V4) {
		key.words[2] = htonl(0xffff);
		memcpy(&key.words[3], ip->octets, 4);
	} else {
		memcpy(key.words, ip->octets, 16);
	}
	return key;
}

static bool key_listed(const struct xdp_address *key, const struct dp_address *addresses, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct xdp_address other = address_key(&addresses[i].ip);

		if (memcmp(key, &other, sizeof(other)) == 0)
			return true;
	}
	return false;
}

/* All ranges that the list has for one address, written in one go. */
static int address_set(int map, const struct xdp_address *key, const struct dp_address *addresses, uint32_t n,
	struct xdp_ports *ports)
{
	memset(ports, 0, sizeof(*ports));
	for (uint32_t i = 0; i < n; i++) {
		struct xdp_address other = address_key(&addresses[i].ip);

		if (memcmp(key, &other, sizeof(other)) != 0)
			continue;
		for (uint32_t port = addresses[i].port_lower; port <= addresses[i].port_upper; port++)
			ports->bits[port / 64] |= UINT64_C(1) << (port % 64);
	}
	return bpf_map_update_elem(map, key, ports, BPF_ANY) < 0 ? -errno : 0;
}

static int addresses_remove(int map, const struct dp_address *addresses, uint32_t n)
{
	struct xdp_address key, next;
	bool more = bpf_map_get_next_key(map, NULL, &key) == 0;

	while (more) {
		/* The successor first: after the deletion the walk would start again. */
		more = bpf_map_get_next_key(map, &key, &next) == 0;
		if (!key_listed(&key, addresses, n) && bpf_map_delete_elem(map, &key) < 0 && errno != ENOENT)
			return -errno;
		key = next;
	}
	return 0;
}

int xdp_set_media(
	const struct xdp_maps *maps, const struct dp_address *addresses, uint32_t n, struct err *err)
{
	struct xdp_ports *ports = calloc(1, sizeof(*ports));
	char text[IP_TEXT_MAX];
	int rc;

	if (ports == NULL)
		return err_set(err, ENOMEM, "no memory");
	/* What goes leaves first, so that a list of the greatest size can replace another. */
	rc = addresses_remove(maps->media, addresses, n);
	if (rc < 0)
		err_set(err, -rc, "XDP map: %s", strerror(-rc));
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		struct xdp_address key = address_key(&addresses[i].ip);

		if (key_listed(&key, addresses, i))
			continue; /* written with its first range */
		rc = address_set(maps->media, &key, addresses + i, n - i, ports);
		if (rc < 0)
			err_set(err, -rc, "media address %s: %s", ip_text(&addresses[i].ip, text),
				rc == -E2BIG ? "too many addresses" : strerror(-rc));
	}
	free(ports);
	return rc;
}

int xdp_counters(const struct xdp_maps *maps, uint64_t out[XDP_COUNTERS])
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *per_cpu;
	int rc = 0;

	if (cpus < 0)
		return cpus;
	per_cpu = calloc((size_t)cpus, sizeof(*per_cpu));
	if (per_cpu == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < XDP_COUNTERS; i++) {
		out[i] = 0;
		if (bpf_map_lookup_elem(maps->counters, &i, per_cpu) < 0)
			rc = -errno;
		for (int cpu = 0; rc == 0 && cpu < cpus; cpu++)
			out[i] += per_cpu[cpu];
	}
	free(per_cpu);
	return rc;
}
