# SPDX-License-Identifier: Apache-2.0
"""DTLS-SRTP without ICE: baresip as a phone that has nothing else, on either side of a call."""

import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab.agent import Agent
from lab.baresip import Phone
from lab.capture import Capture
from lab.gateway import CM_80, GCM_128, INSIDE, OUTSIDE, Neighbourhood, carrier, core, needs_dtls13
from lab.net import wait_for
from test_audit import ctl as audit, records
from test_calls import assert_clean, assert_heard, assert_nothing_clear, hang_up, up

TONES = {"carrier-a": 440, "carrier-b": 1000, "phone": 1000}


def dtls_trunk(name, suites=(GCM_128, CM_80), keying=("dtls",), **more):
    trunk = carrier(name, Neighbourhood.ADDRESSES[name], suites, **more)
    trunk["srtp"] = {**trunk["srtp"], "keying": list(keying)}
    return trunk


def phone(lab, name, secure, transport=None):
    transport = transport or ("udp" if name == "phone" else "tls")
    identity = lab.identity(name) if transport == "tls" else None
    return Phone(lab.host(name), name.replace("carrier-", ""), lab.ADDRESSES[name], TONES[name], "eth0", transport,
                 secure=secure, certificate=identity and identity[2], ca=lab.ca.cert)


def call(trunks, caller, callee, seconds=1.5, uri=None, **more):
    """A call that both hear: (the call as it was while up, and after its end, log of the control plane)."""
    with Neighbourhood() as lab:
        gateway = lab.gateway(trunks, [(trunks[0]["name"], "", trunks[1]["name"])], **more)
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        b, a = phone(lab, *callee), phone(lab, *caller)
        user = callee[0].replace("carrier-", "")
        a.dial(f"sip:{user}@{INSIDE}" if trunks[0]["realm"] == "core" else uri or f"sip:{user}@{OUTSIDE}:5061;transport=tls")
        ident = wait_for("the call is up", lambda: up(gateway))["id"]

        def flowing():
            legs = gateway.ctl("show", "call", ident)["legs"]
            return legs if all(leg["rx"]["packets"] > 100 and leg["tx"]["packets"] > 100 for leg in legs) else None

        legs = wait_for("media flows on both sides", flowing)
        hang_up(gateway, a)
        assert_clean(gateway, ident, lost=5)
        assert_nothing_clear(wire)
        assert_heard(b, a, seconds)
        assert_heard(a, b, seconds)
        log = gateway.controlplane.output()
        gateway.stop()
        return legs, log


def assert_dtls(leg, authenticated=True):
    assert leg["keying"] == "dtls" and leg["suite"] in (GCM_128, CM_80), leg
    assert leg["dtls"]["version"].startswith("DTLSv1.") and "ECDHE" in leg["dtls"]["cipher"], leg
    assert leg["dtls"]["group"] and leg["dtls"]["fingerprint-authenticated"] is authenticated, leg


def test_a_dtls_phone_calls_a_plain_one_and_the_audit_says_how():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "audit.jsonl")
        legs, _ = call([dtls_trunk("carrier-a"), core("core", Neighbourhood.ADDRESSES["phone"])],
                       ("carrier-a", "dtls_srtp"), ("phone", None), audit={"file": path})
        assert_dtls(legs[0])
        dtls = legs[0]["dtls"]
        shown = audit("show", path, "--tls", dtls["version"]).stdout
        assert f"{dtls['version']} {dtls['cipher']} {dtls['group']} SRTP_" in shown and "peer sha-256 " in shown, shown
        ranks = audit("suites", path).stdout
        assert any(dtls["version"] in row and legs[0]["suite"] in row for row in ranks.splitlines()), ranks


def test_a_plain_phone_calls_a_dtls_one():
    legs, _ = call([core("core", Neighbourhood.ADDRESSES["phone"]), dtls_trunk("carrier-a")],
                   ("phone", None), ("carrier-a", "dtls_srtp"))
    assert_dtls(legs[1])


def test_dtls_on_one_side_and_sdes_on_the_other():
    legs, _ = call([dtls_trunk("carrier-a", keying=("sdes", "dtls")), carrier("carrier-b", Neighbourhood.ADDRESSES["carrier-b"])],
                   ("carrier-a", "dtls_srtp"), ("carrier-b", "srtp-mand"))
    assert_dtls(legs[0])
    assert legs[1]["keying"] == "sdes" and "dtls" not in legs[1], legs[1]



def test_phones_that_make_no_second_association_keep_their_call_and_are_not_asked_again():
    """baresip takes the offer of one, answers a=setup:actpass if it was the caller, and goes on as it was."""
    trunks = [dtls_trunk(name, **{"rtcp-mux": "offer"}) for name in ("carrier-a", "carrier-b")]
    for trunk in trunks:
        trunk["srtp"] |= {"rekey-policy": "p", "dtls-policy": "d"}
    policies = {"rekey-policies": {"rekey-policy": [{"name": "p", "interval": 0, "octets": "0", "packets": "100"}]},
                "dtls-policies": {"dtls-policy": [{"name": "d", "handshake-timeout": 4}]}}
    with Neighbourhood() as lab:
        gateway = lab.gateway(trunks, [("carrier-a", "", "carrier-b")], **policies)
        b, a = phone(lab, "carrier-b", "dtls_srtp"), phone(lab, "carrier-a", "dtls_srtp")
        a.dial(f"sip:b@{OUTSIDE}:5061;transport=tls")
        ident = wait_for("the call is up", lambda: up(gateway))["id"]

        def legs():
            return gateway.ctl("show", "call", ident)["legs"]

        wait_for("both renewals are given up", lambda: [leg.get("last-renewal") for leg in legs()] == ["given-up"] * 2)
        then = legs()

        def going_on():
            return all(now[d]["packets"] > leg[d]["packets"] + 110
                       for now, leg in zip(legs(), then) for d in ("rx", "tx"))

        wait_for("media goes on, past the limit once more", going_on)
        assert [leg["key-epoch"] for leg in legs()] == [1, 1], legs()
        counted = next(row for row in gateway.ctl("show", "stats")["rekey"] if row["cause"] == "packets")
        assert [int(counted[k]) for k in ("renewed", "refused", "given-up")] == [0, 2, 2], counted
        log = gateway.controlplane.output()
        assert log.count("a=setup:actpass, where active or passive belongs") == 1, log[-3000:]
        hang_up(gateway, a)
        assert_clean(gateway, ident, lost=5)
        assert_heard(b, a, 3)
        assert_heard(a, b, 3)


def test_a_policy_that_the_peer_cannot_meet_refuses_it_and_says_why():
    """baresip has DTLS 1.2 and X25519: neither 1.3, which the one it calls from must have, nor X25519MLKEM768."""
    needs_dtls13()
    trunks = [dtls_trunk("carrier-a"), core("core", Neighbourhood.ADDRESSES["phone"]), dtls_trunk("carrier-b")]
    trunks[0]["srtp"]["dtls-policy"], trunks[2]["srtp"]["dtls-policy"] = "newest", "hybrid"
    policies = {"dtls-policies": {"dtls-policy": [{"name": "newest", "min-version": "1.3"},
                                                  {"name": "hybrid", "post-quantum": "require", "handshake-timeout": 2}]}}
    with tempfile.TemporaryDirectory() as folder, Neighbourhood() as lab:
        path = os.path.join(folder, "audit.jsonl")
        gateway = lab.gateway(trunks, [("carrier-a", "", "core"), ("core", "", "carrier-b")], audit={"file": path}, **policies)
        b, a, c = phone(lab, "carrier-b", "dtls_srtp"), phone(lab, "carrier-a", "dtls_srtp"), phone(lab, "phone", None)

        def refused(trunk, *what):
            """Its call was, and log, CLI and audit say why."""
            wait_for("the call was refused", lambda: records(path, "--trunk", trunk))
            record, = records(path, "--trunk", trunk)
            assert all(w in record["reason"] for w in what), record
            assert [leg["keys"] for leg in record["legs"] if "keying" in leg] == [[]], record
            shown = gateway.ctl("show", "call", record["call"])
            assert record["reason"] in shown["end-reason"], shown
            assert what[0] in gateway.controlplane.output()

        a.dial(f"sip:phone@{OUTSIDE}:5061;transport=tls")
        refused("carrier-a", "the policy requires DTLS 1.3", "trunk carrier-a: DTLS handshake failed")
        # Here the gateway waits for the handshake, and the phone, told that it is refused, may hang up first.
        c.dial(f"sip:b@{INSIDE}")
        refused("carrier-b", "the policy requires X25519MLKEM768", "refused")
