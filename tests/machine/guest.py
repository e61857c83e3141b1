# SPDX-License-Identifier: Apache-2.0
"""
usage: guest.py BUILD NIC... [no-iommu]

Inside the guest, by tests/machine/run: the data plane with each of the machine's NICs. What it finds goes to the host as lines:
"pass NAME", "fail NAME", what to show; "link NIC down" and "link NIC up" ask for a cable, and are answered.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import traceback
import tty

SLOT, PEER_SLOT = 0x08, 0x10  # as run has them
PEER_MAC = "02:00:00:00:10:01"
SOCKET = "/run/dataplane.sock"
PCI = pathlib.Path("/sys/bus/pci")
PATIENCE = 60  # seconds; the processor may be an emulated one
WAYS = (("RTP", "AEAD_AES_128_GCM"), ("AES_CM_128_HMAC_SHA1_80", "RTP", "--ipv6"), ("RTP", "AEAD_AES_256_GCM", "--ipv6-out"))
ONE_QUEUE = ("e1000", "virtio")  # with this cable
CHECKSUMS = ("e1000", "e1000e", "igb")  # have both offloads, IPv4's and UDP's
build, nics, iommu = pathlib.Path(), [], True


def tell(*lines):
    for line in lines:
        print(line, flush=True)


def until(what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < end:
        time.sleep(0.1)
    return answer


def address(nic):
    return f"0000:00:{SLOT + nics.index(nic):02x}.0"


def peer(nic):
    """The kernel's interface at the other end of the NIC's cable."""
    return next((PCI / f"devices/0000:00:{PEER_SLOT + nics.index(nic):02x}.0").glob("virtio*/net/*")).name


def write(path, text):
    path.write_text(text)


def free(nic):
    """It has no driver any more."""
    device = PCI / "devices" / address(nic)
    if (device / "driver").exists():
        write(device / "driver/unbind", address(nic))


def bind(nic, driver):
    """What `driverctl set-override` and `dpdk-devbind.py -b` do."""
    device = PCI / "devices" / address(nic)
    free(nic)
    write(device / "driver_override", driver)
    write(PCI / "drivers_probe", address(nic))
    assert os.readlink(device / "driver").endswith(driver), f"{nic} has no {driver}"


class Plane:
    """A data plane and what it says."""

    def __init__(self, *args, ready=True):
        self.log = open("/tmp/dataplane.log", "w+", encoding="utf-8")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [build / "dataplane/srtpgw-dataplane", *args, "--socket", SOCKET, "--sessions", "64"],
            stdout=self.log, stderr=subprocess.STDOUT)
        if ready:
            self.says("ready socket=")

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def says(self, what, times=1):
        """Waits until it has."""
        if not until(lambda: len(re.findall(what, self.text())) >= times or self.process.poll() is not None) or self.process.poll() is not None:
            raise AssertionError(f"the data plane does not say '{what}':\n{self.text()}")
        return re.search(what, self.text())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()


def opened(nic, *args):
    return Plane("--device", address(nic), "--next-hop", PEER_MAC, *args)


def refused(*args):
    """The last line of a data plane that does not begin."""
    with Plane(*args, "--next-hop", PEER_MAC, ready=False) as plane:
        status = until(lambda: plane.process.poll() is not None) and plane.process.returncode
        assert status == 3, f"exit status {status}:\n{plane.text()}"
        return [line for line in plane.text().splitlines() if " error " in line][-1]


def mac_of(plane, device):
    return plane.says(rf"interface={device} how=\S* ?.*?((?:[0-9A-F]{{2}}:){{5}}[0-9A-F]{{2}})")[1]


def generate(plane, interfaces, mac, *args):
    """Calls through the gateway, from the first interface to the last; the generator judges each packet and the gateway's counters."""
    ports = [word for i, name in enumerate(interfaces) for word in ("--port", f"net_af_packet{i},iface={name}")]
    done = subprocess.run([build / "perf/srtpgw-gen", *ports, "--mac", mac, "--program", SOCKET, "--calls", "8",
                           "--packets", "400", "--pps", "400", *args],
                          capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{plane.text()}"


def calls(plane, ends, *args):
    """From the first of the gateway's NICs to the last."""
    generate(plane, [peer(nic) for nic in ends], mac_of(plane, address(ends[0])), *args)


def media(plane, nic, suite_in, suite_out, *args):
    """Calls with their reports, both sides at one NIC."""
    calls(plane, [nic], "--rtcp", "20", "--in", suite_in, "--out", suite_out, *args)


def cable(nic, way):
    tell(f"link {nic} {way}")
    assert sys.stdin.readline() == "done\n"


def test_media(nic):
    """carries media both ways"""
    with opened(nic) as plane:
        assert (nic in CHECKSUMS) == ("checksums by the device" in plane.text()), plane.text()
        for way in WAYS:
            media(plane, nic, *way)


def test_link(nic):
    """says that its cable is out, and goes on when it is back"""
    with opened(nic) as plane:
        plane.says("link is up")
        media(plane, nic, *WAYS[0])
        for way in ("down", "up"):
            before = plane.text().count(f"link is {way}")
            cable(nic, way)
            plane.says(f"link is {way}", times=before + 1)
        media(plane, nic, *WAYS[0])


def test_again(nic):
    """is there again for the one after a data plane that was killed"""
    with opened(nic) as plane:
        media(plane, nic, *WAYS[0])
        plane.process.kill()
        plane.process.wait(PATIENCE)
    with opened(nic) as plane:
        media(plane, nic, *WAYS[1])


def test_workers(nic):
    """has a queue for each of two workers, or is refused with what to do"""
    if nic not in ONE_QUEUE:
        with opened(nic, "--workers", "2") as plane:
            plane.says("2 queues")
            media(plane, nic, *WAYS[0])
    else:
        said = refused("--device", address(nic), "--workers", "2")
        assert f"'{address(nic)}' has 1 queue: start with --workers 1" in said, said


def test_driver(nic):
    """is refused while it has another driver or none, with what to do"""
    driver = os.path.basename(os.readlink(PCI / "devices" / address(nic) / "driver"))
    free(nic)
    try:
        said = refused("--device", address(nic))
        assert f"'{address(nic)}' has no driver: bind it to vfio-pci" in said, said
    finally:
        bind(nic, driver)


def test_two_devices():
    """Two NICs: a side of the calls at each."""
    a, b = nics[:2]
    hops = [("--device", address(nic), "--next-hop", f"10.0.{side}.1={PEER_MAC}") for side, nic in enumerate((a, b))]
    with Plane(*hops[0], *hops[1]) as plane:
        calls(plane, [a, b])


def handed_over(plane, *args):
    """Packets of eight calls, all of the first worker's, that arrived at the other one."""
    found = pathlib.Path("/tmp/gen.json")
    generate(plane, ["rules0,qdisc_bypass=0"], mac_of(plane, "net_tap0"), "--in", "RTP", "--out", "AEAD_AES_128_GCM", "--json", found, *args)
    return json.loads(found.read_text(encoding="utf-8"))["handed_over"]


def test_rules():
    """DPDK's tap has flow rules of the kernel's (tc flower), which take whole ports: two addresses with eight."""
    with Plane("--device", "net_tap0,iface=rules0", "--next-hop", PEER_MAC, "--workers", "2") as plane:
        write(pathlib.Path("/proc/sys/net/ipv6/conf/rules0/disable_ipv6"), "1")
        for family in ("--rtcp=20",), ("--ipv6",):
            n = handed_over(plane, *family)
            assert n == 0, f"{n} packets came to the other worker:\n{plane.text()}"
        plane.says("16 flow rules bring each packet to its worker")


def attempt(name, test, *args):
    began = time.monotonic()
    try:
        test(*args)
        tell(f"pass {name}")
    except Exception:  # pylint: disable=broad-exception-caught
        tell(f"fail {name}", *traceback.format_exc().splitlines())
    print(f"{name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)


def prepare():
    """NICs get DPDK's driver; their peers are silent but for the generator."""
    for nic in nics:
        write(pathlib.Path(f"/proc/sys/net/ipv6/conf/{peer(nic)}/disable_ipv6"), "1")
        subprocess.run(["ip", "link", "set", peer(nic), "up"], check=True)
        bind(nic, "vfio-pci" if iommu else "uio_pci_generic")


def main():
    global build, nics, iommu  # pylint: disable=global-statement
    tty.setraw(0)
    build, nics, iommu = pathlib.Path(sys.argv[1]), [a for a in sys.argv[2:] if a != "no-iommu"], "no-iommu" not in sys.argv
    prepare()
    tests = (test_media, test_link, test_again, test_workers, test_driver) if iommu else (test_media, test_again)
    for nic in nics:
        for test in tests:
            attempt(f"{nic}: {test.__doc__}", test, nic)
    if len(nics) > 1:
        attempt(f"{nics[0]}, {nics[1]}: a side of the calls at each", test_two_devices)
    attempt("tap: flow rules bring each packet to its worker", test_rules)
    tell("end")


main()
