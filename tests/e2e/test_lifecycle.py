"""A model's life, told with llmctl alone: check, install, start, ask, stop, remove."""

from __future__ import annotations

import json

from fixture_hub.server import FixtureHub
from helpers import CAPITAL, GGUF, MINILM, folder_of
from llmd_harness import Daemon
from llmd_harness.processes import processes_of


def test_check_fetches_no_weight(daemon: Daemon, hub: FixtureHub) -> None:
    profile = daemon.llmctl("check", GGUF, "--json").ok().json
    assert (profile["detector"], profile["kind"]) == ("gguf", "llm")
    assert profile["supported"] is True
    assert profile["context_length"] == 8192
    assert profile["quantization"] == "gguf"
    assert profile["license"] == "apache-2.0"
    assert any(b["name"] == "llama.cpp" and b["usable"] for b in profile["backends"])
    assert next(e for e in profile["evidence"] if e["matched"])["detector"] == "gguf"
    weight = sum(e.sent for e in hub.log.exchanges() if e.side == "cdn")
    assert weight < 70 << 20, "check read more of the weights than their header"
    assert daemon.llmctl.models() == {}


def test_life_of_a_gguf_model(daemon: Daemon, hub: FixtureHub) -> None:
    llmctl = daemon.llmctl
    installed = llmctl("install", GGUF, "--json").ok().json
    assert (installed["name"], installed["state"]) == (GGUF, "installed")
    assert all(e.auth is None for e in hub.log.exchanges() if e.side == "cdn")

    folder = folder_of(daemon, GGUF)
    for name in (
        "model", "scripts/serve_api.sh", "scripts/serve_ui.sh", "scripts/infer.py", "start.sh",
        "train.sh", "config.yaml", "requirements.txt", "requirements.lock", "model_info.json",
        ".venv/bin/python", "logs/install.log",
    ):  # fmt: skip
        assert (folder / name).exists(), name
    info = json.loads((folder / "model_info.json").read_text())
    assert "--hash=sha256:" in (folder / "requirements.lock").read_text()
    assert info["profile"]["repo_id"] == GGUF
    assert not any((daemon.home / "models" / ".staging").glob("*"))

    assert llmctl("list").ok().stdout.count(GGUF) == 1
    assert llmctl("show", GGUF, "--json").ok().json["profile"]["kind"] == "llm"
    assert llmctl("start", GGUF, "--json").ok().json["state"] == "ready"
    server = llmctl.servers()[GGUF]
    assert (server["state"], server["engine"]) == ("ready", "llama.cpp")
    assert any(p.pid == server["pid"] for p in processes_of(daemon.home))

    short = "smollm2-135m-instruct-gguf"
    assert "Paris" in llmctl("run", short, CAPITAL, "--temperature", "0").ok().stdout
    answer = llmctl("run", GGUF, CAPITAL, "--temperature", "0", "--json").ok().json
    assert "Paris" in answer["text"]
    assert answer["usage"]["completion_tokens"] > 0
    talk = llmctl("chat", GGUF, "--temperature", "0", stdin=f"{CAPITAL}\n/bye\n").ok()
    assert "Paris" in talk.stdout
    assert llmctl("logs", GGUF).ok().stdout.strip()

    restarted = llmctl("restart", GGUF, "--json").ok().json
    assert restarted["state"] == "ready"
    assert restarted["pid"] != server["pid"]
    llmctl("stop", GGUF, "--json").ok()
    assert llmctl.servers().get(GGUF, {"state": "stopped"})["state"] == "stopped"
    ended = {restarted["pid"], server["pid"]}
    assert not ended & {p.pid for p in processes_of(daemon.home)}

    llmctl("remove", GGUF, "--yes", "--json").ok()
    assert llmctl.models() == {}
    assert not folder.exists()


def test_remove_of_a_running_model_wants_force(daemon: Daemon) -> None:
    daemon.llmctl.install(MINILM)
    daemon.llmctl("start", MINILM, "--json").ok()
    refused = daemon.llmctl("remove", MINILM, "--yes", "--json")
    assert refused.error(refused.exit)["code"] == "model_running"
    daemon.llmctl("remove", MINILM, "--yes", "--force", "--json").ok()
    assert daemon.llmctl.models() == {}


def test_install_again_changes_nothing(daemon: Daemon, hub: FixtureHub) -> None:
    daemon.llmctl.install(GGUF)
    before = (folder_of(daemon, GGUF) / "model_info.json").read_bytes()
    hub.log.clear()
    daemon.llmctl.install(GGUF)
    assert [e for e in hub.log.exchanges() if e.side == "cdn"] == []
    assert (folder_of(daemon, GGUF) / "model_info.json").read_bytes() == before


def test_registry_is_rebuilt_from_the_folders(daemon: Daemon) -> None:
    daemon.llmctl.install(GGUF)
    daemon.terminate()
    for file in daemon.home.glob("registry.db*"):
        file.unlink()
    daemon.start()
    assert daemon.llmctl.models()[GGUF]["state"] == "installed"


def test_what_is_not_there_is_said(daemon: Daemon) -> None:
    for words in (("start", "nothing"), ("show", "nothing"), ("remove", "nothing", "--yes")):
        result = daemon.llmctl(*words, "--json")
        assert result.error(result.exit)["code"] == "model_not_found"
        assert "nothing" in result.stdout
