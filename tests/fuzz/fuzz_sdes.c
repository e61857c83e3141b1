/* SPDX-License-Identifier: Apache-2.0 */
/* a=crypto values: what is taken fits its suite and survives being written and read; what is refused leaves
 * no key. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/keys/sdes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const struct sdes_line *l)
{
	struct agreed_key k = {
		.suite = l->suite, .mki_len = (uint8_t)l->keys[0].mki_len, .master = l->keys[0].master};
	struct sdes_line again;
	struct err e = {0};
	char text[512];
	struct wbuf w = wbuf_make(text, sizeof text);

	memcpy(k.mki, l->keys[0].mki, k.mki_len);
	sdes_print(&w, l->tag, &k);
	struct str value = wbuf_view(&w);

	str_cut(&value, ':');
	value.n -= 2; /* the line end */
	if (w.overflow || sdes_parse(value, &again, &e) < 0 || again.tag != l->tag ||
		again.suite != l->suite || !secret_equal(&again.keys[0].master, &k.master) ||
		again.keys[0].mki_len != k.mki_len || memcmp(again.keys[0].mki, k.mki, k.mki_len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sdes_line wiped;
	struct sdes_line l;
	struct err e = {0};

	if (sdes_parse((struct str){(const char *)data, size}, &l, &e) < 0) {
		l.tag = 0;
		if (!e.text[0] || memcmp(&l, &wiped, sizeof l))
			abort();
		return 0;
	}
	for (unsigned i = 0; i < l.n_keys; i++)
		if (l.keys[i].master.len != srtp_suite_master_len(srtp_suite_info(l.suite)))
			abort();
	if (sdes_usable(&l, &e) == 0)
		write_and_read(&l);
	return 0;
}
