# SPDX-License-Identifier: Apache-2.0
"""Two browsers call each other: DTLS-SRTP and ICE on both legs, each with an association and keys of its own."""

import contextlib

from lab.capture import Capture
from lab.gateway import GCM_256, OUTSIDE
from lab.net import wait_for
from lab.web import NUMBER, SECOND_NUMBER, WebNeighbourhood
from test_audit import records
from test_browser import assert_nothing_clear, assert_secure, end, newest
from test_calls import assert_clean, up

RED, GREEN, BLUE = range(3)
PLACES = [WebNeighbourhood.ADDRESSES[place] for place in ("browser", "browser2")]


@contextlib.contextmanager
def pair(first="chromium", second="chromium", shows=("", "")):
    """(gateway, alice's browser, bella's), both registered; yields once, then looks at the wire and at the audit."""
    with WebNeighbourhood() as lab:
        gateway = lab.web_gateway(audit={"file": lab.path("audit.jsonl")})
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        yield gateway, lab.browser(first, shows[0]), lab.browser(second, shows[1], place="browser2")
        assert_nothing_clear(wire)
        gateway.stop()
        sessions = [r for r in records(lab.path("audit.jsonl")) if r["type"] == "session"]
        for session in sessions:
            assert_two_associations(session)
        assert [(s["from"], s["to"]) for s in sessions] == [(NUMBER, SECOND_NUMBER), (SECOND_NUMBER, NUMBER)], sessions


def assert_two_associations(session):
    """As the audit has it: each leg is DTLS with AES-256-GCM, and its peer's certificate is not the other's."""
    legs = session["legs"]
    assert [(leg["keying"], leg["suite"], leg["signalling"]["transport"]) for leg in legs] == [("dtls", GCM_256, "wss")] * 2, legs
    assert {leg["peer"]["address"].split(":")[0] for leg in legs} == set(PLACES), legs
    assert legs[0]["dtls"]["fingerprints"] != legs[1]["dtls"]["fingerprints"], legs
    # Whoever has keys first may send before the gateway has them, which counts as no-key.
    assert not any(n for leg in legs for what, n in leg["anomalies"].items() if what != "no-key"), legs


def assert_both_nominated(gateway, ident):
    """Each leg's media goes to that leg's browser, over a pair that ICE has found."""
    legs = gateway.ctl("show", "call", ident)["legs"]
    assert [leg["ice"]["state"] for leg in legs] == ["nominated"] * 2, legs
    assert {leg["remote-address"].split(":")[0] for leg in legs} == set(PLACES), legs
    assert all(leg["keying"] == "dtls" and leg["suite"] == GCM_256 for leg in legs), legs


def talk(gateway, caller, callee, number, *hears):
    """caller calls that number; each of hears waits for media. The call's id."""
    caller.do("call", number)
    ident = wait_for("the call is up", lambda: up(gateway))["id"]
    for browser in (caller, callee):
        browser.wait_call("up")
    for heard in hears:
        assert_secure(heard(), newest(gateway))
    assert_both_nominated(gateway, ident)
    return ident


def sees(browser, channel):
    """It has decoded ten frames of a call, on the transport that its audio has too, and the picture is of that colour."""
    video = browser.do("stats")["video"]
    assert video["transports"] == 1, video
    picture = video["colours"][0] if video["colours"] else None
    return video["framesDecoded"] >= 10 and video["codec"] == "VP8" and picture and \
        picture[channel] > 150 and sum(picture) - picture[channel] < 100


def part(gateway, ident, by, other):
    end(gateway, by, lambda: by.do("hangup"))
    other.wait_call("ended")
    assert_clean(gateway, ident, lost=10)


def test_chromium_calls_chromium():
    with pair() as (gateway, alice, bella):
        tone = [lambda: alice.wait_heard(1.0), lambda: bella.wait_heard(1.0)]
        part(gateway, talk(gateway, alice, bella, SECOND_NUMBER, *tone), bella, alice)
        for browser in (alice, bella):
            browser.do("listenAgain")
        part(gateway, talk(gateway, bella, alice, NUMBER, *tone), bella, alice)


def test_firefox_and_chromium_hear_and_see_each_other():
    """Firefox hears no pitch, as it has no sound device; its audio is the tone that Chromium listens for."""
    with pair("firefox", shows=("blue", "red")) as (gateway, alice, bella):
        tone = [lambda: alice.wait_loud(50), lambda: bella.wait_heard(1.0)]
        for caller, callee, number in ((alice, bella, SECOND_NUMBER), (bella, alice, NUMBER)):
            bella.do("listenAgain")
            ident = talk(gateway, caller, callee, number, *tone)
            for browser, channel in ((alice, RED), (bella, BLUE)):
                wait_for(f"{browser.name} sees the other's colour", lambda: sees(browser, channel), 40, step=0.2)
            part(gateway, ident, caller, callee)
