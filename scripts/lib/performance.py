# SPDX-License-Identifier: Apache-2.0
"""
usage: performance.py BENCH_JSON DOCUMENT

Makes the figures in DOCUMENT from those of a run: what stands between "<!-- figures: NAME -->" and "<!-- end -->" is
replaced by that table, all other text is left alone. Draws the charts into the folder "charts" beside it.
"""

import json
import os
import re
import sys

import figures as charts
import machine

SUITES = {"cm128": "CM-128", "cm256": "CM-256", "gcm128": "GCM-128", "gcm256": "GCM-256", "cm128_80": "CM-128 + SHA1-80",
          "cm256_80": "CM-256 + SHA1-80"}
WAYS = {"rtp_to_srtp": ("RTP", None), "srtp_to_rtp": (None, "RTP"), "srtp_to_srtp": (None, None), "rtp_to_rtp": ("RTP", "RTP")}


def number(value):
    """Three digits that mean something, thousands apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def span(f):
    """Median, and what the samples lie between where they differ."""
    if number(f["min"]) == number(f["max"]):
        return number(f["median"])
    return f"{number(f['median'])} ({number(f['min'])} to {number(f['max'])})"


def target(f):
    if "target" not in f:
        return ""
    # Parts that others write may not say it.
    sense = f.get("sense") or ("at most" if f["met"] == (f["median"] <= f["target"]) else "at least")
    return f"{sense} {f['target']:,g}{'' if f['met'] else ': **missed**'}"


def table(head, rows):
    if not rows:
        return "Not measured in this run.\n"
    top = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(top + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def size(text):
    if text == "ipv6":
        return "IPv6"
    return f"{int(text[:-1]) * 1000:,} calls" if re.fullmatch(r"\d+k", text) else text.replace("B", " octets")


def media(name):
    """rtp_to_srtp.gcm128.50k as people say it."""
    way, *rest = name.split(".")
    suites = [SUITES[s] for s in rest[0].split("_")] if rest[0].split("_")[0] in SUITES else []
    ends = [end or (suites[-1] if i else suites[0]) for i, end in enumerate(WAYS[way])]
    return f"{ends[0]} -> {ends[1]}, " + ", ".join(size(x) for x in rest[1 if suites else 0:])


def of(figures, pattern):
    """(match, figure) of each name that the pattern is all of."""
    return [(m, f) for name, f in figures.items() if (m := re.fullmatch(pattern, name))]


def plain(pattern):
    """A section that has a row for each figure under its own name."""

    def section(figures):
        return table(("figure", "median (smallest to largest)", "unit", "target"),
                     [(f"`{m.group(0)}`", span(f), f["unit"], target(f)) for m, f in of(figures, pattern)])

    return section


def worker(figures):
    rows = []
    for m, f in of(figures, r"((?:s?rtp_to_s?rtp)\.[^.]+(?:\.[^.]+)*?)\.ns"):
        ratio = figures.get(f"{m[1]}.ratio_to_limit")
        limit = figures.get(f"{m[1]}.limit_ns")
        rows.append((media(m[1]), span(f), target(f), f"{1000 / f['median']:.2f}", number(limit["median"]) if limit else "",
                     span(ratio) if ratio else "", target(ratio) if ratio else ""))
    return table(("media", "ns per packet", "target", "million packets/s", "bare ipsec-mb, ns", "ratio", "target"), rows)


KINDS = {"g711": "G.711, 160 octets", "g729": "G.729, 20 octets", "video": "video, bursts of up to 1,200 octets",
         "mixed": "80 % of the calls G.711, 10 % G.729, 10 % video, reports"}


def mix(figures):
    rows = [(KINDS.get(m[1], m[1]), number(figures[f"mix.{m[1]}.octets"]["median"]), span(f), target(f),
             f"{1000 / f['median']:.2f}", span(figures[f"mix.{m[1]}.gbps"])) for m, f in of(figures, r"mix\.([^.]+)\.ns")]
    return table(("media", "octets of RTP", "ns per packet", "target", "million packets/s", "Gb/s of RTP"), rows)


def memif(figures):
    rows = []
    for m, f in of(figures, r"memif\.(.*)\.(\d+)calls\.rate"):
        base = m.group(0)[:-len(".rate")]
        rows.append((f"{media(m[1])}{int(m[2]):,} calls", span(f), number(figures[f"{base}.half_load"]["median"]),
                     *(span(figures[f"{base}.latency_{part}"]) for part in ("p50", "p99", "p999", "max"))))
    return table(("media", "packets/s, all that it takes", "packets/s, half", "p50, us", "p99, us", "p99.9, us", "longest, us"), rows)


def comparisons(figures):
    to = {"1k": "the same at 1,000 calls", "one_way": "one such operation", "ipv4": "over IPv6, to the same over IPv4"}

    def bare(name, over):
        """What more calls cost the library alone, whose keys are as many."""
        limits = [figures.get(f"{n}.limit_ns") for n in (name, name.rpartition(".")[0] + ".1k")]
        return number(limits[0]["median"] / limits[1]["median"]) if over == "1k" and all(limits) else ""

    return table(("media", "over", "ratio", "target", "bare ipsec-mb"),
                 [(media(m[1]), to[m[2]], number(f["median"]), target(f), bare(m[1], m[2]))
                  for m, f in of(figures, r"(.*)\.ratio_to_(1k|one_way|ipv4)")])


def libsrtp(figures):
    return table(("media", "libsrtp2, crypto alone, ns", "all of our path, ns", "ratio", "target"),
                 [(media(m[1]), span(figures[f"{m[1]}.libsrtp_ns"]), span(figures[f"{m[1]}.beside_libsrtp_ns"]), span(f), target(f))
                  for m, f in of(figures, r"(.*)\.ratio_to_libsrtp")])


def rtpengine(figures):
    rows = []
    for m, f in of(figures, r"peers\.(rtpengine|srtpgw)\.(.*)\.(life|full)\.ns"):
        base = m.group(0)[:-3]
        more = [figures[f"{base}.{what}"]["median"] for what in ("user_ns", "offered", "lost")]
        rows.append((m[3], media(f"rtp_to_srtp.{m[2]}"), {"rtpengine": "rtpengine", "srtpgw": "our data plane"}[m[1]], span(f),
                     number(more[0]), number(f["median"] - more[0]), number(more[1]), f"{more[2]:.1f} %"))
    rows.sort(key=lambda r: (r[1], r[0] != "life"))
    said = table(("load", "media", "program", "ns of processor a packet", "in the program", "in the kernel", "offered, packets/s",
                  "lost"), rows)
    ratios = [(media(m[1]), "our data plane alone, on rings", span(f), target(f)) for m, f in of(figures, r"(.*)\.ratio_to_rtpengine")]
    ratios += [(media(m[1]), f"both on veth, load `{m[2]}`", span(f), "")
               for m, f in of(figures, r"(.*)\.(life|full)\.ratio_to_rtpengine_on_veth")]
    return said + "\n" + table(("media", "rtpengine's cost over", "ratio", "target"), sorted(ratios))


ATTACKS = {"calm": "none", "forged_one_port": "forged, one port, 10 Gb/s", "forged_all_ports": "forged, all ports, ten to one",
           "strangers": "strangers, 10 Gb/s", "replays": "every packet again, ten to one"}


def attack(figures):
    rows, said = [], set()
    for m, f in of(figures, r"attack\.([^.]+)(?:\.([^.]+))?\.honest_loss"):
        base = m.group(0)[:-len(".honest_loss")]
        other = {what: figures.get(f"{base}.{what}") for what in ("came_out", "recovery", "worker_load", "attacked_call_loss")}
        said |= {m.group(0), *(f"{base}.{what}" for what in (*other, "worker_ns", "lost_after", "trials_per_leg"))}
        one = other["attacked_call_loss"]
        rows.append((ATTACKS.get(m[1], m[1].replace("_", " ")), SUITES.get(m[2], m[2] or ""),
                     number(other["came_out"]["median"]) if other["came_out"] else "", f"{span(f)} %", target(f),
                     f"{span(one)} %" if one else "", span(other["recovery"]) if other["recovery"] else "", f"{number(other['worker_load']['median'])} %"
                     if other["worker_load"] else ""))
    text = table(("attack", "leg", "got out", "honest packets lost", "target", "of the attacked call", "until all is as before, ms", "worker's load"), rows)
    rest = {name: f for name, f in figures.items()
            if name.startswith("attack.") and name not in said and not re.match(r"attack\.(half_open_tls|sip_flood)\.", name)}
    return text + ("\n" + plain(r".*")(rest) if rest else "")


HALF_OPEN = {"calm": "none", "strangers": "strangers' addresses", "one_address": "one address", "trunks_addresses": "a trunk's addresses"}


def floods(figures):
    rows = []
    for m, f in of(figures, r"attack\.half_open_tls\.([^.]+)\.call_ms"):
        told = lambda what: span(figures[f"attack.half_open_tls.{m[1]}.{what}"]) if f"attack.half_open_tls.{m[1]}.{what}" in figures else "-"
        p99 = figures[f"attack.half_open_tls.{m[1]}.call_p99_ms"]
        rows.append((HALF_OPEN.get(m[1], m[1]), span(f), number(p99["median"]), target(p99), told("new_connection_ms"),
                     told("calls_failed"), told("held"), told("refused"), told("grown"), told("kept")))
    text = table(("half-open connections of", "call, ms", "99 % within", "target", "call by a new connection, ms", "calls failed", "held",
                  "refused", "grown, MB", "after, MB"), rows)
    datagrams = {name: f for name, f in figures.items() if name.startswith("attack.sip_flood.")}
    return text + ("\n" + plain(r".*")(datagrams) if datagrams else "")


def memory(figures):
    rows = []
    for m, f in of(figures, r"scale\.memory\.([^.]+)\.(\d+k)\.octets"):
        more = [figures[f"{m.group(0)}{what}"] if what[0] == "_" else figures[m.group(0)[:-len("octets")] + what]
                for what in ("_per_session", "reserved", "large_pages")]
        rows.append((f"{SUITES[m[1]]} both ways, {size(m[2]).replace('calls', 'sessions')}", number(f["median"] / 1e6),
                     f"at most {f['target'] / 1e6:,g}{'' if f['met'] else ': **missed**'}", number(more[0]["median"]),
                     number(more[1]["median"] / 1e6), f"{number(more[2]['median'])} %"))
    return table(("sessions", "memory in use, MB", "target", "octets a session", "of it reserved at the start, MB", "in 2 MB pages"), rows)


SCALE = {"churn.gcm128.10k.cost": "1,000 sessions a second come and 1,000 go: of a worker's throughput",
         "churn.gcm128.10k.worker_us": "a session that comes and goes: the worker",
         "churn.gcm128.10k.main_us": "a session that comes and goes: the main thread, keys derived",
         "workers.one_ns": "a packet, one of two workers at work", "workers.two_ns": "a packet, both at work",
         "workers.two_to_one": "throughput of two workers over that of one",
         "handover.wrong_worker_ns": "a packet at the wrong worker's queue: that worker",
         "handover.extra_ns": "a packet at the wrong worker's queue: all that it costs more"}


def scale(figures):
    return table(("what", "median (smallest to largest)", "unit", "target"),
                 [(what, span(f), f["unit"], target(f)) for name, what in SCALE.items() if (f := figures.get(f"scale.{name}"))])


CORES = (1, 2, 4, 8, 16, 32)
LINE = 64            # octets, of memory
ON_THE_WIRE = 254    # octets of a packet of 160 octets of payload as SRTP, with preamble and gap


def lines(figures):
    return table(("media", "lines of 64 octets a packet, usual (fewest to most)"),
                 [(media(m[1]), span(f)) for m, f in of(figures, r"lines\.(.*)")])


def instructions(figures):
    return table(("media", "instructions a packet"),
                 [(media(m[1]), number(f["median"])) for m, f in of(figures, r"instructions\.(.*)")])


def model(figures):
    """What more workers would do, from what two do."""
    ns, extra = figures.get("rtp_to_srtp.gcm128.50k.ns"), figures.get("scale.handover.extra_ns")
    both, one = figures.get("scale.workers.two_ns"), figures.get("scale.workers.one_ns")
    if not (ns and extra and both and one):
        return table((), [])
    worse = max(1, both["median"] / one["median"])
    touched = figures.get("lines.rtp_to_srtp.gcm128.160B")
    rows = []
    for n in CORES:
        cost = ns["median"] * (worse if n > 1 else 1)
        rate, spread = n * 1e3 / cost, n * 1e3 / (cost + extra["median"] * (n - 1) / n)
        rows.append((f"{n}", number(rate), number(spread), f"{rate * 1e6 / 50 / 2:,.0f}", number(rate * touched["median"] * LINE / 1e3) if touched else "",
                     number(rate * ON_THE_WIRE * 8 / 1e3)))
    return table(("workers", "million packets/s, each at its worker", "spread by RSS alone, handed over", "calls (two directions of 50)",
                  "GB/s from memory", "Gb/s on the wire"), rows)


HELLOS = {"calm": "none", "anywhere": "from addresses of all kinds", "peers_address": "from the peer's own address, other ports"}


def hellos(figures):
    rows = []
    for m, f in of(figures, r"hellos\.(ice\.)?([^.]+)\.honest"):
        base = m.group(0)[:-len(".honest")]
        told = lambda what: span(figures[f"{base}.{what}"]) if f"{base}.{what}" in figures else "-"
        rows.append((HELLOS.get(m[2], m[2]) + (", with ICE" if m[1] else ""), told("rate"), f"{span(f)} %", target(f),
                     told("handshake"), told("punted"), told("dropped"), told("grown"), target(figures[f"{base}.grown"])))
    return table(("hellos", "a second", "honest handshakes", "target", "ms", "up to the control plane, per call",
                  "dropped before, per call", "both planes grew by, MB", "target"), rows)


BROWSER = {"setup.answered": "click to answer", "setup.connected": "to ICE and DTLS done", "setup.heard": "to the first sound",
           "rekey.to_browser": "new keys: speech the browser missed", "rekey.from_browser": "the longest pause on the phone's side"}


def browser(figures):
    rows = {}
    for m, f in of(figures, r"browser\.([^.]+)\.dtls(1\.\d)\.(.+)"):
        rows.setdefault((m[1], m[2]), {})[m[3]] = span(f)
    return table(("browser", *BROWSER.values()), [(f"{kind.capitalize()}, DTLS {version}", *(found.get(k, "-") for k in BROWSER))
                                                  for (kind, version), found in rows.items()])


def crypto(figures):
    rows = {}
    for m, f in of(figures, r"crypto\.([^.]+)\.(\d+B)\.((?:un)?protect)\.(bare|backend|dpdk_aesni_mb|portable)"):
        rows.setdefault((m[1], m[3], m[2]), {})[m[4]] = number(f["median"])
    kinds = ("bare", "backend", "dpdk_aesni_mb", "portable")
    return table(("suite", "octets", "bare ipsec-mb", "backend ipsec-mb", "DPDK crypto_aesni_mb", "portable, OpenSSL"),
                 [(f"{SUITES.get(suite, suite)}, {way}", octets[:-1], *(found.get(k, "") for k in kinds))
                  for (suite, way, octets), found in rows.items()])


def missed(figures):
    return table(("figure", "median", "unit", "target"),
                 [(f"`{name}`", number(f["median"]), f["unit"], target(f).removesuffix(": **missed**"))
                  for name, f in figures.items() if f.get("met") is False])


SECTIONS = {
    "mix": mix, "memif": memif, "worker": worker, "comparisons": comparisons, "libsrtp": libsrtp, "rtpengine": rtpengine, "attack": attack,
    "crypto": crypto, "missed": missed, "defects": plain(r"defects\..*"), "dtls": plain(r"dtls\..*"),
    "control": plain(r"(route|registrar|config|recovery|ports|calls|journal)\..*"), "outage": plain(r"outage\..*"), "sip": plain(r"sip\..*"),
    "hellos": hellos, "floods": floods, "memory": memory, "scale": scale, "lines": lines, "instructions": instructions, "model": model, "browser": browser,
    "latency": plain(r"latency\..*"),
}


def run_of(bench):
    """On what, when, and what else was running."""
    rows = [(name, run.get("at", ""), f"{run.get('seconds', '')}", f"{run.get('load_before', '')}", stood_still(run.get("stalls")))
            for name, run in bench.get("parts", {}).items()]
    return machine.sentence(bench["machine"]) + "\n\n" + table(
        ("part", "ended", "seconds", "load average when the run began", "cores stood still, ms a second (longest, ms)"), rows)


def stood_still(stalls):
    return f"{number(stalls['stood_still_ms'] / stalls['seconds'])} ({number(stalls['longest_ms'])})" if stalls else ""


def fill(text, bench):
    """The document with its tables made again; ValueError names a mark that is wrong."""
    sections = {**SECTIONS, "run": lambda _: run_of(bench)}

    def replace(m):
        if m[1] not in sections:
            raise ValueError(f"there is no table '{m[1]}'")
        return f"<!-- figures: {m[1]} -->\n{sections[m[1]](bench['figures'])}<!-- end -->"

    if text.count("<!-- figures: ") != text.count("<!-- end -->"):
        raise ValueError("a '<!-- figures: -->' has no '<!-- end -->'")
    return re.sub(r"<!-- figures: (\w+) -->\n.*?<!-- end -->", replace, text, flags=re.S)


def main(bench_path, document):
    with open(bench_path, encoding="utf-8") as f:
        bench = json.load(f)
    with open(document, encoding="utf-8") as f:
        text = f.read()
    made = fill(text, bench)
    with open(document, "w", encoding="utf-8") as f:
        f.write(made)
    charts.draw(bench["figures"], os.path.join(os.path.dirname(document) or ".", "charts"))
    print(f"document: {document}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    try:
        main(*sys.argv[1:])
    except (OSError, ValueError) as reason:
        sys.exit(f"performance.py: {reason}")
