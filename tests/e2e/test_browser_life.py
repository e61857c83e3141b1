# SPDX-License-Identifier: Apache-2.0
"""A browser's call while it lasts: new keys, hold, ICE restarts, a control plane that dies; and what its network shows."""

import contextlib

from lab.capture import packet_kind
from lab.gateway import MEDIA, OUTSIDE
from lab.net import wait_for
from lab.web import NUMBER, PHONE_NUMBER
from test_browser import assert_nothing_clear, assert_secure, end, newest, web
from test_calls import up
from test_reconfigure import change


def srtp_of(tree, trunk):
    return next(t for t in tree["trunks"]["trunk"] if t["name"] == trunk)["srtp"]


def left_alone(tree):
    """The phone, which is deaf after a key that it did not ask for, keeps its keys; so the browser alone gets new ones."""
    srtp_of(tree, "carrier-b")["reinvite-keys"] = "own-leg"


def impatient(tree):
    """The gateway waits 4 s for a handshake."""
    tree["dtls-policies"] = {"dtls-policy": [{"name": "d", "handshake-timeout": 4}]}
    srtp_of(tree, "browsers")["dtls-policy"] = "d"


@contextlib.contextmanager
def talking(kind, by_phone=False, edit=lambda tree: None):
    """A call that both hear: (gateway, browser, phone, what is captured, the call's id)."""
    with web(kind) as (_, gateway, browser, phone, wire):
        change(gateway, lambda tree: (left_alone(tree), edit(tree)))
        if by_phone:
            phone.dial(f"sip:{NUMBER}@{OUTSIDE}:5061;transport=tls")
        else:
            browser.do("call", PHONE_NUMBER)
        browser.wait_call("up")
        ident = wait_for("the call is up", lambda: up(gateway), 30)["id"]
        browser.wait_loud(25)
        yield gateway, browser, phone, wire, ident


def leg_of(gateway, ident, browsers=True):
    return next(leg for leg in gateway.ctl("show", "call", ident)["legs"] if ("dtls" in leg) == browsers)


def both_hear(gateway, browser, ident, packets=50):
    """That many more packets each way, by the gateway's account and by the browser's; its loudspeaker is not silent."""
    def now():
        leg, stats = leg_of(gateway, ident), browser.do("stats")
        counts = [leg["rx"]["packets"], leg["tx"]["packets"], stats["packetsSent"], stats["packetsReceived"]]
        return [int(n) for n in counts], stats

    before, _ = now()

    def enough():
        counts, stats = now()
        return stats["audioLevel"] > 0.1 and all(a >= b + packets for a, b in zip(counts, before))

    wait_for("both hear each other", enough, 40, step=0.2)


def renew(gateway, browser, ident):
    """New keys for an operator, and what shows that it is another association: the browser's word, and the port."""
    before, epoch = browser.do("stats"), leg_of(gateway, ident)["key-epoch"]
    port = leg_of(gateway, ident)["local-address"]
    assert int(gateway.ctl("rekey", ident)["srtp-gateway:legs"]) == 1
    wait_for("the leg has new keys", lambda: leg_of(gateway, ident)["key-epoch"] > epoch, 30)
    leg = leg_of(gateway, ident)
    assert leg["last-renewal"] == "renewed" and leg["local-address"] != port, leg
    both_hear(gateway, browser, ident)
    now = browser.do("stats")
    assert now["dtlsState"] == "connected" and now["peerFingerprint"] != before["peerFingerprint"], (before, now)


def renewals(gateway):
    """What came of those that an operator asked for."""
    row = next(r for r in gateway.ctl("show", "stats")["rekey"] if r["cause"] == "operator")
    return {result: int(n) for result, n in row.items() if result != "cause"}


def assert_only_secure(wire):
    """Whatever went to and fro between the browser and the gateway's media ports was STUN, DTLS or SRTP."""
    assert_nothing_clear(wire)
    kinds = {packet_kind(d) for _, d in wire.media(OUTSIDE, MEDIA)}
    assert kinds == {"STUN", "DTLS", "RTP", "RTCP"}, kinds


def test_chromium_takes_new_keys_and_restarts_ice():
    with talking("chromium") as (gateway, browser, _, wire, ident):
        renew(gateway, browser, ident)
        browser.do("restart")
        both_hear(gateway, browser, ident)
        renew(gateway, browser, ident)
        assert renewals(gateway) == {"renewed": 2, "one-way": 0, "refused": 0, "given-up": 0}, renewals(gateway)
        assert_secure(browser.do("stats"), newest(gateway))
        end(gateway, browser, lambda: browser.do("hangup"))
        assert_only_secure(wire)


def test_firefox_keeps_its_keys_and_is_not_asked_again():
    """It answers the offer of a second association, restarts ICE and goes on with the first."""
    with talking("firefox", edit=impatient) as (gateway, browser, phone, wire, ident):
        before = browser.do("stats")
        assert int(gateway.ctl("rekey", ident)["srtp-gateway:legs"]) == 1
        wait_for("it is given up", lambda: leg_of(gateway, ident).get("last-renewal") == "given-up", 40)
        assert int(gateway.ctl("rekey", ident)["srtp-gateway:legs"]) == 0
        assert renewals(gateway) == {"renewed": 0, "one-way": 0, "refused": 1, "given-up": 1}, renewals(gateway)
        browser.do("restart")
        both_hear(gateway, browser, ident)
        leg, now = leg_of(gateway, ident), browser.do("stats")
        assert leg["key-epoch"] == 1 and int(leg["verdicts"].get("auth-fail", 0)) == 0, leg
        assert now["packetsLost"] - before["packetsLost"] <= 5, (before, now)
        end(gateway, browser, phone.hangup)
        assert_only_secure(wire)
