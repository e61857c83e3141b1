# SPDX-License-Identifier: Apache-2.0
"""The programs as an operator meets them: wrong usage, what logs hold, what an interrupted demo leaves behind."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid

from lab.gateway import Neighbourhood, build_dir, carrier, core
from lab.net import PATIENCE, run, wait_for
from lab.party import connect, finish, parties
from lab.state import shown

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def ends(argv, code, pattern, lines=1, host=None, **kw):
    """The program ends with this code and says this, in one line unless told otherwise."""
    where = ["ip", "netns", "exec", host.netns] if host else []
    done = subprocess.run([*where, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          text=True, timeout=30, **kw)
    said = done.stderr.strip().splitlines()
    assert done.returncode == code and re.search(pattern, done.stderr), (argv, done.returncode, done.stderr)
    assert lines is None or len(said) <= lines, (argv, said)


def test_wrong_usage_is_one_line_and_an_exit_code():
    build = build_dir()
    dataplane = os.path.join(build, "dataplane", "srtpgw-dataplane")
    controlplane = os.path.join(build, "controlplane", "srtpgw-controlplane")
    ctl = os.path.join(build, "ctl", "srtpgwctl")
    netconf = os.path.join(build, "controlplane", "netconf", "srtpgw-netconf")
    ends([dataplane], 2, "--interface is needed", 2)
    ends([dataplane, "--interface", "eth0"], 2, "--socket is needed", 2)
    ends([dataplane, "--interface", "eth0", "--socket", "x", "--port", "carrier-pigeon"], 2, "carrier-pigeon", 2)
    ends([dataplane, "--interface", "eth0", "--socket", "x", "--workers", "-1"], 2, "--workers", 2)
    ends([dataplane, "--nonsense"], 2, "--nonsense", 2)
    ends([controlplane], 2, "--config is needed", 2)
    ends([controlplane, "--nonsense"], 2, "unknown option '--nonsense'.*--help")
    ends([controlplane, "-x", "--config", "y"], 2, "unknown option '-x'.*--help")
    ends([controlplane, "--config"], 2, "--config needs a value.*--help")
    standby = os.path.join(build, "controlplane", "standby", "srtpgw-standby")
    ends([standby], 2, "send, receive or status.*--help")
    ends([standby, "watch"], 2, "watch.*--help")
    ends([standby, "receive", "--silence", "0"], 2, "--silence")
    ends([standby, "receive", "--recovery", "/nowhere"], 3, "the stream never began")
    ends([netconf, "--nonsense"], 2, "--nonsense.*--help")
    ends([controlplane, "--config", "/nowhere/at/all.json"], 3, "/nowhere/at/all.json")
    ends([controlplane, "--config", "x", "--log-level", "loud"], 2, "loud")
    ends([ctl, "show", "nonsense"], 2, "nonsense.*--help")
    ends([ctl], 2, "no command.*--help")
    ends([ctl, "--nonsense"], 2, "--nonsense.*--help")
    ends([ctl, "--socket", "/nowhere/ctl.sock", "show", "calls"], 4, "/nowhere/ctl.sock")
    ends([os.path.join(TOP, "scripts", "gateway")], 2, "--config is needed")
    # Nothing is installed or built for a demo that would not run, nor for a test of nothing.
    for words, says in ((["--nonsense"], "'--nonsense'"), (["--seconds"], "--seconds"), (["--seconds", "x"], "--seconds"),
                        (["--port", "x"], "--port"), (["--backend", "x"], "--backend"), (["--keep", "x"], "'x'")):
        ends([os.path.join(TOP, "scripts", "demo"), *words], 2, f"{says}.*--help")
    ends([os.path.join(TOP, "scripts", "test"), "--only"], 2, "^scripts/test: --only needs a group")
    ends([os.path.join(TOP, "scripts", "bench"), "--minutes", "x"], 2, "^scripts/bench: --minutes needs a number")
    ends([os.path.join(TOP, "scripts", "gateway"), "--nonsense"], 2, "--nonsense", None)
    for program in (dataplane, controlplane, ctl, netconf, standby):
        assert "usage" in run(program, "--help") and re.search(r"\d+\.\d+", run(program, "--version"))


def test_a_configuration_that_its_user_may_not_read_is_told_so():
    """As root wrote it: mode 0600, and the service is another user."""
    with Neighbourhood() as lab:
        with open(lab.path("c.json"), "w") as f:
            json.dump(lab.configuration([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], []), f)
        ends(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
              os.path.join(build_dir(), "controlplane", "srtpgw-controlplane"), "--check", "--config", lab.path("c.json")], 3,
             f"{lab.path('c.json')}: cannot be opened: Permission denied: user 'nobody'.* has to be able to read it")


def test_a_data_plane_that_cannot_have_what_it_needs():
    with Neighbourhood() as lab:
        dataplane = os.path.join(build_dir(), "dataplane", "srtpgw-dataplane")

        def start(*argv):
            return [dataplane, "--log-level", "error", "--no-huge", *argv]

        ends(start("--interface", "missing0", "--socket", lab.path("dp.sock")), 3, "missing0", host=lab.gateway_host)
        ends(start("--interface", "ext0", "--socket", lab.path("dp.sock"), "--group", "no-such-group"), 4,
             "no group 'no-such-group': groupadd", host=lab.gateway_host)
        lab.gateway_host.exec("ip", "link", "add", "down0", "type", "veth", "peer", "name", "down1")
        for lacks in ("NET_ADMIN", "NET_RAW", "IPC_LOCK"):
            without = ["prlimit", "--memlock=65536", "setpriv", f"--bounding-set=-{lacks.lower()}", f"--inh-caps=-{lacks.lower()}"]
            ends([*without, *start("--interface", "ext0", "--socket", lab.path("dp.sock"))], 3, f"lacks CAP_{lacks}: ", None,
                 host=lab.gateway_host)
            # Nor does it say so of what has another cause.
            ends([*without, *start("--interface", "down0", "--socket", lab.path("dp.sock"))], 3, "(?s)^(?!.*lacks).*'down0' is down", None,
                 host=lab.gateway_host)
        ends(start("--interface", "ext0", "--socket", lab.path("no", "such", "dp.sock")), 4, "no/such/dp.sock",
             host=lab.gateway_host)
        assert not os.path.exists(lab.path("dp.sock"))
        gateway = lab.gateway([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], [(None, "+49", "core")])
        ends(start("--interface", "core0", "--socket", lab.path("dp.sock")), 3, "core0.*in use", host=lab.gateway_host)
        ends(start("--interface", "eth0", "--socket", gateway.media_socket), 4, re.escape(gateway.media_socket),
             host=lab.host("carrier-c"))
        assert gateway.ctl("show", "stats")["data-plane"]["connected"]  # the one that runs is not disturbed
        gateway.stop()
        leftovers = lab.gateway_host.exec("ip", "link", "show", "dev", "ext0")
        assert "xdp" not in leftovers, leftovers


def test_the_script_that_runs_both_planes():
    """Options of the data plane reach it; its folder is open to those whom a socket is open to, and one that is there is not touched."""
    with Neighbourhood() as lab:
        config = lab.configuration([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], [(None, "+49", "core")])
        with open(lab.path("config.json"), "w") as f:
            json.dump(config, f)
        os.mkdir(lab.path("there"), 0o711)
        for folder, mode in (("there", 0o711), ("made", 0o755)):
            script = lab.gateway_host.start(
                f"script-{folder}", os.path.join(TOP, "scripts", "gateway"), "--config", lab.path("config.json"),
                "--interface", "ext0", "--interface", "core0", "--run", lab.path(folder), "--no-huge", "--sessions", "77",
                env={"SRTPGW_BUILD": build_dir()})
            wait_for("both planes are up", lambda: "sessions_max=77" in script.output())
            assert os.stat(lab.path(folder)).st_mode & 0o7777 == mode, oct(os.stat(lab.path(folder)).st_mode)
            assert script.stop(grace=20) == 0, script.output()[-1500:]


def test_what_signalling_is_measured_with_is_a_configuration():
    """A rule that comes to the model later is not the first to refuse what scripts/bench starts an hour into its run."""
    sys.path.insert(0, os.path.join(TOP, "perf"))
    import sip_bed

    with Neighbourhood() as lab:
        trunks, routes, more = sip_bed.configuration(lab)
        with open(lab.path("bench.json"), "w") as f:
            json.dump(lab.configuration(trunks, routes, **more), f)
        checked = run(os.path.join(build_dir(), "controlplane", "srtpgw-controlplane"), "--check", "--config", lab.path("bench.json"))
        assert ": ok: 2 trunks" in checked, checked


def test_a_check_says_what_is_not_there_but_not_what_the_start_makes():
    with Neighbourhood() as lab:
        tree = lab.configuration([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], [(None, "+49", "core")])
        top = tree["srtp-gateway:gateway"]
        check = [os.path.join(build_dir(), "controlplane", "srtpgw-controlplane"), "--check", "--config", lab.path("c.json")]
        for socket, warned in ((None, False), ("/run/no-such/ctl.sock", False), ("/nowhere/ctl.sock", True)):
            if socket:
                top["management"] = {"socket": socket}
            top["media"]["interface"][0]["device"] = "no-such-if0"
            with open(lab.path("c.json"), "w") as f:
                json.dump(tree, f)
            said = run(*check)
            assert "there is no network interface 'no-such-if0'" in said and ": ok: 2 trunks" in said, said
            assert ("management/socket" in said) == warned, (socket, said)


def test_a_check_says_what_peers_may_not_like_of_certificates():
    with Neighbourhood() as lab:
        tree = lab.configuration([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], [(None, "+49", "core")])
        profiles = tree["srtp-gateway:gateway"]["tls-profiles"]["tls-profile"]
        expired, key, _ = lab.ca.issue("expired", days=-1)
        check = [os.path.join(build_dir(), "controlplane", "srtpgw-controlplane"), "--check", "--config", lab.path("c.json")]

        def write():
            with open(lab.path("c.json"), "w") as f:
                json.dump(tree, f)

        def said():
            write()
            return run(*check)
        assert " warn  tls: " not in said() and ": ok: 2 trunks" in said(), said()
        profiles[0]["trust-bag"] = expired
        profiles.append({**profiles[0], "name": "spare", "trust-bag": lab.ca.cert})
        lines = [line for line in said().splitlines() if " warn  tls: " in line]
        assert any("every certificate in the trust bag has expired" in line and "tls_profile=gateway" in line and expired in line
                   for line in lines), lines
        assert any("nobody uses it, and it expires" in line and "tls_profile=spare" in line for line in lines), lines
        profiles[1] |= {"certificate": expired, "private-key": key}
        write()
        ends(check, 3, "tls-profile\\[name='spare'\\]/certificate: .*the certificate has expired", lines=None)


def test_a_socket_that_is_another_is_said_to_be():
    with parties() as (lab, gateway, *_):
        ctl = os.path.join(gateway.bin, "ctl", "srtpgwctl")
        netconf = os.path.join(gateway.bin, "controlplane", "netconf", "srtpgw-netconf")
        for path, what in ((gateway.config_path, "is not a socket"), (lab.dir, "is a folder, not a socket"),
                           (os.path.join(gateway.config_path, "x"), "a part of it is not a folder"),
                           (gateway.media_socket, "is a socket of another kind")):
            ends([ctl, "--socket", path, "show", "calls"], 4, f"{path}: .*{what}.*: --socket takes .*management/socket")
            ends([netconf, "--socket", path], 4, f"{path}: .*{what}.*: --socket takes .*management/socket")
        # Nor does a plane take the place of the other one's.
        ends([gateway.program("dataplane"), "--interface", "eth0", "--no-huge", "--log-level", "error", "--socket", gateway.control_socket],
             4, f"another process listens at '{gateway.control_socket}'", host=lab.host("carrier-c"))
        with open(gateway.config_path) as f:
            config = json.load(f)
        for n, listener in enumerate(config["srtp-gateway:gateway"]["sip"]["listener"]):
            listener["port"] = 6000 + n
        with open(lab.path("other.json"), "w") as f:
            json.dump(config, f)
        ends([gateway.program("controlplane"), "--config", lab.path("other.json"), "--control", gateway.media_socket,
              "--recovery", lab.path("other-calls")], 1, "another program answers there", None, host=lab.gateway_host)
        assert gateway.ctl("show", "stats")["data-plane"]["connected"]


def started_as(pid):
    """The process's command line and environment, as it was started last."""
    def fields(name):
        with open(f"/proc/{pid}/{name}", "rb") as f:
            return f.read().decode().split("\0")[:-1]

    return fields("cmdline"), fields("environ")


def test_the_control_plane_asks_for_large_pages_by_a_second_start():
    ours, theirs = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1", "GLIBC_TUNABLES=glibc.malloc.hugetlb=0"
    with Neighbourhood() as lab:
        gateway = lab.gateway([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], [(None, "+49", "core")])
        gateway.kill(gateway.controlplane)
        argv = [gateway.program("controlplane"), "--config", gateway.config_path, "--dataplane", gateway.media_socket,
                "--control", gateway.control_socket, "--recovery", gateway.path("calls of today"), "--log-json"]
        for environment, wanted in ((["-u", "GLIBC_TUNABLES"], ours), ([theirs], theirs)):
            process = gateway.host.start(f"with-{len(environment)}", "env", *environment, "MARK=two words", *argv)
            wait_for("it is ready", lambda p=process: '"ready"' in p.output())
            words, variables = started_as(process.popen.pid)
            assert words == argv and "MARK=two words" in variables, (words, variables)
            assert [v for v in variables if v.startswith("GLIBC_TUNABLES=")] == [wanted], variables
            assert process.output().count('"ready"') == 1, process.output()
            assert process.stop() == 0, process.output()
        checked = run("env", "-u", "GLIBC_TUNABLES", argv[0], "--config", gateway.config_path, "--check")
        assert re.fullmatch(r"\S+: ok: 2 trunks, .*", checked.splitlines()[-1]), checked


def elsewhere(gateway, name, change=lambda tree: None):
    """The configuration of a gateway, with other SIP ports, in a file of its own, and a control plane started with it."""
    with open(gateway.config_path) as f:
        config = json.load(f)
    for n, listener in enumerate(config["srtp-gateway:gateway"]["sip"]["listener"]):
        listener["port"] = 6000 + n
    change(config["srtp-gateway:gateway"])
    with open(gateway.path(f"{name}.json"), "w") as f:
        json.dump(config, f)
    return gateway.host.start(name, gateway.program("controlplane"), "--config", gateway.path(f"{name}.json"),
                              "--dataplane", gateway.media_socket, "--control", gateway.path(f"{name}.sock"),
                              "--recovery", gateway.path(f"{name}-calls"))


def test_a_second_control_plane_takes_nothing_from_the_first():
    with parties() as (_, gateway, a, b):
        connect(a, b)
        second = elsewhere(gateway, "second")
        wait_for("the second one is refused", lambda: "end it first" in second.output())
        argv = [os.path.join(gateway.bin, "ctl", "srtpgwctl"), "--socket", gateway.path("second.sock"), "--json"]

        def tries():
            return shown("stats", json.loads(run(*argv, "show", "stats")))["data-plane"]["control"]["connects"]

        wait_for("it has tried again and again", lambda: tries() >= 4)
        said = [line for line in second.output().splitlines() if "data plane" in line and "error" in line]
        assert len(said) == 1 and "another control plane is connected: end it first" in said[0], second.output()
        assert second.stop() == 0, second.output()
        assert gateway.ctl("show", "stats")["data-plane"]["control"]["disconnects"] == 0, gateway.controlplane.output()
        finish(gateway, a, b)


def header(message, version):
    """A message of the planes, as one of this version says it (lib/msg/dp_msg.h)."""
    return version.to_bytes(2, sys.byteorder) + message[2:]


def test_planes_of_different_versions_say_so_once():
    """An upgrade may leave a plane beside a newer one: each asks again and again, and says once what to do."""
    with Neighbourhood() as lab:
        gateway = lab.gateway([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], [(None, "+49", "core")])
        gateway.kill(gateway.controlplane)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(lab.path("older.sock"))
            listener.listen()
            listener.settimeout(PATIENCE)
            process = gateway.host.start("newer", gateway.program("controlplane"), "--config", gateway.config_path,
                                         "--dataplane", lab.path("older.sock"), "--control", gateway.control_socket,
                                         "--recovery", gateway.path("calls"))
            for _ in range(5):
                peer, _ = listener.accept()
                with peer:
                    hello = peer.recv(65536)
                    version = int.from_bytes(hello[:2], sys.byteorder)
                    peer.send(header(hello, version - 1))
                    assert not peer.recv(65536), "it goes, and comes again"
        said = [line for line in process.output().splitlines() if "different versions" in line]
        assert len(said) == 1 and "start the data plane again" in said[0], process.output()
        assert "malformed" not in process.output() and "connection to the data plane lost" not in process.output()
        assert process.stop() == 0, process.output()
        for _ in range(5):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as newer:
                newer.settimeout(PATIENCE)
                newer.connect(gateway.media_socket)
                newer.send(header(hello, version + 1))
                assert newer.recv(65536)[:2] == hello[:2], "who asks is told the version that would be understood"
                assert not newer.recv(65536)
        said = [line for line in gateway.dataplane.output().splitlines() if "version" in line]
        assert len(said) == 1 and "start the data plane again" in said[0], gateway.dataplane.output()
        gateway.start_controlplane()


def test_sighup_ends_neither_plane_not_even_at_the_start():
    with Neighbourhood() as lab:
        gateway = lab.gateway([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], [(None, "+49", "core")])
        gateway.dataplane.popen.send_signal(signal.SIGHUP)
        gateway.kill(gateway.controlplane)
        process = elsewhere(gateway, "early")
        wait_for("it has begun to start", lambda: "DTLS 1.3" in process.output())
        while ": ready" not in process.output() and process.running():
            process.popen.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        process.popen.send_signal(signal.SIGHUP)
        wait_for("the file is read again", lambda: "main: reloaded" in process.output() or not process.running())
        wait_for("the planes are together",
                 lambda: "data plane is ready" in process.output() or not process.running())
        assert process.stop() == 0, process.output()
        assert gateway.dataplane.running()


def test_no_key_of_a_call_is_in_a_log():
    with parties(log_level="debug") as (_, gateway, a, b):
        connect(a, b)
        a.reinvite(a.describe())
        b.take()
        a.answered()
        keys = a.keys_seen | b.keys_seen
        finish(gateway, a, b)
        for process in (gateway.controlplane, gateway.dataplane):
            log = process.output().lower()
            for key in keys:
                octets = base64.b64decode(key)
                # A piece is a leak too: 8 octets in hexadecimal, 12 characters of base64.
                pieces = {octets[i:i + 8].hex() for i in range(len(octets) - 7)}
                pieces |= {key.lower()[i:i + 12] for i in range(0, len(key) - 12, 4)}
                assert not [p for p in pieces if p in log], f"{process.name} logged a key"
            assert "inline:" not in log
        assert "+4989100" in gateway.controlplane.output(), "the call itself is in the log"
        assert len(keys) >= 8, "keys of both sides, of the call and of the re-INVITE"


class Demo:
    """scripts/demo behind its build, in a temporary folder of its own, its processes marked by their environment."""

    def __init__(self, lab, *options):
        self.mark, self.tmp = f"DEMO_MARK={uuid.uuid4().hex}", lab.path("demo-tmp")
        os.makedirs(self.tmp, exist_ok=True)
        name, value = self.mark.split("=")
        self.process = lab.start(None, "demo", sys.executable, os.path.join(TOP, "scripts", "lib", "demo.py"), *options,
                                 env={name: value, "TMPDIR": self.tmp}, cwd=TOP)
        self.tag = f"sgw{self.process.pid}"

    def marked(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if self.mark.encode() in f.read().split(b"\0"):
                        found.append(int(pid))
            except OSError:
                pass  # it ended meanwhile
        return found

    def namespaces(self):
        return [n for n in os.listdir("/run/netns") if n.startswith(self.tag)]

    def assert_gone(self):
        assert not self.marked(), [run("ps", "-o", "args=", "-p", p, check=False) for p in self.marked()]
        assert not self.namespaces(), self.namespaces()
        assert not os.listdir(self.tmp), os.listdir(self.tmp)


def test_an_interrupted_demo_leaves_nothing_behind():
    with Neighbourhood() as lab:
        demo = Demo(lab, "--seconds", "8")
        wait_for("the first call is up", lambda: re.search(r"carrier-a .*\bestablished\b|AES_CM_128_HMAC_SHA1_80 +\d+",
                                                           demo.process.output().split("== call 1")[-1]))
        assert demo.namespaces() and len(demo.marked()) > 4
        demo.process.popen.send_signal(signal.SIGINT)
        assert demo.process.wait(20) == 130, demo.process.output()[-800:]
        assert "interrupted" in demo.process.output()
        demo.assert_gone()


def test_a_kept_demo_can_be_looked_at_and_ends_on_request():
    with Neighbourhood() as lab:
        demo = Demo(lab, "--keep", "--seconds", "2")
        wait_for("the demo is through", lambda: "Ctrl-C ends it" in demo.process.output() or not demo.process.running(), 90)
        output = demo.process.output()
        assert re.search(r"^demo ok: 3 calls, \d+ packets relayed, 0 clear packets on secure legs$", output, re.M), output
        look = re.search(r"^  (\S*srtpgwctl --socket \S+ show calls)$", output, re.M).group(1)
        assert "carrier-a" in run(*look.split(), "--all" if "--all" in output else "--json", cwd=TOP)
        demo.process.popen.send_signal(signal.SIGINT)
        assert demo.process.wait(20) == 0, demo.process.output()[-800:]
        demo.assert_gone()
