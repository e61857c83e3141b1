# SPDX-License-Identifier: Apache-2.0
"""
Random life of a gateway: calls of all kinds, what happens to them and around them, drawn from one seed, and what must
hold whatever happens. A step is drawn when the last one is done; after some of them the life settles, and is looked at.
"""

import heapq
import itertools
import json
import os
import random
import re
import select
import subprocess
import time

from .gateway import CM_32, CM_80, GCM_128, GCM_256, INSIDE, INSIDE6, OUTSIDE, OUTSIDE6, build_dir, carrier, core
from .net import PATIENCE, LabError, Patience
from .house import House
from .life_steps import BREAKS, CALLS, OPERATORS, step

CM_256 = "AES_256_CM_HMAC_SHA1_80"
GROWTH = 64 << 20  # octets: what all calls of a run need at once, and an allocator keeps
HEARD = 3  # packets: a side is heard again


class Broken(LabError):
    """Something that must hold does not; the text says what, the seed and the steps."""


def trunks(addresses, addresses6):
    """The parties that the houses of Life are."""
    life = {"session-expires": 90, "media-timeout": 40}
    a = carrier("carrier-a", addresses["carrier-a"], (CM_80, CM_32), transfer="execute", replaces="same-trunk", **life)
    b = carrier("carrier-b", addresses["carrier-b"], (GCM_256, GCM_128), transfer="execute", **life)
    b["srtp"]["rekey-policy"] = "soon"
    c = carrier("carrier-c", addresses["carrier-c"], (GCM_256, CM_80), transfer="execute", **{"rtcp-mux": "offer"}, **life)
    c["srtp"] |= {"keying": ["dtls"], "rekey-policy": "soon"}
    six = carrier("six", addresses6["carrier-a"], (CM_256,), **{**life, "media-timeout": 15})
    inside = core("phone", addresses["phone"], transfer="relay", replaces="any-trunk", **life)
    inside6 = core("phone6", addresses6["phone"], **life)
    return [a, b, c, six, inside, inside6]


PREFIXES = {"carrier-a": "+4989", "carrier-b": "+4940", "carrier-c": "+4969", "six": "+4906", "phone": "+4930",
            "phone6": "+4936"}


def resident(process):
    """Octets of its memory; 0 where a sanitizer keeps what was freed."""
    with open(f"/proc/{process.pid}/maps") as f:
        if "libasan" in f.read():
            return 0
    with open(f"/proc/{process.pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(process):
    """How many a process has, but for those of DPDK's memory, which stays with it."""
    count = 0
    for entry in os.scandir(f"/proc/{process.pid}/fd"):
        try:
            count += not re.search("memfd|huge", os.readlink(entry.path))
        except OSError:
            pass  # it was closed meanwhile
    return count


class Life:
    PACE = 100  # ms between two packets of a phone

    def __init__(self, lab, seed, most=24):
        """most: calls at once, but for those that transfers make."""
        self.lab, self.seed, self.rng, self.most = lab, seed, random.Random(seed), most
        self.luck = random.Random(seed + 1)  # what phones do by themselves, whose order is another each time
        self.began, self.steps, self.log = time.monotonic(), 0, open(lab.path("life.log"), "w")
        self.sip = open(lab.path("sip.log"), "w")
        self.numbers, self.timers, self.order = itertools.count(1), [], itertools.count()
        self.phones, self.plans, self.gw_keys, self.idents = [], {}, {}, {}
        self.troubles, self.gone, self.looks, self.sessions, self.silenced, self.counts = [], [], [], [], 0, {}
        self.told = []
        self.audit = lab.path("audit.jsonl")
        self.gateway = lab.gateway(
            trunks(lab.ADDRESSES, lab.ADDRESSES6), [(None, prefix, name) for name, prefix in PREFIXES.items()],
            audit={"file": self.audit, "checkpoint-records": 20},
            observability={"metrics-listener": {"port": 9464}},
            **{"rekey-policies": {"rekey-policy": [{"name": "soon", "interval": 12, "octets": "0"}]}})
        a, six = lab.ADDRESSES, lab.ADDRESSES6
        tls, tls6, udp, udp6 = (OUTSIDE, 5061), (OUTSIDE6, 5061), (INSIDE, 5060), (INSIDE6, 5060)

        def house(name, where, address, gateway, suites, keying="sdes", port=30000):
            return House(self, lab, name, where, address, gateway, "tls" if suites else "udp", suites, keying,
                         PREFIXES[name], port)

        self.houses = [
            house("carrier-a", "carrier-a", a["carrier-a"], tls, (CM_80,)),
            house("carrier-b", "carrier-b", a["carrier-b"], tls, (GCM_256,)),
            house("carrier-c", "carrier-c", a["carrier-c"], tls, (GCM_256,), "dtls"),
            house("six", "carrier-a", six["carrier-a"], tls6, (CM_256,), port=40000),
            house("phone", "phone", a["phone"], udp, ()),
            house("phone6", "phone", six["phone"], udp6, (), port=40000)]
        self.baseline = self.measure()

    # Time

    def tell(self, line):
        print(f"{time.monotonic() - self.began:8.3f} {line}", file=self.log, flush=True)

    def trace(self, house, way, text):
        print(f"{time.monotonic() - self.began:8.3f} {house.name} {way}\n{text}", file=self.sip)

    def later(self, seconds, what, phone=None):
        """phone: it is busy until then."""
        heapq.heappush(self.timers, (time.monotonic() + seconds, next(self.order), what, phone))

    def turn(self, seconds=0.05):
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            heapq.heappop(self.timers)[2]()
        owners = {s: h for h in self.houses for s in h.sockets()}
        writers = [s for s in owners if s is not owners[s].listener and s.wants_to_write()]
        wait = min(seconds, max(0, self.timers[0][0] - now)) if self.timers else seconds
        readable, writable, _ = select.select(list(owners), writers, [], wait)
        for s in writable:
            s.write()
        for s in readable:
            if s is owners[s].listener or s.open:
                owners[s].readable(s)
        for house in self.houses:
            house.turn()
        for phone in [p for p in self.phones if p.state == "over" and now - p.touched > 1]:
            self.account(phone)
        self.planes_run()
        self.both_are_told()

    def live(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.turn(min(0.05, max(0, end - time.monotonic())))

    def until(self, what, condition, seconds=PATIENCE):
        """condition: returns what is wrong, or nothing."""
        patience = Patience(seconds)
        while True:
            over = patience.over()
            wrong = condition()
            if not wrong:
                return
            if over:
                self.broken(f"{what}: not within {seconds:g} s: {wrong}")
            self.live(0.1)

    # What must hold

    def broken(self, what):
        self.tell(f"BROKEN: {what}")
        self.sip.flush()
        raise Broken(f"seed {self.seed}, after step {self.steps}: {what} (steps: {self.log.name})")

    def planes_run(self):
        for plane in (self.gateway.dataplane, self.gateway.controlplane):
            if plane not in self.gone and not plane.running():
                self.broken(f"{plane.name} ended by itself: {plane.output().strip()[-2000:]}")

    def troubled(self, since):
        return any(end is None or end + 3 >= since for _, _, end in self.troubles)

    def trouble(self, what):
        self.troubles.append([what, time.monotonic(), None])
        return self.troubles[-1]

    def keys_of(self, phone, m):
        """The gateway's keys in a description of its: each is of one leg and one description."""
        origin = m.lines("o=")[0] if m.lines("o=") else ""
        for _, suite, key, _, _ in m.crypto():
            known = self.gw_keys.setdefault(key, (phone, origin))
            if known != (phone, origin):
                self.broken(f"a key of {known} was used again for {phone}: {origin}")
            if any(key in p.keys_seen for p in self.phones if p is not phone):
                self.broken(f"a key of another leg is offered to {phone}")
        if phone.house.suites and m.body and not m.lines("m=audio")[0].split()[2].endswith("SAVP"):
            self.broken(f"{phone} was promised encryption and is offered {m.lines('m=audio')}")

    def account(self, phone):
        """It is over, and says what it heard."""
        self.phones.remove(phone)
        stats = phone.talker.stats()
        phone.talker.stop()
        self.lab.processes.remove(phone.talker)
        self.judge(phone, stats)

    def judge(self, phone, stats):
        wrong = {k: stats[k] for k in ("clear", "corrupt") if stats[k]}
        wrong |= {f"copies of {name}": h["copies"] for name, h in stats["heard"].items() if h["copies"]}
        if wrong:
            self.broken(f"{phone} heard {wrong}: {stats}")

    def refused(self, phone, m):
        """Its call was not answered."""
        other = phone.partner
        if phone.failed:
            phone.failed()
            return
        if phone.cause or self.troubled(phone.began) or (other and (other.cause or other.state == "over")):
            return
        self.broken(f"{phone}'s call to {other} was refused: {m.first if m else 'no answer'} {m and m.get('Warning')}")

    def change_refused(self, phone, how, m):
        other = phone.partner
        if phone.cause or phone.shaky or not other or other.state != "up" or other.cause:
            return
        if m is not None and m.status == 488 and phone.began < other.was_contrary:
            return
        self.broken(f"{phone}'s {how} was refused: {m.first if m else 'no answer'} {m and m.get('Warning')}")

    def was_cancelled(self, phone, m):
        other = phone.partner
        if phone.cause or phone.shaky or self.troubled(phone.began):
            return
        if not other or (other.state == "calling" and not other.cause):
            self.broken(f"{phone} was cancelled: {m.text}")

    def was_released(self, phone, m):
        other = phone.partner
        if phone.joined:
            phone.joined()
        if phone.cause or phone.shaky or not other or other.state in ("over", "leaving") or other.cause:
            return
        if other.state == "up" and other.partner is not phone:
            return  # a transfer to it has failed
        if other.state in ("calling", "answering") and self.troubled(phone.began):
            return  # it was answered when the gateway could not go on with it
        if (phone.was_contrary or other.was_contrary) and "new keys" in (m.get("Reason") or ""):
            return
        self.told.append((time.monotonic() + PATIENCE / 2, phone, other, m.get("Reason")))

    def both_are_told(self):
        """Whose partner heard that the gateway has ended their call hears it, too, if not in the same moment."""
        self.told = [t for t in self.told if t[2].state not in ("over", "leaving") and not t[2].cause]
        for end, phone, other, reason in self.told:
            if end < time.monotonic():
                self.broken(f"the gateway ended {phone}, {other} knows nothing of it: {reason}")

    def never_acknowledged(self, phone, m):
        if phone.state in ("over", "leaving") or phone.shaky:
            return
        self.broken(f"no ACK for {phone}'s 200 to {m.first}")

    # What phones ask for

    def is_up(self, phone):
        self.tell(f"{phone.name} is up")
        if phone.then:
            phone.then()

    def new_phone(self, house):
        phone = house.phone(f"p{next(self.numbers)}")
        self.phones.append(phone)
        return phone

    def rings(self, house, m):
        """A new call at a house: the phone that the number says."""
        number = re.search(r"sips?:([^@>;]*)", m.first).group(1)
        phone = self.plans.pop(number, None)
        if phone is None:
            self.tell(f"nobody knows of a call to {number}")
        return phone

    def has_rung(self, phone, m):
        phone.behave()

    def transfer_reported(self, phone, status):
        self.tell(f"{phone.name} hears of its transfer: {status}")
        if phone.transfer:
            what, phone.transfer = phone.transfer, None
            what(status)

    def asked_to_call(self, phone, number):
        """REFER, relayed: it calls the number itself, and tells how that went."""
        target = self.plans.get(number)
        if target is None:
            return
        caller = self.new_phone(phone.house)
        self.pair(caller, target)
        self.tell(f"{phone.name} is referred to {number} and calls it as {caller.name}")

        def done(status):
            if phone.state == "up":
                phone.request("NOTIFY", headers=["Event: refer", "Subscription-State: terminated;reason=noresource"],
                              body=f"SIP/2.0 {status} So\r\n", kind="message/sipfrag")

        caller.then, caller.failed = lambda: done(200), lambda: done(503)
        caller.call(number)

    def pair(self, a, b):
        a.partner, b.partner = b, a

    # Looking

    def ups(self):
        return [p for p in self.phones if p.state == "up"]

    def pairs(self):
        return [(p, p.partner) for p in self.ups() if p.partner and p.partner.state == "up" and p.partner.partner is p and
                p.name < p.partner.name]

    def undone(self):
        """Something is on its way still."""
        for house in self.houses:
            for request in house.requests.values():
                return f"{request.phone} waits for an answer to {request.method}"
        for phone in self.phones:
            if phone.state not in ("new", "up", "over") or phone.offering or phone.unacked or phone.deciding:
                return f"{phone} is busy: {phone.offering} {phone.unacked and phone.unacked[0].first} {phone.deciding}"
            if phone.state == "up" and phone.transfer:
                return f"{phone} waits for what becomes of its transfer"
            other = phone.partner
            if phone.state == "up" and not (other and other.state == "up" and other.partner is phone):
                return f"{phone} is up, and {other} is not"
        for _, _, _, phone in self.timers:
            if phone is not None and phone.state == "up":
                return f"{phone} is about to do something"
        return None

    def ends(self):
        """What the gateway has: the media addresses of each established call, and its id."""
        found = {}
        for call in self.gateway.ctl("show", "calls")["calls"]:
            if call["state"] in ("ended", "refused"):
                continue
            if call["state"] != "established":
                return None, f"call {call['id']} is {call['state']}"
            legs = self.gateway.ctl("show", "call", call["id"])["legs"]
            found[frozenset(leg["remote-address"] for leg in legs)] = call["id"]
        return found, None

    def agreement(self):
        """The gateway's calls are those of the phones."""
        theirs, wrong = self.ends()
        if wrong:
            return wrong

        def at(phone):
            t = phone.talker
            return f"[{t.address}]:{t.port}" if ":" in t.address else f"{t.address}:{t.port}"

        ours = {frozenset((at(a), at(b))): (a, b) for a, b in self.pairs()}
        if set(theirs) != set(ours):
            return (f"the gateway has {[(i, list(k)) for k, i in theirs.items() if k not in ours]}, "
                    f"the phones {[v for k, v in ours.items() if k not in theirs]}")
        sessions = self.gateway.ctl("show", "stats")["data-plane"].get("sessions")
        if sessions != len(ours):
            return f"{len(ours)} calls, {sessions} sessions in the data plane"
        for key, ident in theirs.items():
            self.idents[ident] = ours[key]
        return None

    def deaf(self):
        """Who should hear its partner and does not. The first look is remembered by the phones."""
        for a, b in self.pairs():
            for listener, speaker in ((a, b), (b, a)):
                if not (listener.listens() and speaker.says()):
                    continue
                n = listener.talker.of(speaker.talker)["packets"]
                if listener.mark is None or listener.mark[0] is not speaker:
                    listener.mark = (speaker, n)
                if n < listener.mark[1] + HEARD:
                    return (f"{listener} does not hear {speaker}: {n - listener.mark[1]} packets; "
                            f"{listener.talker.stats()}; who speaks: {speaker.talker.stats()}")
        return None

    def settle(self):
        """All is as somebody who uses it wants it to be."""
        self.tell("settles")
        self.until("all is done", self.undone)
        self.until("the gateway has the calls that its users have", lambda: self.undone() or self.agreement())
        for phone in self.ups():
            phone.mark = None
        self.until("everybody is heard", lambda: self.undone() or self.deaf())
        before = {p: p.talker.stats() for p in self.ups()}
        self.live(0.7)
        for phone, was in before.items():
            now = phone.talker.stats()
            self.judge(phone, now)
            if now["refused"] > was["refused"] and not phone.offering and phone.touched < time.monotonic() - 1.5:
                self.broken(f"{phone} hears packets that no key opens: {was} then {now}")
        wrong = self.gateway.ctl("show", "stats")["data-plane"]["verdicts"]["clear_refused"]
        if wrong:
            self.broken(f"{wrong} packets would have been clear")
        self.answers()
        self.errors()
        self.troubles = []

    def answers(self):
        """What operators asked for meanwhile."""
        for what, ident, popen in self.looks:
            _, said = popen.communicate(timeout=PATIENCE)
            if popen.returncode and not self.troubles and not ident:
                self.broken(f"srtpgwctl {' '.join(what)}: {said}")
        for gently, popen in self.sessions:
            said, _ = popen.communicate(timeout=PATIENCE)
            if gently and not self.troubles and said.count("rpc-reply") < 2:
                self.broken(f"a NETCONF session ended so: {popen.returncode} {said[-1000:]}")
        self.looks, self.sessions = [], []

    def errors(self):
        planes = [p for p in self.lab.processes if p.name.startswith(("controlplane", "dataplane"))]
        for plane in planes:
            for line in plane.output().splitlines():
                if re.match(r"\S+ error ", line) and not self.explained(line):
                    self.broken(f"{plane.name} says: {line}")

    def explained(self, line):
        """By a step of ours."""
        done = self.counts.get
        return (("has no link" in line and (done("flap"))) or
                ("data plane" in line and (done("kill_data") or done("kill_both"))))

    def measure(self):
        """What must be as before when no call is left."""
        stats = self.gateway.ctl("show", "stats")["data-plane"]
        planes = {"control plane": self.gateway.controlplane, "data plane": self.gateway.dataplane}
        fds = {plane: descriptors(p) for plane, p in planes.items()}
        page = self.gateway.host.exec("curl", "-s", "--max-time", "20", "http://127.0.0.1:9464/metrics")
        ports = {m.group(1): int(float(m.group(2))) for m in
                 re.finditer(r'(?m)^(srtpgw_media_ports\{[^}]*state="used"[^}]*\}) (\S+)', page)}
        gauges = {m.group(1): float(m.group(2)) for m in re.finditer(
            r"(?m)^(srtpgw_(?:calls_active|media_sessions|media_legs|call_legs\S*|trunk_calls_active\S*)) (\S+)", page)}
        return {"sessions": stats["sessions"], "legs": stats["legs"], "fds": fds, "ports": ports, "gauges": gauges,
                "memory": {plane: resident(p) for plane, p in planes.items()}}

    def run(self, seconds):
        """That long, and the end."""
        self.began = time.monotonic()
        over = self.began + seconds
        for _ in range(8):
            step(self, CALLS[:1])
            self.live(self.rng.uniform(0, 0.2))
        while time.monotonic() < over:
            around = self.rng.randint(3, 12)
            for n in range(self.rng.randint(around, 24)):
                step(self, OPERATORS if self.rng.random() < 0.15 else BREAKS if n == around else CALLS)
                self.live(self.rng.choice((0, self.rng.uniform(0, 0.1), self.rng.uniform(0, 0.5))))
            self.settle()
        self.end()

    def end(self):
        """Everybody hangs up; what is left is what there was before the first call."""
        for phone in self.phones:
            if phone.state == "new":
                phone.over("nobody called")
            phone.bye()
        self.until("everybody is gone", lambda: self.undone() or [p for p in self.phones if p.state != "over"])
        self.until("the gateway has no call", self.agreement)
        for house in self.houses:
            house.drop_connections()

        def left():
            now = self.measure()
            wrong = {k: (self.baseline[k], now[k]) for k in ("sessions", "legs", "ports", "gauges")
                     if now[k] != self.baseline[k]}
            # More than a connection that is on its way out, of a plane that may have been started again.
            fds = {k: (self.baseline["fds"][k], n) for k, n in now["fds"].items() if n > self.baseline["fds"][k]}
            memory = {k: (self.baseline["memory"][k], n) for k, n in now["memory"].items()
                      if n > self.baseline["memory"][k] + GROWTH}
            return {**wrong, **fds, **memory}

        self.until("all is given back", left, seconds=90)
        self.records()
        self.tell(f"steps: {self.counts}")
        self.tell(f"{self.gateway.ctl('show', 'stats')['calls']['counters']}")

    def records(self):
        program = os.path.join(build_dir(), "ctl", "srtpgwctl")
        done = subprocess.run([program, "audit", "verify", self.audit], capture_output=True, text=True)
        if done.returncode:
            self.broken(f"the audit: {done.stderr} {done.stdout}")
        done = subprocess.run([program, "audit", "show", self.audit, "--json"], capture_output=True, text=True)
        count = {}
        for line in done.stdout.splitlines():
            record = json.loads(line)
            if record["type"] == "session":
                count[record["call"]] = count.get(record["call"], 0) + 1
        wrong = {i: (count.get(i, 0), pair) for i, pair in self.idents.items() if count.get(i, 0) != 1}
        if wrong:
            self.broken(f"sessions and how many records of each there are: {wrong}")
