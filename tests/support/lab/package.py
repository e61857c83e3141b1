# SPDX-License-Identifier: Apache-2.0
"""The Debian package of the build under test, and a gateway that runs from where it installed itself."""

import fcntl
import functools
import glob
import json
import os
import shutil
import tempfile

from .gateway import Gateway, build_dir
from .net import Skip, run
from .service import TOP, confined, give, unit

FOLDER = tempfile.TemporaryDirectory(prefix="sgw-package-")  # gone at the end of the run

# What stands at these places of the package's root is there for its programs, before what the machine has...
SEEN = ("usr", "etc", "var/lib")
# ...and here they also write.
STATE = "var/lib/srtpgw"  # made by the unit's StateDirectory
WRITTEN = ("run", "etc/srtpgw", STATE)


@functools.cache
def made():
    """The package's path. It is made once in a run, whichever process asks first; the programs are those of the build."""
    with open(os.path.join(build_dir(), "meson-info", "intro-buildoptions.json")) as f:
        options = {option["name"]: option["value"] for option in json.load(f)}
    if options["prefix"] != "/usr":
        raise Skip(f"the build is for {options['prefix']}: meson configure -Dprefix=/usr in its folder, and ninja")
    there, making = (os.path.join(FOLDER.name, name) for name in ("made", "making"))
    with open(os.path.join(FOLDER.name, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(there):
            run(os.path.join(TOP, "scripts", "package"), "--build", build_dir(), "--out", making)
            os.rename(making, there)
    (package,) = glob.glob(os.path.join(there, "srtpgw_*.deb"))
    return package


def dpkg(root, *args):
    """dpkg, for another root folder, whose maintainer scripts run outside and are told of it; what it said."""
    if not os.path.exists(os.path.join(root, "var/lib/dpkg")):
        os.makedirs(os.path.join(root, "var/lib/dpkg/info"))
        open(os.path.join(root, "var/lib/dpkg/status"), "w").close()
        os.mkdir(os.path.join(root, "etc"))
        for name in ("passwd", "group"):  # to which the package adds
            shutil.copy(f"/etc/{name}", os.path.join(root, "etc"))
    # None of what it depends on is in there.
    return run("dpkg", "--root", root, "--force-script-chrootless", "--force-depends", "--log=/dev/null", *args)


def inside(root, *argv):
    """The command that runs this one with the package's files in their places."""
    os.makedirs(os.path.join(root, STATE), exist_ok=True)
    mounts = [f"mount -t overlay -o lowerdir={root}/{place}:/{place} overlay /{place}" for place in SEEN]
    mounts += [f"mount --bind {root}/{place} /{place}" for place in WRITTEN]
    return ["unshare", "--mount", "sh", "-ec", "; ".join([*mounts, 'exec "$@"']), "sh", *argv]


def accounts(root):
    """Users and groups of the package's root, by name."""
    def table(name):
        with open(os.path.join(root, "etc", name)) as f:
            return {line.split(":")[0]: int(line.split(":")[2]) for line in f}

    return table("passwd"), table("group")


class Installed(Gateway):
    """Both planes as their units start them, from a package that is installed for this gateway alone."""

    def __init__(self, host, config, **kw):
        lab = host.lab
        os.chmod(lab.dir, 0o755)
        self.root = lab.path("root")
        os.mkdir(self.root)
        dpkg(self.root, "--install", made())
        self._accounts, self._groups = accounts(self.root)
        os.makedirs(os.path.join(self.root, STATE))
        for folder in (lab.path("certs"), os.path.join(self.root, STATE)):
            give(folder, self._accounts["srtpgw"])
        super().__init__(host, config, **kw)

    def path(self, name):
        return os.path.join(self.root, *(("etc/srtpgw", "config.json") if name.endswith(".json") else ("run/srtpgw", name)))

    def _start(self, plane, *options):
        """By the unit's own line; of the options only those that an operator gives the data plane."""
        self._starts += 1
        says = unit(plane, os.path.join(self.root, "lib/systemd/system", f"srtpgw-{plane}.service"))
        with open(os.path.join(self.root, "etc/default/srtpgw-dataplane"), "w") as f:
            f.write(f'DATAPLANE_OPTIONS="{" ".join(self._options)}"\n')
        line = f'. /etc/default/srtpgw-dataplane; exec "$@" {says["ExecStart"]}'
        return self.host.start(f"{plane}-{self._starts}", *inside(
            self.root, "sh", "-ec", line, "sh", *confined(says, self._accounts, self._groups)))
