# SPDX-License-Identifier: Apache-2.0
"""A place with many phones (phones.py): its sockets, transactions, and which call a message is of."""

import socket
import ssl
import time

from .agent import Message, inside
from .phones import DtlsPhone, Phone, branch_of, text_of
from .wires import TlsWire, UdpWire, connected


class House:
    """
    One place with many phones. transport: tls or udp; suites: none is RTP in the clear; keying: sdes or dtls; users are
    numbered from `base` on.
    """

    def __init__(self, life, lab, name, where, address, gateway, transport, suites, keying, prefix, media_port):
        self.life, self.name, self.host, self.address, self.gateway = life, name, lab.host(where), address, gateway
        self.transport, self.suites, self.keying, self.prefix = transport, suites, keying, prefix
        self.port, self.media_port = 5061 if transport == "tls" else 5060, media_port
        self.calls, self.requests, self.answers, self.wires, self.own = {}, {}, {}, [], None
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with inside(self.host):
            self.listener = socket.socket(family, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((address, self.port))
        if transport == "udp":
            self.own = UdpWire(self.listener, gateway)
            self.wires.append(self.own)
            return
        self.listener.listen(64)
        self.listener.setblocking(False)
        identity = lab.identity(where)
        self.tls = [ssl.SSLContext(side) for side in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER)]
        for context in self.tls:
            context.load_cert_chain(identity[0], identity[1])
            context.load_verify_locations(lab.ca.cert)

    def next_port(self):
        self.media_port += 4
        return self.media_port

    def phone(self, name):
        kind = DtlsPhone if self.keying == "dtls" else Phone
        return kind(self, name, f"{self.prefix}{name[1:].zfill(4)}")

    def wire(self, preferred=None):
        if preferred is not None and preferred.open:
            return preferred
        if self.own is None or not self.own.open:
            with inside(self.host):
                sock = connected(self.address, self.gateway)
            self.own = TlsWire(sock, self.tls[0], self.gateway[0])
            self.wires.append(self.own)
        return self.own

    def say(self, text, wire):
        self.life.trace(self, "says", text)
        wire.send(text)

    def drop_connections(self):
        for wire in self.wires:
            wire.close()

    def begin(self, request):
        self.requests[request.branch, request.method] = request
        request.turn(self, time.monotonic())
        return request

    def sockets(self):
        self.wires = [w for w in self.wires if w.open]
        return [*([self.listener] if self.transport == "tls" else []), *self.wires]

    def readable(self, what):
        if what is self.listener:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.wires.append(TlsWire(sock, self.tls[1]))
            return
        for text in what.read():
            self.received(Message(text, what))

    def received(self, m):
        self.life.trace(self, "hears", m.text)
        if m.status is not None:
            self._response(m)
            return
        key = (branch_of(m), m.method)
        if key in self.answers and m.method != "ACK":
            if self.answers[key]:
                self.say(self.answers[key], self.wire(m.wire))
            return
        self.answers[key] = None  # yet
        phone = self.calls.get(m.get("Call-ID"))
        if not phone and m.method == "INVITE" and ";tag=" not in m.get("To"):
            phone = self.life.rings(self, m)
            if phone:
                phone.ringing(m)
                self.life.has_rung(phone, m)
                return
        if not phone and m.method != "ACK":
            lines = [f"SIP/2.0 {'200 OK' if m.method == 'OPTIONS' and ';tag=' not in m.get('To') else '481 No Such Call'}",
                     *(f"Via: {v}" for v in m.all("Via")), f"From: {m.get('From')}", f"To: {m.get('To')}",
                     f"Call-ID: {m.get('Call-ID')}", f"CSeq: {m.get('CSeq')}"]
            self.say(text_of(lines), self.wire(m.wire))
        elif phone:
            phone.received(m)

    def _response(self, m):
        key = (branch_of(m), m.cseq_method)
        request = self.requests.get(key)
        if request is None:
            phone = self.calls.get(m.get("Call-ID"))
            if m.cseq_method == "INVITE" and phone and 200 <= m.status < 300 and m.cseq in phone.acks:
                self.say(phone.acks[m.cseq], self.wire(m.wire))
            elif m.cseq_method == "INVITE" and phone and m.status >= 300:
                phone._ack(m, failed=True)
            return
        if m.status < 200:
            request.rung = True
            if m.cseq_method == "INVITE":
                request.phone.progress(m)
            return
        del self.requests[key]
        request.then(m)

    def turn(self):
        now = time.monotonic()
        for key, request in list(self.requests.items()):
            if not request.turn(self, now) and self.requests.pop(key, None):
                request.then(None)
        for phone in list(self.calls.values()):
            phone.turn(now)

    def forget(self, phone):
        """Nothing is asked for it or answered any more."""
        for key, request in list(self.requests.items()):
            if request.phone is phone:
                del self.requests[key]

    def stop(self):
        self.drop_connections()
        self.listener.close()
