#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
NETCONF sessions over SSH for the laboratory, with ncclient, which Debian packages for its own Python only. Takes one
JSON command a line on standard input and answers with one JSON line:

    {"session": NAME, "do": "open", "host": ..., "user": ..., "key": ...}   capabilities and the session's id
    {"session": NAME, "do": "call", "method": ..., "args": {...}}           a method of ncclient's manager
    {"session": NAME, "do": "rpc", "xml": ...}                              any operation
    {"session": NAME, "do": "notification", "seconds": ...}                 the next notification, null when none comes
    {"session": NAME, "do": "close"}

    {"ok": ...} | {"error": {"tag", "type", "path", "message", "info", ...}} | {"failed": TEXT}
"""

import json
import logging
import sys

from ncclient import manager, operations, transport
from ncclient.operations import RPCError
from ncclient.xml_ import to_ele

ANSWER_S = 60


def error_of(e):
    info = e.info
    if info is not None and not isinstance(info, str):
        info = str(info)
    return {"tag": e.tag, "type": e.type, "severity": e.severity, "path": e.path, "message": e.message, "info": info}


def tuples(value):
    """JSON has no tuples; ncclient wants them for filters."""
    return tuple(tuples(v) for v in value) if isinstance(value, list) else value


class Sessions:
    def __init__(self):
        self.open_ones = {}

    def open(self, session, host, user, key, port=830):
        m = manager.connect(host=host, port=port, username=user, key_filename=key, hostkey_verify=False, timeout=ANSWER_S,
                            allow_agent=False, look_for_keys=False, device_params={"name": "default"})
        m.timeout = ANSWER_S
        self.open_ones[session] = m
        return {"id": m.session_id, "capabilities": list(m.server_capabilities)}

    def call(self, session, method, args):
        reply = getattr(self.open_ones[session], method)(**{k: tuples(v) for k, v in args.items()})
        return getattr(reply, "xml", None) or str(reply)

    def rpc(self, session, xml):
        return self.open_ones[session].dispatch(to_ele(xml)).xml

    def notification(self, session, seconds):
        n = self.open_ones[session].take_notification(timeout=seconds)
        return n.notification_xml if n else None

    def close(self, session):
        self.open_ones.pop(session).close_session()

    def drop(self, session):
        """As a broken connection: no close-session."""
        self.open_ones.pop(session)._session.close()


def main():
    logging.disable(logging.CRITICAL)
    sessions = Sessions()
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"ok": getattr(sessions, command.pop("do"))(**command)}
        except RPCError as e:
            answer = {"error": error_of(e)}
        except (operations.OperationError, operations.TimeoutExpiredError, transport.TransportError, OSError) as e:
            answer = {"failed": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), flush=True)


main()
