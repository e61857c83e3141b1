# SPDX-License-Identifier: Apache-2.0
"""
A user agent that speaks SIP over WebSocket as a browser does (RFC 7118), with the websockets library for its
frames: it registers, it is reached down its connection only, and its Via and Contact name no place.
"""

import hashlib
import json
import os
import re
import secrets
import select
import subprocess

from .agent import Agent, Message, _text, _token
from .net import PATIENCE, LabError, Patience

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "websocket_client.py")
ORIGIN = "https://phone.example.net"
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def ha1(name, realm, password, algorithm="SHA-256"):
    """What the configuration holds of a password."""
    return HASHES[algorithm](f"{name}:{realm}:{password}".encode()).hexdigest()


class Refused(Exception):
    """The gateway answered the WebSocket's HTTP request with this status."""

    def __init__(self, status):
        super().__init__(f"HTTP status {status}")
        self.status = status


class WebSocket:
    """One connection, in a process of its own in the host's namespace."""

    def __init__(self, host, uri, ca, origin, subprotocol):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", host.netns, "/usr/bin/python3", CLIENT, uri, ca, origin, subprotocol],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.buffer = b""
        said = self.read(30)
        if "refused" in said:
            self.end()
            raise Refused(said["refused"])
        if said.get("open") != subprotocol:
            self.end()
            raise LabError(f"the WebSocket was opened with {said}")

    def read(self, seconds):
        """What the process says next; {} at its end, None when it says nothing."""
        patience = Patience(seconds)
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], max(min(patience.left, Patience.GAP), 0))[0]:
                if patience.over():
                    return None
                continue
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return {}
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def send(self, text):
        self.process.stdin.write(json.dumps(text).encode() + b"\n")
        self.process.stdin.flush()

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


class BrowserAgent(Agent):
    """gateway: (address, port) of the WSS listener; realm: of the challenges."""

    def __init__(self, host, name, address, gateway, ca, user, password, realm="srtpgw", algorithm="SHA-256",
                 origin=ORIGIN, **kw):
        super().__init__(host, name, address, gateway, transport="tls", ca=ca, user=user, port=kw.pop("port", 5999), **kw)
        self.transport, self.password, self.realm, self.algorithm = "wss", password, realm, algorithm
        self.origin, self.host_name, self.nc = origin, f"{_token('h')}.invalid", 0
        self.ca, self.register_id, self.register_cseq, self.challenge = ca, _token("r"), 0, None

    # Wires

    def connect(self, origin=None, subprotocol="sip"):
        """A new WebSocket. Refused when the gateway does not want it."""
        wire = WebSocket(self.host, f"wss://{self.gateway[0]}:{self.gateway[1]}/", self.ca, origin or self.origin, subprotocol)
        self.wires.append(wire)
        return wire

    def hang_up_wires(self):
        for wire in self.wires:
            wire.end()
        self.wires = []

    def send(self, text, wire):
        wire.send(text)

    def message(self, seconds=PATIENCE):
        while not self.waiting:
            said = self.wires[0].read(seconds)
            if not said or "closed" in said:
                raise LabError(f"{self.name}: no SIP message within {seconds:g} s: {said}")
            if said["text"].strip("\r\n"):
                self.waiting.append(Message(said["text"], self.wires[0]))
        return self.waiting.pop(0)

    def closed(self, seconds=PATIENCE):
        """The gateway ends the connection."""
        wire = self.wires.pop(0)
        said = wire.read(seconds)
        wire.end()
        assert said and "closed" in said, said

    # Dialogs

    def _head(self, method, uri, branch=None, cseq=None):
        lines = super()._head(method, uri, branch, cseq)
        lines[1] = f"Via: SIP/2.0/WSS {self.host_name};branch={branch or _token('z9hG4bK')}"
        return lines

    def _contact(self):
        return f"Contact: <sip:{self.user}@{self.host_name};transport=ws;ob>"

    def _offer(self, uri, body, headers=()):
        """An INVITE outside a dialog is challenged, and sent again with the password."""
        super()._offer(uri, body, headers)
        if "tag=" in self.dialog["remote"]:
            return
        asked = self.expect(401)
        remote = self.dialog["remote"]
        self.acknowledge(asked)
        self.dialog["remote"], self.dialog["cseq"] = remote, self.dialog["cseq"] + 1
        super()._offer(uri, body, [*headers, self.credentials(asked, "INVITE", uri)])

    def credentials(self, asked, method, uri):
        """The Authorization line that answers a challenge, by the first of its algorithms that is ours."""
        self.challenge = next(c for c in asked.all("WWW-Authenticate") if f"algorithm={self.algorithm}" in c)
        self.nc = 0
        return self.authorization(method, uri)

    def authorization(self, method, uri):
        """The same once more for the last challenge, with the next count."""
        h = lambda *parts: HASHES[self.algorithm](":".join(parts).encode()).hexdigest()
        nonce = re.search(r'nonce="([^"]*)"', self.challenge).group(1)
        self.nc += 1
        cnonce, nc = secrets.token_hex(8), f"{self.nc:08x}"
        response = h(h(self.user, self.realm, self.password), nonce, nc, cnonce, "auth", h(method, uri))
        return (f'Authorization: Digest username="{self.user}", realm="{self.realm}", nonce="{nonce}", uri="{uri}", '
                f'response="{response}", algorithm={self.algorithm}, qop=auth, nc={nc}, cnonce="{cnonce}"')

    def send_register(self, expires=600, headers=(), contact=None):
        uri = f"sip:{self.gateway[0]}"
        self.register_cseq += 1
        wire = self.wires[0] if self.wires else self.connect()
        self.send(_text([
            f"REGISTER {uri} SIP/2.0", f"Via: SIP/2.0/WSS {self.host_name};branch={_token('z9hG4bK')}",
            f"From: <sip:{self.user}@{self.gateway[0]}>;tag={_token('t')}", f"To: <sip:{self.user}@{self.gateway[0]}>",
            f"Call-ID: {self.register_id}", f"CSeq: {self.register_cseq} REGISTER", "Max-Forwards: 70",
            "Supported: path,gruu,outbound", contact or f'{self._contact()};reg-id=1;+sip.instance="<urn:uuid:{self.host_name}>"',
            f"Expires: {expires}", *headers]), wire)

    def register(self, expires=600):
        """Registers with the password; the 200."""
        self.send_register(expires)
        asked = self.expect(401)
        self.send_register(expires, [self.credentials(asked, "REGISTER", f"sip:{self.gateway[0]}")])
        return self.expect(200)
