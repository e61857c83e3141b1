# SPDX-License-Identifier: Apache-2.0
"""
A SIP user agent that a test drives message by message, with a Talker for its media: what SIPp cannot do, because
its scenarios know nothing of the keys in an answer. Its sockets are in its host's namespace.
"""

import contextlib
import ctypes
import os
import re
import secrets
import select
import socket
import ssl

from .description import Described
from .net import PATIENCE, LabError, Patience
from .talker import Talker

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def inside(host):
    """Sockets made here belong to the host's namespace."""
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{host.netns}") as there:
        if _LIBC.setns(there.fileno(), _CLONE_NEWNET):
            raise LabError(f"setns {host.netns}: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            _LIBC.setns(home.fileno(), _CLONE_NEWNET)


class Message:
    def __init__(self, text, wire=None):
        self.text, self.wire = text, wire
        head, _, self.body = text.partition("\r\n\r\n")
        self.first, *lines = head.split("\r\n")
        self.headers = [tuple(p.strip() for p in line.split(":", 1)) for line in lines if ":" in line]
        self.status = int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else None
        self.method = self.first.split()[0] if self.status is None else None
        self.cseq, self.cseq_method = (self.get("CSeq") or "0 -").split()

    def get(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def uri(self, name):
        return re.search(r"<([^>]*)>", self.get(name)).group(1)

    def lines(self, prefix):
        return [line for line in self.body.split("\r\n") if line.startswith(prefix)]

    def media(self):
        """(address, RTP port, RTCP port) of the first m-line."""
        port = int(self.lines("m=audio")[0].split()[1])
        rtcp = [int(line[7:].split()[0]) for line in self.lines("a=rtcp:")]
        return self.lines("c=")[0].split()[2], port, port if self.lines("a=rtcp-mux") else (rtcp or [port + 1])[0]

    def crypto(self):
        """(tag, suite, key and salt, MKI value or None, MKI length) of each a=crypto line."""
        found = []
        for line in self.lines("a=crypto:"):
            tag, suite, params = line[9:].split(" ", 2)
            key, *rest = params.split()[0][len("inline:"):].split("|")
            mki = next((r.split(":") for r in rest if ":" in r), (None, 0))
            found.append((int(tag), suite, key, mki[0] and int(mki[0]), int(mki[1])))
        return found


class Agent(Described):
    """One user agent. transport: "tls", "tcp" or "udp"; identity: (cert, key, both) of a TLS agent."""

    def __init__(self, host, name, address, gateway, transport="tls", identity=None, ca=None, suites=(), media_port=30000,
                 user="+4989100", port=None, talker=None):
        self.host, self.name, self.address, self.transport, self.user = host, name, address, transport, user
        self.gateway, self.port = gateway, port or (5061 if transport == "tls" else 5060)
        super().__init__(name, talker or Talker(host, name, address, media_port), suites)
        self.tls, self.wires, self.buffers, self.waiting, self.seen = None, [], {}, [], set()
        if transport == "tls":
            self.tls = [ssl.SSLContext(side) for side in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER)]
            for context in self.tls:
                if identity:
                    context.load_cert_chain(identity[0], identity[1])
                context.load_verify_locations(ca)
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        with inside(host):
            self.listener = socket.socket(socket.AF_INET, kind)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((address, self.port))
        if transport != "udp":
            self.listener.listen(8)
        host.lab.processes.append(self)
        self.dialog = None

    # Wires

    def connect(self):
        if self.transport == "udp":
            return self.listener
        with inside(self.host):
            wire = socket.create_connection(self.gateway, 5)
        if self.tls:
            wire = self.tls[0].wrap_socket(wire, server_hostname=self.gateway[0])
        self.wires.append(wire)
        return wire

    def hang_up_wires(self):
        for wire in self.wires:
            wire.close()
        self.wires = []

    def reconnect(self):
        """A new connection for the dialog that there is: the gateway's other end of the last one is gone."""
        self.hang_up_wires()
        self.wire = self.connect()

    def send(self, text, wire):
        data = text.encode()
        if self.transport == "udp":
            wire.sendto(data, self.gateway)
        else:
            wire.sendall(data)

    def _read(self, wire):
        """Messages that have arrived whole on a wire."""
        if self.transport == "udp":
            data = wire.recv(65536)
            if data not in self.seen:  # not once more what was sent again
                self.seen.add(data)
                self.waiting.append(Message(data.decode(), wire))
            return
        data = wire.recv(65536)
        if not data:
            self.wires.remove(wire)
            wire.close()
            return
        self.buffers[wire] = self.buffers.get(wire, b"") + data
        while True:
            head, mark, rest = self.buffers[wire].lstrip(b"\r\n").partition(b"\r\n\r\n")
            if not mark:
                return
            size = re.search(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d+)", head)
            length = int(size.group(1)) if size else 0
            if len(rest) < length:
                return
            self.waiting.append(Message((head + mark + rest[:length]).decode(), wire))
            self.buffers[wire] = rest[length:]

    def _accept(self):
        wire, _ = self.listener.accept()
        if self.tls:
            wire.settimeout(PATIENCE)
            try:
                wire = self.tls[1].wrap_socket(wire, server_side=True)
            except OSError:
                return  # the gateway did not like us
        self.wires.append(wire)

    def met(self):
        """Somebody connects, whatever becomes of it."""
        if not select.select([self.listener], [], [], PATIENCE)[0]:
            raise LabError(f"{self.name}: nobody connects within {PATIENCE} s")
        self._accept()

    def message(self, seconds=PATIENCE):
        patience = Patience(seconds)
        while not self.waiting:
            if patience.over():
                raise LabError(f"{self.name}: no SIP message within {seconds:g} s")
            pending = [w for w in self.wires if self.tls and w.pending()]
            wait = min(patience.left, Patience.GAP)
            for wire in pending or select.select([self.listener, *self.wires], [], [], wait)[0]:
                if wire is self.listener and self.transport != "udp":
                    self._accept()
                else:
                    self._read(wire)
        return self.waiting.pop(0)

    def expect(self, what, seconds=PATIENCE):
        """The next message, which must be this status or method; 100 is passed over, OPTIONS answered."""
        m = self.message(seconds)
        while (m.status == 100 and what != 100) or (m.method == "OPTIONS" and what != "OPTIONS"):
            if m.method == "OPTIONS":
                self.respond(m, 200, "OK")
            m = self.message(seconds)
        if what not in (m.status, m.method):
            raise LabError(f"{self.name}: expected {what}, got {m.first}: {m.get('Warning')} {m.get('Reason')}")
        return m

    # Dialogs

    def _via(self, branch=None):
        return f"Via: SIP/2.0/{self.transport.upper()} {self.address}:{self.port};branch={branch or _token('z9hG4bK')};rport"

    def _head(self, method, uri, branch=None, cseq=None):
        d = self.dialog
        return [f"{method} {uri} SIP/2.0", self._via(branch),
                *(f"Route: {r}" for r in d["routes"]), f"From: {d['local']}", f"To: {d['remote']}",
                f"Call-ID: {d['id']}", f"CSeq: {cseq or d['cseq']} {method}", "Max-Forwards: 70"]

    def _contact(self):
        return f"Contact: <sip:{self.user}@{self.address}:{self.port};transport={self.transport}>"

    def invite(self, number, body=None, headers=()):
        """A new call: sends the INVITE; body "": without an offer, which comes in the 200 then."""
        self.wire = self.wires[0] if self.wires else self.connect()
        self.target = f"sip:{number}@{self.gateway[0]}:{self.gateway[1]};transport={self.transport}"
        self.dialog = {"id": _token("call"), "local": f"<sip:{self.user}@{self.address}>;tag={_token('t')}", "cseq": 1,
                       "remote": f"<sip:{number}@{self.gateway[0]}>", "routes": []}
        self._offer(self.target, self.describe() if body is None else body, headers)

    def _offer(self, uri, body, headers=()):
        self.branch = _token("z9hG4bK")
        self.send(_text([*self._head("INVITE", uri, self.branch), self._contact(), *headers], body), self.wire)

    def reinvite(self, body):
        self.dialog["cseq"] += 1
        self._offer(self.target, body)

    def acknowledge(self, answer, body=""):
        """ACK to a 200, with an answer where that offered, or to an error response."""
        self.dialog["remote"] = answer.get("To")
        if answer.status < 300:
            self.target = answer.uri("Contact")
            if answer.all("Record-Route"):
                self.dialog["routes"] = answer.all("Record-Route")[::-1]
        cseq = answer.cseq
        branch = self.branch if answer.status >= 300 else None
        self.send(_text(self._head("ACK", self.target, branch, cseq), body), self.wire)

    def answered(self, seconds=PATIENCE):
        """The 200 to our offer, acknowledged, its keys and address in use."""
        answer = self.expect(200, seconds)
        self.speak_as_answered(answer)
        self.acknowledge(answer)
        return answer

    def take_offer(self, seconds=PATIENCE, **changes):
        """The 200 to an INVITE without an offer, whose offer is answered in the ACK."""
        offer = self.expect(200, seconds)
        self.acknowledge(offer, self.answer_body(offer, **changes))
        return offer

    def request(self, method, headers=()):
        self.dialog["cseq"] += 1
        self.send(_text([*self._head(method, self.target), *headers]), self.wire)

    def prack(self, response):
        """PRACK for a reliable 1xx, and its 200."""
        self.dialog["remote"], self.target = response.get("To"), response.uri("Contact")
        self.request("PRACK", [f"RAck: {response.get('RSeq')} {response.get('CSeq')}"])
        m = self.message()
        while m.status == response.status:  # sent again before our PRACK came
            m = self.message()
        assert (m.status, m.cseq_method) == (200, "PRACK"), m.text

    def update(self, body=""):
        """UPDATE with an offer, or without one."""
        self.dialog["cseq"] += 1
        self.send(_text([*self._head("UPDATE", self.target), self._contact()], body), self.wire)

    def cancel(self):
        self.send(_text(self._head("CANCEL", self.target, self.branch)), self.wire)

    def bye(self):
        self.request("BYE")
        self.expect(200)

    def respond(self, request, status, reason="Fine", body=None, headers=()):
        """A response; the first one with a tag makes the dialog."""
        to = request.get("To")
        if "tag=" not in to and status != 100:
            if not self.dialog or self.dialog["id"] != request.get("Call-ID"):
                self.dialog = {"id": request.get("Call-ID"), "local": f"{to};tag={_token('t')}", "cseq": 100,
                               "remote": request.get("From"), "routes": request.all("Record-Route")}
                self.target, self.wire = request.uri("Contact"), request.wire
            to = self.dialog["local"]
        lines = [f"SIP/2.0 {status} {reason}", *(f"Via: {v}" for v in request.all("Via")),
                 *(f"Record-Route: {r}" for r in request.all("Record-Route")), f"From: {request.get('From')}",
                 f"To: {to}", f"Call-ID: {request.get('Call-ID')}", f"CSeq: {request.get('CSeq')}", self._contact(), *headers]
        self.send(_text(lines, body or ""), request.wire)

    def take(self, seconds=PATIENCE, **changes):
        """Answers the next INVITE, first or later, with 200 and waits for its ACK; the INVITE."""
        offer = self.expect("INVITE", seconds)
        self.respond(offer, 200, "OK", self.answer_body(offer, **changes))
        self.expect("ACK")
        return offer

    def released(self, seconds=PATIENCE):
        """The BYE that the gateway sends us, answered."""
        bye = self.expect("BYE", seconds)
        self.respond(bye, 200, "OK")
        return bye

    def asked(self, status=200, seconds=PATIENCE):
        """The gateway's question whether we still have the call, answered."""
        question = self.expect("OPTIONS", seconds)
        self.respond(question, status, "OK" if status == 200 else "Call/Transaction Does Not Exist")

    def quiet(self):
        """Nothing that was not expected has come."""
        return not self.waiting and not select.select([w for w in (*self.wires,)], [], [], 0)[0]

    def stop(self):
        self.hang_up_wires()
        self.listener.close()


def _token(prefix):
    return f"{prefix}{secrets.token_hex(6)}"


def _text(lines, body=""):
    kind = ["Content-Type: application/sdp"] if body else []
    return "\r\n".join([*lines, *kind, f"Content-Length: {len(body.encode())}", "", body])
