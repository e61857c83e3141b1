# SPDX-License-Identifier: Apache-2.0
"""Digits that phones send as telephone events (RFC 4733): they pass like speech, encrypted on one side and clear on the other."""

from test_calls import TONE_A, TONE_B, call, hang_up

from lab.gateway import CM_80, OUTSIDE, carrier, core
from lab.net import wait_for


def test_digits_pass_both_ways():
    trunks = [carrier("carrier-a", "192.0.2.10", (CM_80,)), core("core", "10.20.0.10")]
    with call(trunks, [(None, "+4930", "core")], ("carrier-a", "+4989100", TONE_A), ("phone", "+4930300", TONE_B),
              f"sip:+4930300@{OUTSIDE}:5061;transport=tls", capture=False) as (_, gateway, a, b, ident, _):
        wait_for("media passes", lambda: all(
            leg["rx"]["packets"] > 20 for leg in gateway.ctl("show", "call", ident)["legs"]))
        for by, other, digit in ((a, b, "7"), (b, a, "4")):
            by.command("sndcode", digit)
            other.wait_log(f"received event: '{digit}'")
        hang_up(gateway, a)
