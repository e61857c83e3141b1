# SPDX-License-Identifier: Apache-2.0
"""
Phones for a test in which anything happens in any order: each is one end of a call, in a House (house.py) with others. It
waits for nothing; what it makes of what comes is told to a Life (life.py).
"""

import re
import secrets
import time

from .description import Described
from .dtls_agent import DtlsDescribed
from .talker import Talker

T1, T2, GIVE_UP = 0.5, 4.0, 32.0  # s; RFC 3261, table 4, and 64 * T1
MIRROR = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
ALLOW = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, REFER, NOTIFY"


def token(prefix):
    return f"{prefix}{secrets.token_hex(6)}"


def host(address):
    return f"[{address}]" if ":" in address else address


def text_of(lines, body="", kind="application/sdp"):
    return "\r\n".join([*lines, *([f"Content-Type: {kind}"] if body else []), f"Content-Length: {len(body.encode())}", "", body])


def branch_of(m):
    return re.search(r";branch=([^;,\s]+)", m.get("Via")).group(1)


def tag_of(value):
    return value.split(";tag=")[1].split(";")[0]


def direction_of(m):
    return next((line[2:] for line in m.body.split("\r\n") if line[2:] in MIRROR), "sendrecv")


class Request:
    """One that we sent and that has no final response yet; on a connection that breaks it is sent once more by another."""

    def __init__(self, phone, method, branch, text, then):
        self.phone, self.method, self.branch, self.text, self.then = phone, method, branch, text, then
        self.wire, self.began, self.pause, self.rung = None, time.monotonic(), T1, False
        self.next = self.began
        self.cancelled = False

    def turn(self, house, now):
        """False: it is given up."""
        lost = self.wire is None or not self.wire.open
        if now >= self.next and (lost or (house.transport == "udp" and not (self.method == "INVITE" and self.rung))):
            self.wire = house.wire()
            house.say(self.text, self.wire)
            self.next, self.pause = now + (1 if lost else self.pause), min(2 * self.pause, T2)
        return now - self.began < GIVE_UP or self.rung


class Phone(Described):
    """state: calling, ringing, answering, up, leaving, over. cause: why the gateway may end it, in the test's words."""

    def __init__(self, house, name, number):
        super().__init__(name, Talker(house.host, name, house.address, house.next_port()), house.suites)
        self.talker.tell("pace", house.life.PACE)
        if house.suites:
            self.talker.tell("promise")
        self.house, self.life, self.number = house, house.life, number
        self.state, self.partner, self.cause, self.shaky = "new", None, None, False
        self.began, self.touched = time.monotonic(), time.monotonic()
        self.dialog, self.target, self.offering, self.unacked, self.holding = None, None, None, None, False
        self.acks, self.invite, self.timer, self.after_ack, self.ended_by = {}, None, None, None, None
        self.deciding, self.contrary, self.was_contrary = None, False, 0  # a re-INVITE that waits; one to be refused
        self.mark, self.early, self.heard_early = None, "", None
        # When it is up, or not to be; a transfer is reported; others were joined in its place.
        self.then, self.failed, self.transfer, self.joined = None, None, None, None

    def __repr__(self):
        return f"{self.name}({self.house.name} {self.state}{' ' + self.cause if self.cause else ''})"

    # Requests

    def _head(self, method, uri, branch, cseq):
        d, h = self.dialog, self.house
        return [f"{method} {uri} SIP/2.0",
                f"Via: SIP/2.0/{h.transport.upper()} {host(h.address)}:{h.port};branch={branch};rport",
                *(f"Route: {r}" for r in d["routes"]), f"From: {d['local']}", f"To: {d['remote']}", f"Call-ID: {d['id']}",
                f"CSeq: {cseq} {method}", "Max-Forwards: 70"]

    def contact(self):
        h = self.house
        return f"Contact: <sip:{self.number}@{host(h.address)}:{h.port};transport={h.transport}>"

    def request(self, method, then=None, body="", headers=(), kind="application/sdp"):
        self.dialog["cseq"] += 1
        branch = token("z9hG4bK")
        lines = [*self._head(method, self.target, branch, self.dialog["cseq"]), self.contact(), ALLOW, *headers]
        self.touched = time.monotonic()
        return self.house.begin(Request(self, method, branch, text_of(lines, body, kind), then or (lambda m: None)))

    def call(self, number, headers=(), offer=True):
        gateway = self.house.gateway
        self.target = f"sip:{number}@{host(gateway[0])}:{gateway[1]};transport={self.house.transport}"
        self.dialog = {"id": token("call"), "local": f"<sip:{self.number}@{host(self.house.address)}>;tag={token('t')}",
                       "cseq": 0, "remote": f"<sip:{number}@{host(gateway[0])}>", "routes": []}
        self.house.calls[self.dialog["id"]] = self
        self.state, self.asked_to_offer = "calling", not offer
        body = self.describe(direction="sendrecv") if offer else ""
        self.invite = self.request("INVITE", self._called, body, headers)

    def cancel(self):
        """Our INVITE, once something has been heard of it."""
        request = self.invite
        if self.state != "calling" or request.cancelled or not request.rung:
            return False
        request.cancelled, self.cause = True, "we cancelled"
        cseq = self.dialog["cseq"]
        head = self._head("CANCEL", self.target, request.branch, cseq)
        self.house.begin(Request(self, "CANCEL", request.branch, text_of(head), lambda m: None))
        return True

    def _called(self, m):
        if m is None or m.status >= 300:
            if m is not None:
                self._ack(m, failed=True)
            if self.state == "calling":
                self.over(f"INVITE: {m.first if m else 'no answer'} {m and m.get('Warning')}")
                self.life.refused(self, m)
            return
        self._confirm(m)
        self._take_answer(m)
        self.state = "up"
        if self.invite.cancelled:  # too late
            self.bye()
            return
        self.life.is_up(self)

    def progress(self, m):
        """Early media, whose keys are in the 18x."""
        if m.body and self.state == "calling" and not self.asked_to_offer and m.body != self.heard_early:
            self.heard_early = m.body
            self.life.keys_of(self, m)
            self.speak_as_answered(m)

    def _confirm(self, m):
        """A 2xx to an INVITE of ours."""
        self.dialog["remote"], self.target = m.get("To"), m.uri("Contact")
        if m.all("Record-Route"):
            self.dialog["routes"] = m.all("Record-Route")[::-1]
        self.timer_of(m)

    def _take_answer(self, m):
        body = ""
        if self.asked_to_offer:
            body = self.answered_with(m)
        else:
            if m.body != self.heard_early:
                self.life.keys_of(self, m)
                self.speak_as_answered(m)
            self.settle(MIRROR[direction_of(m)])
        self._ack(m, body)

    def _ack(self, m, body="", failed=False):
        remote, self.dialog["remote"] = self.dialog["remote"], m.get("To")
        text = text_of(self._head("ACK", self.target, branch_of(m) if failed else token("z9hG4bK"), m.cseq), body)
        if failed:
            self.dialog["remote"] = remote
        else:
            self.acks[m.cseq] = text
        self.house.say(text, self.house.wire(m.wire))

    def busy(self):
        return self.state != "up" or bool(self.offering or self.unacked or self.deciding)

    def change(self, how="INVITE", direction=None, offer=True, tries=0, headers=()):
        """A re-INVITE or UPDATE with an offer; without one the gateway is to make it."""
        if self.busy():
            return False
        self.holding = direction == "sendonly" if direction else self.holding
        self.asked_to_offer = not offer
        body = self.describe(direction="sendonly" if self.holding else "sendrecv") if offer else ""
        self.offering = (how, direction, offer, tries)
        self.request(how, self._changed, body, headers)
        return True

    def _changed(self, m):
        how, direction, offer, tries = self.offering or (None, None, None, 0)
        self.offering, self.touched = None, time.monotonic()
        if m is not None and m.cseq_method == "INVITE" and m.status >= 300:
            self._ack(m, failed=True)
        if self.state != "up":
            if m is not None and m.cseq_method == "INVITE" and m.status < 300:
                self._ack(m)
            return
        if m is not None and m.status < 300:
            if m.cseq_method == "INVITE":
                self._confirm(m)
                self._take_answer(m)
            else:
                self.life.keys_of(self, m)
                self.speak_as_answered(m)
                self.settle(MIRROR[direction_of(m)])
            return
        # Something else is under way, there, or a plane is away: later.
        if m is not None and m.status in (491, 500, 503, 504) and tries < 12:
            pause = float(m.get("Retry-After") or 0) or self.life.luck.uniform(0.2, 2.5)
            self.life.later(pause, lambda: self.again(how, direction, offer, tries + 1), self)
            return
        self.life.change_refused(self, how, m)

    def again(self, how, direction, offer, tries):
        if self.state == "up" and not self.change(how, direction, offer, tries):
            self.life.later(0.3, lambda: self.again(how, direction, offer, tries), self)

    def bye(self):
        if self.state not in ("up", "answering"):
            return False
        self.state = "leaving"
        self.talker.tell("send", "off")
        self._decide(487)
        self.request("BYE", lambda m: self.over("we hung up"))
        return True

    # What comes

    def ringing(self, m):
        """An INVITE that is a new call to us."""
        to = m.get("To")
        self.dialog = {"id": m.get("Call-ID"), "local": f"{to};tag={token('t')}", "cseq": 100, "remote": m.get("From"),
                       "routes": m.all("Record-Route")}
        self.target, self.state, self.offer = m.uri("Contact"), "ringing", m
        self.house.calls[self.dialog["id"]] = self

    def respond(self, m, status, reason="Fine", body="", headers=()):
        to = m.get("To")
        if ";tag=" not in to and status != 100:
            to = self.dialog["local"]
        lines = [f"SIP/2.0 {status} {reason}", *(f"Via: {v}" for v in m.all("Via")),
                 *(f"Record-Route: {v}" for v in m.all("Record-Route")), f"From: {m.get('From')}", f"To: {to}",
                 f"Call-ID: {m.get('Call-ID')}", f"CSeq: {m.get('CSeq')}", self.contact(), ALLOW, *headers]
        text = text_of(lines, body)
        self.house.answers[branch_of(m), m.method] = text
        self.house.say(text, self.house.wire(m.wire))
        return text

    def ring(self, early=False):
        if self.state == "ringing":
            body = self.answered_with(self.offer) if early and self.offer.body else ""
            self.early = body
            self.respond(self.offer, 183 if body else 180, "Ringing", body)

    def answer(self):
        if self.state != "ringing":
            return
        headers = self.timer_answer(self.offer)
        body = self.early or (self.answered_with(self.offer) if self.offer.body
                                              else self.describe(direction="sendrecv"))
        self.state = "answering"
        self._accepted(self.offer, body, headers)

    def refuse(self, status):
        if self.state == "ringing":
            self.respond(self.offer, status, "No")
            self.over("we refused")

    def _accepted(self, m, body, headers=()):
        """200 to an INVITE, sent again until its ACK comes."""
        text = self.respond(m, 200, "OK", body, headers)
        now = time.monotonic()
        self.unacked = [m, text, now, now + T1, T1]

    def received(self, m):
        handler = getattr(self, f"_on_{m.method.lower()}", None)
        if handler:
            handler(m)
        elif m.method != "ACK":
            self.respond(m, 405, "Method Not Allowed")

    def _on_options(self, m):
        alive = self.state in ("up", "answering", "ringing", "calling")
        self.respond(m, 200 if alive else 481, "OK")

    def _on_ack(self, m):
        if not self.unacked or self.unacked[0].cseq != m.cseq:
            return
        offered = not self.unacked[0].body
        self.unacked, self.touched = None, time.monotonic()
        if offered and m.body:
            self.life.keys_of(self, m)
            self.speak_as_answered(m)
            self.settle(MIRROR[direction_of(m)])
        if self.state == "answering":
            self.state = "up"
            if m.body or not offered:  # else nothing has come of it
                self.life.is_up(self)

    def _on_cancel(self, m):
        self.respond(m, 200, "OK")
        self._decide(487)
        if self.state == "ringing":
            self.respond(self.offer, 487, "Request Terminated")
            self.over(f"cancelled: {m.get('Reason')}")
            self.life.was_cancelled(self, m)

    def _on_bye(self, m):
        self.respond(m, 200, "OK")
        self._decide(487)
        if self.state not in ("over", "leaving"):
            self.over(f"BYE: {m.get('Reason')}")
            self.life.was_released(self, m)

    def _on_invite(self, m):
        if self.state in ("over", "leaving"):
            self.respond(m, 481, "Call/Transaction Does Not Exist")
        elif self.offering:
            self.respond(m, 491, "Request Pending")
        elif self.unacked or self.deciding or self.state != "up":
            self.respond(m, 500, "Busy", headers=["Retry-After: 1"])
        else:
            self.deciding = m
            if self.life.luck.random() < 0.3:
                self.life.later(self.life.luck.uniform(0, 0.8), lambda: self._decide(200, m), self)
            else:
                self._decide(200)

    def _decide(self, status, which=None):
        """The re-INVITE that waits is answered."""
        m = self.deciding
        if not m or (which and which is not m):
            return
        self.deciding, self.touched = None, time.monotonic()
        if status == 200 and self.contrary:
            self.contrary, self.was_contrary, status = False, time.monotonic(), 488
        if status != 200:
            self.respond(m, status, "No")
            return
        self.target = m.uri("Contact")
        body = self.answered_with(m) if m.body else self.describe(direction="sendonly" if self.holding else "sendrecv")
        self._accepted(m, body, self.timer_answer(m))

    def _on_update(self, m):
        if self.state in ("over", "leaving"):
            self.respond(m, 481, "Call/Transaction Does Not Exist")
        elif m.body and (self.offering or self.deciding or (self.unacked and not self.unacked[0].body)):
            self.respond(m, 491, "Request Pending")
        else:
            self.touched = time.monotonic()
            body = self.answered_with(m) if m.body else ""
            self.respond(m, 200, "OK", body, self.timer_answer(m))

    def _on_notify(self, m):
        self.respond(m, 200, "OK")
        status = re.match(r"SIP/2.0 (\d+)", m.body)
        if status and int(status.group(1)) >= 200:
            self.life.transfer_reported(self, int(status.group(1)))

    def _on_refer(self, m):
        self.respond(m, 202, "Accepted")
        self.life.asked_to_call(self, re.search(r"sip:([^@>]*)@", m.get("Refer-To")).group(1))

    # Session timers (RFC 4028)

    def timer_answer(self, m):
        value = m.get("Session-Expires")
        return [f"Session-Expires: {value.split(';')[0]};refresher=uac", "Require: timer"] if value and self.timer else []

    def timer_of(self, m):
        value = m.get("Session-Expires")
        if value and self.timer == "ours" and "refresher=uac" in value:
            self.life.later(int(value.split(";")[0]) / 2, self.refresh)

    def refresh(self):
        if self.state == "up":
            self.request("UPDATE", lambda m: None, headers=["Supported: timer", "Session-Expires: 90;refresher=uac"])
            self.life.later(45, self.refresh)

    # Media

    def answered_with(self, m):
        """Our answer to the gateway's offer, in use from now on."""
        self.life.keys_of(self, m)
        direction = MIRROR[direction_of(m)]
        if self.holding:
            direction = {"sendrecv": "sendonly", "recvonly": "inactive"}.get(direction, direction)
        body = self.answer_body(m, direction=direction)
        self.settle(direction)
        return body

    def settle(self, direction):
        self.direction = direction
        self.talker.tell("send", "on" if direction in ("sendrecv", "sendonly") else "off")

    def says(self):
        return self.direction in ("sendrecv", "sendonly")

    def listens(self):
        return self.direction in ("sendrecv", "recvonly")

    def over(self, how):
        self.state, self.ended_by, self.touched = "over", how, time.monotonic()
        self.unacked = None
        self.talker.tell("send", "off")
        self.life.tell(f"{self.name} is over: {how}")

    def turn(self, now):
        if self.unacked and now >= self.unacked[3]:
            m, text, began, _, pause = self.unacked
            if now - began > GIVE_UP:
                self.unacked = None
                self.life.never_acknowledged(self, m)
                return
            self.house.say(text, self.house.wire(m.wire))
            self.unacked[3:] = [now + pause, min(2 * pause, T2)]


class DtlsPhone(DtlsDescribed, Phone):
    """
    Knows RFC 5763 and no tls-id: an association is made where a fingerprint, a role or a place is another. Its certificate
    stays until renew().
    """

    certificate, association, role = None, None, None

    def renew(self):
        self.certificate = None

    def _fingerprint(self):
        self.certificate = self.certificate or self.talker.tell("identity")
        return self.certificate

    def describe(self, crypto=None, direction="sendrecv"):
        self.direction = direction
        return super().describe()

    def _with(self, theirs):
        """What the association of their description is known by, but for our role in it."""
        return (self.certificate, self.talker.port, *theirs.media(), *theirs.lines("a=fingerprint:"))

    def _begin(self, theirs, role):
        if (self._with(theirs), role) == (self.association, self.role):
            return
        self.association, self.role = self._with(theirs), role
        super()._begin(theirs, role)

    def answer_body(self, offer, direction="sendrecv"):
        theirs = offer.lines("a=setup:")[0].split(":")[1]
        kept = self.role if self.certificate and self._with(offer) == self.association else None
        role = {"active": "passive", "passive": "active"}.get(theirs) or kept or "active"
        self.setup = role
        body = self.describe(direction=direction)
        self.setup = "actpass"
        self._begin(offer, role)
        return body
