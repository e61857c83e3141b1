# SPDX-License-Identifier: Apache-2.0
"""
A call whose carrier has its keys by DTLS, and a stranger who is faster: openssl s_client shakes hands from the port of
the carrier's media, gives the keys to a talker there, and is gone; the stranger's comes from another address.
"""

import re
import select
import subprocess
import time

from lab.net import LabError, run

PROFILE = "SRTP_AES128_CM_SHA1_80"
KEY, SALT = 16, 14


def fingerprint(certificate):
    return run("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256").strip().split("=")[1]


def sdp(address, port, certificate):
    """An offer or answer of an end that begins the handshake."""
    return "\r\n".join(["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
                        f"m=audio {port} UDP/TLS/RTP/SAVP 0", "a=rtpmap:0 PCMU/8000", "a=setup:active",
                        f"a=fingerprint:SHA-256 {fingerprint(certificate)}"]) + "\r\n"


def handshake(host, local, to, identity, seconds):
    """(key that we send with, key that the other end does), each with its salt; None when there is no handshake in time."""
    client = subprocess.Popen(
        ["ip", "netns", "exec", host.netns, "openssl", "s_client", "-dtls1_2", "-bind", f"{local[0]}:{local[1]}", "-connect",
         f"{to[0]}:{to[1]}", "-use_srtp", PROFILE, "-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen",
         str(2 * (KEY + SALT)), "-cert", identity[0], "-key", identity[1]],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text, end = "", time.monotonic() + seconds
    try:
        while not (found := re.search(r"Keying material: ([0-9A-F]+)\n", text)) and (left := end - time.monotonic()) > 0:
            if select.select([client.stdout], [], [], left)[0]:
                if not (data := client.stdout.read1(65536)):
                    return None
                text += data.decode(errors="replace")
    finally:
        client.kill()  # without a close_notify: the association lives on
        client.wait(5)
        client.stdin.close()
        client.stdout.close()
    if not found:
        return None
    octets = bytes.fromhex(found.group(1))
    if len(octets) != 2 * (KEY + SALT):
        raise LabError(f"openssl exports {len(octets)} octets")
    keys, salts = octets[:2 * KEY], octets[2 * KEY:]
    return tuple(keys[i * KEY:(i + 1) * KEY] + salts[i * SALT:(i + 1) * SALT] for i in range(2))
