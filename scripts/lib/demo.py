# SPDX-License-Identifier: Apache-2.0
"""Three real calls through the gateway, shown live. See scripts/demo --help."""

import os
import subprocess
import sys
import time

from demo_parts import TOP, DemoParts, options, run, say  # first: it finds lab

from lab.baresip import Phone
from lab.capture import clear_packets
from lab.gateway import CM_80, GCM_256, MEDIA, OUTSIDE, Neighbourhood, carrier, core
from lab.net import LabError, wait_for

TOPOLOGY = """
  interconnect side, SIP over TLS 1.3 + SRTP          |          trusted core side, SIP over UDP + RTP
                                                      |
  carrier-a 192.0.2.10  AES_CM_128_HMAC_SHA1_80 --+   |
  carrier-b 192.0.2.20  AEAD_AES_256_GCM ---------+--[ srtpgw ]-- phone 10.20.0.10  plain RTP
  carrier-c 192.0.2.30  offers no a=crypto -------+   |
                                        192.0.2.1     |   10.20.0.1

  each host is a network namespace; each phone is a baresip that sends a tone of its own
"""
AUDIT_DIR = os.path.abspath(os.path.join(TOP, "build", "demo"))
AUDIT = os.path.join(AUDIT_DIR, "audit.jsonl")
TONES = {"carrier-a": 440, "carrier-b": 1000, "phone": 700, "carrier-c": 1500}


class Demo(DemoParts):
    def __init__(self, lab, args):
        trunks = [carrier("carrier-a", "192.0.2.10", (CM_80,)), carrier("carrier-b", "192.0.2.20", (GCM_256,)),
                  carrier("carrier-c", "192.0.2.30", (GCM_256, CM_80)), core("core", "10.20.0.10")]
        routes = [(None, "+4930", "core"), ("carrier-a", "+4940", "carrier-b")]
        os.makedirs(AUDIT_DIR, exist_ok=True)
        for name in os.listdir(AUDIT_DIR):
            if name.startswith("audit.jsonl"):
                os.unlink(os.path.join(AUDIT_DIR, name))
        super().__init__(lab, args, lab.gateway(trunks, routes, port=args.port, backend=args.backend, audit={"file": AUDIT}))
        self.phones = {}
        for name, user in (("carrier-a", "+4989100"), ("carrier-b", "+4940200"), ("phone", "+4930300"),
                           ("carrier-c", "+4969400")):
            inside = name == "phone"
            secure = None if name in ("phone", "carrier-c") else "srtp-mand"
            identity = None if inside else lab.identity(name)
            self.phones[name] = Phone(
                lab.host(name), user, lab.ADDRESSES[name], TONES[name], "eth0", "udp" if inside else "tls",
                secure=secure, certificate=identity and identity[2], ca=lab.ca.cert, seconds=args.seconds + 30)

    def table(self):
        """The live table, drawn in place on a terminal."""
        argv = [self.ctl, "--socket", self.gateway.control_socket, "show",
                "calls", "--state", "established", "--watch", "1", "--rounds", "1"]
        return subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=10).stdout.rstrip().splitlines()

    def watch(self, seconds):
        terminal, drawn = sys.stdout.isatty(), 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(1 if terminal else max(1.0, seconds / 2))
            lines = self.table()
            if terminal and drawn:
                sys.stdout.write(f"\x1b[{drawn}A\x1b[J")
            for line in lines:
                say(f"  {line}")
            drawn = len(lines)
            if not terminal:
                say()

    def call(self, title, caller, number, callee):
        say(f"== {title}")
        a, b = self.phones[caller], self.phones[callee]
        before = len(a.recordings()), len(b.recordings())
        a.dial(f"sip:{number}@{OUTSIDE}:5061;transport=tls")
        try:
            wait_for("the call is up", lambda: any(c["state"] == "established" for c in self.gateway.ctl("show", "calls")["calls"]), 15)
        except LabError:
            self.problem(f"the call was not answered; {caller} says: {a.log().strip().splitlines()[-1]}")
            return
        self.watch(self.args.seconds)
        a.hangup()
        wait_for("the call has ended", lambda: self.gateway.ctl("show", "calls")["active"] == 0, 10)
        time.sleep(0.3)  # baresip closes its recording when its call object goes
        for listener, speaker, skip in ((a, b, before[0]), (b, a, before[1])):
            heard, length = listener.heard(speaker.tone_hz, skip)
            say(f"  {listener.host.name} heard {heard:.1f} s of the {speaker.tone_hz} Hz tone of {speaker.host.name}")
            if heard < 0.9 * self.args.seconds:
                self.problem(f"{listener.host.name} heard the tone for {heard:.1f} of {self.args.seconds} s "
                             f"({length:.1f} s recorded)")
        say()

    def refused_call(self, title, caller, number):
        say(f"== {title}")
        phone = self.phones[caller]
        phone.dial(f"sip:{number}@{OUTSIDE}:5061;transport=tls")
        try:
            wait_for("a refusal", lambda: "488" in phone.log(), 10)
        except LabError:
            self.problem("the call without a=crypto was not refused with 488")
            return
        ended = [c for c in self.gateway.ctl("show", "calls")["calls"] if (c["end-reason"] or "").startswith("488 ")]
        reason = ended[-1]["end-reason"] if ended else "no reason recorded"
        say(f"  refused: {reason}")
        if not ended:
            self.problem("the refused call is not shown by srtpgwctl show calls --all")
        say()

    def verdict(self):
        stats = self.gateway.ctl("show", "stats")
        relayed = stats["data-plane"]["verdicts"]["relayed"]
        self.capture.stop()
        media = self.capture.media(OUTSIDE, MEDIA)
        clear = clear_packets(media, TONES.values()) + stats["data-plane"]["verdicts"]["clear_refused"]
        if self.args.backend == "fpga":
            crypto = stats["data-plane"]["crypto"]
            say(f"crypto: {crypto['jobs']} packets encrypted or decrypted, {crypto['overflow-jobs']} of them in software, "
                f"{crypto['failovers']} failovers of the card")
            if crypto["overflow-jobs"] or not crypto["jobs"]:
                self.problem("not every packet went through the simulated card")
        if not media:
            self.problem("nothing was captured on the secure side")
        if clear:
            self.problem(f"{clear} clear packets on secure legs")
        return self.conclude(f"3 calls, {relayed} packets relayed, {clear} clear packets on secure legs")

    def end(self):
        """Ends the gateway; a simulated card's own counters are logged then."""
        super().end()
        lines = [x for x in self.gateway.dataplane.output().splitlines() if "crypto device" in x]
        for line in lines:
            say(f"card: {line.partition('report=')[2].strip(chr(34))}")
        if self.args.backend == "fpga" and not lines:
            self.problem("the card did not report")
        self.verify()

    def verify(self):
        """The records of these calls, and whether anybody has changed them."""
        done = subprocess.run([self.ctl, "audit", "verify", AUDIT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=20)
        say(f"audit {os.path.relpath(AUDIT)}: {done.stdout.strip()}")
        if done.returncode:
            self.problem("the audit does not verify")

    def keep(self):
        say(f"""
the gateway is up; in another terminal:
  {os.path.relpath(self.ctl)} --socket {self.gateway.control_socket} show calls
  ip netns exec {self.lab.gateway_host.netns} ss -ltun
  call through it: SIP/TLS to {OUTSIDE}:5061 from the namespaces {', '.join(sorted(h.netns for h in self.lab.hosts.values()))}
  configuration, logs, recordings and the capture: {self.lab.dir}
Ctrl-C ends it and removes everything.""")
        return self.stay(lambda: time.sleep(0.5))

    def calls(self):
        self.call("call 1: carrier-a (SDES, AES_CM_128_HMAC_SHA1_80) -> phone in the core (plain RTP)",
                  "carrier-a", "+4930300", "phone")
        self.call("call 2: carrier-a (SDES, AES_CM_128_HMAC_SHA1_80) -> carrier-b (SDES, AEAD_AES_256_GCM)",
                  "carrier-a", "+4940200", "carrier-b")
        self.refused_call("call 3: carrier-c offers no a=crypto, its trunk requires it", "carrier-c", "+4930300")


if __name__ == "__main__":
    sys.exit(run(options("scripts/demo"), TOPOLOGY, Neighbourhood, Demo))
