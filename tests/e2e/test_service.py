# SPDX-License-Identifier: Apache-2.0
"""Neither plane is root: what their units of scripts/service leave them is enough, and no more than they need."""

import json
import socket
import subprocess

from lab.party import both_hear, finish, parties, connect, talking
from lab.service import ACCOUNTS, GROUPS, Service, unit

from test_outages import heard_with_new_keys_only, lose_the_dataplane, opened, take_new_keys


def status(process):
    with open(f"/proc/{process.popen.pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def test_planes_without_root():
    with talking(kind=Service, port="af_xdp") as (_, gateway, a, b):
        for process in (gateway.dataplane, gateway.controlplane):
            now = status(process)
            assert "0" not in now["Uid"].split(), now["Uid"]
            assert now["CapEff"] == now["CapBnd"] and now["NoNewPrivs"] == "1", now
            wanted = unit("dataplane" if process is gateway.dataplane else "controlplane")["AmbientCapabilities"].split()
            assert bin(int(now["CapEff"], 16)).count("1") == len(wanted), now["CapEff"]
        assert "swapped out" not in gateway.dataplane.output()
        finish(gateway, a, b)


def test_a_killed_data_plane_without_root_is_back_on_the_same_interfaces():
    with talking(kind=Service, port="af_xdp") as (_, gateway, a, b):
        lose_the_dataplane(gateway)
        before = {x: opened(x, y) for x, y in ((a, b), (b, a))}
        gateway.start_dataplane()
        assert gateway.dataplane.output().count("XDP program of a killed predecessor removed") == 2
        for one in (a, b):
            take_new_keys(one)
        both_hear(a, b)
        for x, y in ((a, b), (b, a)):
            heard_with_new_keys_only(x, y, before[x])
        finish(gateway, a, b)


def test_configuration_and_calls_are_kept_without_root():
    with parties(kind=Service) as (_, gateway, a, b):
        gateway.ctl("set", f"trunks/trunk/{b.name}/max-calls", "7")
        gateway.ctl("commit")
        connect(a, b)
        gateway.kill(gateway.controlplane)
        gateway.start_controlplane()
        both_hear(a, b)
        trunks = gateway.ctl("show", "config", "trunks")
        assert '"max-calls": 7' in json.dumps(trunks), trunks
        a.reconnect()
        finish(gateway, a, b)


def may_connect(path, account, group):
    program = f"import socket; socket.socket(socket.AF_UNIX, {int(socket.SOCK_SEQPACKET)}).connect({path!r})"
    return subprocess.run(["setpriv", f"--reuid={account}", f"--regid={group}", "--clear-groups", "/usr/bin/python3", "-c", program],
                          stderr=subprocess.DEVNULL, timeout=20).returncode == 0


def test_the_planes_socket_is_the_groups():
    with parties(kind=Service) as (_, gateway, _a, _b):
        assert may_connect(gateway.media_socket, ACCOUNTS["srtpgw"], GROUPS["srtpgw"])
        assert not may_connect(gateway.media_socket, ACCOUNTS["srtpgw"], "games")
