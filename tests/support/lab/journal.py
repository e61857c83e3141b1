# SPDX-License-Identifier: Apache-2.0
"""The journal of a recovery directory, read as a control plane would that starts there (controlplane/state/journal.h)."""

import os

HEADER, RECORD = 16, 17  # octets: of a segment; of a record before what was put (length, checksum, key, whether it was put)


def newest(folder):
    """The newest record of everything that is kept: key -> octets."""
    found = {}
    for name in sorted(n for n in os.listdir(folder) if n.startswith("calls.")):
        with open(os.path.join(folder, name), "rb") as f:
            octets = f.read()
        at = HEADER
        while at + RECORD <= len(octets):
            n = int.from_bytes(octets[at:at + 4], "big")
            key, put = octets[at + 8:at + 16], octets[at + 16]
            if put:
                found[key] = octets[at + RECORD:at + RECORD + n]
            else:
                found.pop(key, None)
            at += RECORD + n
    return found


def registrations(folder):
    """Those of accounts alone; calls' keys are numbers of 32 bits."""
    return {key: record for key, record in newest(folder).items() if key[0] == 1}
