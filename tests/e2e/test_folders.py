"""Model folders stand alone: installed from disk, moved away, started by hand."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers import CAPITAL, GGUF, SMOLLM2, chat_body, folder_of
from llmd_harness import Daemon, request
from llmd_harness.daemon import START_LIMIT
from models.catalogue import make


def test_install_of_a_local_folder(daemon: Daemon, tmp_path: Path) -> None:
    make("smollm2-gguf", tmp_path / "my-smol")
    daemon.llmctl("install", "./my-smol", "--json", cwd=tmp_path).ok()
    (name,) = daemon.llmctl.models()
    assert name == "local/my-smol"
    assert daemon.llmctl("show", name, "--json").ok().json["profile"]["source"] == "folder"
    shutil.rmtree(tmp_path / "my-smol")  # the installed folder does not lean on it
    assert "Paris" in daemon.llmctl("run", name, CAPITAL, "--temperature", "0").ok().stdout


def test_local_folder_under_another_name(daemon: Daemon, tmp_path: Path) -> None:
    make("smollm2-gguf", tmp_path / "x")
    daemon.llmctl("install", str(tmp_path / "x"), "--name", "me/smol", "--json").ok()
    assert set(daemon.llmctl.models()) == {"me/smol"}


def test_a_folder_that_is_not_there(daemon: Daemon, tmp_path: Path) -> None:
    result = daemon.llmctl("install", "./nothing", "--json", cwd=tmp_path)
    assert result.exit != 0
    assert "nothing" in result.error(result.exit)["message"]


@contextmanager
def started_by_hand(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """start.sh --port N, as a person types it; yields its address once it can answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ready, tell = os.pipe()
    with subprocess.Popen(
        ["./start.sh", "--port", str(port)], cwd=folder, pass_fds=(tell,), start_new_session=True,
        env={**environment, "LLMD_READY_FD": str(tell)}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        os.close(tell)
        try:
            with os.fdopen(ready) as events:
                said = [json.loads(line) for line in iter(events.readline, "") if line.strip()]
                last = said[-1]["event"] if said else ""
        except ValueError as error:
            last = str(error)
        try:
            assert last == "ready", last
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(START_LIMIT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise


@pytest.mark.parametrize("model", [GGUF, pytest.param(SMOLLM2, marks=pytest.mark.torch)])
def test_a_moved_folder_works_without_the_daemon(
    daemon: Daemon, tmp_path: Path, model: str
) -> None:
    daemon.llmctl.install(model)
    daemon.terminate()
    moved = tmp_path / "somewhere else"  # with a space, as people have
    shutil.move(folder_of(daemon, model), moved)
    environment = {k: v for k, v in daemon.environment.items() if not k.startswith("LLMD_")}
    environment["HF_ENDPOINT"] = "http://127.0.0.1:9"  # it must not be needed
    with started_by_hand(moved, environment) as url:
        answer = request(f"{url}/v1/chat/completions", json=chat_body(model))
        assert "Paris" in answer.text
        assert request(f"{url}/health").status == 200
        asked = {"model": model, "prompt": CAPITAL, "max_tokens": 24, "temperature": 0}
        assert "Paris" in request(f"{url}/api/generate", json=asked).json()["text"]
    once = subprocess.run(
        [moved / ".venv/bin/python", moved / "scripts/infer.py", CAPITAL, "--temperature", "0",
         "--max-tokens", "24"], env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert once.returncode == 0, once.stderr
    assert "Paris" in once.stdout
    daemon.start()
    assert daemon.llmctl.models().get(model, {"state": "gone"})["state"] != "installed"


def test_training_says_honestly_that_it_comes(daemon: Daemon) -> None:
    daemon.llmctl.install(GGUF)
    done = subprocess.run(
        ["./train.sh"], cwd=folder_of(daemon, GGUF), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 3
    assert (done.stdout + done.stderr).strip()
