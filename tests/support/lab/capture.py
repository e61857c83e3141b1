# SPDX-License-Identifier: Apache-2.0
"""What was really on the wire: packets captured with dumpcap and read back with tshark."""

import os
import signal

from .audio import payload_holds_tone
from .net import LabError, run, wait_for

RTP_HEADER = 12


class Capture:
    """Everything on one interface of one host, from construction until stop()."""

    def __init__(self, host, interface, name=None):
        self.path = host.lab.path(f"{name or host.name + '-' + interface}.pcapng")
        self.process = host.start(f"dumpcap-{os.path.basename(self.path)}", "dumpcap", "-q", "-i", interface, "-w",
                                  self.path)
        wait_for("dumpcap starts", lambda: "File:" in self.process.output() or not self.process.running())
        if not self.process.running():
            raise LabError(f"dumpcap: {self.process.output().strip()}")

    def stop(self):
        self.process.stop(signal.SIGINT)

    def fields(self, display_filter, *names, decode=()):
        """One list of texts for each packet that matches. decode: what tshark is told that it would not find out."""
        argv = ["tshark", "-n", "-r", self.path, *(o for d in decode for o in ("-d", d)), "-Y", display_filter, "-T", "fields", "-E", "separator=|"]
        for name in names:
            argv += ["-e", name]
        lines = run(*argv)
        return [line.split("|") for line in lines.splitlines() if "|" in line]

    def server_hellos(self, ports):
        """
        (who sent it, version, group of the key exchange) of each DTLS ServerHello that brings keys, oldest first, as
        numbers: a version that is under supported_versions counts, as 1.3's is; one that only asks again is left out.
        ports: a range, the gateway's. tshark 4.0 does not see by itself what a datagram is that goes on encrypted.
        """
        found = {}
        for sender, random, legacy, version, share, curve in self.fields(
                "dtls.handshake.type == 2", "ip.src", "dtls.handshake.random", "dtls.handshake.version",
                "dtls.handshake.extensions.supported_version", "dtls.handshake.extensions_key_share_group",
                "dtls.handshake.server_named_curve", decode=[f"udp.port=={ports.start}-{ports.stop - 1},dtls"]):
            group = share or curve
            if group:  # once each: what was sent again has the same random
                found.setdefault(random, (sender, int(version or legacy.split(",")[0], 0), int(group, 0)))
        return list(found.values())

    def media(self, address, ports):
        """(source is `address`, UDP payload) of every datagram from or to one of `ports` (a range) at `address`."""
        field = "ipv6" if ":" in address else "ip"
        found = []
        for src, sport, dst, dport, payload in self.fields(
                f"udp and {field}.addr == {address} and not icmp and not icmpv6", f"{field}.src", "udp.srcport",
                f"{field}.dst", "udp.dstport", "udp.payload"):
            if (src == address and int(sport) in ports) or (dst == address and int(dport) in ports):
                found.append((src == address, bytes.fromhex(payload)))
        return found

    def rtp(self, source, destination, began, ended):
        """(when, sequence number) of the RTP packets from one IPv4 address to the other in that time, as they arrived."""
        rows = self.fields(f"udp and ip.src == {source} and ip.dst == {destination}", "frame.time_epoch", "udp.payload")
        packets = [(float(at), bytes.fromhex(payload)) for at, payload in rows]
        return [(at, int.from_bytes(d[2:4], "big")) for at, d in packets if began <= at <= ended and is_rtp(d)]


def is_rtp(datagram):
    """RFC 7983 and RFC 5761: RTP or RTCP by its first octet; RTP by its payload type."""
    return len(datagram) >= RTP_HEADER and 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223


def packet_kind(datagram):
    """What RFC 7983 and RFC 5761 take a datagram for by its first two octets: its name, or None for nothing of these."""
    first = datagram[0] if datagram else 255
    if 128 <= first <= 191:
        return "RTP" if is_rtp(datagram) else "RTCP"
    return "STUN" if first <= 3 else "DTLS" if 20 <= first <= 63 else None


def clear_packets(datagrams, tones):
    """
    How many of these (sent by the gateway, datagram) hold what anyone can read: RTP, either way, whose payload is one
    of our tones as mu-law; RTCP that the gateway sent and whose parts add up. The phones' own RTCP is not counted:
    baresip sends an APP "PING" and its BYE unencrypted on secure calls; the gateway refuses both.
    """
    clear = 0
    for sent_by_gateway, datagram in datagrams:
        if is_rtp(datagram):
            clear += payload_holds_tone(datagram[RTP_HEADER:RTP_HEADER + 160], tones)
        elif sent_by_gateway and len(datagram) >= 8 and 192 <= datagram[1] <= 223:
            clear += _rtcp_walks_to_its_end(datagram)
    return clear


def _rtcp_walks_to_its_end(datagram):
    """A clear compound packet's lengths add up to its size, and it has more than one part; ciphertext's do not."""
    at = parts = 0
    while at + 4 <= len(datagram) and datagram[at] >> 6 == 2 and 192 <= datagram[at + 1] <= 223:
        at += 4 * (int.from_bytes(datagram[at + 2:at + 4], "big") + 1)
        parts += 1
    return at == len(datagram) and parts >= 1
