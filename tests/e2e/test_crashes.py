"""SIGKILL at bad moments, and servers that die: resumed, re-adopted, or said."""

from __future__ import annotations

import os
import re
import signal

import psutil

from fixture_hub.faults import Fault
from fixture_hub.log import Exchange
from fixture_hub.server import FixtureHub
from helpers import GGUF, chat_body, eventually, folder_of
from llmd_harness import Daemon
from llmd_harness.processes import processes_of

STALL = 80_000_000  # of the 98 MB
WEIGHTS = r"\.gguf\?Expires"


def byte_range(exchange: Exchange) -> range:
    """The bytes of the file that this exchange carried."""
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", exchange.range or "bytes=0-")
    assert asked, exchange
    start = int(asked[1])
    return range(start, start + exchange.sent)


def test_sigkill_during_download(daemon: Daemon, hub: FixtureHub) -> None:
    hub.faults.replace([Fault(side="cdn", stall_after=STALL)])
    installing = daemon.llmctl.start("install", GGUF, "--json")
    assert hub.log.wait(WEIGHTS, STALL, 120), "the download never came that far"
    journal = eventually("verified bytes on disk", lambda: verified_bytes(daemon))
    daemon.kill()
    installing.communicate(timeout=60)
    before = [byte_range(e) for e in hub.log.exchanges(WEIGHTS)]
    hub.faults.replace([])
    hub.release()
    hub.log.clear()

    daemon.start()
    assert daemon.llmctl.models().get(GGUF, {"state": "none"})["state"] != "installed"
    daemon.llmctl.install(GGUF)  # joins the job that was resumed
    after = [byte_range(e) for e in hub.log.exchanges(WEIGHTS) if e.done]
    again = {b for r in after for b in (r.start,)}
    assert min(again) >= journal, f"bytes below {journal} were verified, yet asked for again"
    assert min(again) <= max(r.stop for r in before)
    assert "Paris" in daemon.post("/v1/chat/completions", chat_body(GGUF)).text
    assert not any((daemon.home / "models" / ".staging").glob("*"))


def verified_bytes(daemon: Daemon) -> int:
    """How far the journal beside the partial file says that its bytes are safe."""
    for journal in (daemon.home / "models" / ".staging").rglob("*.llmd-journal"):
        numbers = [int(n) for n in re.findall(r"\b\d{6,}\b", journal.read_text(errors="replace"))]
        below = [n for n in numbers if n <= STALL]
        if below:
            return max(below)
    return 0


def test_sigkill_while_serving(daemon: Daemon) -> None:
    daemon.llmctl.install(GGUF)
    daemon.llmctl("start", GGUF, "--json").ok()
    before = daemon.llmctl.servers()[GGUF]
    daemon.kill()
    assert psutil.pid_exists(before["pid"]), "the server went with the daemon"
    daemon.start()
    after = daemon.llmctl.servers()[GGUF]
    assert (after["pid"], after["state"]) == (before["pid"], "ready")
    assert "Paris" in daemon.post("/v1/chat/completions", chat_body(GGUF)).text
    assert daemon.llmctl.servers()[GGUF]["pid"] == before["pid"]
    daemon.llmctl("stop", GGUF, "--json").ok()
    assert not psutil.pid_exists(before["pid"])


def test_sigterm_keeps_servers_and_shutdown_ends_them(daemon: Daemon) -> None:
    daemon.llmctl.install(GGUF)
    daemon.llmctl("start", GGUF, "--json").ok()
    pid = daemon.llmctl.servers()[GGUF]["pid"]
    assert daemon.terminate() == 0
    assert psutil.pid_exists(pid)
    daemon.start()
    assert daemon.llmctl.servers()[GGUF]["pid"] == pid
    daemon.shutdown()
    eventually("the server has ended", lambda: not psutil.pid_exists(pid))


def test_server_that_died_while_the_daemon_was_away(daemon: Daemon) -> None:
    daemon.llmctl.install(GGUF)
    daemon.llmctl("start", GGUF, "--json").ok()
    pid = daemon.llmctl.servers()[GGUF]["pid"]
    daemon.kill()
    server = psutil.Process(pid)
    server.kill()
    psutil.wait_procs([server], timeout=20)
    daemon.allow_log(GGUF)
    daemon.start()
    assert daemon.llmctl.servers().get(GGUF, {"state": "stopped"})["pid"] != pid
    assert "Paris" in daemon.post("/v1/chat/completions", chat_body(GGUF)).text


def test_server_killed_while_serving_is_started_again(daemon: Daemon) -> None:
    daemon.llmctl.install(GGUF)
    daemon.llmctl("start", GGUF, "--json").ok()
    pid = daemon.llmctl.servers()[GGUF]["pid"]
    daemon.allow_log(GGUF)
    os.kill(pid, signal.SIGKILL)
    eventually("the death is seen", lambda: daemon.llmctl.servers().get(GGUF, {}).get("pid") != pid)
    assert "Paris" in daemon.post("/v1/chat/completions", chat_body(GGUF)).text


def test_server_that_dies_at_start(daemon: Daemon) -> None:
    daemon.llmctl.install(GGUF)
    start = folder_of(daemon, GGUF) / "start.sh"
    start.write_text("#!/bin/sh\necho 'the model server broke its leg' >&2\nexit 23\n")
    daemon.allow_log(GGUF)
    result = daemon.llmctl("start", GGUF, "--json")
    assert result.exit != 0
    error = result.error(result.exit)
    assert error["code"] == "server_failed", str(result)
    assert "23" in error["message"]
    assert "broke its leg" in error["message"] + error["next_step"]
    assert "broke its leg" in daemon.llmctl("logs", GGUF).ok().stdout
    state = daemon.llmctl.servers().get(GGUF, {"state": "stopped"})["state"]
    assert state in ("stopped", "failed", "crash_loop")
    answer = daemon.post("/v1/chat/completions", chat_body(GGUF))
    assert answer.status in (500, 502, 503), answer
    assert answer.json()["error"]["code"] == "server_failed"
    assert {p.pid for p in processes_of(daemon.home)} == {daemon.pid}
    assert daemon.llmctl.models()[GGUF]["state"] == "installed"


def test_cancelled_install_leaves_nothing(daemon: Daemon, hub: FixtureHub) -> None:
    hub.faults.replace([Fault(side="cdn", stall_after=10_000_000, times=-1)])
    job = daemon.llmctl("install", GGUF, "--detach", "--json").ok().json
    assert hub.log.wait(WEIGHTS, 10_000_000, 120)
    daemon.llmctl("jobs", "cancel", job["id"], "--json").ok()
    watched = daemon.llmctl("jobs", "watch", job["id"], "--json")
    assert watched.exit in (7, 130), str(watched)
    assert daemon.llmctl("jobs", "show", job["id"], "--json").json["state"] == "cancelled"
    assert daemon.llmctl.models().get(GGUF, {"state": "none"})["state"] != "installed"


def test_cut_connections_are_resumed(daemon: Daemon, hub: FixtureHub) -> None:
    hub.faults.replace(
        [
            Fault(side="cdn", cut_after=30_000_000),
            Fault(side="cdn", status=503),
            Fault(side="cdn", cut_after=30_000_000),
        ]
    )
    daemon.allow_log("hub")
    daemon.llmctl.install(GGUF)
    sent = sum(len(byte_range(e)) for e in hub.log.exchanges(WEIGHTS))
    size = sum(p.stat().st_size for p in folder_of(daemon, GGUF).glob("model/*.gguf"))
    assert sent < size * 1.5, "what had arrived was fetched again"
