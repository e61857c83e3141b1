# SPDX-License-Identifier: Apache-2.0
"""What figures were measured on."""

import os
import platform
import re
import subprocess


def _first(path, pattern):
    with open(path) as f:
        found = re.search(pattern, f.read(), re.M)
    return found.group(1).strip() if found else ""


def _said(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=10).stdout.strip()
    except OSError:
        return ""


def _version(package):
    return _said("dpkg-query", "-W", "-f", "${Version}", package).split("\n")[0]


def _cpu_name():
    """The kernel's name; of a virtual machine's that says too little, family and model as well."""
    info = "/proc/cpuinfo"
    name, family, model = (_first(info, rf"^{key}\s*: (.*)$") for key in ("model name", "cpu family", "model"))
    return f"{name} (family {family}, model {model})"


def describe():
    flags = _first("/proc/cpuinfo", r"^flags\s*: (.*)$").split()
    with open("/etc/os-release") as f:
        system = re.search(r'^PRETTY_NAME="(.*)"', f.read(), re.M).group(1)
    return {
        "processor": _cpu_name(), "cores": os.cpu_count(),
        "mhz": round(float(_first("/proc/cpuinfo", r"^cpu MHz\s*: (.*)$") or 0)),
        "vectors": [f for f in ("avx2", "avx512f", "vaes", "vpclmulqdq", "sha_ni") if f in flags],
        "virtual": "hypervisor" in flags,
        "memory_gb": round(int(_first("/proc/meminfo", r"^MemTotal:\s*(\d+)")) / 1e6),
        "system": system, "kernel": platform.release(),
        "compiler": _said("cc", "--version").split("\n")[0],
        "libraries": {name: _version(package) for name, package in (
            ("DPDK", "libdpdk-dev"), ("intel-ipsec-mb", "libipsec-mb-dev"), ("OpenSSL", "libssl-dev"), ("NSS", "libnss3"),
            ("rtpengine", "rtpengine-daemon")) if _version(package)},
    }


def sentence(machine):
    """describe() for people."""
    if isinstance(machine, str):
        return machine
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    return (f"{'A virtual machine on ' if machine['virtual'] else ''}{machine['processor']}, {machine['cores']} cores at "
            f"{machine['mhz']} MHz ({', '.join(machine['vectors'])}), {machine['memory_gb']} GB; {machine['system']}, Linux "
            f"{machine['kernel']}, {machine['compiler']}; {libraries}.")
