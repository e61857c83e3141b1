# SPDX-License-Identifier: Apache-2.0
"""
NETCONF as an operator meets it: OpenSSH's sshd with srtpgw-netconf as its subsystem, ncclient on the other side, and two
accounts with different rights.
"""

import contextlib
import json
import os
import re
import xml.etree.ElementTree as ET

from lab.gateway import Gateway, INSIDE, Neighbourhood, carrier, core
from lab.net import LabError, wait_for
from lab.party import agent, connect, established
from lab.ssh import Accounts, NetconfError, Operators, SshServer

NS = "urn:srtpgw:yang:srtp-gateway"
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
USERS = {"alice": ["srtpgw", "srtpgw-engineers"], "bob": ["srtpgw", "srtpgw-viewers"],
         "nina": ["srtpgw", "srtpgw-night"], "carol": []}


class Office:
    """A gateway, sshd beside it, and an operator's machine on the inside network."""

    def __init__(self, lab, options=()):
        self.lab, self.desk = lab, lab.host("phone")
        Accounts(lab.gateway_host, USERS)
        config = lab.configuration([carrier("carrier-a", lab.ADDRESSES["carrier-a"]), core("core", lab.ADDRESSES["phone"])],
                                   [("carrier-a", "+49", "core"), ("core", "+44", "carrier-a")],
                                   management={"group": "srtpgw"})
        with open(os.path.join(EXAMPLES, "nacm.json")) as f:
            config.update(json.loads("".join(line for line in f if not line.lstrip().startswith("//"))))
        self.gateway = Gateway(lab.gateway_host, config, lab.interfaces)
        self.ssh = SshServer(lab.gateway_host, USERS, self.gateway.control_socket, options)
        self.operators = Operators(self.ssh, self.desk, INSIDE)

    def open(self, session, user="alice"):
        return self.operators.open(session, user)

    @contextlib.contextmanager
    def raw(self, user="alice"):
        """(popen, its first message): the subsystem without a NETCONF library."""
        popen = self.ssh.raw(user, self.desk, INSIDE)
        try:
            yield popen, read_until(popen, b"]]>]]>")
        finally:
            popen.kill()
            popen.communicate()


@contextlib.contextmanager
def office(**options):
    with Neighbourhood() as lab:
        o = Office(lab, **options)
        try:
            yield o
        finally:
            o.operators.close()
        o.gateway.stop()


def read_until(popen, marker):
    octets = b""
    while not octets.endswith(marker):
        octet = popen.stdout.read(1)
        if not octet:
            raise LabError(f"the session ended after {octets[-300:]!r}: {popen.stderr.read()!r}")
        octets += octet
    return octets


def limits(leaf, value, operation=None):
    """An edit of one of the gateway's limits."""
    attribute = f' xmlns:nc="{BASE}" nc:operation="{operation}"' if operation else ""
    return f'<config><gateway xmlns="{NS}"><limits><{leaf}{attribute}>{value}</{leaf}></limits></gateway></config>'


def trunk(name, operation="create"):
    return (f'<config><gateway xmlns="{NS}"><trunks><trunk xmlns:nc="{BASE}" nc:operation="{operation}"><name>{name}</name>'
            "<realm>core</realm><peer><name>p</name><host>10.20.0.77</host><transport>udp</transport></peer>"
            "<srtp><mode>none</mode></srtp></trunk></trunks></gateway></config>")


def private_key(op, path):
    """An edit of the first TLS profile's private key."""
    profile = names(op.get_config(source="running"), "tls-profile")[0]
    return (f'<config><gateway xmlns="{NS}"><tls-profiles><tls-profile><name>{profile}</name><private-key>{path}</private-key>'
            "</tls-profile></tls-profiles></gateway></config>")


def leaf(op, name, source="running"):
    """The text of the only leaf of this name in a datastore; None: it is not there."""
    found = list(ET.fromstring(op.get_config(source=source)).iter(f"{{{NS}}}{name}"))
    return found[0].text if found else None


def names(reply, element):
    """The names of all list entries that are called `element`."""
    return [e.findtext(f"{{{NS}}}name") for e in ET.fromstring(reply).iter(f"{{{NS}}}{element}")]


def refused(tag, function, *args, **kw):
    """The rpc-error, which must have this error-tag."""
    try:
        reply = function(*args, **kw)
    except NetconfError as e:
        assert e.tag == tag, f"{e.tag} instead of {tag}: {e}"
        assert e.severity == "error" and e.message, vars(e)
        return e
    raise LabError(f"{tag} was expected, not {reply[:300]}")


def request(operation, **parameters):
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in parameters.items())
    return f'<{operation} xmlns="{BASE}">{inside}</{operation}>'


def exit_code(popen):
    """Of a raw session that must end by itself, with its input open."""
    popen.stdout.read()
    return popen.wait(60)


def test_capabilities_and_schemas():
    """Everything that hello promises can be had: each module's text, and who is connected."""
    with office() as o:
        a = o.open("a")
        for name in ("candidate:1.0", "confirmed-commit:1.1", "rollback-on-error:1.0", "validate:1.1", "startup:1.0",
                     "xpath:1.0", "notification:1.0", "interleave:1.0"):
            assert f"urn:ietf:params:netconf:capability:{name}" in a.capabilities, a.capabilities
        modules = dict(re.search(r"\?module=([^&]+)&revision=([^&]+)", c).groups() for c in a.capabilities if "revision=" in c)
        assert {"srtp-gateway", "ietf-netconf-acm", "ietf-netconf-monitoring"} <= set(modules), modules
        for module, revision in modules.items():
            text = ET.fromstring(a.get_schema(identifier=module, version=revision)).find("*").text
            assert re.match(rf"\s*(//[^\n]*\n|/\*.*?\*/|\s)*module {module}\b", text, re.S), text[:200]
        refused("invalid-value", a.get_schema, identifier="no-such-module")

        a.lock(target="candidate")
        state = a.get(filter=["subtree", '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"/>'])
        tree = ET.fromstring(state)
        ns = "{urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring}"
        mine = [s for s in tree.iter(f"{ns}session") if s.findtext(f"{ns}session-id") == str(a.id)]
        assert mine and mine[0].findtext(f"{ns}username") == "alice", state
        assert mine[0].findtext(f"{ns}source-host") == o.lab.ADDRESSES["phone"], state
        assert int(mine[0].findtext(f"{ns}in-rpcs")) == len(modules) + 3, state
        assert mine[0].findtext(f"{ns}out-rpc-errors") == "1", state
        locks = {s.findtext(f"{ns}name"): s.findtext(f".//{ns}locked-by-session") for s in tree.iter(f"{ns}datastore")}
        assert locks == {"running": None, "candidate": str(a.id), "startup": None}, state
        assert {e.text for e in tree.iter(f"{ns}capability")} == set(a.capabilities), state
        assert {e.text for e in tree.iter(f"{ns}identifier")} >= set(modules), state

        # RFC 5277, section 3.2.5.1: how a client finds out to what it can subscribe.
        for query in (["subtree", '<netconf xmlns="urn:ietf:params:xml:ns:netmod:notification"><streams/></netconf>'],
                      ["xpath", [{"n": "urn:ietf:params:xml:ns:netmod:notification"}, "/n:netconf/n:streams"]]):
            streams = a.get(filter=query)
            assert "<name>NETCONF</name>" in streams and "<replaySupport>true</replaySupport>" in streams, streams


def test_reading():
    with office() as o:
        a = o.open("a")
        assert names(a.get_config(source="running"), "trunk") == ["carrier-a", "core"]
        one = ["subtree", f'<gateway xmlns="{NS}"><trunks><trunk><name>core</name></trunk></trunks></gateway>']
        assert names(a.get_config(source="running", filter=one), "trunk") == ["core"]
        path = ["xpath", [{"g": NS}, "/g:gateway/g:trunks/g:trunk[g:name='carrier-a']"]]
        assert names(a.get_config(source="candidate", filter=path), "trunk") == ["carrier-a"]
        assert names(a.get_config(source="startup"), "trunk") == ["carrier-a", "core"]
        assert names(a.get_config(source="running", filter=["subtree", f'<no-such xmlns="{NS}"/>']), "trunk") == []
        e = refused("unknown-attribute", a.get, filter=["subtree", f'<t:gateway xmlns:t="{NS}"><t:trunks t:name="core"/></t:gateway>'])
        assert "<bad-attribute>name</bad-attribute><bad-element>trunks</bad-element>" in e.info, e.info
        refused("unknown-namespace", a.get_config, source="running", filter=["xpath", [{"g": "urn:else"}, "/g:gateway"]])
        refused("invalid-value", a.get_config, source="running", filter=["xpath", [{"g": NS}, "/g:gateway["]])

        assert leaf(a, "ring-timeout") is None
        all_of_it = ET.fromstring(a.get_config(source="running", with_defaults="report-all"))
        assert [e.text for e in all_of_it.iter(f"{{{NS}}}ring-timeout")] == ["180"]
        tagged = a.get_config(source="running", with_defaults="report-all-tagged")
        assert re.search(r'ring-timeout [^>]*default="true">180', tagged), tagged[-2000:]

        state = ET.fromstring(a.get(filter=["subtree", f'<gateway xmlns="{NS}"/>']))
        assert list(state.iter(f"{{{NS}}}oper-state")), "trunks without state"
        page = a.rpc(f'<get xmlns="{BASE}"><filter type="subtree"><calls xmlns="{NS}"/></filter><limit xmlns="{NS}">10</limit>'
                     "</get>")
        assert ET.fromstring(page).findtext(f".//{{{NS}}}active") == "0", page


def test_editing():
    """All of edit-config's operations and options, and commit takes them to the running system."""
    with office() as o:
        a = o.open("a")
        a.edit_config(target="candidate", config=limits("ring-timeout", 60))
        assert leaf(a, "ring-timeout", "candidate") == "60" and leaf(a, "ring-timeout") is None
        a.discard_changes()
        assert leaf(a, "ring-timeout", "candidate") is None
        a.edit_config(target="candidate", config=trunk("third"), default_operation="none", test_option="test-then-set",
                      error_option="rollback-on-error")
        e = refused("data-exists", a.edit_config, target="candidate", config=trunk("third"))
        assert "third" in e.path, e.path
        a.validate(source="candidate")
        a.commit()
        assert names(a.get_config(source="running"), "trunk") == ["carrier-a", "core", "third"]
        assert "third" in [t["name"] for t in o.gateway.ctl("show", "trunks")["trunks"]]

        a.edit_config(target="candidate", config=trunk("third", "replace"))
        a.edit_config(target="candidate", config=trunk("third", "delete"))
        refused("data-missing", a.edit_config, target="candidate", config=trunk("third", "delete"))
        a.edit_config(target="candidate", config=trunk("third", "remove"))
        a.commit()
        assert names(a.get_config(source="running"), "trunk") == ["carrier-a", "core"]

        a.edit_config(target="running", config=limits("ring-timeout", 66))
        assert leaf(a, "ring-timeout") == "66" and leaf(a, "ring-timeout", "candidate") == "66"
        a.edit_config(target="running", config=limits("ring-timeout", 66, "delete"))
        a.edit_config(target="candidate", config=limits("ring-timeout", 77), test_option="test-only")
        assert leaf(a, "ring-timeout", "candidate") is None
        e = refused("invalid-value", a.edit_config, target="candidate", config=limits("ring-timeout", 1))
        assert "ring-timeout" in e.path, e.path
        refused("unknown-element", a.edit_config, target="candidate", config=limits("no-such-limit", 1))
        refused("bad-attribute", a.edit_config, target="candidate", config=limits("ring-timeout", 60, "explode"))
        # An operation that is in no namespace is none: what would be a merge, answered with ok, is a mistake.
        e = refused("unknown-attribute", a.edit_config, target="candidate",
                    config=trunk("core", "delete").replace("nc:operation", "operation"))
        assert "<bad-attribute>operation</bad-attribute><bad-element>trunk</bad-element>" in e.info, e.info
        a.discard_changes()


def test_whole_configurations():
    """copy-config, delete-config and validate, with a configuration in the request and from a datastore."""
    with office() as o:
        a = o.open("a")
        # The library beneath ncclient drops a declaration that only values use, such as the prefix of an identity.
        content = re.search("<data>(.*)</data>", a.get_config(source="running"), re.S).group(1).replace(">sgw:", ">")
        config = f"<config>{content}</config>"
        a.rpc(request("validate", source=config))
        e = refused("data-missing", a.rpc, request("validate", source=config.replace(">core</to-trunk>", ">gone</to-trunk>")))
        assert "to-trunk" in e.path, e.path
        a.edit_config(target="candidate", config=limits("ring-timeout", 60))
        a.rpc(request("copy-config", target="<candidate/>", source=config))
        assert leaf(a, "ring-timeout", "candidate") is None
        a.edit_config(target="candidate", config=limits("ring-timeout", 61))
        a.copy_config(source="running", target="candidate")
        assert leaf(a, "ring-timeout", "candidate") is None
        a.copy_config(source="running", target="startup")
        refused("invalid-value", a.copy_config, source="running", target="running")
        refused("invalid-value", a.delete_config, target="candidate")
        a.delete_config(target="startup")
        assert names(a.get_config(source="running"), "trunk") == ["carrier-a", "core"]
        a.copy_config(source="running", target="startup")
        assert names(a.get_config(source="startup"), "trunk") == ["carrier-a", "core"]


def test_locks():
    with office() as o:
        a, b = o.open("a"), o.open("b")
        a.lock(target="candidate")
        e = refused("lock-denied", b.lock, target="candidate")
        assert f"<session-id>{a.id}</session-id>" in e.info, e.info
        refused("in-use", b.edit_config, target="candidate", config=limits("ring-timeout", 60))
        refused("lock-denied", a.lock, target="candidate")
        refused("operation-failed", b.unlock, target="candidate")
        a.lock(target="running")
        refused("in-use", b.commit)
        a.unlock(target="running")
        a.unlock(target="candidate")
        b.lock(target="candidate")
        a.lock(target="startup")
        # Uncommitted changes go with the lock of the session that made them (RFC 6241, section 8.3.5.2).
        b.edit_config(target="candidate", config=limits("ring-timeout", 60))
        b.drop()
        wait_for("the lock went with its session", lambda: can_lock(a))
        assert leaf(a, "ring-timeout", "candidate") is None


def test_two_at_once():
    """A commit does not undo what somebody else changed meanwhile; a candidate without edits goes with what runs."""
    with office() as o:
        a, b = o.open("a"), o.open("b")
        a.edit_config(target="candidate", config=limits("ring-timeout", 60))
        b.edit_config(target="running", config=limits("max-calls", 55))
        e = refused("in-use", a.commit)
        assert "discard-changes" in e.message, e.message
        assert leaf(a, "max-calls") == "55" and leaf(a, "ring-timeout") is None
        a.discard_changes()
        b.edit_config(target="running", config=limits("max-calls", 56))
        assert leaf(a, "max-calls", "candidate") == "56"
        a.edit_config(target="candidate", config=limits("ring-timeout", 61))
        a.commit()
        assert (leaf(b, "max-calls"), leaf(b, "ring-timeout")) == ("56", "61")
        # Who means it replaces what runs.
        a.edit_config(target="candidate", config=limits("ring-timeout", 62))
        b.edit_config(target="running", config=limits("max-calls", 57))
        a.copy_config(source="candidate", target="running")
        assert (leaf(b, "max-calls"), leaf(b, "ring-timeout")) == ("56", "62")
        a.commit()


def can_lock(op):
    try:
        op.lock(target="candidate")
    except NetconfError as e:
        assert e.tag == "lock-denied", e
        return False
    return True


def test_confirmed_commits():
    with office() as o:
        a, b = o.open("a"), o.open("b")
        a.edit_config(target="candidate", config=limits("ring-timeout", 60))
        a.commit(confirmed=True, timeout="300")
        assert leaf(b, "ring-timeout") == "60"
        a.commit()
        assert leaf(b, "ring-timeout") == "60"
        # Nobody confirms in time.
        a.edit_config(target="candidate", config=limits("ring-timeout", 70))
        a.commit(confirmed=True, timeout="2")
        wait_for("the commit is rolled back", lambda: leaf(b, "ring-timeout") == "60")
        # The session that made it goes.
        a.discard_changes()
        a.edit_config(target="candidate", config=limits("ring-timeout", 80))
        a.commit(confirmed=True, timeout="300")
        assert leaf(b, "ring-timeout") == "80"
        a.drop()
        wait_for("the commit is rolled back with its session", lambda: leaf(b, "ring-timeout") == "60")
        # With a persist-id any session may confirm or cancel, and the one that began may go.
        b.discard_changes()
        b.edit_config(target="candidate", config=limits("ring-timeout", 90))
        b.commit(confirmed=True, timeout="300", persist="tonight")
        b.close()
        c = o.open("c")
        refused("invalid-value", c.commit, persist_id="tomorrow")
        assert leaf(c, "ring-timeout") == "90"
        c.commit(persist_id="tonight")
        c.edit_config(target="candidate", config=limits("ring-timeout", 100))
        c.commit(confirmed=True, timeout="300", persist="again")
        c.cancel_commit(persist_id="again")
        assert leaf(c, "ring-timeout") == "90"
        refused("operation-failed", c.cancel_commit)


def test_accounts():
    """Engineers may do everything, viewers look; who is not in the management group does not come in."""
    with office() as o:
        alice, bob, nina = (o.open(u, u) for u in ("alice", "bob", "nina"))
        assert names(bob.get_config(source="running"), "trunk") == ["carrier-a", "core"]
        refused("access-denied", bob.edit_config, target="candidate", config=limits("ring-timeout", 60))
        assert leaf(bob, "ring-timeout", "candidate") is None
        refused("access-denied", bob.kill_session, session_id=str(alice.id))
        refused("access-denied", bob.delete_config, target="startup")
        refused("access-denied", bob.rpc, f'<drain xmlns="{NS}"/>')
        nina.rpc(f'<drain xmlns="{NS}"><trunk>core</trunk></drain>')
        nina.rpc(f'<resume xmlns="{NS}"><trunk>core</trunk></resume>')
        alice.edit_config(target="candidate", config=limits("ring-timeout", 60))
        refused("access-denied", bob.commit)
        alice.commit()
        assert leaf(bob, "ring-timeout") == "60"
        # What may not be read is not there, and what may not be changed keeps the rest of an edit from happening.
        assert leaf(bob, "private-key") is None and leaf(alice, "private-key")
        # Nor is it found out by guessing: what is right is refused as what is wrong, though it would change nothing.
        for key in (leaf(alice, "private-key"), "/nowhere.key"):
            denied = refused("access-denied", bob.edit_config, target="candidate", config=private_key(alice, key))
            assert not denied.path and "bob" in denied.message, vars(denied)
        # What he did read he may send back, as clients do that hold whole configurations.
        bob.edit_config(target="candidate", config=limits("ring-timeout", 60))
        refused("access-denied", bob.lock, target="candidate")
        refused("access-denied", nina.edit_config, target="candidate", config=limits("ring-timeout", 90))
        nina.edit_config(target="candidate", config=trunk("third"))
        nina.commit()
        assert "third" in names(bob.get_config(source="running"), "trunk")
        popen = o.ssh.raw("carol", o.desk, INSIDE)
        assert exit_code(popen) == 4, popen.returncode


def test_killed_sessions():
    with office() as o:
        a, b = o.open("a"), o.open("b")
        refused("invalid-value", a.kill_session, session_id=str(a.id))
        refused("invalid-value", a.kill_session, session_id="4000000000")
        b.lock(target="running")
        a.kill_session(session_id=str(b.id))
        a.lock(target="running")
        try:
            b.get_config(source="running")
            raise LabError("a killed session still answers")
        except LabError as e:
            assert "still" not in str(e), e


def test_operations_of_the_model():
    with office() as o:
        a = o.open("a")
        reply = a.rpc(f'<drain xmlns="{NS}"><trunk>core</trunk></drain>')
        assert ET.fromstring(reply).findtext(f"{{{NS}}}remaining-calls") == "0", reply
        reply = a.rpc(f'<resume xmlns="{NS}"><trunk>core</trunk></resume>')
        assert ET.fromstring(reply).find(f"{{{BASE}}}ok") is not None, reply
        refused("data-missing", a.rpc, f'<drain xmlns="{NS}"><trunk>no-such</trunk></drain>')
        refused("access-denied", o.open("bob", "bob").rpc, f'<reload xmlns="{NS}"/>')
        assert ET.fromstring(a.rpc(f'<reload xmlns="{NS}"/>')).find(f"{{{BASE}}}ok") is not None
        e = refused("unknown-element", a.rpc, f'<explode xmlns="{NS}"/>')
        assert "<bad-element>explode</bad-element>" in e.info, e.info
        e = refused("invalid-value", a.rpc, f'<drain xmlns="{NS}"><timeout>soon</timeout></drain>')
        assert e.path.endswith("timeout"), e.path
        refused("unknown-element", a.rpc, f'<drain xmlns="{NS}"><speed>1</speed></drain>')
        refused("unknown-namespace", a.rpc, '<reboot xmlns="urn:else"/>')
        refused("operation-not-supported", a.rpc, f'<reboot xmlns="{BASE}"/>')
        nested = '<action xmlns="urn:ietf:params:xml:ns:yang:1"><{0} xmlns="%s"><call><id>none</id><terminate/></call></{0}></action>'
        refused("data-missing", a.rpc, nested.format("calls") % NS)


def test_a_restart():
    """It is answered before; who managed the gateway connects anew."""
    with office() as o:
        a = o.open("a")
        refused("access-denied", o.open("bob", "bob").rpc, f'<restart xmlns="{NS}"/>')
        refused("invalid-value", a.rpc, f'<restart xmlns="{NS}"><timeout>61</timeout></restart>')
        a.edit_config(target="candidate", config=limits("ring-timeout", 80))
        a.commit(confirmed=True, timeout="300")
        assert "confirm" in refused("in-use", a.rpc, f'<restart xmlns="{NS}"/>').message
        a.commit()
        reply = a.rpc(f'<restart xmlns="{NS}"/>')
        assert ET.fromstring(reply).findtext(f"{{{NS}}}remaining-calls") == "0", reply
        wait_for("it has started again", lambda: o.gateway.controlplane.output().count("main: ready") == 2)
        assert leaf(o.open("b"), "ring-timeout") == "80"


def test_calls():
    """A call is found by its state and a page at a time, and ended with its action."""
    with office() as o:
        a, b = agent(o.lab, "carrier-a"), agent(o.lab, "phone")
        connect(a, b)
        op, bob = o.open("op"), o.open("bob", "bob")
        up = f'<calls xmlns="{NS}"><call><state>established</state></call></calls>'
        found = ET.fromstring(bob.get(filter=["subtree", up])).findall(f".//{{{NS}}}call")
        assert len(found) == 1, found
        call = found[0].findtext(f"{{{NS}}}id")
        assert call == established(o.gateway)
        hops = f'<statistics xmlns="{NS}"><data-plane><next-hops/></data-plane></statistics>'
        wait_for("both next hops", lambda: ET.fromstring(bob.get(filter=["subtree", hops])).findtext(
            f".//{{{NS}}}next-hops/{{{NS}}}resolved") == "2")

        def page(limit, after):
            reply = op.rpc(f'<get xmlns="{BASE}"><filter type="subtree"><calls xmlns="{NS}"/></filter>'
                           f'<limit xmlns="{NS}">{limit}</limit>{after}</get>')
            return [c.findtext(f"{{{NS}}}id") for c in ET.fromstring(reply).iter(f"{{{NS}}}call")]

        assert page(1, "") == [call]
        assert page(1, f'<after xmlns="{NS}">{call}</after>') == []
        end = (f'<action xmlns="urn:ietf:params:xml:ns:yang:1"><calls xmlns="{NS}"><call><id>{call}</id><terminate/></call>'
               "</calls></action>")
        refused("access-denied", bob.rpc, end)
        assert "<ok/>" in op.rpc(end)
        a.released()
        b.released()
        wait_for("the call is over", lambda: o.gateway.ctl("show", "calls")["active"] == 0)
        assert names(op.get(filter=["subtree", up]), "call") == []


def edits(notification):
    """(target, operation) of each edit of a netconf-config-change, without namespaces."""
    ns = "{urn:ietf:params:xml:ns:yang:ietf-netconf-notifications}"
    return [(re.sub(r"[a-z-]+:", "", e.findtext(f"{ns}target")), e.findtext(f"{ns}operation"))
            for e in ET.fromstring(notification).iter(f"{ns}edit")]


def test_what_a_commit_changed_is_told():
    """RFC 6470's edits: the topmost nodes, to each subscriber those that he may read; very many are told as one."""
    with office() as o:
        a, viewer, b = o.open("a"), o.open("viewer", "bob"), o.open("b")
        for op in (a, viewer):
            op.create_subscription()
        peer = "<peer><name>p</name><host>10.20.0.77</host><transport>udp</transport></peer>"
        change = ("<trunks>" + "".join(f"<trunk><name>{n}</name><realm>core</realm><max-calls>3</max-calls>{peer}"
                                       "<srtp><mode>none</mode></srtp></trunk>" for n in ("x", "y")) +
                  f'<trunk xmlns:nc="{BASE}" nc:operation="delete"><name>core</name></trunk></trunks>'
                  "<routing><route><name>r0</name><to-trunk>x</to-trunk>"
                  f'<to-trunk xmlns:nc="{BASE}" nc:operation="delete">core</to-trunk></route>'
                  f'<route xmlns:nc="{BASE}" nc:operation="delete"><name>r1</name></route></routing>'
                  "<tls-profiles><tls-profile><name>gateway</name><verify-peer>required</verify-peer></tls-profile></tls-profiles>")
        b.edit_config(target="running", config=f'<config><gateway xmlns="{NS}">{change}</gateway></config>')
        profile = ("/gateway/tls-profiles/tls-profile[name='gateway']/verify-peer", "replace")
        rest = {("/gateway/trunks/trunk[name='x']", "create"), ("/gateway/trunks/trunk[name='y']", "create"),
                ("/gateway/trunks/trunk[name='core']", "delete"), ("/gateway/routing/route[name='r1']", "delete"),
                ("/gateway/routing/route[name='r0']/to-trunk[.='x']", "create"),
                ("/gateway/routing/route[name='r0']/to-trunk[.='core']", "delete")}
        told = edits(hear(a, "netconf-config-change"))
        assert len(told) == len(set(told)) and set(told) == rest | {profile}, told
        assert set(edits(hear(viewer, "netconf-config-change"))) == rest
        many = "".join(f"<trunk><name>m{i}</name><realm>core</realm><srtp><mode>none</mode></srtp></trunk>" for i in range(101))
        b.edit_config(target="running", config=f'<config><gateway xmlns="{NS}"><trunks>{many}</trunks></gateway></config>')
        for op in (a, viewer):
            assert edits(hear(op, "netconf-config-change")) == [("/gateway", "merge")]


def hear(op, name):
    """Notifications until one of this name, which is returned."""
    while True:
        n = op.notification()
        assert n, f"no {name}"
        if f"<{name}" in n:
            assert re.search(r"<eventTime>\d{4}-\d\d-\d\dT[^<]+</eventTime>", n), n
            return n


def test_notifications():
    """A subscription, requests in between, a filter, and what was said before it began."""
    with office() as o:
        a, b, picky, late, plain = (o.open(s) for s in ("a", "b", "picky", "late", "plain"))
        a.create_subscription()
        picky.create_subscription(filter=["xpath", [{"g": NS}, "/g:no-such | /g:config-applied[g:user='alice']"]])
        plain.create_subscription(filter=["subtree", f'<config-applied xmlns="{NS}"><user>alice</user></config-applied>'])
        b.edit_config(target="candidate", config=limits("ring-timeout", 60))
        b.commit()
        assert "<user>alice</user>" in hear(a, "config-applied")
        assert "<config-applied" in plain.notification()
        # RFC 6470: a NETCONF session is named by its id.
        change = hear(a, "netconf-config-change")
        assert "<username>alice</username>" in change and f"<session-id>{b.id}</session-id>" in change, change
        assert edits(change) == [("/gateway/limits/ring-timeout", "replace")], change
        assert "<netconf-config-change" not in picky.notification()
        assert leaf(a, "ring-timeout") == "60"
        late.create_subscription(start_time="2020-01-01T00:00:00Z")
        hear(late, "config-applied")
        hear(late, "replayComplete")
        b.edit_config(target="candidate", config=limits("ring-timeout", 61))
        b.commit()
        for op in (a, picky, late):
            hear(op, "config-applied")
        refused("invalid-value", b.create_subscription, stream_name="no-such-stream")
