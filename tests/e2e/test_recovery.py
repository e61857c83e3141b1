# SPDX-License-Identifier: Apache-2.0
"""The control plane is killed under calls: media does not notice, and the next one goes on with them."""

import base64
import contextlib
import os
import time

from test_calls import TONE_A, TONE_B, call

from lab.net import run, wait_for
from lab.party import (NUMBERS, agent, assert_no_session_left, assert_nothing_lost, both_hear, connect, established, finish,
                       parties, rings, talking)
from lab.gateway import CM_80, GCM_256, OUTSIDE, Neighbourhood, carrier, core


def counters(gateway):
    return gateway.ctl("show", "stats")["calls"]["counters"]


def sdes_to_plain_call():
    addresses = Neighbourhood.ADDRESSES
    return call([carrier("carrier-a", addresses["carrier-a"], (CM_80,)), core("core", addresses["phone"])],
                [(None, "+49", "core")], ("carrier-a", NUMBERS["carrier-a"], TONE_A), ("phone", NUMBERS["phone"], TONE_B),
                f"sip:+4930300@{OUTSIDE}:5061;transport=tls", capture=False)


def saved_now(gateway):
    """What is known of the calls is written: nothing was added for many times as long as that takes."""
    seen = []

    def stands():
        now = counters(gateway)["saved"]
        if not seen or seen[0][1] != now or not now:
            seen[:] = [(time.monotonic(), now)]
        return time.monotonic() - seen[0][0] >= 0.5

    wait_for("the calls are saved", stands)


def kill_control(gateway, meanwhile=lambda: None):
    """As a crash ends it; then the next one starts."""
    saved_now(gateway)
    gateway.kill(gateway.controlplane)
    meanwhile()
    gateway.start_controlplane()


def no_call_left(gateway):
    wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
    assert_no_session_left(gateway)


def reinvite(by, other):
    """A re-INVITE through the gateway: new keys on both legs, and both are heard with them."""
    used = by.keys_seen | other.keys_seen
    by.reinvite(by.describe())
    offer = other.take(20)
    answer = by.answered(20)
    assert not used & {line[2] for line in offer.crypto() + answer.crypto()}, "a key was used again"
    both_hear(by, other)


def test_a_call_outlives_the_control_plane():
    with talking() as (_, gateway, a, b):
        before = established(gateway)
        kill_control(gateway, lambda: both_hear(a, b, 75))
        assert established(gateway) == before, gateway.ctl("show", "calls")
        assert counters(gateway)["recovered"] == 1
        for one in (a, b):
            one.asked()
        assert_nothing_lost(a, b)
        for one in (a, b):
            one.talker.tell("send", "on")
        for one, other in ((a, b), (b, a)):
            one.reconnect()
            reinvite(one, other)
        kill_control(gateway)  # once more, with what has changed since
        for one in (a, b):
            one.asked()
        b.reconnect()
        reinvite(b, a)
        both_hear(a, b)
        b.bye()
        a.released(20)
        no_call_left(gateway)
        assert gateway.ctl("show", "stats")["data-plane"]["verdicts"]["clear_refused"] == 0


def test_a_plain_leg_over_udp_outlives_it_too():
    with talking(b="phone") as (_, gateway, a, b):
        kill_control(gateway)
        for one in (a, b):
            one.asked()
        reinvite(b, a)
        b.bye()
        a.released(20)
        no_call_left(gateway)


def refused(a):
    """Over the connection that the gateway makes for it, where the old one is gone (RFC 3261 section 18.2.2)."""
    answer = a.expect(500)
    assert int(answer.get("Retry-After")) > 0 and "restarted" in answer.get("Warning"), answer.text
    a.wire = answer.wire
    a.acknowledge(answer)


def cancelled(b, offer):
    cancel = b.expect("CANCEL")
    offer.wire = cancel.wire
    assert (cancel.get("Via"), cancel.get("Call-ID"), cancel.get("From"), cancel.get("To")) == tuple(
        offer.get(name) for name in ("Via", "Call-ID", "From", "To")), cancel.text
    assert "500" in cancel.get("Reason"), cancel.text
    b.respond(cancel, 200, "OK")
    return cancel


def rang_during_the_crash(a, b):
    with parties(a=a, b=b) as (_, gateway, a, b):
        offer = rings(a, b)
        kill_control(gateway)
        refused(a)
        cancelled(b, offer)
        b.respond(offer, 487, "Request Terminated")
        b.expect("ACK")
        no_call_left(gateway)
        ended = gateway.ctl("show", "calls")["calls"][-1]
        assert "being set up" in ended["end-reason"], ended


def test_a_call_that_rang_during_the_crash_is_over_on_both_sides():
    rang_during_the_crash("phone", "carrier-b")


def test_a_carrier_hears_so_too_by_a_new_connection():
    rang_during_the_crash("carrier-a", "phone")


def test_a_phone_that_rang_during_the_crash_and_answers_is_let_go():
    """Its 200 crosses the CANCEL: it would be up with nobody."""
    with parties(b="phone") as (_, gateway, a, b):
        offer = rings(a, b)
        kill_control(gateway)
        cancelled(b, offer)
        b.respond(offer, 200, "OK", b.answer_body(offer))
        b.expect("ACK")
        bye = b.released()
        assert "restart" in (bye.get("Reason") or ""), bye.text
        refused(a)
        no_call_left(gateway)


def test_a_call_whose_peer_hung_up_meanwhile_is_cleared():
    with talking() as (_, gateway, a, b):
        kill_control(gateway, a.hang_up_wires)
        a.asked(481)  # he is on the hook
        bye = b.released(20)
        assert "lost the call" in (bye.get("Reason") or ""), bye.text
        no_call_left(gateway)
        assert counters(gateway)["ended_meanwhile"] == 1
        ended = gateway.ctl("show", "calls")["calls"][-1]
        assert "did not know the call any more" in ended["end-reason"], ended


def test_phones_hear_nothing_of_it():
    """Two baresips; the one that hangs up has to connect anew for it, and the recordings have no hole."""
    with sdes_to_plain_call() as (_, gateway, a, b, ident, _):
        saved_now(gateway)
        time.sleep(3)
        gateway.kill(gateway.controlplane)
        time.sleep(3)
        gateway.start_controlplane()
        assert established(gateway) == ident
        time.sleep(3)  # the peers are asked whether they have it still
        assert established(gateway) == ident, gateway.ctl("show", "calls")
        a.hangup()
        no_call_left(gateway)
        for listener, speaker in ((a, b), (b, a)):
            wait_for("the recording is closed", lambda p=listener: p.recordings())
        time.sleep(1)
        for listener, speaker in ((a, b), (b, a)):
            heard, length = listener.heard(speaker.tone_hz)
            assert length >= 8 and heard >= length - 1, f"{listener.name}: {heard:.1f} s of {length:.1f} s"


def test_both_planes_are_killed():
    with talking() as (_, gateway, a, b):
        saved_now(gateway)
        gateway.kill(gateway.controlplane)
        gateway.kill(gateway.dataplane)
        used = a.keys_seen | b.keys_seen
        gateway.start_dataplane()
        gateway.start_controlplane()
        for one in (a, b):
            offer = one.take(30)
            assert not used & {line[2] for line in offer.crypto()}, "a key was offered again"
        both_hear(a, b)
        a.reconnect()
        finish(gateway, a, b)


def test_media_of_a_call_that_was_not_saved_ends_after_a_while():
    """One that is still ringing is not taken over: its early media goes on for the grace period."""
    with parties(recovery={"orphan-grace": 3}) as (_, gateway, a, b):
        a.invite(NUMBERS["carrier-b"])
        offer = b.expect("INVITE")
        b.respond(offer, 183, "Session Progress", b.answer_body(offer))
        a.learn(a.expect(183))
        sessions = lambda: gateway.ctl("show", "stats")["data-plane"].get("sessions")
        assert sessions() == 1
        gateway.kill(gateway.controlplane)
        gateway.start_controlplane()
        wait_for("it is said", lambda: "sessions without a call" in gateway.controlplane.output())
        assert_no_session_left(gateway)
        assert "sessions without a call are removed" in gateway.controlplane.output()
        assert counters(gateway)["recovered"] == 0


def test_a_new_call_gets_other_ports_than_one_that_went():
    """The data plane has that one's session still, and its peers go on sending."""
    with parties(recovery={"orphan-grace": 3600}) as (_, gateway, a, b):
        sessions = lambda: gateway.ctl("show", "stats")["data-plane"].get("sessions")
        a.invite(NUMBERS["carrier-b"])
        offer = b.expect("INVITE")
        b.respond(offer, 183, "Session Progress", b.answer_body(offer))
        early = a.expect(183)
        a.speak_as_answered(early)
        a.talker.tell("send", "on")
        kill_control(gateway)
        refused(a)
        cancelled(b, offer)
        a.hang_up_wires()
        a.invite(NUMBERS["carrier-b"])
        again = b.take()
        answer = a.answered()
        for before, now in ((offer, again), (early, answer)):
            assert before.media()[1] != now.media()[1], "another's port, which is in use"
        b.talker.tell("send", "on")
        both_hear(a, b)
        assert sessions() == 2
        a.bye()
        b.released()
        wait_for("its session is deleted", lambda: sessions() == 1)
        gateway.stop()


@contextlib.contextmanager
def file_system(path, size):
    os.makedirs(path, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path)
    try:
        yield
    finally:
        run("umount", "-l", path)


def test_a_full_file_system_is_said_and_overcome():
    with Neighbourhood() as lab, file_system(lab.path("calls"), "12k"):
        with open(os.path.join(lab.path("calls"), "ballast"), "wb") as f:
            f.write(bytes(4096))  # what is left is the lock's text, the first segment's head, and nothing for a call
        gateway = lab.gateway([carrier("carrier-a", lab.ADDRESSES["carrier-a"], (CM_80,)),
                               core("phone", lab.ADDRESSES["phone"])],
                              [("carrier-a", "+49", "phone"), ("phone", "+49", "carrier-a")])
        with open(os.path.join(lab.path("calls"), "more"), "wb") as f, contextlib.suppress(OSError):
            f.write(bytes(65536))
        for name in os.listdir(lab.path("calls")):
            if name.startswith("calls."):
                os.truncate(os.path.join(lab.path("calls"), name), 4096)  # its page is full, too
        a, b = agent(lab, "carrier-a"), agent(lab, "phone")
        connect(a, b)
        wait_for("it is said", lambda: "calls cannot be saved" in gateway.controlplane.output())
        both_hear(a, b)
        os.unlink(os.path.join(lab.path("calls"), "ballast"))
        run("mount", "-o", "remount,size=1m", lab.path("calls"))
        wait_for("it is over", lambda: "calls are saved again" in gateway.controlplane.output())
        kill_control(gateway)
        assert established(gateway)
        a.reconnect()
        finish(gateway, a, b)
        gateway.stop()


def test_a_killed_call_leaves_no_key_behind():
    """What is kept of a call has no key in it, in whatever spelling."""
    with talking(b_suites=(GCM_256,)) as (lab, gateway, a, b):
        saved_now(gateway)
        kept = b""
        for name in os.listdir(lab.path("calls")):
            path = os.path.join(lab.path("calls"), name)
            assert os.stat(path).st_mode & 0o077 == 0, name
            with open(path, "rb") as f:
                kept += f.read()
        assert NUMBERS["carrier-a"].encode() in kept and b"inline:" not in kept
        for key in a.keys_seen | b.keys_seen:
            octets = base64.b64decode(key)
            for piece in [octets[i:i + 6] for i in range(len(octets) - 5)]:
                assert piece not in kept and piece.hex().encode() not in kept.lower(), "a piece of a key"
            assert not [i for i in range(len(key) - 12) if key[i:i + 12].encode() in kept], "a piece of a key"
        finish(gateway, a, b)
