# SPDX-License-Identifier: Apache-2.0
"""
usage: figures.py BENCH_JSON CHART_DIR

Charts of build/bench.json as SVG: one for each group of figures that are compared, a bar for the median with a line
from the smallest to the largest sample, the target dashed, red where it is missed. Beside them tables.md: the same
figures as tables for docs/performance.md, under a line that names the machine.
"""

import html
import json
import os
import sys

CHARTS = (
    ("dataplane", "The worker, all in: ns per packet", lambda n: n.startswith(("rtp_", "srtp_")) and n.endswith(".ns")),
    ("limit", "The worker over the bare crypto: ratio", lambda n: n.endswith(".ratio_to_limit")),
    ("crypto", "Crypto alone, 160 octets: ns per packet",
     lambda n: n.startswith("crypto.") and ".160B." in n and n.endswith((".bare", ".backend", ".dpdk_aesni_mb"))),
    ("attack", "Honest packets lost under attack: %", lambda n: n.startswith("attack.") and n.endswith(".honest_loss")),
)
ROW, LABEL, WIDTH, TOP = 22, 300, 460, 40


def bar(name, figure, y, scale):
    low, mid, high = (LABEL + figure[k] * scale for k in ("min", "median", "max"))
    missed = figure.get("met") is False
    colour = "#c0392b" if missed else "#2e7d6b"
    parts = [f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{html.escape(name)}</text>',
             f'<rect x="{LABEL}" y="{y + 5}" width="{max(mid - LABEL, 1):.1f}" height="11" fill="{colour}"/>',
             f'<path d="M{low:.1f} {y + 10.5}H{high:.1f}M{low:.1f} {y + 7}v7M{high:.1f} {y + 7}v7" stroke="#222"/>',
             f'<text x="{max(mid, high) + 6:.1f}" y="{y + 14}">{figure["median"]:.4g}</text>']
    if "target" in figure:
        at = LABEL + figure["target"] * scale
        parts.append(f'<path d="M{at:.1f} {y + 1}v19" stroke="#000" stroke-width="2" stroke-dasharray="3 2"/>')
    return "".join(parts)


def chart(title, rows):
    most = max(max(f["max"], f.get("target", 0)) for _, f in rows) or 1
    scale = WIDTH / most
    height = TOP + ROW * len(rows) + 10
    body = "".join(bar(name, figure, TOP + ROW * i, scale) for i, (name, figure) in enumerate(rows))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + WIDTH + 80}" height="{height}" '
            f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
            f'<text x="8" y="22" font-size="15">{html.escape(title)}</text>{body}</svg>\n')


def table(title, rows):
    lines = [f"## {title}", "", "| figure | median (smallest to largest) | target | |", "|---|---|---|---|"]
    for name, f in rows:
        met = {True: "met", False: "**missed**", None: ""}[f.get("met")]
        lines.append(f"| {name} | {f['median']:.4g} ({f['min']:.4g} to {f['max']:.4g}) {f['unit']} | "
                     f"{f.get('target', '')} | {met} |")
    return "\n".join(lines) + "\n"


def main(path, folder):
    with open(path, encoding="utf-8") as f:
        bench = json.load(f)
    figures = bench["figures"]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "tables.md"), "w", encoding="utf-8") as f:
        f.write(f"Measured on: {bench.get('machine')}\n\n")
        f.write("\n".join(table(title, [(n, figures[n]) for n in figures if wanted(n)]) for _, title, wanted in CHARTS))
    for name, title, wanted in CHARTS:
        rows = [(n, f) for n, f in figures.items() if wanted(n)]
        if not rows:
            continue
        with open(os.path.join(folder, f"{name}.svg"), "w", encoding="utf-8") as f:
            f.write(chart(title, rows))
        print(f"chart: {os.path.relpath(os.path.join(folder, name))}.svg")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    main(*sys.argv[1:])
