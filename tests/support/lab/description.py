# SPDX-License-Identifier: Apache-2.0
"""One end of a call's media as SDP has it: what it describes and what it makes of the gateway's descriptions."""

import base64
import secrets

from .talker import KEY_OCTETS


class Described:
    """Clear RTP, or SRTP with keys in SDP (RFC 4568). talker: whose media it is; suites: none are RTP in the clear."""

    def __init__(self, name, talker, suites=()):
        self.name, self.talker, self.suites = name, talker, list(suites)
        self.mux, self.mki, self.lifetime, self.direction, self.version = False, 0, 0, "sendrecv", 0
        self.keys, self.keys_seen = {}, set()

    def _heading(self):
        """The lines above the first m-line."""
        place = f"IN IP{6 if ':' in self.talker.address else 4} {self.talker.address}"
        return ["v=0", f"o={self.name} 1 {self.version} {place}", "s=-", f"c={place}", "t=0 0"]

    def describe(self, crypto=None, **changes):
        """Our session description with fresh keys for each suite, or for the line (tag, suite) that we answer."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.version += 1
        lines = [(i + 1, suite) for i, suite in enumerate(self.suites)] if crypto is None else crypto
        self.keys, t = {}, self.talker
        text = [*self._heading(), f"m=audio {t.port} RTP/{'SAVP' if lines else 'AVP'} 0", "a=rtpmap:0 PCMU/8000",
                f"a={self.direction}"]
        for tag, suite in lines:
            key = secrets.token_bytes(KEY_OCTETS[suite])
            mki = (self.version * 16 + tag, self.mki) if self.mki else None
            self.keys[tag] = (suite, key, mki)
            self.keys_seen.add(_base64(key))
            text.append(f"a=crypto:{tag} {suite} inline:{_base64(key)}" + (f"|{self.lifetime}" if self.lifetime else "") +
                        (f"|{mki[0]}:{mki[1]}" if mki else ""))
        return "\r\n".join(text + (["a=rtcp-mux"] if self.mux else [])) + "\r\n"

    def _tx(self, suite, key, mki):
        self.talker.tell("tx", suite, key.hex(), *([mki[0].to_bytes(mki[1], "big").hex()] if mki else []))

    def _rx(self, line):
        _, suite, key, mki, length = line
        self.keys_seen.add(key)
        self.talker.tell("rx", suite, _octets(key).hex(), *([mki.to_bytes(length, "big").hex()] if length else []))

    def learn(self, message):
        """Where the gateway wants media, and by its a=crypto the key that it sends with."""
        self.talker.tell("remote", *message.media())
        for line in message.crypto()[:1]:
            self._rx(line)

    def speak_as_answered(self, message):
        """Ours is the key that the answer's tag chose."""
        self.learn(message)
        for line in message.crypto():
            self._tx(*self.keys[line[0]])

    def answer_body(self, offer, **changes):
        """An answer to the first line of an offer whose suite we have; from here on its keys are in use."""
        line = next((c for c in offer.crypto() if c[1] in self.suites), None)
        body = self.describe([line[:2]] if line else [], **changes)
        self.talker.tell("remote", *offer.media())
        if line:
            self._rx(line)
            self._tx(*self.keys[line[0]])
        return body


def _base64(octets):
    return base64.b64encode(octets).decode()


def _octets(text):
    return base64.b64decode(text)
