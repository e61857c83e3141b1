# SPDX-License-Identifier: Apache-2.0
"""A phone at home: a network of its own behind a router that masquerades, as nftables does it."""

import re

HOME, ROUTER = "192.168.77.10", "192.168.77.1"

# Two line ends in a datagram: what is sent to keep the router's mind fresh.
_RULES = f"""
table ip nat {{
    chain out {{
        type nat hook postrouting priority srcnat
        oifname "wan" masquerade
    }}
    chain in {{
        type filter hook forward priority filter
        iifname "wan" ip daddr {HOME} udp length 12 counter comment "keep-alive"
    }}
}}
"""


class Home:
    """
    The phone's host, 192.168.77.10 -- router 192.168.77.1 | `address` -- network; nobody outside has a way to it:

        home eth0 --- lan router wan === network
    """

    def __init__(self, lab, network, address):
        self.host, self.router = lab.host("home"), lab.host("router")
        lab.network("lan")
        lab.wire(self.host, "lan", "eth0", f"{HOME}/24")
        lab.wire(self.router, "lan", "lan", f"{ROUTER}/24")
        lab.wire(self.router, network, "wan", f"{address}/24")
        self.host.ip("route", "add", "default", "via", ROUTER)
        self.router.sysctl("net.ipv4.ip_forward", 1)
        path = lab.path("nat.nft")
        with open(path, "w") as f:
            f.write(_RULES)
        self.router.exec("nft", "-f", path)

    def keep_alives(self):
        """How many came through so far."""
        found = re.search(r"counter packets (\d+)", self.router.exec("nft", "list", "chain", "ip", "nat", "in"))
        return int(found.group(1))
