# SPDX-License-Identifier: Apache-2.0
"""Judges frames of a capture that were on the wire between a NIC and its peer."""
import struct

VLAN, IPV4, IPV6, UDP = 0x8100, 0x0800, 0x86DD, 17


def frames(path):
    """Of a pcap file as QEMU's filter-dump writes it."""
    data = path.read_bytes()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    at = 24
    while at + 16 <= len(data):
        length, = struct.unpack_from(order + "I", data, at + 8)
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def folded(octets):
    """The sum of RFC 1071: 0xffff for what holds its own right checksum."""
    total = sum(struct.unpack(f"!{len(octets) // 2 + len(octets) % 2}H", octets + bytes(len(octets) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def fault(frame):
    """What is wrong with a datagram over IPv4 (without options) or IPv6 (without extensions); None: nothing."""
    kind, ip = struct.unpack_from("!H", frame, 12)[0], frame[14:]
    if kind == IPV4 and ip[0] == 0x45 and ip[9] == UDP:
        udp, addresses = ip[20:struct.unpack_from("!H", ip, 2)[0]], ip[12:20]
        if folded(ip[:20]) != 0xFFFF:
            return "checksum of the IPv4 header"
    elif kind == IPV6 and ip[6] == UDP:
        udp, addresses = ip[40:40 + struct.unpack_from("!H", ip, 4)[0]], ip[8:40]
    else:
        return "no UDP over IPv4 or IPv6"
    length, checksum = struct.unpack_from("!HH", udp, 4)
    if length != len(udp):
        return "length of UDP"
    if checksum == 0:
        return "no checksum of UDP"
    return None if folded(addresses + struct.pack("!HH", UDP, length) + udp) == 0xFFFF else "checksum of UDP"


def judge(path, mac):
    """How many frames that MAC sent, and what is wrong with some."""
    source = bytes.fromhex(mac.replace(":", ""))
    sent = [f for f in frames(path) if f[6:12] == source]
    return len(sent), [f"{wrong}: {f.hex()[:160]}" for f in sent if (wrong := fault(f))]
