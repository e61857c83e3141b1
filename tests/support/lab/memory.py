# SPDX-License-Identifier: Apache-2.0
"""What of a call's keys is in a process's memory: every readable octet of it, as root sees it."""

import base64
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CHUNK = 256 << 10
EMPTY = bytes(CHUNK)
SHORTEST = 12  # octets of a key that are looked for: by chance they are nowhere


def session_key(master, salt_octets):
    """The RTP session encryption key (RFC 3711, 4.3, with key derivation rate 0)."""
    key, salt = master[:-salt_octets], master[-salt_octets:].ljust(14, b"\0")
    counter = salt + b"\0\0"  # label 0
    return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(bytes(len(key)))


class Key:
    """One a=crypto key, as base64."""

    def __init__(self, text):
        self.master = base64.b64decode(text)
        salt = 14 if len(self.master) in (30, 38, 46) else 12
        self.forms = {
            "raw": self.master[:16], "salt": self.master[-salt:], "session": session_key(self.master, salt),
            "base64": text[:24].encode(), "hex": self.master[:16].hex().encode(),
            "HEX": self.master[:16].hex().upper().encode()}


def regions(pid):
    """Resident ones that can be read: (from, to, name)."""
    found, span = [], None
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            words = line.split()
            if not words[0].endswith(":"):
                start, end = (int(x, 16) for x in words[0].split("-"))
                span = (start, end, words[5] if len(words) > 5 else "anonymous") if "r" in words[1] else None
            elif span and words[0] in ("Rss:", "Private_Hugetlb:", "Shared_Hugetlb:") and int(words[1]):
                if not span[2].startswith(("[vvar]", "[vsyscall]")):
                    found.append(span)
                span = None
    return found


def snapshot(pid):
    """All that is in a process's memory at about this moment: [(region, offset, octets)]."""
    taken = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name in regions(pid):
            for at in range(start, end, CHUNK):
                try:
                    memory.seek(at)
                    data = memory.read(min(CHUNK + 64, end - at))  # a needle may lie across two
                except OSError:
                    continue  # a device's, or gone meanwhile
                if not data.startswith(EMPTY):
                    taken.append((name, at - start, data))
    return taken


def search(taken, keys):
    """Where keys are in it: {(number of the key, form): [region, ...]}."""
    found = {}
    labels = {what: (i, form) for i, key in enumerate(keys) for form, what in key.forms.items()}
    any_of_them = re.compile(b"|".join(re.escape(needle) for needle in labels), re.DOTALL)
    for name, at, data in taken:
        for hit in any_of_them.finditer(data):
            found.setdefault(labels[hit.group()], []).append(f"{name}+{at + hit.start():#x}")
    return found


def find(pid, keys):
    return search(snapshot(pid), keys)
