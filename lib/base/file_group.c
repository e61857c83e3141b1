/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/file_group.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_group_give(const char *path, const char *group, struct err *err)
{
	const struct group *g = getgrnam(group);

	if (!g)
		return err_set(err, ENOENT, "there is no group '%s': groupadd %s", group, group);
	/* lchown first: were the mode wider before, the old group could open it. */
	if (lchown(path, (uid_t)-1, g->gr_gid) != 0 || chmod(path, 0660) != 0)
		return err_set(
			err, errno, "'%s' cannot be given to group '%s': %s", path, group, strerror(errno));
	return 0;
}
