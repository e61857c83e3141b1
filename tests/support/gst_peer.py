#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A WebRTC endpoint for the laboratory of GStreamer's elements: webrtcbin with libnice, its own DTLS and libsrtp. Debian
packages its bindings for its own Python only. Used as webrtc_peer.py is:

    gst_peer.py HZ LISTENS_FOR
"""

import array
import json
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab.audio import RATE, power_at  # noqa: E402

BLOCK = RATE // 10  # samples
SAYS = ("webrtcbin name=rtc bundle-policy=max-bundle "
        "audiotestsrc is-live=true freq={} volume=0.5 samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! "
        "rtppcmupay name=pay ! application/x-rtp,media=audio,encoding-name=PCMU,payload=0 ! rtc.")
HEARS = "rtppcmudepay ! mulawdec ! appsink name=ear sync=false emit-signals=true"


class Peer:
    def __init__(self, says, listens_for):
        self.listens_for, self.heard, self.block = listens_for, 0.0, array.array("h")
        self.received = self.sent = 0
        self.pipeline = Gst.parse_launch(SAYS.format(says))
        self.rtc = self.pipeline.get_by_name("rtc")
        self.rtc.connect("pad-added", self.listen)
        self.pipeline.get_by_name("pay").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, self.count, "sent")
        self.pipeline.set_state(Gst.State.PLAYING)

    def count(self, _pad, _info, what):
        setattr(self, what, getattr(self, what) + 1)
        return Gst.PadProbeReturn.OK

    def listen(self, _rtc, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        pad.add_probe(Gst.PadProbeType.BUFFER, self.count, "received")
        ear = Gst.parse_bin_from_description(HEARS, True)
        ear.get_by_name("ear").connect("new-sample", self.hear)
        self.pipeline.add(ear)
        ear.sync_state_with_parent()
        pad.link(ear.get_static_pad("sink"))

    def hear(self, sink):
        buffer = sink.emit("pull-sample").get_buffer()
        self.block.frombytes(buffer.extract_dup(0, buffer.get_size()))
        while len(self.block) >= BLOCK:
            block, self.block = self.block[:BLOCK], self.block[BLOCK:]
            if max(block) > 1000 and power_at(block, RATE, self.listens_for) > 0.8:
                self.heard += BLOCK / RATE
        return Gst.FlowReturn.OK

    def ask(self, what, *arguments):
        """What one of webrtcbin's actions comes to."""
        promise = Gst.Promise.new()
        self.rtc.emit(what, *arguments, promise)
        if promise.wait() != Gst.PromiseResult.REPLIED:
            raise RuntimeError(f"{what} came to nothing")
        reply = promise.get_reply()
        self.reply = reply  # what is taken out of it lives no longer
        if reply and reply.has_field("error"):
            raise RuntimeError(f"{what}: {reply.get_value('error').message}")
        return reply

    def gathered(self):
        """Our description, with all candidates."""
        while self.rtc.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.usleep(20000)
        return {"sdp": self.rtc.get_property("local-description").sdp.as_text()}

    def take(self, kind, sdp):
        _, message = GstSdp.SDPMessage.new_from_text(sdp)
        self.ask("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, message))

    def offer(self, _):
        self.ask("set-local-description", self.ask("create-offer", None).get_value("offer"))
        return self.gathered()

    def answer(self, sdp):
        self.take(GstWebRTC.WebRTCSDPType.OFFER, sdp)
        self.ask("set-local-description", self.ask("create-answer", None).get_value("answer"))
        return self.gathered()

    def answered(self, sdp):
        self.take(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        return {}

    def stats(self, _):
        state = self.rtc.get_property("connection-state").value_nick
        return {"heard": self.heard, "state": state, "received": self.received, "lost": 0, "sent": self.sent}

    def close(self):
        self.pipeline.set_state(Gst.State.NULL)


def main(says, listens_for):
    Gst.init(None)
    peer = Peer(says, listens_for)
    for line in sys.stdin:
        what = json.loads(line)
        print(json.dumps(getattr(peer, what["do"])(what.get("sdp"))), flush=True)
    peer.close()


main(*map(int, sys.argv[1:]))
