/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: where the accounts of registrars are now (RFC 3261 section 10, RFC 5626). A binding is a
 * contact and the flow that it was registered by: requests go down that flow, whatever the contact's host
 * says, and when the flow is a connection and that is lost the binding ends. The REGISTER itself is
 * registrar.c's. Bindings outlive the process (user_restore.c); connections do not.
 */
#pragma once

#include <sys/queue.h>

#include "controlplane/b2bua/trunks/auth.h"
#include "controlplane/config/config.h"
#include "controlplane/sip/build.h"
#include "controlplane/sip/timer.h"
#include "controlplane/sip/transport.h"

#define USER_BINDINGS_MAX 16 /* of one account; the model allows no more */

struct b2bua;
struct leg;
struct saved_binding;
struct sip_dialog;
struct sip_stx;

struct user_binding {
	TAILQ_ENTRY(user_binding) entry; /* in users.all */
	struct user_binding *next_of, *next_id; /* in users.index */
	struct b2bua *b;
	uint64_t id; /* from 1 */
	/* One block, whose owner is trunk. */
	char *trunk, *user;
	char *contact;  /* URI */
	char *instance; /* +sip.instance without quotes; "" without */
	char *path;     /* Path values; "" without */
	char *agent;    /* User-Agent; "" without */
	char *call_id;
	uint32_t reg_id; /* 0: none */
	uint32_t cseq;
	unsigned q; /* thousandths */
	struct sip_flow flow; /* kept */
	struct sip_waiter waiter;
	struct timer end;
	uint64_t since_ms; /* wall clock */
	/*
	 * Its connection went with an earlier process, and its device alone can make another one: nothing
	 * reaches it until it has registered again. It takes nobody's place meanwhile.
	 */
	bool adrift;
	TAILQ_ENTRY(user_binding) saving_entry; /* in a list of b2bua.checkpoint, by `saving` */
	uint8_t saving;                         /* enum call_saving */
	uint32_t saved_octets;                  /* of its newest record; 0: it is not saved */
};

TAILQ_HEAD(user_list, user_binding);

/* Bindings by account and by id. It grows with them, so that a look-up costs the same however many there are. */
struct user_index {
	struct user_binding **of, **id; /* by account, by id; size buckets each */
	uint32_t size;			/* a power of two; 0: nothing is in it yet */
};

struct users {
	struct user_list all;
	struct user_index index;
	uint64_t last_id;
	unsigned n, n_adrift; /* all; of them adrift */
};

void users_init(struct b2bua *b);
/* Accounts, trunks or listeners may be gone: their bindings end. */
void users_commit(struct b2bua *b);
/* Before the timers are freed; nothing is told. */
void users_forget(struct b2bua *b);

/* Those of an account, best first: by q, then the newest. How many. */
unsigned users_of(const struct b2bua *b, const struct config_user *u,
	struct user_binding *out[USER_BINDINGS_MAX]);
/* NULL: it has ended. */
struct user_binding *users_binding(const struct b2bua *b, uint64_t id);

/* What a REGISTER says of one contact. */
struct user_contact {
	struct sip_uri uri;
	struct str instance;
	uint32_t reg_id;
	unsigned q;
	uint32_t expires_s; /* 0: it is to end */
};
/*
 * The binding that a contact in the REGISTER m is of: by device and flow, else by URI, else the one that the device had
 * under another URI. NULL: none yet.
 */
struct user_binding *users_match(const struct b2bua *b, const struct config_user *u,
	const struct user_contact *c, const struct sip_msg *m);
/* A new binding, or the one that is there anew. -ENOMEM, -ENOTCONN (the flow is gone). */
int users_bind(struct b2bua *b, const struct config_user *u, struct user_binding *old,
	const struct user_contact *c, const struct sip_msg *m, const struct sip_flow *from);
void users_unbind(struct user_binding *u, const char *why);
/* Another place of the account is to be bound: where it has as many as it may, the oldest that is adrift
 * goes. */
void users_make_room(struct b2bua *b, const struct config_user *u);
/* Until it ends unless it is refreshed. */
uint32_t users_left_s(const struct user_binding *u);
/* The Request-URI of the first INVITE to the binding that the leg is aimed at, and its Route lines (RFC 3327). */
void users_uri(const struct leg *out, struct wbuf *w);
void users_routes(const struct leg *out, struct sip_builder *b);

/* ---- user_restore.c: bindings of an earlier process ---- */

enum user_restored {
	USER_RESTORED, /* it is reached as before */
	USER_ADRIFT,
	USER_EXPIRED,
	USER_UNWANTED, /* by the configuration */
	USER_DAMAGED,  /* its record; or there is no memory */
	USER_RESTORED_COUNT
};
enum user_restored users_restore(struct b2bua *b, uint64_t id, const void *data, size_t n);
/* What is kept of it. Texts are the binding's. */
void users_saved(const struct user_binding *u, struct saved_binding *out);

/* ---- users.c, for it ---- */

struct user_texts {
	struct str trunk, user, contact, instance, path, agent, call_id;
};
/* In no list yet; NULL: no memory. */
struct user_binding *users_binding_new(struct b2bua *b, uint64_t id);
int users_set_texts(struct user_binding *u, const struct user_texts *t); /* -ENOMEM: as it was */
int users_list(struct user_binding *u, uint32_t expires_s);              /* -ENOMEM */
/* Why it cannot go on under the configuration that is now in force; NULL: it can. */
const char *users_unwanted(struct b2bua *b, const struct user_binding *u);
/* One that is in no list. */
void users_binding_free(struct user_binding *u);

/* ---- user_flow.c: the way to a user in a dialog (RFC 5626 section 5.3) ---- */

/* Which device a binding is of, for struct leg: 0 when it does not say. */
uint64_t users_device(const struct user_binding *u);
/* The leg's peer, which may be an account, has called by this flow: which device it is, as that has registered. */
void users_note_caller(struct leg *in, const struct sip_flow *from);
/* The account at the other end of a dialog of a leg's that requests reach by its flow; NULL: there is none. */
const struct config_user *users_party(const struct sip_dialog *d);
/* The account at the other end of a dialog of a leg's, wherever its flow leads; NULL: there is none. */
const struct config_user *users_named(const struct sip_dialog *d);
/*
 * Does the binding, of the account at the other end of a dialog, lead there? It is of that device, or of the
 * contact that is the dialog's target, and is not adrift; and what went encrypted goes by no weaker hop.
 */
bool users_place(const struct user_binding *u, bool secure, uint64_t device, struct str target);
/*
 * Where requests of a dialog go: the flow by which the account at its other end has registered the same contact or
 * device since. False: there is none, or, with `moved`, none that its device has come to from the dialog's own, so that
 * that is not in use any more although it looks open.
 */
bool users_flow(const struct sip_dialog *d, bool moved, struct sip_flow *flow);

/* ---- user_index.c ---- */

/* A binding whose names are known; n are in it already. -ENOMEM. */
int user_index_add(struct user_index *x, struct user_binding *u, uint32_t n);
void user_index_remove(struct user_index *x, const struct user_binding *u);
/* The first of those of an account, among others: next_of leads on. */
struct user_binding *user_index_of(const struct user_index *x, const char *trunk, const char *user);
struct user_binding *user_index_id(const struct user_index *x, uint64_t id);
void user_index_free(struct user_index *x);

/* ---- registrar.c ---- */
void registrar_register(struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from);

/* ---- user_auth.c ---- */
enum auth_result;
/* Is the request from one of the trunk's accounts? Then *user. Challenged: it was answered with 401. */
enum auth_result user_admit(struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m,
	const struct config_trunk *t, const struct config_user **user);
/* The enabled account whose credentials an admitted request has; NULL: none. */
const struct config_user *user_of(const struct config_trunk *t, const struct sip_msg *m);
