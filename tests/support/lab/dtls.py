# SPDX-License-Identifier: Apache-2.0
"""
A SIP agent whose media keys come from DTLS (RFC 5763), with `openssl s_client` for the handshake: what is said in
SDP and what is done on the media path are each the test's to choose, so that they can differ.
"""

import binascii
import contextlib
import hashlib
import hmac
import re
import secrets
import socket
import ssl
import struct
import subprocess
import time

from .agent import Agent, inside
from .net import PATIENCE, LabError

PROFILES = {"AEAD_AES_256_GCM": "SRTP_AEAD_AES_256_GCM", "AEAD_AES_128_GCM": "SRTP_AEAD_AES_128_GCM",
            "AES_CM_128_HMAC_SHA1_80": "SRTP_AES128_CM_SHA1_80", "AES_CM_128_HMAC_SHA1_32": "SRTP_AES128_CM_SHA1_32"}
SIZES = {"AEAD_AES_256_GCM": (32, 12), "AEAD_AES_128_GCM": (16, 12), "AES_CM_128_HMAC_SHA1_80": (16, 14),
         "AES_CM_128_HMAC_SHA1_32": (16, 14)}


def fingerprint(certificate):
    """An a=fingerprint value of a PEM file."""
    with open(certificate) as f:
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest().upper()
    return "sha-256 " + ":".join(digest[i:i + 2] for i in range(0, len(digest), 2))


def s_client(host, to, *options, bind=None, seconds=PATIENCE):
    """`openssl s_client` over UDP from a host's namespace, to its end: (succeeded, what it said)."""
    argv = ["ip", "netns", "exec", host.netns, "openssl", "s_client", "-connect", f"{to[0]}:{to[1]}", *options]
    if bind:
        argv += ["-bind", f"{bind[0]}:{bind[1]}"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=seconds)
    return done.returncode == 0, done.stdout


def client_hello():
    """A datagram as openssl's client begins with."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(30)
        client = subprocess.Popen(["openssl", "s_client", "-dtls1_2", "-use_srtp", PROFILES["AEAD_AES_128_GCM"], "-connect",
                                   f"127.0.0.1:{s.getsockname()[1]}"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            return s.recv(2048)
        finally:
            client.kill()
            client.wait()
            client.stdin.close()


def spoof(host, source, to, datagrams):
    """Sends UDP datagrams from a host as if they came from another address and port."""
    with inside(host):
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    ends = socket.inet_aton(source[0]), socket.inet_aton(to[0])
    with raw:
        for data in datagrams:
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(data), 0, 0, 64, socket.IPPROTO_UDP, 0, *ends)
            raw.sendto(ip + struct.pack("!HHHH", source[1], to[1], 8 + len(data), 0) + data, (to[0], 0))


def _attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def connectivity_check(username, password):
    """A binding request that nominates (RFC 8445 section 7.2)."""
    body = (_attribute(0x0006, username.encode()) + _attribute(0x0024, struct.pack("!I", 0x6E0001FF)) +
            _attribute(0x802A, secrets.token_bytes(8)) + _attribute(0x0025, b""))
    head = lambda more: struct.pack("!HHI", 0x0001, len(body) + more, 0x2112A442) + transaction
    transaction = secrets.token_bytes(12)
    body += _attribute(0x0008, hmac.new(password.encode(), head(24) + body, "sha1").digest())
    return head(8) + body + _attribute(0x8028, struct.pack("!I", binascii.crc32(head(8) + body) ^ 0x5354554E))


class DtlsAgent(Agent):
    """
    dtls: (certificate, key) of its association; its SDP has the fingerprint of `says`, or of the same. ice: its SDP
    has a candidate, and connectivity() comes before the handshake.
    """

    def __init__(self, *args, dtls, says=None, ice=False, **kw):
        super().__init__(*args, **kw)
        self.ice = (secrets.token_hex(4), secrets.token_hex(12)) if ice else None
        self.dtls, self.fingerprint = dtls, fingerprint(says or dtls[0])
        self.media_port = self.talker.port
        self.talker.bind(self.media_port + 100)  # s_client has the other one first

    def describe(self, crypto=None, **changes):
        self.version += 1
        ice = [f"a=ice-ufrag:{self.ice[0]}", f"a=ice-pwd:{self.ice[1]}",
               f"a=candidate:1 1 udp 2130706431 {self.address} {self.media_port} typ host"] if self.ice else []
        return "\r\n".join([
            "v=0", f"o={self.name} 1 {self.version} IN IP4 {self.address}", "s=-", f"c=IN IP4 {self.address}", "t=0 0",
            f"m=audio {self.media_port} UDP/TLS/RTP/SAVP 0", "a=rtpmap:0 PCMU/8000", "a=rtcp-mux", "a=sendrecv",
            "a=setup:active", f"a=fingerprint:{self.fingerprint}", *ice]) + "\r\n"

    def connectivity(self, answer, seconds=PATIENCE):
        """A check from our media port, and its response; without ICE nothing."""
        if not self.ice:
            return
        name, password = (answer.lines(f"a=ice-{what}:")[0].split(":", 1)[1] for what in ("ufrag", "pwd"))
        with inside(self.host):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with s:
            s.bind((self.address, self.media_port))
            s.settimeout(0.5)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                s.sendto(connectivity_check(f"{name}:{self.ice[0]}", password), answer.media()[:2])
                with contextlib.suppress(TimeoutError):
                    if s.recv(2048)[:2] == b"\x01\x01":
                        return
        raise LabError(f"{self.name}: no connectivity check was answered")

    def handshake(self, answer, *options, suites=None, seconds=PATIENCE):
        """The association that our SDP has promised: (succeeded, what openssl said)."""
        offered = ":".join(PROFILES[s] for s in suites or self.suites)
        return s_client(self.host, answer.media()[:2], "-use_srtp", offered, "-cert", self.dtls[0], "-key", self.dtls[1],
                        "-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "88", *(options or ("-dtls1_2",)),
                        bind=(self.address, self.media_port), seconds=seconds)

    def secure(self, answer, *options, suites=None, seconds=PATIENCE):
        """The same, whose keys are in use from now on: (the suite, the cipher)."""
        done, said = self.handshake(answer, *options, suites=suites, seconds=seconds)
        profile, keys = (re.search(p, said) for p in (r"profile=(\S+)", r"Keying material: (\S+)"))
        if not done or not profile or not keys:
            raise LabError(f"{self.name}: no association: {said[-2000:]}")
        suite = next(s for s, name in PROFILES.items() if name == profile.group(1))
        octets, (key, salt) = bytes.fromhex(keys.group(1)), SIZES[suite]
        parts = [octets[i * key:(i + 1) * key] for i in (0, 1)], [octets[2 * key + i * salt:2 * key + (i + 1) * salt]
                                                                  for i in (0, 1)]
        self.talker.bind(self.media_port)
        self.talker.tell("remote", *answer.media())
        for side, way in enumerate(("tx", "rx")):
            self.talker.tell(way, suite, (parts[0][side] + parts[1][side]).hex())
        return suite, re.search(r"Cipher\s*(?:is|:)\s*(\S+)", said).group(1)

    def speak_as_answered(self, message):
        """Nothing yet: the keys are those of the association."""
