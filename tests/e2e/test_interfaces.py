# SPDX-License-Identifier: Apache-2.0
"""What happens to the data plane's interfaces while a call is up."""

import time

from lab.net import LabError, Skip, run, wait_for
from lab.party import both_hear, finish, talking

from test_outages import take_new_keys


LOOKS = 5  # s: more than the looks at an interface that another one has replaced take


def link_alarm(gateway):
    """Is ext0's alarm raised? None: it never was."""
    alarms = gateway.ctl("show", "alarms")["statistics"]["data-plane"].get("interface-alarm", [])
    return next((a["raised"] for a in alarms if a["interface"] == "ext0"), None)


def foreign_program(lab):
    """An XDP program of somebody else's that passes everything; as 'ip link set' wants it."""
    source, program = lab.path("foreign.c"), lab.path("foreign.o")
    with open(source, "w") as f:
        f.write('__attribute__((section("xdp"), used)) int foreign(void *ctx) { return 2; }\n')
    run("clang", "-O2", "-target", "bpf", "-c", source, "-o", program)
    return ("xdp", "object", program, "section", "xdp")


def test_media_is_heard_again_after_the_xdp_program_was_taken_off():
    with talking(b="phone") as (lab, gateway, a, b):
        host = lab.gateway_host
        if "af_xdp, " not in gateway.dataplane.output():
            raise Skip("no AF_XDP here")
        host.ip("link", "set", "ext0", "xdp", "off")
        both_hear(a, b)
        assert "the XDP program had been taken off" in gateway.dataplane.output(), gateway.dataplane.output()[-2000:]
        host.ip("-force", "link", "set", "ext0", *foreign_program(lab))
        wait_for("the alarm is raised", lambda: link_alarm(gateway))
        assert "another XDP program has taken the place of ours" in gateway.dataplane.output()
        host.ip("link", "set", "ext0", "xdp", "off")
        both_hear(a, b)
        wait_for("the alarm is over", lambda: link_alarm(gateway) is False)
        finish(gateway, a, b)


def test_a_program_that_cannot_be_put_back_is_told():
    """As somebody takes it off to raise the MTU, with which drivers take none."""
    with talking(b="phone") as (lab, gateway, a, b):
        if "af_xdp, " not in gateway.dataplane.output():
            raise Skip("no AF_XDP here")
        far, device = lab.far_end(lab.gateway_host, "ext0")

        def raised():
            lab.gateway_host.ip("link", "set", "ext0", "xdp", "off")
            try:
                far.ip("link", "set", device, "mtu", "9000")
            except LabError:  # it was back already
                return False
            return True

        wait_for("the MTU is raised", raised)
        wait_for("the alarm is raised", lambda: link_alarm(gateway))
        assert "the XDP program was taken off and cannot be put back" in gateway.dataplane.output()
        far.ip("link", "set", device, "mtu", "1500")
        both_hear(a, b)
        wait_for("the alarm is over", lambda: link_alarm(gateway) is False)
        finish(gateway, a, b)


def test_an_interface_that_went_and_came_back_has_media_again():
    """The data plane ends, so that the next one has the new interface; while there is none it serves the others."""
    with talking(b="phone") as (lab, gateway, a, b):
        lab.gateway_host.ip("link", "del", "ext0")
        wait_for("the alarm is raised", lambda: link_alarm(gateway))
        assert 'why="the interface is gone"' in gateway.dataplane.output() and gateway.dataplane.running()
        lab.wire(lab.gateway_host, "outside", "ext0", "192.0.2.1/24", "2001:db8:1::1/64")
        assert gateway.dataplane.wait(60) == 1
        assert "interface 'ext0' went and came back" in gateway.dataplane.output(), gateway.dataplane.output()[-2000:]
        gateway.start_dataplane()
        take_new_keys(a)
        both_hear(a, b)
        assert not link_alarm(gateway)
        finish(gateway, a, b)


def addresses_of(host, device):
    words = host.ip("-br", "addr", "show", "dev", device).split()
    return [w for w in words if "/" in w and not w.startswith("fe80")]


def test_an_interface_that_came_back_with_its_number_is_another_one():
    """As one that was lent to a container: its number is the old one's, and the sockets are bound to nothing."""
    with talking(b="phone") as (lab, gateway, a, b):
        host, other = lab.gateway_host, lab.host("container")
        addresses, number = addresses_of(host, "ext0"), host.exec("cat", "/sys/class/net/ext0/ifindex")
        host.ip("link", "set", "ext0", "netns", other.netns)
        other.ip("link", "set", "ext0", "netns", host.netns)
        for address in addresses:
            host.ip("addr", "add", address, "dev", "ext0", *(["nodad"] if ":" in address else []))
        host.ip("link", "set", "ext0", "up")
        assert host.exec("cat", "/sys/class/net/ext0/ifindex") == number
        assert gateway.dataplane.wait(60) == 1
        assert "interface 'ext0' went and came back" in gateway.dataplane.output(), gateway.dataplane.output()[-2000:]
        gateway.start_dataplane()
        take_new_keys(a)
        both_hear(a, b)
        finish(gateway, a, b)


TUN = """
import fcntl, struct, time
tun = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"ext0", 0x1001))  # TUNSETIFF: IP without Ethernet
time.sleep(3600)
"""


def test_an_interface_that_no_media_can_have_does_not_end_the_data_plane():
    """The next one could not have it either, and would end at once, again and again; the others' media goes on."""
    with talking(b="phone") as (lab, gateway, a, b):
        host = lab.gateway_host
        host.ip("link", "del", "ext0")
        tunnel = host.start("tunnel", "python3", "-c", TUN)
        wait_for("the tunnel is there", lambda: "ext0" in host.ip("link"))
        host.ip("link", "set", "ext0", "up")
        wait_for("the log says what is wrong with it", lambda: "is not Ethernet" in gateway.dataplane.output())
        time.sleep(LOOKS)  # it would have ended by then
        assert link_alarm(gateway) and gateway.dataplane.running()
        tunnel.stop()
        lab.wire(host, "outside", "ext0", "192.0.2.1/24", "2001:db8:1::1/64")
        assert gateway.dataplane.wait(60) == 1
        gateway.start_dataplane()
        take_new_keys(a)
        both_hear(a, b)
        finish(gateway, a, b)


def unreachable(host):
    """How often the host was told that there is nobody at a port, or no host."""
    names, values = (line.split() for line in host.exec("cat", "/proc/net/snmp").splitlines() if line.startswith("Icmp:"))
    return int(values[names.index("InDestUnreachs")])


def test_the_kernel_is_kept_from_answering_media_when_a_firewall_is_loaded():
    """With AF_PACKET an nftables table of ours does that, and whoever loads his own rules flushes all others first."""
    with talking(b="phone", port="af_packet") as (lab, gateway, a, b):
        lab.gateway_host.exec("nft", "flush", "ruleset")
        wait_for("the tables are back", lambda: gateway.dataplane.output().count("the nftables table had been taken away") == 2)
        before = unreachable(a.host)
        both_hear(a, b, 50)
        assert unreachable(a.host) == before
        finish(gateway, a, b)


def lowered_mtu(port):
    """What does not fit any more is refused and counted, not given to a kernel that drops it; and it goes on where it fits."""
    with talking(b="phone", port=port) as (lab, gateway, a, b):
        host = lab.gateway_host

        def too_long():
            return gateway.ctl("show", "stats")["data-plane"]["verdicts"]["too_long"]

        assert too_long() == 0
        host.ip("link", "set", "core0", "mtu", "150")
        wait_for("what does not fit is counted", too_long)
        heard = b.talker.of(a.talker)["last"]
        before = too_long()
        wait_for("more of it", lambda: too_long() >= before + 25)
        assert b.talker.of(a.talker)["last"] <= heard + 1, (heard, b.talker.of(a.talker))
        host.ip("link", "set", "core0", "mtu", "1500")
        both_hear(a, b)
        assert "the interface has another MTU" in gateway.dataplane.output()
        finish(gateway, a, b)


def test_an_mtu_that_is_lowered_is_followed():
    lowered_mtu("auto")


def test_an_mtu_that_is_lowered_is_followed_with_af_packet():
    lowered_mtu("af_packet")
