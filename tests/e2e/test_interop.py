# SPDX-License-Identifier: Apache-2.0
"""Calls through other people's SIP servers, which stay in the path and add routes of their own."""

import glob
import json
import os
import re
import subprocess
import time

from lab.gateway import CM_80, GCM_256, INSIDE, OUTSIDE, Neighbourhood, build_dir, carrier, core
from lab.proxy import EXAMPLES, Proxy
from lab.net import wait_for
from lab.sipp import Sipp
from test_calls import TONE_A, TONE_B, assert_clean, assert_heard, hang_up, phone, up

PROXY = "10.20.0.6"


def talk(gateway, a, b, by, seconds=3):
    """A call that is up: both hear each other, and `by` hangs up."""
    ident = wait_for("the call is up", lambda: up(gateway))["id"]
    time.sleep(seconds)
    hang_up(gateway, by)
    assert_heard(a, b, seconds - 0.7)
    assert_heard(b, a, seconds - 0.7)
    return assert_clean(gateway, ident)


def took_the_route(proxy):
    """The proxy recorded its route, and all that followed took it."""
    for method in ("INVITE", "ACK", "BYE"):
        assert proxy.requests(method) >= 1, f"no {method} at the proxy: {proxy.process.output()[-2000:]}"


def tls_trunk(lab):
    """A carrier whose Kamailio takes calls over TLS and hands them to a phone of its own, and back."""
    trunks = [carrier("carrier-b", "192.0.2.20", (CM_80,)), core("core", "10.20.0.10")]
    gateway = lab.gateway(trunks, [("carrier-b", "+", "core"), ("core", "+", "carrier-b")])
    proxy = Proxy(lab.host("carrier-b"), "kamailio-trunk", "192.0.2.20", OUTSIDE, "192.0.2.30",
                     lab.identity("carrier-b"), lab.ca.cert)
    return gateway, proxy


def test_kamailio_as_a_tls_trunk_is_called():
    with Neighbourhood() as lab:
        gateway, proxy = tls_trunk(lab)
        b = phone(lab, "carrier-c", "+4989100", TONE_B)
        a = phone(lab, "phone", "+4930300", TONE_A)
        a.dial(f"sip:+4989100@{INSIDE}")
        legs = talk(gateway, a, b, b)  # the phone behind the proxy hangs up
        assert [leg["suite"] for leg in legs] == [None, CM_80], legs
        assert legs[1]["signalling"]["transport"] == "tls", legs
        took_the_route(proxy)
        gateway.stop()


def test_kamailio_as_a_tls_trunk_calls():
    with Neighbourhood() as lab:
        gateway, proxy = tls_trunk(lab)
        a = phone(lab, "phone", "+4930300", TONE_A)
        b = phone(lab, "carrier-c", "+4989100", TONE_B, outbound="sip:192.0.2.20:5061;transport=tls")
        b.dial(f"sip:+4930300@{OUTSIDE}:5061;transport=tls")
        legs = talk(gateway, b, a, a)  # the gateway sends the BYE, through the proxy
        assert [leg["suite"] for leg in legs] == [CM_80, None], legs
        took_the_route(proxy)
        gateway.stop()


def core_proxy(lab):
    """A core whose Kamailio stands before its phones."""
    lab.wire(lab.host("proxy"), "inside", "eth0", f"{PROXY}/24")
    trunks = [carrier("carrier-a", "192.0.2.10", (GCM_256, CM_80)), core("core", PROXY)]
    gateway = lab.gateway(trunks, [("carrier-a", "+", "core"), ("core", "+", "carrier-a")])
    proxy = Proxy(lab.host("proxy"), "kamailio-core", PROXY, INSIDE, "10.20.0.10")
    return gateway, proxy


def test_kamailio_as_the_proxy_of_the_core_is_called():
    with Neighbourhood() as lab:
        gateway, proxy = core_proxy(lab)
        b = phone(lab, "phone", "+4930300", TONE_B)
        a = phone(lab, "carrier-a", "+4989100", TONE_A)
        a.dial(f"sip:+4930300@{OUTSIDE}:5061;transport=tls")
        legs = talk(gateway, a, b, a)
        assert [leg["suite"] for leg in legs] == [CM_80, None], legs
        took_the_route(proxy)
        gateway.stop()


def test_kamailio_as_the_proxy_of_the_core_calls():
    with Neighbourhood() as lab:
        gateway, proxy = core_proxy(lab)
        b = phone(lab, "carrier-a", "+4989100", TONE_B)
        a = phone(lab, "phone", "+4930300", TONE_A, outbound=f"sip:{PROXY}")
        a.dial(f"sip:+4989100@{INSIDE}")
        legs = talk(gateway, a, b, b)
        assert [leg["suite"] for leg in legs] == [None, GCM_256], legs
        took_the_route(proxy)
        gateway.stop()


def test_sipsak_is_answered_over_udp_and_tcp():
    with Neighbourhood() as lab:
        gateway = lab.gateway([carrier("carrier-a", "192.0.2.10"), core("core", "10.20.0.10")], [])
        for transport in ("udp", "tcp"):
            said = lab.host("phone").exec("sipsak", "-vv", "-E", transport, "-s", f"sip:ping@{INSIDE}:5060", timeout=30)
            assert "SIP/2.0 200 OK" in said, said
            assert "Allow: " in said and "INVITE" in said, said
        gateway.stop()


def test_the_sipp_of_the_examples_calls_itself():
    with Neighbourhood() as lab:
        host, address = lab.host("phone"), "10.20.0.60"
        host.ip("addr", "add", f"{address}/24", "dev", "eth0")
        with open(os.path.join(EXAMPLES, "sipp.json")) as f:
            example = json.load(f)["srtp-gateway:gateway"]
        gateway = lab.gateway(example["trunks"]["trunk"], [(None, example["routing"]["route"][0]["prefix"], "sipp")])
        takes = Sipp(host, "takes", os.path.join(EXAMPLES, "sipp-takes.xml"), None, address, 5070)
        places = Sipp(host, "places", os.path.join(EXAMPLES, "sipp-places.xml"), f"{INSIDE}:5060", address, 5060,
                      extra=("-s", "+999100"))
        places.finish()
        takes.finish()
        assert gateway.ctl("show", "stats")["calls"]["counters"]["answered"] == 1
        gateway.stop()


def test_every_example_is_a_configuration_that_starts():
    """Each peer's trunks, put into the example of an interconnect as its operator would."""
    with Neighbourhood() as lab:
        certificate, key, _ = lab.ca.issue("sbc", "sbc.example.com")
        password = lab.path("password")
        with open(password, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("open sesame\n")
        with open(os.path.join(EXAMPLES, "..", "interconnect.json")) as f:
            text = re.sub(r"^\s*//.*$", "", f.read(), flags=re.M)
        examples = sorted(glob.glob(os.path.join(EXAMPLES, "*.json")))
        assert len(examples) >= 10, examples
        for example in examples:
            tree = json.loads(text)
            with open(example) as f:
                merge(tree, json.load(f))
            for trunk in tree["srtp-gateway:gateway"]["trunks"]["trunk"]:
                for part in ("auth", "peer-auth"):
                    if part in trunk:
                        trunk[part]["password-file"] = password
            for profile in tree["srtp-gateway:gateway"]["tls-profiles"]["tls-profile"]:
                profile.update({"certificate": certificate, "private-key": key, "trust-bag": lab.ca.cert})
            path = lab.path(os.path.basename(example))
            with open(path, "w") as f:
                json.dump(tree, f)
            checked = subprocess.run([os.path.join(build_dir(), "controlplane", "srtpgw-controlplane"), "--check", "--config",
                                      path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
            assert checked.returncode == 0, f"{example}: {checked.stdout}"


def merge(into, more):
    for name, value in more.items():
        if isinstance(value, dict):
            merge(into.setdefault(name, {}), value)
        else:
            into[name] = [*into.get(name, []), *value]
