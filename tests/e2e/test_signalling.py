# SPDX-License-Identifier: Apache-2.0
"""Exact messages against SIPp, TLS by stunnel in front of it: which response, which header, which key."""

import contextlib
import json
import os
import re
import subprocess

from lab.baresip import port_is_open
from lab.gateway import CM_32, CM_80, GCM_256, INSIDE, OUTSIDE, Neighbourhood, carrier, core
from lab.net import wait_for
from lab.scenario import Scenario, sdp
from lab.sipp import Sipp, Stunnel

KEY_CM = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"  # 30 octets
KEY_CM_2 = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
KEY_GCM = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="  # 44 octets
CALLER, CALLEE = "192.0.2.10", "192.0.2.20"


@contextlib.contextmanager
def carriers(suites=(GCM_256, CM_80), trunks=None, routes=None, callee_identity=None, **kw):
    """
    A gateway between two carriers that are SIPps. stunnel gives each its TLS: out by 127.0.0.1:15061, in by :5061.
    """
    with Neighbourhood() as lab:
        trunks = trunks or [carrier("carrier-a", CALLER, suites), carrier("carrier-b", CALLEE, suites),
                            core("core", "10.20.0.10")]
        gateway = lab.gateway(trunks, routes or [(None, "+4940", "carrier-b"), (None, "+4930", "core")], **kw)
        for name, address in (("carrier-a", CALLER), ("carrier-b", CALLEE)):
            identity = callee_identity(lab) if name == "carrier-b" and callee_identity else lab.identity(name)
            Stunnel(lab.host(name), name, [("client", "127.0.0.1:15061", f"{OUTSIDE}:5061"),
                                           ("server", f"{address}:5061", "127.0.0.1:5070")],
                    certificate=identity[2], ca=lab.ca.cert, check_ip=OUTSIDE)
        yield lab, gateway
        gateway.stop()


def caller(lab, scenario, name="caller", **kw):
    return Sipp(lab.host("carrier-a"), name, scenario.save(lab.path(f"{name}.xml")), "127.0.0.1:15061", "127.0.0.1",
                5080, transport="t1", **kw)


def callee(lab, scenario, name="callee", host="carrier-b", **kw):
    sipp = Sipp(lab.host(host), name, scenario.save(lab.path(f"{name}.xml")), None, "127.0.0.1", 5070, transport="t1",
                **kw)
    wait_for("sipp listens", lambda: port_is_open(lab.host(host), "127.0.0.1", 5070))
    return sipp


def uac(name, **kw):
    return Scenario(name, contact=f"sip:a@{CALLER}:5061;transport=tls", **kw)


def uas(name, **kw):
    return Scenario(name, contact=f"sip:b@{CALLEE}:5061;transport=tls", **kw)


def answering(name="answers", crypto=None, **kw):
    """A callee that takes the call with the line that our policy puts first, until BYE."""
    crypto = crypto or f"1 {GCM_256} inline:{KEY_GCM}"
    return (uas(name).receive("INVITE", **kw).answer(180, "Ringing")
            .answer(200, "OK", sdp(CALLEE, crypto=[crypto] if crypto != "none" else [])).receive("ACK"))


def messages(log, first_line):
    """The messages in a SIPp log whose first line matches."""
    found = re.split(r"-{20,}[^\n]*\n", log)
    return [m.split("\n\n", 1)[1] for m in found if "\n\n" in m and re.match(first_line, m.split("\n\n", 1)[1])]


def crypto_keys(message):
    return re.findall(r"a=crypto:\d+ \S+ inline:([A-Za-z0-9+/=]+)", message)


def test_policy_order_decides_and_the_answer_has_one_line_with_its_tag():
    offer = sdp(CALLER, crypto=[f"4 {CM_32} inline:{KEY_CM}", f"7 {CM_80} inline:{KEY_CM_2}|2^20|1:4",
                                f"9 {GCM_256} inline:{KEY_GCM} UNENCRYPTED_SRTP"])
    with carriers() as (lab, gateway):
        b = callee(lab, answering(matches=[f"a=crypto:1 {GCM_256} inline:", f"a=crypto:2 {CM_80} inline:"])
                   .receive("BYE").answer_in_dialog(200, "OK"))
        a = caller(lab, uac("offers").invite("+4940200", offer).receive(100, optional=True)
                   .receive(180, optional=True)
                   .receive(200, matches=[f"a=crypto:7 {CM_80} inline:", "m=audio [0-9]+ RTP/SAVP"],
                            lacks=["a=crypto:4", "a=crypto:9"], store_routes=True)
                   .ack().pause(0.3).request("BYE").receive(200))
        a.finish()
        b.finish()


def test_nothing_of_one_side_reaches_the_other():
    with carriers() as (lab, gateway):
        b = callee(lab, answering().receive("BYE").answer_in_dialog(200, "OK"))
        a = caller(lab, uac("topology").invite("+4940200", sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM}"]))
                   .receive(100, optional=True).receive(180, optional=True).receive(200, store_routes=True).ack()
                   .pause(0.2).request("BYE").receive(200))
        a.finish()
        b.finish()
        invite = messages(b.log(), "INVITE")[0]
        answer = messages(a.log(), "SIP/2.0 200")[0]
        call_id = re.search(r"Call-ID: (\S+)", messages(a.log(), "INVITE")[0]).group(1)
        for secret in (CALLER, "127.0.0.1", call_id, KEY_CM, "o=sipp"):
            assert secret not in invite, (secret, invite)
        # The caller's own Via and Call-ID come back to it, the callee's address, name and key do not.
        for secret in (CALLEE, KEY_GCM):
            assert secret not in answer, (secret, answer)


def test_new_keys_on_every_reinvite():
    first = sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM}"])
    second = sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM_2}"], version=2, direction="sendonly")
    answer = sdp(CALLEE, crypto=[f"2 {CM_80} inline:{KEY_CM}"])
    again = sdp(CALLEE, crypto=[f"2 {CM_80} inline:{KEY_CM_2}"], version=2, direction="recvonly")
    with carriers() as (lab, gateway):
        b = callee(lab, uas("reinvited").receive("INVITE").answer(200, "OK", answer).receive("ACK")
                   .receive("INVITE", matches="a=sendonly").answer_in_dialog(200, "OK", again).receive("ACK")
                   .receive("BYE").answer_in_dialog(200, "OK"))
        a = caller(lab, uac("reinvites").invite("+4940200", first).receive(100, optional=True)
                   .receive(200, store_routes=True).ack().pause(0.3)
                   .invite("+4940200", second, cseq=2, in_dialog=True).receive(100, optional=True)
                   .receive(200, matches="a=recvonly").ack().pause(0.3).request("BYE", cseq=3).receive(200))
        a.finish()
        b.finish()
        offers = [crypto_keys(m) for m in messages(b.log(), "INVITE")]
        answers = [crypto_keys(m) for m in messages(a.log(), "SIP/2.0 200") if "CSeq: 3" not in m]
        ours = [k for keys in offers + answers for k in keys]
        assert len(offers) == 2 and len(answers) == 2 and all(offers) and all(answers), (offers, answers)
        assert len(set(ours)) == len(ours), "a key of ours was used twice"
        assert not {KEY_CM, KEY_CM_2, KEY_GCM} & set(ours)


def test_error_responses_pass_with_their_reason():
    with carriers() as (lab, gateway):
        b = callee(lab, uas("busy").receive("INVITE").answer(180, "Ringing").answer(486, "Busy Here And There")
                   .receive("ACK"))
        a = caller(lab, uac("finds-busy").invite("+4940200", sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM}"]))
                   .receive(100, optional=True).receive(180).receive(486, matches="Busy Here And There").ack(failed=True))
        a.finish()
        b.finish()


def test_cancel_reaches_the_called_side():
    with carriers() as (lab, gateway):
        b = callee(lab, uas("cancelled").receive("INVITE").answer(180, "Ringing").receive("CANCEL", matches="Reason: SIP")
                   .answer_cancelled().receive("ACK"))
        a = caller(lab, uac("cancels").invite("+4940200", sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM}"]))
                   .receive(100, optional=True).receive(180).cancel().receive(200).receive(487).ack(failed=True))
        a.finish()
        b.finish()
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)


def test_answer_without_crypto_ends_the_call_on_both_sides():
    with carriers() as (lab, gateway):
        b = callee(lab, uas("answers-clear").receive("INVITE", matches="a=crypto:1 ")
                   .answer(200, "OK", sdp(CALLEE, proto="RTP/AVP")).receive("ACK")
                   .receive("BYE", matches="Reason:").answer_in_dialog(200, "OK"))
        a = caller(lab, uac("hears-why").invite("+4940200", sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM}"]))
                   .receive(100, optional=True).receive(488, matches="Warning: 399 .*secure offer").ack(failed=True))
        a.finish()
        b.finish()
        counters = gateway.ctl("show", "stats")["calls"]["counters"]
        assert (counters["failed_answer"], counters["downgrade_clear"], counters["downgrade_keys"]) == (1, 1, 0), counters


def refused_offer(offer, downgrade, code=488, pattern="Warning: 399"):
    with carriers() as (lab, gateway):
        a = caller(lab, uac("refused").invite("+4940200", offer).receive(100, optional=True)
                   .receive(code, matches=pattern).ack(failed=True))
        a.finish()
        assert gateway.ctl("show", "calls")["active"] == 0
        assert gateway.ctl("show", "stats")["calls"]["counters"][downgrade] == 1


def test_savp_without_a_usable_crypto_line_is_refused():
    refused_offer(sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM} UNENCRYPTED_SRTP", f"2 {CM_80} inline:AAAA"]), "downgrade_keys")


def test_avp_with_crypto_is_refused_where_srtp_is_required():
    refused_offer(sdp(CALLER, proto="RTP/AVP", crypto=[f"1 {CM_80} inline:{KEY_CM}"]), "downgrade_clear")


def test_other_media_is_answered_with_port_zero():
    offer = sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM}"], extra=["m=image 30010 udptl t38", "a=T38FaxVersion:0"])
    with carriers() as (lab, gateway):
        answer = sdp(CALLEE, crypto=[f"2 {CM_80} inline:{KEY_CM_2}"], extra=["m=image 0 udptl t38"])
        b = callee(lab, uas("fax").receive("INVITE", matches="m=image 0 udptl").answer(200, "OK", answer).receive("ACK")
                   .receive("BYE").answer_in_dialog(200, "OK"))
        a = caller(lab, uac("offers-fax").invite("+4940200", offer).receive(100, optional=True)
                   .receive(200, matches=["m=image 0 udptl", "m=audio [1-9]"], store_routes=True).ack().pause(0.2)
                   .request("BYE").receive(200))
        a.finish()
        b.finish()


def test_options_is_answered():
    with carriers() as (lab, gateway):
        caller(lab, uac("pings").options().receive(200, matches="Allow: .*INVITE")).finish()


def test_unknown_numbers_and_unknown_sources():
    with carriers() as (lab, gateway):
        offer = sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM}"])
        caller(lab, uac("no-route").invite("+1555", offer).receive(100, optional=True)
               .receive(404, matches="Warning: 399").ack(failed=True)).finish()
        host = lab.host("carrier-c")
        identity = lab.identity("carrier-c")
        Stunnel(host, "stranger", [("client", "127.0.0.1:15061", f"{OUTSIDE}:5061")], certificate=identity[2],
                ca=lab.ca.cert)
        stranger = Scenario("stranger").invite("+4940200", offer).receive(100, optional=True).receive(403).ack(failed=True)
        Sipp(host, "stranger", stranger.save(lab.path("stranger.xml")), "127.0.0.1:15061", "127.0.0.1", 5080,
             transport="t1").finish()
        assert gateway.ctl("show", "stats")["calls"]["counters"]["refused_unknown_peer"] == 1


def test_a_callee_with_a_strangers_certificate_is_not_called():
    def wrong_name(lab):
        return lab.ca.issue("wrong", "198.51.100.77", "elsewhere.example.net")

    with carriers(callee_identity=wrong_name) as (lab, gateway):
        a = caller(lab, uac("wrong-name").invite("+4940200", sdp(CALLER, crypto=[f"1 {CM_80} inline:{KEY_CM}"]))
                   .receive(100, optional=True).receive(503, matches="Warning: 399 .*could not be reached").ack(failed=True))
        a.finish()
        assert "certificate" in gateway.ctl("show", "calls")["calls"][-1]["end-reason"]  # not the caller's business


def s_client(lab, *args):
    argv = ["ip", "netns", "exec", lab.host("carrier-a").netns, "openssl", "s_client", "-connect", f"{OUTSIDE}:5061",
            "-CAfile", lab.ca.cert, *args]
    return subprocess.run(argv, input="", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)


def test_tls_versions_suites_and_client_certificates():
    with carriers(verify="required") as (lab, gateway):
        cert, key, _ = lab.identity("carrier-a")
        mine = ["-cert", cert, "-key", key]
        assert "TLSv1.3" in s_client(lab, *mine).stdout
        assert "ECDHE" in s_client(lab, *mine, "-tls1_2").stdout
        assert "Cipher is (NONE)" in s_client(lab, *mine, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0").stdout
        assert "Cipher is (NONE)" in s_client(lab, *mine, "-tls1_2", "-cipher", "AES128-GCM-SHA256").stdout
        without = s_client(lab, "-tls1_2").stdout
        assert "alert" in without or "Cipher is (NONE)" in without, without
        sip = gateway.ctl("show", "stats")["sip"]
        assert sip["tls_failures"] >= 3 and sip["tls_downgrades"] == 2, sip


def test_secure_side_has_no_clear_sip():
    with carriers() as (lab, gateway):
        sockets = lab.gateway_host.exec("ss", "-Hltun")
        assert f"{OUTSIDE}:5061" in sockets and f"{INSIDE}:5060" in sockets, sockets
        assert f"{OUTSIDE}:5060" not in sockets and "0.0.0.0:5060" not in sockets and "*:5060" not in sockets, sockets


def test_retransmitted_requests_reach_the_called_side_once():
    probe = """
import socket, sys
body = sys.argv[1].replace("\\n", "\\r\\n")
invite = ("INVITE sip:+4940200@10.20.0.1 SIP/2.0\\r\\nVia: SIP/2.0/UDP 10.20.0.10:5062;branch=z9hG4bKonce;rport\\r\\n"
    "From: <sip:p@10.20.0.10>;tag=one\\r\\nTo: <sip:+4940200@10.20.0.1>\\r\\nCall-ID: once@10.20.0.10\\r\\n"
    "CSeq: 1 INVITE\\r\\nContact: <sip:p@10.20.0.10:5062>\\r\\nMax-Forwards: 70\\r\\n"
    "Content-Type: application/sdp\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body)).encode()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.20.0.10", 5062))
s.settimeout(8)
finals = 0
for _ in range(5):
    s.sendto(invite, ("10.20.0.1", 5060))
while finals < 1:
    answer = s.recv(65536).decode()
    finals += answer.startswith("SIP/2.0 486")
print(answer.split("\\r\\n")[0])
"""
    with carriers(routes=[("core", "+4940", "carrier-b")]) as (lab, gateway):
        b = callee(lab, uas("once").receive("INVITE").pause(0.5).answer(486, "Busy Here").receive("ACK"))
        out = lab.host("phone").exec("python3", "-c", probe, sdp("10.20.0.10", proto="RTP/AVP"))
        assert "486" in out, out
        b.finish()
        assert len(messages(b.log(), "INVITE")) == 1
        assert gateway.ctl("show", "stats")["sip"]["rx_retransmissions"] >= 4


def test_malformed_requests_get_a_clear_answer():
    probe = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.20.0.10", 5062))
s.settimeout(5)
head = ("Via: SIP/2.0/UDP 10.20.0.10:5062;branch=z9hG4bKbad;rport\\r\\nFrom: <sip:p@h>;tag=1\\r\\nTo: <sip:q@h>\\r\\n"
    "Call-ID: bad\\r\\nCSeq: 1 INVITE\\r\\nContent-Length: 0\\r\\n\\r\\n")
for line in ("INVITE sip:q@10.20.0.1 SIP/7.0", "INVITE  <bad> SIP/2.0", "INVITE http://x/ SIP/2.0"):
    s.sendto((line + "\\r\\n" + head).encode(), ("10.20.0.1", 5060))
    print(s.recv(65536).decode().split("\\r\\n")[0])
s.sendto(b"\\x00\\xff" * 500, ("10.20.0.1", 5060))
"""
    with carriers() as (lab, gateway):
        answers = lab.host("phone").exec("python3", "-c", probe).splitlines()
        assert answers[0].startswith("SIP/2.0 505") and answers[1].startswith("SIP/2.0 400"), answers
        assert answers[2].startswith("SIP/2.0 416"), answers
        assert gateway.controlplane.running()


def test_configuration_mistakes_are_named_and_nothing_starts():
    with Neighbourhood() as lab:
        program = os.path.join(os.environ["SRTPGW_BUILD"], "controlplane", "srtpgw-controlplane")

        def check(tree):
            path = lab.path("broken.json")
            with open(path, "w") as f:
                json.dump(tree, f)
            done = subprocess.run([program, "--check", "--config", path], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=20)
            return done.returncode, done.stdout

        def fresh():
            return lab.configuration([carrier("carrier-a", CALLER), core("core", "10.20.0.10")], [(None, "+49", "core")])

        assert check(fresh())[0] == 0, check(fresh())
        tree = fresh()
        tree["srtp-gateway:gateway"]["sip"]["listener"][0]["transport"] = "udp"
        code, text = check(tree)
        assert code == 3 and "/srtp-gateway:gateway/sip/listener" in text and "trusted" in text, text
        tree = fresh()
        tree["srtp-gateway:gateway"]["trunks"]["trunk"][0]["srtp"] = {"mode": "none"}
        code, text = check(tree)
        assert code == 3 and "trunk[name='carrier-a']" in text, text
        tree = fresh()
        tree["srtp-gateway:gateway"]["tls-profiles"]["tls-profile"][0]["certificate"] = lab.path("missing.pem")
        code, text = check(tree)
        assert code == 3 and "missing.pem" in text and text.count("\n") == 1, text
