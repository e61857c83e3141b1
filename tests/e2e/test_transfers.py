# SPDX-License-Identifier: Apache-2.0
"""Calls that go elsewhere than they were sent to, and media that is encrypted where the peer can: with real phones."""

from lab.agent import Agent
from lab.baresip import Phone
from lab.capture import Capture, clear_packets, is_rtp
from lab.gateway import CM_80, INSIDE, MEDIA, OUTSIDE, Neighbourhood, carrier, core
from lab.net import wait_for
from lab.party import both_hear, connect, finish, parties

from test_metrics import LISTENER, metrics

TONE_A, TONE_B, TONE_C = 440, 1000, 1500


def outside_phone(lab, name, user, tone):
    return Phone(lab.host(name), user, lab.ADDRESSES[name], tone, "eth0", "tls", certificate=lab.identity(name)[2],
                 ca=lab.ca.cert)


def established(gateway):
    return [c for c in gateway.ctl("show", "calls")["calls"] if c["state"] == "established"]


def relays(gateway, ident):
    """Both legs of the call have sent a second's worth."""
    return all(leg["tx"]["packets"] > 50 for leg in gateway.ctl("show", "call", ident)["legs"])


def counter(gateway, name):
    return gateway.ctl("show", "stats")["calls"]["counters"][name]


def test_a_phone_of_the_core_transfers_its_caller_to_another_carrier():
    """
    The caller's phone calls the target itself, by way of the gateway: with SRTP on both legs, whatever the phone that
    asked for it has.
    """
    trunks = [carrier("carrier-a", "192.0.2.10", (CM_80,)), carrier("carrier-b", "192.0.2.20", (CM_80,)),
              core("core", "10.20.0.10", transfer="relay")]
    with Neighbourhood() as lab:
        gateway = lab.gateway(trunks, [(None, "+4930", "core"), (None, "+4940", "carrier-b")])
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        target = outside_phone(lab, "carrier-b", "+4940200", TONE_C)
        inside = Phone(lab.host("phone"), "+4930300", "10.20.0.10", TONE_B, "eth0", "udp", secure=None)
        a = outside_phone(lab, "carrier-a", "+4989100", TONE_A)
        a.dial(f"sip:+4930300@{OUTSIDE}:5061;transport=tls")
        first = wait_for("the first call is up", lambda: established(gateway))[0]["id"]
        inside.command("transfer", f"sip:+4940200@{INSIDE}")
        second = wait_for("the caller has called the target",
                          lambda: [c for c in established(gateway) if c["id"] != first])[0]["id"]
        wait_for("both legs of the new call are heard", lambda: relays(gateway, second))
        legs = gateway.ctl("show", "call", second)["legs"]
        assert [leg["suite"] for leg in legs] == [CM_80, CM_80], legs
        assert [leg["trunk"] for leg in legs] == ["carrier-a", "carrier-b"], legs
        wait_for("who asked has left", lambda: [c["id"] for c in established(gateway)] == [second])
        assert counter(gateway, "transfers") == 1
        a.hangup()
        wait_for("all is over", lambda: gateway.ctl("show", "calls")["active"] == 0)
        wait_for("the target was heard", lambda: target.heard(TONE_A)[0] > 0.5)
        wire.stop()
        media = wire.media(OUTSIDE, MEDIA)
        assert len([d for d in media if is_rtp(d[1])]) > 50
        assert clear_packets(media, (TONE_A, TONE_B, TONE_C)) == 0, "clear media on the secure side"
        gateway.stop()


def transfers(m):
    """What became of transfers, of the metrics: result -> how many."""
    return {n.split('"')[1]: v for n, v in m.items() if n.startswith("srtpgw_transfers_total{") and v}


def test_the_gateway_carries_out_a_transfer():
    """
    The caller's phone is asked for nothing but another media port: it stays in the call that it dialled, and the one who
    asked for the transfer is out of it.
    """
    trunks = [carrier("carrier-a", "192.0.2.10", (CM_80,), transfer="execute"),
              carrier("carrier-b", "192.0.2.20", (CM_80,)), core("core", "10.20.0.10")]
    with Neighbourhood() as lab:
        gateway = lab.gateway(trunks, [(None, "+4989", "carrier-a"), (None, "+4940", "carrier-b")], **LISTENER)
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        target = outside_phone(lab, "carrier-b", "+4940200", TONE_C)
        asks = outside_phone(lab, "carrier-a", "+4989100", TONE_A)
        caller = Phone(lab.host("phone"), "+4930300", "10.20.0.10", TONE_B, "eth0", "udp", secure=None)
        caller.dial(f"sip:+4989100@{INSIDE}:5060")
        first = wait_for("the first call is up", lambda: established(gateway))[0]["id"]
        wait_for("both are heard", lambda: relays(gateway, first))
        asks.command("transfer", f"sip:+4940200@{OUTSIDE}:5061;transport=tls")
        second = wait_for("the caller is connected with the target",
                          lambda: [c for c in established(gateway) if c["id"] != first])[0]["id"]
        wait_for("who asked is out of it", lambda: [c["id"] for c in established(gateway)] == [second])
        wait_for("both legs of the new call are heard", lambda: relays(gateway, second))
        call = gateway.ctl("show", "call", second)
        assert [leg["suite"] for leg in call["legs"]] == [None, CM_80], call
        assert [leg["trunk"] for leg in call["legs"]] == ["core", "carrier-b"], call
        assert call["predecessor"] == [first], call
        assert counter(gateway, "transfers_executed") == 1
        assert transfers(metrics(gateway)) == {"executed": 1}
        caller.hangup()
        wait_for("all is over", lambda: gateway.ctl("show", "calls")["active"] == 0)
        wait_for("the target heard the caller", lambda: target.heard(TONE_B)[0] > 0.5)
        wait_for("the caller heard both", lambda: min(caller.heard(TONE_A)[0], caller.heard(TONE_C)[0]) > 0.5)
        wire.stop()
        assert clear_packets(wire.media(OUTSIDE, MEDIA), (TONE_A, TONE_B, TONE_C)) == 0, "clear media on the secure side"
        gateway.stop()


def test_another_device_takes_its_place():
    """An INVITE with Replaces: who stays is offered new keys, and what it says arrives at the device that came."""
    with parties("phone", "carrier-b", b_suites=(CM_80,), changes={"carrier-b": {"replaces": "same-trunk"}},
                 **LISTENER) as (
            lab, gateway, phone, mobile):
        connect(mobile, phone)
        desk = Agent(lab.host("carrier-b"), "desk", lab.ADDRESSES["carrier-b"], mobile.gateway, "tls",
                     lab.identity("carrier-b"), lab.ca.cert, (CM_80,), media_port=31000, user="+4940201", port=5071)
        tag = {end: mobile.dialog[end].split("tag=")[1] for end in ("local", "remote")}
        desk.invite(phone.user, headers=[
            f"Replaces: {mobile.dialog['id']};to-tag={tag['remote']};from-tag={tag['local']}"])
        phone.take()
        desk.answered()
        mobile.released()
        desk.talker.tell("send", "on")
        both_hear(desk, phone)
        assert counter(gateway, "replaced") == 1
        assert metrics(gateway)['srtpgw_replaces_total{result="replaced"}'] == 1
        finish(gateway, desk, phone)


def test_a_trunk_that_may_not_transfer():
    trunks = [carrier("carrier-a", "192.0.2.10", (CM_80,)), core("core", "10.20.0.10")]
    with Neighbourhood() as lab:
        gateway = lab.gateway(trunks, [(None, "+49", "core")], **LISTENER)
        inside = Phone(lab.host("phone"), "+4930300", "10.20.0.10", TONE_B, "eth0", "udp", secure=None)
        a = outside_phone(lab, "carrier-a", "+4989100", TONE_A)
        a.dial(f"sip:+4930300@{OUTSIDE}:5061;transport=tls")
        ident = wait_for("the call is up", lambda: established(gateway))[0]["id"]
        wait_for("both are heard", lambda: relays(gateway, ident))
        inside.command("transfer", f"sip:+4940200@{INSIDE}")
        wait_for("it was refused", lambda: counter(gateway, "refused_transfer") == 1)
        assert counter(gateway, "transfers") == 0
        m = metrics(gateway)
        assert transfers(m) == {"refused": 1}
        # The call that it was asked for was not refused, nor was another.
        assert not [n for n, v in m.items() if n.startswith("srtpgw_calls_refused_total{") and v], m
        a.hangup()  # baresip, refused, hangs up by itself; other phones go on
        wait_for("all is over", lambda: gateway.ctl("show", "calls")["active"] == 0)
        gateway.stop()


def optional_call(secure):
    """A phone of the core with TLS, whose media is encrypted when it wants: the two legs as the gateway shows them."""
    listeners = [{"name": "carriers-tls", "transport": "tls", "address": OUTSIDE, "port": 5061, "realm": "carriers",
                  "tls-profile": "gateway"},
                 {"name": "core-tls", "transport": "tls", "address": INSIDE, "port": 5061, "realm": "core",
                  "tls-profile": "gateway"}]
    inside = {"name": "core", "realm": "core", "tls-profile": "gateway",
              "peer": [{"name": "core", "host": "10.20.0.10"}], "identify": {"source-address": ["10.20.0.10/32"]},
              "srtp": {"mode": "optional"}}
    with Neighbourhood() as lab:
        gateway = lab.gateway([carrier("carrier-a", "192.0.2.10", (CM_80,)), inside], [(None, "+49", "core")],
                              listeners=listeners)
        wire = Capture(*lab.far_end(lab.gateway_host, "core0"))
        b = Phone(lab.host("phone"), "+4930300", "10.20.0.10", TONE_B, "eth0", "tls", secure=secure,
                  certificate=lab.identity("phone")[2], ca=lab.ca.cert)
        a = outside_phone(lab, "carrier-a", "+4989100", TONE_A)
        a.dial(f"sip:+4930300@{OUTSIDE}:5061;transport=tls")
        ident = wait_for("the call is up", lambda: established(gateway))[0]["id"]
        wait_for("both are heard", lambda: relays(gateway, ident))
        legs = gateway.ctl("show", "call", ident)["legs"]
        a.hangup()
        wait_for("all is over", lambda: gateway.ctl("show", "calls")["active"] == 0)
        wait_for("the phone heard the caller", lambda: b.heard(TONE_A)[0] > 0.5)
        wire.stop()
        clear = clear_packets(wire.media(INSIDE, MEDIA), (TONE_A, TONE_B))
        gateway.stop()
        return legs, clear


def test_a_phone_that_can_encrypt_where_it_is_optional():
    legs, clear = optional_call("srtp")
    assert legs[1]["suite"] and clear == 0, (legs, clear)


def test_a_phone_that_cannot_encrypt_where_it_is_optional():
    legs, clear = optional_call(None)
    assert legs[1]["suite"] is None and clear > 50, (legs, clear)
