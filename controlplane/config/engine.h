/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration engine: the datastores running, candidate and startup (RFC 6241), who may change them
 * (locks, NACM), how a change reaches the running system, and the last ENGINE_HISTORY commits. It knows
 * libyang and files; sockets, JSON framing and the gateway itself are other rooms: the doors
 * (controlplane/manage/) call it, and struct engine_target is what it acts on.
 *
 * Everything runs on the loop's thread. Nodes of trees that this interface hands out are borrowed until the
 * next call that may change that datastore.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "controlplane/config/config.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#define ENGINE_HISTORY 20

struct engine;         /* opaque */
struct engine_session; /* opaque: one management session, its account and its locks */
struct event_base;
struct ly_ctx;
struct lyd_node;

enum engine_store { ENGINE_RUNNING, ENGINE_CANDIDATE, ENGINE_STARTUP };
enum engine_format { ENGINE_JSON, ENGINE_XML };
enum engine_defaults { ENGINE_EXPLICIT, ENGINE_REPORT_ALL, ENGINE_REPORT_ALL_TAGGED, ENGINE_TRIM };
enum engine_default_operation { ENGINE_MERGE, ENGINE_REPLACE, ENGINE_NONE };
/* What an edit does besides setting: RFC 6241 7.2 test-option. The running store is always tested. */
enum engine_test { ENGINE_SET, ENGINE_TEST_THEN_SET, ENGINE_TEST_ONLY };

/* What went wrong, as RFC 6241 appendix A wants it. path "": of no node. */
struct engine_fault {
	const char *tag;     /* "in-use", "invalid-value", "access-denied", "lock-denied", "data-missing"...;
				static */
	const char *type;    /* "protocol", "rpc" or "application"; static */
	const char *app_tag; /* static; NULL: none */
	char path[1024];     /* instance path */
	char message[1024];  /* what is wrong and what to do */
	uint32_t session;    /* lock-denied: whose lock; 0: not a session's */
	/* What RFC 6241, appendix A, has in error-info of some tags; "": not there. */
	char bad_element[64], bad_attribute[16], bad_namespace[128];
};

/* How a configuration becomes the running one. */
struct engine_target {
	/*
	 * Acquires all that can fail of going from (NULL at the start) to the new configuration and changes
	 * nothing that runs. 0 and *plan, or a negative errno value with the YANG path and the reason in e
	 * and everything undone. reread: files that both name alike may hold something else by now.
	 */
	int (*prepare)(void *ctx, const struct config *from, const struct config *to, bool reread,
		void **plan, struct err *e);
	void (*commit)(void *ctx, void *plan);  /* cannot fail; ends the plan */
	void (*abandon)(void *ctx, void *plan); /* undoes prepare; ends the plan */
};

/* One difference of two configurations. */
struct engine_change {
	const char *operation; /* "create", "delete", "replace", "move"; static */
	/* Values of leaves, NULL where there is none. A move's after: the entry that it stands behind. */
	char *path, *before, *after;
};

/* A commit that took effect; borrowed for the call. */
struct engine_committed {
	uint64_t commit; /* its number in the history */
	const char *user, *door;
	uint32_t session; /* 0: nobody's */
	bool pending;     /* it waits to be confirmed */
	const struct engine_change *changes;
	unsigned n_changes;
};

/* What a door may want to know. Every member may be NULL. */
struct engine_events {
	void (*committed)(void *ctx, const struct engine_committed *c);
	/* A confirmed commit began, was confirmed, was cancelled or timed out: ietf-netconf-notifications. */
	void (*confirm)(
		void *ctx, const char *event, const char *user, uint32_t session, uint32_t seconds_left);
	/* End a session's connection (kill-session). */
	void (*kill)(void *ctx, struct engine_session *s);
};

struct engine_conf {
	struct event_base *base;
	const char *path; /* startup: the configuration file; "PATH.d/" beside it holds the history */
	const struct engine_target *target;
	void *target_ctx;
};

/*
 * Reads and validates the file, rolls back a confirmed commit that was not confirmed before the last end,
 * prepares and commits. e: "FILE:LINE: PATH: reason", as config_load().
 */
int engine_new(const struct engine_conf *conf, struct engine **out, struct err *e);
/* The program ends: the target is not called again. A confirmed commit that waits is rolled back at the
 * start. */
void engine_stop(struct engine *e);
void engine_free(struct engine *e); /* NULL is allowed; sessions must be closed before */

/* Several may listen, for the engine's life. events is kept by reference. -ENOMEM. */
int engine_listen(struct engine *e, const struct engine_events *events, void *ctx);

/* The running configuration, one reference, the caller's. */
struct config *engine_config(const struct engine *e);
/* The context that all trees are of: srtp-gateway, ietf-netconf-acm, ietf-netconf-monitoring and the rest. */
struct ly_ctx *engine_context(const struct engine *e);
/* The configuration of a datastore, without state. */
const struct lyd_node *engine_tree(const struct engine *e, enum engine_store store);

/* Sessions. door: "cli", "netconf", "file"; copied. NULL without memory. */
struct engine_session *engine_session_open(struct engine *e, uid_t uid, const char *door, const char *host);
/* Frees its locks; rolls back a confirmed commit of its own that is not persistent (RFC 6241 8.4). */
void engine_session_close(struct engine_session *s);
uint32_t engine_session_id(const struct engine_session *s);
const char *engine_session_user(const struct engine_session *s);
const char *engine_session_door(const struct engine_session *s);

/* Open sessions and who holds the locks (ids, 0: free), for ietf-netconf-monitoring. */
unsigned engine_sessions(const struct engine *e, const struct engine_session **out, unsigned max);
uint32_t engine_lock_holder(const struct engine *e, enum engine_store store);
uint64_t engine_lock_since(const struct engine *e, enum engine_store store); /* wall clock, ms */
const char *engine_session_host(const struct engine_session *s);
uint64_t engine_session_since(const struct engine_session *s); /* wall clock, ms */

/* Operations: 0, or -1 with *f. */
int engine_edit(struct engine_session *s, enum engine_store target, enum engine_default_operation op,
	enum engine_test test, struct str config, enum engine_format format, struct engine_fault *f);
/* value NULL: delete. path: a leaf, leaf-list or list entry; predicates as in a YANG instance path. */
int engine_set(struct engine_session *s, const char *path, const char *value, struct engine_fault *f);
int engine_copy(
	struct engine_session *s, enum engine_store source, enum engine_store target, struct engine_fault *f);
int engine_copy_text(struct engine_session *s, struct str config, enum engine_format format,
	enum engine_store target, struct engine_fault *f);
int engine_delete(struct engine_session *s, enum engine_store target, struct engine_fault *f);
/* out (may be NULL): the configuration that it is, one reference, the caller's. */
int engine_validate(
	struct engine_session *s, enum engine_store source, struct config **out, struct engine_fault *f);
/* files: the files that it names were looked at, because the session might make it the running configuration.
 */
int engine_validate_text(struct engine_session *s, struct str config, enum engine_format format,
	struct config **out, bool *files, struct engine_fault *f);

struct engine_commit {
	bool confirmed;
	uint32_t timeout_s;  /* 0: 600 */
	const char *persist; /* NULL: bound to the session */
	const char *persist_id;
	const char *comment; /* for the history; NULL: none */
	/*
	 * The file may hold what somebody wrote there by hand and did not reload, or running what somebody
	 * changed there since the candidate was begun: it is overwritten. Without this it is a fault,
	 * "in-use".
	 */
	bool overwrite;
	bool confirm_only;   /* confirms what waits and leaves the candidate, which others may have edited */
};
/* *commit: the number of the new commit, 0 when nothing changed. */
int engine_commit(
	struct engine_session *s, const struct engine_commit *c, uint64_t *commit, struct engine_fault *f);
int engine_cancel(struct engine_session *s, const char *persist_id, struct engine_fault *f);
int engine_discard(struct engine_session *s, struct engine_fault *f);
int engine_lock(struct engine_session *s, enum engine_store target, struct engine_fault *f);
int engine_unlock(struct engine_session *s, enum engine_store target, struct engine_fault *f);
int engine_kill(struct engine_session *s, uint32_t session, struct engine_fault *f);
/* how: its comment and its overwrite, without which edits of the candidate are in the way. */
int engine_rollback(struct engine_session *s, uint64_t commit, const struct engine_commit *how, uint64_t *made,
	struct engine_fault *f);

/* What access control refused since the start (RFC 8341: denied-operations, -data-writes, -notifications). */
struct engine_denied {
	uint32_t operations, writes, notifications;
};
struct engine_denied engine_denied(const struct engine *e);
/* Seconds until a confirmed commit that waits is rolled back; 0: none waits. */
uint32_t engine_confirm_by(const struct engine *e);

/*
 * The file again, by the same path, and the files that it names; a mistake leaves the running configuration
 * and is in *f. who NULL: nobody's session (SIGHUP). *commit (may be NULL): its number, 0 when the file says
 * what runs.
 */
int engine_reload(
	struct engine *e, const struct engine_session *who, uint64_t *commit, struct engine_fault *f);

/* History, newest first. */
struct engine_history {
	uint64_t commit;
	uint64_t time_ms;                  /* wall clock */
	const char *user, *door, *comment; /* borrowed until the next commit */
	bool confirmed;                    /* false: a confirmed commit that waits */
};
unsigned engine_history(const struct engine *e, struct engine_history out[ENGINE_HISTORY]);
/* The configuration after a commit of the history; the caller lyd_free_all()s it. */
int engine_history_tree(
	const struct engine *e, uint64_t commit, struct lyd_node **out, struct engine_fault *f);

/* The differences. 0 or -1 without memory; engine_diff_free() the array. */
int engine_diff(
	const struct lyd_node *from, const struct lyd_node *to, struct engine_change **out, unsigned *n);
void engine_diff_free(struct engine_change *c, unsigned n);

/*
 * What a session may see and how it wants it: NACM's read rules, the filter, with-defaults. tree is consumed.
 * *text is malloc()ed: the instance data (JSON object, or XML elements without an envelope).
 */
struct engine_query {
	const char *xpath;   /* NULL: none */
	const char *subtree; /* XML; NULL: none */
	enum engine_defaults defaults;
	enum engine_format format;
};
int engine_print(struct engine_session *s, struct lyd_node *tree, const struct engine_query *q, char **text,
	struct engine_fault *f);
/* A datastore's tree without what the session may not read; the caller lyd_free_all()s it. */
int engine_read(
	struct engine_session *s, enum engine_store source, struct lyd_node **out, struct engine_fault *f);
void engine_prune(struct engine_session *s, struct lyd_node **tree);
/* May it read configurations at all (get-config)? Also for the history and differences. */
int engine_may_read(const struct engine_session *s, struct engine_fault *f);
/* The configuration of a datastore so printed. */
int engine_get_config(struct engine_session *s, enum engine_store source, const struct engine_query *q,
	char **text, struct engine_fault *f);
/*
 * May the session call this rpc or action, read this notification (NACM)? The operations above ask
 * themselves; the doors ask for what they do on their own, such as ("ietf-netconf", "get"). A refusal is
 * counted.
 */
bool engine_may_call(const struct engine_session *s, const char *module, const char *rpc);
bool engine_may_execute(const struct engine_session *s, const struct lyd_node *operation);
bool engine_may_notify(const struct engine_session *s, const struct lyd_node *notification);
/* NACM: may the session read what has this instance path, there or not? Not counted. */
bool engine_may_read_path(const struct engine_session *s, const char *path);
