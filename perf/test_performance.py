# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md is made from figures: what is written by hand stays, and each table says what the figures say."""

import os
import re
import sys
import unittest

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(TOP, "scripts", "lib"))
sys.dont_write_bytecode = True

import performance  # noqa: E402


def figure(median, unit="ns/packet", **more):
    return {"median": median, "min": median, "max": median, "unit": unit, **more}


BENCH = {
    "machine": "a machine", "parts": {"dataplane": {"at": "2026-01-01T00:00:00Z", "seconds": 30, "load_before": 0.1}},
    "figures": {
        "rtp_to_srtp.gcm128.50k.ns": figure(149.6, target=150, sense="at most", met=True),
        "rtp_to_srtp.gcm128.50k.limit_ns": figure(66.0),
        "rtp_to_srtp.gcm128.50k.ratio_to_limit": figure(2.27, "ratio", target=2.2, sense="at most", met=False),
        "rtp_to_rtp.1k.ns": figure(80.0), "sip.tls_sdes.cps": figure(3000, "/s", target=3000, sense="at least", met=True)}}


class Performance(unittest.TestCase):
    def test_tables_are_made_again_and_text_stays(self):
        text = "By hand.\n<!-- figures: worker -->\nold\n<!-- end -->\nMore.\n<!-- figures: missed -->\n<!-- end -->\n"
        made = performance.fill(text, BENCH)
        self.assertTrue(made.startswith("By hand.\n<!-- figures: worker -->\n") and "\n<!-- end -->\nMore.\n" in made)
        self.assertNotIn("old", made)
        self.assertIn("| RTP -> GCM-128, 50,000 calls | 150 | at most 150 | 6.68 | 66.0 | 2.27 | at most 2.2: **missed** |", made)
        self.assertIn("| RTP -> RTP, 1,000 calls | 80.0 |", made)
        self.assertIn("| `rtp_to_srtp.gcm128.50k.ratio_to_limit` | 2.27 | ratio | at most 2.2 |", made)
        self.assertEqual(performance.fill(made, BENCH), made)

    def test_a_machine_that_stood_still_is_told(self):
        made = performance.fill("<!-- figures: run -->\n<!-- end -->\n", {**BENCH, "parts": {
            "sip": {"at": "then", "seconds": 150, "load_before": 0, "stalls": {"seconds": 150.0, "stood_still_ms": 300.0, "longest_ms": 20.5}},
            "dtls": {"at": "then", "seconds": 6, "load_before": 0}}})
        self.assertIn("| sip | then | 150 | 0 | 2.00 (20.5) |", made)
        self.assertIn("| dtls | then | 6 | 0 |  |", made)

    def test_a_target_that_is_just_met_says_which_way_it_is_meant(self):
        self.assertIn("at least 3,000 |", performance.SECTIONS["sip"](BENCH["figures"]))

    def test_memory_of_more_cores_is_what_was_counted(self):
        figures = {"lines.rtp_to_srtp.gcm128.160B": figure(10, "lines/packet"), "lines.rtp_to_rtp.160B": figure(5, "lines/packet"),
                   "rtp_to_srtp.gcm128.50k.ns": figure(100), "scale.handover.extra_ns": figure(0),
                   "scale.workers.two_ns": figure(100), "scale.workers.one_ns": figure(100)}
        self.assertIn("| RTP -> GCM-128, 160 octets | 10.0 |", performance.SECTIONS["lines"](figures))
        self.assertIn("| RTP -> RTP, 160 octets | 5.00 |", performance.SECTIONS["lines"](figures))
        # 10 million packets a second, 10 lines of 64 octets each.
        self.assertIn("| 1 | 10.0 | 10.0 | 100,000 | 6.40 |", performance.SECTIONS["model"](figures))
        del figures["lines.rtp_to_srtp.gcm128.160B"]
        self.assertIn("| 1 | 10.0 | 10.0 | 100,000 |  |", performance.SECTIONS["model"](figures))

    def test_a_kind_over_ipv6_says_so(self):
        figures = {"rtp_to_srtp.gcm128.50k.ipv6.ns": figure(149), "rtp_to_srtp.gcm128.50k.ratio_to_ipv4": figure(1.01, "ratio")}
        self.assertIn("| RTP -> GCM-128, 50,000 calls, IPv6 | 149 |", performance.SECTIONS["worker"](figures))
        self.assertIn("| RTP -> GCM-128, 50,000 calls | over IPv6, to the same over IPv4 | 1.01 |  |  |",
                      performance.SECTIONS["comparisons"](figures))

    def test_more_calls_cost_the_library_too(self):
        figures = {"rtp_to_srtp.gcm128.50k.ratio_to_1k": figure(1.5, "ratio"), "rtp_to_srtp.gcm128.50k.limit_ns": figure(150),
                   "rtp_to_srtp.gcm128.1k.limit_ns": figure(75)}
        self.assertIn("| the same at 1,000 calls | 1.50 |  | 2.00 |", performance.SECTIONS["comparisons"](figures))

    def test_hellos_have_a_row_for_each_attack(self):
        figures = {f"hellos.{name}.{what}": figure(value, unit, **more) for name in ("calm", "ice.peers_address")
                   for what, value, unit, more in (("honest", 100, "%", {"target": 99, "sense": "at least", "met": True}),
                                                   ("handshake", 540, "ms", {}),
                                                   ("grown", 1.5, "MB", {"target": 32, "sense": "at most", "met": True}))}
        figures["hellos.ice.peers_address.rate"] = figure(9970, "/s")
        made = performance.SECTIONS["hellos"](figures)
        self.assertIn("| none | - | 100 % | at least 99 | 540 | - | - | 1.50 | at most 32 |", made)
        self.assertIn("| from the peer's own address, other ports, with ICE | 9,970 | 100 % |", made)

    def test_floods_are_not_among_the_attacks_on_media(self):
        within = {"target": 100, "sense": "at most", "met": True}
        figures = {"attack.half_open_tls.strangers.call_ms": figure(3, "ms", **within),
                   "attack.half_open_tls.strangers.call_p99_ms": figure(12, "ms", **within),
                   "attack.sip_flood.rate": figure(58600, "datagrams/s")}
        made = performance.SECTIONS["floods"](figures)
        self.assertIn("| strangers' addresses | 3.00 | 12.0 | at most 100 | - |", made)
        self.assertIn("| `attack.sip_flood.rate` | 58,600 | datagrams/s |  |", made)
        self.assertNotIn("sip_flood", performance.SECTIONS["attack"](figures))

    def test_media_of_all_kinds_and_what_memif_takes(self):
        figures = {"mix.video.ns": figure(500), "mix.video.octets": figure(1100, "octets"), "mix.video.gbps": figure(17.6, "Gb/s")}
        self.assertIn("| video, bursts of up to 1,200 octets | 1,100 | 500 |  | 2.00 | 17.6 |", performance.SECTIONS["mix"](figures))
        figures = {f"memif.rtp_to_srtp.gcm128.1000calls.{name}": figure(value) for name, value in (
            ("rate", 2e6), ("half_load", 1e6), ("latency_p50", 20), ("latency_p99", 50), ("latency_p999", 80), ("latency_max", 900))}
        self.assertIn("| RTP -> GCM-128, 1,000 calls | 2,000,000 | 1,000,000 | 20.0 | 50.0 | 80.0 | 900 |",
                      performance.SECTIONS["memif"](figures))

    def test_browsers_have_a_row_for_each_version(self):
        made = performance.SECTIONS["browser"]({"browser.firefox.dtls1.3.setup.heard": figure(50, "ms")})
        self.assertIn("| Firefox, DTLS 1.3 | - | - | 50.0 | - | - |", made)

    def test_a_part_that_was_not_run_says_so(self):
        for name, section in performance.SECTIONS.items():
            self.assertIn("Not measured in this run.", section({}), name)

    def test_marks_that_are_wrong_are_refused(self):
        for text in ("<!-- figures: worker -->\n", "<!-- figures: weather -->\n<!-- end -->\n"):
            with self.assertRaises(ValueError):
                performance.fill(text, BENCH)

    def test_the_document_has_marks_that_can_be_filled(self):
        with open(os.path.join(TOP, "docs", "performance.md"), encoding="utf-8") as f:
            text = f.read()
        self.assertEqual(set(re.findall(r"<!-- figures: (\w+) -->", text)), {"run", *performance.SECTIONS})
        performance.fill(text, BENCH)


if __name__ == "__main__":
    unittest.main()
