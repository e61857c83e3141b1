# SPDX-License-Identifier: Apache-2.0
"""
A user agent that speaks SIP over WebSocket as a browser does (RFC 7118), with the websockets library for its
frames: it registers, it is reached down its connection only, and its Via and Contact name no place.
"""

import json
import os
import select
import subprocess

from .account import Account
from .agent import Agent, Message, _token
from .net import PATIENCE, LabError, Patience

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "websocket_client.py")
ORIGIN = "https://phone.example.net"


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


class BrowserAgent(Account, Agent):
    """gateway: (address, port) of the WSS listener; realm: of the challenges."""

    def __init__(self, host, name, address, gateway, ca, user, password, realm="srtpgw", algorithm="SHA-256",
                 origin=ORIGIN, **kw):
        super().__init__(host, name, address, gateway, transport="tls", ca=ca, user=user, port=kw.pop("port", 5999), **kw)
        self.transport, self.ca, self.origin, self.host_name = "wss", ca, origin, f"{_token('h')}.invalid"
        self.has_account(password, realm, algorithm)

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
        """The gateway ends the connection: with which status (RFC 6455 section 7.4)."""
        wire = self.wires.pop(0)
        said = wire.read(seconds)
        wire.end()
        assert said and "closed" in said, said
        return said["closed"]

    # Dialogs

    def _via(self, branch=None):
        return f"Via: SIP/2.0/WSS {self.host_name};branch={branch or _token('z9hG4bK')}"

    def _contact(self):
        return f"Contact: <sip:{self.user}@{self.host_name};transport=ws;ob>"

    def _registered_contact(self):
        return f'{self._contact()};reg-id=1;+sip.instance="<urn:uuid:{self.host_name}>"'
