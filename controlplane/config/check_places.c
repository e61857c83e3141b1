/* SPDX-License-Identifier: Apache-2.0 */
/* Names of this machine's things. What is not there may come before it is needed, so that it is said and not
 * refused. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "controlplane/config/snapshot.h"
#include "lib/base/log.h"

#define SOCKET "/srtp-gateway:gateway/management/socket"
#define SOCKET_OCTETS 108 /* as sun_path; the model allows no more */
#define LINE_MAX_OCTETS 512

static void to_log(void *ctx, const char *line)
{
	(void)ctx;
	log_warn("config", line);
}

static bool had_device(const struct config *before, const char *device)
{
	for (uint32_t i = 0; before && i < before->n_interfaces; i++)
		if (strcmp(before->interfaces[i].device, device) == 0)
			return true;
	return false;
}

static void look_at_interface(const struct config_media_interface *m, config_say_fn say, void *ctx)
{
	char line[LINE_MAX_OCTETS];

	if (if_nametoindex(m->device))
		return;
	snprintf(line, sizeof line,
		"/srtp-gateway:gateway/media/interface[name='%s']/device: there is no network interface '%s': 'ip link' "
		"lists those that there are; what the data plane has by --device is not among them",
		m->name, m->device);
	say(ctx, line);
}

static void folder_of(const char *path, char folder[SOCKET_OCTETS])
{
	int n = (int)(strrchr(path, '/') - path);

	snprintf(folder, SOCKET_OCTETS, "%.*s", n ? n : 1, path);
}

static void look_at_socket(const char *path, config_say_fn say, void *ctx)
{
	char folder[SOCKET_OCTETS], line[LINE_MAX_OCTETS];
	struct stat st;

	folder_of(path, folder);
	if (stat(folder, &st) == 0)
		return;
	snprintf(line, sizeof line,
		SOCKET ": %s: the folder %s is not there (%s): make it, or the control plane does not start",
		path, folder, strerror(errno));
	say(ctx, line);
}

void config_look_at_places(const struct config *before, const struct config *c, const char *control,
	config_say_fn say, void *ctx)
{
	if (!say)
		say = to_log;
	for (uint32_t i = 0; i < c->n_interfaces; i++)
		if (!had_device(before, c->interfaces[i].device))
			look_at_interface(&c->interfaces[i], say, ctx);
	if (!control && (!before || strcmp(before->management.socket, c->management.socket) != 0))
		look_at_socket(c->management.socket, say, ctx);
}

bool config_socket_is_made_at_start(const struct config *c)
{
	return strncmp(c->management.socket, "/run/", 5) == 0 ||
	       strncmp(c->management.socket, "/var/run/", 9) == 0;
}

int config_check_socket(const struct config *c, struct err *e)
{
	const char *path = c->management.socket;
	char folder[SOCKET_OCTETS];
	struct stat st;

	folder_of(path, folder);
	if (stat(folder, &st) == 0 && !S_ISDIR(st.st_mode))
		return err_set(e, EINVAL, SOCKET ": %s: %s is not a folder", path, folder);
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return err_set(e, EINVAL,
			SOCKET ": %s: is there already and is not a socket: give another path, or remove it",
			path);
	return 0;
}
