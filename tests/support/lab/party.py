# SPDX-License-Identifier: Apache-2.0
"""Two agents with a call between them through the gateway, and what their users would say about it."""

import contextlib

from .agent import Agent
from .gateway import CM_80, GCM_256, INSIDE, OUTSIDE, Neighbourhood, carrier, core
from .net import wait_for

NUMBERS = {"carrier-a": "+4989100", "carrier-b": "+4940200", "carrier-c": "+4969400", "phone": "+4930300"}


def agent(lab, name, suites=(CM_80,), transport=None, identity=None, **kw):
    """An agent of the usual neighbourhood: over TLS with SRTP outside, over UDP in the clear inside."""
    trusted = name == "phone"
    transport = transport or ("udp" if trusted else "tls")
    identity = identity or (lab.identity(name) if transport == "tls" else None)
    gateway = (INSIDE, 5060) if trusted else (OUTSIDE, 5061)
    return Agent(lab.host(name), name, lab.ADDRESSES[name], gateway, transport, identity, lab.ca.cert,
                 () if trusted else suites, user=NUMBERS[name], **kw)


@contextlib.contextmanager
def parties(a="carrier-a", b="carrier-b", a_suites=(CM_80,), b_suites=(GCM_256,), changes=None, agents=None,
            one_wire=False, **kw):
    """
    (lab, gateway, calling agent, called agent) with trunks and routes for both, no call yet. changes: per agent,
    what its trunk has besides the usual; agents: the same for Agent; one_wire: one interface for everything; kw: for
    the gateway.
    """
    changes, agents = changes or {}, agents or {}
    with Neighbourhood() as lab:
        if one_wire:
            lab.on_one_wire()
        trunks = []
        for name, suites in ((a, a_suites), (b, b_suites)):
            make = (lambda n, s: core(n, lab.ADDRESSES[n])) if name == "phone" else (
                lambda n, s: carrier(n, lab.ADDRESSES[n], s))
            trunks.append({**make(name, suites), **changes.get(name, {})})
        gateway = lab.gateway(trunks, [(a, "+49", b), (b, "+49", a)], **kw)
        yield (lab, gateway, agent(lab, a, a_suites, **agents.get(a, {})), agent(lab, b, b_suites, **agents.get(b, {})))
        gateway.stop()


def rings(a, b):
    """b rings. Its INVITE, for the final response."""
    a.invite(NUMBERS[b.name])
    offer = b.expect("INVITE")
    b.respond(offer, 180, "Ringing")
    a.expect(180)
    return offer


def connect(a, b, **changes):
    """A call from a to b, both talking and heard."""
    a.invite(NUMBERS[b.name])
    b.take(**changes)
    a.answered()
    for one in (a, b):
        one.talker.tell("send", "on")
    both_hear(a, b)


@contextlib.contextmanager
def talking(*args, **kw):
    """parties(), with their call up and heard by both."""
    with parties(*args, **kw) as (lab, gateway, a, b):
        connect(a, b)
        yield lab, gateway, a, b


def both_hear(a, b, packets=25):
    a.talker.hears(b.talker, packets)
    b.talker.hears(a.talker, packets)


def established(gateway):
    calls = [c for c in gateway.ctl("show", "calls")["calls"] if c["state"] == "established"]
    return calls[0]["id"] if calls else None


def quiet_now(a, b):
    """Both stop talking, and what was on its way has arrived."""
    for one in (a, b):
        one.talker.tell("send", "off")

    def settled():
        return all(x.talker.of(y.talker)["last"] + 1 == y.talker.stats()["sent"] for x, y in ((a, b), (b, a)))

    with contextlib.suppress(Exception):
        wait_for("what is on its way arrives", settled, 2)


def assert_nothing_lost(a, b):
    """Every packet since the first that was heard arrived once, whole and in a key of the call."""
    quiet_now(a, b)
    for listener, speaker in ((a, b), (b, a)):
        stats, heard = listener.talker.stats(), listener.talker.of(speaker.talker)
        assert heard["lost"] == 0 and heard["copies"] == 0, (listener.name, heard)
        assert heard["last"] + 1 == speaker.talker.stats()["sent"], (listener.name, heard, speaker.talker.stats())
        assert not stats["clear"] and not stats["refused"] and not stats["corrupt"], (listener.name, stats)


def assert_no_session_left(gateway):
    wait_for("the data plane holds no session",
             lambda: gateway.ctl("show", "stats")["data-plane"].get("sessions") == 0)


def finish(gateway, a, b):
    """Both stop talking, a hangs up; both are done and nothing is left."""
    quiet_now(a, b)
    a.bye()
    b.released()
    wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
    assert_no_session_left(gateway)
    assert gateway.ctl("show", "stats")["data-plane"]["verdicts"]["clear_refused"] == 0
