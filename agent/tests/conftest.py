"""Fixtures of the agent's tests. What needs torch says so with a marker."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prompted_models import MODELS as PROMPTED

from helpers import AGENT, FakeText, RunningServer, serving
from llm_agent.loaders.base import Settings
from llm_agent.loaders.table import find_entry, make_loader
from llm_agent.runtime.limits import LIMITS, Limits
from models.catalogue import make

# Processes that tests start import the package from here, as the tests do.
os.environ["PYTHONPATH"] = os.pathsep.join([str(AGENT), str(AGENT.parent / "tests" / "support")])
# A test process must not look as if a supervisor had started it.
for name in [name for name in os.environ if name.startswith("LLMD_") and "CACHE" not in name]:
    del os.environ[name]

Serve = Callable[..., RunningServer]
Start = Callable[..., RunningServer]


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's path."""
    path = Path(tempfile.mkdtemp(prefix="agent-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def serve(short_dir: Path) -> Iterator[Serve]:
    """Serves a loader of the test in this process, on a Unix socket; stopped at the end."""
    servers: list[RunningServer] = []

    def start(
        loader: object | None = None, face: str = "text", kind: str = "llm", slots: int = 2,
        limits: Limits = LIMITS, wait: bool = True, ui: bool = False,
    ) -> RunningServer:  # fmt: skip
        path = short_dir / f"{len(servers)}.sock"
        server = serving(loader or FakeText(), face, kind, slots, limits, path, ui)
        servers.append(server)
        if wait:
            server.wait_ready()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def start(serve: Serve, tmp_path: Path) -> Start:
    """A tiny model of the catalogue or of prompted_models behind its routes, in this process."""

    def run(name: str, kind: str, library: str = "", **more: Any) -> RunningServer:
        if name in PROMPTED:
            weights = tmp_path / name
            weights.mkdir()
            PROMPTED[name](weights)
        else:
            weights = make(name, tmp_path / name)
        settings = Settings(
            weights=weights, kind=kind, name=f"tiny/{name}", library=library, **more
        )
        entry = find_entry(kind, library, settings.loader)
        return serve(make_loader(settings), face=entry.face, kind=kind, slots=1)

    return run


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
