"""A small root of repositories, and hubs over it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixture_hub.server import FixtureHub
from fixture_hub.state import Options
from hub_samples import GOOD, OTHER, SHA, StartHub, safetensors, write_repository


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hub_root")
    config = b'{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}'
    write_repository(
        root, "acme/tiny", {"refs": {"v1": SHA}, "renamed_from": ["acme/old-name"]},
        config_dot_json=config, README_dot_md=b"# tiny\n" * 400,
        model_dot_safetensors=safetensors(750_000), onnx__model_dot_onnx=os.urandom(20_000),
    )  # fmt: skip
    write_repository(root, "acme/secret", {"private": True, "tokens": [GOOD]}, config_dot_json=b"1")
    for kind in ("auto", "manual"):
        meta = {"gated": kind, "tokens": [GOOD]}
        write_repository(root, f"acme/gated-{kind}", meta, config_dot_json=config)
    write_repository(root, "acme/disabled", {"disabled": True}, config_dot_json=config)
    virtual = [
        {"path": "../escape.json", "content": "{}"},
        {"path": "big.gguf", "size": 5_000_000_000},
        {"path": "zeros.bin", "size": 2_000_000, "fill": "zero"},
    ]
    write_repository(root, "acme/virtual", {"virtual": virtual}, config_dot_json=config)
    return root


@pytest.fixture
def start_hub(root: Path) -> Iterator[StartHub]:
    started: list[FixtureHub] = []

    def start(**options: Any) -> FixtureHub:
        options.setdefault("tokens", (GOOD, OTHER))
        started.append(FixtureHub(Options(root=root, **options)).start())
        return started[-1]

    yield start
    for hub in started:
        hub.stop()


@pytest.fixture
def hub(start_hub: StartHub) -> FixtureHub:
    return start_hub()
