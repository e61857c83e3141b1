#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A WebRTC endpoint for the laboratory, with the aiortc library, which Debian packages for its own Python only:

    webrtc_peer.py HZ LISTENS_FOR

It says a tone of HZ and listens for another, decoded. One JSON object a line each way, an answer to each command:

    {"do": "offer"}                 {"sdp": our offer}
    {"do": "answer", "sdp": text}   {"sdp": our answer}
    {"do": "answered", "sdp": text} {}
    {"do": "stats"}                 {"heard": seconds of the tone, "received", "lost", "sent": packets, "state": text}
"""

import asyncio
import fractions
import json
import math
import sys
import time

import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

RATE, FRAME = 8000, 160


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, hz):
        super().__init__()
        self.hz, self.at, self.began = hz, 0, None

    async def recv(self):
        self.began = self.began or time.monotonic()
        await asyncio.sleep(max(0, self.began + self.at / RATE - time.monotonic()))
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(b"".join(
            int(16000 * math.sin(2 * math.pi * self.hz * (self.at + i) / RATE)).to_bytes(2, "little", signed=True)
            for i in range(FRAME)))
        frame.pts, frame.sample_rate, frame.time_base = self.at, RATE, fractions.Fraction(1, RATE)
        self.at += FRAME
        return frame


def tone_share(samples, rate, hz):
    """Goertzel: the share of the energy that is at hz."""
    total = sum(s * s for s in samples)
    coefficient, s1, s2 = 2 * math.cos(2 * math.pi * hz / rate), 0.0, 0.0
    for s in samples:
        s1, s2 = s + coefficient * s1 - s2, s1
    return 2 * (s1 * s1 + s2 * s2 - coefficient * s1 * s2) / (len(samples) * total) if total else 0.0


class Peer:
    def __init__(self, says, listens_for):
        self.connection, self.listens_for, self.heard = RTCPeerConnection(), listens_for, 0.0
        self.says = Tone(says)
        self.connection.on("track", lambda track: asyncio.ensure_future(self.listen(track)))

    async def listen(self, track):
        block = []
        while True:
            frame = await track.recv()
            block += frame.to_ndarray()[0][::len(frame.layout.channels)].tolist()
            if len(block) >= frame.sample_rate // 10:
                if max(block) > 1000 and tone_share(block, frame.sample_rate, self.listens_for) > 0.8:
                    self.heard += len(block) / frame.sample_rate
                block = []

    async def offer(self, _):
        self.connection.addTrack(self.says)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return {"sdp": self.connection.localDescription.sdp}

    async def answer(self, sdp):
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        self.connection.addTrack(self.says)
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return {"sdp": self.connection.localDescription.sdp}

    async def answered(self, sdp):
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        return {}

    async def stats(self, _):
        said = {"heard": self.heard, "state": self.connection.connectionState, "received": 0, "lost": 0, "sent": 0}
        for one in (await self.connection.getStats()).values():
            if one.type == "inbound-rtp":
                said.update(received=one.packetsReceived, lost=one.packetsLost)
            elif one.type == "outbound-rtp":
                said.update(sent=one.packetsSent)
        return said


async def main(says, listens_for):
    peer, lines = Peer(says, listens_for), asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        what = json.loads(line)
        print(json.dumps(await getattr(peer, what["do"])(what.get("sdp"))), flush=True)
    await peer.connection.close()


asyncio.run(main(*map(int, sys.argv[1:])))
