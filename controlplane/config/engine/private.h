/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of the engine share. Only this folder's files include this. */
#pragma once

#include <sys/queue.h>

#include "controlplane/config/engine.h"
#include "controlplane/config/engine/file.h"
#include "controlplane/config/engine/history.h"
#include "controlplane/config/engine/nacm.h"

#define ENGINE_LISTENERS 8
#define ENGINE_STORES 3

struct event;

struct engine_session {
	LIST_ENTRY(engine_session) next;
	struct engine *engine;
	uint32_t id;
	struct nacm_account who;
	char *door, *host;
	uint64_t since_ms; /* wall clock */
};

/* A confirmed commit that waits (RFC 6241 8.4). The file still holds the configuration from before it. */
struct pending {
	bool active;
	struct lyd_node *before; /* what a rollback returns to */
	uint64_t commit;         /* its last commit in the history */
	char *persist;           /* NULL: bound to session */
	uint32_t session;        /* who may confirm it, or whose end rolls it back */
	char *user, *door;       /* who began it */
	uint64_t deadline_ns;    /* monotonic */
	struct event *timer;
};

struct engine {
	struct engine_conf conf; /* path is owned */
	struct {
		const struct engine_events *events;
		void *ctx;
	} listeners[ENGINE_LISTENERS];
	unsigned n_listeners;
	struct ly_ctx *ctx;
	struct ly_ctx *names;     /* of no models, for subtree filters */
	struct lyd_node *running; /* validated, with its defaults */
	struct config *config;    /* running's snapshot */
	struct nacm nacm;         /* running's rules */
	struct nacm_counters denied;
	bool candidate_own;         /* false: the candidate is the running one */
	struct lyd_node *candidate; /* with candidate_own; not validated since its last edit */
	uint64_t candidate_old;     /* with candidate_own; the first commit since then that is not its own; 0:
				       none */
	struct lyd_node *startup;   /* as engine_tree() read it last */
	struct file_digest file;    /* of the text that was loaded or written last */
	LIST_HEAD(, engine_session) sessions;
	uint32_t last_session;
	uint32_t locks[ENGINE_STORES];     /* ids of the sessions that hold them; 0: free */
	uint64_t locked_ms[ENGINE_STORES]; /* since when; wall clock */
	struct pending pending;
	struct history history;
	bool stopped; /* the program ends */
};

/* Who makes a commit, and how. */
struct cause {
	const char *user, *door, *comment;
	uint32_t session; /* 0: nobody's */
	bool unconfirmed; /* a confirmed commit that waits from now on */
	bool keep_file;   /* the file is as it should be */
	bool overwrite;   /* what somebody wrote into the file by hand may be lost */
	bool unrecorded;  /* nothing is different: not a commit of the history */
	bool reread;      /* what the files hold that it names may be another thing than before */
};

/* apply.c */

/* Validates in place, which fills in the defaults, and looks at the files that are named. out may be NULL. */
int apply_check(struct engine *e, struct lyd_node **tree, struct config **out, struct engine_fault *f);
/* Its two halves: the first knows nothing of this machine, the second looks at what is named. */
int apply_check_model(struct engine *e, struct lyd_node **tree, struct config **out, struct engine_fault *f);
int apply_check_files(const struct engine *e, const struct config *config, struct engine_fault *f);
/*
 * The one way to the running system: checks, prepares, writes the file and commits. On success *tree is the
 * engine's and NULL, *commit (may be NULL) its number, and *before (may be NULL) what ran until now, the
 * caller's; else *tree is still the caller's and nothing has changed.
 */
int apply_tree(struct engine *e, struct lyd_node **tree, const struct cause *why, uint64_t *commit,
	struct lyd_node **before, struct engine_fault *f);
/* Writes a tree to the file. */
int apply_store(struct engine *e, const struct lyd_node *tree, struct engine_fault *f);
/* Some difference, also of what is explicit and what is a default? -1 without memory. */
int apply_differs(
	const struct lyd_node *from, const struct lyd_node *to, bool *differs, struct engine_fault *f);

/* stores.c */
const char *stores_name(enum engine_store store);
/* A copy of a datastore, the caller's; it may be NULL (empty). s: who asks, and hears no more than it may
 * read. */
int stores_copy(const struct engine_session *s, enum engine_store store, struct lyd_node **out,
	struct engine_fault *f);
/* Takes tree over. whole: it is nobody's edit of what the candidate was, so that it is not older than
 * running. */
void stores_set_candidate(struct engine *e, struct lyd_node *tree, bool whole);
/* running is another than before since this commit: a candidate without edits goes with it, another is older.
 */
void stores_follow_running(struct engine *e, const struct lyd_node *before, uint64_t commit);
void stores_drop_candidate(struct engine *e);
/* A candidate that is what runs is no other than running: it has no edits, and is not older. */
void stores_settle_candidate(struct engine *e);
/* The file, parsed and validated; the caller's. who: as stores_copy(), NULL: the gateway itself. digest: of
 * the text; NULL is allowed. */
int stores_read_file(struct engine *e, const struct engine_session *who, struct lyd_node **out,
	struct file_digest *digest, struct engine_fault *f);
/* -1: the file is neither what was loaded nor what was written last: writing it would undo somebody's work. */
int stores_file_edited(const struct engine *e, struct engine_fault *f);
/* What is in the file now may be overwritten. */
void stores_accept_file(struct engine *e);

/* sessions.c */

/* Does no other session's lock, and for running no other's confirmed commit, stand in the way? */
int sessions_may_change(const struct engine_session *s, enum engine_store store, struct engine_fault *f);
/* NACM: may the session call this operation of ietf-netconf? */
int sessions_may_call(const struct engine_session *s, const char *rpc, struct engine_fault *f);
/* Of what is there or not the session hears only where it might make or delete it: else access is denied. */
void sessions_hide(const struct engine_session *s, struct engine_fault *f);
/* What is wrong with a whole configuration is told of what the session may read; of the rest, that it is
 * wrong (RFC 8341 3.2.3: no contents of restricted nodes in an rpc-error). rc: nothing is done when it is 0.
 * Returns rc. */
int sessions_hide_mistake(const struct engine_session *s, int rc, struct engine_fault *f);
/* The same of the file's text, of which a mistake may quote any part. Returns -1. */
int sessions_hide_text(const struct engine_session *s, struct engine_fault *f);
/* NACM: may the session ask for this where it may not read, whether it would change anything or not? */
int sessions_may_ask(const struct engine_session *s, const struct lyd_node *data, const struct lyd_node *edit,
	enum engine_default_operation op, struct engine_fault *f);
/* The same where nobody asks for it: it is not counted. */
int sessions_could_ask(const struct engine_session *s, const struct lyd_node *data,
	const struct lyd_node *edit, enum engine_default_operation op, struct engine_fault *f);
/* NACM: may the session make this change? */
int sessions_may_write(const struct engine_session *s, const struct lyd_node *from, const struct lyd_node *to,
	struct engine_fault *f);
/* The same where nobody wants to make it: it is not counted. */
int sessions_could_write(const struct engine_session *s, const struct lyd_node *from,
	const struct lyd_node *to, struct engine_fault *f);

/* confirm.c */

/* A confirmed commit waits from now on, or waits longer. before is taken over, NULL when one waits already.
 */
int confirm_begin(struct engine_session *s, const struct engine_commit *c, struct lyd_node **before,
	uint64_t commit, struct engine_fault *f);
/* May this session confirm, extend or cancel what waits? */
int confirm_allowed(const struct engine_session *s, const char *persist_id, struct engine_fault *f);
/* What waited is confirmed and in the file. */
void confirm_complete(struct engine *e, const struct engine_session *s);
/* Back to what ran before; event: "cancel" or "timeout"; s: who says so, NULL: nobody. */
int confirm_rollback(
	struct engine *e, const struct engine_session *s, const char *event, struct engine_fault *f);
void confirm_session_ends(struct engine_session *s);
void confirm_free(struct engine *e);
