# SPDX-License-Identifier: Apache-2.0
"""kamailio as a proxy or registrar: its routing script is the test's own, the rest is here."""

from .net import LabError, wait_for

MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"

HEAD = """#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
auto_aliases=no
dns=no
rev_dns=no
{settings}
{listen}
mpath="{mpath}"
{load}
modparam("rr", "enable_full_lr", 1)
{params}
"""

BASE = ("tm", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "kex", "corex", "xlog")

# Whatever belongs to a dialog or a transaction that was let through once.
FOLLOWS = """
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (has_totag() && is_method("ACK")) { if (loose_route() || t_check_trans()) t_relay(); exit; }
"""


class Kamailio:
    """One kamailio. listen: its addresses, such as "udp:10.20.0.10:5060"; route: the body of request_route;
    settings: lines for the head of the file."""

    def __init__(self, host, name, listen, route, modules=(), params=(), more="", settings=(), memory_mb=32):
        self.host = host
        self.sockets = "-lunp" if any(a.startswith("udp:") for a in listen) else "-ltnp"
        path, run_dir = host.lab.path(f"{name}.cfg"), host.lab.path(f"{name}-run")
        with open(path, "w") as f:
            f.write(HEAD.format(settings="\n".join(settings), listen="\n".join(f"listen={a}" for a in listen), mpath=MODULES,
                                load="\n".join(f'loadmodule "{m}.so"' for m in (*BASE, *modules)),
                                params="\n".join(f'modparam("{m}", "{p}", {self._value(v)})' for m, p, v in params)))
            f.write(f"request_route {{\n{FOLLOWS}\n{route}\n}}\n{more}\n")
        self.process = host.start(name, "kamailio", "-DD", "-E", "-f", path, "-Y", run_dir, "-m", str(memory_mb), "-M", "8")
        wait_for(f"{name} is up", self._ready)

    @staticmethod
    def _value(value):
        return value if isinstance(value, int) else f'"{value}"'

    def _ready(self):
        if not self.process.running():
            raise LabError(f"kamailio ended at once: {self.process.output()[-1500:]}")
        return "kamailio" in self.host.exec("ss", self.sockets)

    def log(self):
        return self.process.output()

    def stop(self):
        self.process.stop()
