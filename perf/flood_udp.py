# SPDX-License-Identifier: Apache-2.0
"""A flood of SIP over UDP from made-up addresses at a trusted realm's listener, and that realm's calls beside it."""

import csv
import json
import os

from lab.gateway import INSIDE, Neighbourhood, core
from lab.net import LabError, wait_for
from lab.scenario import Scenario, sdp
from sip_bed import all_threads_us, resident

CALLER, CALLED = "10.20.0.11", "10.20.0.10"
ATTACKER, SOURCES = "10.20.0.200", "198.18.0.0/15"
HONEST_PERCENT = ("least", 99.9)
NONE = ("most", 0)


def scenarios():
    body = sdp(proto="RTP/AVP")
    takes = (Scenario("takes", transport="UDP").receive("INVITE").answer(180, "Ringing").answer(200, "OK", body)
             .receive("ACK").receive("BYE").answer_in_dialog(200, "OK"))
    places = (Scenario("places", transport="UDP").invite("+49", body).receive(100, optional=True)
              .receive(180, optional=True).receive(200, store_routes=True).ack().pause(0.2).request("BYE").receive(200))
    return takes, places


def sipp(host, name, scenario, *argv):
    path = host.lab.path(f"{name}.xml")
    scenario.save(path)
    return host.start(name, "sipp", "-sf", path, "-nostdin", "-t", "u1", *argv)


class Calls:
    """SIPp calls SIPp through the gateway, `rate` a second, `count` in all."""

    def __init__(self, lab, name, count, rate):
        host, (takes, places) = lab.host("phone"), scenarios()
        self.count, self.statistics = count, lab.path(f"{name}.csv")
        self.called = sipp(host, f"{name}-takes", takes, "-i", CALLED, "-p", "5060")
        wait_for("the called side listens", lambda: f"{CALLED}:5060" in host.exec("ss", "-lunH"), 20)
        self.placing = sipp(host, f"{name}-places", places, f"{INSIDE}:5060", "-i", CALLER, "-p", "5060", "-m", count, "-r", rate,
                            "-recv_timeout", 32000, "-trace_stat", "-stf", self.statistics, "-fd", 1)

    def end(self, seconds):
        """What SIPp counted over all."""
        wait_for("all calls are over", lambda: not self.placing.running(), seconds, 0.2)
        self.called.stop()
        with open(self.statistics) as f:
            last = list(csv.DictReader(f, delimiter=";"))[-1]
        good, failed = int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])
        if good + failed < self.count:
            raise LabError(f"sipp placed {good + failed} of {self.count} calls: {self.placing.output()[-500:]}")
        return good, int(last["Retransmissions(C)"])


def flood(host, build, rate, seconds):
    # An attacker's processor is his own.
    return host.start("flood", "nice", "-n", "-10", os.path.join(build, "perf", "sip_flood"), "--to", f"{INSIDE}:5060", "--rate", rate,
                      "--seconds", seconds, "--from", SOURCES)


def measure(build, m, rate, calls, calls_per_s):
    with Neighbourhood() as lab:
        lab.host("phone").ip("addr", "add", f"{CALLER}/24", "dev", "eth0")
        lab.wire(lab.host("attacker"), "inside", "eth0", f"{ATTACKER}/24")
        # What is answered goes somewhere, as through a router.
        lab.gateway_host.ip("route", "add", SOURCES, "via", ATTACKER)
        gateway = lab.gateway([core("calls", CALLER), core("called", CALLED)], [("calls", "+49", "called")])
        counters = lambda: gateway.ctl("show", "stats")["sip"]
        if Calls(lab, "calm", 100, calls_per_s).end(120)[0] < 100:
            raise LabError("calls fail without an attack")
        before, grown, took = counters(), resident(gateway.controlplane), all_threads_us(gateway.controlplane)
        attack = flood(lab.host("attacker"), build, rate, calls / calls_per_s + 1)
        good, again = Calls(lab, "attacked", calls, calls_per_s).end(300)
        attack.wait(120)
        took = all_threads_us(gateway.controlplane) - took
        sent, now = json.loads(attack.output().strip().splitlines()[-1]), counters()
        m.add("honest_calls", [100 * good / calls], "%", HONEST_PERCENT)
        m.add("rate", [sent["datagrams"] / sent["seconds"]], "datagrams/s")
        m.add("sent_again", [again], "messages of SIPp's")
        for queue in ("rx_queue_dropped", "rx_queue_dropped_unknown"):
            m.add(queue, [now[queue] - before[queue]], "datagrams", NONE if queue == "rx_queue_dropped" else None)
        m.add("processor", [took / sent["seconds"] / 1e4], "% of a core")
        m.add("grown", [(resident(gateway.controlplane) - grown) / 1e6], "MB")
        gateway.stop()
