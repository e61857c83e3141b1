# SPDX-License-Identifier: Apache-2.0
"""rtpengine's control protocol, as far as a call needs it: a cookie, a space and a bencoded dictionary, over UDP."""

import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "support"))

from lab.net import LabError  # noqa: E402


def encode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    return b"d" + b"".join(encode(k) + encode(v) for k, v in value.items()) + b"e"


def _items(data, at):
    while data[at:at + 1] != b"e":
        value, at = _value(data, at)
        yield value, at


def _value(data, at):
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        found, at = [], at + 1
        for value, at in _items(data, at):
            found.append(value)
        return (found if kind == b"l" else dict(zip(found[::2], found[1::2]))), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1:end].decode(errors="replace"), end


def decode(data):
    """A bencoded value; text as str, keys as str."""
    return _value(data, 0)[0]


class Control:
    """Asks at a UDP socket that the caller has connected to rtpengine's listen-ng."""

    def __init__(self, sock):
        self.sock, self._numbers = sock, itertools.count(1)
        sock.settimeout(5)

    def ask(self, command, **more):
        """The answer, a dictionary; LabError with rtpengine's reason."""
        cookie = b"%d" % next(self._numbers)
        words = {"command": command, **{k.replace("_", "-"): v for k, v in more.items()}}
        for _ in range(3):
            self.sock.send(cookie + b" " + encode(words))
            try:
                while not (data := self.sock.recv(65536)).startswith(cookie + b" "):
                    pass
            except TimeoutError:
                continue
            answer = decode(data[len(cookie) + 1:])
            if answer.get("result") not in ("ok", "pong"):
                raise LabError(f"rtpengine: {command}: {answer.get('error-reason', answer)}")
            return answer
        raise LabError(f"rtpengine: {command}: no answer")
