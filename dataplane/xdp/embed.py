#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: embed.py OBJECT OUTPUT NAME: OBJECT as a C array NAME of octets and its size NAME_size."""
import sys

with open(sys.argv[1], "rb") as f:
    data = f.read()
name = sys.argv[3]
with open(sys.argv[2], "w", encoding="ascii") as out:
    out.write('#include "dataplane/xdp/program.h"\n\n')
    out.write(f"const unsigned char {name}[] __attribute__((aligned(8))) = {{\n")
    for i in range(0, len(data), 16):
        out.write("\t" + ", ".join(str(b) for b in data[i:i + 16]) + ",\n")
    out.write(f"}};\nconst size_t {name}_size = sizeof({name});\n")
