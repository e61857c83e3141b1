# SPDX-License-Identifier: Apache-2.0
"""Keys leave memory when their call or their time is over, and never come near a log."""

import contextlib
import glob
import os
import resource
import signal
import subprocess
import time

from lab.dtls_agent import DtlsAgent, dtls_carrier, module
from lab.gateway import CM_80, GCM_128, GCM_256, Neighbourhood
from lab.memory import Key, find, search, snapshot
from lab.net import Skip, wait_for
from lab.party import both_hear, established, finish, parties, connect, talking

from test_browser_users import web


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
             lambda: all(int(leg["rx"]["packets"]) > before[leg["side"]] + 25 for leg in legs_now(gateway)))


def legs_now(gateway):
    return gateway.ctl("show", "call", established(gateway))["legs"]


def test_keys_leave_memory_with_their_call():
    with talking(a_suites=(CM_80,), b_suites=(GCM_256,)) as (_, gateway, a, b):
        keys = keys_of(a, b)
        assert len(keys) >= 4
        assert_found(gateway, keys)
        finish(gateway, a, b)
        assert_gone(gateway, keys)


def test_keys_that_came_over_a_websocket_leave_memory():
    with web() as (_, gateway, alice, bob):
        alice.register()
        alice.invite(bob.user)
        bob.take()
        alice.answered()
        for one in (alice, bob):
            one.talker.tell("send", "on")
        both_hear(alice, bob)
        keys = keys_of(alice, bob)
        assert_found(gateway, keys)
        finish(gateway, alice, bob)
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


@contextlib.contextmanager
def talking_over_dtls(library):
    """(lab, gateway, a, b): a call, both of whose sides have keys from DTLS handshakes that the agents know."""
    with Neighbourhood() as lab:
        trunks = [dtls_carrier("carrier-a", (GCM_256,)), dtls_carrier("carrier-b", (GCM_128,))]
        gateway = lab.gateway(trunks, [("carrier-a", "", "carrier-b")])
        a, b = DtlsAgent(lab, "carrier-a", (GCM_256,), library), DtlsAgent(lab, "carrier-b", (GCM_128,), library)
        a.invite("+4940200")
        b.take()
        a.answered()
        for one in (a, b):
            version = one.secured()
            assert version == ("DTLSv1.3" if library else "DTLSv1.2"), version
            one.talker.tell("send", "on")
        both_hear(a, b)
        yield lab, gateway, a, b
        gateway.stop()


def dtls_keys_leave_memory(library):
    """Keys of handshakes, and what they were cut from: when they are renewed, and with their call."""
    with talking_over_dtls(library) as (lab, gateway, a, b):
        old = keys_of(a, b)
        assert len(old) == 4
        found = find(planes(gateway)["data plane"], old)
        assert {i for i, form in found if form == "session"} == set(range(4)), found
        gateway.ctl("rekey", established(gateway))
        for one in (b, a):
            one.take()
        for one in (a, b):
            one.secured()
        both_hear(a, b)
        new = [k for k in keys_of(a, b) if k.master not in [o.master for o in old]]
        assert len(new) == 4
        old_keys_retired(gateway)
        assert_gone(gateway, old)
        finish(gateway, a, b)
        assert_gone(gateway, old + new)
        assert_nowhere(lab, old + new)


def test_keys_of_dtls_1_2_leave_memory():
    dtls_keys_leave_memory(None)


def test_keys_of_dtls_1_3_leave_memory():
    if not module():
        raise Skip("there is no module for DTLS 1.3")
    dtls_keys_leave_memory(module())


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
