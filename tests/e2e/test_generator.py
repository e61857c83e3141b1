# SPDX-License-Identifier: Apache-2.0
"""The packet generator at a running data plane: over memif, and over a kernel interface."""

import json
import os
import subprocess

from lab.gateway import build_dir
from lab.net import Lab, wait_for

GATEWAY_MAC, GENERATOR_MAC = "02:53:52:54:50:00", "02:00:00:00:10:01"
# A ring that holds all that is sent at once: a busy machine may let either program wait as long as it likes.
MEMIF = "net_memif0,role={},socket={},socket-abstract=no,rsize=14"


def dataplane(host, *ports):
    socket = host.lab.path("dataplane.sock")
    process = host.start("dataplane", os.path.join(build_dir(), "dataplane", "srtpgw-dataplane"), "--no-huge",
                         "--sessions", "64", "--socket", socket, *ports)

    def up():
        assert process.running(), process.output()[-800:]
        return "main: ready" in process.output()

    wait_for("the data plane is up", up, 60, 0.1)
    return socket


def generate(host, *words):
    """(exit status, what it says on standard error, its result)"""
    path = host.lab.path("result.json")
    argv = [os.path.join(build_dir(), "perf", "srtpgw-gen"), "--calls", "20", "--json", path, *words]
    done = subprocess.run(["ip", "netns", "exec", host.netns, *argv], capture_output=True, text=True, timeout=120)
    with open(path) as f:
        return done.returncode, done.stderr, json.load(f)


def test_spoiled_media_over_memif():
    with Lab() as lab:
        host, wire = lab.host("gw"), lab.path("memif.sock")
        socket = dataplane(host, "--device", MEMIF.format("server", wire) + f",mac={GATEWAY_MAC}", "--next-hop", GENERATOR_MAC)
        port = ["--port", MEMIF.format("client", wire), "--mac", GATEWAY_MAC, "--program", socket, "--packets", "4000"]
        status, said, run = generate(host, *port, "--media", "mix", "--rtcp", "5", "--in", "AEAD_AES_128_GCM",
                                     "--out", "AES_CM_128_HMAC_SHA1_80", "--loss", "3", "--reorder", "3", "--replay", "3",
                                     "--forge", "3", "--rtcp-replay", "20", "--rtcp-forge", "20", "--ipv6-in")
        assert status == 0 and run["right"], (said, run)
        assert run["good"] == run["sent"] and run["rtcp_good"] == run["rtcp_sent"] > 0, run
        assert run["replayed"] and run["rtcp_replayed"] and run["forged"] and run["rtcp_forged"], run
        assert run["gateway"]["replay"] == run["replayed"] + run["rtcp_replayed"], run
        assert run["gateway"]["auth_fail"] == run["forged"] + run["rtcp_forged"], run
        assert run["lost"] and run["reordered"] and run["latency_us"]["p50"] <= run["latency_us"]["p99"], run
        # The calls are gone again, and new ones may come.
        status, said, run = generate(host, *port)
        assert status == 0 and run["gateway"] == {"relayed": run["sent"]}, (said, run)


def test_media_over_an_interface():
    with Lab() as lab:
        gateway, peer = lab.host("gw"), lab.host("peer")
        lab.network("wire")
        lab.wire(gateway, "wire", "media0", "10.99.0.1/24", "10.0.0.1/32", "10.0.1.1/32", "2001:db8:99::1/64",
                 "2001:db8::a00:1/128", "2001:db8::a00:101/128")
        lab.wire(peer, "wire", "eth0")
        gateway.ip("neigh", "replace", "10.99.0.2", "lladdr", GENERATOR_MAC, "dev", "media0", "nud", "permanent")
        gateway.ip("route", "add", "10.128.0.0/10", "via", "10.99.0.2")
        gateway.ip("neigh", "replace", "2001:db8:99::2", "lladdr", GENERATOR_MAC, "dev", "media0", "nud", "permanent")
        gateway.ip("route", "add", "2001:db8::a80:0/106", "via", "2001:db8:99::2")
        socket = dataplane(gateway, "--interface", "media0")
        mac = gateway.exec("cat", "/sys/class/net/media0/address").strip()
        # A kernel on a busy machine may lose some; that what comes is right is asked of all.
        for family in [], ["--ipv6"]:
            status, said, run = generate(peer, "--port", "net_af_packet0,iface=eth0", "--mac", mac, "--program", socket,
                                         "--out", "AEAD_AES_256_GCM", "--packets", "1000", "--pps", "2000", "--tolerate", "50",
                                         *family)
            assert status == 0 and run["right"] and run["good"] > 0, (said, run)
