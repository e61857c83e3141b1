# SPDX-License-Identifier: Apache-2.0
"""Strangers who hold the door for browsers open, while those who have accounts come in and call."""

from lab.gateway import OUTSIDE
from lab.net import wait_for

from test_browser_users import WSS, browser, web
from test_hostile import STRANGERS, sip_counters, strangers

EACH, MORE = 30, 400  # more than one address may have

# Half-open connections, each kind in turn: silent, a TLS handshake that stops, half an HTTP request behind a whole one.
# Then many from one address.
HALF_OPEN = """
import resource, socket, ssl, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
host, port, each, more, sources = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5].split(",")
context, held = ssl._create_unverified_context(), []
def connect(source):
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_IP, 24, 1)
    s.settimeout(30)
    s.bind((source, 0))
    s.connect((host, port))
    held.append(s)
    return s
for i in range(each):
    source = sources[i % len(sources)]
    connect(source)
    connect(source).sendall(bytes.fromhex("1603010200010001fc0303"))
    held.append(context.wrap_socket(connect(source), server_hostname="x"))
    held[-1].sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\n")
print("opened", flush=True)
for i in range(more):
    try:
        connect(sources[-1])
    except OSError:
        pass
time.sleep(600)
"""


def test_web_sockets_that_never_open():
    with web() as (lab, gateway, alice, bob):
        host = strangers(lab)
        alice.register()
        process = host.start("half-open", "python3", "-c", HALF_OPEN, OUTSIDE, str(WSS), str(EACH), str(MORE),
                             ",".join(STRANGERS[:10]))
        wait_for("strangers have connected", lambda: "opened" in process.output(), 120)
        wait_for("one address has as many as it may", lambda: sip_counters(gateway)["conn_refused_source"] > 0)
        late = browser(lab, "carrier-a", port=5998, media_port=30100)
        late.register()
        bob.invite("+4989700")
        for one in (alice, late):
            one.respond(one.expect("INVITE"), 486, "Busy Here")
            one.expect("ACK")
        busy = bob.expect(486)
        bob.acknowledge(busy)
        wait_for("those that say nothing are closed", lambda: sip_counters(gateway)["conn_slow_closed"] >= 3 * EACH)
