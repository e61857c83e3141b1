# SPDX-License-Identifier: Apache-2.0
"""
A carrier's session border controller of Kamailio and rtpengine, which ends SRTP in front of a phone that has none: by SDES,
by DTLS in each role, with ICE, with video; held, with keys renewed, and from each side.

    phone 10.20.0.10 -- [gateway] -- TLS, SRTP -- carrier-b 192.0.2.20 [Kamailio, rtpengine] 172.16.0.1 -- behind 172.16.0.30
"""

import contextlib
import json
import os

from lab.baresip import SEES, VIDEO, Phone
from lab.capture import Capture
from lab.gateway import CM_80, GCM_256, INSIDE, OUTSIDE, Neighbourhood, core
from lab.net import wait_for
from lab.proxy import EXAMPLES
from lab.rtpengine import BorderController
from test_calls import (TONE_A, TONE_B, assert_clean, assert_nothing_clear, assert_relayed, hang_up, packets_received,
                        phone, up)
from test_rekey import renewals

THEIR_INSIDE, BEHIND = "172.16.0.1", "172.16.0.30"
OURS, THEIRS = "+4930300", "+4940200"
LOST = 25  # packets that may be under way at a call's ends, at holds and before there are keys: who is deaf misses more
DTLS = ("UDP/TLS/RTP/SAVP SDES-off ICE=remove rtcp-mux-offer", "SDES-off ICE=remove rtcp-mux-accept")


@contextlib.contextmanager
def parties(srtp=(), offer=None, answer=None, extra=(), **more):
    """
    (gateway, the core's phone, the phone behind the controller), both ends as in the examples. srtp: what the trunk has in
    srtp besides; offer, answer: as of BorderController; extra: for the phones' configurations; more: for the trunk. Nothing was in the clear outside at the end.
    """
    with open(os.path.join(EXAMPLES, "kamailio-rtpengine.json")) as f:
        trunk = json.load(f)["srtp-gateway:gateway"]["trunks"]["trunk"][0]
    policies = {"rekey-policies": {"rekey-policy": [{"name": "aged", "interval": 10, "jitter": 0, "octets": "0"}]}}
    with Neighbourhood() as lab:
        host, address = lab.host("carrier-b"), lab.ADDRESSES["carrier-b"]
        lab.network("behind")
        lab.wire(host, "behind", "eth1", f"{THEIR_INSIDE}/24")
        lab.wire(lab.host("behind"), "behind", "eth0", f"{BEHIND}/24")
        trunk |= {"tls-profile": "gateway", "identify": {"source-address": [f"{address}/32"]}, **more}
        trunk["peer"][0]["host"] = address
        trunk["srtp"] |= dict(srtp)
        suites = {"crypto-profile": [{"name": "cm", "suite": [CM_80]}]}
        gateway = lab.gateway([trunk, core("core", lab.ADDRESSES["phone"], **{"rtp-profile": "basic"})],
                              [(trunk["name"], "+", "core"), ("core", "+", trunk["name"])],
                              **{"crypto-profiles": suites, **policies})
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        BorderController(host, address, THEIR_INSIDE, OUTSIDE, BEHIND, lab.identity("carrier-b"), lab.ca.cert, offer, answer)
        a = phone(lab, "phone", OURS, TONE_A, seconds=120, extra=extra)
        b = Phone(lab.host("behind"), THEIRS, BEHIND, TONE_B, "eth0", "udp", secure=None, outbound=f"sip:{THEIR_INSIDE}",
                  seconds=120, extra=extra)
        yield gateway, a, b
        assert_nothing_clear(wire)
        gateway.stop()


def shown(gateway, ident, secure=True):
    return next(leg for leg in gateway.ctl("show", "call", ident)["legs"] if bool(leg["suite"]) is secure)


def hold_and_resume(gateway, ident, *phones):
    for one in phones:
        one.command("hold")
        assert_relayed(gateway, ident, stands=True)
        one.command("resume")
        assert_relayed(gateway, ident)


def renew(gateway, ident):
    """For an operator; the secure leg's keys are others."""
    before = shown(gateway, ident)["key-epoch"]
    assert int(gateway.ctl("rekey", ident)["srtp-gateway:legs"]) == 1
    wait_for("the keys are others", lambda: shown(gateway, ident)["key-epoch"] > before)
    assert_relayed(gateway, ident)


def talk(gateway, a, b, inwards, by, calls, during):
    """
    A call that b makes (inwards) or is made to, and `by` ends: each hears the other, and by its count of packets still
    does after during(ident). calls: that there were before. Its secure leg while it was up.
    """
    if inwards:
        b.dial(f"sip:{OURS}@{THEIR_INSIDE}")
    else:
        a.dial(f"sip:{THEIRS}@{INSIDE}")
    ident = wait_for("the call is up", lambda: up(gateway))["id"]
    for _ in range(2):  # a second of it is heard before a hold, where recordings end
        assert_relayed(gateway, ident)
    during(ident)
    leg = shown(gateway, ident)
    hang_up(gateway, by)
    assert_clean(gateway, ident, lost=LOST)
    for one, other, sent in ((a, b, shown(gateway, ident, secure=False)), (b, a, shown(gateway, ident))):
        wait_for(f"{one.name} has heard {other.name}", lambda o=one, s=other: o.heard(s.tone_hz, calls)[0] >= 1.0)
        received, _ = packets_received(one)
        assert received >= sent["tx"]["packets"] - LOST, (one.name, received, sent)
    return leg


def both_ways(gateway, a, b, during):
    """The secure leg of a call to b, which b ends, and of one from b, which the gateway's side ends."""
    yield talk(gateway, a, b, False, b, 0, during)
    yield talk(gateway, a, b, True, a, 1, during)


def test_rtpengine_with_sdes_and_aes_256_gcm():
    with parties() as (gateway, a, b):
        def during(ident):
            hold_and_resume(gateway, ident, a, b)
            renew(gateway, ident)

        for leg in both_ways(gateway, a, b, during):
            assert (leg["keying"], leg["suite"], leg["rtcp-mux"]) == ("sdes", GCM_256, False), leg
            assert leg["rx"]["rtcp-packets"], leg


def test_rtpengine_with_aes_cm_and_keys_renewed_by_age():
    """It answers an offer's new key with the one that it has: those renewals go one way."""
    with parties({"crypto-profile": "cm", "rekey-policy": "aged"}, "RTP/SAVPF DTLS=off ICE=remove rtcp-mux-offer",
                 "ICE=remove rtcp-mux-accept", **{"rtcp-mux": "offer"}) as (gateway, a, b):
        def renewed():
            return int(renewals(gateway, "interval")["one-way"]) + int(renewals(gateway, "interval")["renewed"])

        def during(ident):
            before = renewed()
            wait_for("keys are renewed", lambda: renewed() > before)
            assert_relayed(gateway, ident)

        for leg in both_ways(gateway, a, b, during):
            assert (leg["keying"], leg["suite"], leg["rtcp-mux"]) == ("sdes", CM_80, True), leg
            assert leg["rx"]["rtcp-packets"], leg


def by_dtls(offer, answer, **more):
    with parties({"keying": ["dtls"]}, offer, answer, **{"rtcp-mux": "offer"}, **more) as (gateway, a, b):
        def during(ident):
            hold_and_resume(gateway, ident, a, b)
            renew(gateway, ident)

        for leg in both_ways(gateway, a, b, during):
            assert (leg["keying"], leg["suite"], leg["rtcp-mux"]) == ("dtls", GCM_256, True), leg
            assert leg["dtls"]["version"] == "DTLSv1.2" and leg["rx"]["rtcp-packets"], leg
            yield leg


def test_rtpengine_with_dtls():
    """It is the client when it answers, and the server when it has offered."""
    assert len(list(by_dtls(*DTLS))) == 2


def test_rtpengine_that_says_hello_and_then_that_it_waits():
    """Told to be passive where it answers, it has begun as a client by then: what it said is no word to the gateway's client."""
    assert len(list(by_dtls(f"DTLS=passive {DTLS[0]}", f"DTLS=passive {DTLS[1]}"))) == 2


def test_rtpengine_with_dtls_and_ice():
    offer, answer = (words.replace("ICE=remove", "ICE=force") for words in DTLS)
    for leg in by_dtls(offer.replace("SAVP", "SAVPF"), answer, ice="lite"):
        assert leg["ice"]["state"] == "nominated", leg


def test_rtpengine_with_dtls_keys_renewed_by_age():
    """A new association each time, whose keys are new both ways."""
    with parties({"keying": ["dtls"], "rekey-policy": "aged"}, *DTLS, **{"rtcp-mux": "offer"}) as (gateway, a, b):
        def during(ident):
            wait_for("keys are renewed", lambda: int(renewals(gateway, "interval")["renewed"]) >= 1)
            assert_relayed(gateway, ident)

        leg = talk(gateway, a, b, False, a, 0, during)
        assert leg["key-epoch"] >= 2, leg


def test_rtpengine_chooses_among_what_it_is_offered_with_ice():
    """It offers SDES and DTLS at once, and takes either that it is offered alone."""
    with parties({"keying": ["dtls", "sdes"]}, "RTP/SAVP ICE=force rtcp-mux-offer", "ICE=force rtcp-mux-accept", ice="lite",
                 **{"rtcp-mux": "offer"}) as (gateway, a, b):
        legs = list(both_ways(gateway, a, b, lambda ident: renew(gateway, ident)))
        assert [leg["keying"] for leg in legs] == ["dtls", "sdes"], legs
        assert [leg["ice"]["state"] for leg in legs] == ["nominated"] * 2, legs


def with_video(keying, offer, answer):
    """Audio and video, each with a port and keys of its own: seen, heard and renewed, whoever calls. The secure legs."""
    with parties({"keying": [keying]}, offer, answer, VIDEO, **{"rtcp-mux": "offer"}) as (gateway, a, b):
        for calls, (one, uri) in enumerate(((a, f"sip:{THEIRS}@{INSIDE}"), (b, f"sip:{OURS}@{THEIR_INSIDE}"))):
            one.dial(uri)
            ident = wait_for("the call is up", lambda: up(gateway))["id"]

            def lines():
                leg = next(leg for leg in gateway.ctl("show", "call", ident)["leg"] if leg["keying"] == keying)
                return leg["transport"]

            for phone_ in (a, b):
                wait_for(f"{phone_.name} sees the other", lambda p=phone_: p.log().count(SEES) > calls)
            renew(gateway, ident)
            before = lines()
            assert [line["media"] for line in before] == [["audio"], ["video"]], before
            wait_for("audio and video go both ways", lambda: all(
                new[way]["packets"] > old[way]["packets"] + 20 for new, old in zip(lines(), before) for way in ("rx", "tx")))
            wait_for("RTCP of both is heard", lambda: all(line["rx"]["rtcp-packets"] for line in lines()))
            yield lines()
            hang_up(gateway, one)
        verdicts = gateway.ctl("show", "stats")["data-plane"]["verdicts"]
        assert verdicts["clear_refused"] == 0, verdicts


def test_rtpengine_with_video_and_sdes():
    """Two m-lines in SAVPF; the phone of ours is told of the feedback in AVP, which is all that it takes."""
    for lines in with_video("sdes", "RTP/SAVPF DTLS=off ICE=remove rtcp-mux-offer", "ICE=remove rtcp-mux-accept"):
        assert [line["suite"] for line in lines] == [GCM_256] * 2, lines


def test_rtpengine_with_video_and_dtls():
    """No BUNDLE: an association for each m-line."""
    for lines in with_video("dtls", DTLS[0].replace("SAVP", "SAVPF"), DTLS[1]):
        assert [line["suite"] for line in lines] == [GCM_256] * 2, lines
        assert len({line["local-address"] for line in lines}) == 2, lines
