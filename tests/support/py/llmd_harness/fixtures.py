"""pytest fixtures; a suite takes them with `pytest_plugins = ["llmd_harness.fixtures"]`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from fixture_hub.server import FixtureHub
from fixture_hub.state import Options
from models.catalogue import make_hub_root

from .daemon import Daemon

MODELS = ("smollm2-gguf", "minilm", "smollm2")
GGUF = "HuggingFaceTB/SmolLM2-135M-Instruct-GGUF"
SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"
MINILM = "sentence-transformers/all-MiniLM-L6-v2"

StartDaemon = Callable[..., Daemon]


def short_folder() -> Path:
    """A private folder with a short name: sockets live below it. $LLMD_TEST_TMP says where."""
    return Path(tempfile.mkdtemp(prefix="llmd-e2e-", dir=os.environ.get("LLMD_TEST_TMP")))


def finish(*daemons: Daemon) -> None:
    """Closes them all, then fails with whatever any of them did wrong."""
    problems = []
    for daemon in daemons:
        found = daemon.close()
        if found:
            problems += [*found, daemon.account()]
        _alive.remove(daemon)
        shutil.rmtree(daemon.home.parent, ignore_errors=True)
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what its daemons logged."""
    report = yield
    if report.failed:
        report.sections += [(f"llmd, home {d.home}", d.account()) for d in _alive]
    return report


_alive: list[Daemon] = []


def new_daemon(home: Path, hub: str, **environment: str) -> Daemon:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    daemon = Daemon(home, hub, **environment)
    _alive.append(daemon)
    return daemon


@pytest.fixture(scope="session")
def hub_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real models, laid out as repositories. Treat as read-only."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    return make_hub_root(tmp_path_factory.mktemp("hub"), MODELS)


@pytest.fixture(scope="session")
def session_hub(hub_root: Path) -> Iterator[FixtureHub]:
    with FixtureHub(Options(root=hub_root)) as hub:
        yield hub


@pytest.fixture
def hub(hub_root: Path) -> Iterator[FixtureHub]:
    """A hub over the real models for this test alone: faults and log are its own."""
    with FixtureHub(Options(root=hub_root)) as hub:
        yield hub


@pytest.fixture
def make_daemon() -> Iterator[StartDaemon]:
    """make_daemon(hub.url) -> a Daemon that is not started yet; closed and judged at the end."""
    made: list[Daemon] = []

    def make(hub: str, home: Path | None = None, **environment: str) -> Daemon:
        made.append(new_daemon(home or short_folder() / "home", hub, **environment))
        return made[-1]

    yield make
    finish(*made)


@pytest.fixture
def daemon(make_daemon: StartDaemon, hub: FixtureHub) -> Daemon:
    """A running llmd with an empty home and a hub of its own."""
    return make_daemon(hub.url).start()


@pytest.fixture(scope="session")
def shared(session_hub: FixtureHub) -> Iterator[Daemon]:
    """One llmd for tests that only ask: models are installed by `served` and stay."""
    daemon = new_daemon(short_folder() / "home", session_hub.url).start()
    yield daemon
    finish(daemon)


@pytest.fixture(scope="session")
def served(shared: Daemon) -> Callable[[str], Daemon]:
    """served(GGUF) -> the shared llmd, with that model installed once per session."""
    installed: set[str] = set()

    def serve(model: str) -> Daemon:
        if model not in installed:
            shared.llmctl.install(model)
            installed.add(model)
        return shared

    return serve
