# SPDX-License-Identifier: Apache-2.0
"""What both demos have: their options, how a problem is kept, and how they end."""

import argparse
import os
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(TOP, "tests", "support"))

from lab.capture import Capture  # noqa: E402
from lab.net import LabError, Skip, interrupts_raise  # noqa: E402


def say(text=""):
    print(text, flush=True)


def options(prog):
    parser = argparse.ArgumentParser(prog=prog, add_help=False)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--port", choices=("auto", "af_xdp", "af_packet"), default="auto")
    parser.add_argument("--backend", choices=("ipsec-mb", "fpga"), default="ipsec-mb")
    return parser.parse_args()


class DemoParts:
    def __init__(self, lab, args, gateway):
        self.lab, self.args, self.gateway, self.problems = lab, args, gateway, []
        self.capture = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        self.ctl = os.path.join(gateway.bin, "ctl", "srtpgwctl")

    def problem(self, text):
        self.problems.append(text)
        say(f"  FAILED: {text}")

    def conclude(self, ok):
        """Ends what is not to be kept, and says how it went: the exit code."""
        if not self.args.keep or self.problems:
            self.end()
        say(f"demo failed: {'; '.join(self.problems)}" if self.problems else f"demo ok: {ok}")
        return 1 if self.problems else 0

    def end(self):
        self.gateway.stop()

    def stay(self, idle):
        """While the gateway runs; idle() takes half a second."""
        while self.gateway.controlplane.running() and self.gateway.dataplane.running():
            idle()
        say("a plane ended by itself")
        return 1


def run(args, topology, neighbourhood, demo_of):
    """demo_of(lab, args) makes its calls; then the verdict. The exit code."""
    interrupts_raise()
    say(topology)
    try:
        with neighbourhood(keep_dir=os.environ.get("DEMO_DIR")) as lab:
            demo = demo_of(lab, args)
            demo.calls()
            code = demo.verdict()
            if args.keep and code == 0:
                code = demo.keep()
                demo.end()
            return code
    except KeyboardInterrupt:
        say("interrupted: everything is removed" if not args.keep else "everything is removed")
        return 0 if args.keep else 130
    except (LabError, Skip) as e:
        say(f"demo failed: {e}")
        return 1
