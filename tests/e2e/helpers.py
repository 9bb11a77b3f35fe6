"""What several end-to-end tests say or look for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fixture_hub.server import FixtureHub
from llmd_harness import Daemon, Result
from llmd_harness.fixtures import GGUF, MINILM, SMOLLM2

__all__ = ["GGUF", "MINILM", "SMOLLM2"]

CAPITAL = "Name the capital of France."
T = TypeVar("T")
HubOf = Callable[..., FixtureHub]


def chat_body(model: str, **more: object) -> dict[str, object]:
    """A deterministic question that SmolLM2 answers with Paris."""
    messages = [{"role": "user", "content": CAPITAL}]
    return {"model": model, "messages": messages, "max_tokens": 24, "temperature": 0, **more}


def eventually(what: str, probe: Callable[[], T], seconds: float = 30) -> T:
    """The probe's first true answer. For effects that nothing announces to the outside."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def nothing_installed(daemon: Daemon, repo_id: str) -> None:
    """No trace that could be mistaken for an installed model."""
    states = {name: model["state"] for name, model in daemon.llmctl.models().items()}
    assert "installed" not in states.values(), states
    assert not folder_of(daemon, repo_id).exists()
    listed = daemon.get("/v1/models").json()["data"]
    assert listed == []


def folder_of(daemon: Daemon, repo_id: str) -> Path:
    return daemon.home / "models" / repo_id.replace("/", "_")


def refused(result: Result, exit_code: int, code: str, *mentions: str) -> None:
    """A typed error with this code, whose text names what it is about."""
    error = result.error(exit_code)
    assert error["code"] == code, str(result)
    text = f"{error['message']} {error['next_step']}"
    for mention in mentions:
        assert mention in text, str(result)
