"""End-to-end tests: the real programs, real models, a hub on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixture_hub.server import FixtureHub
from fixture_hub.state import Options
from helpers import HubOf
from llmd_harness.fixtures import (
    daemon,
    hub,
    hub_root,
    make_daemon,
    pytest_runtest_makereport,
    served,
    session_hub,
    shared,
)

__all__ = [
    "daemon", "hub", "hub_root", "make_daemon", "pytest_runtest_makereport", "served",
    "session_hub", "shared",
]  # fmt: skip


@pytest.fixture
def hub_of(tmp_path: Path) -> Iterator[HubOf]:
    """hub_of({"acme/tiny": {"config.json": b"{}"}}) -> a hub with those repositories.

    The pseudo-file "repo.json" may be a dict. Keyword arguments are the hub's options.
    """
    started: list[FixtureHub] = []

    def start(repositories: dict[str, dict[str, Any]], **options: Any) -> FixtureHub:
        root = tmp_path / f"hub{len(started)}"
        root.mkdir()
        for repo_id, files in repositories.items():
            for name, content in files.items():
                path = root / repo_id / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content, Path):
                    path.symlink_to(content)
                elif isinstance(content, bytes):
                    path.write_bytes(content)
                else:
                    path.write_text(json.dumps(content))
        started.append(FixtureHub(Options(root=root, **options)).start())
        return started[-1]

    yield start
    for one in started:
        one.stop()
