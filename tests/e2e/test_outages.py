# SPDX-License-Identifier: Apache-2.0
"""Planes that die, end or come back while a call is up."""

import json
import os
import signal
import time

from lab.gateway import CM_80, INSIDE, OUTSIDE, Neighbourhood, carrier, core
from lab.net import run, wait_for
from lab.party import (NUMBERS, agent, both_hear, connect, established, finish, parties,
                       quiet_now, talking)

from test_recovery import saved_now


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
        saved_now(gateway)
        gateway.kill(gateway.controlplane)
        both_hear(a, b, 75)
        assert all(x.talker.of(y.talker)["lost"] == 0 for x, y in ((a, b), (b, a)))
        gateway.start_controlplane()
        both_hear(a, b, 75)
        assert all(x.talker.of(y.talker)["lost"] == 0 for x, y in ((a, b), (b, a)))
        assert sessions(gateway) == 1
        a.reconnect()
        finish(gateway, a, b)
        call_again(a, b)
        finish(gateway, a, b)


def lose_the_dataplane(gateway):
    gateway.kill(gateway.dataplane)
    wait_for("it is noticed", lambda: not gateway.ctl("show", "stats")["data-plane"]["connected"])


def take_new_keys(agent):
    """The re-INVITE that a secure leg gets; its keys are none that were ever used."""
    used = set(agent.keys_seen)
    offer = agent.take(30)
    assert not used & {line[2] for line in offer.crypto()}, "a key was offered again"


def opened(listener, speaker):
    """Packets and reports that a key opened."""
    stats = listener.talker.stats()
    return stats["heard"][speaker.talker.name]["packets"] + stats["rtcp"]


def heard_with_new_keys_only(listener, speaker, before):
    """Nothing has come since in a key that sent before: no (key, index) was used twice."""
    stats = listener.talker.stats()
    since = stats["heard"][speaker.talker.name]["packets"] + stats["rtcp"] - before
    assert since == stats["newest_key"], (listener.name, before, stats)
    assert not stats["refused"] and not stats["clear"] and not stats["corrupt"], (listener.name, stats)


def test_calls_go_on_with_new_keys_when_the_data_plane_was_lost():
    with talking() as (_, gateway, a, b):
        for _ in range(2):
            lose_the_dataplane(gateway)
            before = {x: opened(x, y) for x, y in ((a, b), (b, a))}
            gateway.start_dataplane()
            for one in (a, b):
                take_new_keys(one)
            both_hear(a, b)
            heard_with_new_keys_only(a, b, before[a])
            heard_with_new_keys_only(b, a, before[b])
        assert established(gateway) and sessions(gateway) == 1
        finish(gateway, a, b)


def test_a_plain_leg_goes_on_without_being_asked():
    with talking(b="phone") as (_, gateway, a, b):
        lose_the_dataplane(gateway)
        gateway.start_dataplane()
        take_new_keys(a)
        both_hear(a, b)
        assert b.quiet()
        finish(gateway, a, b)


def test_a_peer_that_refuses_new_keys_ends_the_call_with_a_reason():
    with talking(b="phone") as (lab, gateway, a, b):
        lose_the_dataplane(gateway)
        gateway.start_dataplane()
        a.respond(a.expect("INVITE"), 488, "Not Here")
        a.expect("ACK")
        for one in (a, b):
            bye = one.released()
            assert "new keys" in (bye.get("Reason") or ""), bye.text
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
        ended = gateway.ctl("show", "calls")["calls"][-1]
        assert "refused an offer of new keys: 488 Not Here" in ended["end-reason"], ended
        call_again(a, b)
        finish(gateway, a, b)


def kept(run_folder):
    """Is the call written to where the next control plane looks for it?"""
    folder = os.path.join(run_folder, "calls")
    texts = [open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)]
    return any(NUMBERS["carrier-a"].encode() in text for text in texts)


def test_the_gateway_script_starts_killed_planes_again():
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with Neighbourhood() as lab:
        path = lab.path("own.json")
        with open(path, "w") as f:
            json.dump(lab.configuration([carrier("carrier-a", lab.ADDRESSES["carrier-a"], (CM_80,)),
                                         core("phone", lab.ADDRESSES["phone"])], [(None, "+49", "phone")]), f)
        script = lab.gateway_host.start("gateway-script", os.path.join(top, "scripts", "gateway"), "--config", path,
                                        "--interface", "ext0", "--interface", "core0", "--run", lab.path("run"))
        wait_for("the gateway is ready", lambda: "data plane is ready" in script.output())
        a, b = agent(lab, "carrier-a"), agent(lab, "phone")
        connect(a, b)
        def kill(plane):
            os.kill(int(run("pgrep", "-P", str(script.pid), "-f", f"srtpgw-{plane}").split()[0]), signal.SIGKILL)

        kill("dataplane")
        take_new_keys(a)
        both_hear(a, b)
        assert "the data plane ended by signal 9 and is started again" in script.output()
        assert "all sessions are set up again sessions=1 ms_since_it_was_lost=" in script.output(), script.output()
        wait_for("the call is saved", lambda: kept(lab.path("run")))
        kill("controlplane")
        wait_for("calls are taken over", lambda: "calls=1" in script.output())
        both_hear(a, b)
        assert "the control plane ended by signal 9 and is started again" in script.output()
        wait_for("the gateway is ready", lambda: script.output().count("data plane is ready") >= 3)
        a.reconnect()
        a.bye()
        b.released(20)
        assert script.stop() == 0, script.output()


def test_calls_are_refused_while_there_is_no_data_plane():
    with parties(b="phone") as (_, gateway, a, b):
        gateway.kill(gateway.dataplane)
        wait_for("it is noticed", lambda: not gateway.ctl("show", "stats")["data-plane"]["connected"])
        a.invite(NUMBERS["phone"])
        refusal = a.expect(503)
        a.acknowledge(refusal)
        assert "data plane" in refusal.get("Warning"), refusal.text
        gateway.start_dataplane()
        wait_for("it is back", lambda: gateway.ctl("show", "stats")["data-plane"]["connected"])
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
