# SPDX-License-Identifier: Apache-2.0
"""Digest authentication against kamailio, which challenges us, and against SIPp, which we challenge."""

import contextlib
import os
import re

from lab.gateway import INSIDE, Neighbourhood, core
from lab.kamailio import Kamailio
from lab.net import wait_for
from lab.scenario import Scenario, sdp
from lab.sipp import Sipp

PHONE, PROXY = "10.20.0.11", "10.20.0.10"

# Every request of a call but ACK and CANCEL has to show the password; then it goes to the SIPp behind.
CHALLENGES = """
    if (is_method("INVITE|BYE|UPDATE|PRACK") && $si == "10.20.0.1") {
        if (!pv_proxy_authenticate("trunk.example", "open sesame", "0")) {
            xlog("L_INFO", "challenge $rm $ci\\n");
            proxy_challenge("trunk.example", "1");
            exit;
        }
        xlog("L_INFO", "authenticated $rm $au\\n");
        consume_credentials();
    }
    if (has_totag()) { if (loose_route()) { t_relay(); exit; } sl_send_reply("404", "Not Here"); exit; }
    record_route();
    $du = "sip:10.20.0.10:5070";
    t_relay();
"""


@contextlib.contextmanager
def two_inside(proxy=None, phone=None, route="+49 proxy"):
    """Two trunks of the core: `phone` calls from 10.20.0.11, `proxy` is called at 10.20.0.10."""
    with Neighbourhood() as lab:
        lab.host("phone").ip("addr", "add", f"{PHONE}/24", "dev", "eth0")
        for name, text in (("ours", "open sesame\n"), ("wrong", "close sesame\n"), ("theirs", "let me in\n")):
            with open(lab.path(f"{name}.password"), "w") as f:
                os.fchmod(f.fileno(), 0o600)
                f.write(text)
        trunks = [core("proxy", PROXY, **(proxy(lab) if proxy else {})),
                  core("phone", PHONE, **(phone(lab) if phone else {}))]
        prefix, to = route.split()
        gateway = lab.gateway(trunks, [(None, prefix, to)])
        yield lab, gateway
        gateway.stop()


def auth(lab, name="ours"):
    return {"auth": {"username": "gw-4711", "password-file": lab.path(f"{name}.password")}}


def kamailio(lab, algorithm):
    return Kamailio(lab.host("phone"), "kamailio", [f"udp:{PROXY}:5060"], CHALLENGES, modules=("auth",),
                    params=(("auth", "nonce_count", 1), ("auth", "qop", "auth"), ("auth", "algorithm", algorithm)))


def caller(lab, scenario, name="caller", extra=(), **kw):
    return Sipp(lab.host("phone"), name, scenario.save(lab.path(f"{name}.xml")) or lab.path(f"{name}.xml"),
                f"{INSIDE}:5060", PHONE, 5060, extra=extra, **kw)


def callee(lab):
    scenario = (Scenario("callee", transport="UDP").receive("INVITE", lacks="Proxy-Authorization", store_routes=True)
                .answer(180, "Ringing", headers=["[last_Record-Route:]"])
                .answer(200, "OK", sdp(proto="RTP/AVP"), headers=["[last_Record-Route:]"])
                .receive("ACK").receive("BYE").answer_in_dialog(200, "OK"))
    scenario.save(lab.path("callee.xml"))
    return Sipp(lab.host("phone"), "callee", lab.path("callee.xml"), None, PROXY, 5070)


def call():
    return (Scenario("caller", transport="UDP").invite("+4940123", sdp(proto="RTP/AVP")).receive(100, optional=True)
            .receive(180).receive(200, store_routes=True).ack().pause(0.2).request("BYE").receive(200))


def called_through_kamailio(algorithm):
    with two_inside(proxy=auth) as (lab, gateway):
        proxy, bob = kamailio(lab, algorithm), callee(lab)
        alice = caller(lab, call())
        alice.finish()
        bob.finish()
        log = proxy.log()
        assert len(re.findall("challenge INVITE", log)) == 1, log[-2000:]
        assert "authenticated INVITE gw-4711" in log, log[-2000:]
        # The BYE has credentials from the start: with the nonce of the INVITE, counted on.
        assert "authenticated BYE gw-4711" in log and "challenge BYE" not in log, log[-2000:]
        # What proves the password is in no trace; that it was there, is.
        ident = gateway.ctl("show", "calls")["calls"][-1]["id"]
        messages = "\n".join(m["text"] for m in gateway.ctl("trace", ident)["messages"])
        assert "Proxy-Authorization: Digest ***" in messages and "gw-4711" not in messages, messages[-3000:]


def test_kamailio_challenges_with_md5():
    called_through_kamailio("MD5")


def test_kamailio_challenges_with_sha_256():
    called_through_kamailio("SHA-256")


def test_a_password_that_kamailio_refuses():
    with two_inside(proxy=lambda lab: auth(lab, "wrong")) as (lab, gateway):
        proxy = kamailio(lab, "MD5")
        alice = caller(lab, Scenario("caller", transport="UDP").invite("+4940123", sdp(proto="RTP/AVP"))
                       .receive(100, optional=True).receive(502, lacks="Authenticate").ack(failed=True))
        alice.finish()
        assert "authenticated" not in proxy.log()
        log = gateway.controlplane.output()
        assert "the trunk refuses our user name and password" in log, log[-2000:]
        assert "sesame" not in log
        assert gateway.ctl("show", "stats")["calls"]["counters"]["auth_refused"] == 1


def guarded(lab):
    """Of the algorithms SIPp 3.6 knows MD5 only, and ends when it hears of another first."""
    return {"peer-auth": {"username": "alice", "password-file": lab.path("theirs.password"),
                          "algorithm": ["md5"]}}


def call_with_credentials(last):
    """The challenge, then the call once more with what SIPp makes of -au and -ap; its answer is `last`."""
    first = Scenario("caller", transport="UDP").invite("+4940123", sdp(proto="RTP/AVP")).receive(100, optional=True)
    first.steps.append('<recv response="401" auth="true"/>')
    first.ack(failed=True).invite("+4940123", sdp(proto="RTP/AVP"), cseq=2,
                                  headers=["[authentication username=alice]"])
    return first.receive(100, optional=True).receive(last)


def test_a_caller_has_to_show_its_password():
    with two_inside(phone=guarded) as (lab, gateway):
        scenario = (Scenario("callee", transport="UDP").receive("INVITE", lacks="uthorization")
                    .answer(180, "Ringing").answer(200, "OK", sdp(proto="RTP/AVP")).receive("ACK").receive("BYE")
                    .answer_in_dialog(200, "OK"))
        scenario.save(lab.path("callee.xml"))
        bob = Sipp(lab.host("phone"), "callee", lab.path("callee.xml"), None, PROXY, 5060)
        alice = caller(lab, call_with_credentials(180).receive(200, store_routes=True).ack().pause(0.2)
                       .request("BYE", cseq=3).receive(200), extra=["-au", "alice", "-ap", "let me in"])
        alice.finish()
        bob.finish()
        counters = gateway.ctl("show", "stats")["calls"]["counters"]
        assert counters["auth_challenged"] == 1 and counters["refused_credentials"] == 0, counters


def test_a_caller_with_another_password():
    with two_inside(phone=guarded) as (lab, gateway):
        alice = caller(lab, call_with_credentials(403), extra=["-au", "alice", "-ap", "open sesame"])
        alice.finish()
        assert gateway.ctl("show", "stats")["calls"]["counters"]["refused_credentials"] == 1
        reason = gateway.ctl("show", "trunks")["trunk"][1]["last-rejection"]
        assert reason == "403 the user name or password is wrong", reason


# Registers whoever shows the password, and sends calls for 4711 to where it registered.
REGISTRAR = """
    if (is_method("REGISTER")) {
        if (!pv_www_authenticate("trunk.example", "open sesame", "0")) { www_challenge("trunk.example", "1"); exit; }
        xlog("L_INFO", "register $au $hdr(Expires)\\n");
        save("location");
        exit;
    }
    if (has_totag()) { if (loose_route()) { t_relay(); exit; } sl_send_reply("404", "Not Here"); exit; }
    record_route();
    if (!lookup("location")) { sl_send_reply("480", "Not Registered"); exit; }
    t_relay();
"""


def registering(lab):
    """Recognised by nothing but its registration."""
    return {**auth(lab), "identify": {}, "registration": {"aor": "sip:4711@trunk.example", "expires": 60}}


def registration(gateway):
    return gateway.ctl("show", "trunks")["trunk"][0].get("registration", {})


def test_a_trunk_that_is_registered_with_kamailio_calls_us_there():
    with two_inside(proxy=registering, route="+49 phone") as (lab, gateway):
        proxy = Kamailio(lab.host("phone"), "kamailio", [f"udp:{PROXY}:5060"], REGISTRAR,
                         modules=("auth", "usrloc", "registrar"),
                         params=(("auth", "nonce_count", 1), ("auth", "qop", "auth"),
                                 ("registrar", "min_expires", 60)))
        wait_for("the gateway is registered",
                 lambda: registration(gateway).get("registration-state") == "registered")
        assert "register gw-4711 60" in proxy.log()
        bob = (Scenario("callee", transport="UDP").receive("INVITE").answer(180, "Ringing")
               .answer(200, "OK", sdp(proto="RTP/AVP")).receive("ACK").receive("BYE").answer_in_dialog(200, "OK"))
        bob.save(lab.path("callee.xml"))
        bob = Sipp(lab.host("phone"), "callee", lab.path("callee.xml"), None, PHONE, 5060)
        alice = (Scenario("caller", transport="UDP").invite("+4940123", sdp(proto="RTP/AVP"))
                 .receive(100, optional=True).receive(180, store_routes=True).receive(200, store_routes=True).ack()
                 .pause(0.2).request("BYE").receive(200))
        # For 4711, as the registrar knows us; the number that is called stands in To.
        alice.steps[0] = alice.steps[0].replace("INVITE sip:+4940123@", "INVITE sip:4711@", 1)
        alice.save(lab.path("caller.xml"))
        alice = Sipp(lab.host("phone"), "caller", lab.path("caller.xml"), f"{PROXY}:5060", PROXY, 5090)
        alice.finish()
        bob.finish()
        call_ = gateway.ctl("show", "calls")["calls"][-1]
        assert (call_["ingress-trunk"], call_["to"]) == ("proxy", "+4940123"), call_
        # At the end the registrar is told.
        gateway.stop()
        wait_for("the registration is taken back", lambda: "register gw-4711 0" in proxy.log())
