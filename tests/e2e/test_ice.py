# SPDX-License-Identifier: Apache-2.0
"""ICE-lite with DTLS-SRTP or SDES toward baresip as a full ICE agent, SDES over TLS on the other side."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab.baresip import Phone
from lab.capture import Capture
from lab.gateway import CM_80, GCM_256, OUTSIDE, Neighbourhood, carrier
from lab.net import wait_for
from test_calls import assert_clean, assert_heard, assert_nothing_clear, hang_up, up
from test_dtls import TONES, assert_dtls, dtls_trunk


def phone(lab, name, secure, ice):
    _, _, certificate = lab.identity(name)
    return Phone(lab.host(name), name.replace("carrier-", ""), lab.ADDRESSES[name], TONES[name], "eth0", "tls",
                 secure=secure, certificate=certificate, ca=lab.ca.cert, ice=ice)


def call(caller_has_ice, secure="dtls_srtp", **more):
    """A call between a phone with ICE, and DTLS or SDES, and one with SDES alone, heard by both. more: for the first's trunk."""
    by_dtls = secure == "dtls_srtp"
    trunks = [dtls_trunk("carrier-a", ice="lite", **({} if by_dtls else {"keying": ("sdes",)}), **more),
              carrier("carrier-b", Neighbourhood.ADDRESSES["carrier-b"])]
    if not caller_has_ice:
        trunks.reverse()
    with Neighbourhood() as lab:
        gateway = lab.gateway(trunks, [(trunks[0]["name"], "", trunks[1]["name"])])
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        with_ice, without = phone(lab, "carrier-a", secure, True), phone(lab, "carrier-b", "srtp-mand", False)
        caller, callee = (with_ice, without) if caller_has_ice else (without, with_ice)
        caller.dial(f"sip:{callee.name}@{OUTSIDE}:5061;transport=tls")
        ident = wait_for("the call is up", lambda: up(gateway))["id"]

        def flowing():
            legs = gateway.ctl("show", "call", ident)["legs"]
            nominated = any(leg.get("ice", {}).get("state") == "nominated" for leg in legs)
            both = all(leg["rx"]["packets"] > 100 and leg["tx"]["packets"] > 100 for leg in legs)
            return legs if nominated and both else None

        legs = wait_for("media flows on both sides, by a nominated pair", flowing)
        leg, other = (legs[0], legs[1]) if caller_has_ice else (legs[1], legs[0])
        if by_dtls:
            assert_dtls(leg)
        else:
            assert leg["suite"] == CM_80, leg
        assert leg["ice"]["pairs"] >= 1, leg
        assert leg["remote-address"].startswith(lab.ADDRESSES["carrier-a"] + ":"), leg
        assert int(leg["verdicts"]["ice"]) > 0 and int(leg["verdicts"]["ice-unauthentic"]) == 0, leg["verdicts"]
        assert "ice" not in other, other
        hang_up(gateway, caller)
        assert_clean(gateway, ident, lost=5)
        assert_nothing_clear(wire)
        assert_heard(callee, caller, 1.5)
        assert_heard(caller, callee, 1.5)
        gateway.stop()


def test_an_ice_phone_calls_one_without():
    call(caller_has_ice=True)


def test_an_ice_phone_is_called_from_one_without():
    call(caller_has_ice=False)


def test_an_ice_phone_with_sdes_calls_and_is_called():
    """
    Without rtcp-mux, so with a component for RTCP. Where it has ICE it answers with the suite that it offers, whatever
    the tag that it names stands for: that one goes first.
    """
    for caller_has_ice in (True, False):
        call(caller_has_ice, "srtp-mand", suites=(CM_80, GCM_256))
