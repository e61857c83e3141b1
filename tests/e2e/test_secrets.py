# SPDX-License-Identifier: Apache-2.0
"""Keys leave memory when their call or their time is over, and never come near a log."""

import glob
import os
import time

from lab.gateway import CM_80, GCM_256
from lab.memory import Key, find
from lab.net import wait_for
from lab.party import both_hear, established, finish, parties, connect, talking


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
    for plane, pid in planes(gateway).items():
        def left():
            return {f"key {label[0]}, {label[1]}": places for label, places in find(pid, keys).items()}

        try:
            began = time.monotonic()
            wait_for(f"no key is in the memory of the {plane}", lambda: not left(), 30, step=1)
            print(f"# {plane}: clean {time.monotonic() - began:.1f} s later")
        except Exception as e:
            raise AssertionError(f"{plane}: {left()}") from e


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
        assert len(new) >= 4
        assert_gone(gateway, old)
        assert_found(gateway, new)
        finish(gateway, a, b)
        assert_gone(gateway, old + new)


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
        texts = [s.encode() for s in said]
        for path in glob.glob(os.path.join(lab.dir, "**"), recursive=True):
            if os.path.isfile(path) and "certs" not in path:
                with open(path, "rb") as f:
                    texts.append(f.read())
        assert any(ident.encode() in t for t in texts)
        for key in keys_of(a, b):
            for form, needle in key.forms.items():
                assert not any(needle in t for t in texts), form
