# SPDX-License-Identifier: Apache-2.0
"""
A VLAN device (802.1Q) in user space, for kernels that have none: vlan_device.py NAME LOWER ID makes the TAP interface
NAME with LOWER's address. What is sent by it leaves LOWER with the tag; what arrives at LOWER with that tag comes in by
it, untagged; frames without it, or with another, do not. Runs until it is killed.
"""

import fcntl
import os
import select
import socket
import struct
import sys

ETH_P_ALL, ETH_P_8021Q = 3, 0x8100
SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4
TP_STATUS_VLAN_VALID = 1 << 4
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
SIOCSIFHWADDR, ARPHRD_ETHER = 0x8924, 1


def tap(name, address):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFHWADDR, struct.pack("16sH6s8x", name.encode(), ARPHRD_ETHER, address))
    return fd


def untagged(frame, ancillary, vlan):
    """The frame without its tag, when that is this VLAN's; None. The kernel may have taken it out already."""
    for level, kind, data in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA and len(data) >= 20:
            status, = struct.unpack_from("I", data)
            tci, = struct.unpack_from("H", data, 16)
            if status & TP_STATUS_VLAN_VALID:
                return frame if tci & 0x0FFF == vlan else None
    kind, tci = struct.unpack_from(">HH", frame, 12)
    return frame[:12] + frame[16:] if kind == ETH_P_8021Q and tci & 0x0FFF == vlan else None


def main(name, lower, vlan):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    wire.bind((lower, ETH_P_ALL))
    fd = tap(name, wire.getsockname()[4])
    tag = struct.pack(">HH", ETH_P_8021Q, vlan)
    while True:
        ready, _, _ = select.select([wire, fd], [], [])
        if fd in ready:
            frame = os.read(fd, 2048)
            wire.send(frame[:12] + tag + frame[12:])
        if wire in ready:
            frame, ancillary, _, sender = wire.recvmsg(2048, 256)
            inner = untagged(frame, ancillary, vlan) if sender[2] != PACKET_OUTGOING and len(frame) >= 18 else None
            if inner:
                try:
                    os.write(fd, inner)
                except OSError:
                    pass  # not up yet, or full: a frame that is lost, as on any wire


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
