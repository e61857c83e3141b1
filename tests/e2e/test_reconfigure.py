# SPDX-License-Identifier: Apache-2.0
"""The configuration changes while a call is up: the call never notices, and what is new works at once."""

import json
import re
import signal
import subprocess

from lab.agent import Agent
from lab.gateway import CM_80, INSIDE, OUTSIDE, OUTSIDE6, carrier, core
from lab.net import LabError, run, wait_for
from lab.party import NUMBERS, agent, assert_nothing_lost, both_hear, connect, finish, talking


def gateway_tree(gateway):
    with open(gateway.config_path) as f:
        return json.load(f)


def reload(gateway, config, outcome="main: reloaded"):
    """The file is written and SIGHUP sent; what the control plane says about it."""
    if not isinstance(config, str):
        config = json.dumps(config, indent=2)
    with open(gateway.config_path, "w") as f:
        f.write(config)
    process = gateway.controlplane
    before = process.output().count("main: reloaded") + process.output().count("was not reloaded")

    def said():
        output = process.output()
        return output.count("main: reloaded") + output.count("was not reloaded") > before

    process.popen.send_signal(signal.SIGHUP)
    wait_for("the configuration is reloaded", said)
    last = [line for line in process.output().splitlines() if "main: reloaded" in line or "was not reloaded" in line][-1]
    if outcome not in last:
        raise LabError(last)
    return last


def change(gateway, edit):
    """edit(the content of the container "gateway"), in force when this returns."""
    tree = gateway_tree(gateway)
    edit(tree["srtp-gateway:gateway"])
    reload(gateway, tree)


def trunks(gateway):
    return {t["name"]: t for t in gateway.ctl("show", "trunks")["trunks"]}


def undisturbed(a, b):
    """The call that was up all the time: it goes on, and not one packet was lost since it began."""
    both_hear(a, b)
    assert_nothing_lost(a, b)
    for one in (a, b):
        one.talker.tell("send", "on")


def test_add_trunks_and_a_route():
    with talking() as (lab, gateway, a, b):
        def add(tree):
            new = carrier("carrier-c", lab.ADDRESSES["carrier-c"], (CM_80,))
            del new["_suites"]
            tree["trunks"]["trunk"] = [new, core("core", lab.ADDRESSES["phone"]), *tree["trunks"]["trunk"]]
            tree["routing"]["route"].insert(0, {"name": "new", "from-trunk": "carrier-c", "to-trunk": ["core"]})

        c, phone = agent(lab, "carrier-c"), agent(lab, "phone")
        c.invite(NUMBERS["phone"])
        c.acknowledge(c.expect(403))
        change(gateway, add)
        assert trunks(gateway)["carrier-a"]["active-calls"] == 1, trunks(gateway)
        undisturbed(a, b)
        connect(c, phone)
        both_hear(a, b)
        c.bye()
        phone.released()
        finish(gateway, a, b)


def test_remove_a_trunk_with_a_call_on_it():
    with talking() as (_, gateway, a, b):
        def remove(tree):
            tree["trunks"]["trunk"] = [t for t in tree["trunks"]["trunk"] if t["name"] != "carrier-b"]
            tree["routing"]["route"] = []

        whole = gateway_tree(gateway)
        change(gateway, remove)
        assert list(trunks(gateway)) == ["carrier-a"]
        undisturbed(a, b)
        # Its peer may not begin another call, but changes this one, which keeps what it began under.
        b.reinvite(b.describe())
        a.take()
        b.answered()
        both_hear(a, b)
        reload(gateway, whole)
        assert trunks(gateway)["carrier-b"]["active-calls"] == 1, trunks(gateway)
        both_hear(a, b)
        finish(gateway, b, a)
        assert trunks(gateway)["carrier-b"]["active-calls"] == 0, trunks(gateway)


def test_media_ports_are_added_and_removed():
    with talking() as (lab, gateway, a, b):
        def local_ports():
            call = next(c for c in gateway.ctl("show", "calls")["calls"] if c["state"] == "established")
            return [int(leg["local-address"].rsplit(":", 1)[1]) for leg in gateway.ctl("show", "call", call["id"])["legs"]]

        def only_new(tree):
            for interface in tree["media"]["interface"]:
                for address in interface["address"]:
                    address["port-range"] = [{"lower": 22000, "upper": 22099}]

        def both_ranges(tree):
            for interface in tree["media"]["interface"]:
                for address in interface["address"]:
                    address["port-range"].append({"lower": 22000, "upper": 22099})

        def configured():
            return gateway.dataplane.output().count("media addresses configured")

        assert all(20000 <= port < 21000 for port in local_ports())
        change(gateway, both_ranges)
        undisturbed(a, b)
        change(gateway, only_new)
        undisturbed(a, b)
        b.reinvite(b.describe())  # the call changes, and keeps its ports
        a.take()
        b.answered()
        both_hear(a, b)
        assert all(20000 <= port < 21000 for port in local_ports())
        before = configured()
        finish(gateway, b, a)
        wait_for("the data plane is told that the old ports have gone", lambda: configured() > before)
        for one, port in ((a, 34000), (b, 35000)):
            one.talker.bind(port)
            one.talker.tell("source")
        connect(a, b)
        assert all(22000 <= port < 22100 for port in local_ports()), local_ports()
        assert_nothing_lost(a, b)
        finish(gateway, a, b)


def test_a_media_address_that_the_machine_has_not_is_said():
    with talking() as (_, gateway, a, b):
        said = "a media address is on none of this data plane's interfaces"

        def another(tree):
            tree["media"]["interface"][0]["address"].append(
                {"ip": "192.0.2.77", "port-range": [{"lower": 22000, "upper": 22099}]})

        assert said not in gateway.dataplane.output(), gateway.dataplane.output()
        change(gateway, another)
        wait_for("it is said", lambda: said in gateway.dataplane.output())
        lines = [line for line in gateway.dataplane.output().splitlines() if said in line]
        assert len(lines) == 1 and "address=192.0.2.77" in lines[0], lines
        undisturbed(a, b)
        finish(gateway, a, b)


def test_a_certificate_is_renewed():
    with talking() as (lab, gateway, a, b):
        def shown():
            text = run("ip", "netns", "exec", lab.host("carrier-a").netns, "openssl", "s_client", "-connect",
                       f"{OUTSIDE}:5061", "-showcerts", stdin=subprocess.DEVNULL)
            return re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.S).group(0)

        before = shown()
        lab.ca.issue("gateway", OUTSIDE, OUTSIDE6, "sbc.example.net")  # into the same files
        assert shown() == before
        reload(gateway, gateway_tree(gateway))
        assert shown() != before
        with open(lab.cert[0]) as f:
            assert shown() in f.read()
        undisturbed(a, b)
        handshakes = gateway.ctl("show", "stats")["sip"]["tls_handshakes"]
        b.reinvite(b.describe())
        a.take()
        b.answered()
        both_hear(a, b)
        assert gateway.ctl("show", "stats")["sip"]["tls_handshakes"] == handshakes  # the old connections serve
        finish(gateway, a, b)


def test_a_listener_moves():
    with talking() as (lab, gateway, a, b):
        def move(tree):
            listener = next(one for one in tree["sip"]["listener"] if one["name"] == "carriers-tls")
            listener["port"] = 5071

        change(gateway, move)
        undisturbed(a, b)
        c = agent(lab, "carrier-c")
        try:
            c.connect()
            raise LabError("the old port still takes connections")
        except ConnectionRefusedError:
            pass
        c.gateway = (OUTSIDE, 5071)
        c.connect()
        b.reinvite(b.describe())  # the call goes on over the connections that it has
        a.take()
        b.answered()
        both_hear(a, b)
        finish(gateway, a, b)


def test_a_listener_gets_a_name():
    with talking() as (lab, gateway, a, b):
        def name(tree):
            listener = next(one for one in tree["sip"]["listener"] if one["name"] == "carriers-tls")
            listener["advertised-host"] = "sbc.example.net"

        change(gateway, name)
        undisturbed(a, b)
        a.reinvite(a.describe())
        offer = b.take()
        a.answered()
        for header in ("Contact: <sip:", "Via: SIP/2.0/TLS "):
            line = next(one for one in offer.text.split("\r\n") if one.startswith(header))
            assert "sbc.example.net:5061" in line and OUTSIDE not in line, line
        finish(gateway, a, b)


def test_a_udp_listener_moves():
    """A call over UDP goes on where it began; for everybody else that address is gone."""
    with talking(b="phone") as (lab, gateway, a, b):
        def move(tree):
            for listener in tree["sip"]["listener"]:
                if listener["name"] == "core-udp":
                    listener["port"] = 5070

        change(gateway, move)
        undisturbed(a, b)
        other = Agent(lab.host("phone"), "other", lab.ADDRESSES["phone"], (INSIDE, 5060), "udp", port=5080, media_port=36000)
        other.invite(NUMBERS["carrier-a"])
        refusal = other.expect(503)
        other.acknowledge(refusal)
        assert "removed" in refusal.get("Warning"), refusal.text
        b.reinvite(b.describe())
        a.take()
        b.answered()
        both_hear(a, b)
        finish(gateway, b, a)
        other.gateway = (INSIDE, 5070)
        other.invite(NUMBERS["carrier-a"])
        a.take()
        other.answered()
        other.bye()
        a.released()


def test_a_broken_file_changes_nothing():
    with talking() as (_, gateway, a, b):
        good = gateway_tree(gateway)
        said = reload(gateway, '{"srtp-gateway:gateway": {', "was not reloaded")
        assert "gateway.json" in said, said
        bad = json.loads(json.dumps(good))
        bad["srtp-gateway:gateway"]["trunks"]["trunk"][0]["realm"] = "nowhere"
        said = reload(gateway, bad, "was not reloaded")
        assert "trunk[name='carrier-a']/realm" in said, said
        bad = json.loads(json.dumps(good))
        bad["srtp-gateway:gateway"]["tls-profiles"]["tls-profile"][0]["certificate"] = "/nowhere.pem"
        said = reload(gateway, bad, "was not reloaded")
        assert "tls-profile[name='gateway']" in said and "/nowhere.pem" in said, said
        undisturbed(a, b)
        reload(gateway, good)
        undisturbed(a, b)
        finish(gateway, a, b)
