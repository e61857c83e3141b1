# SPDX-License-Identifier: Apache-2.0
"""The torture messages of RFC 4475 and RFC 5118 through the sockets of a running gateway, over UDP and TLS."""

import contextlib
import os
import re
import socket
import ssl
import time

from lab.agent import inside
from lab.gateway import INSIDE, OUTSIDE, Neighbourhood, carrier, core
from lab.net import LabError

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "torture")
PROBE = ("OPTIONS sip:gw SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKprobe%s;rport\r\nFrom: <sip:p@h>;tag=1\r\n"
         "To: <sip:q@h>\r\nCall-ID: probe-%s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


def messages(column):
    """(name, octets, expected answer) of each that is sent this way."""
    with open(os.path.join(FOLDER, "expected")) as table:
        for line in table:
            fields = line.split()
            if line.startswith("#") or fields[column] == "none":
                continue
            with open(os.path.join(FOLDER, f"{fields[0]}.sip"), "rb") as f:
                text = f.read()
            # Several share a branch and would be one transaction.
            unique = fields[0].replace("/", "-").encode()
            for shared in (b"z9hG4bKkdjuw\r\n", b"z9hG4bKas3-111\r\n"):
                text = text.replace(shared, shared[:-2] + unique + b"\r\n")
            # Without rport an answer goes to the port that Via names (RFC 3261 section 18.2.2): let that be ours.
            text = re.sub(rb"(?im)^(via:.*):(5050|6050|19823);", rb"\1:5060;", text)
            yield fields[0], text, fields[column]


def call_id(text):
    found = re.search(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*(\S+)", text)
    return found and found.group(1)


@contextlib.contextmanager
def gateway():
    with Neighbourhood() as lab:
        gw = lab.gateway([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], [("core", "+999", "carrier-a")])
        yield lab, gw
        gw.stop()


def answers(read, text, name, expected, probe_id):
    """The answer to the message is as expected, and the one to the probe behind it comes."""
    wanted, statuses, end = call_id(text), [], time.monotonic() + 30
    while True:
        if time.monotonic() > end:
            raise LabError(f"{name}: the probe behind it was not answered; before it: {statuses}")
        try:
            answer = read()
        except (OSError, LabError) as why:
            raise LabError(f"{name}: {why}; before it: {statuses}") from why
        status = int(re.match(rb"SIP/2\.0 (\d+)", answer).group(1))
        if call_id(answer) == probe_id.encode():
            break
        if call_id(answer) == wanted and status >= 200:
            statuses.append(status)
    if expected == "-":
        assert not statuses, (name, statuses)
    else:
        assert statuses and set(statuses) == {int(expected)}, (name, expected, statuses)


def test_over_udp():
    with gateway() as (lab, gw):
        with inside(lab.host("phone")):
            wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        wire.bind(("10.20.0.10", 5060))
        wire.settimeout(30)
        sent = 0
        for name, text, expected in messages(2):
            probe_id = f"probe-{sent}"
            wire.sendto(text, (INSIDE, 5060))
            wire.sendto((PROBE % ("UDP", "10.20.0.10", sent, sent)).encode(), (INSIDE, 5060))
            answers(lambda: wire.recv(65536), text, name, expected, probe_id)
            sent += 1
        wire.close()
        assert sent == 61 and gw.controlplane.running()
        assert gw.ctl("show", "calls")["active"] == 0


class Stream:
    """Whole messages off a TLS connection."""

    def __init__(self, wire):
        self.wire, self.octets = wire, b""

    def read(self):
        while b"\r\n\r\n" not in self.octets:
            more = self.wire.recv(65536)
            if not more:
                raise LabError("the gateway closed the connection")
            self.octets += more
        answer, _, self.octets = self.octets.partition(b"\r\n\r\n")
        return answer + b"\r\n\r\n"


def test_over_tls():
    with gateway() as (lab, gw):
        cert, key, _ = lab.identity("carrier-a")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(cert, key)
        context.load_verify_locations(lab.ca.cert)
        sent = 0
        for name, text, expected in messages(3):
            with inside(lab.host("carrier-a")):
                plain = socket.create_connection((OUTSIDE, 5061), 30)
            with context.wrap_socket(plain, server_hostname=OUTSIDE) as wire:
                wire.settimeout(30)
                wire.sendall(text + (PROBE % ("TLS", "192.0.2.10", sent, sent)).encode())
                answers(Stream(wire).read, text, name, expected, f"probe-{sent}")
            sent += 1
        assert sent == 56 and gw.controlplane.running()
        assert gw.ctl("show", "calls")["active"] == 0
