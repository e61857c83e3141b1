/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/tls_profiles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/log.h"

enum side { SERVER, CLIENT, SIDES };
enum file { CERTIFICATE, PRIVATE_KEY, TRUST_BAG, FILES };

/* What tells one content of a file from the next without reading it. */
struct file_mark {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct profile {
	const struct config_tls_profile *conf;
	struct file_mark marks[FILES];
	struct tls_ctx *ctx[SIDES];   /* NULL: nobody uses it on that side */
	struct tls_ctx *fresh[SIDES]; /* takes the place of what ctx holds at the commit */
	unsigned use;                 /* bits of enum cert_use: 1 << enum side */
	struct cert_info cert;
	struct cert_said said;
	struct cert_warnings warnings, trust_warnings; /* until the commit */
	bool read, renewed;
};

struct tls_profiles {
	struct config *config; /* a reference */
	struct profile *all;   /* by index in the configuration */
	struct profile **by_name;
};

static void mark(struct file_mark *m, const char *path)
{
	struct stat st;

	*m = (struct file_mark){0};
	if (path && stat(path, &st) == 0)
		*m = (struct file_mark){st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
}

static bool same_mark(const struct file_mark *a, const struct file_mark *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whom we believe. */
static bool same_trust(const struct profile *a, const struct profile *b)
{
	return same_text(a->conf->trust_bag, b->conf->trust_bag) &&
	       same_mark(&a->marks[TRUST_BAG], &b->marks[TRUST_BAG]) &&
	       a->conf->verify == b->conf->verify && a->conf->min_version == b->conf->min_version;
}

/* What we show. */
static bool same_identity(const struct profile *a, const struct profile *b)
{
	return same_text(a->conf->certificate, b->conf->certificate) &&
	       same_text(a->conf->private_key, b->conf->private_key) &&
	       same_mark(&a->marks[CERTIFICATE], &b->marks[CERTIFICATE]) &&
	       same_mark(&a->marks[PRIVATE_KEY], &b->marks[PRIVATE_KEY]);
}

static int make(const struct config_tls_profile *p, enum side side, struct tls_ctx **out, struct err *e)
{
	static const enum tls_verify verify[SIDES][3] = {
		[SERVER] = {[CONFIG_VERIFY_REQUIRED] = TLS_VERIFY_REQUIRED,
			[CONFIG_VERIFY_OUTGOING] = TLS_VERIFY_OPTIONAL,
			[CONFIG_VERIFY_NONE] = TLS_VERIFY_NONE},
		[CLIENT] = {[CONFIG_VERIFY_REQUIRED] = TLS_VERIFY_REQUIRED,
			[CONFIG_VERIFY_OUTGOING] = TLS_VERIFY_REQUIRED,
			[CONFIG_VERIFY_NONE] = TLS_VERIFY_NONE},
	};
	const struct tls_conf conf = {
		.server = side == SERVER,
		.certificate = p->certificate,
		.private_key = p->private_key,
		.trust = p->trust_bag,
		.verify = verify[side][p->verify],
		.min_version = p->min_version == CONFIG_TLS_1_3 ? TLS_1_3 : TLS_1_2,
	};
	int rc = tls_ctx_new(&conf, out, e);

	if (rc < 0)
		err_prefix(e, "/srtp-gateway:gateway/tls-profiles/tls-profile[name='%s']", p->name);
	return rc;
}

/* One side of a profile: as it was, or as it was with another certificate, or new. */
static int open_side(
	struct profile *p, const struct profile *before, enum side side, bool reload, struct err *e)
{
	struct tls_ctx *had = before ? before->ctx[side] : NULL;

	if (!had || !same_trust(before, p))
		return make(p->conf, side, &p->ctx[side], e);
	p->ctx[side] = tls_ctx_ref(had);
	return reload || !same_identity(before, p) ? make(p->conf, side, &p->fresh[side], e) : 0;
}

static int by_name(const void *a, const void *b)
{
	const struct profile *p = *(const struct profile *const *)a, *q = *(const struct profile *const *)b;

	return strcmp(p->conf->name, q->conf->name);
}

static int against_name(const void *name, const void *b)
{
	return strcmp(name, (*(const struct profile *const *)b)->conf->name);
}

static const struct profile *find(const struct tls_profiles *t, const char *name)
{
	struct profile **p = t && t->config->n_tls_profiles
				     ? bsearch(name, t->by_name, t->config->n_tls_profiles,
					       sizeof *t->by_name, against_name)
				     : NULL;

	return p ? *p : NULL;
}

/* Which sides anything in the configuration uses. */
static void note_use(struct tls_profiles *t)
{
	const struct config *c = t->config;

	for (uint32_t i = 0; i < c->n_listeners; i++)
		if (c->listeners[i].tls)
			t->all[c->listeners[i].tls - c->tls_profiles].use |= CERT_SERVER;
	for (uint32_t i = 0; i < c->n_trunks; i++)
		if (c->trunks[i].tls)
			t->all[c->trunks[i].tls - c->tls_profiles].use |= CERT_CLIENT;
}

static void note_profile(struct profile *p, const struct config_tls_profile *conf)
{
	p->conf = conf;
	/* Before the files are read: what changes in between is read again next time. */
	mark(&p->marks[CERTIFICATE], conf->certificate);
	mark(&p->marks[PRIVATE_KEY], conf->private_key);
	mark(&p->marks[TRUST_BAG], conf->trust_bag);
}

/* The certificate alone: of no use to anybody is an error. */
static int check(struct profile *p, const struct profile *before, struct err *e)
{
	int rc = cert_check(p->conf->certificate, p->use, (int64_t)time(NULL), &p->cert, &p->warnings, e);

	if (rc < 0) {
		err_prefix(e, "/srtp-gateway:gateway/tls-profiles/tls-profile[name='%s']/certificate",
			p->conf->name);
		return rc;
	}
	p->read = true;
	p->renewed = !before || strcmp(before->cert.fingerprint, p->cert.fingerprint) != 0;
	if (!p->renewed)
		p->said = before->said;
	return 0;
}

static int open_profile(struct profile *p, const struct profile *before, bool reload, struct err *e)
{
	bool known = before && !reload && before->use == p->use && same_identity(before, p);
	int rc = 0;

	if (p->conf->trust_bag && p->conf->verify != CONFIG_VERIFY_NONE &&
		(!before || reload || !same_trust(before, p)))
		cert_check_trust(p->conf->trust_bag, (int64_t)time(NULL), &p->trust_warnings);
	if (known) {
		p->cert = before->cert;
		p->said = before->said;
	} else {
		rc = check(p, before, e);
	}
	for (unsigned side = 0; rc == 0 && side < SIDES; side++)
		if (p->use & 1u << side)
			rc = open_side(p, before, (enum side)side, reload, e);
	return rc;
}

static int open_all(struct tls_profiles *t, const struct tls_profiles *before, bool reload, struct err *e)
{
	int rc = 0;

	note_use(t);
	for (uint32_t i = 0; rc == 0 && i < t->config->n_tls_profiles; i++)
		rc = open_profile(&t->all[i], find(before, t->all[i].conf->name), reload, e);
	return rc;
}

int tls_profiles_prepare(const struct tls_profiles *before, const struct config *c, bool reload,
	struct tls_profiles **out, struct err *e)
{
	struct tls_profiles *t = calloc(1, sizeof *t);
	int rc;

	if (!t)
		return err_set(e, ENOMEM, "no memory for TLS profiles");
	t->config = config_ref(c);
	t->all = calloc(c->n_tls_profiles + 1, sizeof *t->all);
	t->by_name = calloc(c->n_tls_profiles + 1, sizeof *t->by_name);
	if (!t->all || !t->by_name) {
		tls_profiles_free(t);
		return err_set(e, ENOMEM, "no memory for TLS profiles");
	}
	for (uint32_t i = 0; i < c->n_tls_profiles; i++) {
		note_profile(&t->all[i], &c->tls_profiles[i]);
		t->by_name[i] = &t->all[i];
	}
	qsort(t->by_name, c->n_tls_profiles, sizeof *t->by_name, by_name);
	rc = open_all(t, before, reload, e);
	if (rc < 0)
		tls_profiles_free(t);
	else
		*out = t;
	return rc;
}

static void say_read(const struct profile *p)
{
	log_info("tls", p->renewed ? "certificate" : "certificate was read again, and is the same",
		LZ("tls_profile", p->conf->name), LZ("file", p->conf->certificate),
		LZ("subject", p->cert.subject), LZ("fingerprint", p->cert.fingerprint),
		LI("days_left", cert_days_left(p->cert.chain_not_after_s, (int64_t)time(NULL))));
}

static void say(const struct cert_warnings *w, const char *profile, const char *file)
{
	for (unsigned i = 0; i < w->n; i++)
		log_warn("tls", w->text[i], LZ("tls_profile", profile), LZ("file", file));
}

void tls_profiles_warn(const struct tls_profiles *t)
{
	for (uint32_t i = 0; i < t->config->n_tls_profiles; i++) {
		const struct profile *p = &t->all[i];

		say(&p->warnings, p->conf->name, p->conf->certificate);
		say(&p->trust_warnings, p->conf->name, p->conf->trust_bag);
	}
}

void tls_profiles_commit(struct tls_profiles *t)
{
	for (uint32_t i = 0; i < t->config->n_tls_profiles; i++) {
		struct profile *p = &t->all[i];

		for (unsigned side = 0; side < SIDES; side++) {
			if (p->fresh[side])
				tls_ctx_renew(p->ctx[side], p->fresh[side]);
			p->fresh[side] = NULL;
		}
		if (p->read)
			say_read(p);
	}
	tls_profiles_warn(t);
}

void tls_profiles_free(struct tls_profiles *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; t->all && i < t->config->n_tls_profiles; i++)
		for (unsigned side = 0; side < SIDES; side++) {
			tls_ctx_free(t->all[i].ctx[side]);
			tls_ctx_free(t->all[i].fresh[side]);
		}
	free(t->all);
	free(t->by_name);
	config_unref(t->config);
	free(t);
}

static struct tls_ctx *context(
	const struct tls_profiles *t, const struct config_tls_profile *p, enum side side)
{
	return p ? t->all[p - t->config->tls_profiles].ctx[side] : NULL;
}

struct tls_ctx *tls_profiles_server(const struct tls_profiles *t, const struct config_tls_profile *p)
{
	return context(t, p, SERVER);
}

struct tls_ctx *tls_profiles_client(const struct tls_profiles *t, const struct config_tls_profile *p)
{
	return context(t, p, CLIENT);
}

unsigned tls_profiles_count(const struct tls_profiles *t)
{
	return t ? t->config->n_tls_profiles : 0;
}

void tls_profiles_at(const struct tls_profiles *t, unsigned i, struct tls_profile_state *out)
{
	struct profile *p = &t->all[i];

	*out = (struct tls_profile_state){
		.name = p->conf->name,
		.file = p->conf->certificate,
		.cert = &p->cert,
		.use = p->use,
		.renewed = p->renewed,
		.said = &p->said,
	};
}
