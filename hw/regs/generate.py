#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the C header and the SystemVerilog package from regs.json: generate.py regs.json out.h out.sv"""
import json
import sys


def num(v):
    return int(v, 0) if isinstance(v, str) else v


def constants(d):
    """Yields (name, value, comment) in order; name None is a heading."""
    yield None, None, "identity"
    yield "ID_VALUE", num(d["id"]), ""
    yield "VERSION_VALUE", num(d["version"]), ""
    yield None, None, "registers: octet offsets, fields"
    for r in d["registers"]:
        yield "REG_" + r["name"], num(r["at"]), r.get("about", "")
        if "reset" in r:
            yield "RESET_" + r["name"], num(r["reset"]), "value after reset"
        yield from fields("REG_" + r["name"], r)
    yield None, None, "counters: 64 bits, low word first; reading the low word holds the high one"
    yield "COUNTERS_AT", num(d["counters_at"]), ""
    yield "COUNTERS", len(d["counters"]), ""
    for i, c in enumerate(d["counters"]):
        yield "COUNT_" + c["name"], i, c.get("about", "")
    yield None, None, "queues"
    yield "QUEUES_AT", num(d["queues_at"]), ""
    yield "QUEUE_STRIDE", num(d["queue_stride"]), ""
    for r in d["queue_registers"]:
        yield "QUEUE_" + r["name"], num(r["at"]), r.get("about", "")
        yield from fields("QUEUE_" + r["name"], r)
    for e in d["enums"]:
        yield None, None, e.get("about", e["name"])
        for k, v in e["values"].items():
            yield f"{e['name']}_{k}", num(v), ""
    for r in d["records"]:
        yield None, None, r.get("about", r["name"]) + ": bit positions, little-endian"
        yield from fields(r["name"], r)


def fields(prefix, r):
    for f in r.get("fields", []):
        yield f"{prefix}_{f['name']}_LSB", f["lsb"], f.get("about", "")
        yield f"{prefix}_{f['name']}_BITS", f["bits"], ""


def sized(name, value):
    """The Verilog type that a constant is compared or selected with."""
    if name.endswith(("_LSB", "_BITS", "_AT", "_STRIDE")) or name.startswith(("COUNT", "LIMIT_")):
        return "integer", str(value)
    for prefix, bits in (("REG_", 12), ("QUEUE_", 6), ("ST_", 4), ("OP_", 8), ("ALG_", 8)):
        if name.startswith(prefix):
            return f"[{bits - 1}:0]", f"{bits}'h{value:x}"
    return "[31:0]", f"32'h{value:x}"


def check(d):
    """Refuses what overlaps: a mistake here would be a mistake on both sides at once."""
    taken = {}
    for r in d["registers"]:
        if num(r["at"]) % 4 or num(r["at"]) in taken:
            sys.exit(f"register {r['name']}: offset {r['at']} is taken or unaligned")
        taken[num(r["at"])] = r["name"]
    if max(taken) >= num(d["counters_at"]):
        sys.exit("registers reach into the counters")
    if num(d["counters_at"]) + 8 * len(d["counters"]) > num(d["queues_at"]):
        sys.exit("counters reach into the queues")
    groups = [(r, 32) for r in d["registers"] + d["queue_registers"]]
    groups += [(r, 8 * r["octets"]) for r in d["records"]]
    for r, width in groups:
        at = 0
        for f in sorted(r.get("fields", []), key=lambda f: f["lsb"]):
            if f["lsb"] < at or f["lsb"] + f["bits"] > width:
                sys.exit(f"{r['name']}.{f['name']} overlaps or does not fit")
            at = f["lsb"] + f["bits"]


def main():
    source, header, package = sys.argv[1:]
    with open(source) as f:
        d = json.load(f)
    check(d)
    with open(header, "w") as f:
        f.write("/* Generated from hw/regs/regs.json. */\n#pragma once\n")
        for name, value, text in constants(d):
            if name is None:
                f.write(f"\n/* {text} */\n")
            else:
                f.write(f"#define SRTPDEV_{name} {value:#x}u" + (f" /* {text} */" if text else "") + "\n")
        f.write("\n/* names of the counters and of the status codes, by number */\n")
        for what, names in (("COUNTER", [c["name"] for c in d["counters"]]),
                            ("STATUS", list(next(e for e in d["enums"] if e["name"] == "ST")["values"]))):
            f.write(f"#define SRTPDEV_{what}_NAMES {{" + ", ".join(f'"{n.lower()}"' for n in names) + "}\n")
    with open(package, "w") as f:
        f.write("// Generated from hw/regs/regs.json.\n/* verilator lint_off UNUSEDPARAM */\npackage srtpdev;\n")
        for name, value, text in constants(d):
            if name is None:
                f.write(f"\n\t// {text}\n")
            else:
                kind, lit = sized(name, value)
                f.write(f"\tlocalparam {kind} {name} = {lit};" + (f" // {text}" if text else "") + "\n")
        f.write("endpackage\n/* verilator lint_on UNUSEDPARAM */\n")


main()
