# SPDX-License-Identifier: Apache-2.0
"""A browser's call while it lasts: new keys, hold, ICE restarts, a control plane that dies; and what its network shows."""

import contextlib
import time

from lab.baresip import Phone
from lab.capture import packet_kind
from lab.ear import Ear
from lab.gateway import INSIDE, MEDIA, OUTSIDE, core
from lab.net import wait_for
from lab.web import BROWSER_TONE, PHONE_NUMBER, PHONE_TONE, WebNeighbourhood
from test_browser import assert_nothing_clear, assert_secure, end, newest, web
from test_calls import up
from test_reconfigure import change
from test_recovery import kill_control


def srtp_of(tree, trunk):
    return next(t for t in tree["trunks"]["trunk"] if t["name"] == trunk)["srtp"]


def left_alone(tree):
    """The phone, which is deaf after a key that it did not ask for, keeps its keys; so the browser alone gets new ones."""
    srtp_of(tree, "carrier-b")["reinvite-keys"] = "own-leg"


def impatient(tree):
    """The gateway waits 4 s for a handshake."""
    tree["dtls-policies"] = {"dtls-policy": [{"name": "d", "handshake-timeout": 4}]}
    srtp_of(tree, "browsers")["dtls-policy"] = "d"


@contextlib.contextmanager
def talking(kind, edit=lambda tree: None):
    """A call that both hear: (gateway, browser, phone, what is captured, the call's id)."""
    with web(kind) as (_, gateway, browser, phone, wire):
        change(gateway, lambda tree: (left_alone(tree), edit(tree)))
        browser.do("call", PHONE_NUMBER)
        browser.wait_call("up")
        ident = wait_for("the call is up", lambda: up(gateway))["id"]
        browser.wait_loud(25)
        yield gateway, browser, phone, wire, ident


def leg_of(gateway, ident):
    """The browser's."""
    return next(leg for leg in gateway.ctl("show", "call", ident)["legs"] if "ice" in leg)


def both_hear(gateway, browser, ident, packets=50):
    """That many more packets each way, by the gateway's account and by the browser's; its loudspeaker is not silent."""
    def now():
        leg, stats = leg_of(gateway, ident), browser.do("stats")
        counts = [leg["rx"]["packets"], leg["tx"]["packets"], stats["packetsSent"], stats["packetsReceived"]]
        return [int(n) for n in counts], stats

    before, _ = now()

    def enough():
        counts, stats = now()
        return stats["audioLevel"] > 0.1 and all(a >= b + packets for a, b in zip(counts, before))

    wait_for("both hear each other", enough, 40, step=0.2)


def renew(gateway, browser, ident):
    """New keys for an operator, and what shows that it is another association: the browser's word, and the port."""
    before, epoch = browser.do("stats"), leg_of(gateway, ident)["key-epoch"]
    port = leg_of(gateway, ident)["local-address"]
    assert int(gateway.ctl("rekey", ident)["srtp-gateway:legs"]) == 1
    wait_for("the leg has new keys", lambda: leg_of(gateway, ident)["key-epoch"] > epoch)
    leg = leg_of(gateway, ident)
    assert leg["last-renewal"] == "renewed" and leg["local-address"] != port, leg
    both_hear(gateway, browser, ident)
    now = browser.do("stats")
    assert now["dtlsState"] == "connected" and now["peerFingerprint"] != before["peerFingerprint"], (before, now)


def renewals(gateway):
    """What came of those that an operator asked for."""
    row = next(r for r in gateway.ctl("show", "stats")["rekey"] if r["cause"] == "operator")
    return {result: int(n) for result, n in row.items() if result != "cause"}


def assert_only_secure(wire):
    """Whatever went to and fro between the browser and the gateway's media ports was STUN, DTLS or SRTP."""
    assert_nothing_clear(wire)
    kinds = {packet_kind(d) for _, d in wire.media(OUTSIDE, MEDIA)}
    assert kinds == {"STUN", "DTLS", "RTP", "RTCP"}, kinds


def test_chromium_takes_new_keys_and_restarts_ice():
    with talking("chromium") as (gateway, browser, _, wire, ident):
        renew(gateway, browser, ident)
        browser.do("restart")
        both_hear(gateway, browser, ident)
        renew(gateway, browser, ident)
        assert renewals(gateway) == {"renewed": 2, "one-way": 0, "refused": 0, "given-up": 0}, renewals(gateway)
        assert_secure(browser.do("stats"), newest(gateway))
        end(gateway, browser, lambda: browser.do("hangup"))
        assert_only_secure(wire)


def test_firefox_keeps_its_keys_and_is_not_asked_again():
    """It answers the offer of a second association, restarts ICE and goes on with the first."""
    with talking("firefox", edit=impatient) as (gateway, browser, phone, wire, ident):
        before = browser.do("stats")
        assert int(gateway.ctl("rekey", ident)["srtp-gateway:legs"]) == 1
        wait_for("it is given up", lambda: leg_of(gateway, ident).get("last-renewal") == "given-up")
        assert int(gateway.ctl("rekey", ident)["srtp-gateway:legs"]) == 0
        assert renewals(gateway) == {"renewed": 0, "one-way": 0, "refused": 1, "given-up": 1}, renewals(gateway)
        browser.do("restart")
        both_hear(gateway, browser, ident)
        leg, now = leg_of(gateway, ident), browser.do("stats")
        assert leg["key-epoch"] == 1 and int(leg["verdicts"].get("auth-fail", 0)) == 0, leg
        assert now["packetsLost"] - before["packetsLost"] <= 5, (before, now)
        end(gateway, browser, phone.hangup)
        assert_only_secure(wire)


def deaf_and_mute(browser):
    """Nothing is played that was not said half a second before."""
    def quiet():
        before = browser.do("stats")["packetsReceived"]
        time.sleep(0.5)
        now = browser.do("stats")
        return now["packetsReceived"] == before and now["audioLevel"] < 0.01

    wait_for("the browser hears nothing", quiet)


def speaks_again(browser, ear):
    def loud():
        now = browser.do("stats")
        return now["packetsReceived"] > 25 and now["audioLevel"] > 0.1

    wait_for("the browser hears something", loud, 40, step=0.2)
    ear.wait_tone()


def hold_and_resume(kind):
    """By the browser, then by the phone, a plain one: on its network everything that it hears can be listened to."""
    with WebNeighbourhood() as lab:
        gateway = lab.web_gateway(core("core", lab.ADDRESSES["phone"]))
        phone = Phone(lab.host("phone"), PHONE_NUMBER, lab.ADDRESSES["phone"], PHONE_TONE, "eth0", "udp", secure=None)
        ear = Ear(lab.host("phone"), "eth0", INSIDE, BROWSER_TONE)
        browser = lab.browser(kind)
        browser.do("call", PHONE_NUMBER)
        browser.wait_call("up")
        speaks_again(browser, ear)
        for hold, resume in ((lambda: browser.do("hold"), lambda: browser.do("resume")),
                             (lambda: phone.command("hold"), lambda: phone.command("resume"))):
            hold()
            ear.wait_silence()
            deaf_and_mute(browser)
            resume()
            speaks_again(browser, ear)
        end(gateway, browser, lambda: browser.do("hangup"))
        gateway.stop()


def test_chromium_holds_and_is_held():
    hold_and_resume("chromium")


def test_firefox_holds_and_is_held():
    hold_and_resume("firefox")


def speak_without_loss(kind, seconds):
    """Not a packet less than was sent: by the browser's statistics, and by sequence numbers on the phone's side."""
    with talking(kind) as (gateway, browser, _, wire, ident):
        before, began = browser.do("stats"), time.time()
        time.sleep(seconds)
        ended, now = time.time(), browser.do("stats")
        assert now["packetsLost"] == before["packetsLost"], (before, now)
        assert now["packetsReceived"] - before["packetsReceived"] > seconds * 45, (before, now)
        end(gateway, browser, lambda: browser.do("hangup"))
        wire.stop()
        numbers = [number for _, number in wire.rtp(OUTSIDE, WebNeighbourhood.ADDRESSES["carrier-b"], began, ended)]
        assert len(numbers) > seconds * 45, len(numbers)
        missing = {(numbers[0] + i) % 65536 for i in range(len(numbers))} ^ set(numbers)
        assert not missing, sorted(missing)
        assert_only_secure(wire)


def test_ten_seconds_lose_nothing():
    speak_without_loss("chromium", 10)


def long_test_a_minute_of_chromium_loses_nothing():
    speak_without_loss("chromium", 60)


def long_test_a_minute_of_firefox_loses_nothing():
    speak_without_loss("firefox", 60)


def test_a_browsers_call_outlives_the_control_plane():
    """Media goes on while it is away; then the browser connects again, restarts ICE, and takes new keys."""
    with talking("chromium") as (gateway, browser, _, wire, ident):
        before = browser.do("stats")

        def still_heard():
            return browser.do("stats")["packetsReceived"] > before["packetsReceived"] + 100

        kill_control(gateway, lambda: wait_for("the browser hears on", still_heard, 40, step=0.2))
        wait_for("the browser is here again", lambda: "user: registered" in gateway.controlplane.output())
        browser.do("restart")
        both_hear(gateway, browser, ident)
        renew(gateway, browser, ident)
        end(gateway, browser, lambda: browser.do("hangup"))
        assert_only_secure(wire)
