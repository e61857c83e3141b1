# SPDX-License-Identifier: Apache-2.0
"""
The little system that a guest begins with: Debian's kernel and a shell that loads modules, mounts this machine's files
(read only, 9p) and runs a program of them. Nothing of it is installed here: packages are fetched and unpacked in a folder.
"""
import pathlib
import re
import stat
import subprocess

MODULES = ("virtio_pci", "9p", "9pnet_virtio", "virtio_net", "vfio_pci", "vfio_iommu_type1", "uio_pci_generic",
           "tun", "sch_multiq", "sch_ingress", "cls_flower", "act_skbedit")  # from here on: DPDK's tap and its flow rules
FOLDERS = ("bin", "dev", "host", "modules", "proc", "sys")
INIT = """#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for m in {modules}; do $b insmod /modules/$m.ko || echo "no module $m"; done
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /host || echo "no files of the host"
$b mount -t proc proc /host/proc
$b mount -t sysfs sys /host/sys
$b mount -t devtmpfs dev /host/dev
$b mount -t tmpfs tmp /host/tmp
$b mount -t tmpfs run /host/run
$b chroot /host /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp {command} </dev/ttyS1 >/dev/ttyS1
$b echo o >/proc/sysrq-trigger
$b sleep 60
"""


def packages():
    """The packages that Debian's newest kernel and the shell are in."""
    depends = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=True).stdout
    return [re.search(r"Depends: (linux-image-\S+)", depends).group(1), "busybox-static"]


def fetch(folder):
    """Kernel, modules and shell in folder, once."""
    done = folder / "complete"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for package in packages():
            subprocess.run(["apt-get", "-o", "APT::Sandbox::User=root", "-q", "download", package], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL)
            deb = next(folder.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg", "-x", deb, folder], check=True)
            deb.unlink()
        done.touch()
    return next((folder / "boot").glob("vmlinuz-*"))


def with_needed(folder):
    """Modules in the order in which they load: each behind those that it names as needed. Built-in ones are no files."""
    files = {p.stem.replace("-", "_"): p for p in (folder / "lib/modules").rglob("*.ko")}
    order = {}

    def need(name):
        if name in order or name not in files:
            return
        for other in re.search(rb"\0depends=([^\0]*)\0", files[name].read_bytes()).group(1).decode().split(","):
            need(other.replace("-", "_"))
        order[name] = files[name]

    for name in MODULES:
        need(name)
    return order


def entry(name, mode, data=b"", device=(0, 0), number=0):
    """A file of a "newc" archive, as the kernel's Documentation/driver-api/early-userspace/buffer-format.rst has it."""
    name = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def write(path, folder, command):
    """The archive at path, from what fetch() left in folder; command runs on the host's files, at the second serial line."""
    modules = with_needed(folder)
    files = {"init": INIT.format(modules=" ".join(modules), command=command).encode(),
             "bin/busybox": (pathlib.Path(folder) / "bin/busybox").read_bytes()}
    files |= {f"modules/{name}.ko": file.read_bytes() for name, file in modules.items()}
    parts = [entry(name, stat.S_IFDIR | 0o755, number=i + 1) for i, name in enumerate(FOLDERS)]
    parts.append(entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1), number=len(parts) + 1))
    for name, data in files.items():
        parts.append(entry(name, stat.S_IFREG | 0o755, data, number=len(parts) + 1))
    path.write_bytes(b"".join(parts) + entry("TRAILER!!!", 0))
