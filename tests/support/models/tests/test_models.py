"""Each model folder is what it says it is: loaded by the library that serves it, and asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from models.catalogue import CATALOGUE, cached, make, make_hub_root

GGUF_SIZE = 98_362_432


def test_gguf_needs_no_library(tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).parents[1]), str(tmp_path), "smollm2-gguf"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "smollm2-gguf").glob("*.gguf")
    assert file.stat().st_size == GGUF_SIZE
    assert file.open("rb").read(4) == b"GGUF"


def test_unknown_name_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).parents[1]), str(tmp_path), "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "no such model: nothing" in done.stderr) == (2, True)


def test_hub_root_layout(tmp_path: Path) -> None:
    make_hub_root(tmp_path, ["minilm", "smollm2-gguf"])
    assert (tmp_path / "sentence-transformers/all-MiniLM-L6-v2/modules.json").exists()
    readme = tmp_path / "HuggingFaceTB/SmolLM2-135M-Instruct-GGUF/README.md"
    assert 'license: "apache-2.0"' in readme.read_text()


def test_a_failed_make_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    from dataclasses import replace

    def broken(out: Path) -> None:
        (out / "half").write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cached(replace(CATALOGUE["tiny-llama"], make=broken), tmp_path)
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.torch
def test_smollm2_knows_the_capital_of_france(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = make("smollm2", tmp_path / "smollm2")
    assert json.loads((folder / "config.json").read_text())["architectures"] == ["LlamaForCausalLM"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert len(tokenizer("2026")["input_ids"]) == 4  # digits one by one
    question = [{"role": "user", "content": "What is the capital of France?"}]
    chat = tokenizer.apply_chat_template(
        question, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    model = AutoModelForCausalLM.from_pretrained(folder)
    answer = model.generate(**chat, max_new_tokens=16, do_sample=False)
    text = tokenizer.decode(answer[0, chat["input_ids"].shape[1] :], skip_special_tokens=True)
    assert "Paris" in text


@pytest.mark.torch
@pytest.mark.parametrize("name", ["minilm", "tiny-embedding"])
def test_embeddings(tmp_path: Path, name: str) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(make(name, tmp_path / name)), device="cpu")
    cat, kitten, stocks = model.encode(["a cat", "a kitten", "the stock market fell"])
    if name == "minilm":
        assert model.similarity(cat, kitten) > model.similarity(cat, stocks) + 0.2
    assert cat.shape == kitten.shape == stocks.shape


@pytest.mark.torch
def test_tiny_llama_generates_and_is_always_alike(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = make("tiny-llama", tmp_path / "cached")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    answer = model.generate(**tokenizer("The quick", return_tensors="pt"), max_new_tokens=4)
    assert answer.shape[1] > len(tokenizer("The quick")["input_ids"])
    (tmp_path / "fresh").mkdir()
    CATALOGUE["tiny-llama"].make(tmp_path / "fresh")
    for name in ("model.safetensors", "tokenizer.json"):
        assert (folder / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()


@pytest.mark.torch
def test_tiny_gguf_has_its_tensors_and_vocabulary(tmp_path: Path) -> None:
    from gguf import GGUFReader

    reader = GGUFReader(make("tiny-gguf", tmp_path / "gguf") / "tiny-llama-f16.gguf")
    assert len(reader.tensors) == 21
    assert reader.fields["general.architecture"].contents() == "llama"
    assert "tokenizer.chat_template" in reader.fields
