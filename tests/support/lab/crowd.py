# SPDX-License-Identifier: Apache-2.0
"""
Many calls at once between two carriers: one Crowd on each side, whose agents share a TLS connection, and whose media
is srtpgw-gen's, each call with the keys that its own SDP brought.
"""

import contextlib
import json
import os
import subprocess
import time
import types

from .agent import Agent
from .net import LabError


class Generator:
    """srtpgw-gen --live in a host: side 0 or 1 of every call."""

    def __init__(self, host, side, rate):
        program = os.path.join(os.environ["SRTPGW_BUILD"], "perf", "srtpgw-gen")
        self.popen = subprocess.Popen(["ip", "netns", "exec", host.netns, program, "--live", str(side), "--rate", str(rate)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        host.lab.processes.append(self)

    def tell(self, *words):
        self.popen.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.popen.stdin.flush()
        answer = self.popen.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise LabError(f"generator: {words[:2]}: {answer}")
        return answer

    def all(self):
        """What each call that there is has heard, by its number."""
        self.popen.stdin.write("all\n")
        self.popen.stdin.flush()
        found = {}
        while (line := self.popen.stdout.readline().strip()) != "end":
            if not line:
                raise LabError("the generator ended")
            row = json.loads(line)
            found[row["call"]] = row
        return found

    def stop(self):
        if self.popen.poll() is None:
            self.popen.stdin.close()
            self.popen.wait(5)
        self.popen.stdout.close()


class End:
    """A call's media, as an Agent knows a Talker."""

    def __init__(self, generator, call, address, port):
        self.generator, self.call, self.address, self.port = generator, call, address, port
        generator.tell("bind", call, address, port)

    def tell(self, word, *rest):
        if word == "remote":
            rest = rest[:2]
        return self.generator.tell(word, self.call, *rest)

    def end(self):
        row = json.loads(self.generator.tell("stats", self.call))
        self.generator.tell("end", self.call)
        return row

    def stop(self):
        pass


PARTS = ("dialog", "target", "keys", "talker", "branch", "wire", "version")


class Crowd(Agent):
    """Calls by number. Media of call N is at port 10000 + 2 N; its number is in the last four digits dialled."""

    def __init__(self, lab, name, side, gateway, suites, user, rate):
        self.generator = Generator(lab.host(name), side, rate)
        idle = types.SimpleNamespace(address=lab.ADDRESSES[name], port=0, stop=lambda: None)
        super().__init__(lab.host(name), name, lab.ADDRESSES[name], gateway, "tls", lab.identity(name), lab.ca.cert,
                         suites, user=user, talker=idle)
        self.calls, self.by_id, self.done, self.asked_times = {}, {}, {}, 0
        self.branch, self.target, self.wire = None, None, None

    @contextlib.contextmanager
    def on(self, call):
        """Everything of the agent that is a call's is this call's."""
        for part in PARTS:
            setattr(self, part, getattr(call, part))
        try:
            yield call
        finally:
            for part in PARTS:
                setattr(call, part, getattr(self, part))

    def _new(self, number):
        call = types.SimpleNamespace(number=number, state="new", dialog=None, target=None, keys={}, branch=None,
                                     wire=None, version=0,
                                     talker=End(self.generator, number, self.address, 10000 + 2 * number))
        self.calls[number] = call
        return call

    def _note(self, call):
        self.by_id[call.dialog["id"]] = call

    def place(self, number, prefix):
        with self.on(self._new(number)) as call:
            self.invite(f"{prefix}{number:04d}")
        self._note(call)

    def change(self, number):
        """A re-INVITE with new keys."""
        with self.on(self.calls[number]) as call:
            self.wire = self.wires[0]
            self.reinvite(self.describe())
            call.state = "changing"

    def hang_up(self, number):
        with self.on(self.calls[number]) as call:
            self.wire = self.wires[0]
            self.talker.tell("send", "off")
            self.request("BYE")
            call.state = "leaving"

    def everyone_reconnects(self):
        self.reconnect()

    def in_state(self, *states):
        return [c.number for c in self.calls.values() if c.state in states]

    def _over(self, call):
        self.done[call.number] = call.talker.end()
        del self.calls[call.number], self.by_id[call.dialog["id"]]

    def _response(self, call, m):
        if m.cseq_method == "INVITE" and m.status == 200:
            self.speak_as_answered(m)
            self.acknowledge(m)
            self.talker.tell("send", "on")
            call.state = "up"
        elif m.cseq_method == "BYE" and m.status in (200, 481):
            call.state = "over"
        elif m.status >= 200:
            raise LabError(f"{self.name}: call {call.number}: {m.first}: {m.get('Warning')}")

    def _request(self, call, m):
        if m.method == "INVITE":
            self.respond(m, 200, "OK", self.answer_body(m))
        elif m.method == "ACK":
            self.talker.tell("send", "on")
            call.state = "up"
        elif m.method == "BYE":
            self.respond(m, 200, "OK")
            call.state, call.bye = "over", m
        elif m.method == "OPTIONS":
            self.asked_times += 1
            self.respond(m, 200, "OK")
        else:
            raise LabError(f"{self.name}: unexpected {m.first}")

    def turn(self, seconds=0.02):
        """Whatever has come is dealt with."""
        try:
            m = self.message(seconds)
        except LabError:
            return
        call = self.by_id.get(m.get("Call-ID"))
        if not call and m.method == "INVITE":
            call = self._new(int(m.first.split("@")[0][-4:]))
        if not call:
            if m.method:
                self.respond(m, 481, "Call/Transaction Does Not Exist")
            return
        with self.on(call):
            (self._request if m.method else self._response)(call, m)
        self._note(call)
        if call.state == "over":
            self._over(call)


def until(what, condition, *crowds, seconds=90):
    """Both sides go on until that is so."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise LabError(f"{what}: not within {seconds} s: " +
                           "; ".join(f"{c.name} {[(s, len(c.in_state(s))) for s in ('new', 'up', 'changing', 'leaving')]}"
                                     for c in crowds))
        for crowd in crowds:
            crowd.turn()


def all_up(calls, *crowds, seconds=120):
    until(f"{calls} calls are up", lambda: all(len(c.in_state("up")) == calls == len(c.calls) for c in crowds), *crowds,
          seconds=seconds)


def assert_media(rows, least, whole=True):
    """
    Each heard its own call and nothing else; when it is to be whole, all of it but what a busy machine's queues lose:
    less than 1 %.
    """
    good = missing = 0
    for row in rows:
        wrong = {k: row[k] for k in ("copies", "foreign", "clear", "unopened") if row[k]}
        assert not wrong, (row["call"], wrong, row)
        assert row["good"] >= least, row
        good += row["good"]
        missing += row["last"] - row["first"] + 1 - row["good"]
    assert not whole or missing * 100 <= good, f"{missing} packets are missing of {good + missing}"
