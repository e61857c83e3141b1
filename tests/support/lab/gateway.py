# SPDX-License-Identifier: Apache-2.0
"""The gateway under test: both planes in one host, and the usual neighbourhood around it."""

import json
import os
import subprocess

from .certs import Authority
from .net import PATIENCE, Lab, LabError, Skip, wait_for
from .state import shown

OUTSIDE, OUTSIDE6 = "192.0.2.1", "2001:db8:1::1"
SECOND = "192.0.2.2"
INSIDE, INSIDE6 = "10.20.0.1", "fd00:20::1"
MEDIA = range(20000, 21000)

CM_80, CM_32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
GCM_128, GCM_256 = "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"


def needs_dtls13():
    """Skip where the build has no module for DTLS 1.3."""
    if not os.path.exists(os.path.join(build_dir(), "controlplane", "dtls", "nss", "srtpgw-dtls-nss.so")):
        raise Skip("the module for DTLS 1.3 was not built: scripts/deps installs what it needs")


def build_dir():
    return os.environ.get("SRTPGW_BUILD") or os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "build", "release")


def simulated_card():
    """The simulated FPGA's library, which is built only where there is a Verilator."""
    path = os.path.abspath(os.path.join(build_dir(), "sim", "libsrtpgw_sim.so"))
    if not os.path.exists(path):
        raise Skip("no simulated card is built")
    return path


def carrier(name, address, suites=(CM_80,), **more):
    """A trunk over TLS that requires SRTP, recognised by its address."""
    bits = 128 if ":" in address else 32
    trunk = {"name": name, "realm": "carriers", "tls-profile": "gateway",
             "peer": [{"name": name, "host": address}],
             "identify": {"source-address": [f"{address}/{bits}"]},
             "srtp": {"mode": "required", "crypto-profile": "-".join(suites)}, "_suites": list(suites)}
    return {**trunk, **more}


def core(name, address, transport="udp", port=5060, **more):
    """A trunk of the trusted side: plain RTP, SIP over UDP."""
    bits = 128 if ":" in address else 32
    return {"name": name, "realm": "core", "peer": [{"name": name, "host": address, "transport": transport,
                                                       "port": port}],
            "identify": {"source-address": [f"{address}/{bits}"]}, "srtp": {"mode": "none"}, **more}


def configuration(trunks, routes, certificate, key, ca, verify="outgoing", listeners=None,
                  inside_device="core0", outside=(OUTSIDE, OUTSIDE6), **more):
    """A whole configuration. routes: (from trunk or None, prefix, to trunk); inside_device None: there is no inside."""
    profiles = {}
    for trunk in trunks:
        suites = trunk.pop("_suites", None)
        if suites:
            profiles["-".join(suites)] = suites

    def media(name, device, *ips):
        span = [{"lower": MEDIA[0], "upper": MEDIA[-1]}]
        return {"name": name, "device": device, "address": [{"ip": ip, "port-range": span} for ip in ips]}

    def listener(name, transport, address, port, realm):
        entry = {"name": name, "transport": transport, "address": address, "port": port, "realm": realm}
        return {**entry, "tls-profile": "gateway"} if transport == "tls" else entry

    if listeners is None:
        listeners = [listener("carriers-tls", "tls", OUTSIDE, 5061, "carriers"),
                     listener("carriers-tls6", "tls", OUTSIDE6, 5061, "carriers"),
                     listener("core-udp", "udp", INSIDE, 5060, "core"),
                     listener("core-tcp", "tcp", INSIDE, 5060, "core"),
                     listener("core-udp6", "udp", INSIDE6, 5060, "core")]
    tree = {
        "tls-profiles": {"tls-profile": [{"name": "gateway", "certificate": certificate, "private-key": key,
                                          "trust-bag": ca, "verify-peer": verify}]},
        "crypto-profiles": {"crypto-profile": [{"name": n, "suite": s} for n, s in profiles.items()]},
        "media": {"interface": [media("outside", "ext0", *outside)]},
        "realms": {"realm": [{"name": "carriers", "media-interface": ["outside"]}]},
        "sip": {"listener": listeners},
        "trunks": {"trunk": trunks},
        "routing": {"route": [{"name": f"r{i}", "prefix": prefix, "to-trunk": [to],
                               **({"from-trunk": source} if source else {})}
                              for i, (source, prefix, to) in enumerate(routes)]},
    }
    if inside_device:
        tree["media"]["interface"].append(media("inside", inside_device, INSIDE, INSIDE6))
        tree["realms"]["realm"].append({"name": "core", "trusted": True, "media-interface": ["inside"]})
    return {"srtp-gateway:gateway": {**tree, **more}}


class Gateway:
    """Both planes, started; ctl() speaks to the control plane. Each gateway of a laboratory has a host of its own."""

    def __init__(self, host, config, interfaces=("ext0", "core0"), port="auto", log_level="info", options=()):
        self.host, self.lab, self.name = host, host.lab, "" if host.name == "gw" else f"{host.name}-"
        self.bin, self._log_level, self._starts = build_dir(), log_level, 0
        self.config_path = self.path("gateway.json")
        with open(self.config_path, "w") as f:
            json.dump(config, f, indent=2)
        self.media_socket, self.control_socket = self.path("dataplane.sock"), self.path("ctl.sock")
        self._options = [*(a for name in interfaces for a in ("--interface", name)), "--port", port, *options]
        self.start_dataplane()
        self.start_controlplane()

    def _start(self, plane, *options):
        self._starts += 1
        name = self.name + (plane if self._starts <= 2 else f"{plane}-{self._starts}")
        return self.host.start(name, self.program(plane), *options, "--log-level", self._log_level)

    def path(self, name):
        """A file of this gateway's in the laboratory's folder."""
        return self.lab.path(self.name + name)

    def start_dataplane(self):
        """The first start, or one after kill()."""
        self.dataplane = self._start("dataplane", "--socket", self.media_socket, *self._options)
        self._up(self.dataplane, lambda: "main: ready" in self.dataplane.output())

    def start_controlplane(self):
        self.controlplane = self._start("controlplane", "--config", self.config_path, "--dataplane", self.media_socket,
                                        "--control", self.control_socket, "--recovery", self.path("calls"))
        self._up(self.controlplane, lambda: "data plane is ready" in self.controlplane.output())

    @staticmethod
    def kill(process):
        """As a crash ends a process: at once."""
        process.popen.kill()
        process.popen.wait(5)

    def program(self, plane):
        return os.path.join(self.bin, plane, f"srtpgw-{plane}")

    def _up(self, process, condition):
        def ready():
            if not process.running():
                raise LabError(f"{process.name} ended at once: {process.output().strip()[-1500:]}")
            return condition()

        try:
            wait_for(f"{process.name} is up", ready)
        except LabError as e:
            raise LabError(f"{e}; its threads: {process.threads()}; it said: {process.output().strip()[-1500:]}") from None

    def ctl(self, *args):
        """srtpgwctl's answer as a Python value; of 'show' as lab.state has it."""
        argv = [os.path.join(self.bin, "ctl", "srtpgwctl"), "--socket", self.control_socket, *args, "--json"]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        if done.returncode:
            raise LabError(f"srtpgwctl {' '.join(args)}: exit {done.returncode}: {done.stderr.strip()}")
        answer = json.loads(done.stdout)
        return shown(args[1], answer) if args[0] == "show" else answer

    def stop(self):
        """Ends both planes; LabError unless each ended cleanly."""
        for process in (self.controlplane, self.dataplane):
            if process.running():
                code = process.stop(grace=PATIENCE)
                if code != 0:
                    raise LabError(f"{process.name}: exit code {code} at its end: {process.output().strip()[-1500:]}")


class Neighbourhood(Lab):
    """
    The usual hosts around a gateway:

        carrier-a 192.0.2.10 --+                        +-- phone 10.20.0.10
        carrier-b 192.0.2.20 --+-- ext0 [gateway] core0 --+
        carrier-c 192.0.2.30 --+   192.0.2.1   10.20.0.1
    """

    ADDRESSES = {"carrier-a": "192.0.2.10", "carrier-b": "192.0.2.20", "carrier-c": "192.0.2.30",
                 "phone": "10.20.0.10"}
    ADDRESSES6 = {"carrier-a": "2001:db8:1::10", "carrier-b": "2001:db8:1::20", "carrier-c": "2001:db8:1::30",
                  "phone": "fd00:20::10"}

    def __init__(self, **kw):
        super().__init__(**kw)
        self.interfaces = ("ext0", "core0")
        try:
            self.network("outside")
            self.network("inside")
            self.gateway_host = self.host("gw")
            self.wire(self.gateway_host, "outside", "ext0", f"{OUTSIDE}/24", f"{OUTSIDE6}/64")
            self.wire(self.gateway_host, "inside", "core0", f"{INSIDE}/24", f"{INSIDE6}/64")
            for name, address in self.ADDRESSES.items():
                v6 = self.ADDRESSES6[name]
                network = "inside" if name == "phone" else "outside"
                self.wire(self.host(name), network, "eth0", f"{address}/24", f"{v6}/64")
            self.ca = Authority(self.path("certs"))
            self.cert = self.ca.issue("gateway", OUTSIDE, OUTSIDE6, "sbc.example.net")
        except BaseException:
            self.close()
            raise

    def on_one_wire(self):
        """Core and carriers share a network, and both addresses of the gateway its one interface."""
        self.gateway_host.ip("link", "del", "core0")
        self.gateway_host.ip("addr", "add", f"{INSIDE}/24", "dev", "ext0")
        self.gateway_host.ip("addr", "add", f"{INSIDE6}/64", "dev", "ext0", "nodad")
        self.host("phone").ip("link", "del", "eth0")
        self.wire(self.host("phone"), "outside", "eth0", f"{self.ADDRESSES['phone']}/24")
        self.interfaces = ("ext0",)

    def configuration(self, trunks, routes, **more):
        more.setdefault("inside_device", "core0" if "core0" in self.interfaces else "ext0")
        return configuration(trunks, routes, self.cert[0], self.cert[1], self.ca.cert, **more)

    def gateway(self, trunks, routes, port="auto", log_level="info", options=(), backend="ipsec-mb",
                kind=Gateway, **more):
        if backend == "fpga":
            options = [*options, "--backend", f"fpga,sim={simulated_card()}"]
            more.setdefault("dataplane", {"crypto-backend": "fpga"})
        return kind(self.gateway_host, self.configuration(trunks, routes, **more), port=port, log_level=log_level,
                    options=options, interfaces=self.interfaces)

    def second_gateway(self, trunks, routes, **more):
        """Another gateway, at SECOND in the outside network alone."""
        host = self.host("gw2")
        self.wire(host, "outside", "ext0", f"{SECOND}/24")
        certificate = self.ca.issue("gateway2", SECOND)
        listener = {"name": "tls", "transport": "tls", "address": SECOND, "port": 5061, "realm": "carriers",
                    "tls-profile": "gateway"}
        config = configuration(trunks, routes, certificate[0], certificate[1], self.ca.cert, listeners=[listener],
                               inside_device=None, outside=(SECOND,), **more)
        return Gateway(host, config, interfaces=("ext0",))

    def identity(self, name):
        """A certificate for one of the hosts: (certificate, key, both)."""
        return self.ca.issue(name, self.ADDRESSES[name], self.ADDRESSES6[name], f"{name}.example.net")
