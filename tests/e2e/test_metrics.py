# SPDX-License-Identifier: Apache-2.0
"""/metrics and /healthz while calls run: what is counted is what was sent, and Prometheus can read it."""

import json
import os
import re
import shutil
import subprocess

from lab.net import Skip, wait_for
from lab.operator import Operator, Refused
from lab.party import connect, finish, parties, quiet_now, talking

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")
LISTENER = {"observability": {"metrics-listener": {"port": 9464}}}


def page(gateway, path, port=9464):
    """(status, text) of a page as a client on the gateway's host gets it; status 0: nobody answers."""
    done = gateway.host.exec("curl", "-s", "--max-time", "20", "-w", "\n%{http_code}", f"http://127.0.0.1:{port}{path}",
                             check=False)
    text, _, status = done.rpartition("\n")
    return int(status), text


def metrics(gateway, port=9464):
    """Samples by their name with its labels."""
    status, text = page(gateway, "/metrics", port)
    assert status == 200, (status, text)
    samples = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            assert name not in samples, f"twice: {name}"
            samples[name] = float(value)
    return samples


def test_metrics_agree_with_what_was_sent():
    with talking(b="phone", **LISTENER) as (_, gateway, a, b):
        quiet_now(a, b)
        m = metrics(gateway)
        sent = [x.talker.stats()["sent"] for x in (a, b)]
        assert m['srtpgw_media_verdicts_total{verdict="relayed"}'] >= sum(sent), (m, sent)
        assert m["srtpgw_calls_active"] == m["srtpgw_calls_offered_total"] == m["srtpgw_calls_answered_total"] == 1
        assert m['srtpgw_call_legs{suite="AES_CM_128_HMAC_SHA1_80"}'] == m['srtpgw_call_legs{suite="none"}'] == 1
        assert m['srtpgw_trunk_calls_active{trunk="carrier-a"}'] == m['srtpgw_trunk_up{trunk="phone"}'] == 1
        assert m["srtpgw_call_setup_seconds_count"] == 1 and m["srtpgw_call_setup_seconds_sum"] < 60
        assert m['srtpgw_call_setup_seconds_bucket{le="+Inf"}'] == 1
        assert m['srtpgw_trunk_responses_total{trunk="phone",direction="received",class="2xx"}'] == 1
        assert m['srtpgw_trunk_responses_total{trunk="carrier-a",direction="sent",class="2xx"}'] == 1
        assert sum(v for n, v in m.items() if n.startswith("srtpgw_tls_handshakes_total{")) == m[
            "srtpgw_sip_tls_handshakes_total"] >= 1
        assert m["srtpgw_dataplane_connected"] == m["srtpgw_media_sessions"] == 1
        assert m['srtpgw_media_verdicts_total{verdict="clear_refused"}'] == 0
        used = m['srtpgw_media_ports{interface="outside",state="used"}']
        finish(gateway, a, b)
        m = metrics(gateway)
        assert m["srtpgw_calls_active"] == 0 and m['srtpgw_media_ports{interface="outside",state="used"}'] < used
        assert m["srtpgw_ended_rtp_received_total"] == sum(sent), (m, sent)
        assert m['srtpgw_ended_legs_total{suite="AES_CM_128_HMAC_SHA1_80"}'] == 1
        a.invite("+1")
        a.acknowledge(a.expect(404))
        assert metrics(gateway)['srtpgw_calls_refused_total{reason="no_route"}'] == 1
        assert page(gateway, "/")[0] == 404


def test_promtool_finds_nothing_wrong():
    if not shutil.which("promtool"):
        raise Skip("promtool is not there: package prometheus")
    with talking(b="phone", **LISTENER) as (_, gateway, a, b):
        _, text = page(gateway, "/metrics")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        assert done.returncode == 0 and not done.stdout.strip(), done.stdout
        finish(gateway, a, b)


def test_what_the_documentation_names_is_there():
    """The metrics that docs/operations.md tells operators to watch: those named in full, and those of its table."""
    with open(os.path.join(DOCS, "operations.md")) as f:
        text = f.read()
    table = text[text.index("\n## Monitoring"):text.index("\n## The audit")]
    rows = re.findall(r"^\| (`[^|]*) \|", table, re.M)
    watched = {name for row in rows for name in re.findall(r"`([a-z0-9_]+)", row)}
    assert len(watched) > 30, watched
    # Elsewhere with and without the beginning that all of them have.
    watched |= set(re.findall(r"`(?:srtpgw_)?([a-z][a-z0-9_]*_total)[`{]", text))
    watched |= set(re.findall(r"`srtpgw_([a-z0-9_]+)[`{]", text))
    # Those of the standby are its own program's, and said elsewhere.
    named = {f"srtpgw_{name}" for name in watched if not name.startswith("standby_")}
    with parties(b="phone", **LISTENER) as (_, gateway, _a, _b):
        _, page_text = page(gateway, "/metrics")
    there = set(re.findall(r"^# TYPE (\S+)", page_text, re.M))
    assert named <= there, named - there


def test_health_follows_the_data_plane():
    with parties(b="phone", **LISTENER) as (_, gateway, a, b):
        status, text = page(gateway, "/healthz")
        assert status == 200 and json.loads(text) == {"control-plane": "ok", "data-plane": "ok"}, text
        gateway.dataplane.stop()
        wait_for("it is noticed", lambda: page(gateway, "/healthz")[0] == 503)
        assert "not connected" in json.loads(page(gateway, "/healthz")[1])["data-plane"]
        assert metrics(gateway)["srtpgw_dataplane_connected"] == 0  # what is known is told all the same
        gateway.start_dataplane()
        wait_for("it is back", lambda: page(gateway, "/healthz")[0] == 200)
        connect(a, b)
        finish(gateway, a, b)


def test_a_lost_link_is_an_alarm():
    """The cable of an interface is out: an alarm, a notification, a metric, and the interface's state; and all is over again."""
    with parties(b="phone", **LISTENER) as (lab, gateway, a, b), Operator(gateway) as op:
        def up():
            return metrics(gateway)['srtpgw_interface_up{interface="ext0"}']

        def alarms():
            return gateway.ctl("show", "alarms")["statistics"]["data-plane"].get("interface-alarm", [])

        op.ask("subscribe")
        assert up() == 1 and alarms() == []
        switch, port = lab.far_end(gateway.host, "ext0")
        switch.ip("link", "set", port, "down")
        wait_for("the alarm", lambda: [(x["interface"], x["raised"]) for x in alarms()] == [("ext0", True)])
        assert op.notification("interface-alarm") == {"interface": "ext0", "kind": "link-down", "raised": True, "times": "1"}
        assert up() == 0 and metrics(gateway)['srtpgw_interface_up{interface="core0"}'] == 1
        links = {i["device"]: i["state"]["link"] for i in gateway.ctl("show", "media")["gateway"]["media"]["interface"]}
        assert links == {"ext0": "down", "core0": "up"}, links
        switch.ip("link", "set", port, "up")
        wait_for("its end", lambda: [(x["interface"], x["raised"]) for x in alarms()] == [("ext0", False)])
        assert op.notification("interface-alarm")["raised"] is False
        assert up() == 1 and metrics(gateway)['srtpgw_interface_link_losses_total{interface="ext0"}'] >= 1
        connect(a, b)
        m = metrics(gateway)
        assert m['srtpgw_interface_packets_total{interface="ext0",direction="received"}'] > 0
        assert m['srtpgw_interface_missed_total{interface="ext0"}'] >= 0
        assert "alarm: a media interface has no link" in gateway.controlplane.output()
        finish(gateway, a, b)


def test_next_hops_that_do_not_resolve_are_seen():
    """A call's two next hops are there; then one is silent, then there is no route to it, and then it is back."""
    with talking(b="phone", **LISTENER) as (lab, gateway, a, b):
        phone, host = lab.ADDRESSES["phone"], gateway.host

        def seen(**figures):
            """In metrics and by srtpgwctl, which is the model's state."""
            m, told = metrics(gateway), gateway.ctl("show", "stats")["data-plane"]["next-hops"]
            return all(m[f'srtpgw_next_hops{{state="{state}"}}'] == told[state.replace("_", "-")] == n
                       for state, n in figures.items())

        def no_way():
            return metrics(gateway)['srtpgw_media_verdicts_total{verdict="neighbour"}']

        wait_for("two next hops", lambda: seen(resolved=2, unresolved=0, no_route=0, idle=0))
        m = metrics(gateway)
        assert m["srtpgw_next_hops_capacity"] >= 65536 and m["srtpgw_next_hops_evicted_total"] == 0
        lost = no_way()
        switch, port = lab.far_end(lab.host("phone"), "eth0")
        switch.ip("link", "set", port, "down")
        host.ip("neigh", "del", phone, "dev", "core0")
        wait_for("the phone does not answer", lambda: seen(unresolved=1, no_route=0))
        wait_for("packets for it are dropped", lambda: no_way() > lost)
        host.ip("route", "add", "unreachable", f"{phone}/32")
        wait_for("no route leads to it", lambda: seen(unresolved=0, no_route=1))
        host.ip("route", "del", "unreachable", f"{phone}/32")
        switch.ip("link", "set", port, "up")
        wait_for("it is back", lambda: seen(resolved=2, unresolved=0, no_route=0))
        finish(gateway, a, b)


def test_the_listener_moves_with_the_configuration():
    with parties(b="phone", **LISTENER) as (_, gateway, a, b), Operator(gateway) as op:
        where = "/srtp-gateway:gateway/observability/metrics-listener"
        op.ask("set", path=f"{where}/port", value="9465")
        assert op.ask("commit").get("commit"), "nothing changed"
        assert metrics(gateway, 9465)["srtpgw_calls_active"] == 0 and page(gateway, "/metrics")[0] == 0
        # An address that is not there changes nothing and is named.
        op.ask("set", path=f"{where}/address", value="192.0.2.99")
        try:
            op.ask("commit")
            raise AssertionError("committed")
        except Refused as e:
            assert re.search("metrics-listener", e.path + e.message), e
        op.ask("discard-changes")
        assert metrics(gateway, 9465)["srtpgw_calls_active"] == 0
