"""The golden cases from end to end: the fixture hub serves them, llmctl checks them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixture_hub.server import FixtureHub
from fixture_hub.state import Options
from llmd_harness import Daemon
from llmd_harness.fixtures import StartDaemon

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
TOKEN = "golden-token"  # of make_repos.py
# Shards with an index, one file, GGUF, modules of sentence-transformers.
SAMPLE = (
    "Qwen/Qwen3-30B-A3B", "BAAI/bge-base-en-v1.5", "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF",
    "sentence-transformers/all-mpnet-base-v2",
)  # fmt: skip
# The largest header's window; nothing of a weight file beyond it is ever fetched.
WINDOW = 10 << 20


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=environment or None
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus") / "repos"
    run(str(GOLDEN / "make_repos.py"), str(root))
    return root


@pytest.fixture
def corpus_hub(corpus: Path) -> Iterator[FixtureHub]:
    with FixtureHub(Options(root=corpus, tokens=(TOKEN,))) as hub:
        yield hub


@pytest.fixture
def checker(corpus_hub: FixtureHub, make_daemon: StartDaemon) -> Daemon:
    return make_daemon(corpus_hub.url, HF_TOKEN=TOKEN).start()


def test_every_case_is_right_or_honestly_refused(checker: Daemon) -> None:
    command = f"{checker.llmctl.program} check {{repo}} --json"
    print(run(str(GOLDEN / "score.py"), command, **checker.llmctl.environment))


@pytest.mark.parametrize("repo_id", SAMPLE)
def test_a_second_check_asks_once(checker: Daemon, corpus_hub: FixtureHub, repo_id: str) -> None:
    first = checker.llmctl("check", repo_id, "--json").json
    asked = corpus_hub.log.exchanges()
    assert sum(e.sent for e in asked if e.side == "cdn") < WINDOW
    corpus_hub.log.clear()
    assert checker.llmctl("check", repo_id, "--json").json == first
    assert [e.path.split("?")[0] for e in corpus_hub.log.exchanges()] == [
        f"/api/models/{repo_id}/revision/main"
    ]
    corpus_hub.log.clear()
    assert checker.llmctl("check", repo_id, "--offline", "--json").json == first
    assert corpus_hub.log.exchanges() == []
