# SPDX-License-Identifier: Apache-2.0
"""Users who register over WebSocket (RFC 7118), with the websockets library as their browser."""

import contextlib
import re

from lab.account import ha1
from lab.browser import ORIGIN, BrowserAgent, Refused
from lab.gateway import CM_80, OUTSIDE, Neighbourhood, carrier
from lab.net import LabError, wait_for
from lab.party import NUMBERS, agent, assert_no_session_left, both_hear

from test_audit import records

WSS = 7443


def accounts(**passwords):
    return {"user": [{"name": name, "trunk": "browsers", "number": [number], "password-hash": {
        "sha-256": ha1(name, "srtpgw", password), "md5": ha1(name, "srtpgw", password, "MD5")}}
        for name, (number, password) in passwords.items()]}


@contextlib.contextmanager
def web(alice=("+4989700", "wonder land"), **listener):
    """(lab, gateway, the browser of alice, carrier-b), nobody registered."""
    with Neighbourhood() as lab:
        browsers = {"name": "browsers", "realm": "carriers", "identify": {"listener": ["web"]}, "registrar": {},
                    "srtp": {"mode": "required", "crypto-profile": CM_80}, "_suites": [CM_80]}
        tls = lambda name, transport, port, **kw: {"name": name, "transport": transport, "address": OUTSIDE, "port": port,
                                                   "realm": "carriers", "tls-profile": "gateway", **kw}
        listeners = [tls("carriers-tls", "tls", 5061), tls("web", "wss", WSS, **{"allowed-origin": [ORIGIN], **listener})]
        gateway = lab.gateway([browsers, carrier("carrier-b", lab.ADDRESSES["carrier-b"])],
                              [("browsers", "", "carrier-b"), ("carrier-b", "+4989", "browsers")],
                              listeners=listeners, users=accounts(alice=alice), audit={"file": lab.path("audit.jsonl")})
        yield lab, gateway, browser(lab), agent(lab, "carrier-b")
        gateway.stop()


def browser(lab, name="carrier-a", user="alice", password="wonder land", **kw):
    return BrowserAgent(lab.host(name), name, lab.ADDRESSES[name], (OUTSIDE, WSS), lab.ca.cert, user, password,
                        suites=(CM_80,), **kw)


def test_call_from_and_to_a_browser():
    """Both ways with media; what calls is known by its number, and what is called is reached down its WebSocket."""
    with web() as (lab, gateway, alice, bob):
        contact = alice.register().get("Contact")
        assert f';+sip.instance="<urn:uuid:{alice.host_name}>";reg-id=1' in contact, contact
        alice.invite(NUMBERS["carrier-b"])
        offer = bob.take()
        assert "<sip:+4989700@" in offer.get("From"), offer.get("From")
        alice.answered()
        for one in (alice, bob):
            one.talker.tell("send", "on")
        both_hear(alice, bob)
        alice.bye()
        bob.released()
        bob.invite("+4989700")
        offer = alice.take()
        assert alice.host_name in offer.first, offer.first
        bob.answered()
        both_hear(alice, bob)
        bob.bye()
        alice.released()
        assert_no_session_left(gateway)


def test_a_closed_socket_ends_its_registration():
    with web() as (lab, gateway, alice, bob):
        alice.algorithm = "MD5"
        alice.register()
        here = gateway.ctl("show", "registrations")["gateway"]["users"]["user"][0]["state"]["registration"][0]
        assert here["transport"] == "wss" and alice.host_name in here["contact"], here
        alice.wires[0].send("\r\n\r\n")  # RFC 5626 section 4.4.1
        assert alice.wires[0].read(30) == {"text": "\r\n"}
        alice.hang_up_wires()
        wait_for("the registration is gone", lambda: "registration ended" in gateway.controlplane.output())
        bob.invite("+4989700")
        refused = bob.expect(480)
        assert "not registered" in refused.get("Reason"), refused.text
        bob.acknowledge(refused)
        alice.register()
        gateway.ctl("disconnect", "alice")
        alice.closed()
        kept = [r for r in records(lab.path("audit.jsonl")) if r["type"] == "registration"]
        assert [r["event"] for r in kept] == ["began", "ended", "began", "ended"], kept
        assert all(r["user"] == "alice" and r["trunk"] == "browsers" for r in kept), kept
        assert kept[0]["transport"] == "wss" and kept[0]["tls-version"] == "TLSv1.3", kept
        assert alice.host_name in kept[0]["contact"], kept
        assert "connection was lost" in kept[1]["reason"] and "operator" in kept[3]["reason"], kept


def test_a_browser_hears_that_the_gateway_goes_away():
    """And not that its connection broke: it may come back at once, or look for another."""
    with web() as (_, gateway, alice, _bob):
        alice.register()
        assert gateway.controlplane.stop(grace=30) == 0
        assert alice.closed() == 1001


def registrations(gateway):
    users = gateway.ctl("show", "registrations").get("gateway", {}).get("users", {}).get("user", [])
    return sum(len(u["state"]["registration"]) for u in users)


def test_all_of_a_users_browsers_ring_and_a_call_outlives_its_socket():
    """Who answers has the call, the other hears that it is answered; the BYE goes down a WebSocket of later."""
    with web() as (lab, gateway, alice, bob):
        tablet = browser(lab, "carrier-c")
        alice.register()
        tablet.register()
        bob.invite("+4989700")
        missed, taken = alice.expect("INVITE"), tablet.expect("INVITE")
        keys = [re.search(r"inline:(\S+)", offer.body).group(1) for offer in (missed, taken)]
        assert keys[0] != keys[1], keys
        for one, offer in ((alice, missed), (tablet, taken)):
            one.respond(offer, 180, "Ringing")
            bob.expect(180)
        tablet.respond(taken, 200, "OK", tablet.answer_body(taken))
        tablet.expect("ACK")
        bob.answered(30)
        cancel = alice.expect("CANCEL")
        assert cancel.get("Reason") == 'SIP;cause=200;text="Call completed elsewhere"', cancel.text
        alice.respond(cancel, 200, "OK")
        alice.respond(missed, 487, "Request Terminated")
        alice.expect("ACK")
        for one in (tablet, bob):
            one.talker.tell("send", "on")
        both_hear(tablet, bob)
        tablet.hang_up_wires()
        wait_for("the socket is gone", lambda: registrations(gateway) == 1)
        tablet.register()
        bob.bye()
        tablet.released(20)
        assert_no_session_left(gateway)


def test_a_bye_waits_for_a_browser_that_comes_back():
    """Nothing leads to it when the other side hangs up; it registers a little later, and its page is not left in the call."""
    with web() as (lab, gateway, alice, bob):
        alice.register()
        bob.invite("+4989700")
        alice.take()
        bob.answered()
        alice.hang_up_wires()
        wait_for("the registration is gone", lambda: "registration ended" in gateway.controlplane.output())
        bob.bye()
        wait_for("its BYE waits", lambda: "a BYE waits" in gateway.controlplane.output())
        alice.register()
        alice.released(20)
        wait_for("it was delivered", lambda: "a BYE that waited was delivered" in gateway.controlplane.output())
        assert_no_session_left(gateway)


def test_a_websocket_without_a_registration_is_closed():
    """The one that was registered on stays, though it is older."""
    with web(**{"register-within": 5}) as (lab, gateway, alice, bob):
        alice.register()
        idle = browser(lab, "carrier-c")
        idle.connect()
        said = idle.wires[0].read(40)
        assert said and said.get("closed") == 1008, said
        idle.hang_up_wires()
        alice.wires[0].send("\r\n\r\n")
        assert alice.wires[0].read(30) == {"text": "\r\n"}
        counters = gateway.ctl("show", "stats")["sip"]
        assert int(counters["web_unregistered_closed"]) == 1 and registrations(gateway) == 1, counters
        assert "nobody registered on it in time" in gateway.controlplane.output()


def test_who_is_not_let_in():
    """A page from elsewhere, a client that speaks something else, a wrong password."""
    with web() as (lab, gateway, alice, bob):
        for kw, status in (({"origin": "https://evil.example"}, 403), ({"subprotocol": "xmpp"}, 400)):
            try:
                alice.connect(**kw)
                raise LabError(f"{kw} was let in")
            except Refused as e:
                assert e.status == status, (kw, e.status)
        alice.password = "through the looking glass"
        alice.send_register()
        alice.send_register(headers=[alice.credentials(alice.expect(401), "REGISTER", f"sip:{OUTSIDE}")])
        alice.expect(403)
        assert "Origin" in gateway.controlplane.output()
