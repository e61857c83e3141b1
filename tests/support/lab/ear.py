# SPDX-License-Identifier: Apache-2.0
"""What a host on a trusted network hears right now: its packets of clear speech, told apart by whether they hold a tone."""

import socket

from .agent import inside
from .audio import payload_holds_tone
from .net import PATIENCE, wait_for

ETH_P_ALL, ETHER, IP, UDP, RTP = 3, 14, 20, 8, 12
G711U, PAYLOAD = 0, 160


class Ear:
    """Listens on an interface of a host, which hears 20 ms of mu-law in each packet from `sender`, over IPv4."""

    def __init__(self, host, interface, sender, hz):
        self.sender, self.hz, self.at = socket.inet_aton(sender), hz, ETHER + IP + UDP
        with inside(host):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.bind((interface, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.setblocking(False)
        host.lab.processes.append(self)

    def take(self):
        """(packets with the tone, other speech) since the last time."""
        tones = others = 0
        while True:
            try:
                frame = self.socket.recv(2048)
            except BlockingIOError:
                return tones, others
            speech = frame[self.at:]
            if (frame[ETHER + 12:ETHER + 16] == self.sender and frame[ETHER + 9] == socket.IPPROTO_UDP
                    and len(speech) == RTP + PAYLOAD and speech[0] == 0x80 and speech[1] & 0x7f == G711U):
                tone = payload_holds_tone(speech[RTP:], (self.hz,))
                tones, others = tones + tone, others + (not tone)

    def wait_tone(self, packets=25, seconds=PATIENCE):
        """Until so many packets with the tone have come."""
        heard = [0]
        self.take()

        def enough():
            heard[0] += self.take()[0]
            return heard[0] >= packets

        wait_for(f"{packets} packets with a tone of {self.hz} Hz", enough, seconds, step=0.1)

    def wait_silence(self, seconds=PATIENCE):
        """Until none has come for half a second."""
        wait_for(f"no tone of {self.hz} Hz", lambda: self.take()[0] == 0, seconds, step=0.5)

    def stop(self):
        self.socket.close()
