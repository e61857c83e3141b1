# SPDX-License-Identifier: Apache-2.0
"""aiortc or GStreamer as a WebRTC client whose SIP over WSS a test drives: ICE, DTLS-SRTP and codecs are that library's own."""

import json
import os
import select
import subprocess

from .browser import BrowserAgent
from .net import PATIENCE, LabError, Skip, wait_for

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
# Each library's program, and what says whether it is there.
LIBRARIES = {
    "aiortc": ("webrtc_peer.py", ["/usr/bin/python3", "-c", "import aiortc"]),
    "gstreamer": ("gst_peer.py", ["/usr/bin/python3", "-c", "import gi; gi.require_version('GstWebRTC', '1.0'); "
                                  "gi.require_version('Gst', '1.0'); from gi.repository import Gst; Gst.init(None); "
                                  "assert all(map(Gst.ElementFactory.find, ('webrtcbin', 'nicesrc', 'rtppcmupay')))"]),
}


class WebRtc:
    """One connection's media. It says a tone of `hz` and listens for another."""

    def __init__(self, host, name, hz, listens_for, library="aiortc"):
        program, is_there = LIBRARIES[library]
        if subprocess.run(is_there, stderr=subprocess.DEVNULL).returncode:
            raise Skip(f"{library} for /usr/bin/python3 is not installed: scripts/deps installs it")
        self.name, self.log = name, open(host.lab.path(f"webrtc-{name}.log"), "wb")
        self.popen = subprocess.Popen(
            ["ip", "netns", "exec", host.netns, "/usr/bin/python3", os.path.join(FOLDER, program), str(hz), str(listens_for)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, start_new_session=True)
        host.lab.processes.append(self)

    def do(self, what, sdp=None):
        self.popen.stdin.write(json.dumps({"do": what, "sdp": sdp}) + "\n")
        self.popen.stdin.flush()
        if not select.select([self.popen.stdout], [], [], 60)[0]:
            raise LabError(f"{self.name}: no answer to {what}")
        line = self.popen.stdout.readline()
        if not line:
            with open(self.log.name, errors="replace") as f:
                raise LabError(f"{self.name} ended: {f.read()[-1200:]}")
        return json.loads(line)

    def wait_heard(self, seconds_of_tone, seconds=PATIENCE):
        """Until it has decoded so much of its tone; its statistics then."""
        def enough():
            now = self.do("stats")
            return now if now["heard"] >= seconds_of_tone else None

        try:
            return wait_for(f"{self.name} hears {seconds_of_tone} s of the tone", enough, seconds, step=0.2)
        except LabError as e:
            raise LabError(f"{e}; it says {self.do('stats')}") from None

    def stop(self):
        if self.popen.poll() is None:
            self.popen.stdin.close()
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self.popen.stdout.close()
        self.log.close()


class WebRtcAgent(BrowserAgent):
    """BrowserAgent whose media is WebRtc's: new_call() before each."""

    def __init__(self, host, *args, library="aiortc", **kw):
        super().__init__(host, *args, talker=False, **kw)
        self.library = library

    def new_call(self, hz, listens_for):
        self.media = WebRtc(self.host, self.name, hz, listens_for, self.library)
        return self.media

    def describe(self, crypto=None, **changes):
        return self.media.do("offer")["sdp"]

    def answer_body(self, offer, **changes):
        return self.media.do("answer", offer.body)["sdp"]

    def speak_as_answered(self, message):
        self.media.do("answered", message.body)
