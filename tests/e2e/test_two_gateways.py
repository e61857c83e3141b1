# SPDX-License-Identifier: Apache-2.0
"""Two gateways with a DTLS-SRTP trunk between them, and a carrier behind each that has SDES."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab.agent import Agent
from lab.gateway import CM_80, GCM_256, OUTSIDE, SECOND, Neighbourhood, build_dir, carrier
from lab.net import Skip, wait_for
from lab.party import NUMBERS, agent, assert_nothing_lost, both_hear, established, finish
from test_audit import records


def between(address):
    """The trunk to the other gateway."""
    trunk = carrier("other", address, (GCM_256, CM_80), **{"rtcp-mux": "offer"})
    trunk["srtp"] |= {"keying": ["dtls"], "dtls-policy": "between"}
    return trunk


def has_dtls13():
    return os.path.exists(os.path.join(build_dir(), "controlplane", "dtls", "nss", "srtpgw-dtls-nss.so"))


@contextlib.contextmanager
def joined(max_version="1.3", **more):
    """(lab, gateway of a, gateway of b, a, b), no call yet."""
    more["dtls-policies"] = {"dtls-policy": [{"name": "between", "max-version": max_version}]}
    with Neighbourhood() as lab:
        first = lab.gateway([carrier("carrier-a", lab.ADDRESSES["carrier-a"]), between(SECOND)],
                            [("carrier-a", "", "other"), ("other", "", "carrier-a")],
                            audit={"file": lab.path("first.jsonl")}, **more)
        second = lab.second_gateway([carrier("carrier-b", lab.ADDRESSES["carrier-b"]), between(OUTSIDE)],
                                    [("carrier-b", "", "other"), ("other", "", "carrier-b")],
                                    audit={"file": lab.path("second.jsonl")}, **more)
        b = Agent(lab.host("carrier-b"), "carrier-b", lab.ADDRESSES["carrier-b"], (SECOND, 5061), "tls",
                  lab.identity("carrier-b"), lab.ca.cert, (CM_80,), user="+4940200")
        yield lab, first, second, agent(lab, "carrier-a"), b
        first.stop()
        second.stop()


def trunk_leg(gateway):
    return next(leg for leg in gateway.ctl("show", "call", established(gateway))["legs"] if leg["trunk"] == "other")


def connect(first, second, a, b):
    """Both talk as soon as the gateways have their first keys: what comes before is not sent on."""
    a.invite(NUMBERS[b.name])
    b.take()
    a.answered()
    for gateway in (first, second):
        wait_for("the gateways share keys", lambda: trunk_leg(gateway).get("suite"))
    for one in (a, b):
        one.talker.tell("send", "on")
    both_hear(a, b)


def kept_waiting(gateway):
    """This machine took more than the 200 ms that packets wait for their key."""
    return any(int(leg["verdicts"]["held-expired"]) for leg in gateway.ctl("show", "call", established(gateway))["legs"])


def described(gateway, ident):
    """(port, fingerprint) of every description that the gateway sent on the trunk, in order."""
    said = []
    for m in gateway.ctl("trace", ident)["messages"]:
        lines = m["text"].split("\r\n")
        at = {line.split(":")[0].split(" ")[0]: line for line in lines}
        if m["direction"] == "out" and "a=fingerprint" in at:
            said.append((at["m=audio"].split()[1], at["a=fingerprint"]))
    return said


def renew(gateway, far, agent_, other, number):
    """New keys on the trunk, asked for at one gateway, and for both agents: the far gateway's passes the offer on."""
    assert int(gateway.ctl("rekey", established(gateway))["srtp-gateway:legs"]) == 2
    for one in (agent_, other):
        one.take()
    for one in (gateway, far):
        wait_for("both have the new association's keys", lambda: trunk_leg(one)["key-epoch"] == number)
    both_hear(agent_, other, 15)


def assert_recorded(record, version, renewals, odd):
    """All keys of the trunk's leg, each with what it was used for; odd: whether we asked for the second one."""
    leg, = [leg for leg in record["legs"] if leg["trunk"] == "other"]
    assert leg["dtls"]["version"] == version and leg["keying"] == "dtls", leg
    causes = ["setup"] + ["operator" if n % 2 == odd else "peer" for n in range(renewals)]
    assert [k["cause"] for k in leg["keys"]] == causes, leg["keys"]
    assert all(k["rx-packets"] > 0 and k["tx-packets"] > 0 and k["start"] for k in leg["keys"]), leg["keys"]
    assert sum(k["rx-packets"] for k in leg["keys"]) == leg["rx-packets"], leg
    assert not [name for name, n in leg["anomalies"].items() if n and name != "no-key"], leg


def renewed_without_loss(version, renewals, **more):
    with joined(**more) as (lab, first, second, a, b):
        connect(first, second, a, b)
        idents = established(first), established(second)
        assert trunk_leg(first)["dtls"]["version"] == version, trunk_leg(first)
        for n in range(renewals):
            if n % 2:
                renew(second, first, b, a, n + 2)
            else:
                renew(first, second, a, b, n + 2)
        if not kept_waiting(first) and not kept_waiting(second):
            assert_nothing_lost(a, b)
        for gateway, ident in zip((first, second), idents):
            said = described(gateway, ident)
            assert len(said) == renewals + 1, said
            assert len({fingerprint for _, fingerprint in said}) == renewals + 1, said
            asked = [one[0] != other[0] for one, other in zip(said, said[1:])]
            assert asked == [(n + (gateway is first)) % 2 == 1 for n in range(renewals)], said
        finish(first, a, b)
        for name, ident, odd in (("first", idents[0], 0), ("second", idents[1], 1)):
            record, = records(lab.path(f"{name}.jsonl"), "--call", ident)
            assert_recorded(record, version, renewals, odd)


def test_new_associations_lose_nothing():
    """Media flows while each side in turn asks for new keys: its certificate and port change, not a packet is lost."""
    renewed_without_loss("DTLSv1.3" if has_dtls13() else "DTLSv1.2", renewals=4)


def test_new_associations_of_dtls_1_2_lose_nothing():
    if not has_dtls13():
        raise Skip("the other test is this one: there is no module for DTLS 1.3")
    renewed_without_loss("DTLSv1.2", renewals=2, max_version="1.2")
