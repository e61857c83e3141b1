# SPDX-License-Identifier: Apache-2.0
"""Two hundred secure calls at once, every packet of theirs checked, while calls come and go, and a plane dies."""

import contextlib

from test_recovery import counters, saved_now

from lab.crowd import Crowd, all_up, assert_media, until
from lab.gateway import CM_80, GCM_256, OUTSIDE, Neighbourhood, carrier
from lab.net import wait_for
from lab.party import assert_no_session_left

CALLS = 200
RATE = 5  # packets a second, call and side: all in all what 40 usual calls have
LEAST = 10


@contextlib.contextmanager
def crowds():
    with Neighbourhood() as lab:
        trunks = [carrier("carrier-a", lab.ADDRESSES["carrier-a"], (CM_80,)),
                  carrier("carrier-b", lab.ADDRESSES["carrier-b"], (GCM_256,))]
        gateway = lab.gateway(trunks, [("carrier-a", "+49", "carrier-b"), ("carrier-b", "+49", "carrier-a")])
        a = Crowd(lab, "carrier-a", 0, (OUTSIDE, 5061), (CM_80,), "+49891", RATE)
        b = Crowd(lab, "carrier-b", 1, (OUTSIDE, 5061), (GCM_256,), "+49402", RATE)
        yield gateway, a, b
        gateway.stop()


def place(numbers, a, b):
    for number in numbers:
        a.place(number, "+4940")
        b.turn(0)
        a.turn(0)


def heard(crowd, numbers, least=LEAST):
    rows = crowd.generator.all()
    return all(rows[n]["good"] >= least for n in numbers)


def both_hear(a, b, what="every call is heard on both sides"):
    until(what, lambda: all(heard(c, list(c.calls)) for c in (a, b)), a, b)


def leave(by, numbers, a, b):
    for number in numbers:
        by.hang_up(number)
    until("they are gone", lambda: not set(numbers) & (set(a.calls) | set(b.calls)), a, b)


def distinct_keys(a, b):
    """Each key was used once: as many as offers and answers, on both sides."""
    return len(a.keys_seen), len(b.keys_seen)


def test_two_hundred_secure_calls_come_and_go():
    with crowds() as (gateway, a, b):
        place(range(CALLS), a, b)
        all_up(CALLS, a, b)
        stats = gateway.ctl("show", "stats")["data-plane"]
        assert stats["sessions"] == CALLS and stats["legs"] == 2 * CALLS, stats
        # A line of ours and one of the gateway's for each call and side, none of them twice.
        assert distinct_keys(a, b) == (2 * CALLS, 2 * CALLS)
        both_hear(a, b)
        for turn, by in enumerate((a, b)):
            first = turn * 60
            leave(by, list(range(first, first + 60)), a, b)
            place(range(CALLS + first, CALLS + first + 60), a, b)
            all_up(CALLS, a, b)
        both_hear(a, b)
        leave(a, list(a.calls), a, b)
        for crowd in (a, b):
            assert len(crowd.done) == CALLS + 120
            assert_media(crowd.done.values(), LEAST)
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
        assert_no_session_left(gateway)
        verdicts = gateway.ctl("show", "stats")["data-plane"]["verdicts"]
        assert not [v for v in ("clear_refused", "auth_fail", "replay", "no_key") if verdicts[v]], verdicts


def test_the_control_plane_is_killed_under_two_hundred_calls():
    with crowds() as (gateway, a, b):
        place(range(CALLS), a, b)
        all_up(CALLS, a, b)
        both_hear(a, b)
        saved_now(gateway)
        gateway.kill(gateway.controlplane)
        before = {c: {n: row["good"] for n, row in c.generator.all().items()} for c in (a, b)}
        wait_for("media goes on in every call", lambda: all(
            row["good"] >= before[c][n] + LEAST for c in (a, b) for n, row in c.generator.all().items()))
        gateway.start_controlplane()
        assert counters(gateway)["recovered"] == CALLS
        a.reconnect()
        b.reconnect()
        for crowd, numbers in ((a, range(0, 50)), (b, range(50, 100))):
            for number in numbers:
                crowd.change(number)
        all_up(CALLS, a, b)
        until("every peer was asked", lambda: min(a.asked_times, b.asked_times) >= CALLS, a, b)
        before = {c: {n: row["good"] for n, row in c.generator.all().items()} for c in (a, b)}
        until("every call is heard with its keys of now", lambda: all(
            row["good"] >= before[c][n] + LEAST for c in (a, b) for n, row in c.generator.all().items()), a, b)
        assert gateway.ctl("show", "stats")["data-plane"]["sessions"] == CALLS
        leave(a, range(0, CALLS, 2), a, b)
        leave(b, range(1, CALLS, 2), a, b)
        for crowd in (a, b):
            assert len(crowd.done) == CALLS
            assert_media(crowd.done.values(), 3 * LEAST)
        wait_for("no call is left", lambda: gateway.ctl("show", "calls")["active"] == 0)
        assert_no_session_left(gateway)
        assert counters(gateway)["ended_meanwhile"] == 0


def test_the_data_plane_is_killed_under_two_hundred_calls():
    """Every leg gets new keys by a re-INVITE, and is heard again by itself."""
    with crowds() as (gateway, a, b):
        place(range(CALLS), a, b)
        all_up(CALLS, a, b)
        both_hear(a, b)
        keys = distinct_keys(a, b)
        gateway.kill(gateway.dataplane)
        wait_for("it is noticed", lambda: not gateway.ctl("show", "stats")["data-plane"]["connected"])
        gateway.start_dataplane()
        # One of the gateway's and one in answer, each new.
        until("every leg has new keys", lambda: all(
            n >= before + 2 * CALLS for n, before in zip(distinct_keys(a, b), keys)), a, b)
        assert distinct_keys(a, b) == tuple(k + 2 * CALLS for k in keys)
        all_up(CALLS, a, b)
        before = {c: {n: row["good"] for n, row in c.generator.all().items()} for c in (a, b)}
        until("every call is heard again", lambda: all(
            row["good"] >= before[c][n] + LEAST for c in (a, b) for n, row in c.generator.all().items()), a, b)
        leave(a, list(a.calls), a, b)
        for crowd in (a, b):
            assert_media(crowd.done.values(), 2 * LEAST, whole=False)
        assert_no_session_left(gateway)
        assert f"all sessions are set up again sessions={CALLS} " in gateway.controlplane.output()
