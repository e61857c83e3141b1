/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of the bench: management requests over its socket, and counters. */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/b2bua_bench.h"

static int asked(const char *op, const char *args)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char line[512];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(line, sizeof line, "{\"op\":\"%s\",\"args\":%s}\n", op, args);
	snprintf(sun.sun_path, sizeof sun.sun_path, "%s/mgmt", bench.folder);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	assert_int_equal(send(fd, line, strlen(line), 0), (ssize_t)strlen(line));
	return fd;
}

void ask_and_leave(const char *op, const char *args)
{
	int fd = asked(op, args);

	for (unsigned i = 0; i < 20; i++)
		settle();
	close(fd);
	settle();
}

json_t *ask(const char *op, const char *args)
{
	static char text[1 << 20];
	size_t n = 0;
	json_t *all, *part;
	int fd = asked(op, args);

	for (unsigned i = 0; i < 2000 && (!n || text[n - 1] != '\n'); i++) {
		settle();
		ssize_t got = recv(fd, text + n, sizeof text - n - 1, 0);

		if (got > 0)
			n += (size_t)got;
	}
	close(fd);
	text[n] = '\0';
	all = json_loads(text, 0, NULL);
	if (!all)
		fail_msg("%s answers: %s", op, text);
	part = json_object_get(all, json_object_get(all, "error") ? "error" : "data");
	json_incref(part);
	json_decref(all);
	settle();
	return part;
}

uint64_t counter(const char *name)
{
	const struct b2bua_counters *c = b2bua_counters(bench.b2bua);

#define LOOK(field, help)                                                                                    \
	if (strcmp(name, #field) == 0)                                                                       \
		return c->field;
	B2BUA_COUNTERS(LOOK)
#undef LOOK
	fail_msg("no counter %s", name);
	return 0;
}

const char *last_reason(void)
{
	static char reason[512];
	json_t *data = ask("show-calls", "{}"), *calls = json_object_get(data, "calls");
	const char *text = json_string_value(
		json_object_get(json_array_get(calls, json_array_size(calls) - 1), "end-reason"));

	snprintf(reason, sizeof reason, "%s", text ? text : "");
	json_decref(data);
	return reason;
}

void expect_no_calls(void)
{
	assert_int_equal(b2bua_call_count(bench.b2bua), 0);
	assert_int_equal(bench.live, 0);
}
