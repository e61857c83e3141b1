# SPDX-License-Identifier: Apache-2.0
"""Janus' SIP plugin, whose SIP is Sofia's, with the configuration of examples/interop; its WebRTC client is lab.webrtc's."""

import contextlib
import json
import os
import re
import shutil
import sys
import time

from .baresip import port_is_open
from .net import LabError, Skip, wait_for
from .proxy import EXAMPLES
from .webrtc import WebRtc

WAIT = 60  # seconds; Janus itself answers after 30 when there is nothing
BUSY_TRIES = 5
_FOLDER = "/usr/lib/x86_64-linux-gnu/janus"

_CONFIG = """\
general: {{ plugins_folder = "{folder}/plugins"
            transports_folder = "{folder}/transports"
            events_folder = "{dir}"
            loggers_folder = "{dir}" }}
plugins: {{ disable = "{others}" }}
transports: {{ disable = "libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so,libjanus_websockets.so" }}
"""

_HTTP = 'general: { json = "compact", base_path = "/janus", http = true, port = 8088, ip = "127.0.0.1" }\n'

# From inside the host: Janus listens on its loopback.
_ASK = """
import sys, urllib.request
r = urllib.request.Request("http://127.0.0.1:8088/janus" + sys.argv[1], sys.argv[2].encode() or None)
print(urllib.request.urlopen(r, timeout=60).read().decode())
"""


class Busy(Exception):
    """Janus refused a call: for a moment after one it has not let go of it, and no event says when it has."""


class Janus:
    """One client of it: an account that says a tone of hz and listens for another, after each call() and accept()."""

    def __init__(self, host, address, server, identity, ca, hz, listens_for):
        if not shutil.which("janus"):
            raise Skip("janus is not installed: scripts/deps installs it")
        self.host, self.name, self.tone_hz, self.listens_for = host, "janus", hz, listens_for
        self.server, self.media, self._asked, self._calls = server, None, 0, 0
        self._early = {}  # events that came before anybody waited for them, by name
        folder = host.lab.path("janus")
        os.makedirs(os.path.join(folder, "sip"))
        for name, source in (("agent.pem", identity[2]), ("cafile.pem", ca)):
            shutil.copy(source, os.path.join(folder, "sip", name))
        with open(os.path.join(EXAMPLES, "janus.plugin.sip.jcfg")) as f:
            text = f.read()
        for key, value in (("local_ip", address), ("sips_certs_dir", os.path.join(folder, "sip"))):
            text, n = re.subn(rf'\b{key} = "[^"]*"', f'{key} = "{value}"', text)
            assert n == 1, f"{key} is {n} times in the example"
        others = ",".join(f for f in os.listdir(f"{_FOLDER}/plugins") if f.endswith(".so") and f != "libjanus_sip.so")
        for name, content in (("janus.plugin.sip.jcfg", text), ("janus.transport.http.jcfg", _HTTP),
                              ("janus.jcfg", _CONFIG.format(folder=_FOLDER, dir=folder, others=others))):
            with open(os.path.join(folder, name), "w") as f:
                f.write(content)
        host.ip("route", "replace", "default", "via", server.split(":")[0])
        self.process = host.start("janus", "janus", "-F", folder, "-C", os.path.join(folder, "janus.jcfg"), "-o",
                                  env={"HOME": folder, "TPORT_LOG": "1"})
        wait_for("janus is up", self._ready)
        self.session = f"/{self._post('', janus='create')['data']['id']}"
        self.handle = f"{self.session}/{self._post(self.session, janus='attach', plugin='janus.plugin.sip')['data']['id']}"

    def _ready(self):
        if not self.process.running():
            raise LabError(f"janus ended: {self.process.output()[-900:]}")
        return port_is_open(self.host, "127.0.0.1", 8088)

    def _http(self, path, body=""):
        return json.loads(self.host.exec(sys.executable, "-c", _ASK, path, body, timeout=90))

    def _post(self, path, **message):
        self._asked += 1
        answer = self._http(path, json.dumps({"transaction": str(self._asked), **message}))
        if answer["janus"] == "error":
            raise LabError(f"janus: {answer}")
        return answer

    def ask(self, request, jsep=None, **more):
        self._post(self.handle, janus="message", body={"request": request, **more}, **({"jsep": jsep} if jsep else {}))

    def wait_event(self, name):
        """What came with the plugin's next event of that name; or with Janus' own, "peer gone"."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            if name in self._early:
                return self._early.pop(name)
            event = self._http(self.session)
            said = event.get("plugindata", {}).get("data", {})
            what = said.get("result", {}).get("event") or ("peer gone" if event["janus"] == "hangup" else None)
            if what == name:
                return event
            if what == "hangup" and said["result"].get("code") == 486:
                raise Busy
            if "error" in said or what in ("registration_failed", "hangup"):
                raise LabError(f"janus: {said} instead of {name}")
            if what:
                self._early[what] = event
        raise LabError(f"janus: no {name} within {WAIT} s; others came: {list(self._early)}")

    def register(self, user, password):
        way = f"sip:{self.server};transport=tls"
        self.ask("register", username=f"sip:{user}@{self.server.split(':')[0]}", secret=password, sips=True, proxy=way,
                 outbound_proxy=way)
        self.wait_event("registered")

    def _new_media(self):
        self._calls += 1
        self.media = WebRtc(self.host, f"janus-{self._calls}", self.tone_hz, self.listens_for)
        return self.media

    def call(self, number, profile):
        offer = self._new_media().do("offer")["sdp"]
        self.ask("call", {"type": "offer", "sdp": offer}, uri=f"sip:{number}@{self.server.split(':')[0]}",
                 srtp="sdes_mandatory", srtp_profile=profile)
        self.media.do("answered", self.wait_event("accepted")["jsep"]["sdp"])

    def accept(self, dial):
        """Takes the call that dial() makes."""
        for _ in range(BUSY_TRIES):
            dial()
            with contextlib.suppress(Busy):
                offer = self.wait_event("incomingcall")["jsep"]["sdp"]
                break
            time.sleep(1)
        else:
            raise LabError(f"janus: busy {BUSY_TRIES} times")
        self.ask("accept", {"type": "answer", "sdp": self._new_media().do("answer", offer)["sdp"]}, srtp="sdes_mandatory")
        self.wait_event("accepted")

    def ended(self):
        """The plugin says that the call is over, and the client's transport is closed: before that it is busy."""
        self._early.clear()  # a transport that went after the call before
        self.wait_event("hangup")
        self.media.stop()
        self.wait_event("peer gone")
