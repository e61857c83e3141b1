# SPDX-License-Identifier: Apache-2.0
"""Linphone's console, linphonec, with the configuration of examples/interop: plays a tone, records what it hears."""

import os
import re
import shutil
import subprocess

from .audio import tone_seconds, write_tone
from .net import LabError, Skip, wait_for
from .proxy import EXAMPLES


class Linphone:
    """
    A registered account that takes calls by itself. at: the address of the gateway, whose name in the example is made
    known to it; settings: other values than the example's, {"media_encryption": "dtls"}.
    """

    def __init__(self, host, at, hz, identity, ca, password, settings=(), seconds=60):
        if not shutil.which("linphonec"):
            raise Skip("linphonec is not installed: scripts/deps installs it")
        self.host, self.name, self.tone_hz = host, "linphone", hz
        self.dir = host.lab.path("linphone")
        os.makedirs(os.path.join(self.dir, ".local", "share", "linphone"))
        tone, self.recording = (os.path.join(self.dir, name) for name in ("tone.wav", "heard.wav"))
        write_tone(tone, hz, seconds)
        config, hosts = (os.path.join(self.dir, name) for name in ("linphonerc", "hosts"))
        with open(os.path.join(EXAMPLES, "linphone.linphonerc")) as f:
            text = f.read()
        for key, value in {"root_ca": ca, "client_cert_chain": identity[0], "client_cert_key": identity[1],
                           "passwd": password, **dict(settings)}.items():
            text, n = re.subn(rf"^{key}=.*$", f"{key}={value}", text, flags=re.M)
            assert n == 1, f"{key} is {n} times in the example"
        with open(config, "w") as f:
            f.write(text)
        with open(hosts, "w") as f:
            f.write(f"{at} {re.search('reg_proxy=<sip:([^:]+):', text)[1]}\n")
        host.ip("route", "replace", "default", "via", at)  # without a way out it thinks that the network is down
        self.out = open(host.lab.path("linphone.out"), "wb")
        folder = {name: self.dir for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")}
        # The namespace of mounts is this command's own.
        self.popen = subprocess.Popen(
            ["ip", "netns", "exec", host.netns, "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh",
             "linphonec", "-c", config, "-d", "6", "-l", host.lab.path("linphone.log"), "-a"],
            stdin=subprocess.PIPE, stdout=self.out, stderr=subprocess.STDOUT, env={**os.environ, **folder}, text=True,
            cwd=self.dir, start_new_session=True)
        host.lab.processes.append(self)
        self.command("soundcard use files", f"play {tone}", f"record {self.recording}")

    def command(self, *lines):
        if self.popen.poll() is not None:
            raise LabError(f"linphonec ended: {self.output()[-1500:]}")
        self.popen.stdin.write("".join(f"{line}\n" for line in lines))
        self.popen.stdin.flush()

    def output(self):
        with open(self.out.name, errors="replace") as f:
            return f.read()

    def wait_says(self, text, times=1):
        """Until its console has said so as often."""
        wait_for(f"linphonec says '{text}' {times} times", lambda: self.output().count(text) >= times)

    def dial(self, number):
        self.command(f"call {number}")

    def hangup(self):
        self.command("terminate")

    def heard(self, hz):
        """(seconds of the tone, seconds recorded) of all calls so far, but for what is not written yet."""
        return tone_seconds(self.recording, hz)

    def stop(self):
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self.popen.stdin.close()
        self.out.close()
