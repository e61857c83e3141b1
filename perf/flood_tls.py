# SPDX-License-Identifier: Apache-2.0
"""
10,000 TLS connections that never become any, and calls beside them: by the connection that is up, and by new ones. They come
from strangers' addresses (of which the gateway keeps 2,000), from one address (200), and from a trunk's own (all).
"""

import json
import os
import subprocess
import time

from lab.gateway import OUTSIDE, Neighbourhood
from lab.net import wait_for
from sip_bed import ADDRESSES, CALLED, Load, configuration, resident

ATTACKER, CROWD = "192.0.2.30", "198.19.0.0/16"
WAYS = {"strangers": ("198.18.0.0/16", {}), "one_address": (ATTACKER, {}), "trunks_addresses": (CROWD, {"max-connections": 20000})}
CONNECTIONS, AGAIN_PER_S = 10000, 5000
CALLS_PER_S, CALM_S, SECONDS, DIALS = 100, 2, 6, 20
CALL_MS, FAILED = ("most", 100), ("most", 0)
TRIMMED_S = 4  # the gateway gives memory back 2 s after it needs it no more


class HalfOpen:
    """half_open in a host."""

    def __init__(self, host, build, source):
        self.popen = subprocess.Popen(
            ["ip", "netns", "exec", host.netns, os.path.join(build, "perf", "half_open"), "--to", f"{OUTSIDE}:5061", "--from", source,
             "--connections", str(CONNECTIONS), "--rate", str(AGAIN_PER_S)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        host.lab.processes.append(self)

    def ask(self):
        self.popen.stdin.write("\n")
        self.popen.stdin.flush()
        line = self.popen.stdout.readline()
        if not line:
            raise SystemExit("floods: half_open ended; what it said is above")
        return json.loads(line)

    def stop(self):
        if self.popen.poll() is None:
            self.popen.stdin.close()
            self.popen.wait(30)
        self.popen.stdout.close()


def place(lab, way):
    """(a gateway with the trunks of calls and one for a crowd, the attacker's host, whence he comes)"""
    source, limits = WAYS[way]
    host = lab.host("carrier-c")
    if "/" in source:
        host.ip("route", "add", "local", source, "dev", "lo")
        lab.gateway_host.ip("route", "add", source, "via", ATTACKER)
    for address in ADDRESSES[1:]:
        lab.gateway_host.ip("addr", "add", f"{address}/24", "dev", "ext0")
    trunks, routes, more = configuration(lab)
    crowd = {**trunks[0], "name": "crowd", "peer": [{"name": "crowd", "host": ATTACKER}],
             "identify": {"source-address": [CROWD]}}
    more["limits"] |= limits
    return lab.gateway([*trunks, crowd], routes, **more), host, source


def open_sockets(gateway):
    return len(os.listdir(f"/proc/{gateway.controlplane.pid}/fd"))


def refused(gateway):
    shown = gateway.ctl("show", "stats")["sip"]
    return sum(shown[f"conn_refused_{why}"] for why in ("limit", "source", "half_open"))


def calls(load, seconds):
    """Paced by the connection that is up, then by new ones one after the other."""
    return load.tell("pace", seconds, CALLS_PER_S), load.tell("dial", DIALS)


def note(m, way, paced, dialled):
    ms = lambda found, *which: [found[f"{w}_us"] / 1000 for w in which]
    m.put(f"{way}.call_ms", *ms(paced, "min", "p50", "max"), "ms", CALL_MS)
    m.add(f"{way}.call_p99_ms", ms(paced, "p99"), "ms", CALL_MS)
    m.put(f"{way}.new_connection_ms", *ms(dialled, "min", "p50", "max"), "ms", CALL_MS)
    m.add(f"{way}.calls_failed", [paced["failed"] + dialled["failed"]], "calls", FAILED)


def measure_way(build, way, m):
    with Neighbourhood() as lab:
        host = lab.host("carrier-a")
        host.ip("addr", "add", f"{CALLED}/24", "dev", "eth0")
        gateway, attacker, source = place(lab, way)
        load = Load(host, build, lab.ca.issue("load", "192.0.2.10", CALLED), lab.ca.cert, f"{OUTSIDE}:5061")
        calm = calls(load, CALM_S)
        if way == "strangers":
            note(m, "calm", *calm)
        sockets, before, was = open_sockets(gateway), resident(gateway.controlplane), refused(gateway)
        attack = HalfOpen(attacker, build, source)
        note(m, way, *calls(load, SECONDS))
        m.add(f"{way}.held", [attack.ask()["held"]], "connections")
        m.add(f"{way}.refused", [refused(gateway) - was], "connections")
        m.add(f"{way}.grown", [(resident(gateway.controlplane) - before) / 1e6], "MB")
        attack.stop()
        wait_for("the half-open connections are gone", lambda: open_sockets(gateway) < sockets + 50, 60)
        time.sleep(TRIMMED_S)
        m.add(f"{way}.kept", [(resident(gateway.controlplane) - before) / 1e6], "MB")
        load.stop()
        gateway.stop()


def measure(build, m):
    for way in WAYS:
        measure_way(build, way, m)
    for what in ("call_ms", "call_p99_ms"):
        worst = max((m.figures[f"{m.prefix}.{way}.{what}"] for way in WAYS), key=lambda f: f["median"])
        m.put(what, worst["min"], worst["median"], worst["max"], "ms", CALL_MS)
