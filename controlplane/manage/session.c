/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/manage/session.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane/config/engine/bounds.h"
#include "controlplane/config/engine/fault.h"

static void closed(void *data)
{
	engine_session_close(data);
}

static struct engine_session *attach(
	struct engine *e, struct mgmt_request *rq, const char *door, const char *host)
{
	struct mgmt_client *c = mgmt_request_client(rq);
	struct engine_session *s = c ? engine_session_open(e, mgmt_request_uid(rq), door, host) : NULL;

	if (s && mgmt_client_attach(c, closed, s) < 0) {
		engine_session_close(s);
		s = NULL;
	}
	if (!s)
		mgmt_reply(rq, NULL);
	return s;
}

struct engine_session *manage_session(struct engine *e, struct mgmt_request *rq)
{
	struct mgmt_client *c = mgmt_request_client(rq);
	struct engine_session *s = c ? mgmt_client_attached(c, closed) : NULL;

	return s ? s : attach(e, rq, "cli", "");
}

struct engine_session *manage_session_open(
	struct engine *e, struct mgmt_request *rq, const char *door, const char *host)
{
	struct mgmt_client *c = mgmt_request_client(rq);
	struct engine_session *s = c ? mgmt_client_attached(c, closed) : NULL;

	if (!s)
		return attach(e, rq, door, host);
	if (strcmp(engine_session_door(s), door) == 0)
		return s;
	manage_refuse_argument(rq, "client", "this session began otherwise: say hello first");
	return NULL;
}

void manage_session_kill(struct engine_session *s, struct mgmt *m)
{
	struct mgmt_client *c = mgmt_client_with(m, closed, s);

	if (c)
		mgmt_client_close(c);
}

const struct mgmt_counts *manage_session_counts(const struct engine_session *s, const struct mgmt *m)
{
	const struct mgmt_client *c = mgmt_client_with(m, closed, s);

	return c ? mgmt_client_counts(c) : NULL;
}

static void put_blame(json_t *info, const char *name, const char *value)
{
	if (*value)
		json_object_set_new(info, name, json_string(value));
}

void manage_refuse(struct mgmt_request *rq, const struct engine_fault *f)
{
	json_t *error = mgmt_error(f->tag, f->type, f->path, f->message), *info = json_object();

	if (f->app_tag)
		json_object_set_new(error, "app-tag", json_string(f->app_tag));
	/* RFC 6241: of lock-denied always, 0 when it is not a session that holds it. */
	if (f->session || strcmp(f->tag, "lock-denied") == 0)
		json_object_set_new(info, "session-id", json_integer(f->session));
	put_blame(info, "bad-attribute", f->bad_attribute);
	put_blame(info, "bad-element", f->bad_element);
	put_blame(info, "bad-namespace", f->bad_namespace);
	if (json_object_size(info))
		json_object_set(error, "info", info);
	json_decref(info);
	mgmt_refuse_error(rq, error);
}

void manage_refuse_argument(struct mgmt_request *rq, const char *name, const char *what)
{
	char message[256];
	json_t *error;

	snprintf(message, sizeof message, "'%s': %s", name, what);
	error = mgmt_error("invalid-value", "protocol", "", message);
	json_object_set_new(error, "info", json_pack("{s:s}", "bad-element", name));
	mgmt_refuse_error(rq, error);
}

bool manage_choice(struct mgmt_request *rq, const json_t *args, const char *name, const char *const *names,
	int absent, int *out)
{
	const json_t *member = json_object_get(args, name);
	const char *text = json_string_value(member);
	char what[160] = "it is one of";

	*out = absent;
	if ((!member || json_is_null(member)) && absent >= 0)
		return true;
	for (int i = 0; names[i]; i++) {
		if (text && strcmp(text, names[i]) == 0) {
			*out = i;
			return true;
		}
		strncat(what, i ? ", " : " ", sizeof what - strlen(what) - 1);
		strncat(what, names[i], sizeof what - strlen(what) - 1);
	}
	manage_refuse_argument(rq, name, what);
	return false;
}

bool manage_store(struct mgmt_request *rq, const json_t *args, const char *name, int absent, int *out)
{
	static const char *const names[] = {"running", "candidate", "startup", NULL};

	return manage_choice(rq, args, name, names, absent, out);
}

bool manage_format(struct mgmt_request *rq, const json_t *args, enum engine_format *out)
{
	static const char *const names[] = {"json", "xml", NULL};
	int format;

	if (!manage_choice(rq, args, "format", names, ENGINE_JSON, &format))
		return false;
	*out = (enum engine_format)format;
	return true;
}

static bool query_text(struct mgmt_request *rq, const json_t *args, const char *name, const char **out)
{
	const json_t *member = json_object_get(args, name);

	*out = json_string_value(member);
	if (*out || !member || json_is_null(member))
		return true;
	manage_refuse_argument(rq, name, "it is text");
	return false;
}

/* Before libyang sees a filter, which may take minutes over one of 60,000 octets. */
static bool is_bounded(struct mgmt_request *rq, const struct engine_query *q)
{
	struct engine_fault f = {0};
	int rc = q->xpath ? bounds_xpath(q->xpath, &f) : 0;

	if (!rc && q->subtree)
		rc = bounds_text(str_z(q->subtree), ENGINE_XML, &f);
	if (rc) {
		fault_blame(&f, "filter");
		manage_refuse(rq, &f);
	}
	return !rc;
}

bool manage_query(struct mgmt_request *rq, const json_t *args, struct engine_query *out)
{
	static const char *const names[] = {"explicit", "report-all", "report-all-tagged", "trim", NULL};
	int defaults;

	*out = (struct engine_query){0};
	if (!query_text(rq, args, "xpath", &out->xpath) || !query_text(rq, args, "subtree", &out->subtree) ||
		!manage_choice(rq, args, "with-defaults", names, ENGINE_EXPLICIT, &defaults) ||
		!manage_format(rq, args, &out->format) || !is_bounded(rq, out))
		return false;
	out->defaults = (enum engine_defaults)defaults;
	return true;
}

bool manage_text(
	struct mgmt_request *rq, const json_t *args, const char *name, enum engine_format format, char **out)
{
	const json_t *member = json_object_get(args, name);

	*out = NULL;
	if (format == ENGINE_XML ? !json_is_string(member) : !json_is_object(member)) {
		manage_refuse_argument(rq, name,
			format == ENGINE_XML ? "it is XML as a string" : "it is an object of JSON, RFC 7951");
		return false;
	}
	*out = format == ENGINE_XML ? strdup(json_string_value(member)) : json_dumps(member, JSON_COMPACT);
	if (!*out)
		mgmt_reply(rq, NULL);
	return *out;
}

void manage_reply_data(struct mgmt_request *rq, enum engine_format format, char *text)
{
	json_t *data = format == ENGINE_XML ? json_string(text) : json_loads(text, 0, NULL);

	free(text);
	mgmt_reply(rq, data);
}
