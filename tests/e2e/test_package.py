# SPDX-License-Identifier: Apache-2.0
"""The Debian package: what is in it, that it can be installed and removed, and that the gateway runs from it."""

import os
import subprocess
import tempfile

from lab.net import run
from lab.package import Installed, accounts, dpkg, inside, made
from lab.party import finish, talking
from lab.service import TOP

PROGRAMS = ("srtpgw-controlplane", "srtpgw-dataplane", "srtpgw-netconf", "srtpgw-standby", "srtpgwctl")
UNITS = ("controlplane", "dataplane", "standby")


def field(package, name):
    return run("dpkg-deb", "--field", package, name)


def contents(package):
    """Modes by path."""
    found = {}
    for line in run("dpkg-deb", "--contents", package).splitlines():
        mode, owner, *_, path = line.split()
        assert owner == "root/root", line
        found[path.removeprefix(".")] = mode
    return found


def test_what_is_in_it():
    package = made()
    listed = contents(package)
    wanted = [f"/usr/bin/{name}" for name in PROGRAMS]
    wanted += [f"/lib/systemd/system/srtpgw-{name}.service" for name in UNITS]
    wanted += [f"/usr/share/man/man8/{name}.8.gz" for name in PROGRAMS[:4]] + ["/usr/share/man/man1/srtpgwctl.1.gz"]
    wanted += ["/usr/lib/sysusers.d/srtpgw.conf", "/usr/lib/tmpfiles.d/srtpgw.conf", "/etc/default/srtpgw-dataplane",
               "/usr/share/bash-completion/completions/srtpgwctl", "/usr/share/zsh/site-functions/_srtpgwctl",
               "/usr/share/yang/modules/srtpgw/srtp-gateway.yang", "/usr/share/yang/modules/srtpgw/ietf-netconf-acm.yang"]
    wanted += [f"/usr/share/doc/srtpgw/{name}" for name in
               ("copyright", "changelog.gz", "README.md", "docs/operations.md", "examples/interconnect.json")]
    assert not [path for path in wanted if path not in listed], sorted(listed)
    assert all(listed[f"/usr/bin/{name}"] == "-rwxr-xr-x" for name in PROGRAMS)
    # DPDK's drivers are in no list of libraries, and NSS for DTLS 1.3 is not Debian 12's.
    for name in ("librte-net-af-xdp", "librte-net-af-packet", "librte-mempool-ring", "libyang2", "libssl3", "systemd"):
        assert name in field(package, "Depends"), field(package, "Depends")
    assert "libnss3" not in field(package, "Depends")
    assert any("dtls-nss" in path for path in listed) == ("libnss3" in field(package, "Suggests"))


def test_systemd_takes_its_units():
    with tempfile.TemporaryDirectory() as root:
        dpkg(root, "--install", made())
        units = [f"{root}/lib/systemd/system/srtpgw-{name}.service" for name in UNITS]
        said = run(*inside(root, "systemd-analyze", "verify", *units))
        assert "srtpgw" not in said, said


def test_it_comes_and_goes():
    """Nothing is enabled by itself. What an operator wrote outlives a removal; records of calls a purge, too."""
    with tempfile.TemporaryDirectory() as root:
        def at(*names):
            return os.path.join(root, *names)

        dpkg(root, "--install", made())
        users, groups = accounts(root)
        assert users["srtpgw"] != users["srtpgw-dataplane"] and groups["srtpgw"]
        for folder, user, mode in (("etc/srtpgw", users["srtpgw"], 0o750), ("run/srtpgw", 0, 0o1775)):
            status = os.stat(at(folder))
            assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (user, groups["srtpgw"], mode), (folder, status)
        assert not os.path.exists(at("etc/systemd/system/multi-user.target.wants"))
        assert not os.listdir(at("etc/srtpgw")), "there is no configuration that would be right"
        kept = ("etc/srtpgw/config.json", "etc/default/srtpgw-dataplane", "etc/default/srtpgw-standby", "var/lib/srtpgw/audit.jsonl")
        os.makedirs(at("var/lib/srtpgw"))
        for name in kept:
            with open(at(name), "w") as f:
                f.write("the operator's")
        dpkg(root, "--install", made())
        dpkg(root, "--remove", "srtpgw")
        assert not os.path.exists(at("usr/bin/srtpgwctl"))
        for name in kept:
            with open(at(name)) as f:
                assert f.read() == "the operator's", name
        said = dpkg(root, "--purge", "srtpgw")
        assert [os.path.exists(at(name)) for name in kept] == [False, False, False, True]
        assert "/var/lib/srtpgw" in said, said


def test_an_audit_beside_the_configuration_outlives_a_purge():
    with tempfile.TemporaryDirectory() as root:
        dpkg(root, "--install", made())
        names = [os.path.join(root, "etc/srtpgw", name) for name in ("config.json", "cdr.jsonl", "cdr.jsonl.1", "cdr.jsonl.key", "cdr.jsonl.pub")]
        for name in names:
            open(name, "w").close()
        said = dpkg(root, "--purge", "srtpgw")
        assert all(os.path.exists(name) for name in names)
        assert "/etc/srtpgw is kept" in said and "/etc/srtpgw/cdr.jsonl" in said, said


# What else the scripts call; users and folders are there already.
OTHER_TOOLS = ("deb-systemd-invoke", "deb-systemd-helper", "systemd-sysusers", "systemd-tmpfiles")


def script(root, name, *args, active=()):
    """A maintainer script where services are managed, of which these are active: what it did with services, what it said."""
    with tempfile.TemporaryDirectory() as fakes:
        os.makedirs(os.path.join(root, "run/systemd/system"), exist_ok=True)
        did = os.path.join(fakes, "did")
        asked = f'case "$*" in *is-active*) for unit in "$@"; do case " {" ".join(active)} " in *" $unit "*) exit 0;; esac; done; exit 3;; esac'
        for tool, does in (("systemctl", asked), *((other, "") for other in OTHER_TOOLS)):
            with open(os.path.join(fakes, tool), "w") as f:
                f.write(f'#!/bin/sh\n{does}\necho "$@" >>{did}\n')
            os.chmod(os.path.join(fakes, tool), 0o755)
        said = run(*inside(root, "env", f"PATH={fakes}:{os.environ['PATH']}", "sh", f"/var/lib/dpkg/info/srtpgw.{name}", *args))
        with open(did, "a+") as f:
            f.seek(0)
            return f.read().splitlines(), said


def test_what_runs_when_it_comes_and_goes():
    """A removal stops all that it takes the program from; an upgrade says what there is to exchange, a purge heeds what is not its own."""
    with tempfile.TemporaryDirectory() as root:
        dpkg(root, "--install", made())
        did, said = script(root, "postinst", "configure", "1.0", active=("srtpgw-standby",))
        assert "srtpgw-standby runs on as it was" in said and "controlplane" not in said, said
        assert not [line for line in did if "stop" in line or "start" in line], did
        did, said = script(root, "postinst", "configure", "1.0", active=("srtpgw-controlplane", "srtpgw-dataplane"))
        assert "srtpgwctl restart" in said and "systemctl kill -s KILL srtpgw-dataplane" in said, said
        assert not [line for line in did if "stop" in line or "start" in line], did
        assert not [line for line in script(root, "prerm", "upgrade", "2.0")[0] if "stop" in line]
        stopped = [line.split()[-1] for line in script(root, "prerm", "remove")[0] if line.startswith("stop ")]
        assert stopped == [f"srtpgw-{name}.service" for name in ("standby", "controlplane", "dataplane")], stopped
        config = os.path.join(root, "etc/srtpgw/config.json")
        journal = os.path.join(root, "run/srtpgw/journal")
        for name in (config, journal):
            open(name, "w").close()
        _, said = script(root, "postrm", "purge", active=("srtpgw-dataplane",))
        assert "are kept" in said and os.path.exists(config) and os.path.exists(journal), said


def test_a_call_through_what_is_installed():
    audit = "/var/lib/srtpgw/audit.jsonl"
    with talking(kind=Installed, audit={"file": audit}) as (_, gateway, a, b):
        assert any("dtls-nss" in path for path in contents(made())) == ("DTLS 1.3 is available" in gateway.controlplane.output())
        gateway.ctl("set", f"trunks/trunk/{b.name}/max-calls", "7")
        gateway.ctl("commit")
        with open(gateway.config_path) as f:
            assert '"max-calls":7' in f.read().replace(" ", "")
        finish(gateway, a, b)
        with open(os.path.join(gateway.root, audit.lstrip("/"))) as f:
            assert '"type":"session"' in f.read().replace(" ", "")


def test_a_package_is_not_made_of_the_wrong_thing():
    for words, code, says in ((["--nonsense"], 2, "--nonsense"), (["--build"], 2, "--build"), (["--build", "/nowhere"], 2, "/nowhere")):
        done = subprocess.run([os.path.join(TOP, "scripts", "package"), *words], stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == code and says in done.stderr and done.stderr.count("\n") == 1, done
