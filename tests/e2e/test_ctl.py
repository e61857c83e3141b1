# SPDX-License-Identifier: Apache-2.0
"""srtpgwctl against a gateway that carries calls: what an operator reads and does."""

import os
import subprocess

from lab.net import wait_for
from lab.party import established, finish, parties, talking


def srtpgwctl(gateway, *args, stdin="", code=0):
    """What srtpgwctl prints; it must exit with this code. For another code than 0: its complaint, one line."""
    argv = [os.path.join(gateway.bin, "ctl", "srtpgwctl"), "--socket", gateway.control_socket, *args]
    done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == code, (args, done.returncode, done.stdout[-1000:], done.stderr)
    if code:
        assert done.stderr.startswith("srtpgwctl: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr
    return done.stdout


def keys(trace):
    """What follows inline: in any message of a trace."""
    return {part.split()[0] for m in trace for part in m["text"].split("inline:")[1:]}


def test_the_trace_of_a_call_has_both_legs_and_no_key():
    with talking(b="phone") as (_, gateway, a, b):
        ident = established(gateway)
        finish(gateway, a, b)
        trace = gateway.ctl("trace", ident)["messages"]
        seen = [(m["leg"], m["direction"], m["text"].split()[0]) for m in trace]
        for step in (("a", "in", "INVITE"), ("b", "out", "INVITE"), ("b", "in", "SIP/2.0"), ("a", "out", "SIP/2.0"),
                     ("a", "in", "ACK"), ("b", "out", "ACK"), ("a", "in", "BYE"), ("b", "out", "BYE")):
            assert step in seen, (step, seen)
        assert keys(trace) == {"***"}, keys(trace)
        ladder = srtpgwctl(gateway, "trace", ident)
        lines = ladder.splitlines()
        assert "gateway" in lines[0] and "192.0.2.10:" in lines[0] and "10.20.0.10:5060 udp" in lines[0], ladder
        assert " INVITE SDP " in lines[1] and " 200 OK (BYE) " in ladder, ladder


def test_a_refused_request_is_traced_by_its_call_id():
    with parties(b="phone") as (_, gateway, a, b):
        a.invite("+1")
        answer = a.expect(404)
        a.acknowledge(answer)

        def messages():
            return gateway.ctl("trace", answer.get("Call-ID"))["messages"]

        wait_for("the ACK is there too", lambda: len(messages()) >= 3, 20)
        assert keys(messages()) == {"***"}, messages()
        assert "reason: no route leads to this number" in srtpgwctl(gateway, "trace", answer.get("Call-ID"))
        assert "no messages of call 'nobody'" in srtpgwctl(gateway, "trace", "nobody", code=3)
