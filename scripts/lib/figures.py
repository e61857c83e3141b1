# SPDX-License-Identifier: Apache-2.0
"""
usage: figures.py BUILD_DIR

Joins what the parts of scripts/bench left in BUILD_DIR/bench.PART.json to bench.json there, with a description of this
machine, and draws charts of it as SVG in BUILD_DIR/charts: one for each group of figures that are compared, a bar for the
median with a line from the smallest to the largest sample, the target dashed, red where it is missed.
"""

import glob
import html
import json
import os
import sys

import machine

CHARTS = (
    ("dataplane", "The worker, all in: ns per packet",
     lambda n: n.startswith(("rtp_", "srtp_")) and n.endswith(".ns")),
    ("limit", "The worker over the bare crypto: ratio", lambda n: n.endswith(".ratio_to_limit")),
    ("peers", "Others over us: ratio of the cost of a packet", lambda n: ".ratio_to_rtpengine" in n or n.endswith(".ratio_to_libsrtp")),
    ("crypto", "Crypto alone, 160 octets: ns per packet",
     lambda n: n.startswith("crypto.") and ".160B." in n and n.endswith((".bare", ".backend", ".dpdk_aesni_mb"))),
    ("attack", "Honest packets lost under attack: %", lambda n: n.startswith("attack.") and n.endswith(".honest_loss")),
    ("sip", "Signalling: calls per second", lambda n: n.startswith("sip.") and n.endswith(".cps")),
)
ROW, LABEL, WIDTH, TOP = 22, 340, 460, 40


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


def draw(figures, folder):
    """Charts of what there is; their names."""
    os.makedirs(folder, exist_ok=True)
    drawn = []
    for name, title, wanted in CHARTS:
        rows = [(n, f) for n, f in figures.items() if wanted(n)]
        if rows:
            with open(os.path.join(folder, f"{name}.svg"), "w", encoding="utf-8") as f:
                f.write(chart(title, rows))
            drawn.append(name)
    return drawn


def join(build):
    whole = {"machine": machine.describe(), "parts": {}, "figures": {}}
    for path in sorted(glob.glob(os.path.join(build, "bench.*.json"))):
        with open(path, encoding="utf-8") as f:
            part = json.load(f)
        whole["parts"][os.path.basename(path).split(".")[1]] = part.get("run", {})
        whole["figures"].update(part["figures"])
    return whole


def main(build):
    whole = join(build)
    with open(os.path.join(build, "bench.json"), "w", encoding="utf-8") as f:
        json.dump(whole, f, indent=1)
        f.write("\n")
    print(f"figures: {os.path.join(build, 'bench.json')}")
    print("charts:", " ".join(f"{build}/charts/{name}.svg" for name in draw(whole["figures"], os.path.join(build, "charts"))))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    main(sys.argv[1])
