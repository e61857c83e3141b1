# SPDX-License-Identifier: Apache-2.0
"""What each side of a call is shown of the other: SIPp looks at every header that it gets."""

import contextlib
import os

from lab.baresip import port_is_open
from lab.gateway import CM_80, INSIDE, OUTSIDE, Neighbourhood, carrier, core
from lab.net import LabError, wait_for
from lab.scenario import Scenario, sdp
from lab.sipp import Sipp, Stunnel

KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"  # 30 octets
CARRIER, PHONE = "192.0.2.20", "10.20.0.10"
RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "header-rules.json")


@contextlib.contextmanager
def gateway(**more):
    """A core of the trust domain, and a carrier outside it that is a SIPp behind stunnel."""
    with Neighbourhood() as lab:
        gw = lab.gateway([carrier("carrier", CARRIER, **more), core("core", PHONE)],
                         [("core", "+49", "carrier"), ("carrier", "+4989", "core")])
        Stunnel(lab.host("carrier-b"), "carrier", [("client", "127.0.0.1:15061", f"{OUTSIDE}:5061"),
                                                   ("server", f"{CARRIER}:5061", "127.0.0.1:5070")],
                certificate=lab.identity("carrier-b")[2], ca=lab.ca.cert, check_ip=OUTSIDE)
        yield lab, gw
        gw.stop()


def at_carrier(name):
    return Scenario(name, contact=f"sip:b@{CARRIER}:5061;transport=tls")


def at_core(name):
    return Scenario(name, transport="UDP", user="+4989100", contact=f"sip:a@{PHONE}:5060")


def carrier_listens(lab, scenario):
    sipp = Sipp(lab.host("carrier-b"), scenario.name, scenario.save(lab.path(f"{scenario.name}.xml")), None, "127.0.0.1",
                5070, transport="t1")
    wait_for("sipp listens", lambda: port_is_open(lab.host("carrier-b"), "127.0.0.1", 5070))
    return sipp


def core_calls(lab, scenario):
    return Sipp(lab.host("phone"), scenario.name, scenario.save(lab.path(f"{scenario.name}.xml")), f"{INSIDE}:5060", PHONE,
                5060)


def refusing(name, **kw):
    return at_carrier(name).receive("INVITE", **kw).answer(486, "Busy Here").receive("ACK")


def calling(name, headers):
    return (at_core(name).invite("004940200300", sdp(PHONE, proto="RTP/AVP"), headers=headers)
            .receive(100, optional=True).receive(486).ack(failed=True))


def test_nothing_passes_but_what_is_for_the_far_end():
    with gateway() as (lab, gw):
        b = carrier_listens(lab, refusing(
            "shown", matches=["P-Asserted-Identity: <sip:.4989100@192.0.2.1>", "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>",
                              "Subject: lunch", "Diversion: <sip:.4989200@192.0.2.1>;reason=unconditional",
                              "Max-Forwards: 69"],
            lacks=["4989999", "pbx", "10\\.20\\.0\\.10", "X-Secret", "P-Early-Media", "Privacy: user"]))
        a = core_calls(lab, at_core("tells").invite("+4940200300", sdp(PHONE, proto="RTP/AVP"), headers=[
            "P-Asserted-Identity: <sip:+4989100@pbx.internal>", "Privacy: user", "Subject: lunch",
            "Diversion: <sip:+4989200@pbx.internal>;reason=unconditional", "User-Agent: pbx 1.0", "X-Secret: pbx",
            "Diversion: <sip:+4989999@pbx.internal>;privacy=full", "P-Early-Media: supported"])
            .receive(100, optional=True).receive(486).ack(failed=True))
        a.finish()
        b.finish()


def test_what_a_carrier_asserts_stays_outside():
    with gateway() as (lab, gw):
        answering = (at_core("core-answers").receive("INVITE", matches="User-to-User: 00",
                                                     lacks=["P-Asserted", "P-Preferred", "bank.example", "192.0.2.20"])
                     .answer(486, "Busy Here").receive("ACK"))
        core_listens = Sipp(lab.host("phone"), "core-answers", answering.save(lab.path("core-answers.xml")), None, PHONE,
                                5060)
        wait_for("sipp listens", lambda: "10.20.0.10:5060" in lab.host("phone").exec("ss", "-Hlun"))
        calls = (at_carrier("pretends").invite("+4989100", sdp(CARRIER, crypto=[f"1 {CM_80} inline:{KEY}"]), headers=[
            "P-Asserted-Identity: <sip:+1@bank.example>", "P-Preferred-Identity: <sip:+1@bank.example>",
            "User-to-User: 00"]).receive(100, optional=True).receive(486).ack(failed=True))
        a = Sipp(lab.host("carrier-b"), "pretends", calls.save(lab.path("pretends.xml")), "127.0.0.1:15061", "127.0.0.1", 5080,
                 transport="t1")
        a.finish()
        core_listens.finish()
        assert gw.ctl("show", "stats")["calls"]["counters"]["identities_dropped"] == 1


def test_the_commented_rules_do_what_they_say():
    with gateway() as (lab, gw):
        gw.ctl("edit", RULES)
        gw.ctl("commit")
        gw.ctl("set", "trunks/trunk/core/numbers/country-code", "49")
        gw.ctl("commit")
        b = carrier_listens(lab, refusing(
            "ruled", matches=["INVITE sip:040200300@sip.carrier.example SIP/2.0", "To: <sip:040200300@sip.carrier.example>",
                              "From: \"Caller\" <sip:089100@gateway.example.net>;tag=", "X-Interconnect: example-net-1",
                              "X-Account: 17;region=north"], lacks=["acct-", "10\\.20"]))
        a = core_calls(lab, calling("account", ["X-Account: acct-17@north"]))
        a.finish()
        b.finish()


def test_an_owned_header_is_refused_at_the_commit():
    with gateway() as (lab, gw):
        path = "trunks/trunk/carrier/header-rule/x"
        for leaf, value in (("direction", "out"), ("action", "remove"), ("header", "Via")):
            gw.ctl("set", f"{path}/{leaf}", value)
        try:
            gw.ctl("commit")
        except LabError as e:
            assert "exit 3" in str(e) and "the gateway owns this header" in str(e), e
        else:
            raise AssertionError("a rule for Via was taken")


def test_digits_and_messages_pass_in_a_call_and_without_one():
    with gateway() as (lab, gw):
        dtmf = "Signal=5\nDuration=160\n"
        b = carrier_listens(lab, at_carrier("hears-digits").receive("INVITE")
                            .answer(200, "OK", sdp(CARRIER, crypto=[f"1 {CM_80} inline:{KEY}"])).receive("ACK")
                            .receive("INFO", matches=["Signal=5", "Content-Type: application/dtmf-relay", "Max-Forwards: 69"],
                                     lacks=["10\\.20"])
                            .answer_in_dialog(200, "OK").receive("BYE").answer_in_dialog(200, "OK"))
        a = core_calls(lab, at_core("sends-digits").invite("+4940200300", sdp(PHONE, proto="RTP/AVP"))
                       .receive(100, optional=True).receive(200, store_routes=True).ack()
                       .request("INFO", body=("application/dtmf-relay", dtmf)).receive(200)
                       .request("BYE", cseq=3).receive(200))
        a.finish()
        b.finish()
        heard = at_carrier("hears-a-message").receive("MESSAGE", matches=["Watson, come here", "To: <sip:.4940200300@192.0.2.20>"],
                                                      lacks=["10\\.20", "User-Agent"]).answer(200, "OK")
        b = carrier_listens(lab, heard)
        core_calls(lab, at_core("says").message("+4940200300", "Watson, come here", ["User-Agent: pbx"])
                   .receive(200)).finish()
        b.finish()
        assert gw.ctl("show", "stats")["calls"]["counters"]["messages_passed"] == 2
