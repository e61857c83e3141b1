# SPDX-License-Identifier: Apache-2.0
"""The audit: what it says of a call, that it can be verified, and what a crash leaves."""

import json
import os
import subprocess
import tempfile
import time
from datetime import datetime

from lab.dtls_agent import DtlsAgent, dtls_carrier
from lab.gateway import CM_80, GCM_256, Neighbourhood, build_dir, carrier
from lab.memory import Key
from lab.net import wait_for
from lab.operator import Operator
from lab.party import agent, assert_no_session_left, both_hear, connect, established, finish, parties, talking

from test_recovery import saved_now


def ctl(*args):
    argv = [os.path.join(build_dir(), "ctl", "srtpgwctl"), "audit", *args]
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20)


def records(path, *filters):
    done = ctl("show", path, "--json", *filters)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def talk(gateway, a, b, rekey=True):
    connect(a, b)
    ident = established(gateway)
    if rekey:
        gateway.ctl("rekey", ident)
        b.take()
        a.take()
        both_hear(a, b)
    finish(gateway, a, b)
    return ident


def test_a_session_and_a_refusal():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "audit.jsonl")
        with parties(a_suites=(CM_80,), b_suites=(GCM_256,),
                     audit={"file": path, "checkpoint-records": 2}) as (_, gateway, a, b):
            ident = talk(gateway, a, b)
            a.invite("+1")
            a.acknowledge(a.expect(404))
            session, = records(path, "--call", ident)
            assert session["status"] == 200 and "hung up" in session["reason"], session
            legs = session["legs"]
            assert [leg["suite"] for leg in legs] == [CM_80, GCM_256], legs
            for leg in legs:
                assert leg["signalling"]["tls-version"] == "TLSv1.3" and leg["keying"] == "sdes", leg
                assert [k["cause"] for k in leg["keys"]] == ["setup", "operator"], leg
                assert all(k["rx-packets"] > 0 and k["tx-packets"] > 0 for k in leg["keys"]), leg
                assert sum(k["rx-packets"] for k in leg["keys"]) == leg["rx-packets"], leg
                assert set(leg["anomalies"].values()) == {0} and "dtls" not in leg, leg
            assert legs[1]["peer"]["certificate"] and len(legs[1]["peer"]["fingerprint"]) == 64, legs[1]
            refused = [r for r in records(path) if r["type"] == "refusal"]
            assert refused and refused[0]["status"] == 404 and refused[0]["trunk"] == "carrier-a", refused
            # Who it was, and by which id `show call` and `trace` have it.
            assert (refused[0]["from"], refused[0]["to"]) == (a.user, "+1"), refused
            assert refused[0]["peer"]["address"].startswith(f"{a.address}:"), refused
            assert refused[0]["peer"]["certificate"] and refused[0]["signalling"]["tls-version"] == "TLSv1.3", refused
            assert gateway.ctl("trace", refused[0]["call"])["messages"], refused
            assert f"{a.address}:" in ctl("show", path, "--call", refused[0]["call"]).stdout
            assert not records(path, "--suite", "AEAD_AES_128_GCM") and records(path, "--trunk", "carrier-b")
            # The control plane is killed: nothing that was written is lost, and the chain goes on.
            saved_now(gateway)  # else the call may be taken over, only to be ended again
            gateway.kill(gateway.controlplane)
            for one in (a, b):
                one.hang_up_wires()
            gateway.start_controlplane()
            talk(gateway, a, b, rekey=False)
            keys = [Key(text) for one in (a, b) for text in one.keys_seen]
        done = ctl("verify", path)
        assert done.returncode == 0 and "not signed" not in done.stdout, (done.stdout, done.stderr)
        assert len([r for r in records(path) if r["type"] == "session"]) == 2
        ranks = ctl("suites", path, "--from", "2020-01-01", "--to", "2099-12-31").stdout
        assert CM_80 in ranks and GCM_256 in ranks and "TLSv1.3" in ranks, ranks
        with open(path, "rb") as f:
            text = f.read()
        assert not any(needle in text for key in keys for needle in key.forms.values())
        # One digit of one record.
        with open(path, "wb") as f:
            f.write(text.replace(b'"status":404', b'"status":403', 1))
        done = ctl("verify", path)
        assert done.returncode == 3 and "was changed" in done.stderr, (done.stdout, done.stderr)


def test_a_session_that_ended_just_before_a_crash():
    """
    A phone answers neither a re-INVITE nor the BYE: the call has ended, and is not over for half a minute. The control
    plane is killed meanwhile. There is one record of it, with the end that it had.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "audit.jsonl")
        sessions = lambda: [r for r in records(path) if r["type"] == "session"]
        with talking(a_suites=(CM_80,), b_suites=(GCM_256,), audit={"file": path}) as (_, gateway, a, b):
            ident = established(gateway)
            a.reinvite(a.describe())
            b.expect("INVITE")
            a.bye()
            a.acknowledge(a.expect(487))
            b.expect("BYE")
            assert gateway.ctl("show", "call", ident)["state"] == "ending"
            ended = time.time()
            saved_now(gateway)
            assert not sessions(), "its record was written: what is tested here did not come about"
            for _ in range(2):
                gateway.kill(gateway.controlplane)
                gateway.start_controlplane()
                session, = sessions()
            wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
            assert_no_session_left(gateway)
            assert (session["call"], session["status"], session["reason"]) == (ident, 200, "the calling side hung up"), session
            assert datetime.fromisoformat(session["ended"]).timestamp() <= ended, session
            assert all(leg["rx-packets"] > 0 and leg["tx-packets"] > 0 for leg in session["legs"]), session
        done = ctl("verify", path)
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert len(sessions()) == 1, sessions()


def legs(gateway):
    return gateway.ctl("show", "call", established(gateway))["legs"]


def test_files_are_closed_and_moved_away():
    """
    A night's archiving: the file is closed, goes elsewhere, and what is here and what is there are one chain. Then somebody's
    logrotate takes the file that is written: it is an alarm, and nothing is missing.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as archive:
        path, kept = os.path.join(folder, "audit.jsonl"), [os.path.join(archive, f"{n}.jsonl") for n in range(2)]
        with parties(a_suites=(CM_80,), b_suites=(GCM_256,), audit={"file": path}) as (_, gateway, a, b), \
                Operator(gateway) as op:
            op.ask("subscribe")
            assert gateway.ctl("audit", "rotate") == {}
            talk(gateway, a, b, rekey=False)
            closed = gateway.ctl("audit", "rotate")
            assert closed["srtp-gateway:file"] == f"{path}.1", closed
            os.rename(f"{path}.1", kept[0])
            talk(gateway, a, b, rekey=False)
            os.rename(path, kept[1])
            assert op.notification("audit-alarm") == {"kind": "file-taken", "raised": True, "times": "1"}
            audit = gateway.ctl("show", "alarms")["statistics"]["audit"]
            assert (int(audit["file-taken"]), audit["file-away"], audit["losing"], int(audit["lost"])) == (1, False, False, 0)
            talk(gateway, a, b, rekey=False)
        key = ("--key", f"{path}.pub")
        for files in ([*kept, path], [path, *kept], [path], kept, kept[:1]):
            done = ctl("verify", *files, *key)
            assert done.returncode == 0, (files, done.stderr)
        assert ctl("verify", kept[0], path, *key).returncode == 3
        calls = [r for r in records(kept[0]) + records(kept[1]) + records(path) if r["type"] == "session"]
        assert len(calls) == 3, calls


def test_packets_that_would_have_been_clear():
    """
    One side speaks before the other has keys, and in the clear once they are there: nobody hears a word of either, and
    the audit says how many there were.
    """
    with Neighbourhood() as lab:
        path = lab.path("audit.jsonl")
        trunks = [dtls_carrier("carrier-a", (GCM_256,)), carrier("carrier-b", lab.ADDRESSES["carrier-b"])]
        gateway = lab.gateway(trunks, [("carrier-a", "", "carrier-b")], audit={"file": path})
        a, b = DtlsAgent(lab, "carrier-a", (GCM_256,)), agent(lab, "carrier-b")
        a.invite("+4940200")
        b.take()
        answer = a.expect(200)
        a.acknowledge(answer)
        ident = wait_for("the call is up", lambda: established(gateway))
        b.talker.tell("send", "on")
        wait_for("packets are refused for want of a key", lambda: int(legs(gateway)[1]["verdicts"]["no-key"]) >= 10)
        assert not a.talker.stats()["heard"], a.talker.stats()
        a.speak_as_answered(answer)
        a.secured()
        a.talker.tell("send", "on")
        both_hear(a, b)
        b.talker.tell("tx", "clear")
        wait_for("clear packets are refused", lambda: int(legs(gateway)[1]["verdicts"]["auth-fail"]) >= 25)
        sent_on = legs(gateway)[0]["tx"]["packets"]
        wait_for("more of them are", lambda: int(legs(gateway)[1]["verdicts"]["auth-fail"]) >= 50)
        assert legs(gateway)[0]["tx"]["packets"] == sent_on, legs(gateway)[0]["tx"]
        assert not a.talker.stats()["clear"] and not a.talker.stats()["refused"], a.talker.stats()
        finish(gateway, a, b)
        record, = records(path, "--call", ident)
        toward_a, toward_b = (leg["anomalies"] for leg in record["legs"])
        assert toward_b.pop("no-key") >= 10 and toward_b.pop("auth-failures") >= 50, record["legs"]
        assert set(toward_b.values()) == {0} and toward_a["auth-failures"] == 0, record["legs"]
        gateway.stop()
