# SPDX-License-Identifier: Apache-2.0
"""Turns YANG modules into a C table: embed.py OUTPUT MODULE.yang..., what is imported before what imports it."""

import os
import sys

target, sources = sys.argv[1], sys.argv[2:]
with open(target, "w") as f:
    f.write('#include "controlplane/config/schema.h"\n\n')
    for i, source in enumerate(sources):
        with open(source, "rb") as text:
            octets = text.read()
        lines = (", ".join(map(str, octets[at:at + 24])) for at in range(0, len(octets), 24))
        f.write(f"static const char text_{i}[] = {{\n\t" + ",\n\t".join(lines) + ",\n\t0,\n};\n")
    f.write("\nconst struct schema_module schema_modules[] = {\n")
    for i, source in enumerate(sources):
        name = os.path.basename(source).removesuffix(".yang")
        f.write(f'\t{{"{name}", text_{i}, sizeof text_{i} - 1}},\n')
    f.write(f"}};\nconst unsigned int schema_modules_n = {len(sources)};\n")
