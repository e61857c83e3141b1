# SPDX-License-Identifier: Apache-2.0
"""WebRTC clients that are no browsers, aiortc and GStreamer, with ICE, DTLS-SRTP and codecs of their own, call a phone and are called."""

import contextlib

from lab.browser import ORIGIN
from lab.capture import Capture
from lab.gateway import CM_80, GCM_256, OUTSIDE
from lab.net import wait_for
from lab.web import BROWSER_TONE, NUMBER, PASSWORD, PHONE_NUMBER, PHONE_TONE, USER, WSS, WebNeighbourhood
from lab.webrtc import WebRtcAgent
from test_browser import assert_nothing_clear
from test_calls import assert_clean, up
from test_metrics import LISTENER, metrics


@contextlib.contextmanager
def clients(*places, suites=(CM_80,), library="aiortc"):
    """(gateway, the clients of one user, registered, the phone, what is captured)."""
    with WebNeighbourhood() as lab:
        gateway = lab.web_gateway(suites=suites, origin=ORIGIN, **LISTENER)
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        phone = lab.sdes_phone()
        found = [WebRtcAgent(lab.host(place), place, lab.ADDRESSES[place], (OUTSIDE, WSS), lab.ca.cert, USER, PASSWORD,
                             algorithm="MD5", library=library) for place in places]
        for one in found:
            one.register()
        yield gateway, found, phone, wire
        gateway.stop()


def held(gateway):
    """Datagrams of handshakes that came before an answer."""
    return metrics(gateway)["srtpgw_dtls_held_total"]


def assert_speaks(gateway, media):
    """Tones decoded; by DTLS 1.2 and the one suite that aiortc has. The call's id."""
    ident = wait_for("the call is up", lambda: up(gateway))["id"]
    media.wait_heard(1.5)
    wait_for("it has spoken", lambda: media.do("stats")["sent"] >= 75, 60, step=0.2)
    assert media.do("stats")["state"] == "connected", media.do("stats")
    leg = next(leg for leg in gateway.ctl("show", "call", ident)["legs"] if "dtls" in leg)
    assert leg["suite"] == CM_80 and leg["dtls"]["version"] == "DTLSv1.2" and leg["ice"]["state"] == "nominated", leg
    return ident


def assert_spoke(gateway, ident, phone, calls):
    """The phone heard it too, in its call after so many, and next to nothing was lost."""
    wait_for("the call has ended", lambda: gateway.ctl("show", "calls")["active"] == 0)
    assert_clean(gateway, ident, lost=10)
    wait_for("the phone has heard it", lambda: phone.heard(BROWSER_TONE, calls)[0] >= 1.0)


def calls_and_is_called(**kw):
    with clients("browser", **kw) as (gateway, (alice,), phone, wire):
        media = alice.new_call(BROWSER_TONE, PHONE_TONE)
        alice.invite(PHONE_NUMBER)
        alice.expect(180)
        alice.answered(30)
        ident = assert_speaks(gateway, media)
        alice.bye()
        assert_spoke(gateway, ident, phone, 0)
        media.stop()

        media = alice.new_call(BROWSER_TONE, PHONE_TONE)
        phone.dial(f"sip:{NUMBER}@{OUTSIDE}:5061;transport=tls")
        alice.take(30)
        ident = assert_speaks(gateway, media)
        phone.hangup()
        alice.released(30)
        assert_spoke(gateway, ident, phone, 1)
        assert_nothing_clear(wire)


def test_aiortc_calls_and_is_called():
    calls_and_is_called()


def test_gstreamer_calls_and_is_called():
    """It has AES-CM alone, and candidates of TCP beside those of UDP."""
    calls_and_is_called(suites=(GCM_256, CM_80), library="gstreamer")


def test_two_begin_and_one_answers():
    """
    A page begins with ICE and DTLS when its user picks up, and may take seconds to gather its candidates. Who answers
    first has the call, whoever began before it.
    """
    with clients("browser", "browser2") as (gateway, (slow, fast), phone, wire):
        phone.dial(f"sip:{NUMBER}@{OUTSIDE}:5061;transport=tls")
        rings = [(one, one.expect("INVITE")) for one in (slow, fast)]
        medias = [one.new_call(BROWSER_TONE, PHONE_TONE) for one in (slow, fast)]
        bodies = []
        for one, offer in rings:
            one.respond(offer, 180, "Ringing")
            before = held(gateway)
            bodies.append(one.answer_body(offer))
            wait_for(f"{one.name} has begun its handshake", lambda: held(gateway) > before)
        fast.respond(rings[1][1], 200, "OK", bodies[1])
        fast.expect("ACK")
        cancel = slow.expect("CANCEL")
        assert_speaks(gateway, medias[1])
        slow.respond(cancel, 200, "OK")
        slow.respond(rings[0][1], 487, "Request Terminated")
        slow.expect("ACK")
        assert medias[0].do("stats")["received"] == 0
        medias[0].stop()
        ident = assert_speaks(gateway, medias[1])
        phone.hangup()
        fast.released(30)
        assert_spoke(gateway, ident, phone, 0)
        assert_nothing_clear(wire)
