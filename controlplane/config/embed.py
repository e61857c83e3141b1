# SPDX-License-Identifier: Apache-2.0
"""Turns a text file into a C array: embed.py INPUT OUTPUT SYMBOL."""

import sys

source, target, symbol = sys.argv[1:]
with open(source, "rb") as f:
    octets = f.read()
lines = (", ".join(map(str, octets[i:i + 24])) for i in range(0, len(octets), 24))
with open(target, "w") as f:
    f.write('#include "controlplane/config/schema.h"\n\n')
    f.write(f"const char {symbol}[] = {{\n\t" + ",\n\t".join(lines) + ",\n\t0,\n};\n")
    f.write(f"const unsigned int {symbol}_octets = {len(octets)};\n")
