# SPDX-License-Identifier: Apache-2.0
"""A second machine: it has the calls of the first, and takes them over with its addresses when that is gone."""

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import time

from lab.dtls_agent import DtlsAgent, dtls_carrier
from lab.gateway import CM_80, GCM_256, INSIDE, INSIDE6, OUTSIDE, OUTSIDE6, Gateway, Neighbourhood, build_dir, carrier, core
from lab.journal import newest, registrations
from lab.net import wait_for
from lab.party import NUMBERS, agent, both_hear, connect, finish

from test_audit import ctl, records
from test_media import hold_and_resume
from test_metrics import DOCS
from test_outages import heard_with_new_keys_only, opened, take_new_keys
from test_recovery import counters, reinvite, saved_now
import test_registrations as phones


def program():
    return os.path.join(build_dir(), "controlplane", "standby", "srtpgw-standby")


class Standby:
    """The second machine: on the same wires without the addresses, with the same configuration."""

    def __init__(self, lab, gateway, config):
        self.lab, self.active, self.config = lab, gateway, config
        self.host = lab.host("gw2")
        self.calls = lab.path("gw2-calls")
        for interface, network in (("ext0", "outside"), ("core0", "inside")):
            lab.wire(self.host, network, interface)
        self.streams, self.warm = 0, None

    def begin(self):
        """The stream; a pipe stands for ssh."""
        self.streams += 1
        read, write = os.pipe()
        try:
            self.sender = self._end(self.active.host, "send", self.active.path("calls"), stdout=write)
            self.receiver = self._end(self.host, "receive", self.calls, stdin=read)
        finally:
            os.close(read)
            os.close(write)

    def _end(self, host, verb, folder, **fds):
        log = open(self.lab.path(f"standby-{verb}-{self.streams}.log"), "wb")
        popen = subprocess.Popen(["ip", "netns", "exec", host.netns, program(), verb, "--recovery", folder],
                                 stderr=log, start_new_session=True, **{"stdin": subprocess.DEVNULL, **fds})
        log.close()
        self.lab.processes.append(End(popen))
        return popen

    def said(self, verb):
        with open(self.lab.path(f"standby-{verb}-{self.streams}.log"), errors="replace") as f:
            return f.read()

    def status(self):
        done = subprocess.run([program(), "status", "--recovery", self.calls], stdout=subprocess.PIPE, text=True, timeout=20)
        return done.returncode, done.stdout.strip()

    def metrics(self):
        """What the textfile collector would read: its text, and the samples."""
        done = subprocess.run([program(), "status", "--prometheus", "--recovery", self.calls], stdout=subprocess.PIPE, text=True,
                              timeout=20)
        assert done.returncode == 0, done
        return done.stdout, {name: float(value) for name, value in
                             (line.split() for line in done.stdout.splitlines() if not line.startswith("#"))}

    def in_step(self):
        wait_for("the standby is in step", lambda: self.status()[0] == 0)
        saved_now(self.active)
        wait_for("everything is there", lambda: newest(self.active.path("calls")) == newest(self.calls))

    def take_addresses(self):
        """As keepalived does: the addresses, and who has them now."""
        for interface, addresses in (("ext0", (f"{OUTSIDE}/24", f"{OUTSIDE6}/64")), ("core0", (f"{INSIDE}/24", f"{INSIDE6}/64"))):
            for address in addresses:
                self.host.ip("addr", "add", address, "dev", interface, *(["nodad"] if ":" in address else []))
        for interface, names in (("ext0", ("carrier-a", "carrier-b", "carrier-c")), ("core0", ("phone",))):
            mac = json.loads(self.host.ip("-j", "link", "show", interface))[0]["address"]
            ours = (OUTSIDE, OUTSIDE6) if interface == "ext0" else (INSIDE, INSIDE6)
            for name in names:
                for address in ours:
                    self.lab.host(name).ip("neigh", "replace", address, "lladdr", mac, "dev", "eth0", "nud", "reachable")

    def take_over(self):
        """The addresses; then as the notify script does: no receiver, both planes."""
        self.take_addresses()
        assert self.end() in (0, 3), self.said("receive")
        if not self.warm:
            return Gateway(self.host, self.config)
        self.warm.start_controlplane()
        return self.warm

    def warm_up(self):
        self.warm = Warm(self.host, self.config)

    def end(self):
        self.receiver.terminate()
        return self.receiver.wait(30)


class Warm(Gateway):
    """The data plane runs before there is anything for it; start_controlplane() comes when it is needed."""

    def __init__(self, *args, **kw):
        self.warm = True
        super().__init__(*args, **kw)

    def start_controlplane(self):
        if self.warm:
            self.warm = False
        else:
            super().start_controlplane()


class End:
    """An end of the stream, for the laboratory to clear away."""

    def __init__(self, popen):
        self.popen = popen

    def stop(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait(5)


@contextlib.contextmanager
def machines(trunks, routes, **more):
    """(lab, the first gateway, the standby, which receives)."""
    with Neighbourhood() as lab:
        config = lab.configuration(trunks(lab), routes, audit={"file": lab.path("first.jsonl")}, **more)
        first = Gateway(lab.gateway_host, config)
        second = json.loads(json.dumps(config))
        second["srtp-gateway:gateway"]["audit"]["file"] = lab.path("second.jsonl")
        standby = Standby(lab, first, second)
        standby.begin()
        yield lab, first, standby


def sdes_trunks(lab):
    return [carrier("carrier-a", lab.ADDRESSES["carrier-a"], (CM_80,)),
            carrier("carrier-b", lab.ADDRESSES["carrier-b"], (GCM_256,)), core("phone", lab.ADDRESSES["phone"])]


SDES_ROUTES = [("carrier-a", "+4930", "phone"), ("carrier-a", "+4940", "carrier-b"), ("phone", "+49", "carrier-a"),
               ("carrier-b", "+49", "carrier-a")]


def lose(lab, gateway):
    """The whole machine: both planes at once, and its cables."""
    for process in (gateway.controlplane, gateway.dataplane):
        gateway.kill(process)
    for interface in ("ext0", "core0"):
        gateway.host.ip("link", "set", interface, "down")


def assert_no_piece_of(keys, folder):
    kept = b""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        assert os.stat(path).st_mode & 0o077 == 0, name
        with open(path, "rb") as f:
            kept += f.read()
    for key in keys:
        octets = base64.b64decode(key)
        assert key[:16].encode() not in kept and octets[:8] not in kept and octets[8:16] not in kept, "a piece of a key"


def test_calls_go_on_at_the_second_machine():
    with machines(sdes_trunks, SDES_ROUTES) as (lab, first, standby):
        a, b = agent(lab, "carrier-a"), agent(lab, "phone")
        connect(a, b)
        standby.in_step()
        code, said = standby.status()
        assert code == 0 and said.startswith("in step since "), said
        assert_no_piece_of(a.keys_seen, standby.calls)
        lose(lab, first)
        before = opened(a, b)
        second = standby.take_over()
        assert counters(second)["recovered"] == 1
        take_new_keys(a)
        both_hear(a, b)
        heard_with_new_keys_only(a, b, before)
        a.reconnect()
        hold_and_resume(a, b)
        reinvite(a, b)
        finish(second, a, b)
        second.stop()
        done = ctl("verify", lab.path("second.jsonl"))
        assert done.returncode == 0, (done.stdout, done.stderr)
        session, = [r for r in records(lab.path("second.jsonl")) if r["type"] == "session"]
        leg = session["legs"][0]
        assert session["status"] == 200 and leg["trunk"] == "carrier-a" and leg["suite"] == CM_80, session
        assert [k["cause"] for k in leg["keys"]][:2] == ["setup", "data-plane"], leg
        assert not [r for r in records(lab.path("first.jsonl")) if r["type"] == "session"]  # it ended elsewhere


def test_a_secure_call_between_two_carriers_and_what_ended_before():
    """A data plane waits for it; both legs get new keys, and a call that ended before is not taken over."""
    with machines(sdes_trunks, SDES_ROUTES) as (lab, first, standby):
        standby.warm_up()
        a, b = agent(lab, "carrier-a"), agent(lab, "carrier-b", (GCM_256,))
        connect(a, b)
        standby.in_step()
        finish(first, a, b)
        wait_for("the standby knows that it ended", lambda: not newest(standby.calls))
        for one, port in ((a, 34000), (b, 35000)):
            one.talker.bind(port)
            one.talker.tell("source")
        connect(a, b)
        standby.in_step()
        lose(lab, first)
        before = {x: opened(x, y) for x, y in ((a, b), (b, a))}
        second = standby.take_over()
        assert counters(second)["recovered"] == 1
        for one in (a, b):
            take_new_keys(one)
        both_hear(a, b)
        for x, y in ((a, b), (b, a)):
            heard_with_new_keys_only(x, y, before[x])
        b.reconnect()
        b.bye()
        a.released(20)
        wait_for("no call is left", lambda: second.ctl("show", "calls")["active"] == 0)
        assert second.ctl("show", "stats")["data-plane"]["verdicts"]["clear_refused"] == 0
        second.stop()


def test_dtls_calls_go_on_with_new_associations():
    trunks = lambda lab: [dtls_carrier("carrier-a", (GCM_256,)), core("phone", lab.ADDRESSES["phone"])]
    with machines(trunks, [("carrier-a", "", "phone"), ("phone", "", "carrier-a")]) as (lab, first, standby):
        a, b = DtlsAgent(lab, "carrier-a", (GCM_256,)), agent(lab, "phone")
        a.invite(NUMBERS["phone"])
        b.take()
        a.answered()
        a.secured()
        for one in (a, b):
            one.talker.tell("send", "on")
        both_hear(a, b)
        standby.in_step()
        used = set(a.keys_seen)
        lose(lab, first)
        second = standby.take_over()
        a.take(30)
        a.secured()
        assert len(a.keys_seen - used) == 2, "a key was used again"
        both_hear(a, b)
        a.reconnect()
        finish(second, a, b)
        second.stop()


def test_registered_phones_are_called_at_the_second_machine():
    """Over UDP, and by TCP where the phone listens; one with a connection of its own when it has registered again."""
    with machines(phones.trunks, phones.ROUTES, listeners=phones.LISTENERS, users=phones.accounts()) as (lab, first, standby):
        bob = agent(lab, "carrier-b")
        desk, shop, home = phones.registered(lab, first)
        wait_for("the standby has them", lambda: standby.status()[0] == 0 and len(registrations(standby.calls)) == 3)
        standby.end()
        standby.begin()
        wait_for("it is in step again", lambda: standby.status()[0] == 0)
        assert "0 calls and 3 registrations copied" in standby.status()[1], standby.status()
        home.hang_up_wires()
        wait_for("it has left", lambda: "registration ended" in first.controlplane.output())
        home.register()
        phones.are_kept(first, 3)
        wait_for("the standby knows where it is now", lambda: registrations(standby.calls) == registrations(first.path("calls")))
        lose(lab, first)
        second = standby.take_over()
        assert counters(second)["users-restored"] == 3
        bob.hang_up_wires()
        for one in (desk, shop):
            one.hang_up_wires()
            phones.rings(bob, one)
        phones.is_not_there(bob, "home")
        home.hang_up_wires()
        home.register()
        phones.rings(bob, home)
        second.stop()


def test_the_active_control_plane_starts_again_under_the_stream():
    with machines(sdes_trunks, SDES_ROUTES) as (lab, first, standby):
        a, b = agent(lab, "carrier-a"), agent(lab, "phone")
        connect(a, b)
        standby.in_step()
        for _ in range(3):
            saved_now(first)
            first.kill(first.controlplane)
            first.start_controlplane()
            assert counters(first)["recovered"] == 1
            a.asked()
            b.asked()
        assert standby.receiver.poll() is None and standby.sender.poll() is None, (standby.said("send"), standby.said("receive"))
        standby.in_step()
        assert len(newest(standby.calls)) == 1
        a.reconnect()
        reinvite(a, b)
        standby.in_step()
        lose(lab, first)
        second = standby.take_over()
        take_new_keys(a)
        both_hear(a, b)
        a.reconnect()
        finish(second, a, b)
        second.stop()


def test_a_control_plane_does_not_start_without_the_calls_while_they_are_received():
    with machines(sdes_trunks, SDES_ROUTES) as (lab, first, standby):
        wait_for("the standby is in step", lambda: standby.status()[0] == 0)
        text, figures = standby.metrics()
        assert (figures["srtpgw_standby_receiving"], figures["srtpgw_standby_in_step"]) == (1, 1), text
        assert time.time() - 60 < figures["srtpgw_standby_state_change_timestamp_seconds"] <= time.time(), text
        with open(os.path.join(DOCS, "operations.md")) as f:
            named = set(re.findall(r"srtpgw_standby_[a-z_]+", f.read()))
        assert named and named <= set(figures), named - set(figures)
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=60)
            assert done.returncode == 0 and not done.stdout.strip(), done.stdout
        lose(lab, first)
        standby.take_addresses()
        argv = ["ip", "netns", "exec", standby.host.netns, first.program("controlplane"), "--config", first.config_path,
                "--dataplane", lab.path("none.sock"), "--control", lab.path("other.sock"), "--recovery", standby.calls]
        done = subprocess.run(argv, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, timeout=60)
        place = f"/srtp-gateway:gateway/recovery/directory: {standby.calls}"
        said = (done.returncode, done.stderr)
        assert done.returncode == 1 and place in done.stderr and "in use by srtpgw-standby, process" in done.stderr, said
