# SPDX-License-Identifier: Apache-2.0
"""What the gateway tells of itself (RFC 7951 JSON of srtp-gateway.yang), as plain Python values."""

import re

# 64-bit numbers and decimal fractions travel as text; these look like numbers and are names.
NAMES = {"id", "from", "to", "version", "serial-number", "comment"}
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


def bare(name):
    return name.removeprefix("srtp-gateway:")


def plain(value, name=""):
    """Without prefixes, numbers as numbers."""
    if isinstance(value, dict):
        return State((bare(key), plain(part, bare(key))) for key, part in value.items())
    if isinstance(value, list):
        return [plain(part, name) for part in value]
    if isinstance(value, str) and name not in NAMES:
        if re.fullmatch(r"-?[0-9]+", value):
            return int(value)
        if re.fullmatch(r"-?[0-9]+\.[0-9]+", value):
            return float(value)
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
