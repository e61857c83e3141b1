# SPDX-License-Identifier: Apache-2.0
"""Kamailio as a proxy, with the configurations of examples/interop, as a carrier's proxy or as that of the core."""

import os
import re
import shutil

from .baresip import port_is_open
from .net import LabError, wait_for

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "interop")


class Proxy:
    """
    example: "kamailio-trunk" (TLS, with identity and ca) or "kamailio-core" (UDP); tls: whose certificates' file it has,
    if not one of its own name; places: what else it has instead of the example's values.
    """

    def __init__(self, host, example, own_ip, gateway_ip, switch_ip, identity=None, ca=None, tls=None, **places):
        self.host, self.own_ip, self.port = host, own_ip, 5061 if identity else 5060
        folder = host.lab.path(example)
        os.makedirs(folder)
        if identity:
            files = {"own.key": identity[1], "own.pem": identity[0], "ca.pem": ca}
            places["TLS_CFG"] = self._with(f"{tls or example}.tls.cfg", folder, lambda text: re.sub(
                r"/etc/kamailio/(\S+)", lambda m: shutil.copy(files[m[1]], os.path.join(folder, m[1])), text))
        places |= {"OWN_IP": own_ip, "GATEWAY_IP": gateway_ip, "SWITCH_IP": switch_ip}
        config = self._with(f"{example}.cfg", folder, lambda text: re.sub(
            r'^#!substdef "!(\w+)!(.*)!g"$', lambda m: f'#!substdef "!{m[1]}!{places.get(m[1], m[2])}!g"', text, flags=re.M))
        self.process = host.start(example, "kamailio", "-DD", "-E", "-m", "32", "-M", "4", "-f", config, "-Y", folder,
                                  "-w", folder, "-P", os.path.join(folder, "pid"))
        wait_for(f"{example} listens", self._up)

    @staticmethod
    def _with(name, folder, change):
        with open(os.path.join(EXAMPLES, name)) as f:
            text = f.read()
        with open(os.path.join(folder, name), "w") as f:
            f.write(change(text))
        return f.name

    def _up(self):
        if not self.process.running():
            raise LabError(f"kamailio ended: {self.process.output()[-900:]}")
        return port_is_open(self.host, self.own_ip, self.port)

    def requests(self, method):
        """How many of them it has seen, retransmissions included."""
        return self.process.output().count(f"request: {method} ")
