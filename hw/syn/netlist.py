# SPDX-License-Identifier: Apache-2.0
"""What a netlist of Xilinx cells takes and how long its longest path is: reads yosys's JSON.

Delays are of the cells alone, without routing, in ns: the slowest input of each, as Vivado reports them for UltraScale+
of speed grade -1, which is a grade slower than an Alveo U50's.
"""
import collections
import json
import re

CLOCK_TO_Q = 0.093
SETUP = 0.060
BLOCK_RAM = 0.830
LUT = 0.180
MUX = 0.087
CARRY_IN, CARRY_ON, CARRY_SUM, CARRY_OUT = 0.177, 0.030, 0.150, 0.109  # S or DI to CO, CI to CO, S to O, CI to O


def load(path):
    with open(path) as f:
        return json.load(f)["modules"]


def is_lut(kind):
    return re.fullmatch(r"LUT[1-6]", kind) is not None


def is_lut_ram(kind):
    return kind.startswith("RAM") and not kind.startswith("RAMB")


# LUTs that a LUT memory's cell lies in; a SLICEM's four or eight LUTs are counted whole.
LUT_RAM = {"RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4, "RAM256X1D": 8, "RAM32M": 4, "RAM64M": 4, "RAM32M16": 8,
           "RAM64M8": 8, "RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2, "RAM256X1S": 4, "RAM512X1S": 8, "RAM32X16DR8": 8,
           "RAM64X8SW": 8}


def shared_sites(cells):
    """LUTs that need no site of their own: what drives only a carry's DI lies in the O5 half of the LUT at its S."""
    driver, readers = {}, collections.Counter()
    for cell in cells:
        for pin, bits in cell["connections"].items():
            for bit in bits:
                if cell["port_directions"][pin] == "output":
                    driver[bit] = cell
                else:
                    readers[bit] += 1

    def inputs(cell):
        return {b for pin, bits in cell["connections"].items() if pin != "O" for b in bits}

    shared = 0
    for cell in cells:
        if not cell["type"].startswith("CARRY"):
            continue
        for s, di in zip(cell["connections"]["S"], cell["connections"]["DI"]):
            at_s, at_di = driver.get(s), driver.get(di)
            if at_s and at_di and at_s is not at_di and is_lut(at_s["type"]) and is_lut(at_di["type"]):
                shared += readers[di] == 1 and len(inputs(at_s) | inputs(at_di)) <= 5
    return shared


def area(modules, top, known=None):
    """{"luts", "lut_ram", "ffs", "ramb36", "carry"} of a module with all that is in it."""
    known = {} if known is None else known
    if top in known:
        return known[top]
    total = collections.Counter()
    cells = list(modules[top]["cells"].values())
    for cell in cells:
        kind = cell["type"]
        if is_lut(kind):
            total["luts"] += 1
        elif is_lut_ram(kind):
            total["lut_ram"] += LUT_RAM[kind]
        elif kind.startswith("FD"):
            total["ffs"] += 1
        elif kind.startswith("SRL") :
            total["lut_ram"] += 1
        elif kind.startswith("RAMB"):
            total["ramb36"] += 1 if kind.startswith("RAMB36") else 0.5
        elif kind.startswith("CARRY"):
            total["carry"] += 1
        elif kind in modules and modules[kind]["cells"] and "blackbox" not in modules[kind].get("attributes", {}):
            total.update(area(modules, kind, known))
    total["luts"] -= shared_sites(cells)
    known[top] = total
    return total


def read_address(pin):
    """The address that a LUT memory's output is read at. Memories of several ports are written at the last one's: what
    makes the address of a write is no way to what is read."""
    port = re.fullmatch(r"DO([A-H])", pin)
    return "ADDR" + port[1] if port else "DPRA" if pin == "DPO" else "A"


def arcs(cell):
    """
    Yields (output bit, [(input bit, delay)]) of a cell, and [] where a register or memory starts a path. Outputs that
    nobody reads may be missing.
    """
    kind, pins = cell["type"], cell["connections"]
    if kind.startswith("CARRY"):
        chain = [(b, CARRY_ON, CARRY_OUT) for b in pins["CI"] + pins["CYINIT"]]
        sums, carries = pins.get("O", []), pins.get("CO", [])
        for i, s in enumerate(pins["S"]):
            if i < len(sums):
                yield sums[i], [(s, CARRY_SUM)] + [(b, to_o) for b, _, to_o in chain]
            chain += [(b, CARRY_IN, CARRY_IN + CARRY_OUT - CARRY_ON) for b in (s, pins["DI"][i])]
            if i < len(carries):
                yield carries[i], [(b, to_co) for b, to_co, _ in chain]
        return
    ins = [b for p, bits in pins.items() if cell["port_directions"][p] == "input" for b in bits]
    for pin, bits in pins.items():
        if cell["port_directions"][pin] != "output":
            continue
        for bit in bits:
            if is_lut(kind) or kind == "INV":
                yield bit, [(b, LUT) for b in ins]
            elif kind.startswith("MUXF"):
                yield bit, [(b, MUX) for b in ins]
            elif is_lut_ram(kind):
                yield bit, [(b, LUT) for p, bs in pins.items() if p.rstrip("0123456789") == read_address(pin) for b in bs]
            else:
                yield bit, []


def names(module):
    """The name that each bit has in the RTL, where it has one: a net of the design rather than one that yosys made."""
    named = {}
    for name, net in module["netnames"].items():
        made = net.get("hide_name", 0) or name.startswith("$")
        for i, bit in enumerate(net["bits"]):
            if not made and (bit not in named or name.count(".") > named[bit].count(".")):
                named[bit] = f"{name}[{i + net.get('offset', 0)}]" if len(net["bits"]) > 1 else name
    return named


def longest(modules, top):
    """(ns, cells on the way, [(their kind, net behind it if it has a name, ns so far)]) of a flat module's longest path
    between registers, setup included; the first entry is where it begins, the last where it ends."""
    comes, starts, ends = {}, {}, []
    for cell in modules[top]["cells"].values():
        kind = cell["type"]
        registered = kind.startswith(("FD", "RAMB", "SRL"))
        for bit, from_ in arcs(cell):
            if registered:
                starts[bit] = (BLOCK_RAM if kind.startswith("RAMB") else CLOCK_TO_Q, kind)
            else:
                comes[bit] = (kind, from_)
        if registered or is_lut_ram(kind):
            ends += [(b, cell) for p, bits in cell["connections"].items()
                     if cell["port_directions"][p] == "input" and "CLK" not in p and p != "C" for b in bits]
    ends += [(b, None) for port in modules[top]["ports"].values() if port["direction"] == "output" for b in port["bits"]]

    done = {}  # bit -> (ns, the bit before it)
    for end, _ in ends:
        stack = [end]
        while stack:
            bit = stack[-1]
            if bit in done:
                stack.pop()
                continue
            if bit not in comes:  # from a register; a module's input counts as one
                done[bit] = (starts.get(bit, (CLOCK_TO_Q,))[0], None)
                continue
            from_ = comes[bit][1]
            wait = [b for b, _ in from_ if b not in done]
            if wait:
                stack += wait
                continue
            done[bit] = max(((done[b][0] + delay, b) for b, delay in from_ if not isinstance(b, str)),
                            default=(0, None), key=lambda x: x[0])
    named = names(modules[top])
    last, cell = max(ends, key=lambda e: done[e[0]][0])
    outs = [b for p, bits in cell["connections"].items() if cell["port_directions"][p] == "output" for b in bits] \
        if cell else [last]
    path = [("to " + (cell["type"] if cell else "output"), next((named[b] for b in outs if b in named), ""),
             done[last][0] + SETUP)]
    bit = last
    while bit is not None:
        kind = comes[bit][0] if bit in comes else "from " + starts.get(bit, (0, "input"))[1]
        path.append((kind, named.get(bit, ""), done[bit][0]))
        bit = done[bit][1]
    return done[last][0] + SETUP, len(path) - 2, path[::-1]
