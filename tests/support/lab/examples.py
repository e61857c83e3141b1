# SPDX-License-Identifier: Apache-2.0
"""Gateways as examples/interop has them, in the usual neighbourhood."""

import json
import os

from .gateway import INSIDE, OUTSIDE, core
from .proxy import EXAMPLES


def gateway_for_accounts(lab, name):
    """(gateway, its port): the accounts of an example call and are called through the core's phone."""
    with open(os.path.join(EXAMPLES, f"{name}.json")) as f:
        example = json.load(f)["srtp-gateway:gateway"]
    listener, trunk = example["sip"]["listener"][0], example["trunks"]["trunk"][0]
    inside = {"name": "core", "transport": "udp", "address": INSIDE, "port": 5060, "realm": "core"}
    routes = [(r["from-trunk"], r["prefix"], *r["to-trunk"]) for r in example["routing"]["route"]]
    policies = {"dtls-policies": example["dtls-policies"]} if "dtls-policies" in example else {}
    gateway = lab.gateway([trunk | {"realm": "carriers"}, core("core", lab.ADDRESSES["phone"])], routes,
                          listeners=[listener | {"address": OUTSIDE, "realm": "carriers", "tls-profile": "gateway"}, inside],
                          users=example["users"], verify="required", **policies)
    return gateway, listener["port"]
