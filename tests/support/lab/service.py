# SPDX-License-Identifier: Apache-2.0
"""The gateway as a service manager runs it: neither plane is root, each has an account of its own and what its unit leaves it."""

import os
import pathlib
import shutil

from .gateway import Gateway

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")

# Accounts that every machine has, in the place of those that the installation makes.
ACCOUNTS = {"srtpgw-dataplane": "daemon", "srtpgw": "nobody"}
GROUPS = {"srtpgw": "nogroup"}


def unit(plane, path=None):
    """What its unit file says, by name; the last word counts. path: the unit of an installation."""
    with open(path or os.path.join(TOP, "scripts", "service", f"srtpgw-{plane}.service.in")) as f:
        return dict(line.rstrip("\n").split("=", 1) for line in f if "=" in line and not line.startswith("#"))


def confined(says, accounts, groups):
    """The command before a command that gives it the account and the capabilities that a unit has; their numbers or names."""
    caps = ",".join(["-all", *("+" + c.removeprefix("CAP_").lower() for c in says["AmbientCapabilities"].split())])
    assert says["CapabilityBoundingSet"] == says["AmbientCapabilities"] and says["NoNewPrivileges"] == "yes"
    return ["setpriv", f"--reuid={accounts[says['User']]}", f"--regid={groups[says['Group']]}",
            "--clear-groups", f"--inh-caps={caps}", f"--ambient-caps={caps}", f"--bounding-set={caps}", "--no-new-privs"]


def give(folder, account):
    """The folder and what is in it, to an account."""
    for path in (pathlib.Path(folder), *pathlib.Path(folder).rglob("*")):
        shutil.chown(path, account)


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
        give(lab.path("certs"), ACCOUNTS["srtpgw"])
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
        return self.host.start(f"{plane}-{self._starts}", *confined(unit(plane), ACCOUNTS, GROUPS), self.program(plane),
                               *options, "--log-level", self._log_level)
