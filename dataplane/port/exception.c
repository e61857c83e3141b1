/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port/exception.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nftables/libnftables.h>

#include "lib/base/buf.h"

/* Before connection tracking (-200) and the raw table (-300): media must not fill the conntrack table either.
 */
#define PRIORITY (-310)
#define TABLE_MAX (sizeof("srtpgw_") + IF_NAMESIZE)
#define RULE_MAX 160 /* octets of text of one rule */

struct exception {
	struct nft_ctx *nft;
	char interface[IF_NAMESIZE];
	char table[TABLE_MAX];
	char *made; /* the commands that made it as it is; owned */
};

/* Interface names may hold what nftables' identifiers may not. */
static void table_name(const char *interface, char table[TABLE_MAX])
{
	size_t n = (size_t)snprintf(table, TABLE_MAX, "srtpgw_%.15s", interface);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)table[i]))
			table[i] = '_';
}

static struct nft_ctx *nft_open(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	/* Or the library prints to our standard output and error. */
	if (nft != NULL && (nft_ctx_buffer_output(nft) != 0 || nft_ctx_buffer_error(nft) != 0)) {
		nft_ctx_free(nft);
		nft = NULL;
	}
	return nft;
}

static int nft_run(struct nft_ctx *nft, const char *commands, struct err *err)
{
	struct str why;

	errno = 0;
	if (nft_run_cmd_from_buffer(nft, commands) == 0)
		return 0;
	int code = errno == EPERM || errno == EACCES ? EPERM : errno == EOPNOTSUPP ? ENOTSUP : EIO;
	const char *text = nft_ctx_get_error_buffer(nft);
	why = str_trim(str_z(text != NULL ? text : ""));
	why = str_cut(&why, '\n');
	return err_set(err, code, "nftables: %.*s", STR_ARG(why));
}

int exception_open(const char *interface, struct exception **out, struct err *err)
{
	struct exception *x = calloc(1, sizeof(*x));
	int rc;

	if (x == NULL)
		return err_set(err, ENOMEM, "no memory");
	snprintf(x->interface, sizeof(x->interface), "%s", interface);
	table_name(interface, x->table);
	x->nft = nft_open();
	rc = x->nft != NULL ? exception_set_media(x, NULL, 0, err)
			    : err_set(err, ENOMEM, "nftables does not open");
	if (rc < 0) {
		if (x->nft != NULL)
			nft_ctx_free(x->nft);
		free(x);
		return rc;
	}
	*out = x;
	return 0;
}

int exception_set_media(struct exception *x, const struct dp_address *addresses, uint32_t n, struct err *err)
{
	size_t cap = 512 + (size_t)n * RULE_MAX;
	char *text = malloc(cap), ip[IP_TEXT_MAX];
	struct wbuf w;
	int rc;

	if (text == NULL)
		return err_set(err, ENOMEM, "no memory");
	w = wbuf_make(text, cap);
	/* One transaction: no packet sees the table half made, and `add` lets `delete` succeed when there was
	 * none. */
	wbuf_fmt(&w, "add table inet %s\ndelete table inet %s\nadd table inet %s\n", x->table, x->table,
		x->table);
	wbuf_fmt(&w, "add chain inet %s media { type filter hook prerouting priority %d; policy accept; }\n",
		x->table, PRIORITY);
	for (uint32_t i = 0; i < n; i++)
		wbuf_fmt(&w, "add rule inet %s media iifname \"%s\" %s daddr %s udp dport %u-%u drop\n",
			x->table, x->interface, addresses[i].ip.family == IP_V4 ? "ip" : "ip6",
			ip_text(&addresses[i].ip, ip), addresses[i].port_lower, addresses[i].port_upper);
	wbuf_u8(&w, 0);
	rc = w.overflow ? err_set(err, ENOMEM, "nftables: rules too long") : nft_run(x->nft, text, err);
	if (rc < 0) {
		free(text);
		return rc;
	}
	free(x->made);
	x->made = text;
	return 0;
}

int exception_keep(struct exception *x, struct err *err)
{
	char commands[128];
	bool there;
	int rc;

	snprintf(commands, sizeof(commands), "list chain inet %s media\n", x->table);
	there = nft_run_cmd_from_buffer(x->nft, commands) == 0;
	/* Asked for, they begin anew; else they would grow. */
	(void)nft_ctx_get_output_buffer(x->nft);
	(void)nft_ctx_get_error_buffer(x->nft);
	if (there)
		return 0;
	rc = nft_run(x->nft, x->made, err);
	return rc < 0 ? rc : 1;
}

static void table_remove(struct nft_ctx *nft, const char *table)
{
	char commands[128];

	snprintf(commands, sizeof(commands), "add table inet %s\ndelete table inet %s\n", table, table);
	(void)nft_run(nft, commands, NULL);
}

void exception_close(struct exception *x)
{
	if (x == NULL)
		return;
	table_remove(x->nft, x->table);
	nft_ctx_free(x->nft);
	free(x->made);
	free(x);
}

void exception_remove_stale(const char *interface)
{
	char table[TABLE_MAX];
	struct nft_ctx *nft = nft_open();

	if (nft == NULL)
		return;
	table_name(interface, table);
	table_remove(nft, table);
	nft_ctx_free(nft);
}
