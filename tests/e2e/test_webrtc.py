# SPDX-License-Identifier: Apache-2.0
"""A WebRTC client that is no browser: aiortc, with ICE, DTLS-SRTP and codecs of its own, calls a phone and is called."""

import contextlib

from lab.browser import ORIGIN
from lab.capture import Capture
from lab.gateway import CM_80, OUTSIDE
from lab.net import wait_for
from lab.web import BROWSER_TONE, NUMBER, PASSWORD, PHONE_NUMBER, PHONE_TONE, USER, WSS, WebNeighbourhood
from lab.webrtc import WebRtcAgent
from test_browser import assert_nothing_clear
from test_calls import assert_clean, up


@contextlib.contextmanager
def client():
    """(gateway, the client, registered, the phone, what is captured)."""
    with WebNeighbourhood() as lab:
        gateway = lab.web_gateway(suites=[CM_80], origin=ORIGIN)
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        phone = lab.sdes_phone()
        alice = WebRtcAgent(lab.host("browser"), "alice", lab.ADDRESSES["browser"], (OUTSIDE, WSS), lab.ca.cert, USER,
                            PASSWORD, algorithm="MD5")
        alice.register()
        yield gateway, alice, phone, wire
        gateway.stop()


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


def test_aiortc_calls_and_is_called():
    with client() as (gateway, alice, phone, wire):
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
