/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/state.h"

#include "ctl/print.h"
#include "ctl/value.h"

#define GATEWAY "/srtp-gateway:gateway/"

/* Asks for a part of configuration and state; as JSON, or as print makes it of the gateway's container. */
static enum ctl_exit show(struct client *c, const struct ctl_args *a, const char *xpath,
	void (*print)(const json_t *gateway, FILE *to), struct err *e)
{
	json_t *data = NULL;
	/* Defaults say what a listener or a profile does where nobody wrote it down. */
	enum ctl_exit code = client_ask(
		c, "get", json_pack("{s:s,s:s}", "xpath", xpath, "with-defaults", "report-all"), &data, e);

	if (code == CTL_OK && args_json(a))
		print_json(data, stdout);
	else if (code == CTL_OK)
		print(json_object_get(data, "srtp-gateway:gateway"), stdout);
	json_decref(data);
	return code;
}

/* Columns that are members of a list's entry, or of its container of state. */
static void cells(struct table *t, const json_t *entry, const char *const *names)
{
	const json_t *state = json_object_get(entry, "state");

	for (; *names; names++) {
		const json_t *v = json_object_get(entry, *names);

		value_cell(t, v ? v : json_object_get(state, *names));
	}
}

static void print_table(const json_t *list, const char *headings, const char *const *names, FILE *to)
{
	struct table *t = table_new(headings);
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry) cells(t, entry, names);
	table_print(t, to);
}

static void print_listeners(const json_t *gateway, FILE *to)
{
	static const char *const names[] = {
		"name", "oper-state", "transport", "address", "port", "realm", "tls-profile", NULL};

	print_table(value_at(gateway, "sip", "listener", NULL),
		"LISTENER STATE TRANSPORT ADDRESS >PORT REALM TLS-PROFILE", names, to);
}

enum ctl_exit state_listeners(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, GATEWAY "sip", print_listeners, e);
}

/* An interface's addresses in one cell. */
static void addresses_cell(struct table *t, const json_t *interface)
{
	const json_t *address;
	char text[256] = "";
	size_t i, n = 0;

	json_array_foreach(json_object_get(interface, "address"), i, address)
	{
		const char *ip = json_string_value(json_object_get(address, "ip"));
		int wrote = snprintf(text + n, sizeof text - n, "%s%s", n ? "," : "", ip ? ip : "?");

		if (wrote < 0 || (size_t)wrote >= sizeof text - n)
			break;
		n += (size_t)wrote;
	}
	table_text(t, text);
}

static void print_media(const json_t *gateway, FILE *to)
{
	static const char *const names[] = {"link", "ports", "ports-in-use", "ports-exhausted", NULL};
	struct table *t = table_new("INTERFACE DEVICE ADDRESSES LINK >PORTS >IN-USE >EXHAUSTED");
	const json_t *interface;
	size_t i;

	json_array_foreach(value_at(gateway, "media", "interface", NULL), i, interface)
	{
		value_cell(t, json_object_get(interface, "name"));
		value_cell(t, json_object_get(interface, "device"));
		addresses_cell(t, interface);
		cells(t, interface, names);
	}
	table_print(t, to);
}

enum ctl_exit state_media(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, GATEWAY "media", print_media, e);
}

static void print_certs(const json_t *gateway, FILE *to)
{
	static const char *const names[] = {"name", "not-after", "subject", "issuer", "certificate", NULL};

	print_table(value_at(gateway, "tls-profiles", "tls-profile", NULL),
		"PROFILE NOT-AFTER SUBJECT ISSUER FILE", names, to);
}

enum ctl_exit state_certs(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, GATEWAY "tls-profiles", print_certs, e);
}

/* A row for each browser of a user; one row for a user who has none. */
static void print_users(const json_t *gateway, FILE *to)
{
	static const char *const names[] = {"address", "since", "user-agent", NULL};
	struct table *t = table_new("USER ADDRESS SINCE USER-AGENT");
	const json_t *user, *registration;
	size_t i, k;

	json_array_foreach(value_at(gateway, "users", "user", NULL), i, user)
	{
		const json_t *list = value_at(user, "state", "registration", NULL);

		if (json_array_size(list) == 0) {
			value_cell(t, json_object_get(user, "name"));
			cells(t, NULL, names);
		}
		json_array_foreach(list, k, registration)
		{
			value_cell(t, json_object_get(user, "name"));
			cells(t, registration, names);
		}
	}
	table_print(t, to);
}

enum ctl_exit state_users(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, GATEWAY "users", print_users, e);
}

static void print_registrations(const json_t *gateway, FILE *to)
{
	static const char *const names[] = {
		"contact", "transport", "address", "reachable", "expires", "instance", NULL};
	struct table *t = table_new("USER TRUNK CONTACT TRANSPORT ADDRESS REACHABLE EXPIRES INSTANCE");
	const json_t *user, *registration;
	size_t i, k;

	json_array_foreach(value_at(gateway, "users", "user", NULL), i, user)
		json_array_foreach(value_at(user, "state", "registration", NULL), k, registration)
		{
			value_cell(t, json_object_get(user, "name"));
			value_cell(t, json_object_get(user, "trunk"));
			cells(t, registration, names);
		}
	table_print(t, to);
}

enum ctl_exit state_registrations(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, GATEWAY "users", print_registrations, e);
}

static void print_sessions(const json_t *gateway, FILE *to)
{
	static const char *const names[] = {"id", "user", "door", "source-host", "login-time", NULL};

	print_table(value_at(gateway, "management", "state", "session", NULL),
		">SESSION USER DOOR FROM SINCE", names, to);
}

enum ctl_exit state_sessions(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, GATEWAY "management/state/session", print_sessions, e);
}
