# SPDX-License-Identifier: Apache-2.0
"""Strangers who hold connections open, send garbage or flood, while those whom the trunks name make their calls."""

from lab.gateway import INSIDE, OUTSIDE
from lab.net import wait_for
from lab.party import connect, finish, parties

STRANGERS = [f"192.0.2.{n}" for n in range(100, 160)]
CONNECTIONS = 10000
RSS_GROWTH_MB = 300  # 2000 half-open TLS connections, with an OpenSSL session of some 60 KB each

# Opens connections from all of the strangers' addresses in turn and holds those that are not closed; octets that
# it sends on each come on the command line. Says how many it opened, then waits to be ended.
HOLD = """
import resource, socket, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
host, port, count, sources = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[5].split(",")
octets = bytes.fromhex(sys.argv[4])
held, opened = [], 0
for i in range(count):
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_IP, 24, 1)
    s.settimeout(20)
    try:
        s.bind((sources[i % len(sources)], 0))
        s.connect((host, port))
        if octets:
            s.sendall(octets)
        opened += 1
        held.append(s)
    except OSError:
        s.close()
    if len(held) > 15000:
        held.pop(0).close()
print("opened", opened, flush=True)
time.sleep(600)
"""

# The record and handshake headers of a ClientHello that never comes to its end.
SLOW_LORIS = "1603010200010001fc0303"


def strangers(lab):
    host = lab.host("carrier-c")
    for address in STRANGERS:
        host.ip("addr", "add", f"{address}/24", "dev", "eth0")
    return host


def hold(host, name, count, octets=""):
    process = host.start(name, "python3", "-c", HOLD, OUTSIDE, "5061", str(count), octets, ",".join(STRANGERS))
    wait_for(f"{name} has connected", lambda: "opened" in process.output(), 120)
    return process


def rss_mb(process):
    with open(f"/proc/{process.pid}/status") as f:
        return int(f.read().split("VmRSS:")[1].split()[0]) / 1024


def sip_counters(gateway):
    return gateway.ctl("show", "stats")["sip"]


def call_once(gateway, a, b):
    connect(a, b)
    finish(gateway, a, b)


def test_ten_thousand_connections_that_say_nothing():
    with parties(b="phone") as (lab, gateway, a, b):
        call_once(gateway, a, b)
        before = rss_mb(gateway.controlplane)
        hold(strangers(lab), "silent", CONNECTIONS)
        counters = sip_counters(gateway)
        assert counters["conn_refused_half_open"] > 0, counters  # how many is a matter of how fast they came
        # Whoever is known still gets in, by a new connection.
        a.hang_up_wires()
        call_once(gateway, a, b)
        grown = rss_mb(gateway.controlplane) - before
        assert grown < RSS_GROWTH_MB, f"{grown:.0f} MB more"
        wait_for("those that say nothing are closed",
                 lambda: sip_counters(gateway)["conn_slow_closed"] >= 1000, 90)


def test_handshakes_that_never_end():
    with parties(b="phone") as (lab, gateway, a, b):
        hold(strangers(lab), "loris", 1500, SLOW_LORIS)
        call_once(gateway, a, b)
        wait_for("slow handshakes are closed", lambda: sip_counters(gateway)["conn_slow_closed"] >= 1000, 90)
        call_once(gateway, a, b)


def test_garbage_behind_a_handshake():
    with parties(b="phone") as (lab, gateway, a, b):
        host = strangers(lab)
        script = lab.path("garbage.py")
        with open(script, "w") as f:
            f.write(f"""
import os, socket, ssl
context = ssl._create_unverified_context()
closed = 0
for i in range(30):
    s = context.wrap_socket(socket.create_connection(({OUTSIDE!r}, 5061), 20), server_hostname="x")
    try:
        s.sendall(bytes([1 + i]) * 8 + os.urandom(4000))
        closed += not s.recv(1)
    except OSError:
        closed += 1
print("closed", closed)
""")
        assert "closed 30" in host.exec("python3", script)
        counters = sip_counters(gateway)
        assert counters["conn_garbage_closed"] + counters["rx_too_large"] >= 30, counters
        call_once(gateway, a, b)


def test_a_flood_of_datagrams_from_a_stranger():
    with parties(b="phone") as (lab, gateway, a, b):
        host = lab.host("phone")
        host.ip("addr", "add", "10.20.0.66/24", "dev", "eth0")
        host.exec("python3", "-c", f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.20.0.66", 5060))
for i in range(20000):
    s.sendto(b"OPTIONS sip:x SIP/2.0\\r\\nVia: SIP/2.0/UDP 10.20.0.66;branch=z9hG4bK%d;rport\\r\\nFrom: <sip:a@x>;tag=1\\r\\n"
             b"To: <sip:x>\\r\\nCall-ID: %d\\r\\nCSeq: 1 OPTIONS\\r\\n\\r\\n" % (i, i), ({INSIDE!r}, 5060))
""")
        wait_for("the flood is dropped", lambda: sip_counters(gateway)["rx_rate_dropped_unknown"] > 1000)
        call_once(gateway, a, b)
        assert sip_counters(gateway)["rx_rate_dropped"] == 0
