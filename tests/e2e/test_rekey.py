# SPDX-License-Identifier: Apache-2.0
"""Keys that are renewed while people speak: by each limit, for operators, and with real peers."""

import time

from lab.dtls_agent import DtlsAgent, dtls_carrier
from lab.gateway import CM_80, GCM_128, GCM_256, OUTSIDE, Neighbourhood, carrier, core
from lab.net import wait_for
from lab.party import agent, assert_nothing_lost, both_hear, established, finish, parties, connect, talking
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
            a.take()
            wait_for("the renewal is counted", lambda: int(renewals(gateway, cause)["renewed"]) == n + 1)
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


def dtls_limits_reached(limits, b_keying):
    """
    limits: of a's and of b's trunk. Each side's renewal is a new association, made as often as its limit is reached,
    while media flows.
    """
    policies_ = {"rekey-policies": {"rekey-policy": [{"name": f"p{i}", "interval": 0, "octets": "0", **limit}
                                                     for i, (_, limit) in enumerate(limits)]}}
    with Neighbourhood() as lab:
        trunks = [dtls_carrier("carrier-a", (GCM_256,), **{"rekey-policy": "p0"}),
                  dtls_carrier("carrier-b", (GCM_128,), **{"rekey-policy": "p1"}) if b_keying == "dtls" else
                  carrier("carrier-b", lab.ADDRESSES["carrier-b"])]
        gateway = lab.gateway(trunks, [("carrier-a", "", "carrier-b")], **policies_)
        a = DtlsAgent(lab, "carrier-a", (GCM_256,))
        b = DtlsAgent(lab, "carrier-b", (GCM_128,)) if b_keying == "dtls" else agent(lab, "carrier-b")
        a.invite("+4940200")
        b.take()
        a.answered()
        both = [one for one in (a, b) if isinstance(one, DtlsAgent)]
        for one in both:
            one.secured()
        wait_for("the gateway has all keys", lambda: all(leg.get("suite") for leg in legs(gateway)))
        for one in (a, b):
            one.talker.tell("send", "on")
        both_hear(a, b)
        for one, (cause, _) in zip(both, limits):
            one.take()
            one.secured()
            wait_for("the renewal is counted", lambda: int(renewals(gateway, cause)["renewed"]) >= 1)
        both_hear(a, b)
        assert_kept_up(gateway, a, b)
        epochs = [leg["key-epoch"] for leg in legs(gateway)]
        assert all(n >= 2 for n in epochs[:len(both)]), epochs
        assert b in both or epochs[1] == 1, epochs
        assert int(renewals(gateway, "data-plane")["renewed"]) == 0
        for one in (a, b):
            one.hang_up_wires()
        gateway.stop()


def test_packet_and_octet_limits_of_dtls_keys():
    dtls_limits_reached([("packets", {"packets": "150"}), ("octets", {"octets": "20000"})], "dtls")


def test_an_interval_of_dtls_keys():
    dtls_limits_reached([("interval", {"interval": 10})], "sdes")


def test_a_lifetime_that_the_peer_states():
    """
    The peer's key is good for 400 packets, fewer than the policy says: a new one is asked for in time. It is refused, and
    past its lifetime the key opens nothing more.
    """
    policy = {"packets": "100000", "attempts": 1, "retry-after": 1}
    with parties(changes={"carrier-a": srtp(CM_80, "p")}, **policies(**policy)) as (_, gateway, a, b):
        a.lifetime = 400
        connect(a, b)
        offer = a.expect("INVITE")
        a.respond(offer, 488, "Not Acceptable Here")
        a.expect("ACK")

        def expired():
            return int(legs(gateway)[0]["verdicts"]["key-expired"])

        wait_for("the key has expired", lambda: expired() >= 10)
        sent_on, refused = legs(gateway)[1]["tx"]["packets"], expired()
        wait_for("nothing more is opened with it", lambda: expired() >= refused + 25)
        assert legs(gateway)[1]["tx"]["packets"] == sent_on <= 400, (sent_on, legs(gateway)[1]["tx"])
        a.talker.hears(b.talker)
        a.bye()
        b.released()


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
            offer = a.expect("INVITE")
            a.respond(offer, 488, "Not Acceptable Here")
            a.expect("ACK")
        wait_for("the gateway gives up", lambda: int(renewals(gateway, "packets")["given-up"]) == 1)
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
        ident = wait_for("the call is up", lambda: established(gateway))
        gateway.ctl("rekey", ident)
        wait_for("both legs have new keys", lambda: int(renewals(gateway, "operator")["renewed"]) == 2)
        gateway.ctl("terminate", ident)
        a.finish()
        b.finish()
        assert int(renewals(gateway, "operator")["refused"]) == 0
