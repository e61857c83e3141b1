# SPDX-License-Identifier: Apache-2.0
"""Planes that die, end or come back while a call is up."""

import os
import time

from lab.gateway import INSIDE, OUTSIDE, Neighbourhood, carrier, core
from lab.net import wait_for
from lab.party import (NUMBERS, assert_no_session_left, both_hear, connect, established, finish, parties, quiet_now,
                       talking)


def sessions(gateway):
    return gateway.ctl("show", "stats")["data-plane"].get("sessions")


def call_again(a, b):
    """A new call between two whose last one is over, with other sources and ports than it had."""
    quiet_now(a, b)
    for one, port in ((a, 34000), (b, 35000)):
        one.talker.bind(port)
        one.talker.tell("source")
    connect(a, b)


def test_media_goes_on_without_the_control_plane():
    with talking(b="phone") as (_, gateway, a, b):
        gateway.kill(gateway.controlplane)
        both_hear(a, b, 75)
        assert all(x.talker.of(y.talker)["lost"] == 0 for x, y in ((a, b), (b, a)))
        gateway.start_controlplane()
        assert_no_session_left(gateway)  # nobody holds the call any more
        a.hang_up_wires()
        call_again(a, b)
        assert sessions(gateway) == 1
        finish(gateway, a, b)


def test_calls_end_with_a_reason_when_the_data_plane_was_lost():
    with talking() as (lab, gateway, a, b):
        gateway.kill(gateway.dataplane)
        wait_for("it is noticed", lambda: not gateway.ctl("show", "stats")["data-plane"]["connected"], 5)
        gateway.start_dataplane()
        for one in (a, b):
            bye = one.released(15)
            assert "data plane" in (bye.get("Reason") or ""), bye.text
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0, 10)
        ended = gateway.ctl("show", "calls")["calls"][-1]
        assert "data plane" in ended["end-reason"], ended
        call_again(a, b)
        finish(gateway, a, b)


def test_calls_are_refused_while_there_is_no_data_plane():
    with parties(b="phone") as (_, gateway, a, b):
        gateway.kill(gateway.dataplane)
        wait_for("it is noticed", lambda: not gateway.ctl("show", "stats")["data-plane"]["connected"], 5)
        a.invite(NUMBERS["phone"])
        refusal = a.expect(503)
        a.acknowledge(refusal)
        assert "data plane" in refusal.get("Warning"), refusal.text
        gateway.start_dataplane()
        wait_for("it is back", lambda: gateway.ctl("show", "stats")["data-plane"]["connected"], 10)
        connect(a, b)
        finish(gateway, a, b)


def test_sigterm_ends_the_calls_with_a_reason():
    with talking() as (_, gateway, a, b):
        gateway.controlplane.popen.terminate()
        for one in (a, b):
            bye = one.released()
            assert "shutting down" in (bye.get("Reason") or ""), bye.text
        assert gateway.controlplane.popen.wait(5) == 0
        gateway.start_controlplane()
        assert sessions(gateway) == 0


def test_sigterm_ends_a_call_that_rings():
    with parties() as (_, gateway, a, b):
        a.invite(NUMBERS["carrier-b"])
        offer = b.expect("INVITE")
        b.respond(offer, 180, "Ringing")
        a.expect(180)
        gateway.controlplane.popen.terminate()
        assert "shutting down" in a.expect(503).get("Warning")
        b.respond(b.expect("CANCEL"), 200, "OK")
        assert gateway.controlplane.popen.wait(5) == 0


def test_without_hugepages():
    with talking(b="phone", options=("--no-huge",)) as (_, gateway, a, b):
        assert "hugepages=false" in gateway.dataplane.output(), gateway.dataplane.output()
        finish(gateway, a, b)
