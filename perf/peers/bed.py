# SPDX-License-Identifier: Apache-2.0
"""
One program between two wires, and calls through it:

    source 10.20.0.10 --- core0 10.20.0.1 [gateway] ext0 192.0.2.1 --- sink 192.0.2.10

The wires are veth pairs with the same addresses in each bed, so that two programs get the same frames.
"""

import base64
import os
import resource
import shutil
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))

from lab.agent import inside  # noqa: E402
from lab.gateway import build_dir  # noqa: E402
from lab.net import LabError, Lab, run, wait_for  # noqa: E402
from ng import Control  # noqa: E402

SOURCE, GATEWAY_IN, GATEWAY_OUT, SINK = "10.20.0.10", "10.20.0.1", "192.0.2.1", "192.0.2.10"
MACS = {"source": "02:00:00:00:01:10", "core0": "02:00:00:00:01:01", "ext0": "02:00:00:00:02:01", "sink": "02:00:00:00:02:10"}
PORTS = (10000, 59998)
TICKS = os.sysconf("SC_CLK_TCK")


class Bed(Lab):
    def __init__(self, tag):
        super().__init__(tag=tag)
        try:
            self.gateway = self.host("gw")
            for name, mine, theirs, device in (("source", SOURCE, GATEWAY_IN, "core0"), ("sink", SINK, GATEWAY_OUT, "ext0")):
                host = self.host(name)
                self.gateway.ip("link", "add", device, "address", MACS[device], "type", "veth", "peer", "name", "eth0",
                                "address", MACS[name], "netns", host.netns)
                for end, dev, address in ((self.gateway, device, theirs), (host, "eth0", mine)):
                    end.exec("ethtool", "-K", dev, "tx", "off")
                    end.ip("addr", "add", f"{address}/24", "dev", dev)
                    end.ip("link", "set", dev, "up")
                # Known for good: what asks for a neighbour under full load may wait for the answer for seconds.
                self.gateway.ip("neigh", "replace", mine, "lladdr", MACS[name], "dev", device, "nud", "permanent")
                host.ip("neigh", "replace", theirs, "lladdr", MACS[device], "dev", "eth0", "nud", "permanent")
            # What arrives is counted by the interface and seen by captures; nobody answers it.
            self.host("sink").exec("nft", "add table netdev f; add chain netdev f c { type filter hook ingress device eth0 "
                                   "priority 0; }; add rule netdev f c udp dport 1024-65535 drop")
        except BaseException:
            self.close()
            raise

    def arrived(self):
        """Frames at the sink since it was made."""
        return int(self.host("sink").exec("cat", "/sys/class/net/eth0/statistics/rx_packets"))

    def settled(self):
        """arrived(), once nothing has come for a second."""
        seen = []

        def same():
            seen.append(self.arrived())
            return len(seen) > 5 and len(set(seen[-6:])) == 1

        wait_for("the last packets arrive", same, 60, 0.2)
        return seen[-1]


class Rtpengine:
    """The packaged rtpengine, in userspace, between a bed's wires."""

    name = "rtpengine"

    def __init__(self, host, prefix=()):
        if not shutil.which("rtpengine"):
            raise LabError("rtpengine is not installed: apt-get install rtpengine-daemon")
        self.host = host
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # four sockets a call
        self.process = host.start(
            "rtpengine", *prefix, "rtpengine", "--foreground", "--log-stderr", "--log-level=3",
            "--table=-1", f"--interface=in/{GATEWAY_IN}", f"--interface=out/{GATEWAY_OUT}", "--listen-ng=127.0.0.1:2223",
            f"--port-min={PORTS[0]}", f"--port-max={PORTS[1]}", "--timeout=3600", "--silent-timeout=3600", "--delete-delay=0")
        with inside(host):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.connect(("127.0.0.1", 2223))
        self.control = Control(sock)

        def up():
            if not self.process.running():
                raise LabError(f"rtpengine ended at once: {self.process.output()[-800:]}")
            try:
                sock.settimeout(0.5)
                self.control.ask("ping")
                return True
            except (LabError, OSError):
                return False

        wait_for("rtpengine answers", up, 20)
        sock.settimeout(5)

    @staticmethod
    def sdp(address, port, crypto=None):
        lines = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
                 f"m=audio {port} RTP/{'SAVP' if crypto else 'AVP'} 0", "a=rtpmap:0 PCMU/8000"]
        return "\r\n".join(lines + ([f"a=crypto:{crypto}"] if crypto else [])) + "\r\n"

    @staticmethod
    def port_of(sdp):
        return int(next(line for line in sdp.splitlines() if line.startswith("m=audio ")).split()[1])

    def dtls_call(self, name, plain, secure, answer):
        """From `plain` in the clear to `secure` whose answer has a fingerprint: the gateway's port on each side."""
        names = {"call-id": name, "from-tag": f"{name}f"}
        offer = self.control.ask("offer", **names, sdp=self.sdp(*plain), direction=["in", "out"], ICE="remove",
                                 transport_protocol="UDP/TLS/RTP/SAVP", replace=["origin", "session-connection"])["sdp"]
        answer = self.control.ask("answer", **names, **{"to-tag": f"{name}t"}, sdp=answer, ICE="remove",
                                  replace=["origin", "session-connection"])["sdp"]
        return self.port_of(answer), self.port_of(offer)

    def call(self, name, plain, secure, suite, key, **flags):
        """
        From `plain` in the clear to `secure` with SRTP, whose own key is `key`; both (address, port). The gateway's port
        on each side and the key that it sends to `secure` with.
        """
        names = {"call-id": name, "from-tag": f"{name}f"}
        offer = self.control.ask("offer", **names, sdp=self.sdp(*plain), direction=["in", "out"], ICE="remove", DTLS="off",
                                 transport_protocol="RTP/SAVP", replace=["origin", "session-connection"], **flags)["sdp"]
        line = next((x[9:].split() for x in offer.splitlines() if x.startswith("a=crypto:") and x.split()[1] == suite), None)
        if not line:
            raise LabError(f"rtpengine offers no {suite}: {offer}")
        crypto = f"{line[0]} {suite} inline:{base64.b64encode(key).decode()}"
        answer = self.control.ask("answer", **names, **{"to-tag": f"{name}t"}, sdp=self.sdp(*secure, crypto), ICE="remove",
                                  replace=["origin", "session-connection"], **flags)["sdp"]
        key = line[2].split(":")[1].split("|")[0].rstrip("=")  # it leaves the padding out
        return self.port_of(answer), self.port_of(offer), base64.b64decode(key + "=" * (-len(key) % 4))

    def delete(self, name):
        self.control.ask("delete", **{"call-id": name, "from-tag": f"{name}f"})


class OurDataplane:
    """Our data plane, its calls set up by srtpgw-gen in the control plane's place."""

    name = "srtpgw"

    def __init__(self, host, prefix=()):
        self.host, self.socket = host, host.lab.path("dataplane.sock")
        self.process = host.start("dataplane", *prefix, os.path.join(build_dir(), "dataplane", "srtpgw-dataplane"),
                                  "--socket", self.socket, "--interface", "core0", "--interface", "ext0")

        def up():
            if not self.process.running():
                raise LabError(f"the data plane ended at once: {self.process.output()[-800:]}")
            return "main: ready" in self.process.output()

        wait_for("the data plane is up", up, 30)

    def set_up(self, flows, suite):
        generator("--flows", flows, "--in", "RTP", "--out", suite, "--program", self.socket)


def generator(*words, check=True):
    return run(os.path.join(build_dir(), "perf", "srtpgw-gen"), *words, check=check)


def processor_time(pid):
    """(all, in user mode, in the kernel) of a process's threads, in seconds."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return total / 1e9, int(words[11]) / TICKS, int(words[12]) / TICKS
