# SPDX-License-Identifier: Apache-2.0
"""What networks are made of: both address families in one call, VLANs, DSCP, several media addresses in a realm."""

import contextlib
import os
import sys
import time

from test_calls import TONE_A, TONE_B, assert_heard, phone, up

from lab.capture import Capture, is_rtp
from lab.crowd import Crowd, all_up, assert_media, until
from lab.gateway import CM_80, GCM_256, INSIDE, MEDIA, OUTSIDE, OUTSIDE6, Neighbourhood, carrier, core
from lab.net import Lab, LabError, wait_for
from lab.party import NUMBERS, agent, connect, finish, parties

SECONDS = 4
VLAN_DEVICE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "vlan_device.py")


def families(wire):
    """Of the RTP that a side saw: how much over IPv4 and IPv6."""
    wire.stop()
    rtp = {4: 0, 6: 0}
    for v4, v6, payload in wire.fields("udp and not icmp and not icmpv6", "ip.src", "ipv6.src", "udp.payload"):
        if (v4 or v6) and is_rtp(bytes.fromhex(payload)):
            rtp[4 if v4 else 6] += 1
    return rtp


def mixed(lab, gateway, caller6):
    """A call between a carrier over one family and the core over the other; what each wire carried."""
    wires = [Capture(*lab.far_end(lab.gateway_host, name)) for name in ("ext0", "core0")]
    b = phone(lab, "phone", NUMBERS["phone"], TONE_B, v6=not caller6)
    a = phone(lab, "carrier-a", NUMBERS["carrier-a"], TONE_A, v6=caller6)
    a.dial(f"sip:{NUMBERS['phone']}@{f'[{OUTSIDE6}]' if caller6 else OUTSIDE}:5061;transport=tls")
    wait_for("the call is up", lambda: up(gateway))
    time.sleep(SECONDS)
    a.hangup()
    wait_for("the call has ended", lambda: gateway.ctl("show", "calls")["active"] == 0)
    wait_for("the recordings are there", lambda: a.recordings() and b.recordings())
    time.sleep(1)
    assert_heard(b, a, SECONDS - 1)
    assert_heard(a, b, SECONDS - 1)
    return [families(wire) for wire in wires]


def mixed_families(caller6):
    with Neighbourhood() as lab:
        there, here = (lab.ADDRESSES6, lab.ADDRESSES) if caller6 else (lab.ADDRESSES, lab.ADDRESSES6)
        gateway = lab.gateway([carrier("carrier-a", there["carrier-a"], (CM_80,)), core("core", here["phone"])],
                              [(None, "+49", "core")])
        outside, inside = mixed(lab, gateway, caller6)
        one, other = (6, 4) if caller6 else (4, 6)
        assert outside[one] > 100 and not outside[other], outside
        assert inside[other] > 100 and not inside[one], inside
        gateway.stop()


def test_ipv6_carrier_to_ipv4_core():
    mixed_families(True)


def test_ipv4_carrier_to_ipv6_core():
    mixed_families(False)


def test_each_realm_has_its_dscp():
    realms = {"realm": [{"name": "carriers", "media-interface": ["outside"], "dscp": 46},
                        {"name": "core", "trusted": True, "media-interface": ["inside"], "dscp": 34}]}
    with parties(b="phone", realms=realms) as (lab, gateway, a, b):
        wires = {name: Capture(*lab.far_end(lab.gateway_host, name)) for name in ("ext0", "core0")}
        connect(a, b)
        finish(gateway, a, b)
        for name, address, dscp in (("ext0", OUTSIDE, "46"), ("core0", INSIDE, "34")):
            wires[name].stop()
            marks = [mark for mark, port in wires[name].fields(f"udp and ip.src == {address} and not icmp",
                                                               "ip.dsfield.dscp", "udp.srcport")
                     if int(port) in MEDIA]
            assert len(marks) >= 25 and set(marks) == {dscp}, (name, set(marks), len(marks))


def kernel_has_vlans():
    with Lab(tag="vlan") as lab:
        try:
            lab.host("probe").ip("link", "add", "link", "lo", "name", "lo.9", "type", "vlan", "id", "9")
        except LabError as e:
            if "Unknown device type" not in str(e):
                raise
            return False
    return True


def add_vlan(host, device, vlan, by_kernel):
    """device.vlan, by the kernel or by a program that puts and takes the tags where it cannot."""
    name = f"{device}.{vlan}"
    if by_kernel:
        host.ip("link", "add", "link", device, "name", name, "type", "vlan", "id", str(vlan))
        return
    program = host.start(f"vlan-{host.name}", sys.executable, VLAN_DEVICE, name, device, str(vlan))
    wait_for(f"{name} is there", lambda: f" {name}:" in host.ip("-o", "link") or not program.running())
    assert program.running(), program.output()


@contextlib.contextmanager
def tagged():
    """The core is a VLAN on its cable."""
    by_kernel = kernel_has_vlans()
    with Neighbourhood() as lab:
        for host, device, address in ((lab.gateway_host, "core0", INSIDE), (lab.host("phone"), "eth0",
                                                                            lab.ADDRESSES["phone"])):
            host.ip("addr", "flush", "dev", device)
            add_vlan(host, device, 100, by_kernel)
            host.ip("addr", "add", f"{address}/24", "dev", f"{device}.100")
            host.ip("link", "set", f"{device}.100", "up")
        lab.interfaces = ("ext0", "core0.100")
        yield lab


def test_media_in_a_vlan():
    listeners = [{"name": "carriers-tls", "transport": "tls", "address": OUTSIDE, "port": 5061, "realm": "carriers",
                  "tls-profile": "gateway"},
                 {"name": "core-udp", "transport": "udp", "address": INSIDE, "port": 5060, "realm": "core"}]
    span = [{"lower": MEDIA[0], "upper": MEDIA[-1]}]
    media = {"interface": [{"name": "outside", "device": "ext0", "address": [{"ip": OUTSIDE, "port-range": span}]},
                           {"name": "inside", "device": "core0.100", "address": [{"ip": INSIDE, "port-range": span}]}]}
    with tagged() as lab:
        gateway = lab.gateway([carrier("carrier-a", lab.ADDRESSES["carrier-a"], (CM_80,)),
                               core("phone", lab.ADDRESSES["phone"])],
                              [("carrier-a", "+49", "phone"), ("phone", "+49", "carrier-a")], listeners=listeners, media=media)
        wire = Capture(*lab.far_end(lab.gateway_host, "core0"))
        a, b = agent(lab, "carrier-a"), agent(lab, "phone")
        connect(a, b)
        finish(gateway, a, b)
        wire.stop()
        tags = [tag for tag, port in wire.fields(f"udp and ip.addr == {INSIDE} and not icmp", "vlan.id", "udp.srcport")]
        assert len(tags) >= 50 and set(tags) == {"100"}, (len(tags), set(tags))
        gateway.stop()


def test_a_realm_has_several_media_addresses():
    """Two interfaces of the realm, three addresses, four pairs of ports on each: twelve calls, and no thirteenth."""
    few = [{"lower": 20000, "upper": 20007}]
    more = [{"lower": MEDIA[0], "upper": MEDIA[-1]}]
    extra = ("192.0.2.2", "192.0.2.3")
    media = {"interface": [
        {"name": "outside", "device": "ext0", "address": [{"ip": ip, "port-range": few} for ip in (OUTSIDE, extra[0])]},
        {"name": "outside-2", "device": "ext0", "address": [{"ip": extra[1], "port-range": few}]},
        {"name": "inside", "device": "core0", "address": [{"ip": INSIDE, "port-range": more}]},
        {"name": "elsewhere", "device": "ext0", "address": [{"ip": "192.0.2.4", "port-range": more}]}]}
    realms = {"realm": [{"name": "carriers", "media-interface": ["outside", "outside-2"]},
                        {"name": "others", "media-interface": ["elsewhere"]},
                        {"name": "core", "trusted": True, "media-interface": ["inside"]}]}
    with Neighbourhood() as lab:
        for ip in (*extra, "192.0.2.4"):
            lab.gateway_host.ip("addr", "add", f"{ip}/24", "dev", "ext0")
        listeners = [{"name": "carriers-tls", "transport": "tls", "address": OUTSIDE, "port": 5061, "realm": "carriers",
                      "tls-profile": "gateway"},
                     {"name": "others-tls", "transport": "tls", "address": "192.0.2.4", "port": 5061, "realm": "others",
                      "tls-profile": "gateway"}]
        trunks = [carrier("carrier-a", lab.ADDRESSES["carrier-a"], (CM_80,)),
                  carrier("carrier-b", lab.ADDRESSES["carrier-b"], (GCM_256,), realm="others")]
        gateway = lab.gateway(trunks, [("carrier-a", "+49", "carrier-b")], media=media, realms=realms,
                              listeners=listeners)
        a = Crowd(lab, "carrier-a", 0, (OUTSIDE, 5061), (CM_80,), "+49891", 25)
        b = Crowd(lab, "carrier-b", 1, ("192.0.2.4", 5061), (GCM_256,), "+49402", 25)
        for number in range(12):
            a.place(number, "+4940")
        all_up(12, a, b)
        until("every call is heard", lambda: all(row["good"] >= 10 for c in (a, b)
                                                 for row in c.generator.all().values()), a, b)
        used = [leg["local-address"] for call in gateway.ctl("show", "calls")["calls"] for leg in call["legs"][:1]]
        assert len(set(used)) == 12 and {u.split(":")[0] for u in used} == {OUTSIDE, *extra}, used
        a.place(12, "+4940")
        refused = wait_for("the thirteenth is refused", lambda: next(
            (c["end-reason"] for c in gateway.ctl("show", "calls")["calls"] if c.get("end-reason")), None))
        assert "no media port is free" in refused, refused
        gateway.stop()
        for crowd in (a, b):
            assert_media([row for n, row in crowd.generator.all().items() if n < 12], 10)
