# SPDX-License-Identifier: Apache-2.0
"""A certificate authority for the laboratory, made anew each time."""

import os

from .net import run


class Authority:
    """Issues ECDSA P-256 certificates that live for two days."""

    def __init__(self, folder, name="lab"):
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.cert, self._key = self._file(f"{name}-ca.pem"), self._file(f"{name}-ca.key")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN=srtpgw {name} CA", "-keyout", self._key, "-out", self.cert)

    def _file(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, *alt_names, days=2):
        """A certificate for DNS and IP names; (certificate, key, both in one file)."""
        cert, key, both = self._file(f"{name}.pem"), self._file(f"{name}.key"), self._file(f"{name}-both.pem")
        request, extensions = self._file(f"{name}.csr"), self._file(f"{name}.ext")
        kinds = [("IP:" if n.replace(".", "").isdigit() or ":" in n else "DNS:") + n for n in (alt_names or (name,))]
        with open(extensions, "w") as f:
            f.write(f"subjectAltName={','.join(kinds)}\nkeyUsage=digitalSignature\n"
                    "extendedKeyUsage=serverAuth,clientAuth\n")
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self._key, "-CAcreateserial",
            "-days", str(days), "-extfile", extensions, "-out", cert)
        with open(both, "w") as out:
            for part in (cert, key):
                with open(part) as f:
                    out.write(f.read())
        os.chmod(both, 0o600)
        return cert, key, both
