# SPDX-License-Identifier: Apache-2.0
"""An Agent whose media keys come from DTLS handshakes, and who tells a test what they are."""

import base64
import os

from .agent import Agent
from .description import Described
from .gateway import OUTSIDE, Neighbourhood, build_dir, carrier
from .net import PATIENCE, wait_for
from .party import NUMBERS

MODULE = "controlplane/dtls/nss/srtpgw-dtls-nss.so"


def module():
    """The file of the module for DTLS 1.3; None: it was not built."""
    path = os.path.join(build_dir(), MODULE)
    return os.path.abspath(path) if os.path.exists(path) else None


def dtls_carrier(name, suites, **srtp):
    """A trunk that takes DTLS-SRTP alone and has its keys renewed."""
    trunk = carrier(name, Neighbourhood.ADDRESSES[name], suites, **{"rtcp-mux": "offer"})
    trunk["srtp"] |= {"keying": ["dtls"], **srtp}
    return trunk


class DtlsDescribed(Described):
    """SDP and the associations that it speaks of. library: a module's file, None for OpenSSL."""

    library, handshakes, setup = None, 0, "actpass"

    def _fingerprint(self):
        """With a certificate of its own each time."""
        return self.talker.tell("identity")

    def describe(self, crypto=None, **changes):
        self.version += 1
        return "\r\n".join([
            *self._heading(), f"m=audio {self.talker.port} UDP/TLS/RTP/SAVP 0", "a=rtpmap:0 PCMU/8000", f"a={self.direction}",
            "a=rtcp-mux", f"a=setup:{self.setup}", f"a=fingerprint:{self._fingerprint()}"]) + "\r\n"

    def _begin(self, theirs, role):
        self.talker.tell("remote", *theirs.media())
        fingerprint = theirs.lines("a=fingerprint:")[0].split(":", 1)[1]
        self.talker.tell("dtls", role, fingerprint.replace(" ", "_"), *([self.library] if self.library else []))

    def answer_body(self, offer, **changes):
        """We are active: the handshake begins before the answer is there."""
        self.setup = "active"
        body = self.describe()
        self.setup = "actpass"
        self._begin(offer, "active")
        return body

    def speak_as_answered(self, message):
        role = message.lines("a=setup:")[0].split(":")[1]
        self._begin(message, "passive" if role == "active" else "active")

    def secured(self, seconds=PATIENCE):
        """Waits for the keys of one more handshake: its version of DTLS."""
        self.handshakes += 1

        def done():
            dtls = self.talker.stats()["dtls"]
            return dtls if dtls["established"] >= self.handshakes else None

        dtls = wait_for(f"{self.name}'s DTLS handshake", done, seconds)
        self.keys_seen |= {base64.b64encode(bytes.fromhex(dtls[d])).decode() for d in ("tx", "rx")}
        return dtls["version"]


class DtlsAgent(DtlsDescribed, Agent):
    """Over TLS, in the usual neighbourhood."""

    def __init__(self, lab, name, suites, library=None):
        super().__init__(lab.host(name), name, lab.ADDRESSES[name], (OUTSIDE, 5061), "tls", lab.identity(name), lab.ca.cert,
                         suites, user=NUMBERS[name])
        self.library = library
