# SPDX-License-Identifier: Apache-2.0
"""A DNS server (dnsmasq) that knows one zone, and nothing else."""

from .net import LabError, wait_for


class Dns:
    """records: dnsmasq's own words, such as "srv-host=_sips._tcp.a.example,b.example,5061,10,60"."""

    ADDRESS = "127.0.0.1"

    def __init__(self, host, domain, records, ttl=1):
        self.host, self.domain, self.ttl, self._starts = host, domain, ttl, 0
        self.process = None
        self.start(records)

    def start(self, records):
        """The first start, or one with other records."""
        self.stop()
        self._starts += 1
        options = ["keep-in-foreground", "no-resolv", "no-hosts", "bind-interfaces", "user=root", "pid-file=", "log-queries",
                   "log-facility=-", f"listen-address={self.ADDRESS}", f"local=/{self.domain}/", f"local-ttl={self.ttl}",
                   *records]
        self.process = self.host.start(f"dnsmasq-{self._starts}", "dnsmasq", "--conf-file=/dev/null",
                                       *(f"--{o}" for o in options))
        wait_for("dnsmasq is up", self._ready)

    def _ready(self):
        if not self.process.running():
            raise LabError(f"dnsmasq: {self.process.output()[-600:]}")
        return "started, version" in self.process.output()

    def stop(self):
        if self.process:
            self.process.stop()
