#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A WebSocket for the laboratory, with the websockets library, which Debian packages for its own Python only:

    websocket_client.py URI CA ORIGIN SUBPROTOCOL

Takes one JSON text a line, which is sent as a message; null closes. Says one JSON object a line: {"open": the
subprotocol}, {"refused": HTTP status}, {"text": message} and at the end {"closed": code}.
"""

import asyncio
import json
import ssl
import sys

import websockets


def say(**what):
    print(json.dumps(what), flush=True)


async def pass_on(ws):
    lines = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        text = json.loads(line)
        if text is None:
            break
        await ws.send(text)
    await ws.close()


async def main(uri, ca, origin, subprotocol):
    context = ssl.create_default_context(cafile=ca)
    try:
        ws = await websockets.connect(uri, ssl=context, origin=origin, subprotocols=[subprotocol], open_timeout=20,
                                      ping_interval=None)
    except websockets.InvalidStatusCode as e:
        say(refused=e.status_code)
        return
    say(open=ws.subprotocol)
    sender = asyncio.ensure_future(pass_on(ws))
    try:
        async for text in ws:
            say(text=text if isinstance(text, str) else text.decode())
    except websockets.ConnectionClosed:
        pass
    sender.cancel()
    say(closed=ws.close_code)


asyncio.run(main(*sys.argv[1:]))
