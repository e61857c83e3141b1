# SPDX-License-Identifier: Apache-2.0
"""Keys leave memory when their call or their time is over, and never come near a log."""

import glob
import os
import resource
import signal
import subprocess
import time

from lab.gateway import CM_80, GCM_256
from lab.memory import Key, find, search, snapshot
from lab.net import Skip, wait_for
from lab.party import both_hear, established, finish, parties, connect, talking


GONE_S = 5  # a second on a machine of its own (docs/operations.md), and what a loaded one may add


def planes(gateway):
    return {"control plane": gateway.controlplane.pid, "data plane": gateway.dataplane.pid}


def keys_of(*agents):
    return [Key(text) for one in agents for text in sorted(one.keys_seen)]


def assert_found(gateway, keys):
    """The search can find keys: the control plane has the masters, the data plane what is derived of them."""
    for form, plane in (("raw", "control plane"), ("session", "data plane")):
        found = find(planes(gateway)[plane], keys)
        assert any(label[1] == form for label in found), f"no {form} key in the {plane} of a call that is up"


def assert_gone(gateway, keys):
    """
    Pictures of both planes' memory are taken as soon as they can be, and again until one has no key. What counts is
    when the picture was complete; to look at it is not the gateway's time.
    """
    began, taken, left = time.monotonic(), 0, {"": ""}
    while left and taken < GONE_S:
        pictures = {plane: snapshot(pid) for plane, pid in planes(gateway).items()}
        complete = time.monotonic()
        taken = complete - began
        left = {plane: found for plane, memory in pictures.items() if (found := search(memory, keys))}
        began += time.monotonic() - complete
    assert not left, (taken, left)
    print(f"# both planes: clean {taken:.2f} s later at the latest")


def assert_nowhere(lab, keys, *texts):
    """No key is in these texts, nor in any file of the laboratory's: logs, checkpoints, configuration, audit."""
    assert keys
    texts = list(texts)
    for path in glob.glob(os.path.join(lab.dir, "**"), recursive=True):
        if os.path.isfile(path) and "certs" not in path and os.path.basename(path) != "core":
            with open(path, "rb") as f:
                texts.append(f.read())
    for key in keys:
        for form, needle in key.forms.items():
            assert not any(needle in t for t in texts), form


def old_keys_retired(gateway):
    """Packets under the new keys have come on both sides: from then on old ones open what is late, for 0.5 s."""
    before = {leg["side"]: int(leg["rx"]["packets"]) for leg in legs_now(gateway)}
    wait_for("media goes on under the new keys",
             lambda: all(int(leg["rx"]["packets"]) > before[leg["side"]] + 25 for leg in legs_now(gateway)), 20)


def legs_now(gateway):
    return gateway.ctl("show", "call", established(gateway))["legs"]


def test_keys_leave_memory_with_their_call():
    with talking(a_suites=(CM_80,), b_suites=(GCM_256,)) as (_, gateway, a, b):
        keys = keys_of(a, b)
        assert len(keys) >= 4
        assert_found(gateway, keys)
        finish(gateway, a, b)
        assert_gone(gateway, keys)


def test_keys_leave_memory_when_they_are_renewed():
    with talking(a_suites=(CM_80,), b_suites=(GCM_256,)) as (_, gateway, a, b):
        old = keys_of(a, b)
        gateway.ctl("rekey", established(gateway))
        b.take()
        a.take()
        both_hear(a, b)
        new = [k for k in keys_of(a, b) if k.master not in [o.master for o in old]]
        old_keys_retired(gateway)
        assert len(new) >= 4
        assert_gone(gateway, old)
        assert_found(gateway, new)
        finish(gateway, a, b)
        assert_gone(gateway, old + new)


def test_a_crash_leaves_no_core_and_no_key_in_its_output():
    with parties(a_suites=(CM_80,), b_suites=(GCM_256,), log_level="debug") as (lab, gateway, a, b):
        connect(a, b)
        established(gateway)
        usual = subprocess.Popen(["sleep", "60"], cwd=lab.dir)
        for popen, how in ((usual, signal.SIGSEGV), (gateway.controlplane.popen, signal.SIGSEGV),
                           (gateway.dataplane.popen, signal.SIGABRT)):
            resource.prlimit(popen.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            popen.send_signal(how)
            end = os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
            popen.wait(20)
            if popen is usual and end.si_code != os.CLD_DUMPED:
                raise Skip("this machine writes no core files at all")
            assert popen is usual or end.si_code == os.CLD_KILLED, (end, os.listdir(lab.dir))
        assert_nowhere(lab, keys_of(a, b))
        for one in (a, b):
            one.hang_up_wires()


def test_no_key_is_in_logs_traces_or_on_disk():
    with parties(a_suites=(CM_80,), b_suites=(GCM_256,), log_level="debug") as (lab, gateway, a, b):
        connect(a, b)
        ident = established(gateway)
        gateway.ctl("rekey", ident)
        b.take()
        a.take()
        said = [str(gateway.ctl(*words)) for words in
                (("show", "calls"), ("show", "call", ident), ("show", "stats"), ("trace", ident))]
        finish(gateway, a, b)
        said.append(str(gateway.ctl("show", "call", ident)))
        assert ident in said[1]
        assert_nowhere(lab, keys_of(a, b), *(s.encode() for s in said))
