"""Model servers as processes: folders as the scaffold writes them, started as start.sh does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import AGENT, LIMIT
from llm_agent.engines import http_client

LLAMA_CPP = [
    "{python}", "-m", "llm_agent.engines.llama_cpp", "--model", "{weights}", "--socket",
    "{socket}", "--name", "{name}", "--ctx-size", "{context}", "--parallel", "{parallel}",
    "--threads", "{threads}",
]  # fmt: skip


def model_folder(
    folder: Path, source: Path, kind: str, profile: dict[str, Any] | None = None, **launch: Any
) -> Path:
    """`source` as the folder's model/, by hard links."""
    shutil.copytree(source, folder / "model", copy_function=os.link)
    whole = {
        "engine": "transformers", "bind": "inherit", "argv": [], "environment": {}, "routes": [],
        "weights": "model", "loader": "", "kind": kind, "name": f"test/{folder.name}",
        "context": 0, "parallel": 2, "threads": 1, **launch,
    }  # fmt: skip
    info = {"schema": 1, "name": whole["name"], "profile": profile or {}, "launch": whole}
    (folder / "model_info.json").write_text(json.dumps(info))
    return folder


@dataclass
class Program:
    process: subprocess.Popen[bytes]
    endpoint: str
    events: list[dict[str, Any]]

    def get(self, path: str) -> tuple[int, Any]:
        return http_client.call(self.endpoint, "GET", path, timeout=LIMIT)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        return http_client.call(self.endpoint, "POST", path, body, timeout=300)

    def answer(self, path: str, body: Any) -> Any:
        status, answer = self.post(path, body)
        assert status == 200, answer
        return answer

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT)


@contextmanager
def started(
    folder: Path, bind: str, short_dir: Path, *arguments: str, expect: str = "ready", port: int = 0
) -> Iterator[Program]:
    """`bind`: inherit, unix or tcp (by hand). Yields after the last readiness event."""
    ready, told = os.pipe()
    path = short_dir / "api.sock"
    environment = {**os.environ, "LLMD_READY_FD": str(told)}
    passed = [told]
    listening = socket.socket(socket.AF_UNIX)
    endpoint = f"unix://{path}"
    argv = [sys.executable, "-m", "llm_agent", "serve", "--folder", str(folder), *arguments]
    if bind == "inherit":
        listening.bind(str(path))
        listening.listen()
        environment["LLMD_LISTEN_FD"] = str(listening.fileno())
        passed.append(listening.fileno())
    elif bind == "unix":
        environment["LLMD_SOCKET"] = str(path)
    else:
        argv += ["--port", str(port)]
        endpoint = f"http://127.0.0.1:{port}"
    with (short_dir / "server.log").open("wb") as log:
        process = subprocess.Popen(
            argv, cwd=AGENT, env=environment, pass_fds=passed, stdout=log, stderr=log
        )
    os.close(told)
    listening.close()
    try:
        with os.fdopen(ready, "rb") as lines:
            events = [json.loads(line) for line in lines]
        said = (short_dir / "server.log").read_text(errors="replace")[-4000:]
        assert events and events[-1]["event"] == expect, f"{events}\n{said}"
        yield Program(process, endpoint, events)
    finally:
        process.kill()
        process.wait()
