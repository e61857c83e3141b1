# SPDX-License-Identifier: Apache-2.0
"""Ways that calls take beside the usual one: by server name and host, several answers, redirections, sips: URIs."""

from test_metrics import LISTENER, metrics
from test_signalling import CALLEE, CALLER, KEY_CM, KEY_CM_2, callee, caller, carriers, uac, uas

from lab.gateway import CM_80, INSIDE, OUTSIDE, Neighbourhood, carrier, core
from lab.net import wait_for
from lab.scenario import Scenario, sdp
from lab.sipp import Sipp, Stunnel

PHONE, THIRD = "10.20.0.10", "192.0.2.30"
SECURE = [f"1 {CM_80} inline:{KEY_CM}"]


def last_call(gateway):
    return gateway.ctl("show", "calls")["calls"][-1]


def with_uri(scenario, uri):
    """Its INVITE asks for that URI; From and To stay."""
    start, rest = scenario.steps[0].split("INVITE ", 1)
    scenario.steps[0] = f"{start}INVITE {uri} {rest.split(' ', 1)[1]}"
    return scenario


def call_and_bye(name, number, **kw):
    return (uac(name).invite(number, sdp(CALLER, crypto=SECURE), **kw).receive(100, optional=True)
            .receive(180, optional=True).receive(200, store_routes=True).ack().pause(0.1).request("BYE").receive(200))


def test_who_calls_is_known_by_server_name_and_goes_by_host():
    """Two customers of one address; each asked for a name of ours (SNI), and their calls name hosts of theirs."""
    sides = {"north": 5070, "south": 5072}
    with Neighbourhood() as lab:
        trunks, routes = [], []
        for side, port in sides.items():
            trunks += [{**carrier(side, CALLER, (CM_80,)), 
                        "identify": {"source-address": [f"{CALLER}/32"], "server-name": [f"{side}.sbc.example"]}},
                       core(f"{side}-core", PHONE, port=port)]
            del trunks[-1]["identify"]
            routes.append({"name": side, "host": f"{side}.example", "to-trunk": [f"{side}-core"]})
        gateway = lab.gateway(trunks, [], routing={"route": routes})
        names = list(sides)
        for i, side in enumerate([*names, "west"]):
            Stunnel(lab.host("carrier-a"), side, [("client", f"127.0.0.1:{15061 + i}", f"{OUTSIDE}:5061")], ca=lab.ca.cert,
                    check_ip=OUTSIDE, sni=f"{side}.sbc.example")
        for i, (side, host) in enumerate(((names[0], names[1]), (names[1], names[0]))):
            takes = (Scenario("takes", transport="UDP").receive("INVITE").answer(200, "OK", sdp(PHONE, proto="RTP/AVP"))
                     .receive("ACK").receive("BYE").answer_in_dialog(200, "OK"))
            b = Sipp(lab.host("phone"), f"takes-{side}", takes.save(lab.path(f"takes-{side}.xml")), None, PHONE,
                     sides[host])
            a = with_uri(call_and_bye(side, "+4940200"), f"sip:+4940200@{host}.example")
            Sipp(lab.host("carrier-a"), side, a.save(lab.path(f"{side}.xml")), f"127.0.0.1:{15061 + i}", "127.0.0.1",
                 5080 + 2 * i, transport="t1").finish()
            b.finish()
            call = last_call(gateway)
            assert (call["ingress-trunk"], call["egress-trunk"]) == (side, f"{host}-core"), call
        # A host that no route is for.
        lost = with_uri(uac("lost").invite("+4940200", sdp(CALLER, crypto=SECURE)), "sip:+4940200@nowhere.example")
        lost.receive(100, optional=True).receive(404, matches="no route").ack(failed=True)
        Sipp(lab.host("carrier-a"), "lost", lost.save(lab.path("lost.xml")), "127.0.0.1:15061", "127.0.0.1", 5090,
             transport="t1").finish()
        # A name that is no customer's: the operator hears what is wrong, the caller only that he is not known.
        west = uac("west").invite("+4940200", sdp(CALLER, crypto=SECURE)).receive(100, optional=True)
        west.receive(403, matches="no trunk is configured for this source .address").ack(failed=True)
        Sipp(lab.host("carrier-a"), "west", west.save(lab.path("west.xml")), "127.0.0.1:15063", "127.0.0.1", 5092,
             transport="t1").finish()
        assert "it would be north, but the server name" in last_call(gateway)["end-reason"], last_call(gateway)
        gateway.stop()


def tagged(scenario, tag):
    """The last step answers as another branch of a fork."""
    scenario.steps[-1] = scenario.steps[-1].replace("tag=[pid]s[call_number]", f"tag={tag}[call_number]")
    return scenario


def forked(lab, gateway):
    """Two branches ring with media of their own; the second takes it, and its media is the call's."""
    second = sdp(CALLEE, port=30002, crypto=[f"1 {CM_80} inline:{KEY_CM_2}"])
    b = tagged(uas("forks").receive("INVITE").answer(183, "Session Progress", sdp(CALLEE, crypto=SECURE)), "one")
    b = tagged(b.pause(0.3).answer(183, "Session Progress", second), "two")
    b = tagged(b.pause(0.3).answer(200, "OK", second), "two")
    b.receive("ACK", matches=";tag=two").receive("BYE", matches=";tag=two").answer_in_dialog(200, "OK")
    b = callee(lab, b, "forks")
    a = (Scenario("hears", transport="UDP").invite("+4940200", sdp(PHONE, proto="RTP/AVP")).receive(100, optional=True)
         .receive(183, optional=True).receive(183, optional=True).receive(200, store_routes=True).ack().pause(0.5).request("BYE")
         .receive(200))
    a = Sipp(lab.host("phone"), "hears", a.save(lab.path("hears.xml")), f"{INSIDE}:5060", PHONE, 5062)
    a.finish()
    b.finish()
    leg = gateway.ctl("show", "call", last_call(gateway)["id"])["legs"][1]
    assert leg["remote-address"] == f"{CALLEE}:30002", leg


def redirected(lab, gateway):
    """302 to another configured peer: the call goes on there."""
    b = callee(lab, uas("moved").receive("INVITE").answer(
        302, "Moved", headers=[f"Contact: <sip:+4969400@{THIRD}:5061;transport=tls>"]).receive("ACK"), "moved")
    c = (Scenario("takes", contact=f"sip:c@{THIRD}:5061;transport=tls")
         .receive("INVITE", matches="Diversion: <sip:.4940200@192.0.2.1>;reason=unconditional")
         .answer(200, "OK", sdp(THIRD, crypto=SECURE)).receive("ACK").receive("BYE").answer_in_dialog(200, "OK"))
    c = callee(lab, c, "takes", host="carrier-c")
    caller(lab, call_and_bye("redirected", "+4940200"), "redirected").finish()
    b.finish()
    c.finish()
    call = last_call(gateway)
    assert (call["egress-trunk"], call["state"]) == ("carrier-c", "ended"), call
    assert gateway.ctl("show", "stats")["calls"]["counters"]["redirected"] == 1
    assert metrics(gateway)["srtpgw_calls_redirected_total"] == 1


def without_a_tag(lab, gateway):
    """A callee of RFC 2543 has no tag of its own: its call is carried like any other."""
    b = uas("old").receive("INVITE").answer(200, "OK", sdp(CALLEE, crypto=SECURE))
    assert ";tag=[pid]s[call_number]" in b.steps[-1], b.steps[-1]
    b.steps[-1] = b.steps[-1].replace(";tag=[pid]s[call_number]", "")
    b.receive("ACK").receive("BYE").answer_in_dialog(200, "OK")
    b = callee(lab, b, "old")
    caller(lab, call_and_bye("calls-old", "+4940200"), "calls-old").finish()
    b.finish()
    assert last_call(gateway)["end-reason"] == "the calling side hung up", last_call(gateway)
    assert gateway.ctl("show", "stats")["calls"]["counters"]["answered_untagged"] == 1


def secure_uris(lab, gateway):
    """sips: goes on as sips: over TLS, or not at all."""
    b = callee(lab, uas("secure").receive("INVITE", matches="INVITE sips:").answer(
        200, "OK", sdp(CALLEE, crypto=SECURE)).receive("ACK").receive("BYE").answer_in_dialog(200, "OK"), "secure")
    a = with_uri(call_and_bye("sips", "+4940200"), f"sips:+4940200@{OUTSIDE}:5061")
    caller(lab, a, "sips").finish()
    b.finish()
    a = with_uri(uac("clear").invite("+4930300", sdp(CALLER, crypto=SECURE)), f"sips:+4930300@{OUTSIDE}:5061")
    a.receive(100, optional=True).receive(480, matches="no peer of the route has encrypted signalling").ack(failed=True)
    caller(lab, a, "clear").finish()


def test_forks_redirections_and_sips_uris():
    trunks = [carrier("carrier-a", CALLER, (CM_80,)), {**carrier("carrier-b", CALLEE, (CM_80,)), "redirect": "follow"},
              carrier("carrier-c", THIRD, (CM_80,)), core("core", PHONE)]
    with carriers(trunks=trunks, **LISTENER) as (lab, gateway):
        Stunnel(lab.host("carrier-c"), "carrier-c", [("server", f"{THIRD}:5061", "127.0.0.1:5070")],
                certificate=lab.identity("carrier-c")[2], ca=lab.ca.cert)
        for way in (forked, redirected, without_a_tag, secure_uris):
            way(lab, gateway)
            wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
