# SPDX-License-Identifier: Apache-2.0
"""The gateway as a service manager runs it: neither plane is root, each has an account of its own and what its unit leaves it."""

import os
import pathlib
import shutil

from .gateway import Gateway

UNITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "scripts", "service")

# Accounts that every machine has, in the place of those that the installation makes.
ACCOUNTS = {"srtpgw-dataplane": "daemon", "srtpgw": "nobody"}
GROUPS = {"srtpgw": "nogroup"}


def unit(plane):
    """What its unit file says, by name; the last word counts."""
    with open(os.path.join(UNITS, f"srtpgw-{plane}.service.in")) as f:
        return dict(line.rstrip("\n").split("=", 1) for line in f if "=" in line and not line.startswith("#"))


def confined(plane):
    """The command before a command that gives it the account and the capabilities of the plane's unit."""
    says = unit(plane)
    caps = ",".join(["-all", *("+" + c.removeprefix("CAP_").lower() for c in says["AmbientCapabilities"].split())])
    assert says["CapabilityBoundingSet"] == says["AmbientCapabilities"] and says["NoNewPrivileges"] == "yes"
    return ["setpriv", f"--reuid={ACCOUNTS[says['User']]}", f"--regid={GROUPS[says['Group']]}",
            "--clear-groups", f"--inh-caps={caps}", f"--ambient-caps={caps}", f"--bounding-set={caps}", "--no-new-privs"]


class Service(Gateway):
    def __init__(self, host, config, options=(), **kw):
        lab = host.lab
        os.chmod(lab.dir, 0o755)
        for folder in ("run", "etc", "bin"):
            os.makedirs(lab.path(folder))
            os.chmod(lab.path(folder), 0o755)
        # As tmpfiles.conf has it.
        shutil.chown(lab.path("run"), "root", GROUPS["srtpgw"])
        os.chmod(lab.path("run"), 0o1775)
        shutil.chown(lab.path("etc"), ACCOUNTS["srtpgw"], GROUPS["srtpgw"])
        for path in pathlib.Path(lab.path("certs")).rglob("*"):
            shutil.chown(path, ACCOUNTS["srtpgw"])
        shutil.chown(lab.path("certs"), ACCOUNTS["srtpgw"])
        super().__init__(host, config, options=[*options, "--group", GROUPS["srtpgw"]], **kw)

    def path(self, name):
        return self.lab.path("etc" if name.endswith(".json") else "run", name)

    def program(self, plane):
        """A copy where everybody may come: the build may lie in a folder that is root's alone."""
        copy = self.lab.path("bin", f"srtpgw-{plane}")
        if not os.path.exists(copy):
            shutil.copy(super().program(plane), copy)
            os.chmod(copy, 0o755)
        return copy

    def _start(self, plane, *options):
        self._starts += 1
        return self.host.start(f"{plane}-{self._starts}", *confined(plane), self.program(plane), *options,
                               "--log-level", self._log_level)
