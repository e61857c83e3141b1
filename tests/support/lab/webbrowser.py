# SPDX-License-Identifier: Apache-2.0
"""A real browser with the phone of tests/browser in it, in a host of the laboratory. Its audio is a tone."""

import base64
import fcntl
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import time

from .net import PATIENCE, LabError, Skip, run, wait_for

PAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "browser"))
BUILT = os.path.abspath(os.path.join(PAGE, "..", "..", "build", "browser"))
ORIGIN_PORT = 8080
ORIGIN = f"http://127.0.0.1:{ORIGIN_PORT}"
PROGRAMS = {"chromium": "chromium", "firefox": "firefox-esr"}
# No sound card, no graphics, nothing that calls home; a page without a click may play.
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required",
         "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


def _newer(made, *sources):
    return os.path.exists(made) and all(os.path.getmtime(s) <= os.path.getmtime(made) for s in sources)


def _install():
    """The packages that package-lock.json names, from npm's registry."""
    if _newer(os.path.join(PAGE, "node_modules", ".package-lock.json"), os.path.join(PAGE, "package-lock.json")):
        return
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-timeout=30000",
                           "--fetch-retries=1"], cwd=PAGE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if "error" in line.lower()] or ["it failed"]
        raise Skip(f"npm ci in tests/browser: {said[0].strip()}")


def page(program):
    """The folder of the page, made when it is not there; Skip when this machine has no such browser, or no npm registry."""
    for needed in (program, "node", "npm"):
        if not shutil.which(needed):
            raise Skip(f"{needed} is not installed: scripts/deps installs it")
    os.makedirs(BUILT, exist_ok=True)
    with open(os.path.join(BUILT, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install()
        sources = [os.path.join(PAGE, n) for n in os.listdir(PAGE) if n.endswith((".js", ".html", ".json"))]
        bundle = os.path.join(BUILT, "phone.bundle.js")
        if not _newer(bundle, *sources):
            run(os.path.join(PAGE, "node_modules", ".bin", "esbuild"), os.path.join(PAGE, "phone.js"), "--bundle",
                "--format=esm", "--log-level=error", f"--outfile={bundle}")
            shutil.copy(os.path.join(PAGE, "phone.html"), BUILT)
    return BUILT


def pin(certificate):
    """What Chromium is told so that it takes this certificate, whose authority it does not know, and no other."""
    key = run("openssl", "x509", "-in", certificate, "-noout", "-pubkey")
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key.encode(), stdout=subprocess.PIPE,
                         check=True).stdout
    return "--ignore-certificate-errors-spki-list=" + base64.b64encode(hashlib.sha256(der).digest()).decode()


class Browser:
    """
    "chromium" or "firefox" in a host, with the page loaded. Functions of the page's `phone` are called with do().
    Chromium takes the gateway's certificate and no other; Firefox takes any.
    """

    def __init__(self, host, certificate, kind="chromium"):
        lab, program = host.lab, PROGRAMS[kind]
        flags = [*CHROMIUM_FLAGS, pin(certificate)] if kind == "chromium" else []
        self.name, self.log_path = f"{kind}-{host.name}", lab.path(f"{kind}-{host.name}.log")
        self.host, self.buffer = host, b""
        home = lab.path(f"home-{host.name}")
        os.makedirs(home, exist_ok=True)
        self.log = open(self.log_path, "wb")
        self.popen = subprocess.Popen(
            ["ip", "netns", "exec", host.netns, "node", os.path.join(PAGE, "drive.mjs"), page(program), str(ORIGIN_PORT),
             shutil.which(program) or program, *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, "HOME": home},
            cwd=lab.dir, start_new_session=True)
        lab.processes.append(self)
        self.version = self._answer(120)["ready"]

    def _answer(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.popen.stdout], [], [], left)[0]:
                raise LabError(f"{self.name}: no answer within {seconds:g} s: {self.output()[-600:]}")
            data = os.read(self.popen.stdout.fileno(), 65536)
            if not data:
                raise LabError(f"{self.name} ended: {self.output()[-1200:]}")
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def _say(self, what, seconds=PATIENCE):
        self.popen.stdin.write(json.dumps(what).encode() + b"\n")
        self.popen.stdin.flush()
        answer = self._answer(seconds)
        if "error" in answer:
            raise LabError(f"{self.name}: {what}: {answer['error']}")
        return answer["value"]

    def do(self, function, argument=None):
        return self._say({"do": function, "with": argument})

    def set(self, name, value):
        return self._say({"set": name, "with": value})

    def output(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def wait_call(self, state, seconds=PATIENCE):
        """Until its call is "up" or "ended"."""
        def there():
            now = self.do("state")
            if now["call"] == "ended" != state:
                raise LabError(f"{self.name}: the call ended: {now['events'][-6:]}")
            return now["call"] == state

        try:
            return wait_for(f"{self.name}'s call is {state}", there, seconds, step=0.2)
        except LabError as e:
            raise LabError(f"{e}; it saw {self.do('state')['events'][-8:]}") from None

    def wait_heard(self, seconds_of_tone, seconds=PATIENCE):
        """Until it has heard so much of its tone since do("listenAgain"); its statistics then."""
        def enough():
            now = self.do("stats")
            return now if now["heard"]["tone"] >= seconds_of_tone else None

        try:
            return wait_for(f"{self.name} hears {seconds_of_tone} s of the tone", enough, seconds, step=0.2)
        except LabError as e:
            raise LabError(f"{e}; it says {self.do('stats')}") from None

    def wait_loud(self, packets, seconds=PATIENCE):
        """Until it has received so many packets, and its loudspeaker has something to say; its statistics then."""
        def enough():
            now = self.do("stats")
            return now if now["packetsReceived"] >= packets and now["audioLevel"] > 0.1 else None

        try:
            return wait_for(f"{self.name} hears something", enough, seconds, step=0.2)
        except LabError as e:
            raise LabError(f"{e}; it says {self.do('stats')}") from None

    def running(self):
        return self.popen.poll() is None

    def stop(self, sig=signal.SIGTERM, grace=20.0):
        """Ends browser and driver; after `grace` seconds they are killed."""
        del sig  # the driver ends with its input
        if self.running():
            self.popen.stdin.close()
            try:
                self.popen.wait(grace)
            except subprocess.TimeoutExpired:
                os.killpg(self.popen.pid, signal.SIGKILL)
                self.popen.wait(5)
        self.popen.stdout.close()
        self.log.close()
        return self.popen.returncode
