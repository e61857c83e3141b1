# SPDX-License-Identifier: Apache-2.0
"""Calls between a real browser and a SIP phone through the gateway. See scripts/demo --help."""

import os
import select
import shutil
import sys
import time
from urllib.parse import urlencode

from demo_parts import DemoParts, options, run, say  # first: it finds lab

from lab.capture import clear_packets, is_rtp
from lab.webbrowser import ORIGIN, pin
from lab.gateway import GCM_256, MEDIA, OUTSIDE
from lab.net import LabError, wait_for
from lab.web import (BROWSER_TONE, NUMBER, PASSWORD, PHONE_NUMBER, PHONE_TONE, USER, WSS,
                     WebNeighbourhood)

TOPOLOGY = """
  browser 192.0.2.40  Chromium: SIP over WSS, ICE, DTLS-SRTP --+
                                                               +--[ srtpgw ] 192.0.2.1
  phone   192.0.2.20  baresip: SIP over TLS, SDES -------------+

  each host is a network namespace; browser and phone send tones of their own
"""


class Demo(DemoParts):
    def __init__(self, lab, args):
        super().__init__(lab, args, lab.web_gateway(port=args.port, backend=args.backend))
        self.reports = []
        self.phone = lab.sdes_phone(args.seconds + 30)
        say("starting the browser ...")
        self.browser = lab.browser()
        self.name = self.browser.version.capitalize()
        say(f"{self.name} is registered as {USER}\n")

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
        last = self.reports[-1]
        return self.conclude(
            f"{len(self.reports)} calls; {self.name} reports {last['dtls']} ({last['group']}), SRTP {last['srtpCipher']}, "
            f"{sum(r['packetsReceived'] for r in self.reports)} packets received, {sum(r['packetsLost'] for r in self.reports)} lost, "
            f"audio level {last['audioLevel']:.2f}; {clear} clear packets on the wire")

    def keep(self):
        """The page stays where it is served; who opens it is the account."""
        self.browser.do("leave")
        account = urlencode({"server": f"wss://{OUTSIDE}:{WSS}/", "uri": f"sip:{USER}@{OUTSIDE}", "password": PASSWORD,
                             "target": PHONE_NUMBER})
        say(f"""
the gateway is up; open the page in a browser of the browser's namespace:
  ip netns exec {self.lab.host('browser').netns} {shutil.which('chromium')} --no-sandbox --user-data-dir={self.lab.path('by-hand')} \\
    '{pin(self.lab.cert[0])}' '{ORIGIN}/?{account}'
Register there, and call {PHONE_NUMBER}. Enter (here): the phone calls the page.
  {os.path.relpath(self.ctl)} --socket {self.gateway.control_socket} show calls
Ctrl-C ends it and removes everything.""")
        return self.stay(self.phone_calls_on_enter)

    def phone_calls_on_enter(self):
        if not sys.stdin.isatty():
            time.sleep(0.5)
        elif select.select([sys.stdin], [], [], 0.5)[0] and sys.stdin.readline():
            self.phone_dials()

    def phone_dials(self):
        self.phone.dial(f"sip:{NUMBER}@{OUTSIDE}:5061;transport=tls")

    def calls(self):
        self.call("call 1: the browser calls the phone", lambda: self.browser.do("call", PHONE_NUMBER),
                  lambda: self.browser.do("hangup"))
        self.call("call 2: the phone calls the browser", self.phone_dials, self.phone.hangup)


if __name__ == "__main__":
    sys.exit(run(options("scripts/demo --browser"), TOPOLOGY, WebNeighbourhood, Demo))
