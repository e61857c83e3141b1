# SPDX-License-Identifier: Apache-2.0
"""srtpgwctl against a gateway that carries calls: what an operator reads and does."""

import contextlib
import json
import os
import socket
import subprocess
import threading

from lab.net import wait_for
from lab.party import both_hear, connect, established, finish, parties, talking


def srtpgwctl(gateway, *args, stdin="", code=0):
    """What srtpgwctl prints; it must exit with this code. For another code than 0: its complaint, one line."""
    argv = [os.path.join(gateway.bin, "ctl", "srtpgwctl"), "--socket", gateway.control_socket, *args]
    done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == code, (args, done.returncode, done.stdout[-1000:], done.stderr)
    if code:
        assert done.stderr.startswith("srtpgwctl: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr
    return done.stdout


def warning(gateway, *args):
    """What srtpgwctl warns of, which does it all the same."""
    argv = [os.path.join(gateway.bin, "ctl", "srtpgwctl"), "--socket", gateway.control_socket, *args]
    return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60, check=True).stderr


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

        wait_for("the ACK is there too", lambda: len(messages()) >= 3)
        assert keys(messages()) == {"***"}, messages()
        assert "reason: no route leads to this number" in srtpgwctl(gateway, "trace", answer.get("Call-ID"))
        assert "no messages of this call" in srtpgwctl(gateway, "trace", "nobody", code=3)


def max_calls(gateway, source="running"):
    tree = gateway.ctl("show", "config", "trunks/trunk/carrier-a/max-calls", "--source", source)
    return tree["gateway"]["trunks"]["trunk"][0].get("max-calls") if tree else None


def test_a_change_is_made_shown_kept_and_taken_back_while_a_call_goes_on():
    with talking(b="phone") as (_, gateway, a, b):
        first = gateway.ctl("show", "history")["commits"][0]["commit"]
        srtpgwctl(gateway, "set", "trunks/trunk/carrier-a/max-calls", "7")
        # The candidate is everybody's, and stays when the command ends.
        diff = srtpgwctl(gateway, "diff")
        assert diff == "+ trunks/trunk[name='carrier-a']/max-calls 7\n", diff
        assert max_calls(gateway, "candidate") == 7 and max_calls(gateway) is None
        srtpgwctl(gateway, "validate")
        assert srtpgwctl(gateway, "commit", "--comment", "room for seven").startswith("commit ")
        assert max_calls(gateway) == 7 and srtpgwctl(gateway, "diff") == "no differences\n"
        assert "room for seven" in srtpgwctl(gateway, "show", "history")
        both_hear(a, b)
        srtpgwctl(gateway, "rollback", str(first), "--comment", "back")
        assert max_calls(gateway) is None
        assert gateway.ctl("diff", str(first), "running")["changes"] == []
        both_hear(a, b)
        finish(gateway, a, b)


def test_how_workers_sleep_is_changed_while_a_call_goes_on():
    with talking(b="phone") as (_, gateway, a, b):

        def commit(says, *words):
            srtpgwctl(gateway, *words)
            srtpgwctl(gateway, "commit")
            wait_for(f"the data plane says: {says}", lambda: says in gateway.dataplane.output())
            both_hear(a, b)

        def shown():
            return gateway.ctl("show", "config", "dataplane")["gateway"]["dataplane"]

        commit("workers have another longest nap, as configured microseconds=70", "set", "dataplane/longest-nap", "70")
        assert shown()["longest-nap"] == 70
        srtpgwctl(gateway, "set", "dataplane/busy-poll", "true")
        assert "remove one of them" in srtpgwctl(gateway, "commit", code=3)
        commit("workers never sleep from now on, as configured", "delete", "dataplane/longest-nap")
        assert shown()["busy-poll"] is True and "longest-nap" not in shown()
        commit("workers sleep as the command line says again", "delete", "dataplane/busy-poll")
        finish(gateway, a, b)


def test_mistakes_are_named_and_change_nothing():
    with parties(b="phone") as (lab, gateway, a, b):
        before = gateway.ctl("show", "config")
        for words, says in ((("set", "trunks/trunk/carrier-a/max-calls", "many"), "trunk[name='carrier-a']/max-calls: "),
                            (("set", "trunks/trunk/carrier-a/colour", "red"), "colour"),
                            (("delete", "trunks/trunk/nobody"), "trunk[name='nobody']"),
                            (("rollback", "99999"), "99999"),
                            (("rekey", "--trunk", "nobody"), "'nobody'"),
                            (("show", "config", "nowhere"), "'nowhere'")):
            said = srtpgwctl(gateway, *words, code=3)
            assert says in said, (words, said)
        srtpgwctl(gateway, "set", "trunks/trunk/carrier-a/realm", "nowhere")
        for words in (("validate",), ("commit",)):
            said = srtpgwctl(gateway, *words, code=3)
            assert "/srtp-gateway:gateway/trunks/trunk[name='carrier-a']/realm: " in said, said
        srtpgwctl(gateway, "discard")
        assert srtpgwctl(gateway, "diff") == "no differences\n" and gateway.ctl("show", "config") == before
        whole = srtpgwctl(gateway, "show", "config", "--format", "xml")
        srtpgwctl(gateway, "validate", "-", stdin=whole)
        srtpgwctl(gateway, "edit", "-", "--replace", stdin=whole)
        assert srtpgwctl(gateway, "diff") == "no differences\n"
        with open(gateway.config_path) as f:
            srtpgwctl(gateway, "edit", f.name)
        assert "not JSON" in srtpgwctl(gateway, "edit", "-", stdin="{", code=3)


def test_what_was_edited_by_hand_is_not_overwritten():
    with parties(b="phone") as (lab, gateway, a, b):
        with open(gateway.config_path) as f:
            text = f.read()
        edited = text.replace('"srtp-gateway:gateway": {', '"srtp-gateway:gateway": {"limits": {"max-calls": 7},', 1)
        assert edited != text and '"limits": {"max' in edited, text
        with open(gateway.config_path, "w") as f:
            f.write(edited)
        srtpgwctl(gateway, "set", "trunks/trunk/carrier-a/max-calls", "5")
        said = srtpgwctl(gateway, "commit", code=1)
        assert gateway.config_path in said and "srtpgwctl reload" in said and "--overwrite" in said, said
        with open(gateway.config_path) as f:
            assert f.read() == edited
        assert "+ limits/max-calls 7\n" in srtpgwctl(gateway, "diff", "running", "startup")
        srtpgwctl(gateway, "commit", "--overwrite")
        assert srtpgwctl(gateway, "diff", "running", "startup") == "no differences\n"


def test_the_file_and_certificates_are_reloaded_or_nothing_is():
    with parties(b="phone") as (lab, gateway, a, b):
        assert srtpgwctl(gateway, "reload") == "configuration unchanged; certificates unchanged\n"
        with open(gateway.config_path) as f:
            tree = json.load(f)
        top = tree["srtp-gateway:gateway"]
        profile, trunk = top["tls-profiles"]["tls-profile"][0], top["trunks"]["trunk"][0]

        def write(**changes):
            trunk.update(changes)
            with open(gateway.config_path, "w") as f:
                json.dump(tree, f)

        def install(source, target):
            with open(source, "rb") as new, open(target, "wb") as old:
                old.write(new.read())

        # A mistake in the file, then one in a file that it names: nothing of either is in force.
        write(realm="nowhere")
        said = srtpgwctl(gateway, "reload", code=3)
        assert "trunk[name='carrier-a']/realm" in said and gateway.config_path in said, said
        write(realm="carriers", **{"max-calls": 7})
        certificate, key, *_ = lab.ca.issue("renewed", "192.0.2.1")
        install(certificate, profile["certificate"])
        said = srtpgwctl(gateway, "reload", code=3)
        assert profile["private-key"] in said, said
        assert max_calls(gateway) is None
        install(key, profile["private-key"])
        said = srtpgwctl(gateway, "reload")
        assert said.startswith("configuration reloaded, commit ") and said.endswith("; certificates changed: gateway\n"), said
        assert max_calls(gateway) == 7 and " reloaded" in srtpgwctl(gateway, "show", "history")
        connect(a, b)
        finish(gateway, a, b)


def test_a_commit_waits_for_its_confirmation_from_any_terminal():
    with parties(b="phone") as (lab, gateway, a, b):
        srtpgwctl(gateway, "set", "trunks/trunk/carrier-a/max-calls", "7")
        assert "'srtpgwctl confirm' keeps it" in srtpgwctl(gateway, "commit", "--confirm", "600")
        assert max_calls(gateway) == 7
        srtpgwctl(gateway, "set", "trunks/trunk/carrier-a/max-calls", "6")  # somebody else goes on editing
        assert "'srtpgwctl confirm' keeps it" in srtpgwctl(gateway, "commit", code=1)
        srtpgwctl(gateway, "confirm")
        assert max_calls(gateway) == 7 and max_calls(gateway, "candidate") == 6
        srtpgwctl(gateway, "set", "trunks/trunk/carrier-a/max-calls", "8")
        srtpgwctl(gateway, "commit", "--confirm")
        srtpgwctl(gateway, "cancel")
        assert max_calls(gateway) == 7
        srtpgwctl(gateway, "discard")
        srtpgwctl(gateway, "set", "trunks/trunk/carrier-a/max-calls", "9")
        srtpgwctl(gateway, "commit", "--confirm", "1")
        wait_for("it is rolled back by itself", lambda: max_calls(gateway) == 7)
        assert srtpgwctl(gateway, "confirm", code=3)


def test_a_lock_of_another_session_is_respected_and_named():
    with parties(b="phone") as (lab, gateway, a, b), socket.socket(socket.AF_UNIX) as other:
        other.connect(gateway.control_socket)
        other.sendall(b'{"op":"lock","args":{"target":"candidate"}}\n')
        assert b'"ok":true' in other.recv(4096)
        said = srtpgwctl(gateway, "set", "trunks/trunk/carrier-a/max-calls", "7", code=1)
        assert "session" in said, said
        other.close()
        wait_for("the lock goes with its session", lambda: subprocess.run(
            [os.path.join(gateway.bin, "ctl", "srtpgwctl"), "--socket", gateway.control_socket, "set",
             "trunks/trunk/carrier-a/max-calls", "7"], stderr=subprocess.DEVNULL).returncode == 0)


def test_completion_knows_the_gateways_names():
    with parties(b="phone") as (lab, gateway, a, b):
        os.environ["SRTPGW_SOCKET"] = gateway.control_socket
        try:
            argv = [os.path.join(gateway.bin, "ctl", "srtpgwctl"), "complete", "--"]
            for words, candidates in ((["drain", "--trunk", ""], ["carrier-a", "phone"]),
                                      (["set", "trunks/trunk/c"], ["trunks/trunk/carrier-a/"]),
                                      (["rollback", ""], [str(c["commit"]) for c in gateway.ctl("show", "history")["commits"]])):
                done = subprocess.run([*argv, *words], stdout=subprocess.PIPE, text=True, timeout=20, check=True)
                assert done.stdout.split() == candidates, (words, done.stdout)
        finally:
            del os.environ["SRTPGW_SOCKET"]


def as_nobody(gateway, *args):
    """(exit code, output, complaint) of srtpgwctl when an account asks that only the socket's group lets in."""
    done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                           os.path.join(gateway.bin, "ctl", "srtpgwctl"), "--socket", gateway.control_socket, *args],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_who_may_only_look_is_told_so_and_access_rules_hide_what_calls_say():
    with talking(b="phone", management={"group": "nogroup"}) as (lab, gateway, a, b):
        os.chmod(os.path.dirname(gateway.control_socket), 0o711)
        ident = established(gateway)
        code, out, _ = as_nobody(gateway, "show", "calls")
        assert code == 0 and ident in out, out
        code, out, _ = as_nobody(gateway, "trace", ident)
        assert code == 0 and "INVITE SDP" in out, out
        code, _, complaint = as_nobody(gateway, "set", "trunks/trunk/phone/max-calls", "3")
        assert code == 1 and complaint.startswith("srtpgwctl: ") and complaint.count("\n") == 1, complaint
        srtpgwctl(gateway, "set", "nacm/read-default", "deny")
        srtpgwctl(gateway, "commit")
        code, out, _ = as_nobody(gateway, "show", "calls")
        assert ident not in out, out
        code, out, complaint = as_nobody(gateway, "trace", ident)
        assert code == 3 and out == "" and "no messages" in complaint, (code, out, complaint)
        finish(gateway, a, b)


def appended(lines, process):
    for line in iter(process.stdout.readline, ""):
        lines.append(line)


@contextlib.contextmanager
def monitor(gateway, *args):
    """srtpgwctl monitor while the block runs; what it has printed is in the list that it gives, line by line."""
    argv = [os.path.join(gateway.bin, "ctl", "srtpgwctl"), "--socket", gateway.control_socket, "monitor", *args]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = []
        reader = threading.Thread(target=appended, args=(lines, process), daemon=True)
        reader.start()
        try:
            yield lines
        finally:
            process.terminate()
            reader.join(20)


def test_an_operator_drains_a_trunk_ends_a_call_and_reads_about_it():
    with talking(b="phone") as (lab, gateway, a, b):
        ident = established(gateway)
        # What happens before the subscription is there is remembered.
        with monitor(gateway, "--since", "2020-01-01T00:00:00Z") as lines:
            assert srtpgwctl(gateway, "drain", "--trunk", "phone") == "1 call remains\n"
            assert "drain" in srtpgwctl(gateway, "show", "trunks")
            wait_for("it is reported", lambda: any("trunk-state-change" in l and "trunk=phone" in l for l in lines))
            srtpgwctl(gateway, "resume", "--trunk", "phone")
            srtpgwctl(gateway, "drain")
            said = warning(gateway, "resume", "--trunk", "phone")
            assert "trunk[name='phone'] still takes no calls: the gateway is being drained" in said, said
            srtpgwctl(gateway, "resume")
            srtpgwctl(gateway, "terminate", ident, "--reason", "no more")
            for x in (a, b):
                x.released()
            srtpgwctl(gateway, "set", "trunks/trunk/phone/max-calls", "3")
            srtpgwctl(gateway, "commit")
            wait_for("the commit is reported", lambda: any("config-applied" in l for l in lines))
        assert "no more" in gateway.ctl("show", "call", ident)["end-reason"]
        assert "there is no such call" in srtpgwctl(gateway, "terminate", "nobody", code=3)
        srtpgwctl(gateway, "reload-certificates")
        shown = srtpgwctl(gateway, "show", "certs")
        assert "20" in shown.splitlines()[1] and "CN" in shown, shown
        first = srtpgwctl(gateway, "monitor", "trunk-state-change", "--since", "2020-01-01T00:00:00Z", "--count", "1")
        assert "trunk=phone" in first, first


def test_filters_and_the_live_view_show_the_call():
    with talking(b="phone") as (_, gateway, a, b):
        ident = established(gateway)
        for words in (("--trunk", "carrier-a"), ("--trunk", "phone"), ("--limit", "1"), ("--all",),
                      ("--state", "established", "--trunk", "phone")):
            assert [c["id"] for c in gateway.ctl("show", "calls", *words)["call"]] == [ident], words
            assert f"\n{ident} " in srtpgwctl(gateway, "show", "calls", *words), words
        assert gateway.ctl("show", "calls", "--state", "ringing").get("call", []) == []
        assert "1 active, 1 since start" in srtpgwctl(gateway, "show", "calls", "--all")
        seen = srtpgwctl(gateway, "watch", "--rounds", "2", "--interval", "0.5")
        assert seen.count(f"\n{ident}  established  a ") == 2 and seen.count(f"\n{ident}  established  b ") == 2, seen
        assert "\x1b" not in seen and "calls  1 now" in seen and "\ncarrier-a  up " in seen, seen
        for what, says in (("listeners", "carriers-tls"), ("media", "ext0"), ("sessions", "root"), ("trunks", "phone")):
            assert says in srtpgwctl(gateway, "show", what), what
        finish(gateway, a, b)
