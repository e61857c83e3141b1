# SPDX-License-Identifier: Apache-2.0
"""State, actions and notifications on the management socket while calls run."""

import time

from lab.net import wait_for
from lab.operator import Operator, Refused
from lab.party import connect, established, finish, parties, quiet_now, talking
from lab.state import plain


def refused(op, *args, **kw):
    try:
        op(*args, **kw)
    except Refused as e:
        return e
    raise AssertionError(f"{args} {kw} was not refused")


def test_one_answer_has_the_configuration_and_the_state_beside_it():
    with talking(b="phone") as (_, gateway, a, b), Operator(gateway) as op:
        ident = established(gateway)
        quiet_now(a, b)
        call = plain(op.get(f"/srtp-gateway:calls/call[id='{ident}']"))["calls"]["call"][0]
        sent = [x.talker.stats()["sent"] for x in (a, b)]
        assert [leg["rx"]["packets"] for leg in call["leg"]] == sent, (call, sent)
        assert [leg["media"] for leg in call["leg"]] == ["srtp", "rtp"] and call["leg"][0]["key-age"] < 600, call
        # A filter for a leaf gives that leaf, the entries' keys and nothing else.
        just = op.get("/srtp-gateway:calls/call/leg/rx/packets")["srtp-gateway:calls"]["call"][0]
        assert set(just) == {"id", "leg"} and set(just["leg"][0]) == {"side", "rx"}, just
        assert just["leg"][0]["rx"] == {"packets": str(sent[0])}, just  # RFC 7951: 64 bits are text
        trunk = op.get("/srtp-gateway:gateway/trunks/trunk[name='phone']")["srtp-gateway:gateway"]["trunks"]["trunk"][0]
        assert trunk["realm"] == "core" and trunk["state"]["active-calls"] == 1, trunk
        assert "state" not in op.ask("get-config", xpath="/srtp-gateway:gateway/trunks/trunk[name='phone']")[
            "srtp-gateway:gateway"]["trunks"]["trunk"][0]
        profile = op.get("/srtp-gateway:gateway/tls-profiles")["srtp-gateway:gateway"]["tls-profiles"]["tls-profile"][0]
        assert "private-key" in profile and "BEGIN" not in str(profile), profile
        ports = op.get("/srtp-gateway:gateway/media/interface[name='outside']/state")
        assert ports["srtp-gateway:gateway"]["media"]["interface"][0]["state"]["ports-in-use"] in (1, 2), ports
        xml = op.get("/srtp-gateway:calls/active", format="xml")
        assert "<active>1</active>" in xml and "urn:srtpgw:yang:srtp-gateway" in xml, xml
        everything = op.ask("get")
        assert {"srtp-gateway:gateway", "srtp-gateway:calls", "srtp-gateway:statistics",
                "ietf-netconf-monitoring:netconf-state"} <= set(everything), list(everything)
        session = everything["srtp-gateway:gateway"]["management"]["state"]["session"]
        assert any(s["door"] == "cli" for s in session), session
        for schema in everything["ietf-netconf-monitoring:netconf-state"]["schemas"]["schema"]:
            text = op.ask("get-schema", identifier=schema["identifier"], version=schema["version"])["text"]
            assert f"module {schema['identifier']} " in text, text[:200]
        assert refused(op.ask, "get-schema", identifier="nothing").tag == "invalid-value"
        assert refused(op.get, "/srtp-gateway:calls/call[").tag == "invalid-value"
        assert "limit" in refused(op.get, "/srtp-gateway:calls", limit=0).message
        finish(gateway, a, b)


def test_calls_come_a_page_at_a_time():
    with parties() as (_, gateway, a, b), Operator(gateway) as op:
        for _ in range(3):
            connect(a, b)
            a.bye()
            b.released()
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
        pages, after = [], {}
        while page := op.get("/srtp-gateway:calls/call/id", limit=2, **after).get("srtp-gateway:calls", {}).get("call"):
            pages.append([c["id"] for c in page])
            after = {"after": page[0]["id"]}
        assert [len(p) for p in pages] == [2, 1] and len({i for p in pages for i in p}) == 3, pages
        assert pages[0][0] > pages[1][0], "the newest page comes first"


def test_an_operator_ends_a_call():
    with talking() as (_, gateway, a, b), Operator(gateway) as op:
        ident = established(gateway)
        call = {"id": ident, "terminate": {"reason": "fraud"}}
        assert op.act({"srtp-gateway:calls": {"call": [call]}}) == {}
        for x in (a, b):
            x.released()
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
        assert gateway.ctl("show", "call", ident)["end-reason"] == "480 fraud"
        e = refused(op.act, {"srtp-gateway:calls": {"call": [call]}})
        assert e.tag == "data-missing" and ident in e.path, e
        assert refused(op.act, {"srtp-gateway:calls": {"call": [{"id": ident, "rekey": {}}]}}).tag == "data-missing"
        # What is no operation, and a value out of its range.
        assert refused(op.act, {"srtp-gateway:drain": {"timeout": 0}}).tag == "invalid-value"
        assert refused(op.act, {"srtp-gateway:statistics": {}}).tag == "invalid-value"


def test_a_drain_lets_calls_end_and_takes_no_new_ones():
    with talking() as (_, gateway, a, b), Operator(gateway) as op, Operator(gateway) as listener:
        assert listener.ask("subscribe", xpath="/srtp-gateway:trunk-state-change") == {}
        assert op.act({"srtp-gateway:drain": {"trunk": "carrier-a"}}) == {"srtp-gateway:remaining-calls": 1}
        told = listener.notification("trunk-state-change")
        assert told["trunk"] == "carrier-a" and told["oper-state"] == "draining", told
        finish(gateway, a, b)
        a.invite("+2001")
        a.acknowledge(a.expect(503))
        state = op.get("/srtp-gateway:gateway/trunks/trunk[name='carrier-a']/state")
        assert state["srtp-gateway:gateway"]["trunks"]["trunk"][0]["state"]["oper-state"] == "draining", state
        op.act({"srtp-gateway:resume": {"trunk": "carrier-a"}})
        assert listener.notification("trunk-state-change")["oper-state"] == "up"
        connect(a, b)
        # A drain with a deadline ends what is left.
        assert op.act({"srtp-gateway:drain": {"timeout": 1}}) == {"srtp-gateway:remaining-calls": 1}
        for x in (a, b):
            x.released()
        assert refused(op.act, {"srtp-gateway:drain": {"trunk": "nobody"}}).tag == "data-missing"


def test_notifications_are_heard_and_replayed():
    with parties(b="phone") as (_, gateway, a, b), Operator(gateway) as op:
        a.invite("+1")
        a.acknowledge(a.expect(404))
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
        # What was reported before is replayed, then what happens now comes.
        op.ask("subscribe", start_time=start)
        assert op.notification("dataplane-state-change")["connected"] is True
        assert "no route leads to this number" in op.notification("call-refused")["reason"]
        op.notification("replayComplete")
        gateway.dataplane.stop()
        told = op.notification("dataplane-state-change")
        assert told["connected"] is False and told["reason"], told
        assert refused(op.ask, "subscribe").tag == "in-use"
        with Operator(gateway) as later:
            stop = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1800))
            later.ask("subscribe", start_time=start, stop_time=stop, format="xml")
            marks = [later.next()["data"] for _ in range(2)]
            assert "replayComplete" in marks[0] and "notificationComplete" in marks[1], marks
        with Operator(gateway) as wrong:
            for args in ({"stream": "other"}, {"start_time": "yesterday"}, {"stop_time": start},
                         {"start_time": start, "stop_time": "2020-01-01T00:00:00Z"}, {"start_time": "2099-01-01T00:00:00Z"},
                         {"xpath": "]"}):
                assert refused(wrong.ask, "subscribe", **args).tag == "invalid-value", args
        gateway.start_dataplane()
        assert op.notification("dataplane-state-change")["restarted"] is True


def test_certificates_are_read_again_or_the_mistake_is_named():
    with parties(b="phone") as (lab, gateway, a, b), Operator(gateway) as op:
        profile = op.ask("get-config", xpath="/srtp-gateway:gateway/tls-profiles")["srtp-gateway:gateway"][
            "tls-profiles"]["tls-profile"][0]
        op.act({"srtp-gateway:reload-certificates": {}})
        certificate, key, *_ = lab.ca.issue("renewed", "192.0.2.1")
        with open(profile["certificate"], "wb") as f, open(certificate, "rb") as new:
            f.write(new.read())
        e = refused(op.act, {"srtp-gateway:reload-certificates": {}})
        assert e.tag == "operation-failed" and profile["certificate"] in e.message, e
        with open(profile["private-key"], "wb") as f, open(key, "rb") as new:
            f.write(new.read())
        assert op.act({"srtp-gateway:reload-certificates": {}}) == {"srtp-gateway:tls-profile": ["gateway"]}
        connect(a, b)
        finish(gateway, a, b)
