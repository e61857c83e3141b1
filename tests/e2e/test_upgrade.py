# SPDX-License-Identifier: Apache-2.0
"""The control plane is exchanged in good order: calls go on, and whoever waits for something is told."""

import contextlib
import datetime
import os
import shutil
import signal
import threading

from lab.dtls_agent import DtlsAgent, dtls_carrier
from lab.gateway import GCM_256, Gateway, Neighbourhood, carrier
from lab.net import LabError, wait_for
from lab.party import (NUMBERS, agent, assert_nothing_lost, both_hear, connect, established, finish, parties, rings,
                       talking)
from lab.service import Service

from test_audit import records
from test_browser_users import web
from test_recovery import counters, no_call_left, reinvite


def now():
    """As the audit writes times."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Installed(Gateway):
    """Its programs are copies, so that others may take their place."""

    def program(self, plane):
        copy = self.path(f"srtpgw-{plane}")
        if not os.path.exists(copy):
            shutil.copy(super().program(plane), copy)
        return copy


def install(gateway, source=None):
    """Another file has the program's place, as after an upgrade of the package."""
    path = gateway.program("controlplane")
    shutil.copy(source or path, f"{path}.new")
    os.replace(f"{path}.new", path)
    return os.stat(path).st_ino


def runs(gateway):
    """The file that the process runs."""
    return os.stat(f"/proc/{gateway.controlplane.pid}/exe").st_ino


@contextlib.contextmanager
def restarting(gateway, *options):
    """The command runs in the meantime, and what it says is here at the end."""
    answer = []

    def ask():
        try:
            answer.append(gateway.ctl("restart", *options))
        except LabError as e:
            answer.append(e)

    before = gateway.controlplane.output().count("calls are handed over")
    thread = threading.Thread(target=ask)
    thread.start()
    try:
        wait_for("calls are handed over",
                 lambda: gateway.controlplane.output().count("calls are handed over") > before or not thread.is_alive())
        yield answer
    finally:
        thread.join()


def remaining(answer):
    assert len(answer) == 1 and isinstance(answer[0], dict), answer
    return answer[0]["srtp-gateway:remaining-calls"]


def cancelled(one, offer):
    """His telephone stops ringing."""
    one.respond(one.expect("CANCEL"), 200, "OK")
    one.respond(offer, 487, "Request Terminated")
    one.expect("ACK")


def test_a_new_version_goes_on_with_dtls_and_sdes():
    """Either side hangs up in the end."""
    with Neighbourhood() as lab:
        path = lab.path("audit.jsonl")
        gateway = lab.gateway([dtls_carrier("carrier-a", (GCM_256,)), carrier("carrier-b", lab.ADDRESSES["carrier-b"])],
                              [("carrier-a", "", "carrier-b")], audit={"file": path}, kind=Installed)
        a, b = DtlsAgent(lab, "carrier-a", (GCM_256,)), agent(lab, "carrier-b")
        for by, other in ((a, b), (b, a)):
            a.hang_up_wires()
            a.invite(NUMBERS["carrier-b"])
            b.take()
            a.answered()
            a.secured()
            for one in (a, b):
                one.talker.tell("send", "on")
            both_hear(a, b)
            ident, pid = established(gateway), gateway.controlplane.pid
            before, new = now(), install(gateway)
            assert runs(gateway) != new
            assert gateway.ctl("restart") == {"srtp-gateway:remaining-calls": 1}
            assert runs(gateway) == new and gateway.controlplane.pid == pid and gateway.controlplane.running()
            assert established(gateway) == ident, gateway.ctl("show", "calls")
            assert counters(gateway)["recovered"] == 1
            for one in (a, b):
                one.asked()
            both_hear(a, b, 75)
            assert_nothing_lost(a, b)
            assert not [r for r in records(path, "--call", ident) if r["type"] == "session"], "it is not over"
            over = now()
            by.reconnect()
            by.bye()
            other.released()
            no_call_left(gateway)
            session, = records(path, "--call", ident)
            assert session["status"] == 200, session
            assert session["began"] <= session["answered"] <= before < over <= session["ended"], session
            assert all(k["start"] <= before for leg in session["legs"] for k in leg["keys"]), session
            assert session["legs"][0]["dtls"]["version"].startswith("DTLS"), session
        assert gateway.ctl("show", "stats")["data-plane"]["verdicts"]["clear_refused"] == 0
        gateway.stop()


def test_a_call_that_is_answered_meanwhile_goes_on():
    with parties() as (_, gateway, a, b):
        offer = rings(a, b)
        with restarting(gateway, "--timeout", "60") as answer:
            b.respond(offer, 200, "OK", b.answer_body(offer))
            b.expect("ACK")
            a.answered()
        assert remaining(answer) == 0 and counters(gateway)["recovered"] == 1
        for one in (a, b):
            one.asked()
            one.talker.tell("send", "on")
        both_hear(a, b)
        a.reconnect()
        finish(gateway, a, b)


def test_who_rings_too_long_is_refused_and_may_call_again():
    with parties(b="phone") as (_, gateway, a, b):
        offer = rings(a, b)
        with restarting(gateway, "--timeout", "0") as answer:
            refusal = a.expect(503)
            a.acknowledge(refusal)
            assert refusal.get("Retry-After") == "2" and "restarted" in refusal.get("Warning"), refusal.text
            cancelled(b, offer)
        assert remaining(answer) == 0 and counters(gateway)["recovered"] == 0
        no_call_left(gateway)
        a.hang_up_wires()
        wait_for("the data plane is there", lambda: gateway.controlplane.output().count("data plane is ready") == 2)
        connect(a, b)
        finish(gateway, a, b)


def test_a_change_comes_to_its_end_and_new_calls_are_refused_meanwhile():
    with talking() as (lab, gateway, a, b):
        used, other = a.keys_seen | b.keys_seen, agent(lab, "carrier-a", media_port=31000, port=5071)
        a.reinvite(a.describe())
        offer = b.expect("INVITE")
        with restarting(gateway, "--timeout", "60") as answer:
            other.invite(NUMBERS[b.name])
            refusal = other.expect(503)
            other.acknowledge(refusal)
            assert refusal.get("Retry-After") == "2" and "restarted" in refusal.get("Warning"), refusal.text
            b.respond(offer, 200, "OK", b.answer_body(offer))
            b.expect("ACK")
            said = a.answered()
        assert remaining(answer) == 1
        assert not used & {line[2] for line in offer.crypto() + said.crypto()}, "a key was used again"
        for one in (a, b):
            one.asked()
        both_hear(a, b)
        a.reconnect()
        reinvite(a, b)
        finish(gateway, a, b)


def test_a_start_that_would_fail_is_refused():
    with talking(kind=Installed) as (_, gateway, a, b):
        ident, old = established(gateway), gateway.program("controlplane") + ".old"

        def refused(words):
            try:
                gateway.ctl("restart")
            except LabError as e:
                assert words in str(e), e
            else:
                raise AssertionError("it was not refused")
            assert "calls are handed over" not in gateway.controlplane.output()

        shutil.copy(gateway.program("controlplane"), old)
        install(gateway, "/bin/false")
        refused("would not start")
        install(gateway, old)
        with open(gateway.config_path) as f:
            good = f.read()
        with open(gateway.config_path, "w") as f:
            f.write(good.replace('"carrier-b"', '"carrier-x"', 1))
        refused("carrier-b")
        with open(gateway.config_path, "w") as f:
            f.write(good)
        gateway.ctl("set", f"trunks/trunk/{b.name}/max-calls", "7")
        gateway.ctl("commit", "--confirm", "300")
        refused("a commit waits")
        gateway.ctl("cancel")
        assert established(gateway) == ident
        both_hear(a, b)
        gateway.ctl("restart")
        assert established(gateway) == ident
        for one in (a, b):
            one.asked()
        a.reconnect()
        finish(gateway, a, b)


class Configured(Gateway):
    """Where it keeps calls, finds the data plane and is managed is its configuration's word."""

    def _start(self, plane, *options):
        for option in ("--recovery", "--dataplane", "--control"):
            if option in options:
                at = options.index(option)
                options = (*options[:at], *options[at + 2:])
        return super()._start(plane, *options)


def test_calls_are_not_left_where_the_next_process_does_not_look():
    with Neighbourhood() as lab:
        trunks = [carrier(name, lab.ADDRESSES[name]) for name in ("carrier-a", "carrier-b")]
        gateway = lab.gateway(trunks, [("carrier-a", "", "carrier-b")], recovery={"directory": lab.path("calls")},
                              dataplane={"socket": lab.path("dataplane.sock")}, management={"socket": lab.path("ctl.sock")},
                              kind=Configured)
        a, b = agent(lab, "carrier-a"), agent(lab, "carrier-b")
        connect(a, b)
        ident = established(gateway)
        # What only a start takes up, and the next process would need as it was.
        for leaf, here, other in (("recovery/directory", lab.path("calls"), lab.path("others")),
                                  ("dataplane/socket", lab.path("dataplane.sock"), lab.path("other.sock")),
                                  ("dataplane/workers", "1", "2")):
            gateway.ctl("set", leaf, other)
            gateway.ctl("commit")
            try:
                gateway.ctl("restart")
            except LabError as e:
                for words in ("calls cannot be kept", f"/srtp-gateway:gateway/{leaf}", other, "--calls end"):
                    assert words in str(e), (words, e)
            else:
                raise AssertionError(f"it was not refused: {leaf}")
            said = gateway.controlplane.output().count("this process goes on")
            gateway.controlplane.popen.send_signal(signal.SIGUSR1)
            wait_for("it says so", lambda: gateway.controlplane.output().count("this process goes on") > said)
            assert established(gateway) == ident
            both_hear(a, b)
            gateway.ctl("set", leaf, here)
            gateway.ctl("commit")
        gateway.ctl("set", "dataplane/crypto-backend", "fpga")  # what the data plane was started with goes on
        gateway.ctl("set", "recovery/orphan-grace", "20")
        gateway.ctl("commit")
        # Here the command finds it by itself.
        gateway.ctl("set", "management/socket", lab.path("moved.sock"))
        gateway.ctl("commit")
        assert gateway.ctl("restart") == {"srtp-gateway:remaining-calls": 1, "srtp-gateway:socket": lab.path("moved.sock")}
        gateway.control_socket = lab.path("moved.sock")
        assert established(gateway) == ident
        for one in (a, b):
            one.asked()
        a.reconnect()
        finish(gateway, a, b)


def test_a_restart_may_end_the_calls():
    with talking() as (_, gateway, a, b):
        thread = threading.Thread(target=gateway.ctl, args=("restart", "--calls", "end"))
        thread.start()
        for one in (a, b):
            one.released()
        thread.join()
        no_call_left(gateway)
        assert counters(gateway)["recovered"] == 0 and gateway.controlplane.output().count("main: ready") == 2
        for one in (a, b):
            one.hang_up_wires()
        wait_for("the data plane is there", lambda: gateway.controlplane.output().count("data plane is ready") == 2)
        connect(a, b)
        finish(gateway, a, b)


def test_signals_of_a_service_manager():
    """SIGUSR2: it starts anew. SIGUSR1: it ends, as well as it can, and somebody else starts it. Neither plane is root."""
    with talking(kind=Service) as (_, gateway, a, b):
        ident = established(gateway)
        gateway.controlplane.popen.send_signal(signal.SIGUSR2)
        wait_for("it has started anew", lambda: gateway.controlplane.output().count("main: ready") == 2)
        wait_for("it answers", lambda: established(gateway) == ident)
        for one in (a, b):
            one.asked()
        gateway.controlplane.popen.send_signal(signal.SIGUSR1)
        assert gateway.controlplane.wait(30) == 0
        both_hear(a, b)
        gateway.start_controlplane()
        assert established(gateway) == ident
        for one in (a, b):
            one.asked()
        assert_nothing_lost(a, b)
        b.reconnect()
        b.bye()
        a.released()
        no_call_left(gateway)


def test_a_browser_hears_that_the_gateway_goes_away_and_comes_back():
    with web() as (_, gateway, alice, bob):
        alice.register()
        alice.invite(NUMBERS["carrier-b"])
        bob.take()
        alice.answered()
        for one in (alice, bob):
            one.talker.tell("send", "on")
        both_hear(alice, bob)
        gateway.ctl("restart")
        assert alice.closed() == 1001  # going away, and not that the connection broke
        bob.asked()
        alice.register()
        both_hear(alice, bob)
        bob.reconnect()
        bob.bye()
        alice.released()
        no_call_left(gateway)


def test_a_kill_in_the_middle_is_a_kill():
    with parties() as (_, gateway, a, b):
        connect(a, b)
        ident = established(gateway)
        a.reinvite(a.describe())
        offer = b.expect("INVITE")
        with restarting(gateway, "--timeout", "60") as answer:
            gateway.kill(gateway.controlplane)
            gateway.start_controlplane()
        assert len(answer) == 1 and established(gateway) == ident, (answer, gateway.ctl("show", "calls"))
        assert offer and counters(gateway)["recovered"] == 1
        for one in (a, b):
            one.asked()
        both_hear(a, b)
        b.reconnect()
        b.bye()
        a.released()
        no_call_left(gateway)


def test_an_end_in_the_middle_is_an_end():
    with parties() as (_, gateway, a, b):
        connect(a, b)
        a.reinvite(a.describe())
        b.expect("INVITE")
        with restarting(gateway, "--timeout", "60"):
            gateway.controlplane.popen.send_signal(signal.SIGTERM)
            b.released()
            assert gateway.controlplane.wait(30) == 0
            gateway.start_controlplane()
        no_call_left(gateway)
        assert counters(gateway)["recovered"] == 0


def test_an_end_between_the_two_processes_is_heard_by_the_next():
    with talking() as (_, gateway, a, b):
        gateway.controlplane.popen.send_signal(signal.SIGUSR2)
        wait_for("the first has ended", lambda: "main: ended" in gateway.controlplane.output())
        gateway.controlplane.popen.send_signal(signal.SIGTERM)
        for one in (a, b):
            one.released()
        assert gateway.controlplane.wait(30) == 0
        gateway.start_controlplane()
        no_call_left(gateway)


def test_an_end_that_keeps_calls_in_the_middle_of_a_restart_is_an_end():
    """As by a service manager with KillSignal=SIGUSR1."""
    with parties() as (_, gateway, a, b):
        connect(a, b)
        ident = established(gateway)
        a.reinvite(a.describe())
        offer = b.expect("INVITE")
        with restarting(gateway, "--timeout", "60"):
            gateway.controlplane.popen.send_signal(signal.SIGUSR1)
            b.respond(offer, 200, "OK", b.answer_body(offer))
            b.expect("ACK")
            a.answered()
            assert gateway.controlplane.wait(30) == 0
            gateway.start_controlplane()
        assert established(gateway) == ident
        for one in (a, b):
            one.asked()
        a.reconnect()
        finish(gateway, a, b)


# The signal is there before the program.
ASKED_BEFORE = """import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
os.kill(os.getpid(), signal.SIGUSR1)
os.execv(sys.argv[1], sys.argv[1:])"""


def test_an_end_that_keeps_calls_is_heard_by_a_process_that_begins():
    with talking() as (_, gateway, a, b):
        ident = established(gateway)
        with open(f"/proc/{gateway.controlplane.pid}/cmdline") as f:
            argv = f.read().split("\0")[:-1]
        gateway.controlplane.popen.send_signal(signal.SIGUSR1)
        assert gateway.controlplane.wait(30) == 0
        asked = gateway.host.start("asked", "python3", "-c", ASKED_BEFORE, *argv)
        assert asked.wait(30) == 0, asked.output()
        assert "calls are handed over" in asked.output(), asked.output()
        gateway.start_controlplane()
        assert established(gateway) == ident
        for one in (a, b):
            one.asked()
        a.reconnect()
        finish(gateway, a, b)
