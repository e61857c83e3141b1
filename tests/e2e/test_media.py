# SPDX-License-Identifier: Apache-2.0
"""Media through changes of a call, counted packet by packet: hold, moves, new keys, early media, MKI, RTCP."""

import time

from lab.capture import Capture
from lab.gateway import CM_80, GCM_128, GCM_256, INSIDE, MEDIA, OUTSIDE
from lab.net import wait_for
from lab.party import (NUMBERS, assert_no_session_left, assert_nothing_lost, both_hear, connect, established, finish,
                       parties, quiet_now, talking)


def assert_silence(listener, speaker, seconds=0.4):
    """The speaker goes on talking and the listener hears none of it."""
    time.sleep(0.1)  # what was on its way
    before, sent = listener.talker.of(speaker.talker)["packets"], speaker.talker.stats()["sent"]
    wait_for(f"{speaker.name} goes on talking", lambda: speaker.talker.stats()["sent"] >= sent + 50 * seconds)
    after = listener.talker.of(speaker.talker)["packets"]
    assert after == before, f"{listener.name} heard {after - before} packets of {speaker.name} while on hold"


def reinvite(by, other, ours, theirs="sendrecv"):
    """A re-INVITE with fresh keys and a direction, and the other side's answer."""
    by.reinvite(by.describe(direction=ours))
    offer = other.take(direction=theirs)
    answer = by.answered()
    return offer, answer


def hold_and_resume(by, other):
    offer, answer = reinvite(by, other, "inactive", "inactive")
    assert offer.lines("a=inactive") and answer.lines("a=inactive"), (offer.body, answer.body)
    assert_silence(other, by)
    assert_silence(by, other)
    offer, answer = reinvite(by, other, "sendrecv")
    assert not offer.lines("a=inactive") and not answer.lines("a=inactive"), (offer.body, answer.body)
    both_hear(by, other)


def test_hold_and_resume_by_the_calling_side():
    with talking(b="phone") as (_, gateway, a, b):
        hold_and_resume(a, b)
        finish(gateway, a, b)


def test_hold_and_resume_by_the_called_side():
    with talking() as (_, gateway, a, b):
        hold_and_resume(b, a)
        finish(gateway, a, b)


def test_sendonly_lets_one_direction_through():
    with talking(b="phone") as (_, gateway, a, b):
        offer, answer = reinvite(a, b, "sendonly", "recvonly")
        assert offer.lines("a=sendonly") and answer.lines("a=recvonly"), (offer.body, answer.body)
        b.talker.hears(a.talker)
        assert_silence(a, b)
        reinvite(a, b, "sendrecv")
        both_hear(a, b)
        finish(gateway, a, b)


def test_media_moves_to_another_port_by_reinvite():
    with talking(b="phone") as (_, gateway, a, b):
        for by, other, port in ((a, b, 31000), (b, a, 32000)):
            by.talker.bind(port)
            reinvite(by, other, "sendrecv")
            both_hear(a, b)
        legs = gateway.ctl("show", "call", established(gateway))["legs"]
        assert [leg["remote-address"] for leg in legs] == ["192.0.2.10:31000", "10.20.0.10:32000"], legs
        finish(gateway, a, b)


def test_media_moves_to_another_address_by_reinvite():
    with talking() as (lab, gateway, a, b):
        lab.host("carrier-b").ip("addr", "add", "192.0.2.99/24", "dev", "eth0")
        b.talker.bind(33000, "192.0.2.99")
        reinvite(b, a, "sendrecv")
        both_hear(a, b)
        finish(gateway, a, b)


def test_new_keys_under_running_media_lose_nothing():
    with talking() as (_, gateway, a, b):
        for by, other in ((a, b), (b, a), (a, b), (b, a)):
            reinvite(by, other, "sendrecv")
            both_hear(a, b, 10)
        assert a.talker.stats()["newest_key"] >= 10 and b.talker.stats()["newest_key"] >= 10
        legs = gateway.ctl("show", "call", established(gateway))["legs"]
        assert [leg["rx"]["auth-failures"] for leg in legs] == [0, 0], legs
        assert_nothing_lost(a, b)
        finish(gateway, a, b)


def test_the_new_key_may_be_faster_than_the_answer_that_names_it():
    with talking() as (_, gateway, a, b):
        a.reinvite(a.describe())
        offer = b.expect("INVITE")
        body = b.answer_body(offer)  # from here on b speaks with a key that the gateway does not know yet
        time.sleep(0.1)
        b.respond(offer, 200, "OK", body)
        b.expect("ACK")
        a.answered()
        both_hear(a, b)
        assert_nothing_lost(a, b)
        finish(gateway, a, b)


def test_early_media_is_heard_before_the_answer():
    with parties(b="phone") as (_, gateway, a, b):
        a.invite(NUMBERS["phone"])
        offer = b.expect("INVITE")
        body = b.answer_body(offer)
        b.respond(offer, 183, "Session Progress", body)
        a.speak_as_answered(a.expect(183))
        b.talker.tell("send", "on")
        a.talker.hears(b.talker)
        assert established(gateway) is None
        b.respond(offer, 200, "OK", body)
        b.expect("ACK")
        answer = a.expect(200)
        a.acknowledge(answer)
        a.talker.tell("send", "on")
        both_hear(a, b)
        assert_nothing_lost(a, b)
        finish(gateway, a, b)


def test_early_media_by_responses_that_are_reliable_on_both_sides():
    with parties(b="phone") as (_, gateway, a, b):
        a.invite(NUMBERS["phone"], headers=["Require: 100rel"])
        offer = b.expect("INVITE")
        body = b.answer_body(offer)
        b.respond(offer, 183, "Session Progress", body, ["Require: 100rel", "RSeq: 4711"])
        prack = b.expect("PRACK")
        assert prack.get("RAck").startswith("4711 "), prack.text
        b.respond(prack, 200, "OK")
        progress = a.expect(183)
        a.prack(progress)
        a.speak_as_answered(progress)
        b.talker.tell("send", "on")
        a.talker.hears(b.talker)
        b.respond(offer, 200, "OK", body)
        b.expect("ACK")
        a.acknowledge(a.expect(200))
        a.talker.tell("send", "on")
        both_hear(a, b)
        assert_nothing_lost(a, b)
        finish(gateway, a, b)


def all_heard(listener, speaker):
    """Every packet that was ever sent, from the very first."""
    def complete():
        heard, sent = listener.talker.of(speaker.talker), speaker.talker.stats()["sent"]
        return heard["packets"] == sent and heard["copies"] == 0

    wait_for(f"{listener.name} has heard all that {speaker.name} said", complete)


def test_who_speaks_the_moment_the_call_is_answered_loses_nothing():
    with parties(b="phone") as (_, gateway, a, b):
        for n in range(10):
            for one, other in ((a, b), (b, a)):  # the secure side calls, then the plain one
                one.talker.bind(34000 + 4 * n)
                one.talker.tell("source")
                one.invite(NUMBERS[other.name])
                other.take()
                one.answered()
                one.talker.tell("send", "on")
                other.talker.hears(one.talker, 1)
                one.talker.tell("send", "off")
                all_heard(other, one)
                one.bye()
                other.released()
        assert_no_session_left(gateway)


def delayed(by, other, **changes):
    """After an INVITE of `by` without an offer: that comes in the 200, and the answer to it in the ACK."""
    request = other.expect("INVITE")
    assert not request.body, request.text
    other.respond(request, 200, "OK", other.describe())
    by.take_offer(**changes)
    other.speak_as_answered(other.expect("ACK"))


def test_update_refreshes_holds_and_resumes():
    with talking(b="phone") as (_, gateway, a, b):
        a.update()
        assert not a.expect(200).body
        both_hear(a, b, 5)
        for direction in ("inactive", "sendrecv"):
            a.update(a.describe(direction=direction))
            b.take(direction=direction)
            a.speak_as_answered(a.expect(200))
            if direction == "inactive":
                assert_silence(a, b)
                assert_silence(b, a)
        both_hear(a, b)
        finish(gateway, a, b)


def test_a_reinvite_that_is_answered_before_its_200():
    """New keys in a reliable 183 are heard at once. The 200 comes later, without a description; or a refusal does."""
    with talking() as (_, gateway, a, b):
        for status in (200, 488):
            a.reinvite(a.describe())
            offer = b.expect("INVITE")
            b.respond(offer, 183, "Session Progress", b.answer_body(offer), ["Require: 100rel", "RSeq: 7"])
            b.respond(b.expect("PRACK"), 200, "OK")
            both_hear(a, b)
            b.respond(offer, status)
            b.expect("ACK")
            if status == 200:
                a.answered()
            else:
                a.acknowledge(a.expect(status))
                b.take()  # the session as it stands, for b may have left it
            both_hear(a, b)
        finish(gateway, a, b)


def call_with_a_delayed_offer(one, other, **kw):
    with parties(one, other, **kw) as (_, gateway, a, b):
        a.invite(NUMBERS[b.name], "")
        delayed(a, b)
        for x in (a, b):
            x.talker.tell("send", "on")
        both_hear(a, b)
        a.reinvite("")
        delayed(a, b, direction="sendonly")  # holds, as some gateways do
        assert_silence(a, b)
        b.reinvite("")
        delayed(b, a)
        a.direction = "sendrecv"
        reinvite(a, b, "sendrecv")
        both_hear(a, b)
        legs = gateway.ctl("show", "call", established(gateway))["legs"]
        assert [leg["rx"]["auth-failures"] for leg in legs] == [0, 0], legs
        finish(gateway, a, b)


def test_a_delayed_offer_from_a_carrier_to_the_core():
    call_with_a_delayed_offer("carrier-a", "phone")


def test_a_delayed_offer_from_the_core_to_a_carrier():
    call_with_a_delayed_offer("phone", "carrier-a", a_suites=())


def test_a_delayed_offer_between_carriers_with_different_suites():
    call_with_a_delayed_offer("carrier-a", "carrier-b")


def test_a_source_that_restarts_is_heard_at_once():
    with talking() as (_, gateway, a, b):
        for one in (a, b):
            one.talker.tell("source")
        both_hear(a, b)
        assert_nothing_lost(a, b)
        finish(gateway, a, b)


def mki_on_the_wire(datagrams, tag):
    """The MKIs (4 octets ahead of an 80-bit tag) of RTP packets in AES-CM."""
    return {d[-tag - 4:-tag] for d in datagrams if len(d) > 180 and not 192 <= d[1] <= 223}


def test_mki_on_the_wire_both_ways():
    with parties(b="phone") as (lab, gateway, a, b):
        a.suites = [GCM_256, CM_80]
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        a.mki = 4
        connect(a, b)
        assert_nothing_lost(a, b)
        legs = gateway.ctl("show", "call", established(gateway))["legs"]
        assert legs[0]["rx"]["auth-failures"] == 0 and legs[0]["suite"] == CM_80, legs
        wire.stop()
        media = wire.media(OUTSIDE, MEDIA)
        ours = mki_on_the_wire([d for out, d in media if not out], 10)
        theirs = mki_on_the_wire([d for out, d in media if out], 10)
        assert ours == {a.keys[2][2][0].to_bytes(4, "big")}, ours
        assert len(theirs) == 1, theirs
        finish(gateway, a, b)


def rtcp_both_ways(a, b):
    """Both have had reports in which the far end names the near one's stream; (a's, b's) statistics."""
    def complete():
        sa, sb = a.talker.stats(), b.talker.stats()
        done = all(s["rtcp"] >= 2 and s["rtcp_about"] == s["ssrc"] and
                   s["rtcp_ssrc"] == s["heard"][other.talker.name]["ssrc"] for s, other in ((sa, b), (sb, a)))
        return (sa, sb) if done else None

    return wait_for("RTCP that fits the media, both ways", complete)


def assert_srtcp(wire, ports):
    """What the capture holds of RTCP has no readable second half."""
    media = wire.media(OUTSIDE, ports)
    rtcp = [d for _, d in media if len(d) >= 8 and 192 <= d[1] <= 223]
    assert {out for out, d in media if 192 <= d[1] <= 223} == {True, False}, "SRTCP was not seen both ways"
    assert not [d for d in rtcp if b"secret.example" in d], "clear RTCP on the secure side"


def test_rtcp_is_relayed_and_encrypted_both_ways():
    with parties(b="phone") as (lab, gateway, a, b):
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        connect(a, b)
        sa, sb = rtcp_both_ways(a, b)
        # Who they say that they are stays on their side; what stands for it is the same in each report.
        names = (sa["cname"], sb["cname"])
        assert all(len(name) == 16 and "@" not in name for name in names) and names[0] != names[1], names
        wait_for("another report", lambda: min(p.talker.stats()["rtcp"] for p in (a, b)) > max(sa["rtcp"], sb["rtcp"]))
        assert (a.talker.stats()["cname"], b.talker.stats()["cname"]) == names
        assert not sa["rtcp_refused"]
        legs = gateway.ctl("show", "call", established(gateway))["legs"]
        assert all(leg["rx"]["rtcp-packets"] and leg["tx"]["rtcp-packets"] for leg in legs), legs
        wire.stop()
        assert_srtcp(wire, MEDIA)
        finish(gateway, a, b)


def test_rtcp_mux_is_accepted_when_offered():
    with parties(b="phone", changes={"carrier-a": {"rtcp-mux": "accept"}}) as (lab, gateway, a, b):
        a.mux = True
        a.invite(NUMBERS["phone"])
        offer = b.take()
        assert not offer.lines("a=rtcp-mux"), "rtcp-mux was passed to a side that did not ask for it"
        answer = a.answered()
        assert answer.lines("a=rtcp-mux"), answer.body
        for one in (a, b):
            one.talker.tell("send", "on")
        both_hear(a, b)
        rtcp_both_ways(a, b)
        legs = gateway.ctl("show", "call", established(gateway))["legs"]
        assert [leg["rtcp-mux"] for leg in legs] == [True, False], legs
        assert_nothing_lost(a, b)
        finish(gateway, a, b)


def test_a_stranger_in_the_core_injects_nothing():
    """RTP to the plain leg's port from another port of the same host, and RTCP too: none of it is encrypted."""
    stranger = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.20.0.10", 45678))
for i in range(300):
    s.sendto(b"\\x80\\x00" + i.to_bytes(2, "big") + bytes(8) + b"TALK" + bytes(156), (sys.argv[1], int(sys.argv[2])))
"""
    with talking(b="phone") as (lab, gateway, a, b):
        ident = established(gateway)
        leg = gateway.ctl("show", "call", ident)["legs"][1]
        lab.host("phone").exec("python3", "-c", stranger, *leg["local-address"].rsplit(":", 1))
        both_hear(a, b)
        quiet_now(a, b)
        stats = a.talker.stats()
        assert not stats["corrupt"] and not stats["refused"], stats
        secure, plain = gateway.ctl("show", "call", ident)["legs"]
        assert plain["verdicts"]["wrong_source"] == 300, plain
        assert secure["tx"]["packets"] == b.talker.stats()["sent"], (secure, b.talker.stats())
        assert_nothing_lost(a, b)
        finish(gateway, a, b)


def test_carriers_and_core_on_one_interface():
    with talking(b="phone", one_wire=True) as (_, gateway, a, b):
        rtcp_both_ways(a, b)
        assert_nothing_lost(a, b)
        finish(gateway, a, b)
