# SPDX-License-Identifier: Apache-2.0
"""What happens in a random life (life.py): to calls, and to what is around them. Each step draws whom it is about."""

import os
import subprocess
import time

from .gateway import build_dir
from .phones import host, tag_of


def pick(life, *wanted):
    """A phone that talks and has a partner who does, of which all that is so; None: there is none."""
    found = [p for p in life.ups() if p.partner and p.partner.state == "up" and p.partner.partner is p and not p.cause and
             not p.partner.cause and all(w(p) for w in wanted)]
    return life.rng.choice(found) if found else None


def idle(phone):
    return not phone.busy() and not phone.transfer


def mostly_idle(life):
    """The partner, but for one time in three."""
    any_will_do = life.rng.random() < 0.3
    return lambda phone: any_will_do or idle(phone.partner)


def of(*houses):
    return lambda phone: phone.house.name in houses


# Calls

def place(life):
    if len(life.phones) >= 2 * life.most:
        return None
    rng = life.rng
    caller, callee = (life.new_phone(rng.choice(life.houses)) for _ in range(2))
    life.pair(caller, callee)
    life.plans[callee.number] = callee
    how = rng.choices(("plain", "ring", "early", "refuse", "cancel", "delayed"), (5, 4, 2, 1, 2, 2))[0]
    soon = lambda most: rng.uniform(0, most)
    callee.behave = lambda: life.later(soon(0.2), callee.answer)
    if how in ("ring", "cancel", "early"):
        ring, wait = soon(0.2), soon(1.5)

        def rings():
            life.later(ring, lambda: callee.ring(how == "early"))
            life.later(ring + wait, callee.answer)

        callee.behave = rings
    if how == "refuse":
        caller.cause = "the other one refuses"
        callee.behave = lambda: life.later(soon(0.5), lambda: callee.refuse(486))
    if how == "cancel":
        def cancel():
            if caller.state == "calling" and not caller.cancel():
                life.later(0.1, cancel)

        life.later(soon(1.5), cancel)
    headers = []
    if rng.random() < 0.3:
        caller.timer, headers = "ours", ["Supported: timer", "Session-Expires: 90;refresher=uac"]
    elif rng.random() < 0.3:
        caller.timer, headers = "theirs", ["Supported: timer", "Session-Expires: 90;refresher=uas"]
    callee.timer = "theirs" if rng.random() < 0.3 else None
    caller.call(callee.number, headers, offer=how != "delayed")
    return f"{how} {caller.name} {caller.house.name} -> {callee.name} {callee.house.name} {caller.timer or ''}"


def hang_up(life):
    phone = pick(life)
    if not phone:
        return None
    both = life.rng.random() < 0.2
    other = phone.partner
    phone.bye()
    if both:
        other.bye()
    return f"{phone.name}{' and ' + other.name if both else ''}"


def hold(life):
    phone = pick(life, idle)
    if phone:
        phone.change(direction="sendrecv" if phone.holding else "sendonly")
        return f"{phone.name} {'holds' if phone.holding else 'resumes'}"


def new_keys(life):
    phone = pick(life, idle)
    if phone:
        how = life.rng.choice(("INVITE", "INVITE", "UPDATE", "none"))
        phone.change("UPDATE" if how == "UPDATE" else "INVITE", offer=how != "none")
        return f"{phone.name} {how}"


def glare(life):
    phone = pick(life, idle, lambda p: idle(p.partner))
    if phone:
        phone.change()
        phone.partner.change()
        return f"{phone.name} and {phone.partner.name}"


def another_source(life):
    phone = pick(life)
    if phone:
        phone.talker.tell("source")
        return phone.name


def move(life):
    """To another media port: unsignalled where packets prove who it is, and it sends some."""
    phone = pick(life, idle)
    if not phone:
        return None
    phone.talker.bind(phone.house.next_port())
    if not phone.house.suites or phone.house.keying == "dtls" or not phone.says():
        if phone.house.keying == "dtls":
            phone.renew()
        phone.change()
    return f"{phone.name} to port {phone.talker.port}"


def dtls_anew(life):
    phone = pick(life, idle, of("carrier-c"))
    if phone:
        phone.renew()
        phone.change()
        return phone.name


def twice(life):
    phone = pick(life)
    if phone:
        phone.talker.tell("twice", "on")
        life.later(1.0, lambda: phone.state == "up" and phone.talker.tell("twice", "off"))
        return phone.name


def asks_for_a_transfer(life, phone, refer_to, done):
    phone.cause, phone.transfer = "it asked for a transfer", None

    def reported(status):
        phone.transfer = None
        if status < 300:
            done()
        else:
            phone.cause = None

    def refused(m):
        if m is None or m.status >= 300:
            life.tell(f"{phone.name}'s transfer is refused: {m and m.first} {m and m.get('Warning')}")
            phone.cause = phone.transfer = None

    phone.transfer = reported
    phone.request("REFER", refused, headers=[f"Refer-To: <{refer_to}>"])


def blind(life):
    phone = pick(life, idle, of("carrier-a", "carrier-b", "carrier-c", "phone"), mostly_idle(life))
    if not phone or len(life.phones) >= 2 * life.most + 6:
        return None
    stays, target = phone.partner, life.new_phone(life.rng.choice(life.houses))
    life.plans[target.number] = target
    wait, takes = life.rng.uniform(0, 1), life.rng.random() < 0.8
    target.behave = lambda: (target.ring(), life.later(wait, target.answer if takes else lambda: target.refuse(486)))
    target.partner = stays

    def up():
        if phone.house.name != "phone":
            life.pair(stays, target)
            phone.partner = None

    def done():
        if phone.house.name == "phone":
            phone.cause = None
            phone.bye()

    target.then = up
    at = phone.house.gateway
    asks_for_a_transfer(life, phone, f"sip:{target.number}@{host(at[0])}:{at[1]}", done)
    return f"{phone.name} {phone.house.name} refers {stays.name} to {target.name} {target.house.name}"


def attended(life):
    first = pick(life, idle, of("carrier-a", "carrier-b", "carrier-c"), mostly_idle(life))
    second = first and pick(life, idle, of(first.house.name), lambda p: p not in (first, first.partner) and idle(p.partner))
    if not second:
        return None
    one, two = first.partner, second.partner
    if second in (one, two) or one is two:
        return None
    d = second.dialog
    replaces = f"{d['id']}%3Bto-tag%3D{tag_of(d['remote'])}%3Bfrom-tag%3D{tag_of(d['local'])}"
    second.cause = "it is to be transferred"

    def done():
        if one.state == two.state == "up":
            life.pair(one, two)
        first.partner = second.partner = None

    second.joined = done  # also where nobody is told, because who asked has left
    at = first.house.gateway
    asks_for_a_transfer(life, first, f"sip:{two.number}@{host(at[0])}:{at[1]}?Replaces={replaces}", done)

    def forgotten():
        if first.state != "over" and first.cause is None:
            second.cause = second.joined = None
        elif first.state != "over":
            life.later(0.5, forgotten)

    life.later(0.5, forgotten)
    return f"{first.name} joins {one.name} and {two.name} of {second.name}"


def leave_early(life):
    """Somebody of a transfer hangs up while it goes on."""
    found = [p for p in life.ups() if p.transfer and p.partner and p.partner.state == "up"]
    if not found:
        return None
    phone = life.rng.choice(found)
    phone = life.rng.choice((phone, phone.partner))
    phone.bye()
    return phone.name


def contrary(life):
    """It refuses the next re-INVITE."""
    phone = pick(life)
    if phone:
        phone.contrary = True
        life.later(2, lambda: setattr(phone, "contrary", False))
        return phone.name


def pickup(life):
    """Another phone of the same house takes its place (Replaces)."""
    phone = pick(life, idle, of("carrier-a", "phone"), mostly_idle(life))
    if not phone or len(life.phones) >= 2 * life.most + 6:
        return None
    stays, comes = phone.partner, life.new_phone(phone.house)
    d = phone.dialog
    phone.cause, comes.partner = "it is replaced", stays

    def up():
        life.pair(comes, stays)
        phone.partner = None

    def failed():
        phone.cause = None

    comes.then, comes.failed = up, failed
    comes.call(stays.number, [f"Replaces: {d['id']};to-tag={tag_of(d['remote'])};from-tag={tag_of(d['local'])}"])
    return f"{comes.name} takes the place of {phone.name} with {stays.name}"


def silent(life):
    """It says nothing more, and is missed."""
    phone = pick(life, idle, of("six"), lambda p: p.says() and not p.partner.holding and p.partner.listens())
    if not phone or life.silenced >= 2:
        return None
    life.silenced += 1
    phone.cause = phone.partner.cause = "silence"
    phone.talker.tell("send", "off")
    phone.settle = lambda direction: None
    return phone.name


# The gateway and its operators

def known(life):
    """The id of a call that both phones have still."""
    found = [(i, pair) for i, pair in life.idents.items() if all(p.state == "up" and not p.cause for p in pair) and
             pair[0].partner is pair[1]]
    return life.rng.choice(found) if found else (None, None)


def terminate(life):
    ident, pair = known(life)
    if ident:
        for phone in pair:
            phone.cause = "it is terminated"
        life.gateway.ctl("terminate", ident)
        return ident


def rekey(life):
    if life.rng.random() < 0.4:
        life.gateway.ctl("rekey", "--all")
        return "all"
    ident, _ = known(life)
    if ident:
        life.gateway.ctl("rekey", ident)
        return ident


def commit(life):
    rng = life.rng
    path, value = rng.choice([
        ("limits/max-calls", rng.randint(1000, 2000)), ("trunks/trunk/carrier-a/max-calls", rng.randint(500, 900)),
        ("rekey-policies/rekey-policy/soon/interval", rng.randint(10, 20)),
        ("trunks/trunk/carrier-b/session-expires", rng.choice((0, 90, 300))),
        ("trunks/trunk/six/media-timeout", rng.randint(13, 17)), ("limits/ring-timeout", rng.randint(60, 200))])
    life.gateway.ctl("set", path, str(value))
    life.gateway.ctl("commit")
    return f"{path} {value}"


def trunk_down(life):
    """Its calls are ended; soon it is up again."""
    name = life.rng.choice(("six", "phone6", "carrier-b"))
    trouble = life.trouble("trunk")
    for phone in life.phones:
        if phone.house.name == name or (phone.partner and phone.partner.house.name == name):
            phone.cause = phone.cause or "its trunk is down"
    life.gateway.ctl("set", f"trunks/trunk/{name}/admin-state", "down")
    life.gateway.ctl("commit")
    life.live(life.rng.uniform(0, 1))
    life.gateway.ctl("set", f"trunks/trunk/{name}/admin-state", "up")
    life.gateway.ctl("commit")
    trouble[2] = time.monotonic()
    return name


def look(life):
    rng = life.rng
    ident, _ = known(life)
    what = rng.choice([("show", "calls"), ("show", "stats"), ("show", "trunks"), ("show", "history"), ("show", "alarms"),
                       *((("show", "call", ident), ("trace", ident)) if ident else ())])
    argv = [os.path.join(build_dir(), "ctl", "srtpgwctl"), "--socket", life.gateway.control_socket, *what]
    life.looks.append((what, ident, subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)))
    return " ".join(what)


NETCONF = "urn:ietf:params:xml:ns:netconf:base:1.0"


def netconf(life):
    """A session that asks for the calls, and ends as it should or as it should not."""
    program = os.path.join(build_dir(), "controlplane", "netconf", "srtpgw-netconf")
    gently = life.rng.random() < 0.6
    text = (f'<hello xmlns="{NETCONF}"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability></capabilities>'
            f'</hello>]]>]]><rpc message-id="1" xmlns="{NETCONF}"><get><filter type="subtree"><calls '
            f'xmlns="urn:srtpgw:yang:srtp-gateway"/></filter></get></rpc>]]>]]>')
    if gently:
        text += f'<rpc message-id="2" xmlns="{NETCONF}"><close-session/></rpc>]]>]]>'
    popen = subprocess.Popen([program, "--socket", life.gateway.control_socket], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    life.sessions.append((gently, popen))
    popen.stdin.write(text)
    popen.stdin.flush()
    if not gently:
        life.later(life.rng.uniform(0, 0.5), popen.kill)
    return "gently" if gently else "and is killed"


# What breaks

def connections(life):
    house = life.rng.choice([h for h in life.houses if h.transport == "tls"])
    life.trouble("connections")[2] = time.monotonic()
    house.drop_connections()
    return house.name


def shaken(life):
    """Whose exchange is under way, or was a moment ago: what the gateway has kept of it may be that before, or after."""
    now = time.monotonic()
    found = {p for p in life.phones if p.state != "over" and (
        p.busy() or now - p.touched < 1 or p.transfer or p.cause or not p.partner or p.partner.partner is not p or
        any(r.phone is p for r in p.house.requests.values()))}
    return found | {p.partner for p in found if p.partner} | {p for p in life.phones if p.partner in found}


def lose_controlplane(life):
    for phone in shaken(life):
        phone.shaky = True
        phone.cause = phone.cause or "an exchange was cut short"
        phone.house.forget(phone)
        phone.offering = phone.unacked = phone.transfer = phone.deciding = None
        if phone.state in ("up", "answering"):
            phone.state = "up"
        elif phone.state != "over":
            phone.over("lost with the control plane")
    life.plans.clear()
    life.gone.append(life.gateway.controlplane)
    life.gateway.kill(life.gateway.controlplane)


def calm(life):
    """Those whose exchange was cut short hang up."""
    for phone in life.phones:
        if phone.shaky and phone.state == "up":
            phone.bye()


def kill_control(life):
    trouble = life.trouble("control plane")
    lose_controlplane(life)
    life.live(life.rng.choice((0, 0, life.rng.uniform(0, 2))))
    life.gateway.start_controlplane()
    trouble[2] = time.monotonic()
    life.later(life.rng.uniform(0, 1), lambda: calm(life))
    return ""


def kill_data(life):
    trouble = life.trouble("data plane")
    life.gone.append(life.gateway.dataplane)
    life.gateway.kill(life.gateway.dataplane)
    life.live(life.rng.choice((0, 0, life.rng.uniform(0, 2))))
    life.gateway.start_dataplane()
    trouble[2] = time.monotonic()
    return ""


def kill_both(life):
    trouble = life.trouble("both planes")
    lose_controlplane(life)
    life.gone.append(life.gateway.dataplane)
    life.gateway.kill(life.gateway.dataplane)
    life.live(life.rng.uniform(0, 1))
    life.gateway.start_dataplane()
    life.gateway.start_controlplane()
    trouble[2] = time.monotonic()
    life.later(life.rng.uniform(0, 1), lambda: calm(life))
    return ""


def flap(life):
    switch, port = life.lab.far_end(life.gateway.host, life.rng.choice(("ext0", "core0")))
    trouble = life.trouble("no link")
    switch.ip("link", "set", port, "down")
    life.live(life.rng.uniform(0.1, 1.5))
    switch.ip("link", "set", port, "up")
    trouble[2] = time.monotonic()
    return port


LOSS = """table inet loss {{
    chain in {{ type filter hook input priority 0; meta l4proto udp numgen random mod 100 < {n} drop; }}
    chain out {{ type filter hook output priority 0; meta l4proto udp numgen random mod 100 < {n} drop; }}
}}
"""


def loss(life):
    where, n = life.rng.choice(life.houses).host, life.rng.choice((5, 20))
    where.exec("nft", "-f", "-", input=LOSS.format(n=n))
    trouble = life.trouble("loss")
    life.live(life.rng.uniform(0.5, 2))
    where.exec("nft", "delete", "table", "inet", "loss")
    trouble[2] = time.monotonic()
    return f"{where.name} {n} %"


CALLS = [(place, 14), (hang_up, 5), (hold, 4), (new_keys, 5), (glare, 2), (another_source, 2), (move, 2), (dtls_anew, 2),
         (twice, 1), (blind, 2), (attended, 2), (leave_early, 3), (contrary, 1), (pickup, 2),
         (silent, 1)]
OPERATORS = [(terminate, 1), (rekey, 2), (commit, 2), (look, 4), (netconf, 1)]
BREAKS = [(connections, 2), (kill_control, 2), (kill_data, 2), (kill_both, 1), (flap, 2), (loss, 2), (trunk_down, 1)]


def step(life, kinds):
    """One of these, drawn by weight; its line for the log."""
    what = life.rng.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
    life.steps += 1
    life.tell(f"step {life.steps}: {what.__name__}")
    done = what(life)
    life.tell(f"      {life.steps}: {what.__name__} {'of nobody' if done is None else done}")
    life.counts[what.__name__] = life.counts.get(what.__name__, 0) + (done is not None)
