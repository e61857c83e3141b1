# SPDX-License-Identifier: Apache-2.0
"""
OpenSSH with the NETCONF subsystem, and operators who log in. The accounts are of the laboratory alone: the host's
processes see its own passwd, group and shadow, mounted in their mount namespace; the machine's files are not touched.
"""

import json
import os
import shutil
import subprocess

from .gateway import build_dir
from .net import PATIENCE, LabError, run, wait_for

FIRST_UID = 60001
SUPPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")

# ip netns exec has made a mount namespace of its own already.
SEE_ACCOUNTS = 'for f in passwd group shadow; do mount --bind "$0/$f" /etc/$f || exit 1; done; exec "$@"'
# OpenSSH wants a folder in /run, which a machine without a running sshd may lack.
SEE_RUN = 'mount -t tmpfs -o mode=755 none /run && mkdir /run/sshd && exec "$@"'


class NetconfError(Exception):
    """An rpc-error; its parts are attributes."""

    def __init__(self, error):
        super().__init__(f"{error['tag']}: {error['message']} ({error['path']})")
        self.__dict__.update(error)


class Accounts:
    """users: name -> groups, which are made as well. From now on the host's processes know them."""

    def __init__(self, host, users):
        self.dir = host.lab.path(f"{host.name}-etc")
        os.makedirs(self.dir)
        groups = sorted({g for names in users.values() for g in names})
        lines = {"passwd": [f"{u}:x:{FIRST_UID + i}:{FIRST_UID + i}::{self.dir}:/bin/sh" for i, u in enumerate(users)],
                 "shadow": [f"{u}:*:19000:0:99999:7:::" for u in users],
                 "group": [*(f"{u}:x:{FIRST_UID + i}:" for i, u in enumerate(users)),
                           *(f"{g}:x:{FIRST_UID + 500 + i}:{','.join(u for u in users if g in users[u])}"
                             for i, g in enumerate(groups))]}
        for name, more in lines.items():
            path = os.path.join(self.dir, name)
            shutil.copyfile(f"/etc/{name}", path)
            os.chmod(path, 0o600 if name == "shadow" else 0o644)
            with open(path, "a") as f:
                f.writelines(f"{line}\n" for line in more)
        os.chmod(host.lab.dir, 0o711)  # accounts reach the management socket and their keys below it
        host.prefix = ["sh", "-c", SEE_ACCOUNTS, self.dir]


class SshServer:
    """sshd on port 830 of the host, for the accounts that it was given; each has a key of its own."""

    def __init__(self, host, users, socket, options=()):
        self.host, self.lab, self.socket = host, host.lab, socket
        self.keys = {user: self._key(user) for user in users}
        for user in users:
            os.makedirs(self.lab.path("authorized"), exist_ok=True)
            shutil.copyfile(self.keys[user] + ".pub", self.lab.path("authorized", user))
        # Where the build stands need not be where every account may look.
        program = shutil.copy(os.path.join(build_dir(), "controlplane", "netconf", "srtpgw-netconf"), self.lab.path())
        lines = ["Port 830", f"HostKey {self._key('host')}", f"AuthorizedKeysFile {self.lab.path('authorized')}/%u",
                 "PidFile none", "UsePAM no", "StrictModes no", "PasswordAuthentication no",
                 "KbdInteractiveAuthentication no", "MaxStartups 50",
                 f"Subsystem netconf {' '.join([program, '--socket', socket, *options])}"]
        path = self.lab.path("sshd_config")
        with open(path, "w") as f:
            f.writelines(f"{line}\n" for line in lines)
        self.process = host.start("sshd", "sh", "-c", SEE_RUN, "sh", "/usr/sbin/sshd", "-D", "-e", "-f", path)
        wait_for("sshd listens", lambda: "Server listening" in self.process.output())

    def _key(self, name):
        path = self.lab.path(f"key-{name}")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
        return path

    def raw(self, user, host, address):
        """The subsystem's bare input and output, from another host: for what no NETCONF library would send."""
        return subprocess.Popen(
            ["ip", "netns", "exec", host.netns, "ssh", "-q", "-F", "none", "-i", self.keys[user], "-p", "830", "-o",
             "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-s",
             f"{user}@{address}", "netconf"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Operators:
    """NETCONF sessions from a host, each under a name."""

    def __init__(self, server, host, address):
        self.server, self.address = server, address
        self.errors = open(host.lab.path("operators.log"), "w")
        self.popen = subprocess.Popen(
            ["ip", "netns", "exec", host.netns, "/usr/bin/python3", os.path.join(SUPPORT, "netconf_client.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)

    def ask(self, session, do, **more):
        self.popen.stdin.write(json.dumps({"session": session, "do": do, **more}) + "\n")
        self.popen.stdin.flush()
        line = self.popen.stdout.readline()
        if not line:
            raise LabError(f"the NETCONF client ended; see {self.errors.name}")
        answer = json.loads(line)
        if "error" in answer:
            raise NetconfError(answer["error"])
        if "failed" in answer:
            raise LabError(f"{session}: {answer['failed']}")
        return answer["ok"]

    def open(self, session, user):
        return Operator(self, session, **self.ask(session, "open", host=self.address, user=user,
                                                  key=self.server.keys[user]))

    def close(self):
        self.popen.stdin.close()
        try:
            self.popen.wait(10)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(10)
        self.errors.close()


class Operator:
    """One session; methods that ncclient's manager has go there: op.get_config(source="running")."""

    def __init__(self, operators, session, id, capabilities):
        self._operators, self._session, self.id, self.capabilities = operators, session, int(id), capabilities

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda **args: self._operators.ask(self._session, "call", method=method, args=args)

    def rpc(self, xml):
        return self._operators.ask(self._session, "rpc", xml=xml)

    def notification(self, seconds=PATIENCE):
        return self._operators.ask(self._session, "notification", seconds=seconds)

    def close(self):
        self._operators.ask(self._session, "close")

    def drop(self):
        self._operators.ask(self._session, "drop")
