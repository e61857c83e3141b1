# SPDX-License-Identifier: Apache-2.0
"""Keys that are renewed while people speak: by each limit, for operators, and with real peers."""

import time

from lab.gateway import CM_80, GCM_256, OUTSIDE, carrier, core
from lab.net import wait_for
from lab.party import assert_nothing_lost, both_hear, established, finish, parties, connect, talking
from lab.scenario import sdp
from test_calls import TONE_A, TONE_B, assert_clean, assert_heard, call, hang_up
from test_signalling import CALLEE, CALLER, KEY_CM, KEY_CM_2, callee, caller, carriers, uac, uas


def srtp(suite, policy):
    return {"srtp": {"mode": "required", "crypto-profile": suite, "rekey-policy": policy}}


def policies(**policy):
    return {"rekey-policies": {"rekey-policy": [{"name": "p", "interval": 0, "octets": "0", **policy}]}}


def renewals(gateway, cause):
    rows = gateway.ctl("show", "stats").get("rekey", [])
    return next(r for r in rows if r["cause"] == cause)


def legs(gateway):
    return gateway.ctl("show", "call", established(gateway))["legs"]


def assert_kept_up(gateway, a, b):
    """Nothing is lost, unless this machine took more than the 200 ms that packets wait for their key."""
    if not any(int(leg["verdicts"]["held-expired"]) for leg in legs(gateway)):
        assert_nothing_lost(a, b)


def limit_reached(cause, times, **policy):
    """One side's keys are renewed by a limit; the other side's stay, nothing is lost, everybody is heard."""
    with parties(changes={"carrier-a": srtp(CM_80, "p")}, **policies(**policy)) as (_, gateway, a, b):
        connect(a, b)
        for n in range(times):
            a.take(seconds=40)
            wait_for("the renewal is counted", lambda: int(renewals(gateway, cause)["renewed"]) == n + 1, 20)
            both_hear(a, b)
        a_leg, b_leg = legs(gateway)
        assert a_leg["key-epoch"] >= times + 1 and b_leg["key-epoch"] == 1, (a_leg, b_leg)
        a.talker.tell("send", "off")
        b.talker.tell("send", "off")
        assert b.quiet()


def test_a_packet_limit():
    limit_reached("packets", 2, packets="150")


def test_an_octet_limit():
    limit_reached("octets", 2, octets="10000")


def test_an_interval():
    limit_reached("interval", 1, interval=10)


def test_renewals_for_an_operator_lose_nothing():
    with talking() as (_, gateway, a, b):
        for _ in range(4):
            assert int(gateway.ctl("rekey", established(gateway))["srtp-gateway:legs"]) == 2
            a.take()
            b.take()
            both_hear(a, b, 10)
        assert [leg["key-epoch"] for leg in legs(gateway)] == [5, 5], [leg["key-epoch"] for leg in legs(gateway)]
        assert int(renewals(gateway, "operator")["renewed"]) == 8
        assert int(gateway.ctl("rekey", "--all")["srtp-gateway:calls"]) == 1
        a.take()
        b.take()
        both_hear(a, b, 10)
        assert_kept_up(gateway, a, b)
        finish(gateway, a, b)


def test_a_peer_that_refuses_keeps_its_call():
    policy = {"packets": "100", "attempts": 2, "retry-after": 1}
    with parties(changes={"carrier-a": srtp(CM_80, "p")}, **policies(**policy)) as (_, gateway, a, b):
        connect(a, b)
        for _ in range(2):
            offer = a.expect("INVITE", 40)
            a.respond(offer, 488, "Not Acceptable Here")
            a.expect("ACK")
        wait_for("the gateway gives up", lambda: int(renewals(gateway, "packets")["given-up"]) == 1, 20)
        both_hear(a, b)
        assert_kept_up(gateway, a, b)
        finish(gateway, a, b)


def test_baresip_keeps_its_first_key_and_is_left_alone():
    """It is deaf after a new key that it did not ask for: reinvite-keys own-leg. Its other side has a policy."""
    baresip = carrier("carrier-a", CALLER, (CM_80,))
    baresip["srtp"]["reinvite-keys"] = "own-leg"
    with call([baresip, core("core", "10.20.0.10")], [(None, "+4930", "core")], ("carrier-a", "+4989100", TONE_A),
              ("phone", "+4930300", TONE_B), f"sip:+4930300@{OUTSIDE}:5061;transport=tls", capture=False,
              seconds=60) as (_, gateway, a, b, ident, _wire):
        time.sleep(2)
        assert int(gateway.ctl("rekey", ident)["srtp-gateway:legs"]) == 0
        assert int(gateway.ctl("rekey", "--all")["srtp-gateway:calls"]) == 0
        time.sleep(2)
        hang_up(gateway, a)
        assert_heard(b, a, 3.5)
        assert_heard(a, b, 3.5)
        assert_clean(gateway, ident)


def test_sipp_is_offered_new_keys_on_its_leg_alone():
    """SIPp refuses once because of glare and takes the second offer; its caller hears nothing of it."""
    offer = sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM}"])
    crypto = f"a=crypto:1 {CM_80} inline:"
    with carriers(suites=(CM_80,)) as (lab, gateway):
        b = callee(lab, uas("callee").receive("INVITE", matches=crypto)
                   .answer(200, "OK", sdp(CALLEE, crypto=[f"1 {CM_80} inline:{KEY_CM_2}"])).receive("ACK")
                   .receive("INVITE", matches=[crypto, "a=sendrecv"]).answer_in_dialog(491, "Request Pending").receive("ACK")
                   .receive("INVITE", matches=[crypto, "a=sendrecv"])
                   .answer_in_dialog(200, "OK", sdp(CALLEE, version=2, crypto=[f"1 {CM_80} inline:{KEY_CM[:-4]}AAAA"]))
                   .receive("ACK").receive("BYE").answer_in_dialog(200, "OK"))
        a = caller(lab, uac("caller").invite("+4940200", offer).receive(100, optional=True)
                   .receive(200, store_routes=True).ack().receive("INVITE", matches=crypto)
                   .answer_in_dialog(200, "OK", sdp(CALLER, version=2, crypto=[f"1 {CM_80} inline:{KEY_CM_2[:-4]}AAAA"]))
                   .receive("ACK").receive("BYE").answer_in_dialog(200, "OK"))
        ident = wait_for("the call is up", lambda: established(gateway), 20)
        gateway.ctl("rekey", ident)
        wait_for("both legs have new keys", lambda: int(renewals(gateway, "operator")["renewed"]) == 2, 30)
        gateway.ctl("terminate", ident)
        a.finish()
        b.finish()
        assert int(renewals(gateway, "operator")["refused"]) == 0
