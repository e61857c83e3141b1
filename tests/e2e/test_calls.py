# SPDX-License-Identifier: Apache-2.0
"""Calls between real phones: who heard what, what was on the wire, what the counters say."""

import contextlib
import os
import re
import sys
import time

from lab.baresip import Phone
from lab.capture import Capture, clear_packets, is_rtp
from lab.gateway import (CM_32, CM_80, GCM_128, GCM_256, INSIDE, MEDIA, OUTSIDE, OUTSIDE6, Neighbourhood, carrier, core,
                         simulated_card)
from lab.net import run, wait_for

TONE_A, TONE_B = 440, 1000
INJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "inject.py")


def phone(lab, name, user, tone, secure="srtp-mand", v6=False, seconds=60, **kw):
    inside = name == "phone"
    identity = None if inside else lab.identity(name)
    return Phone(lab.host(name), user, (lab.ADDRESSES6 if v6 else lab.ADDRESSES)[name], tone, "eth0",
                 "udp" if inside else "tls", secure=None if inside else secure,
                 certificate=identity and identity[2], ca=lab.ca.cert, seconds=seconds, **kw)


def up(gateway):
    calls = [c for c in gateway.ctl("show", "calls")["calls"] if c["state"] == "established"]
    return calls[0] if calls else None


@contextlib.contextmanager
def call(trunks, routes, caller, callee, dial, port="auto", capture=True, options=(), **phones):
    """A call that is up: (lab, gateway, caller's phone, callee's phone, call id, capture on the secure side)."""
    with Neighbourhood() as lab:
        gateway = lab.gateway(trunks, routes, port=port, options=options)
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0")) if capture else None
        b = phone(lab, *callee, **phones)
        a = phone(lab, *caller, **phones)
        a.dial(dial)
        ident = wait_for("the call is up", lambda: up(gateway))["id"]
        yield lab, gateway, a, b, ident, wire
        gateway.stop()


def packets_received(phone):
    """(packets, errors) of its last call, which is over, by the phone's own count."""
    return tuple(int(re.findall(rf"^{word}: +\d+ +(\d+)", phone.log(), re.M)[-1]) for word in ("packets", "errors"))


def hang_up(gateway, a):
    a.hangup()
    wait_for("the call has ended", lambda: gateway.ctl("show", "calls")["active"] == 0)
    time.sleep(0.3)  # baresip closes its recording when its call object goes


def assert_heard(listener, speaker, seconds):
    heard, length = listener.heard(speaker.tone_hz)
    assert heard >= seconds, f"{listener.name} heard {heard:.1f} s of {speaker.name}'s tone, {length:.1f} s recorded"


def assert_nothing_clear(wire, address=OUTSIDE):
    wire.stop()
    media = wire.media(address, MEDIA)
    rtp = [d for d in media if is_rtp(d[1])]
    assert len(rtp) > 50 and {out for out, _ in rtp} == {True, False}, f"only {len(rtp)} RTP packets captured"
    assert clear_packets(media, (TONE_A, TONE_B)) == 0, "clear media on the secure side"


def assert_clean(gateway, ident, lost=0):
    """An ended call without loss, forgeries, replays or clear packets."""
    legs = gateway.ctl("show", "call", ident)["legs"]
    for leg in legs:
        assert leg["rx"]["packets"] > 50 and leg["tx"]["packets"] > 50, leg
        assert leg["rx"]["lost"] <= lost and not leg["rx"]["auth-failures"] and not leg["rx"]["replays"], leg
    verdicts = gateway.ctl("show", "stats")["data-plane"]["verdicts"]
    assert verdicts["clear_refused"] == 0, verdicts
    return legs


def sdes_to_plain(seconds, port="auto", v6=False):
    addresses = Neighbourhood.ADDRESSES6 if v6 else Neighbourhood.ADDRESSES
    trunks = [carrier("carrier-a", addresses["carrier-a"], (CM_80,)), core("core", addresses["phone"])]
    gateway_uri = f"[{OUTSIDE6}]" if v6 else OUTSIDE
    with call(trunks, [(None, "+4930", "core")], ("carrier-a", "+4989100", TONE_A), ("phone", "+4930300", TONE_B),
              f"sip:+4930300@{gateway_uri}:5061;transport=tls", port=port, v6=v6,
              seconds=seconds + 30) as (_, gateway, a, b, ident, wire):
        time.sleep(seconds)
        hang_up(gateway, a)
        assert_heard(b, a, seconds - 0.5)
        assert_heard(a, b, seconds - 0.5)
        assert_nothing_clear(wire, OUTSIDE6 if v6 else OUTSIDE)
        legs = assert_clean(gateway, ident)
        assert [leg["suite"] for leg in legs] == [CM_80, None], legs
        return gateway.dataplane.output()


def test_half_a_minute_sdes_to_plain_rtp_loses_nothing():
    sdes_to_plain(30)


def test_the_af_packet_fallback():
    assert "af_packet" in sdes_to_plain(4, port="af_packet")


def test_af_xdp_is_what_a_veth_gets_by_default():
    assert "af_xdp" in sdes_to_plain(3, port="auto")


def test_ipv6_sdes_to_plain_rtp():
    sdes_to_plain(4, v6=True)


def test_two_secure_legs_with_different_suites():
    trunks = [carrier("carrier-a", "192.0.2.10", (CM_80,)), carrier("carrier-b", "192.0.2.20", (GCM_256,))]
    with call(trunks, [(None, "+4940", "carrier-b")], ("carrier-a", "+4989100", TONE_A),
              ("carrier-b", "+4940200", TONE_B), f"sip:+4940200@{OUTSIDE}:5061;transport=tls",
              seconds=40) as (_, gateway, a, b, ident, wire):
        time.sleep(6)
        hang_up(gateway, a)
        assert_heard(b, a, 5.5)
        assert_heard(a, b, 5.5)
        assert_nothing_clear(wire)
        legs = assert_clean(gateway, ident)
        assert [leg["suite"] for leg in legs] == [CM_80, GCM_256], legs
        for leg in legs:
            assert leg["signalling"]["tls-version"] == "TLSv1.3", leg


def test_a_phone_of_the_feedback_profile_alone_is_called_and_calls():
    """It answers 488 to RTP/SAVP, and offers RTP/SAVPF with keys in SDP itself."""
    trunks = [carrier("carrier-a", "192.0.2.10", (CM_80,), **{"rtp-profile": "feedback-always"}), core("core", "10.20.0.10")]
    with Neighbourhood() as lab:
        gateway = lab.gateway(trunks, [("core", "+49", "carrier-a"), ("carrier-a", "+49", "core")])
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        a = phone(lab, "carrier-a", "+4989100", TONE_A, secure="srtp-mandf")
        b = phone(lab, "phone", "+4930300", TONE_B)
        for one, uri in ((b, f"sip:+4989100@{INSIDE}:5060;transport=udp"), (a, f"sip:+4930300@{OUTSIDE}:5061;transport=tls")):
            one.dial(uri)
            ident = wait_for("the call is up", lambda: up(gateway))["id"]
            assert_relayed(gateway, ident)
            hang_up(gateway, one)
            legs = assert_clean(gateway, ident)
            assert sorted(str(leg["suite"]) for leg in legs) == [CM_80, "None"], legs
        assert_heard(a, b, 1.0)
        assert_heard(b, a, 1.0)
        assert_nothing_clear(wire)
        gateway.stop()


def test_call_from_the_core_to_a_carrier_ended_by_the_called_side():
    trunks = [carrier("carrier-a", "192.0.2.10", (GCM_256, CM_80)), core("core", "10.20.0.10")]
    with call(trunks, [("core", "+49", "carrier-a")], ("phone", "+4930300", TONE_B), ("carrier-a", "+4989100", TONE_A),
              f"sip:+4989100@{INSIDE}:5060;transport=udp", seconds=40) as (_, gateway, a, b, ident, wire):
        time.sleep(4)
        hang_up(gateway, b)
        assert_heard(b, a, 3.5)
        assert_heard(a, b, 3.5)
        assert_nothing_clear(wire)
        assert_clean(gateway, ident)
        assert "called" in gateway.ctl("show", "call", ident)["end-reason"]


def core_to_carrier(suite):
    """baresip answers with any suite that it is offered, so that the gateway's policy can be seen to decide."""
    trunks = [carrier("carrier-a", "192.0.2.10", (suite,)), core("core", "10.20.0.10")]
    with call(trunks, [("core", "+49", "carrier-a")], ("phone", "+4930300", TONE_B), ("carrier-a", "+4989100", TONE_A),
              f"sip:+4989100@{INSIDE}:5060", seconds=40) as (_, gateway, a, b, ident, wire):
        time.sleep(3)
        hang_up(gateway, a)
        assert_heard(b, a, 2.5)
        assert_heard(a, b, 2.5)
        assert_nothing_clear(wire)
        assert [leg["suite"] for leg in assert_clean(gateway, ident)] == [None, suite]


def test_aead_aes_128_gcm():
    core_to_carrier(GCM_128)


def test_aes_cm_128_hmac_sha1_32():
    core_to_carrier(CM_32)


def test_a_simulated_card_fails_in_mid_call():
    """A card that stands still: nothing is lost or late enough to be missed, operators are told, it comes back."""
    trunks = [carrier("carrier-a", "192.0.2.10", (CM_80,)), carrier("carrier-b", "192.0.2.20", (GCM_256,))]
    card = f"fpga,sim={simulated_card()},fail=150000"
    with call(trunks, [(None, "+4940", "carrier-b")], ("carrier-a", "+4989100", TONE_A), ("carrier-b", "+4940200", TONE_B),
              f"sip:+4940200@{OUTSIDE}:5061;transport=tls", options=("--backend", card)) as (_, gateway, a, b, ident, wire):
        def crypto():
            return gateway.ctl("show", "stats")["data-plane"]["crypto"]

        wait_for("the card has failed", lambda: crypto()["failovers"] >= 1)
        wait_for("the card is back", lambda: crypto()["degraded"] == 0 and crypto()["overflow-keys"] == 0)
        software = crypto()["overflow-jobs"]
        assert crypto()["rescued"] >= 1, crypto()
        time.sleep(3)
        assert crypto()["overflow-jobs"] == software and crypto()["jobs"] > software + 300, crypto()
        hang_up(gateway, a)
        assert_heard(a, b, 3)
        assert_heard(b, a, 3)
        assert_clean(gateway, ident)
        assert_nothing_clear(wire)
        alarms = gateway.ctl("show", "stats")["data-plane"]["alarm"]
        assert [(a["kind"], a["raised"]) for a in alarms] == [("crypto-device", False)] and int(alarms[0]["times"]) >= 1, alarms
        log = gateway.controlplane.output()
        assert "alarm: a crypto device is out of use" in log and "alarm is over" in log, log
        # The card is there; the configuration did not ask for it.
        assert "runs another crypto backend than configured" in log, log


def test_a_dpdk_crypto_device():
    """Both legs' packets through a DPDK crypto device: heard, nothing lost, and it is the device that does them."""
    trunks = [carrier("carrier-a", "192.0.2.10", (CM_80,)), carrier("carrier-b", "192.0.2.20", (GCM_256,))]
    with call(trunks, [(None, "+4940", "carrier-b")], ("carrier-a", "+4989100", TONE_A), ("carrier-b", "+4940200", TONE_B),
              f"sip:+4940200@{OUTSIDE}:5061;transport=tls",
              options=("--backend", "cryptodev,vdev=crypto_aesni_mb")) as (_, gateway, a, b, ident, wire):
        def crypto():
            return gateway.ctl("show", "stats")["data-plane"]["crypto"]

        wait_for("two seconds of packets, each opened and protected", lambda: crypto()["jobs"] >= 400)
        hang_up(gateway, a)
        assert_heard(a, b, 1)
        assert_heard(b, a, 1)
        assert_clean(gateway, ident)
        assert_nothing_clear(wire)
        assert crypto()["overflow-jobs"] * 20 < crypto()["jobs"] and crypto()["failovers"] == 0, crypto()


def assert_relayed(gateway, ident, stands=False):
    """Both legs go on sending; with stands, neither does."""
    def sent():
        return [leg["tx"]["packets"] for leg in gateway.ctl("show", "call", ident)["legs"]]

    if stands:
        wait_for("nothing is relayed any more", lambda: sent() == (time.sleep(0.3), sent())[1])
        return
    before = sent()
    wait_for("both are heard", lambda: all(n > b + 50 for n, b in zip(sent(), before)))


def test_real_phones_hold_and_resume():
    """
    By the secure side, then by the plain one. What that causes are re-INVITEs of the gateway's to a phone that keeps
    the first key it heard: its trunk says so (test_media has endpoints that take new ones).
    """
    secure = carrier("carrier-a", "192.0.2.10", (CM_80,))
    secure["srtp"]["reinvite-keys"] = "own-leg"
    trunks = [secure, core("core", "10.20.0.10")]
    with call(trunks, [(None, "+49", "core")], ("carrier-a", "+4989100", TONE_A), ("phone", "+4930300", TONE_B),
              f"sip:+4930300@{OUTSIDE}:5061;transport=tls", seconds=60) as (_, gateway, a, b, ident, wire):
        for one in (a, b):
            assert_relayed(gateway, ident)
            one.command("hold")
            assert_relayed(gateway, ident, stands=True)
            one.command("resume")
            assert_relayed(gateway, ident)
        hang_up(gateway, a)
        legs = gateway.ctl("show", "call", ident)["legs"]
        # baresip's recorder stops at the first hold, also without a gateway between; its packet count does not.
        for one, other, leg in ((a, b, legs[0]), (b, a, legs[1])):
            assert_heard(one, other, 0.8)
            received, errors = packets_received(one)
            assert received >= leg["tx"]["packets"] - 10 and errors == 0, (one.name, received, errors, leg)
            assert leg["rx"]["auth-failures"] == 0, leg
        assert_nothing_clear(wire)


def test_caller_without_crypto_is_refused_and_told_why():
    with Neighbourhood() as lab:
        gateway = lab.gateway([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], [(None, "+49", "core")])
        a = phone(lab, "carrier-a", "+4989100", TONE_A, secure=None)
        a.dial(f"sip:+4930300@{OUTSIDE}:5061;transport=tls")
        a.wait_log("488")
        ended = gateway.ctl("show", "calls")["calls"]
        assert len(ended) == 1 and ended[0]["end-reason"].startswith("488 "), ended
        assert "without a=crypto" in ended[0]["end-reason"], ended
        assert gateway.ctl("show", "stats")["calls"]["counters"]["refused_media"] == 1
        gateway.stop()


def attack(mode, count):
    """A call of 5 s with an attacker on the caller's link. (what it sent, the caller's leg, the ended call's phones)"""
    trunks = [carrier("carrier-a", "192.0.2.10", (CM_80,)), core("core", "10.20.0.10")]
    with call(trunks, [(None, "+49", "core")], ("carrier-a", "+4989100", TONE_A), ("phone", "+4930300", TONE_B),
              f"sip:+4930300@{OUTSIDE}:5061;transport=tls", capture=False,
              seconds=40) as (lab, gateway, a, b, ident, _):
        time.sleep(0.5)
        sent = int(lab.host("carrier-a").exec(sys.executable, INJECT, "eth0", OUTSIDE, mode, str(count)))
        time.sleep(4)
        hang_up(gateway, a)
        assert_heard(b, a, 4)
        assert_heard(a, b, 4)
        return sent, gateway.ctl("show", "call", ident)["legs"]


def test_replayed_packets_are_counted_and_come_out_nowhere():
    sent, (secure, plain) = attack("replay", 50)
    assert sent == 50 and secure["rx"]["replays"] == 50, (sent, secure)
    assert plain["tx"]["packets"] == secure["rx"]["packets"], (secure, plain)


def test_forged_packets_harm_nobody():
    sent, (secure, plain) = attack("forge", 600)
    assert sent == 600 and secure["rx"]["auth-failures"] == 600, (sent, secure)
    assert plain["tx"]["packets"] == secure["rx"]["packets"] and secure["rx"]["lost"] <= 0, (secure, plain)


def test_strangers_packets_cost_a_bounded_number_of_trials():
    sent, (secure, _) = attack("wrong-source", 2000)
    tried = secure["rx"]["auth-failures"] + secure["rx"]["replays"]
    assert sent == 2000 and tried <= 40, (sent, secure)
    assert secure["verdicts"]["trial_limit"] >= 1900, secure


def test_gateway_script_runs_in_the_foreground_and_ends_cleanly():
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with Neighbourhood() as lab:
        import json
        path = lab.path("own.json")
        with open(path, "w") as f:
            json.dump(lab.configuration([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")],
                                        [(None, "+49", "core")]), f)
        process = lab.gateway_host.start("gateway-script", os.path.join(top, "scripts", "gateway"), "--config", path,
                                         "--interface", "ext0", "--interface", "core0", "--run", lab.path("run"))
        wait_for("the gateway is ready", lambda: "data plane is ready" in process.output())
        children = run("pgrep", "-P", str(process.pid)).split()
        assert process.stop() == 0, process.output()
        assert not any(os.path.exists(f"/proc/{pid}") for pid in children), "a plane outlived the script"
