# SPDX-License-Identifier: Apache-2.0
"""Many calls: at once, and one after the other."""

import contextlib
import os
import time

from test_signalling import CALLEE, CALLER, KEY_CM, KEY_CM_2, carriers, uac, uas

from lab.baresip import port_is_open
from lab.gateway import CM_80, GCM_256
from lab.net import wait_for
from lab.party import assert_no_session_left
from lab.scenario import sdp
from lab.sipp import Sipp

CALLS = 500
LINGER = 32.5  # s: a 2xx's transaction is kept for 64 * T1 (RFC 6026 section 7)
SLACK = 1 << 20  # octets: 2 kB for each call, where a call has 16 kB and its transactions as much


def rss(process):
    with open(f"/proc/{process.pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def small_pages():
    """The control plane asks its allocator for pages of 2 MB, which would be the least that a leak could be seen by."""
    os.environ["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=0"
    try:
        yield
    finally:
        del os.environ["GLIBC_TUNABLES"]


def run_calls(lab, name, calls, rate, at_once, talk):
    """That many calls from carrier-a to carrier-b, each up for `talk` seconds; every message as written."""
    b = (uas("takes-calls").receive("INVITE").answer(180, "Ringing")
         .answer(200, "OK", sdp(CALLEE, crypto=[f"2 {CM_80} inline:{KEY_CM_2}"])).receive("ACK").receive("BYE")
         .answer_in_dialog(200, "OK"))
    a = (uac("places-calls").invite("+4940200", sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM}"]))
         .receive(100, optional=True).receive(180, optional=True).receive(200, store_routes=True).ack().pause(talk)
         .request("BYE").receive(200))
    callee = Sipp(lab.host("carrier-b"), f"{name}-callee", b.save(lab.path(f"{name}-b.xml")), None, "127.0.0.1", 5070,
                  transport="t1", calls=calls, timeout=90)
    wait_for("sipp listens", lambda: port_is_open(lab.host("carrier-b"), "127.0.0.1", 5070))
    caller = Sipp(lab.host("carrier-a"), f"{name}-caller", a.save(lab.path(f"{name}-a.xml")), "127.0.0.1:15061",
                  "127.0.0.1", 5080, transport="t1", calls=calls, rate=rate, timeout=90, extra=("-l", str(at_once)))
    return caller, callee


def test_twenty_calls_at_once():
    with carriers() as (lab, gateway):
        caller, callee = run_calls(lab, "twenty", 20, 20, 20, 10)
        calls = wait_for("twenty calls are up", lambda: [
            c for c in [gateway.ctl("show", "calls", "--state", "established")["calls"]] if len(c) == 20])[0]
        assert gateway.ctl("show", "stats")["data-plane"]["sessions"] == 20
        assert gateway.ctl("show", "stats")["data-plane"]["legs"] == 40
        ports = [leg["local-address"] for call in calls for leg in call["legs"]]
        assert len(set(ports)) == 40, "two legs share a port"
        trunks = {t["name"]: t for t in gateway.ctl("show", "trunks")["trunks"]}
        assert trunks["carrier-a"]["active-calls"] == trunks["carrier-b"]["active-calls"] == 20, trunks
        caller.finish()
        callee.finish()
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
        assert_no_session_left(gateway)
        stats = gateway.ctl("show", "stats")["calls"]
        assert stats["counters"]["calls"] == stats["counters"]["answered"] == 20, stats
        trunks = {t["name"]: t for t in gateway.ctl("show", "trunks")["trunks"]}
        assert all(t["active-calls"] == 0 for t in trunks.values()) and trunks["carrier-a"]["total-calls"] == 20, trunks


def test_five_hundred_calls_leave_no_memory_behind():
    """Five hundred calls warm up (history, trace, transactions, the allocator); as many more need nothing beyond that."""
    with small_pages(), carriers(observability={"trace-memory": 1}) as (lab, gateway):
        def calls(name):
            for sipp in run_calls(lab, name, CALLS, 80, 40, 0.02):
                sipp.finish()
            wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
            assert_no_session_left(gateway)

        calls("warm")
        planes = gateway.controlplane, gateway.dataplane
        before = [rss(p) for p in planes]
        time.sleep(LINGER)
        calls("many")
        grown = [rss(p) - b for p, b in zip(planes, before)]
        assert all(g <= SLACK for g in grown), f"control plane, data plane grew by {grown} octets over {CALLS} calls"
        assert gateway.ctl("show", "stats")["calls"]["counters"]["answered"] == 2 * CALLS
