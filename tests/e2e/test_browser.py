# SPDX-License-Identifier: Apache-2.0
"""A real browser: Chromium with JsSIP over WSS, DTLS-SRTP and ICE, and a phone with SIP/TLS and SDES behind the gateway."""

import contextlib

from lab.capture import Capture, clear_packets, is_rtp
from lab.gateway import GCM_256, MEDIA, OUTSIDE
from lab.net import wait_for
from lab.web import BROWSER_TONE, NUMBER, PHONE_NUMBER, PHONE_TONE, WebNeighbourhood
from test_calls import assert_clean, up
from test_reconfigure import change


X25519MLKEM768 = 0x11ec  # in TLS' registry of groups
WIRE_VERSIONS = {"DTLS 1.2": 0xfefd, "DTLS 1.3": 0xfefc}


@contextlib.contextmanager
def web(kind="chromium"):
    """(lab, gateway, the browser, registered, the phone, what is captured)."""
    with WebNeighbourhood() as lab:
        gateway = lab.web_gateway()
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        phone, browser = lab.sdes_phone(), lab.browser(kind)
        yield lab, gateway, browser, phone, wire
        gateway.stop()


def newest(gateway):
    """The version of DTLS that gateway and browsers have in common."""
    return "DTLS 1.3" if "DTLS 1.3 is available" in gateway.controlplane.output() else "DTLS 1.2"


def assert_agreed(gateway, version):
    """By the gateway's account: the browser's leg was keyed in that version, against quantum computers too if it can be."""
    dtls = next(leg["dtls"] for leg in gateway.ctl("show", "call", up(gateway)["id"])["legs"] if "dtls" in leg)
    assert dtls["version"] == version.replace(" ", "v"), dtls
    assert ("MLKEM" in dtls["group"].upper()) == (version == "DTLS 1.3"), dtls


def assert_secure(stats, version):
    """By the browser's own account."""
    assert stats["dtls"] == version and stats["dtlsState"] == "connected", stats
    assert stats["srtpCipher"] == GCM_256, stats
    assert stats["packetsLost"] <= 10, stats


def assert_nothing_clear(wire):
    wire.stop()
    media = wire.media(OUTSIDE, MEDIA)
    assert sum(is_rtp(d) for _, d in media) > 100, len(media)
    assert clear_packets(media, (BROWSER_TONE, PHONE_TONE)) == 0, "clear media"


def assert_seen(wire, versions):
    """By the ServerHellos on the wire, a call each; either end sends them, as the call came."""
    hellos = wire.server_hellos(MEDIA)
    assert [version for _, version, _ in hellos] == [WIRE_VERSIONS[v] for v in versions], hellos
    for _, version, group in hellos:
        assert (group == X25519MLKEM768) == (version == WIRE_VERSIONS["DTLS 1.3"]), hellos
    assert {sender for sender, _, _ in hellos} == {OUTSIDE, WebNeighbourhood.ADDRESSES["browser"]}, hellos


def cap_dtls(tree):
    tree["dtls-policies"] = {"dtls-policy": [{"name": "old", "max-version": "1.2"}]}
    next(t for t in tree["trunks"]["trunk"] if t["name"] == "browsers")["srtp"]["dtls-policy"] = "old"


def talk(gateway, browser, version, hears):
    """The call that is being made is up; hears() is what the browser says when it has heard enough. The call's number."""
    ident = wait_for("the call is up", lambda: up(gateway))["id"]
    browser.wait_call("up")
    browser.do("listenAgain")
    assert_secure(hears(), version)
    assert_agreed(gateway, version)
    return ident


def end(gateway, browser, by):
    by()
    browser.wait_call("ended")
    wait_for("the call has ended", lambda: gateway.ctl("show", "calls")["active"] == 0)


def heard_by(phone, before=0):
    wait_for("the phone has heard the browser", lambda: phone.heard(BROWSER_TONE, before)[0] >= 1.0)


CALL_IN = f"sip:{NUMBER}@{OUTSIDE}:5061;transport=tls"


def test_a_browser_calls_holds_and_is_called():
    with web() as (lab, gateway, browser, phone, wire):
        def hears():
            return browser.wait_heard(2.0)

        best = newest(gateway)
        browser.do("call", PHONE_NUMBER)
        ident = talk(gateway, browser, best, hears)
        browser.do("hold")
        wait_for("the phone is on hold", lambda: "hold" in browser.do("state")["events"])
        browser.do("resume")
        browser.do("listenAgain")
        assert_secure(hears(), best)
        end(gateway, browser, lambda: browser.do("hangup"))
        assert_clean(gateway, ident, lost=10)
        heard_by(phone)

        phone.dial(CALL_IN)
        talk(gateway, browser, best, hears)
        end(gateway, browser, phone.hangup)

        calls = len(phone.recordings())
        change(gateway, cap_dtls)
        phone.dial(CALL_IN)
        talk(gateway, browser, "DTLS 1.2", hears)
        end(gateway, browser, phone.hangup)
        heard_by(phone, calls)
        assert_nothing_clear(wire)
        assert_seen(wire, [best, best, "DTLS 1.2"])


def test_firefox_calls_and_is_called():
    with web("firefox") as (lab, gateway, browser, phone, wire):
        def hears():
            return browser.wait_loud(75)

        best = newest(gateway)
        browser.do("call", PHONE_NUMBER)
        talk(gateway, browser, best, hears)
        end(gateway, browser, lambda: browser.do("hangup"))
        heard_by(phone)

        calls = len(phone.recordings())
        phone.dial(CALL_IN)
        talk(gateway, browser, best, hears)
        end(gateway, browser, phone.hangup)
        heard_by(phone, calls)

        calls = len(phone.recordings())
        change(gateway, cap_dtls)
        browser.do("call", PHONE_NUMBER)
        talk(gateway, browser, "DTLS 1.2", hears)
        end(gateway, browser, lambda: browser.do("hangup"))
        heard_by(phone, calls)
        assert_nothing_clear(wire)
        assert_seen(wire, [best, best, "DTLS 1.2"])
