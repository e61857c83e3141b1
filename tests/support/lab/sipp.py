# SPDX-License-Identifier: Apache-2.0
"""SIPp as a carrier: exact messages in, exact messages expected. TLS is stunnel's, in front of it."""

import os

from .net import LabError, wait_for

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "e2e", "sipp")


class Stunnel:
    """One stunnel with any number of services: ("client"|"server", accept "ip:port", connect "ip:port")."""

    def __init__(self, host, name, services, certificate=None, ca=None, check_ip=None, sni=None):
        path = host.lab.path(f"stunnel-{name}.conf")
        with open(path, "w") as f:
            f.write(f"foreground = yes\ndebug = notice\npid =\nsyslog = no\n")
            for i, (role, accept, connect) in enumerate(services):
                f.write(f"[s{i}]\nclient = {'yes' if role == 'client' else 'no'}\naccept = {accept}\n"
                        f"connect = {connect}\n")
                if certificate:
                    f.write(f"cert = {certificate}\n")
                if role == "client" and ca:
                    f.write(f"CAfile = {ca}\nverifyChain = yes\n")
                    if check_ip:
                        f.write(f"checkIP = {check_ip}\n")
                if role == "client" and sni:
                    f.write(f"sni = {sni}\n")
        self.process = host.start(f"stunnel-{name}", "stunnel", path)
        wait_for(f"stunnel {name} starts", self._ready)

    def _ready(self):
        if not self.process.running():
            raise LabError(f"stunnel: {self.process.output()[-600:]}")
        return "Configuration successful" in self.process.output()

    def stop(self):
        self.process.stop()


class Sipp:
    """One SIPp run of one scenario (a name in tests/e2e/sipp/ or a path)."""

    def __init__(self, host, name, scenario, remote, local_ip, local_port, transport="u1", calls=1, rate=None,
                 keys=None, timeout=40, extra=()):
        path = scenario if os.path.sep in scenario else os.path.join(SCENARIOS, f"{scenario}.xml")
        self.host, self.name = host, name
        self.messages = host.lab.path(f"sipp-{name}-messages.log")
        self.errors = host.lab.path(f"sipp-{name}-errors.log")
        argv = ["sipp", *([remote] if remote else []), "-sf", path, "-i", local_ip, "-p", str(local_port), "-t",
                transport, "-m", str(calls), "-nostdin", "-trace_msg", "-message_file", self.messages, "-trace_err",
                "-error_file", self.errors, "-timeout", f"{timeout}s", "-timeout_error", "-recv_timeout", "20000"]
        if rate:
            argv += ["-r", str(rate)]
        for key, value in (keys or {}).items():
            argv += ["-key", key, str(value)]
        self.process = host.start(f"sipp-{name}", *argv, *extra)
        self.timeout = timeout

    def finish(self):
        """Waits for the scenario's end; LabError with what went wrong unless every call went as written."""
        code = self.process.wait(self.timeout + 10)
        if code != 0:
            raise LabError(f"sipp {self.name}: exit {code}: {self._last_error()}")

    def _last_error(self):
        if os.path.exists(self.errors):
            with open(self.errors, errors="replace") as f:
                return f.read()[-1500:]
        return self.process.output()[-800:]

    def log(self):
        if not os.path.exists(self.messages):
            return ""
        with open(self.messages, errors="replace") as f:
            return f.read()

    def stop(self):
        self.process.stop()
