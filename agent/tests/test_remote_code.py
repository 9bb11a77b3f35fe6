"""Code that lies in a repository runs only when a person said so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers import needs_torch
from llm_agent.loaders.base import Settings
from llm_agent.loaders.table import make_loader
from models.catalogue import make

pytestmark = needs_torch
CODE = """
from pathlib import Path
Path({canary!r}).touch()
from transformers import LlamaConfig, LlamaForCausalLM
class OddConfig(LlamaConfig):
    model_type = {model_type!r}
class OddModel(LlamaForCausalLM):
    config_class = OddConfig
"""


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


def poisoned(folder: Path, canary: Path, model_type: str) -> Path:
    """A tiny llama whose configuration names code of its own, in every place that can."""
    weights: Path = make("tiny-llama", folder)
    (weights / "odd.py").write_text(CODE.format(canary=str(canary), model_type=model_type))
    for name in ("config.json", "tokenizer_config.json"):
        config = json.loads((weights / name).read_text())
        config["auto_map"] = {
            "AutoConfig": "odd.OddConfig",
            "AutoModelForCausalLM": "odd.OddModel",
        }
        config["trust_remote_code"] = True
        if name == "config.json":
            config |= {"model_type": model_type, "architectures": ["OddModel"]}
        (weights / name).unlink()  # it is a hard link into the cache
        (weights / name).write_text(json.dumps(config))
    return weights


def test_a_known_type_is_loaded_without_the_code(tmp_path: Path, canary: Path) -> None:
    weights = poisoned(tmp_path / "m", canary, "llama")
    loader = make_loader(Settings(weights=weights, kind="llm", name="x"))
    loader.load(lambda _: None)
    loader.warm_up()
    loader.close()
    assert loader.facts()["class"] == "LlamaForCausalLM"
    assert not canary.exists()


def test_an_unknown_type_is_refused(tmp_path: Path, canary: Path) -> None:
    weights = poisoned(tmp_path / "m", canary, "odd")
    loader = make_loader(Settings(weights=weights, kind="llm", name="x"))
    with pytest.raises(ValueError, match="trust_remote_code"):
        loader.load(lambda _: None)
    assert not canary.exists()


def test_a_person_may_allow_it(
    tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    weights = poisoned(tmp_path / "m", canary, "odd")
    options = {"trust_remote_code": True}
    loader = make_loader(Settings(weights=weights, kind="llm", name="x", options=options))
    loader.load(lambda _: None)
    loader.warm_up()
    loader.close()
    assert loader.facts()["class"] == "OddModel"
    assert canary.exists()
