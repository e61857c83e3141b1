# SPDX-License-Identifier: Apache-2.0
"""Hosts and networks: network namespaces joined by bridges, and the processes that run in them."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time


class LabError(Exception):
    """Something that the laboratory needs did not happen; the text says what."""


class Skip(Exception):
    """This machine cannot have what the test needs; the text says what."""


def run(*argv, check=True, **kw):
    """A command to its end; its output as text. Raises LabError with what it printed."""
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(map(str, argv))}: exit {done.returncode}: {done.stdout.strip()}")
    return done.stdout


PATIENCE = 60  # s, against hanging alone: a machine that is busy with other things may let any step wait


class Patience:
    """
    Seconds that run out while this process runs. A gap in them is a machine that stood still, or processes that were
    stopped: what is waited for stood still as well, so a gap counts as GAP.
    """

    GAP = 1.0

    def __init__(self, seconds):
        self.left, self._seen = seconds, time.monotonic()

    def over(self):
        """To be asked again and again."""
        now = time.monotonic()
        self.left -= min(now - self._seen, self.GAP)
        self._seen = now
        return self.left <= 0


def wait_for(what, condition, seconds=PATIENCE, step=0.05):
    """Polls until condition() is true and returns its value; LabError naming `what` after `seconds`."""
    patience = Patience(seconds)
    while True:
        over = patience.over()  # before the look, which is worth more than the clock
        value = condition()
        if value:
            return value
        if over:
            raise LabError(f"{what}: not within {seconds:g} s")
        time.sleep(step)


class Process:
    """One process in a host; its output goes to a file in the laboratory's folder."""

    def __init__(self, lab, host, name, argv, env=None, cwd=None):
        self.name, self.log_path = name, os.path.join(lab.dir, f"{name}.log")
        self.log = open(self.log_path, "wb")
        if host:
            argv = ["ip", "netns", "exec", host.netns, *host.prefix, *argv]
        self.popen = subprocess.Popen(
            [str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})}, cwd=cwd or lab.dir, start_new_session=True)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def output(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def threads(self):
        """Each thread, and where in the kernel it waits."""
        found = []
        with contextlib.suppress(OSError):
            for task in os.scandir(f"/proc/{self.pid}/task"):
                with open(f"{task.path}/comm") as comm, open(f"{task.path}/stack") as stack:
                    found.append(f"{comm.read().strip()}: {' < '.join(line.split()[-1] for line in stack)}")
        return "; ".join(found)

    def wait(self, seconds):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name}: still running after {seconds:g} s") from None

    def stop(self, sig=signal.SIGTERM, grace=5.0):
        """Ends it; the exit code. After `grace` seconds it is killed."""
        if self.running():
            self.popen.send_signal(sig)
            try:
                self.popen.wait(grace)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(5)
        self.log.close()
        return self.popen.returncode


class Host:
    """One network namespace. Interfaces are added by Lab.wire()."""

    def __init__(self, lab, name):
        self.lab, self.name, self.netns = lab, name, f"{lab.tag}-{name}"
        self.prefix = []  # words in front of every program that start() starts
        run("ip", "netns", "add", self.netns)
        self.ip("link", "set", "lo", "up")
        # Duplicate address detection would keep an IPv6 address from being used for its first second.
        self.sysctl("net.ipv6.conf.default.accept_dad", 0)

    def ip(self, *args):
        return run("ip", "-n", self.netns, *args)

    def exec(self, *argv, **kw):
        return run("ip", "netns", "exec", self.netns, *argv, **kw)

    def sysctl(self, name, value):
        return self.exec("sysctl", "-qw", f"{name}={value}")

    def start(self, name, *argv, **kw):
        return self.lab.start(self, name, *argv, **kw)


class Lab:
    """The whole laboratory. Use as a context manager, or call close()."""

    def __init__(self, tag="sgw", keep_dir=None):
        self.tag = f"{tag}{os.getpid()}"
        self.dir = keep_dir or tempfile.mkdtemp(prefix=f"{self.tag}-")
        os.makedirs(self.dir, exist_ok=True)
        self.own_dir = keep_dir is None
        self.hosts, self.processes, self.failed = {}, [], False
        self._links, self._ports = 0, {}
        self._switch = Host(self, "switch")

    def host(self, name):
        if name not in self.hosts:
            self.hosts[name] = Host(self, name)
        return self.hosts[name]

    def network(self, name):
        """A bridge that hosts are wired to."""
        self._switch.ip("link", "add", name, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        self._switch.ip("link", "set", name, "up")

    def wire(self, host, network, interface, *addresses):
        """Gives `host` an interface in `network` with addresses such as 192.0.2.1/24."""
        self._links += 1
        port = self._ports[host.name, interface] = f"p{self._links}"
        self._switch.ip("link", "add", port, "type", "veth", "peer", "name", interface, "netns", host.netns)
        self._switch.ip("link", "set", port, "master", network)
        self._switch.ip("link", "set", port, "up")
        for address in addresses:
            flags = ["nodad"] if ":" in address else []
            host.ip("addr", "add", address, "dev", interface, *flags)
        host.ip("link", "set", interface, "up")

    def far_end(self, host, interface):
        """
        (host, interface) at the other end of a host's cable. Where a port of the data plane is bound to the near end,
        only the far one shows what passes: XDP takes packets before, and sends them behind, what a capture sees.
        """
        return self._switch, self._ports[host.name, interface]

    def start(self, host, name, *argv, **kw):
        process = Process(self, host, name, argv, **kw)
        self.processes.append(process)
        return process

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def close(self):
        for process in reversed(self.processes):
            process.stop()
        for host in [*self.hosts.values(), self._switch]:
            run("ip", "netns", "del", host.netns, check=False)
        if self.own_dir and not self.failed:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.failed = kind is not None and not issubclass(kind, KeyboardInterrupt)
        self.close()
        if self.failed and self.own_dir:
            print(f"# logs and captures are kept in {self.dir}")
        return False


def interrupts_raise():
    """SIGTERM, SIGINT and SIGHUP unwind the program like an exception, so that a Lab always closes."""

    def unwind(number, _frame):
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sig, signal.SIG_IGN)
        raise KeyboardInterrupt(signal.Signals(number).name)

    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, unwind)
