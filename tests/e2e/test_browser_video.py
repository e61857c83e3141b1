# SPDX-License-Identifier: Apache-2.0
"""A real browser with audio and video: all on one transport there (BUNDLE), each on its own towards a phone."""

import contextlib

from lab.baresip import SEES, VIDEO, Phone
from lab.capture import Capture, clear_packets, is_rtp
from lab.gateway import CM_80, GCM_256, MEDIA, OUTSIDE
from lab.net import wait_for
from lab.web import (BROWSER_TONE, NUMBER, PHONE_NUMBER, PHONE_TONE, SECOND_NUMBER, SECOND_USER, WebNeighbourhood)
from test_audit import ctl, records
from test_calls import up
from test_reconfigure import change


class VideoNeighbourhood(WebNeighbourhood):
    def sdes_phone(self, seconds=60):
        return Phone(self.host("carrier-b"), PHONE_NUMBER, self.ADDRESSES["carrier-b"], PHONE_TONE, "eth0",
                     certificate=self.identity("carrier-b")[2], ca=self.ca.cert, seconds=seconds, extra=VIDEO)


@contextlib.contextmanager
def web(kind="chromium"):
    """(gateway, a browser, registered, a phone); both have audio and video, and nothing of either is clear on the wire."""
    with VideoNeighbourhood() as lab:
        gateway = lab.web_gateway(audit={"file": lab.path("audit.jsonl")})
        wire = Capture(*lab.far_end(lab.gateway_host, "ext0"))
        phone, browser = lab.sdes_phone(), lab.browser(kind, shows="blue")
        yield gateway, browser, phone
        browser.do("hangup")
        wait_for("the call has ended", lambda: gateway.ctl("show", "calls")["active"] == 0)
        wire.stop()
        media = wire.media(OUTSIDE, MEDIA)
        assert sum(is_rtp(d) for _, d in media) > 100, len(media)
        assert clear_packets(media, (BROWSER_TONE, PHONE_TONE)) == 0, "clear media"
        gateway.stop()
        assert_recorded(lab.path("audit.jsonl"))


def assert_recorded(path):
    """The audit of each call: one transport towards the browser, two towards the phone, which the side's numbers sum up."""
    sessions = [r for r in records(path) if r["type"] == "session" and r["status"] == 200]
    assert sessions
    for session in sessions:
        browsers, phones = sorted(session["legs"], key=lambda leg: leg["keying"])
        assert "transports" not in browsers, browsers
        assert [t["m-lines"] for t in phones["transports"]] == [["audio"], ["video"]], phones
        assert all(t["suite"] == CM_80 and t["keys"] and t["rx-packets"] and t["tx-packets"]
                   for t in phones["transports"]), phones
        for way in ("rx-packets", "tx-packets"):
            assert phones[way] == sum(t[way] for t in phones["transports"]) == sum(k[way] for k in phones["keys"]), phones
    assert "transport 2 video" in ctl("show", path).stdout and "CM_128" in ctl("suites", path).stdout


def pictures(browser, frames):
    """Until the browser has decoded so many more frames; its account of the video then."""
    before = browser.do("stats")["video"]["framesDecoded"]

    def enough():
        video = browser.do("stats")["video"]
        return video if video["framesDecoded"] >= before + frames else None

    return wait_for(f"the browser decodes {frames} frames", enough, 60, step=0.2)


def legs(gateway):
    return gateway.ctl("show", "call", up(gateway)["id"])["leg"]


def assert_one_transport(gateway, browser):
    """The browser's audio and video have one transport and one association; the phone's are two legs under SDES."""
    video = browser.do("stats")["video"]
    assert video["transports"] == 1 and video["codec"] == "VP8", video
    assert {leg["keying"]: leg["suite"] for leg in legs(gateway)} == {"dtls": GCM_256, "sdes": CM_80}, legs(gateway)
    assert all(leg["tx"]["clear-packets"] == 0 for leg in legs(gateway)), legs(gateway)
    assert media_of(gateway) == [[["audio", "video"]], [["audio"], ["video"]]], legs(gateway)


def media_of(gateway):
    """Of each side, what is on each of its transports."""
    return [[t["media"] for t in leg["transport"]] for leg in sorted(legs(gateway), key=lambda leg: leg["keying"])]


def video_leg(gateway):
    """The phone's second."""
    return next(leg for leg in legs(gateway) if leg["keying"] == "sdes")["transport"][1]


def renewed(gateway):
    """New keys for an operator: the whole of the browser's transport moves to a port of its own, with a new association."""
    def browsers():
        return next(leg for leg in legs(gateway) if leg["keying"] == "dtls")

    before = browsers()
    gateway.ctl("rekey", up(gateway)["id"])
    wait_for("the browser has new keys", lambda: browsers()["key-epoch"] > before["key-epoch"])
    assert browsers()["local-address"] != before["local-address"], browsers()


def as_baresip_is(tree):
    """It knows no SAVPF, and is deaf after a key that it did not ask for."""
    trunk = next(t for t in tree["trunks"]["trunk"] if t["name"] == "carrier-b")
    trunk["rtp-profile"], trunk["srtp"]["reinvite-keys"] = "basic", "own-leg"


def see_each_other(gateway, browser, phone, hears):
    """The browser calls; hears() waits until it has heard enough."""
    change(gateway, as_baresip_is)
    browser.do("call", PHONE_NUMBER)
    browser.wait_call("up")
    pictures(browser, 20)
    hears()
    phone.wait_log(SEES, 60)
    assert_one_transport(gateway, browser)


def the_other_way_round(gateway, browser, phone):
    """The browser hangs up, and is called."""
    browser.do("hangup")
    wait_for("the call has ended", lambda: gateway.ctl("show", "calls")["active"] == 0)
    phone.dial(f"sip:{NUMBER}@{OUTSIDE}:5061;transport=tls")
    wait_for("a call is up again", lambda: up(gateway))
    browser.wait_call("up")
    pictures(browser, 20)
    wait_for("the phone sees the browser again", lambda: phone.log().count(SEES) == 2)
    assert_one_transport(gateway, browser)


def test_a_browser_and_a_phone_see_each_other():
    with web() as (gateway, browser, phone):
        see_each_other(gateway, browser, phone, lambda: browser.wait_heard(1.0))
        browser.do("hold")
        browser.do("resume")
        pictures(browser, 10)
        renewed(gateway)
        before = video_leg(gateway)
        pictures(browser, 10)
        wait_for("video goes both ways by the count of its own leg", lambda: all(
            video_leg(gateway)[way]["packets"] > before[way]["packets"] + 10 for way in ("rx", "tx")))
        the_other_way_round(gateway, browser, phone)


def test_firefox_and_a_phone_see_each_other():
    """Its audio and video, with RTX, RED and FEC offered; the phone has VP8 and nothing besides, and asks for pictures."""
    with web("firefox") as (gateway, browser, phone):
        see_each_other(gateway, browser, phone, lambda: browser.wait_loud(50))
        the_other_way_round(gateway, browser, phone)


PALETTE = {"blue": (0, 0, 255), "red": (255, 0, 0), "lime": (0, 255, 0), "white": (255, 255, 255), "black": (0, 0, 0)}


def sees(browser, whose):
    """The colours of the videos that it sees, as the m-lines have them."""
    def name(colour):
        return colour and min(PALETTE, key=lambda c: sum((a - b) ** 2 for a, b in zip(PALETTE[c], colour)))

    return [name(colour) for colour in browser.do(f"{whose}stats")["video"]["colours"]]


def test_a_camera_and_a_screen_reach_another_browser():
    """Payload types are the same for both: what tells them apart is the MID in packets, which each side hears from the
    gateway under the other's m-line."""
    with VideoNeighbourhood() as lab:
        gateway = lab.web_gateway()
        browser = lab.browser(shows="blue red")
        browser.set("second.autoAnswer", True)
        browser.do("second.register", lab.account(SECOND_USER, "lime white"))
        browser.do("call", SECOND_NUMBER)
        browser.wait_call("up")
        wait_for("the second sees both", lambda: sees(browser, "second.") == ["blue", "red"], 60, step=0.3)
        wait_for("the first sees both", lambda: sees(browser, "") == ["lime", "white"], 60, step=0.3)
        assert media_of(gateway) == [[["audio", "video", "video"]]] * 2, legs(gateway)
        assert all(leg["tx"]["clear-packets"] == 0 for leg in legs(gateway)), legs(gateway)
        browser.do("hangup")
        wait_for("the call has ended", lambda: gateway.ctl("show", "calls")["active"] == 0)
        gateway.stop()
