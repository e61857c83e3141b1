# SPDX-License-Identifier: Apache-2.0
"""What signalling is measured with: bench_sip as both parties of calls, cores of their own, what a process took and keeps."""

import json
import os
import subprocess


CALLED = "192.0.2.11"
ADDRESSES = [f"192.0.2.{n}" for n in range(1, 5)]  # 127,000 ports in all


def configuration(lab):
    from lab.gateway import carrier

    # Nobody sends media: calls that stay up would end for that, and others be measured with fewer than they say.
    trunks = [carrier(name, address, ("AEAD_AES_256_GCM",), **{"media-timeout": 0})
              for name, address in (("calls", "192.0.2.10"), ("called", CALLED))]
    span, above_sip = [{"lower": 2000, "upper": 65535}], [{"lower": 6000, "upper": 65535}]
    media = {"interface": [
        {"name": "outside", "device": "ext0", "address": [{"ip": a, "port-range": span} for a in ADDRESSES]},
        {"name": "inside", "device": "core0", "address": [{"ip": "10.20.0.1", "port-range": above_sip}]}]}
    return trunks, [("calls", "+49", "called")], {
        "media": media, "limits": {"max-message-rate": 1000000, "max-calls": 100000, "max-call-rate": 100000}}


class Load:
    """bench_sip, told what to do."""

    def __init__(self, host, build, identity, ca, gateway):
        certificate, key = identity[:2]
        self.popen = subprocess.Popen(
            ["ip", "netns", "exec", host.netns, "taskset", "-c", other_cores(), os.path.join(build, "perf", "bench_sip"),
             "--local", "192.0.2.10:5061", "--called", f"{CALLED}:5061", "--gateway", gateway, "--certificate", certificate,
             "--key", key, "--ca", ca], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        host.lab.processes.append(self)
        self._answer()

    def _answer(self):
        line = self.popen.stdout.readline()
        if not line:
            raise SystemExit("sip: bench_sip ended; what it said is above")
        return json.loads(line)

    def tell(self, *words):
        self.popen.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.popen.stdin.flush()
        found = self._answer()
        if found.get("error") or found["stuck"]:
            raise SystemExit(f"sip: {words}: {found}")
        return found

    def stop(self):
        if self.popen.poll() is None:
            self.popen.stdin.close()
            self.popen.wait(10)
        self.popen.stdout.close()


def cores():
    return sorted(os.sched_getaffinity(0))


def other_cores():
    return ",".join(str(c) for c in cores()[1:] or cores())


def all_threads_us(process):
    """The processor's time that it took so far."""
    total = 0
    for task in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0]) / 1000
    return total


def resident(process):
    with open(f"/proc/{process.pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def pin(process, core):
    for task in os.listdir(f"/proc/{process.pid}/task"):
        os.sched_setaffinity(int(task), core)


class Measured:
    """Figures whose names begin alike, printed as they are found."""

    def __init__(self, prefix):
        self.prefix, self.figures = prefix, {}

    def add(self, name, samples, unit, target=None):
        samples = sorted(samples)
        return self.put(name, samples[0], samples[len(samples) // 2], samples[-1], unit, target)

    def put(self, name, least, median, most, unit, target=None):
        entry = {"median": median, "min": least, "max": most, "unit": unit}
        mark = ""
        if target:
            kind, value = target
            entry.update(target=value, sense=f"at {kind}", met=median >= value if kind == "least" else median <= value)
            mark = f"  {'>=' if kind == 'least' else '<='} {value}: {'met' if entry['met'] else 'MISSED'}"
        self.figures[f"{self.prefix}.{name}"] = entry
        print(f"{self.prefix + '.' + name:45} {median:10.1f} {least:10.1f} {most:10.1f} {unit}{mark}", flush=True)
        return median
