# SPDX-License-Identifier: Apache-2.0
"""An account of the gateway's: its user agent registers, and proves in each call who it is (RFC 3261 section 22, RFC 8760)."""

import hashlib
import re
import secrets

from .agent import _text, _token

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def ha1(name, realm, password, algorithm="SHA-256"):
    """What the configuration holds of a password."""
    return HASHES[algorithm](f"{name}:{realm}:{password}".encode()).hexdigest()


class Account:
    """Beside an Agent, in front of it; its user is the account's name."""

    def has_account(self, password, realm="srtpgw", algorithm="SHA-256"):
        """realm: of the challenges."""
        self.password, self.realm, self.algorithm = password, realm, algorithm
        self.nc, self.register_id, self.register_cseq, self.challenge = 0, _token("r"), 0, None

    def _registered_contact(self):
        return self._contact()

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
            f"REGISTER {uri} SIP/2.0", self._via(),
            f"From: <sip:{self.user}@{self.gateway[0]}>;tag={_token('t')}", f"To: <sip:{self.user}@{self.gateway[0]}>",
            f"Call-ID: {self.register_id}", f"CSeq: {self.register_cseq} REGISTER", "Max-Forwards: 70",
            "Supported: path,gruu,outbound", contact or self._registered_contact(),
            f"Expires: {expires}", *headers]), wire)

    def register(self, expires=600):
        """Registers with the password; the 200."""
        self.send_register(expires)
        asked = self.expect(401)
        self.send_register(expires, [self.credentials(asked, "REGISTER", f"sip:{self.gateway[0]}")])
        return self.expect(200)
