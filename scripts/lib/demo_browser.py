# SPDX-License-Identifier: Apache-2.0
"""Calls between a real browser and a SIP phone through the gateway. See scripts/demo --help."""

import argparse
import os
import select
import shutil
import sys
import time
from urllib.parse import urlencode

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(TOP, "tests", "support"))

from lab.capture import Capture, clear_packets, is_rtp  # noqa: E402
from lab.webbrowser import ORIGIN, pin  # noqa: E402
from lab.gateway import GCM_256, MEDIA, OUTSIDE  # noqa: E402
from lab.net import LabError, Skip, interrupts_raise, wait_for  # noqa: E402
from lab.web import (BROWSER_TONE, NUMBER, PASSWORD, PHONE_NUMBER, PHONE_TONE, USER, WSS,  # noqa: E402
                     WebNeighbourhood)

TOPOLOGY = """
  browser 192.0.2.40  Chromium: SIP over WSS, ICE, DTLS-SRTP --+
                                                               +--[ srtpgw ] 192.0.2.1
  phone   192.0.2.20  baresip: SIP over TLS, SDES -------------+

  each host is a network namespace; browser and phone send tones of their own
"""


def say(text=""):
    print(text, flush=True)


class Demo:
    def __init__(self, lab, args):
        self.lab, self.args, self.problems, self.reports = lab, args, [], []
        self.gateway = lab.web_gateway(port=args.port, backend=args.backend)
        self.capture = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        self.phone = lab.sdes_phone(args.seconds + 30)
        say("starting the browser ...")
        self.browser = lab.browser()
        self.name = self.browser.version.capitalize()
        say(f"{self.name} is registered as {USER}\n")

    def problem(self, text):
        self.problems.append(text)
        say(f"  FAILED: {text}")

    def established(self):
        """The call that is up, whole; None without one."""
        up = [c for c in self.gateway.ctl("show", "calls")["calls"] if c["state"] == "established"]
        return self.gateway.ctl("show", "call", up[0]["id"]) if up else None

    def call(self, title, begin, end):
        say(f"== {title}")
        before = len(self.phone.recordings())
        begin()
        wait_for("the call is up", self.established, 30)
        self.browser.wait_call("up")
        self.browser.do("listenAgain")
        report = self.browser.wait_heard(0.9 * self.args.seconds, self.args.seconds + 30)
        # Browsers do not say which group the keys were agreed in; the gateway does.
        report["group"] = next(leg["dtls"]["group"] for leg in self.established()["legs"] if "dtls" in leg)
        self.reports.append(report)
        end()
        wait_for("the call has ended", lambda: self.gateway.ctl("show", "calls")["active"] == 0, 20)
        self.browser.wait_call("ended")
        say(f"  browser: {report['dtls']}, {report['group']}, {report['srtpCipher']}, {report['codec']}, {report['packetsReceived']} packets received, "
            f"{report['packetsLost']} lost, audio level {report['audioLevel']:.2f}; "
            f"heard {report['heard']['tone']:.1f} s of the phone's {PHONE_TONE} Hz tone; "
            f"answered after {report['setup'].get('answered')} ms, media after {report['setup'].get('connected')} ms")
        if report["srtpCipher"] != GCM_256:
            self.problem(f"the browser says SRTP cipher '{report['srtpCipher']}'")
        try:
            wait_for("the phone hears the browser", lambda: self.phone.heard(BROWSER_TONE, before)[0] >= 0.8 * self.args.seconds, 10)
        except LabError:
            self.problem(f"the phone heard the browser's tone for {self.phone.heard(BROWSER_TONE, before)[0]:.1f} s only")
        say(f"  phone: heard {self.phone.heard(BROWSER_TONE, before)[0]:.1f} s of the browser's {BROWSER_TONE} Hz tone\n")

    def verdict(self):
        refused = self.gateway.ctl("show", "stats")["data-plane"]["verdicts"]["clear_refused"]
        self.capture.stop()
        media = self.capture.media(OUTSIDE, MEDIA)
        clear = clear_packets(media, (BROWSER_TONE, PHONE_TONE)) + refused
        if not any(is_rtp(d) for _, d in media):
            self.problem("no media was captured")
        if clear:
            self.problem(f"{clear} clear packets")
        if not self.args.keep or self.problems:
            self.gateway.stop()
        if self.problems:
            say(f"demo failed: {'; '.join(self.problems)}")
            return 1
        last = self.reports[-1]
        say(f"demo ok: {len(self.reports)} calls; {self.name} reports {last['dtls']} ({last['group']}), SRTP {last['srtpCipher']}, "
            f"{sum(r['packetsReceived'] for r in self.reports)} packets received, {sum(r['packetsLost'] for r in self.reports)} lost, "
            f"audio level {last['audioLevel']:.2f}; {clear} clear packets on the wire")
        return 0

    def keep(self):
        """The page stays where it is served; who opens it is the account."""
        self.browser.do("leave")
        account = urlencode({"server": f"wss://{OUTSIDE}:{WSS}/", "uri": f"sip:{USER}@{OUTSIDE}", "password": PASSWORD,
                             "target": PHONE_NUMBER})
        ctl = os.path.relpath(os.path.join(self.gateway.bin, "ctl", "srtpgwctl"))
        say(f"""
the gateway is up; open the page in a browser of the browser's namespace:
  ip netns exec {self.lab.host('browser').netns} {shutil.which('chromium')} --no-sandbox --user-data-dir={self.lab.path('by-hand')} \\
    '{pin(self.lab.cert[0])}' '{ORIGIN}/?{account}'
Register there, and call {PHONE_NUMBER}. Enter (here): the phone calls the page.
  {ctl} --socket {self.gateway.control_socket} show calls
Ctrl-C ends it and removes everything.""")
        while self.gateway.controlplane.running() and self.gateway.dataplane.running():
            if not sys.stdin.isatty():
                time.sleep(0.5)
            elif select.select([sys.stdin], [], [], 0.5)[0] and sys.stdin.readline():
                self.phone.dial(f"sip:{NUMBER}@{OUTSIDE}:5061;transport=tls")
        say("a plane ended by itself")
        return 1


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo --browser", add_help=False)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--port", choices=("auto", "af_xdp", "af_packet"), default="auto")
    parser.add_argument("--backend", choices=("ipsec-mb", "fpga"), default="ipsec-mb")
    args = parser.parse_args()
    interrupts_raise()
    say(TOPOLOGY)
    try:
        with WebNeighbourhood(keep_dir=os.environ.get("DEMO_DIR")) as lab:
            demo = Demo(lab, args)
            demo.call("call 1: the browser calls the phone", lambda: demo.browser.do("call", PHONE_NUMBER),
                      lambda: demo.browser.do("hangup"))
            demo.call("call 2: the phone calls the browser",
                      lambda: demo.phone.dial(f"sip:{NUMBER}@{OUTSIDE}:5061;transport=tls"), demo.phone.hangup)
            code = demo.verdict()
            if args.keep and code == 0:
                code = demo.keep()
                demo.gateway.stop()
            return code
    except KeyboardInterrupt:
        say("interrupted: everything is removed" if not args.keep else "everything is removed")
        return 0 if args.keep else 130
    except (LabError, Skip) as e:
        say(f"demo failed: {e}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
