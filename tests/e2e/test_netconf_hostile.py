# SPDX-License-Identifier: Apache-2.0
"""NETCONF sessions of peers that send what no client would, send nothing, read nothing, or find no gateway."""

import contextlib

from lab.gateway import INSIDE

from test_netconf import BASE, exit_code, leaf, limits, names, office, read_until

HOSTILE = {
    "an end without a chunk": b"\n##\n",
    "an empty chunk": b"\n#0\n\n##\n",
    "a chunk larger than may be": b"\n#4294967296\n<rpc/>\n##\n",
    "a chunk size that wraps": b"\n#18446744073709551620\n<rpc/>\n##\n",
    "no chunk size": b"\n#\n<rpc/>\n##\n",
    "the framing of base:1.0": b"<rpc/>]]>]]>",
    "garbage": bytes(range(256)) * 64,
    "more than a message may have": b"".join(b"\n#1048576\n" + b"x" * 1048576 for _ in range(18)),
}
HELLO = (f'<hello xmlns="{BASE}"><capabilities><capability>urn:ietf:params:netconf:base:1.1</capability></capabilities>'
         "</hello>]]>]]>").encode()


def chunk(message):
    return b"\n#%d\n%s\n##\n" % (len(message), message)


def send(popen, octets):
    with contextlib.suppress(BrokenPipeError):
        popen.stdin.write(octets)
        popen.stdin.flush()


def test_hostile_frames():
    """The session may end; the one beside it, and the gateway, do not notice."""
    with office() as o:
        witness = o.open("witness")
        for what, octets in HOSTILE.items():
            with o.raw() as (popen, _):
                send(popen, HELLO + octets)
                assert exit_code(popen) == 3, (what, popen.returncode)
            assert names(witness.get_config(source="running"), "trunk") == ["carrier-a", "core"], what
        rpc = f'<rpc xmlns="{BASE}" message-id="%d">%s</rpc>'
        with o.raw() as (popen, _):
            send(popen, HELLO + chunk(f'<rpc xmlns="{BASE}"><get/></rpc>'.encode()))
            assert b"<bad-attribute>message-id</bad-attribute>" in read_until(popen, b"\n##\n")
            send(popen, chunk(b"no XML"))
            assert b"malformed-message" in read_until(popen, b"\n##\n")
            send(popen, chunk(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'))
            assert b"malformed-message" in read_until(popen, b"\n##\n")
            large = limits("ring-timeout", "9" * (10 << 20))
            send(popen, chunk((rpc % (1, f"<edit-config><target><candidate/></target>{large}</edit-config>")).encode()))
            assert b'message-id="1"><rpc-error>' in read_until(popen, b"\n##\n")
            send(popen, chunk((rpc % (2, "<get-config><source><running/></source></get-config>")).encode()))
            assert b"carrier-a" in read_until(popen, b"\n##\n")
        assert leaf(witness, "ring-timeout", "candidate") is None
        witness.close()


def test_silence():
    """Who says nothing before its hello goes; who says nothing after it may stay, and costs a process."""
    with office(options=["--hello-timeout", "2"]) as o:
        with o.raw() as (popen, _):
            assert exit_code(popen) == 3, popen.returncode
        with contextlib.ExitStack() as silent:
            for _ in range(5):
                popen, hello = silent.enter_context(o.raw())
                send(popen, HELLO)
                assert b"<session-id>" in hello
            assert len(o.gateway.ctl("show", "trunks")["trunks"]) == 2


def test_a_client_that_does_not_read():
    """It asks and asks and takes no answer; nobody else waits for it."""
    with office() as o:
        witness = o.open("witness")
        with o.raw() as (popen, _):
            send(popen, HELLO)
            question = chunk(f'<rpc xmlns="{BASE}" message-id="1"><get-config><source><running/></source></get-config></rpc>'
                             .encode())
            send(popen, question * 200)
            for _ in range(20):
                assert names(witness.get_config(source="running"), "trunk") == ["carrier-a", "core"]


def test_without_a_gateway():
    """The control plane dies: the session ends, the next one is told why, and the one after the restart works."""
    with office() as o:
        o.open("a").lock(target="running")
        with o.raw() as (popen, _):
            send(popen, HELLO)
            o.gateway.kill(o.gateway.controlplane)
            assert exit_code(popen) == 4, popen.returncode
        popen = o.ssh.raw("alice", o.desk, INSIDE)
        assert exit_code(popen) == 4, popen.returncode
        o.gateway.start_controlplane()
        o.open("b").lock(target="running")
