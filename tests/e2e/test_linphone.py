# SPDX-License-Identifier: Apache-2.0
"""Linphone: an account over TLS that belle-sip registers, with SDES, ICE or DTLS-SRTP by mediastreamer2, calls and is called."""

import contextlib
import time

from lab.capture import Capture
from lab.examples import gateway_for_accounts
from lab.gateway import CM_80, INSIDE, OUTSIDE, Neighbourhood
from lab.linphone import Linphone
from lab.net import wait_for
from test_calls import TONE_A, TONE_B, assert_clean, assert_nothing_clear, hang_up, phone, up

NUMBER, PASSWORD = "+4989700", "wonder land"


@contextlib.contextmanager
def registered(**settings):
    """(gateway, Linphone, the core's phone); both ends as in the examples. Nothing was in the clear outside at the end."""
    with Neighbourhood() as lab:
        lab.cert = lab.ca.issue("gateway", "phones.example.com")
        gateway, _ = gateway_for_accounts(lab, "linphone")
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        b = phone(lab, "phone", "+4930300", TONE_B)
        a = Linphone(lab.host("carrier-a"), OUTSIDE, TONE_A, lab.identity("carrier-a"), lab.ca.cert, PASSWORD, settings)
        wait_for("Linphone has registered", lambda: "user: registered" in gateway.controlplane.output())
        yield gateway, a, b
        assert_nothing_clear(wire)
        gateway.stop()


def talk(gateway, seconds=2.0):
    """The id of a call that is up, when each side has sent for so long."""
    ident = wait_for("the call is up", lambda: up(gateway))["id"]
    wait_relayed(gateway, ident, seconds)
    return ident


def sent(gateway, ident):
    return [leg["tx"]["packets"] for leg in gateway.ctl("show", "call", ident)["legs"]]


def wait_relayed(gateway, ident, seconds):
    """So much more to each side."""
    before = sent(gateway, ident)
    wait_for("both are sent speech", lambda: all(n >= b + 50 * seconds for n, b in zip(sent(gateway, ident), before)))


def assert_silent(gateway, ident, side):
    """Nothing more to the caller (0) or to the called side (1)."""
    def count():
        return sent(gateway, ident)[side]

    wait_for("nothing more is sent there", lambda: count() == (time.sleep(0.3), count())[1])


def assert_ended(gateway, ident, a, b, seconds):
    """Each has heard the other, of all calls so far; the legs of this one."""
    for listener, tone in ((a, TONE_B), (b, TONE_A)):
        wait_for(f"{listener.name} has heard the other", lambda l=listener, t=tone: l.heard(t)[0] >= seconds)
    return assert_clean(gateway, ident, lost=5)


def test_linphone_calls_holds_and_is_called():
    with registered() as (gateway, a, b):
        a.dial("+4930300")
        ident = talk(gateway)
        a.command("pause")
        a.wait_says("is now paused")
        assert_silent(gateway, ident, 0)
        a.command("resume 1")
        a.wait_says("Media streams established", 2)
        wait_relayed(gateway, ident, 1)
        b.command("hold")
        a.wait_says("has been paused by")
        assert_silent(gateway, ident, 1)
        b.command("resume")
        a.wait_says("Media streams established", 3)
        wait_relayed(gateway, ident, 1)
        hang_up(gateway, a)
        secure, _ = assert_ended(gateway, ident, a, b, 1.5)
        assert secure["suite"] == CM_80 and secure["rx"]["rtcp-packets"], secure
        # Its first offer is in the feedback profile; it hears of none that was refused.
        assert [c["state"] for c in gateway.ctl("show", "calls")["calls"]] == ["ended"]

        b.dial(f"sip:{NUMBER}@{INSIDE}")
        ident = talk(gateway)
        hang_up(gateway, b)
        assert_ended(gateway, ident, a, b, 3.0)


def test_linphone_with_ice_and_bundle():
    # With bundle on it tells streams apart by a MID that needs agreeing on, even a single one.
    with registered(firewall_policy="ice\n\n[rtp]\nbundle=1") as (gateway, a, b):
        for number, dial, hangs_up in ((1, lambda: a.dial("+4930300"), b), (2, lambda: b.dial(f"sip:{NUMBER}@{INSIDE}"), a)):
            dial()
            ident = talk(gateway)
            hang_up(gateway, hangs_up)
            leg = next(leg for leg in assert_ended(gateway, ident, a, b, number * 1.5) if leg["suite"])
            assert leg["suite"] == CM_80 and leg["ice"]["state"] == "nominated", leg


def test_linphone_with_dtls():
    with registered(media_encryption="dtls") as (gateway, a, b):
        a.dial("+4930300")
        ident = talk(gateway)
        b.command("hold")
        a.wait_says("has been paused by")
        b.command("resume")
        a.wait_says("Media streams established", 2)
        wait_relayed(gateway, ident, 1)
        hang_up(gateway, a)
        secure, _ = assert_ended(gateway, ident, a, b, 1.5)
        assert secure["suite"] == CM_80 and secure["dtls"]["version"] == "DTLSv1.2", secure
