# SPDX-License-Identifier: Apache-2.0
"""What the gateway tells of itself (RFC 7951 JSON of srtp-gateway.yang), as plain Python values."""

import functools
import os
import re

MODEL = os.path.join(os.path.dirname(__file__), "../../../controlplane/config/yang/srtp-gateway.yang")
# Leaves that are left out while there is nothing to say.
OPTIONAL = {"suite", "keying", "egress-trunk", "end-reason", "last-rejection", "age", "tls-version", "tls-cipher", "tls-group"}


class State(dict):
    """
    A container or list entry. An optional leaf that is not there reads as None; a list may be named in the plural,
    and is then empty when it is not there; a counter's name may be written with underscores.
    """

    def __missing__(self, key):
        if "_" in key:
            return self[key.replace("_", "-")]
        if key in OPTIONAL:
            return None
        if key in ("calls", "legs", "trunks"):
            return self.get(key[:-1], [])
        raise KeyError(f"{key} (there are: {', '.join(self)})")


# Text that is not an identity, whatever it begins with.
NAMES = {"id", "from", "to", "version", "serial-number", "comment"}


@functools.cache
def numbers():
    """Names of the leaves whose numbers travel as text (RFC 7951 section 6.1). Other text may be all digits by chance: an id."""
    with open(MODEL) as f:
        leaves = re.findall(r"\bleaf(?:-list)?\s+([\w-]+)\s*\{[^{}]*?\btype\s+([\w:.-]+)", f.read())
    return {name for name, kind in leaves if kind.endswith("64")}


def bare(name):
    return name.removeprefix("srtp-gateway:")


def plain(value, name=""):
    """Without prefixes, numbers as numbers."""
    if isinstance(value, dict):
        return State((bare(key), plain(part, bare(key))) for key, part in value.items())
    if isinstance(value, list):
        return [plain(part, name) for part in value]
    if isinstance(value, str) and name in numbers():
        if re.fullmatch(r"-?[0-9]+", value):
            return int(value)
        if re.fullmatch(r"-?[0-9]+\.[0-9]+", value):
            return float(value)
    if isinstance(value, str) and name not in NAMES:
        return bare(value)
    return value


def shown(what, data):
    """What `srtpgwctl show WHAT` is about: the calls, one call, the statistics, the trunks with their state beside
    their configuration. Anything else, such as the configuration, as a whole."""
    state = plain(data)
    if what == "calls":
        return state.get("calls", State())
    if what == "call":
        return state["calls"]["call"][0]
    if what == "stats":
        return state["statistics"]
    if what == "trunks":
        trunks = [State({**trunk, **trunk.get("state", {})}) for trunk in state["gateway"]["trunks"]["trunk"]]
        return State(trunk=trunks)
    return state
