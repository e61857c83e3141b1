# SPDX-License-Identifier: Apache-2.0
"""Access peers behind NAT: a phone at home, behind a router that masquerades, with audio both ways."""

import contextlib
import os

from lab.baresip import Phone
from lab.gateway import CM_80, INSIDE, OUTSIDE, Neighbourhood, carrier, core
from lab.nat import HOME, Home
from lab.net import wait_for
from lab.party import assert_no_session_left

TONE_HOME, TONE_OFFICE = 440, 1000


def up(gateway):
    calls = gateway.ctl("show", "calls")["calls"]
    return next((c["id"] for c in calls if c["state"] == "established"), None)


def legs(gateway, ident):
    return gateway.ctl("show", "call", ident)["legs"]


@contextlib.contextmanager
def call(lab, gateway, home, office, number, via):
    """The phone at home has called the one in the office, and packets pass both ways: the caller's leg."""
    home.dial(f"sip:{number}@{via}")
    ident = wait_for("the call is up", lambda: up(gateway))
    wait_for("a second of packets each way", lambda: all(
        leg["rx"]["packets"] > 50 and leg["tx"]["packets"] > 50 for leg in legs(gateway, ident)))
    yield legs(gateway, ident)[0]
    # Who knows only what the caller said of himself could not tell him that it is over.
    office.hangup()
    home.wait_log("session closed")
    wait_for("the call has ended", lambda: gateway.ctl("show", "calls")["active"] == 0)
    assert_no_session_left(gateway)
    for listener, tone in ((home, TONE_OFFICE), (office, TONE_HOME)):
        wait_for(f"{listener.name} has recorded the other's tone", lambda l=listener, t=tone: l.heard(t)[0] > 0.4)
    assert gateway.ctl("show", "stats")["data-plane"]["verdicts"]["clear_refused"] == 0


def test_a_phone_behind_nat_over_tls_with_srtp():
    """It is known by its password alone, and its media by its keys: no address that it names is one of this network."""
    with Neighbourhood() as lab:
        password = lab.path("home.password")
        with open(password, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("let-me-in\n")
        access = {**carrier("access", "192.0.2.40", (CM_80,)), "identify": {"listener": ["carriers-tls"]},
                  "peer-auth": {"username": "branch-7", "password-file": password,
                                "algorithm": ["md5"]}}  # baresip 1.0 gives up when it hears of another
        gateway = lab.gateway([access, core("office", lab.ADDRESSES["phone"])], [(None, "+4930", "office")])
        nat = Home(lab, "outside", "192.0.2.40")
        office = Phone(lab.host("phone"), "+4930300", lab.ADDRESSES["phone"], TONE_OFFICE, "eth0", "udp", secure=None)
        home = Phone(nat.host, "+4989100", HOME, TONE_HOME, "eth0", "tls", ca=lab.ca.cert,
                     certificate=lab.identity("carrier-a")[2], account=("auth_user=branch-7", "auth_pass=let-me-in"))
        with call(lab, gateway, home, office, "+4930300", f"{OUTSIDE}:5061;transport=tls") as leg:
            assert leg["remote-address"].startswith("192.0.2.40:") and leg["suite"] == CM_80, leg
        assert gateway.ctl("show", "stats")["calls"]["counters"]["auth_challenged"] == 1
        gateway.stop()


def test_a_phone_behind_nat_over_udp():
    """In a trusted realm that learns addresses: SIP takes the way that it came by, and that way is kept open."""
    with Neighbourhood() as lab:
        realms = {"realm": [{"name": "carriers", "media-interface": ["outside"]},
                            {"name": "core", "trusted": True, "media-interface": ["inside"], "learning": "any",
                             "nat-keepalive": 1}]}
        access = core("access", "10.20.0.40")
        gateway = lab.gateway([access, carrier("office", "192.0.2.10", (CM_80,))], [(None, "+4940", "office")],
                              realms=realms)
        nat = Home(lab, "inside", "10.20.0.40")
        office = Phone(lab.host("carrier-a"), "+4940200", "192.0.2.10", TONE_OFFICE, "eth0", "tls", ca=lab.ca.cert,
                       certificate=lab.identity("carrier-a")[2])
        home = Phone(nat.host, "+4989100", HOME, TONE_HOME, "eth0", "udp", secure=None)
        with call(lab, gateway, home, office, "+4940200", INSIDE) as leg:
            assert leg["remote-address"].startswith("10.20.0.40:"), leg
            assert leg["signalling"]["behind-nat"], leg
            wait_for("keep-alives", lambda: nat.keep_alives() >= 2)
        gateway.stop()
