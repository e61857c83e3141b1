# SPDX-License-Identifier: Apache-2.0
"""Who may call, who can be called, and what is said when it comes to nothing."""

import ssl
import time

from lab.certs import Authority
from lab.gateway import CM_80, Neighbourhood, carrier, core
from lab.net import wait_for
from lab.party import (NUMBERS, agent, assert_no_session_left, assert_nothing_lost, both_hear, connect, established,
                       finish, parties, talking)


def last_reason(gateway):
    return gateway.ctl("show", "calls")["calls"][-1]["end-reason"]


def refused(gateway, a, number, status):
    """a's call is refused with this status and a Warning; what the operator is told."""
    a.invite(number)
    answer = a.expect(status)
    a.acknowledge(answer)
    assert answer.get("Warning").startswith("399 srtpgw"), answer.text
    wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
    assert_no_session_left(gateway)
    return last_reason(gateway)


def test_a_callee_that_refuses_connections():
    with parties() as (_, gateway, a, b):
        b.listener.close()
        reason = refused(gateway, a, NUMBERS["carrier-b"], 503)
        assert "refused" in reason, reason


def test_a_callee_that_refuses_our_certificate():
    with parties() as (lab, gateway, a, b):
        elsewhere = Authority(lab.path("elsewhere"), "elsewhere")
        strict = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        strict.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 the client has finished before it is refused
        strict.load_cert_chain(*lab.identity("carrier-b")[:2])
        strict.load_verify_locations(elsewhere.cert)
        strict.verify_mode = ssl.CERT_REQUIRED
        b.tls[1] = strict
        a.invite(NUMBERS["carrier-b"])
        b.met()  # the handshake fails
        answer = a.expect(503)
        a.acknowledge(answer)
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
        assert "refused our certificate" in last_reason(gateway), last_reason(gateway)


def test_nobody_answers():
    """One callee rings and one is silent, at once: each caller hears 408 after the ring timeout, and who rang is told."""
    with Neighbourhood() as lab:
        trunks = [carrier(n, lab.ADDRESSES[n], (CM_80,)) for n in ("carrier-a", "carrier-b", "carrier-c")]
        gateway = lab.gateway([*trunks, core("core", lab.ADDRESSES["phone"])],
                              [("carrier-a", "+4940", "carrier-b"), ("core", "+4969", "carrier-c")],
                              limits={"ring-timeout": 10})
        a, b, c, phone = (agent(lab, n) for n in ("carrier-a", "carrier-b", "carrier-c", "phone"))
        began = time.monotonic()
        a.invite(NUMBERS["carrier-b"])
        phone.invite(NUMBERS["carrier-c"])
        offer = b.expect("INVITE")
        b.respond(offer, 180, "Ringing")
        a.expect(180)
        unanswered = c.expect("INVITE")
        answer = a.expect(408)
        assert time.monotonic() - began >= 10
        a.acknowledge(answer)
        assert "10 s" in answer.get("Warning"), answer.text
        cancel = b.expect("CANCEL")
        assert "408" in cancel.get("Reason"), cancel.text
        b.respond(cancel, 200, "OK")
        b.respond(offer, 487, "Request Terminated")
        b.expect("ACK")
        phone.acknowledge(phone.expect(408))
        assert_no_session_left(gateway)
        c.respond(unanswered, 180, "Ringing")  # only now may it be cancelled (RFC 3261 section 9.1)
        c.respond(c.expect("CANCEL"), 200, "OK")
        c.respond(unanswered, 487, "Request Terminated")
        c.expect("ACK")
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
        assert gateway.ctl("show", "stats")["calls"]["counters"]["failed_no_answer"] == 2
        gateway.stop()


def test_the_called_side_hangs_up():
    with talking() as (_, gateway, a, b):
        assert_nothing_lost(a, b)
        finish(gateway, b, a)
        assert "called" in last_reason(gateway)


def test_a_caller_whose_connection_is_lost_while_it_rings():
    """The answer goes by a new connection, to where the caller's Via says, and the call goes on."""
    with parties() as (_, gateway, a, b):
        a.invite(NUMBERS["carrier-b"])
        offer = b.expect("INVITE")
        b.respond(offer, 180, "Ringing")
        a.expect(180)
        a.hang_up_wires()
        b.respond(offer, 200, "OK", b.answer_body(offer))
        b.expect("ACK")
        answer = a.expect(200)
        a.wire = answer.wire
        a.speak_as_answered(answer)
        a.acknowledge(answer)
        for one in (a, b):
            one.talker.tell("send", "on")
        both_hear(a, b)
        finish(gateway, a, b)

        a.invite(NUMBERS["carrier-b"])
        offer = b.expect("INVITE")
        b.respond(offer, 180, "Ringing")
        a.expect(180)
        a.hang_up_wires()
        a.listener.close()  # nobody is there any more
        b.respond(offer, 200, "OK", b.answer_body(offer))
        b.expect("ACK")
        b.released()
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
        assert "the connection to the caller was lost" in last_reason(gateway), last_reason(gateway)
        assert_no_session_left(gateway)


def test_tcp_in_the_core():
    changes = {"phone": {"peer": [{"name": "phone", "host": "10.20.0.10", "transport": "tcp", "port": 5060}]}}
    with parties(b="phone", changes=changes, agents={"phone": {"transport": "tcp"}}) as (_, gateway, a, b):
        connect(a, b)
        legs = gateway.ctl("show", "call", established(gateway))["legs"]
        assert [leg["signalling"]["transport"] for leg in legs] == ["tls", "tcp"], legs
        finish(gateway, a, b)
        connect(b, a)
        finish(gateway, b, a)


def test_mutual_tls_and_recognition_by_certificate_name():
    """From one and the same address: the trunk's certificate may call, the authority's others and strangers may not."""
    by_name = {"identify": {"certificate-name": ["carrier-a.example.net"]}}
    with parties(b="phone", changes={"carrier-a": by_name}, verify="required") as (lab, gateway, a, b):
        connect(a, b)
        finish(gateway, a, b)
        a.hang_up_wires()
        a.tls[0].load_cert_chain(*lab.ca.issue("somebody", "somebody.example.net")[:2])
        a.invite(NUMBERS["phone"])
        answer = a.expect(403)
        a.acknowledge(answer)
        assert gateway.ctl("show", "stats")["calls"]["counters"]["refused_unknown_peer"] == 1
        assert b.quiet() and not b.waiting

        before = gateway.ctl("show", "stats")["sip"]["tls_failures"]
        stranger = Authority(lab.path("elsewhere"), "elsewhere").issue("stranger", "carrier-a.example.net")
        for certificate in (stranger, None):
            a.hang_up_wires()
            a.tls[0] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            a.tls[0].load_verify_locations(lab.ca.cert)
            if certificate:
                a.tls[0].load_cert_chain(*certificate[:2])
            assert_no_sip(a)
        assert gateway.ctl("show", "stats")["sip"]["tls_failures"] == before + 2


def assert_no_sip(a):
    """The gateway ends the connection instead of answering an INVITE."""
    try:
        a.invite(NUMBERS["phone"])
        answer = a.wire.recv(4096)
    except (ssl.SSLError, ConnectionError):
        answer = b""
    assert not answer, answer
    a.hang_up_wires()
