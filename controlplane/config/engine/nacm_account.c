/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/config/engine/nacm.h"

#define GROUPS_MAX 1024
#define ENTRY_MAX (64 * 1024)

static char *group_name(gid_t gid, char *buf)
{
	struct group g, *found = NULL;

	return getgrgid_r(gid, &g, buf, ENTRY_MAX, &found) == 0 && found ? strdup(g.gr_name) : NULL;
}

static int read_groups(struct nacm_account *a, gid_t primary, char *buf)
{
	gid_t *ids = calloc(GROUPS_MAX, sizeof *ids);
	int n = GROUPS_MAX;

	if (!ids)
		return -ENOMEM;
	if (getgrouplist(a->user, primary, ids, &n) < 0)
		n = GROUPS_MAX;
	a->groups = calloc((size_t)n + 1, sizeof *a->groups);
	for (int i = 0; a->groups && i < n; i++) {
		char *name = group_name(ids[i], buf);

		if (name)
			a->groups[a->n_groups++] = name;
	}
	free(ids);
	return a->groups ? 0 : -ENOMEM;
}

int nacm_account_make(struct nacm_account *a, uid_t uid)
{
	char *buf = malloc(ENTRY_MAX), number[16];
	struct passwd p, *found = NULL;
	int rc = buf ? 0 : -ENOMEM;

	*a = (struct nacm_account){.uid = uid, .recovery = uid == 0 || uid == geteuid()};
	snprintf(number, sizeof number, "%u", uid);
	if (!rc && (getpwuid_r(uid, &p, buf, ENTRY_MAX, &found) != 0 || !found))
		found = NULL;
	if (!rc) {
		gid_t primary = found ? p.pw_gid : 0;

		a->user = strdup(found ? p.pw_name : number);
		rc = !a->user ? -ENOMEM : found ? read_groups(a, primary, buf) : 0;
	}
	free(buf);
	if (rc)
		nacm_account_clear(a);
	return rc;
}

void nacm_account_clear(struct nacm_account *a)
{
	for (unsigned i = 0; i < a->n_groups; i++)
		free(a->groups[i]);
	free(a->groups);
	free(a->user);
	*a = (struct nacm_account){0};
}
