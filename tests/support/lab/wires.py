# SPDX-License-Identifier: Apache-2.0
"""Connections and datagrams of SIP phones that are never waited for: whoever has many of them polls their sockets."""

import re
import socket
import ssl


class TlsWire:
    """One connection, made or taken. Texts that are sent before the handshake is done go behind it."""

    def __init__(self, sock, context, name=None):
        """name: whom we connect to; None: somebody connects to us."""
        sock.setblocking(False)
        self.sock, self.open, self.ready = sock, True, False
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=name is None, server_hostname=name)
        self._said, self._cipher, self._buffer = b"", b"", b""
        self._step()

    def fileno(self):
        return self.sock.fileno()

    def wants_to_write(self):
        return bool(self._cipher)

    def close(self):
        if self.open:
            self.open = False
            self.sock.close()

    def send(self, text):
        self._said += text.encode()
        self._step()

    def write(self):
        """What is due goes out, as far as there is room."""
        try:
            while self.open and self._cipher:
                self._cipher = self._cipher[self.sock.send(self._cipher):]
        except BlockingIOError:
            pass
        except OSError as e:
            if not isinstance(e, (InterruptedError,)) and e.errno not in (115, 107):  # it still connects
                self.close()

    def _step(self):
        if not self.open:
            return
        try:
            if not self.ready:
                self._tls.do_handshake()
                self.ready = True
            if self._said:
                self._tls.write(self._said)
                self._said = b""
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._cipher += self._out.read()
            self.write()
            self.close()
            return
        self._cipher += self._out.read()
        self.write()

    def read(self):
        """The SIP messages that have come whole, as text."""
        try:
            while True:
                data = self.sock.recv(65536)
                if not data:
                    self.close()
                    break
                self._in.write(data)
        except BlockingIOError:
            pass
        except OSError:
            self.close()
        self._step()
        try:
            while self.ready and (plain := self._tls.read(65536)):
                self._buffer += plain
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.close()
        return self._whole()

    def _whole(self):
        found = []
        while True:
            self._buffer = self._buffer.lstrip(b"\r\n")
            head, mark, rest = self._buffer.partition(b"\r\n\r\n")
            size = re.search(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d+)", head)
            length = int(size.group(1)) if size else 0
            if not mark or len(rest) < length:
                return found
            found.append((head + mark + rest[:length]).decode())
            self._buffer = rest[length:]


class UdpWire:
    """A phone's one socket, for its gateway."""

    def __init__(self, sock, gateway):
        sock.setblocking(False)
        self.sock, self.gateway, self.open = sock, gateway, True

    def fileno(self):
        return self.sock.fileno()

    def wants_to_write(self):
        return False

    def close(self):
        """It is not a connection, and stays."""

    def write(self):
        pass

    def send(self, text):
        try:
            self.sock.sendto(text.encode(), self.gateway)
        except OSError:
            pass  # as if it were lost on the way

    def read(self):
        found = []
        try:
            while True:
                found.append(self.sock.recv(65536).decode())
        except OSError:
            return found


def connected(address, to):
    """A TCP socket that is on its way to `to`."""
    sock = socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        sock.connect(to)
    except BlockingIOError:
        pass
    return sock
