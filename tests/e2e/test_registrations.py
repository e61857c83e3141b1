# SPDX-License-Identifier: Apache-2.0
"""Registrations of accounts outlive the control plane: who can still be reached is called at once, by any way but a connection."""

import json
import os

from lab.account import Account, ha1
from lab.agent import Agent
from lab.gateway import CM_80, INSIDE, OUTSIDE, Gateway, Neighbourhood, carrier
from lab.journal import registrations
from lab.net import wait_for
from lab.party import agent, assert_no_session_left, both_hear

PASSWORD = "wonder land"
NUMBERS = {"desk": "+49891", "shop": "+49892", "home": "+49893"}
TLS_PORT = 5071
LISTENERS = [{"name": "carriers-tls", "transport": "tls", "address": OUTSIDE, "port": 5061, "realm": "carriers", "tls-profile": "gateway"},
             {"name": "homes-tls", "transport": "tls", "address": OUTSIDE, "port": TLS_PORT, "realm": "carriers", "tls-profile": "gateway"},
             {"name": "core-udp", "transport": "udp", "address": INSIDE, "port": 5060, "realm": "core"},
             {"name": "core-tcp", "transport": "tcp", "address": INSIDE, "port": 5060, "realm": "core"}]


class PhoneAgent(Account, Agent):
    """A phone with an account of the gateway's."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.has_account(PASSWORD)


def trunks(lab):
    """Inside, over UDP or TCP in the clear; outside, over TLS with SRTP; and a carrier, who calls them."""
    return [{"name": "desks", "realm": "core", "identify": {"listener": ["core-udp", "core-tcp"]}, "registrar": {},
             "srtp": {"mode": "none"}},
            {"name": "homes", "realm": "carriers", "identify": {"listener": ["homes-tls"]}, "registrar": {},
             "srtp": {"mode": "required", "crypto-profile": CM_80}, "_suites": [CM_80]},
            carrier("carrier-b", lab.ADDRESSES["carrier-b"])]


ROUTES = [("carrier-b", "+49893", "homes"), ("carrier-b", "+4989", "desks")]


def accounts():
    return {"user": [{"name": name, "trunk": "homes" if name == "home" else "desks", "number": [number],
                      "password-hash": {"sha-256": ha1(name, "srtpgw", PASSWORD)}} for name, number in NUMBERS.items()]}


def phone(lab, name):
    """desk: over UDP; shop: over TCP, with a Contact that it listens at; home: over TLS, and it listens nowhere that we connect to."""
    if name == "home":
        return PhoneAgent(lab.host("carrier-a"), name, lab.ADDRESSES["carrier-a"], (OUTSIDE, TLS_PORT), "tls", None, lab.ca.cert,
                          (CM_80,), user=name)
    transport, port, media = {"desk": ("udp", 5060, 30000), "shop": ("tcp", 5080, 31000)}[name]
    return PhoneAgent(lab.host("phone"), name, lab.ADDRESSES["phone"], (INSIDE, 5060), transport, port=port, media_port=media,
                      user=name)


def shown(gateway):
    """The registrations: account -> what is said of its one."""
    users = gateway.ctl("show", "registrations").get("gateway", {}).get("users", {}).get("user", [])
    return {u["name"]: u["state"]["registration"][0] for u in users}


def are_kept(gateway, n):
    wait_for("the registrations are written", lambda: len(registrations(gateway.path("calls"))) == n)


def rings(caller, called):
    """The phone is called, and both are heard."""
    caller.invite(NUMBERS[called.name])
    called.take()
    caller.answered()
    for one in (caller, called):
        one.talker.tell("send", "on")
    both_hear(caller, called)
    caller.bye()
    called.released()


def is_not_there(caller, name):
    caller.invite(NUMBERS[name])
    refused = caller.expect(480)
    assert "not registered" in refused.get("Reason"), refused.text
    caller.acknowledge(refused)


def registered(lab, gateway):
    phones = [phone(lab, name) for name in NUMBERS]
    for one in phones:
        one.register()
    are_kept(gateway, len(phones))
    return phones


def start_again(gateway, carrier_agent):
    gateway.start_controlplane()
    carrier_agent.hang_up_wires()


def test_phones_are_called_after_a_crash_and_after_a_restart():
    with Neighbourhood() as lab:
        gateway = lab.gateway(trunks(lab), ROUTES, listeners=LISTENERS, users=accounts())
        bob = agent(lab, "carrier-b")
        desk, shop, home = registered(lab, gateway)
        before = shown(gateway)
        gateway.kill(gateway.controlplane)
        start_again(gateway, bob)
        after = shown(gateway)
        assert {n: r["reachable"] for n, r in after.items()} == {"desk": True, "shop": True, "home": False}, after
        for name in NUMBERS:
            for member in ("id", "contact", "transport", "since"):
                assert after[name][member] == before[name][member], (after, before)
            assert 0 < after[name]["expires"] <= before[name]["expires"], (after, before)
        said = gateway.controlplane.output()
        assert "registrations of before the restart are there again registrations=3 without_connection=1" in said, said
        for one in (desk, shop):
            one.hang_up_wires()  # the other end is gone
            rings(bob, one)
        is_not_there(bob, "home")
        assert "has not connected again since the gateway was restarted" in gateway.controlplane.output()
        home.hang_up_wires()
        home.register()
        assert shown(gateway)["home"]["reachable"] is True
        rings(bob, home)
        # And when it is stopped as a service is.
        wait_for("it is written", lambda: len(registrations(gateway.path("calls"))) == 3)
        assert gateway.controlplane.stop(grace=60) == 0
        start_again(gateway, bob)
        for one in (desk, shop):
            one.hang_up_wires()
            rings(bob, one)
        gateway.ctl("disconnect", "desk")
        is_not_there(bob, "desk")
        are_kept(gateway, 2)
        assert_no_session_left(gateway)
        gateway.stop()


def test_a_journal_that_was_torn_and_an_account_that_was_removed():
    """What can be read is taken, and what is not there any more is told; the gateway starts in any case."""
    with Neighbourhood() as lab:
        config = lab.configuration(trunks(lab), ROUTES, listeners=LISTENERS, users=accounts())
        gateway = Gateway(lab.gateway_host, config)
        bob = agent(lab, "carrier-b")
        desk, shop, home = registered(lab, gateway)
        gateway.kill(gateway.controlplane)
        newest = os.path.join(gateway.path("calls"), sorted(n for n in os.listdir(gateway.path("calls")) if n.startswith("calls."))[-1])
        with open(newest, "r+b") as f:
            f.truncate(os.path.getsize(newest) - 20)  # the last one that registered: home
        users = config["srtp-gateway:gateway"]["users"]["user"]
        users[:] = [u for u in users if u["name"] != "shop"]
        with open(gateway.config_path, "w") as f:
            json.dump(config, f)
        start_again(gateway, bob)
        said = gateway.controlplane.output()
        assert "registrations=1 without_connection=0 expired=0 not_configured=1 damaged=0" in said, said
        assert "torn=1" in said, said
        rings(bob, desk)
        is_not_there(bob, "home")
        are_kept(gateway, 1)
        gateway.stop()
