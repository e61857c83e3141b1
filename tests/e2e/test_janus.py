# SPDX-License-Identifier: Apache-2.0
"""Janus: its SIP plugin, with Sofia's SIP stack, registers over TLS, calls with SDES and AES-GCM, holds, and is called."""

from lab.capture import Capture
from lab.examples import gateway_for_accounts
from lab.gateway import GCM_256, INSIDE, OUTSIDE, Neighbourhood
from lab.janus import Janus
from lab.net import wait_for
from test_calls import TONE_A, TONE_B, assert_clean, assert_nothing_clear, phone, up
from test_linphone import assert_silent, wait_relayed

NUMBER, PASSWORD = "+4989800", "wonder land"


def neighbourhood(lab):
    """(gateway, Janus, the core's phone), both ends as in the examples."""
    gateway, port = gateway_for_accounts(lab, "janus")
    b = phone(lab, "phone", "+4930300", TONE_B)
    a = Janus(lab.host("carrier-b"), lab.ADDRESSES["carrier-b"], f"{OUTSIDE}:{port}", lab.identity("carrier-b"),
              lab.ca.cert, TONE_A, TONE_B)
    return gateway, a, b


def over(gateway, a, ident):
    """The call is; what its secure leg was."""
    wait_for("the call has ended", lambda: gateway.ctl("show", "calls")["active"] == 0)
    a.ended()
    # What it does not relay while it is held is missing in its sequence numbers.
    return next(leg for leg in assert_clean(gateway, ident, lost=1000) if leg["suite"])


def test_janus_calls_holds_and_is_called():
    with Neighbourhood() as lab:
        gateway, a, b = neighbourhood(lab)
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        a.register("bob", PASSWORD)
        a.call("+4930300", GCM_256)
        ident = wait_for("the call is up", lambda: up(gateway))["id"]
        a.media.wait_heard(1.5)
        a.ask("hold")
        assert_silent(gateway, ident, 0)
        a.ask("unhold")
        wait_relayed(gateway, ident, 1)
        b.command("hold")
        assert_silent(gateway, ident, 1)
        b.command("resume")
        wait_relayed(gateway, ident, 1)
        a.media.wait_heard(a.media.do("stats")["heard"] + 1)
        a.ask("hangup")
        secure = over(gateway, a, ident)
        assert secure["suite"] == GCM_256 and secure["rx"]["rtcp-packets"], secure
        wait_for("the phone has heard it", lambda: b.heard(TONE_A)[0] >= 1.0)

        a.accept(lambda: b.dial(f"sip:{NUMBER}@{INSIDE}"))
        ident = wait_for("the call is up", lambda: up(gateway))["id"]
        a.media.wait_heard(1.5)
        wait_for("the phone is sent speech", lambda: gateway.ctl("show", "call", ident)["legs"][0]["tx"]["packets"] >= 100)
        b.hangup()
        assert over(gateway, a, ident)["suite"] == GCM_256
        wait_for("the phone has heard it", lambda: b.heard(TONE_A, 1)[0] >= 1.0)
        assert_nothing_clear(wire)
        gateway.stop()
