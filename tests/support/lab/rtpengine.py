# SPDX-License-Identifier: Apache-2.0
"""A carrier's session border controller of Kamailio and rtpengine, with the configurations of examples/interop."""

import os
import re
import shutil

from .net import LabError, Skip, wait_for
from .proxy import EXAMPLES, Proxy


class Rtpengine:
    """The daemon, in userspace, between its host's two addresses."""

    def __init__(self, host, inside_ip, own_ip):
        if not shutil.which("rtpengine"):
            raise Skip("rtpengine is not installed: scripts/deps installs it")
        self.host = host
        with open(os.path.join(EXAMPLES, "rtpengine.conf")) as f:
            text, n = re.subn(r"^interface = .*$", f"interface = in/{inside_ip};out/{own_ip}", f.read(), flags=re.M)
        assert n == 1, f"interface is {n} times in the example"
        path = host.lab.path("rtpengine.conf")
        with open(path, "w") as f:
            f.write(text)
        self.process = host.start("rtpengine", "rtpengine", f"--config-file={path}", "--foreground", "--log-stderr")
        wait_for("rtpengine listens", self._up)

    def _up(self):
        if not self.process.running():
            raise LabError(f"rtpengine ended: {self.process.output()[-900:]}")
        return "127.0.0.1:2223" in self.host.exec("ss", "-lunH")


class BorderController:
    """
    Both, between the gateway and a switch behind them. offer, answer: what rtpengine is told about media towards the
    gateway, instead of the example's words.
    """

    def __init__(self, host, own_ip, inside_ip, gateway_ip, switch_ip, identity, ca, offer=None, answer=None):
        self.rtpengine = Rtpengine(host, inside_ip, own_ip)
        words = {name: value for name, value in (("SECURE_OFFER", offer), ("SECURE_ANSWER", answer)) if value}
        self.kamailio = Proxy(host, "kamailio-rtpengine", own_ip, gateway_ip, switch_ip, identity, ca, tls="kamailio-trunk",
                              INSIDE_IP=inside_ip, **words)
