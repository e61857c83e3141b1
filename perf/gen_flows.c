/* SPDX-License-Identifier: Apache-2.0 */
/* The file of calls, and their set-up in a data plane of another process. */
#include "perf/gen_flows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "perf/gen_remote.h"

#define LINE_OCTETS 512

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" */
static int end_read(const char *word, struct ip_port *out)
{
	struct str rest = str_z(word ? word : ""), ip;
	bool bracket = rest.n && rest.p[0] == '[';
	uint64_t port;

	if (bracket)
		(void)str_cut(&rest, '[');
	ip = str_cut(&rest, bracket ? ']' : ':');
	if (bracket && str_cut(&rest, ':').n)
		return -EINVAL;
	if (ip_parse(ip, &out->ip) < 0 || (out->ip.family == IP_V6) != bracket ||
		str_to_u64(rest, UINT16_MAX, &port) < 0)
		return -EINVAL;
	out->port = (uint16_t)port;
	return 0;
}

static int key_read(const char *hex, struct secret *key)
{
	uint8_t octets[SECRET_MAX];
	size_t n = strlen(hex) / 2;
	unsigned v;
	int rc = n && n <= sizeof(octets) && 2 * n == strspn(hex, "0123456789abcdefABCDEF") && !hex[2 * n]
			 ? 0
			 : -EINVAL;

	for (size_t i = 0; i < n && rc >= 0; i++) {
		rc = sscanf(hex + 2 * i, "%2x", &v) == 1 ? 0 : -EINVAL;
		octets[i] = (uint8_t)v;
	}
	rc = rc < 0 ? rc : secret_set(key, octets, n);
	mem_wipe(octets, sizeof(octets));
	return rc;
}

static int flow_read(char *line, struct gen_flow *f)
{
	char *rest = line, *key;
	int rc = 0;

	*f = (struct gen_flow){0};
	for (unsigned side = 0; side < 2 && rc >= 0; side++) {
		rc = end_read(strtok_r(rest, " \n", &rest), &f->gateway[side]);
		rc = rc < 0 ? rc : end_read(strtok_r(rest, " \n", &rest), &f->peer[side]);
		if (rc >= 0 && f->gateway[side].ip.family != f->peer[side].ip.family)
			rc = -EINVAL;
	}
	key = rc < 0 ? NULL : strtok_r(rest, " \n", &rest);
	return key ? key_read(key, &f->key) : rc;
}

static int lines_read(FILE *in, struct gen_flow **flows, uint32_t *n, struct err *err)
{
	char line[LINE_OCTETS];
	uint32_t room = 0;
	int rc = 0;

	while (rc >= 0 && fgets(line, sizeof(line), in)) {
		if (*n == room) {
			struct gen_flow *more = calloc(room ? 2 * (size_t)room : 1024, sizeof(*more));

			if (!more)
				return err_set(err, ENOMEM, "no memory for the calls");
			if (*n)
				memcpy(more, *flows, *n * sizeof(*more));
			flows_free(*flows, *n);
			*flows = more;
			room = room ? 2 * room : 1024;
		}
		rc = flow_read(line, &(*flows)[*n]);
		if (rc < 0)
			err_set(err, -rc,
				"line %u: four of ADDRESS:PORT, those of a leg of one family, and a key are wanted",
				*n + 1);
		else
			++*n;
	}
	mem_wipe(line, sizeof(line));
	return rc < 0 || *n ? rc : err_set(err, EINVAL, "no call is in the file");
}

int flows_read(const char *path, struct gen_flow **flows, uint32_t *n, struct err *err)
{
	FILE *in = fopen(path, "r");
	int rc;

	*flows = NULL;
	*n = 0;
	if (!in)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	rc = lines_read(in, flows, n, err);
	fclose(in);
	if (rc < 0) {
		flows_free(*flows, *n);
		*flows = NULL;
	}
	return rc;
}

void flows_free(struct gen_flow *flows, uint32_t n)
{
	if (flows)
		mem_wipe(flows, n * sizeof(*flows));
	free(flows);
}

int flows_program(struct gen *g, const char *socket, struct err *err)
{
	struct remote *r;
	int rc = remote_open(socket, &r, err);

	if (rc < 0)
		return rc;
	rc = gen_program(g, remote_command, r, err);
	remote_close(r);
	return rc;
}
