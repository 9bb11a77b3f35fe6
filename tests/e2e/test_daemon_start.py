"""How llmd starts, and what it says when it cannot."""

from __future__ import annotations

import json
import stat
import subprocess

import pytest

from fixture_hub.server import FixtureHub
from llmd_harness import Daemon, DaemonExit, Llmctl, programs, request, taken_port
from llmd_harness.fixtures import StartDaemon
from llmd_harness.processes import processes_of, wait_gone

NOWHERE = "http://127.0.0.1:9"


def test_address_file_and_modes(daemon: Daemon) -> None:
    address = json.loads(daemon.address_file.read_text())
    assert address == json.loads((daemon.home / "run" / "address.json").read_text())
    assert address["schema"] == 1
    assert address["pid"] == daemon.pid
    assert address["http"].startswith("http://127.0.0.1:")
    assert address["grpc"].startswith("unix://")
    assert address["grpc_tcp"] is None
    assert stat.S_IMODE((daemon.home / "run").stat().st_mode) == 0o700
    assert stat.S_IMODE((daemon.home / "run" / "token").stat().st_mode) == 0o600
    assert len(bytes.fromhex(daemon.token)) == 32
    assert daemon.terminate() == 0
    assert not (daemon.home / "run" / "address.json").exists()


@pytest.mark.parametrize(
    ("text", "place", "key"),
    [
        ("listen: 127.0.0.1:0\nlistn: x\n", "llmd.yaml:2:1", "listn"),
        ("listen: [1, 2]\n", "llmd.yaml:1:9", "listen"),
        ("listen: 'a\n", "llmd.yaml:", ""),
    ],
    ids=["unknown-key", "wrong-type", "broken"],
)
def test_bad_config_names_the_place(
    make_daemon: StartDaemon, text: str, place: str, key: str
) -> None:
    daemon = make_daemon(NOWHERE)
    (daemon.home / "llmd.yaml").write_text(text)
    with pytest.raises(DaemonExit) as ended:
        daemon.start()
    assert ended.value.code != 0
    assert place in ended.value.stderr
    assert key in ended.value.stderr
    assert "terminate called" not in ended.value.stderr
    error = daemon.llmctl("list", "--json").error(6)
    assert place in error["message"]
    daemon.allow_log(".")


def test_taken_port(make_daemon: StartDaemon) -> None:
    daemon = make_daemon(NOWHERE)
    daemon.allow_log("the port is taken")
    with taken_port() as port, pytest.raises(DaemonExit) as ended:
        daemon.start(listen=f"127.0.0.1:{port}")
    assert ended.value.code != 0
    assert str(port) in ended.value.stderr
    assert "--listen" in ended.value.stderr or "listen:" in ended.value.stderr
    assert processes_of(daemon.home) == []
    daemon.start()  # the home is none the worse


def test_second_llmd_on_the_same_home(make_daemon: StartDaemon) -> None:
    first = make_daemon(NOWHERE).start()
    second = Daemon(first.home, NOWHERE)
    second.address_file = first.home.parent / "address2.json"
    with pytest.raises(DaemonExit) as ended:
        second.start()
    assert ended.value.code != 0
    assert str(first.pid) in ended.value.stderr
    assert first.get("/livez").status == 200
    assert first.llmctl("system", "--json").ok().json["pid"] == first.pid


def test_not_on_loopback_without_keys(make_daemon: StartDaemon) -> None:
    daemon = make_daemon(NOWHERE)
    daemon.allow_log("loopback|0.0.0.0")
    with pytest.raises(DaemonExit) as ended:
        daemon.start(listen="0.0.0.0:0")
    assert ended.value.code != 0
    assert "0.0.0.0" in ended.value.stderr


def test_llmctl_starts_the_daemon(make_daemon: StartDaemon) -> None:
    holder = make_daemon(NOWHERE, LLMD_LISTEN="127.0.0.1:0")
    llmctl = holder.llmctl
    assert llmctl("list", "--json").ok().json == {"models": []}
    info = llmctl("system", "--json").ok().json
    assert info["pid"] in {p.pid for p in processes_of(holder.home)}
    assert request(f"{info['http']}/livez").status == 200
    llmctl("system", "shutdown", "--json").ok()
    assert wait_gone(holder.home, 30) == []
    assert llmctl("system", "shutdown", "--json").ok()  # never starts one
    assert processes_of(holder.home) == []


def test_two_homes_never_meet(make_daemon: StartDaemon, hub: FixtureHub) -> None:
    one, two = make_daemon(hub.url).start(), make_daemon(hub.url).start()
    assert one.url != two.url
    assert one.llmctl("system", "--json").json["home"] == str(one.home)
    assert two.llmctl("system", "--json").json["home"] == str(two.home)


def test_a_long_home_path_still_has_sockets(make_daemon: StartDaemon, tmp_path: object) -> None:
    from llmd_harness.fixtures import short_folder

    home = short_folder() / ("long-" * 12) / ("path-" * 12) / "home"
    daemon = make_daemon(NOWHERE, home=home).start()
    assert len(str(home / "run" / "llmd.sock")) > 107
    assert daemon.llmctl("list", "--json").ok().json == {"models": []}


def test_bad_usage() -> None:
    for program in (programs().llmd, programs().llmctl):
        done = subprocess.run([program, "--no-such-flag"], capture_output=True, text=True)
        assert done.returncode == 2
        assert "no-such-flag" in done.stderr + done.stdout
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
        assert (done.returncode, done.stdout.strip() != "") == (0, True)


def test_llmctl_when_llmd_cannot_be_started(make_daemon: StartDaemon) -> None:
    daemon = make_daemon(NOWHERE)
    daemon.allow_log(".")
    with taken_port() as port:
        llmctl = Llmctl(daemon.home, LLMD_LISTEN=f"127.0.0.1:{port}")
        error = llmctl("list", "--json").error(6)
    assert str(port) in error["message"]
