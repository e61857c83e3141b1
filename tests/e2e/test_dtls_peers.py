# SPDX-License-Identifier: Apache-2.0
"""DTLS-SRTP with peers that do not what they say: `openssl s_client` on the media path beside a SIP agent."""

import contextlib
import os
import tempfile

from lab.agent import Agent
from lab.dtls import DtlsAgent, client_hello, spoof
from lab.gateway import CM_80, GCM_128, GCM_256, INSIDE, OUTSIDE, Neighbourhood, carrier, core
from lab.net import wait_for
from lab.party import NUMBERS, agent, assert_no_session_left, both_hear, established

from test_audit import ctl as audit
from test_audit import records
from test_calls import assert_clean, hang_up, up
from test_dtls import assert_dtls, phone

SUITES = (GCM_256, GCM_128, CM_80)


@contextlib.contextmanager
def dtls_parties(says=None, **more):
    """(lab, gateway, a with DTLS, b with SDES); says: whose certificate's fingerprint a's SDP has."""
    with Neighbourhood() as lab:
        a = carrier("carrier-a", lab.ADDRESSES["carrier-a"], SUITES)
        a["srtp"]["keying"] = ["dtls"]
        gateway = lab.gateway([a, carrier("carrier-b", lab.ADDRESSES["carrier-b"])], [(None, "+49", "carrier-b")], **more)
        ours = lab.identity("carrier-a")
        dtls = DtlsAgent(lab.host("carrier-a"), "carrier-a", lab.ADDRESSES["carrier-a"], (OUTSIDE, 5061), "tls", ours, lab.ca.cert,
                         SUITES, user=NUMBERS["carrier-a"], dtls=ours[:2], says=says and lab.identity(says)[0])
        yield lab, gateway, dtls, agent(lab, "carrier-b")
        gateway.stop()


def answered(a, b):
    """A call that has everything but the keys of a's side; the answer."""
    a.invite(NUMBERS["carrier-b"])
    b.take(30)
    return a.answered(30)


def ended_for(gateway, a, b, reason):
    """The gateway ends the call on both sides, and says to a, in the log and to the operator why."""
    bye = a.released(30)
    assert reason in bye.get("Reason"), bye.text
    b.released(30)
    wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
    assert_no_session_left(gateway)


def strangers(lab, a, answer):
    """ClientHellos for the media port: from elsewhere, and from where the agent's own comes from."""
    hello, there = client_hello(), answer.media()[:2]
    fresh = [hello[:27] + os.urandom(32) + hello[59:] for _ in range(20)]  # each a client of its own
    for source in ((lab.ADDRESSES["carrier-c"], 40000), (a.address, a.media_port), (a.address, a.media_port + 2)):
        spoof(lab.host("carrier-c"), source, there, fresh)


def test_handshakes_of_openssl_and_hellos_of_strangers():
    """Its keys are the call's, by each kind of profile; strangers' hellos, before and during, change nothing."""
    with dtls_parties() as (lab, gateway, a, b):
        for suites, cipher in (((CM_80, GCM_128), "ECDHE-ECDSA-AES128-GCM-SHA256"),
                               ((CM_80,), "ECDHE-ECDSA-AES256-GCM-SHA384")):
            answer = answered(a, b)
            strangers(lab, a, answer)
            agreed = a.secure(answer, "-dtls1_2", "-cipher", cipher, suites=suites)
            assert agreed == (suites[-1], cipher), agreed
            for one in (a, b):
                one.talker.tell("send", "on")
            both_hear(a, b)
            strangers(lab, a, answer)
            both_hear(a, b)
            leg = gateway.ctl("show", "call", established(gateway))["legs"][0]
            assert leg["key-epoch"] == 1 and leg["suite"] == suites[-1], leg
            assert (leg["dtls"]["version"], leg["dtls"]["cipher"]) == ("DTLSv1.2", cipher), leg
            a.bye()
            b.released(30)
            for one in (a, b):
                one.talker.tell("send", "off")
            a.talker.bind(a.media_port + 100)
        assert_no_session_left(gateway)
        log = gateway.controlplane.output()
        assert "handshake failed" not in log, log[-3000:]


def test_old_versions_and_suites_without_forward_secrecy_are_refused():
    with dtls_parties() as (lab, gateway, a, b):
        for options, alert in ((("-dtls1", "-cipher", "DEFAULT@SECLEVEL=0"), "alert protocol version"),
                               (("-dtls1_2", "-cipher", "AES128-GCM-SHA256:AES128-SHA"), "alert handshake failure")):
            answer = answered(a, b)
            done, said = a.handshake(answer, *options)
            assert not done and alert in said and "no peer certificate" in said, said[-2000:]
            ended_for(gateway, a, b, "media could not be secured: DTLS ")


def test_a_certificate_that_is_not_the_one_of_the_sdp_ends_the_call():
    """The peer, the log, the operator and the audit have the reason."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "audit.jsonl")
        with dtls_parties(says="carrier-b", audit={"file": path}) as (lab, gateway, a, b):
            answer = answered(a, b)
            ident = established(gateway)
            a.handshake(answer)
            ended_for(gateway, a, b, "media could not be secured: DTLS fingerprint")
            reason = "DTLS handshake failed (fingerprint): the peer's certificate does not have the fingerprint of its SDP"
            assert reason in gateway.ctl("show", "call", ident)["end-reason"]
            assert reason in gateway.controlplane.output()
            record = wait_for("the record is there", lambda: records(path, "--call", ident))[0]
            assert record["status"] == 488 and reason in record["reason"], record
            leg = record["legs"][0]
            assert leg["anomalies"]["wrong-fingerprints"] == 1 and not leg["keys"] and not leg["tx-packets"], leg


def test_clients_of_clear_signalling_where_policy_lets_them():
    """SIP over UDP in an access realm: DTLS-SRTP with a phone that has nothing else, said to be unauthenticated; no SDES."""
    realms = {"realm": [{"name": "carriers", "dtls-over-clear-signalling": True, "media-interface": ["outside"]},
                        {"name": "core", "trusted": True, "media-interface": ["inside"]}]}
    listeners = [{"name": "access", "transport": "udp", "address": OUTSIDE, "port": 5060, "realm": "carriers"},
                 {"name": "core-udp", "transport": "udp", "address": INSIDE, "port": 5060, "realm": "core"}]
    with tempfile.TemporaryDirectory() as folder, Neighbourhood() as lab:
        path, address = os.path.join(folder, "audit.jsonl"), lab.ADDRESSES["carrier-a"]
        access = carrier("carrier-a", address, (GCM_128, CM_80))
        del access["tls-profile"]
        access["peer"][0]["transport"], access["srtp"]["keying"] = "udp", ["dtls"]
        gateway = lab.gateway([access, core("phone", lab.ADDRESSES["phone"])], [("carrier-a", "", "phone")],
                              listeners=listeners, realms=realms, audit={"file": path})
        sdes = Agent(lab.host("carrier-a"), "carrier-a", address, (OUTSIDE, 5060), "udp", suites=(CM_80,), port=5070)
        sdes.invite(NUMBERS["phone"])
        refused = sdes.expect(488)
        sdes.acknowledge(refused)
        assert "DTLS" in refused.get("Warning"), refused.text
        b = phone(lab, "phone", None)
        a = phone(lab, "carrier-a", "dtls_srtp", "udp")
        a.dial(f"sip:phone@{OUTSIDE}:5060")
        ident = wait_for("the call is up", lambda: up(gateway))["id"]

        def flowing():
            legs = gateway.ctl("show", "call", ident)["legs"]
            return all(l[d]["packets"] > 60 for l in legs for d in ("rx", "tx")) and legs

        leg = wait_for("media flows", flowing)[0]
        assert_dtls(leg, authenticated=False)
        assert "the fingerprint was not authenticated" in gateway.controlplane.output()
        hang_up(gateway, a)
        assert_clean(gateway, ident, lost=5)
        record = wait_for("the record is there", lambda: records(path, "--call", ident))[0]
        assert record["legs"][0]["dtls"]["fingerprint-authenticated"] is False, record
        assert "fingerprint not authenticated" in audit("show", path, "--call", ident).stdout
        gateway.stop()
