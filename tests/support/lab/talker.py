# SPDX-License-Identifier: Apache-2.0
"""srtp_peer as one end of a call's media: numbered packets out, and an account of every one that came in."""

import json
import os
import select
import subprocess

from .net import PATIENCE, LabError, wait_for

KEY_OCTETS = {"AES_CM_128_HMAC_SHA1_80": 30, "AES_CM_128_HMAC_SHA1_32": 30, "AES_256_CM_HMAC_SHA1_80": 46,
              "AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44}
PACKETS_PER_SECOND = 50


class Talker:
    """A media endpoint at `address` of a host; its name travels in its packets."""

    def __init__(self, host, name, address, port):
        self.name, self.address, self.port = name, address, 0
        program = os.path.join(os.environ["SRTPGW_BUILD"], "tests", "support", "srtp_peer")
        self.popen = subprocess.Popen(["ip", "netns", "exec", host.netns, program, name], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, start_new_session=True)
        host.lab.processes.append(self)
        self.bind(port)

    def tell(self, *words):
        self.popen.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.popen.stdin.flush()
        if not select.select([self.popen.stdout], [], [], PATIENCE)[0]:
            raise LabError(f"talker {self.name}: no answer to {words}")
        answer = self.popen.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise LabError(f"talker {self.name}: {words[0]}: {answer}")
        return answer

    def bind(self, port, address=None):
        self.address = address or self.address
        self.tell("bind", self.address, port)
        self.port = port

    def stats(self):
        return json.loads(self.tell("stats"))

    def of(self, speaker):
        """What was heard of another talker; nothing yet: packets 0."""
        return self.stats()["heard"].get(speaker.name, {"packets": 0, "last": -1, "lost": 0, "copies": 0})

    def hears(self, speaker, packets=25, seconds=PATIENCE):
        """Waits until that many more of the speaker's packets have been heard."""
        before = self.of(speaker)["packets"]
        wait_for(f"{self.name} hears {packets} packets of {speaker.name}",
                 lambda: self.of(speaker)["packets"] >= before + packets, seconds)

    def stop(self):
        if self.popen.poll() is None:
            self.popen.stdin.close()
            self.popen.wait(PATIENCE)
        self.popen.stdout.close()
