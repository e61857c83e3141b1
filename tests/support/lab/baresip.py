# SPDX-License-Identifier: Apache-2.0
"""baresip as a phone: real audio from a file, what it hears recorded to a file, driven over its control socket."""

import glob
import json
import os
import socket
import subprocess
import sys

from .audio import tone_seconds, write_tone
from .net import PATIENCE, LabError, wait_for

_CONFIG = """\
poll_method epoll
sip_listen {listen}
{tls}
call_local_timeout 30
call_max_calls 8
audio_player aubridge,nil-{name}
audio_source aufile,{tone}
audio_alert aubridge,alert-{name}
audio_level no
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp_ports}
rtcp_mux {rtcp_mux}
jitter_buffer_delay 1-10
rtp_stats yes
net_interface {interface}
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module {secure_module}.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:4444
snd_path {dir}/heard
"""

# Lines of a configuration that give it a picture to send, and the log's line with the first one that it decoded.
VIDEO = ("module vp8.so", "module fakevideo.so", "video_source fakevideo,nil", "video_size 320x240",
         "video_display fakevideo,nil", "video_fps 10", "video_bitrate 300000")
SEES = "video: receiving with resolution 320 x 240"

# Talks to the phone's control socket from inside its namespace: baresip listens on that namespace's loopback.
_CTRL = """
import socket, sys
s = socket.create_connection(("127.0.0.1", 4444), 5)
m = sys.argv[1].encode()
s.sendall(b"%d:%s," % (len(m), m))
s.settimeout(3)
s.recv(65536)
"""


class Phone:
    """One user agent that sends `seconds` of its tone and then hangs up. `secure` is baresip's mediaenc ("srtp-mand", "dtls_srtp" or None); transport "tls", "tcp" or "udp"; ice: it is a full ICE agent."""

    def __init__(self, host, name, address, tone_hz, interface, transport="tls", port=5060, secure="srtp-mand",
                 certificate=None, ca=None, outbound=None, rtp_ports="20000-20998", ptime=20, seconds=60, extra=(), account=(), ice=False):
        self.host, self.name, self.tone_hz = host, name, tone_hz
        self.dir = host.lab.path(f"phone-{name}")
        os.makedirs(os.path.join(self.dir, "heard"), exist_ok=True)
        tone = os.path.join(self.dir, "tone.wav")
        write_tone(tone, tone_hz, seconds)
        tls = f"sip_certificate {certificate}\nsip_cafile {ca}" if transport == "tls" else ""
        shown = f"[{address}]" if ":" in address else address
        with open(os.path.join(self.dir, "config"), "w") as f:
            f.write(_CONFIG.format(name=name, listen=f"{shown}:{port}", tls=tls, tone=tone, dir=self.dir,
                                   interface=interface, rtp_ports=rtp_ports,
                                   rtcp_mux="yes" if secure == "dtls_srtp" else "no",
                                   secure_module="dtls_srtp" if secure == "dtls_srtp" else "srtp"))
            f.writelines(f"{line}\n" for line in (*extra, *(["module ice.so"] if ice else ())))
        tls_port = port + 1 if transport == "tls" else port
        self.uri = f"sip:{name}@{shown}:{tls_port};transport={transport}"
        parameters = [f"<sip:{name}@{shown}:{tls_port};transport={transport}>", "regint=0", "answermode=auto", "catchall=yes",
                      "audio_codecs=pcmu", f"ptime={ptime}"]
        parameters += account
        if secure:
            parameters.append(f"mediaenc={secure}")
        if ice:
            parameters.append("medianat=ice")
        if outbound:
            parameters.append(f'outbound="{outbound}"')
        with open(os.path.join(self.dir, "accounts"), "w") as f:
            f.write(";".join(parameters) + "\n")
        for extra_file in ("contacts", "uuid"):
            open(os.path.join(self.dir, extra_file), "w").close()
        self.process = host.start(f"baresip-{name}", "baresip", "-6" if ":" in address else "-4", "-f",
                                  self.dir, "-s" if os.environ.get("LAB_TRACE") else "-v")
        wait_for(f"baresip {name} starts", lambda: self._ready())

    def _ready(self):
        if not self.process.running():
            raise LabError(f"baresip {self.name} ended: {self.process.output()[-600:]}")
        return "baresip is ready" in self.process.output()

    def command(self, command, params=""):
        message = json.dumps({"command": command, "params": params})
        done = subprocess.run(["ip", "netns", "exec", self.host.netns, sys.executable, "-c", _CTRL, message],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=15)
        if done.returncode:
            raise LabError(f"baresip {self.name}: {command}: {done.stdout.strip()}")

    def dial(self, uri):
        self.command("dial", uri)

    def hangup(self):
        self.command("hangup")

    def log(self):
        return self.process.output()

    def wait_log(self, text, seconds=PATIENCE):
        wait_for(f"baresip {self.name}: '{text}' in its log", lambda: text in self.log(), seconds)

    def recordings(self):
        return sorted(glob.glob(os.path.join(self.dir, "heard", "*-dec.wav")))

    def heard(self, hz, skip=0):
        """(seconds of the tone, seconds recorded) over all that this phone heard, but for its first `skip` calls."""
        times = [tone_seconds(path, hz) for path in self.recordings()[skip:]]
        return sum(t[0] for t in times), sum(t[1] for t in times)

    def stop(self):
        return self.process.stop()


def port_is_open(host, address, port):
    """Is there a TCP listener at that address of the host?"""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    probe = (f"import socket; s = socket.socket({int(family)}); s.settimeout(1); "
             f"s.connect(({address!r}, {port})); s.close()")
    return subprocess.run(["ip", "netns", "exec", host.netns, sys.executable, "-c", probe],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
