/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dtls/dtls.h"

int dtls_new(const struct dtls_backend *backend, const struct dtls_conf *conf, struct dtls **out, struct err *e)
{
	return backend->create(conf, out, e);
}

void dtls_input(struct dtls *d, const uint8_t *octets, size_t n)
{
	d->backend->input(d, octets, n);
}

uint64_t dtls_deadline(struct dtls *d)
{
	return d->backend->deadline(d);
}

void dtls_tick(struct dtls *d)
{
	d->backend->tick(d);
}

const struct dtls_result *dtls_result(const struct dtls *d)
{
	return d->backend->result(d);
}

void dtls_forget_keys(struct dtls *d)
{
	d->backend->forget_keys(d);
}

void dtls_close(struct dtls *d)
{
	if (d)
		d->backend->close(d);
}
