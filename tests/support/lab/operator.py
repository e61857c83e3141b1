# SPDX-License-Identifier: Apache-2.0
"""An operator on the management socket itself: docs/management.md, without srtpgwctl between."""

import json
import socket

from .net import PATIENCE, LabError


class Refused(Exception):
    """The gateway's error object."""

    def __init__(self, error):
        super().__init__(f"{error.get('tag')} {error.get('path')}: {error.get('message')}")
        self.tag, self.path, self.message = error.get("tag"), error.get("path"), error.get("message")


class Operator:
    def __init__(self, gateway, patience=PATIENCE):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(patience)
        self._socket.connect(gateway.control_socket)
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self.heard = []  # notifications that came while an answer was awaited

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._socket.close()

    def _line(self):
        try:
            line = self._lines.readline()
        except TimeoutError:
            raise LabError("the management socket is silent") from None
        if not line:
            raise LabError("the management socket was closed")
        return json.loads(line)

    def ask(self, op, **args):
        args = {name.replace("_", "-"): value for name, value in args.items()}
        self._socket.sendall(json.dumps({"op": op, "args": args}).encode() + b"\n")
        while "notification" in (answer := self._line()):
            self.heard.append(answer["notification"])
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["data"]

    def get(self, xpath, **args):
        return self.ask("get", xpath=xpath, **args)

    def act(self, data):
        return self.ask("action", data=data)

    def next(self):
        """The next notification."""
        return self.heard.pop(0) if self.heard else self._line()["notification"]

    def notification(self, name):
        """The content of the next one of this name; others in between are dropped."""
        while True:
            for key, content in self.next()["data"].items():
                if key.split(":")[-1] == name:
                    return content
