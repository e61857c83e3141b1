# SPDX-License-Identifier: Apache-2.0
"""Where calls go: peers found by DNS and tried one after the other. SIPp with TLS by stunnel, dnsmasq."""

import contextlib

from lab.baresip import port_is_open
from lab.dns import Dns
from lab.gateway import GCM_256, INSIDE, Neighbourhood, carrier, core
from lab.kamailio import Kamailio
from lab.net import wait_for
from lab.scenario import Scenario, sdp
from lab.sipp import Sipp, Stunnel

KEY_GCM = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="
NAME = "sbc.carrier.example"
B, C = "192.0.2.20", "192.0.2.30"


def srv(*targets):
    """Records of NAME: (host, address, priority, weight)..."""
    records = [f"naptr-record={NAME},10,10,s,SIPS+D2T,,_sips._tcp.{NAME}"]
    for host, address, priority, weight in targets:
        records += [f"srv-host=_sips._tcp.{NAME},{host}.carrier.example,5061,{priority},{weight}",
                    f"host-record={host}.carrier.example,{address}"]
    return records


BOTH = srv(("b", B, 10, 60), ("c", C, 20, 0))


@contextlib.contextmanager
def carrier_by_name(records, names=None, peers=None, **more):
    """A gateway whose carrier has a name, with two servers at carrier-b and carrier-c, which are SIPps."""
    with Neighbourhood() as lab:
        dns = Dns(lab.gateway_host, "carrier.example", records)
        trunk = carrier("carrier", B, (GCM_256,), peer=peers or [{"name": "by-name", "host": NAME}], **more)
        gateway = lab.gateway([trunk, core("core", "10.20.0.10")], [("core", "+49", "carrier")],
                              dns={"server": [Dns.ADDRESS]}, limits={"ring-timeout": 60})
        names = names or {}
        for name, address in (("carrier-b", B), ("carrier-c", C)):
            identity = lab.ca.issue(name, *names.get(name, [NAME]))
            Stunnel(lab.host(name), name, [("server", f"{address}:5061", "127.0.0.1:5070")], certificate=identity[2])
        wait_for("the name is looked up", lambda: "a peer's addresses" in gateway.controlplane.output())
        yield lab, gateway, dns
        gateway.stop()


def callee(lab, host, name, scenario):
    sipp = Sipp(lab.host(host), name, scenario.save(lab.path(f"{name}.xml")), None, "127.0.0.1", 5070, transport="t1",
                timeout=90)
    wait_for("sipp listens", lambda: port_is_open(lab.host(host), "127.0.0.1", 5070))
    return sipp


def taking(name, address):
    """A callee that takes one call until BYE."""
    return (Scenario(name, contact=f"sip:{name}@{address}:5061;transport=tls").receive("INVITE")
            .answer(180, "Ringing").answer(200, "OK", sdp(address, crypto=[f"1 {GCM_256} inline:{KEY_GCM}"]))
            .receive("ACK").receive("BYE").answer_in_dialog(200, "OK"))


def refusing(name, address, *headers, status=503):
    return (Scenario(name, contact=f"sip:{name}@{address}:5061;transport=tls").receive("INVITE")
            .answer(status, "Overload", headers=headers).receive("ACK"))


def call(lab, name="caller"):
    """One call from the core that is taken, and ended by the caller."""
    scenario = (Scenario(name, transport="UDP").invite("+4940200", sdp("10.20.0.10", proto="RTP/AVP"))
                .receive(100, optional=True).receive(180, optional=True).receive(200, store_routes=True).ack().pause(0.2)
                .request("BYE").receive(200))
    Sipp(lab.host("phone"), name, scenario.save(lab.path(f"{name}.xml")), f"{INSIDE}:5060", "10.20.0.10", 5062,
         timeout=90).finish()


def failovers(gateway):
    return gateway.ctl("show", "stats")["calls"]["counters"]["failovers"]


def test_a_dead_server_and_the_next():
    with carrier_by_name(BOTH) as (lab, gateway, _):
        c = callee(lab, "carrier-c", "takes", taking("c", C))
        call(lab)  # stunnel at carrier-b closes the connection: nobody is behind it
        c.finish()
        assert failovers(gateway) == 1
        assert "tried at the next peer" in gateway.controlplane.output()
        c = callee(lab, "carrier-c", "takes-again", taking("c", C))
        call(lab, "caller-2")  # and at once the one that answers
        c.finish()
        assert failovers(gateway) == 1


def test_503_with_retry_after_and_the_next():
    with carrier_by_name(BOTH) as (lab, gateway, _):
        b = callee(lab, "carrier-b", "refuses", refusing("b", B, "Retry-After: 3600"))
        c = callee(lab, "carrier-c", "takes", taking("c", C))
        call(lab)
        b.finish()
        c.finish()
        assert failovers(gateway) == 1
        c = callee(lab, "carrier-c", "takes-again", taking("c", C))
        call(lab, "caller-2")  # carrier-b is not asked: nobody there would answer
        c.finish()
        assert failovers(gateway) == 1


def test_another_answer_that_the_trunk_takes_for_one():
    with carrier_by_name(BOTH, **{"failover-on": [500]}) as (lab, gateway, _):
        b = callee(lab, "carrier-b", "refuses", refusing("b", B, status=500))
        c = callee(lab, "carrier-c", "takes", taking("c", C))
        call(lab)
        b.finish()
        c.finish()
        assert failovers(gateway) == 1


def test_the_certificate_is_for_the_configured_name_not_the_servers():
    with carrier_by_name(BOTH, names={"carrier-b": ["b.carrier.example", B]}) as (lab, gateway, _):
        c = callee(lab, "carrier-c", "takes", taking("c", C))
        call(lab)
        c.finish()
        assert failovers(gateway) == 1
        assert NAME in next(line for line in gateway.controlplane.output().splitlines()
                            if "could not be reached" in line), "the reason names the check"


def test_a_change_in_dns_is_followed_and_an_outage_survived():
    with carrier_by_name(srv(("b", B, 10, 60))) as (lab, gateway, dns):
        b = callee(lab, "carrier-b", "takes-b", taking("b", B))
        call(lab)
        b.finish()
        dns.stop()
        wait_for("the outage is told", lambda: "the addresses known last are used on" in gateway.controlplane.output())
        b = callee(lab, "carrier-b", "takes-b-again", taking("b", B))
        call(lab, "caller-2")
        b.finish()
        dns.start(srv(("c", C, 10, 60)))
        wait_for("the change is seen", lambda: f"{C}:5061" in gateway.controlplane.output(), 90)
        c = callee(lab, "carrier-c", "takes-c", taking("c", C))
        call(lab, "caller-3")
        c.finish()
        assert failovers(gateway) == 0


PHONE = "10.20.0.10"


def peer_states(gateway, trunk="pbx"):
    """{peer: state} of a trunk."""
    return {p["name"]: p["state"] for t in gateway.ctl("show", "trunks")["trunks"] if t["name"] == trunk
            for p in t["peer"]}


def test_a_peer_that_stops_answering_options_and_comes_back():
    answers = 'if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; } sl_send_reply("486", "Busy At Kamailio");'
    with Neighbourhood() as lab:
        phone = lab.host("phone")
        pbx = {"name": "pbx", "realm": "core", "srtp": {"mode": "none"},
               "peer": [{"name": "first", "host": PHONE, "port": 5070, "transport": "udp"},
                        {"name": "second", "host": PHONE, "port": 5072, "transport": "udp", "priority": 20}],
               "health-check": {"interval": 5, "down-after": 1, "up-after": 1}}
        gateway = lab.gateway([core("core", PHONE), pbx], [("core", "+49", "pbx")])
        wait_for("nobody answers yet", lambda: set(peer_states(gateway).values()) == {"down"})
        wait_for("the trunk is unreachable", lambda: "unreachable" in [
            t["oper-state"] for t in gateway.ctl("show", "trunks")["trunks"]])
        kamailio = Kamailio(phone, "pbx", [f"udp:{PHONE}:5070"], answers)
        wait_for("kamailio is seen", lambda: peer_states(gateway)["first"] == "up")
        busy = (Scenario("busy", transport="UDP").invite("+4940200", sdp(PHONE, proto="RTP/AVP"))
                .receive(100, optional=True).receive(486, matches="Busy At Kamailio").ack(failed=True))
        Sipp(phone, "busy", busy.save(lab.path("busy.xml")), f"{INSIDE}:5060", PHONE, 5062).finish()
        kamailio.stop()
        wait_for("kamailio is missed", lambda: peer_states(gateway)["first"] == "down")
        # The second peer answers OPTIONS itself, and hands a call to a SIPp.
        second = (Scenario("second", transport="UDP").receive("INVITE").answer(200, "OK", sdp(PHONE, proto="RTP/AVP"))
                  .receive("ACK").receive("BYE").answer_in_dialog(200, "OK"))
        Kamailio(phone, "second", [f"udp:{PHONE}:5072"], 'if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; } '
                 f'$du = "sip:{PHONE}:5074"; record_route(); t_relay();')
        taken = Sipp(phone, "second", second.save(lab.path("second.xml")), None, PHONE, 5074, timeout=90)
        wait_for("the second peer is seen", lambda: peer_states(gateway)["second"] == "up")
        call(lab)
        taken.finish()
        assert failovers(gateway) == 0
        assert "a peer is up again" in gateway.controlplane.output()
        gateway.stop()
