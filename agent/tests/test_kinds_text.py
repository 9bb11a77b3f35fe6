"""Text in, labels, ranks or text out: every loader, with a tiny model, asked through its routes.

The weights are random: what is checked is that the right class is loaded, that the answer has the
shape of its contract, and that what cannot be is refused.
"""

from __future__ import annotations

import pytest

from conftest import Start
from helpers import needs_torch
from kinds import answer, refused, sums_to_one

pytestmark = needs_torch

TEXT = "The quick brown fox jumps over the lazy dog"


def test_text_classification(start: Start) -> None:
    server = start("tiny-text-classification", "text-classification")
    data = answer(server, "/v1/classify", {"input": ["I like it", "I do not"]})["data"]
    assert [row["index"] for row in data] == [0, 1]
    assert {s["label"] for s in data[0]["scores"]} == {"negative", "neutral", "positive"}
    assert sums_to_one(data[0]["scores"])
    assert data[0]["label"] == data[0]["scores"][0]["label"]
    assert data[0]["probs"] == sorted(data[0]["probs"], reverse=True)
    assert data[0]["num_classes"] == 3
    generated = answer(server, "/api/generate", {"prompt": "I like it"})
    assert generated["result"] == data[0]["scores"]
    assert data[0]["label"] in generated["text"]
    long = answer(server, "/v1/classify", {"input": "word " * 2000})
    assert sums_to_one(long["data"][0]["scores"])
    assert refused(server, "/v1/classify", {"input": ""}) == ("invalid_request", "input")


def test_half_precision_is_widened_on_a_processor(start: Start) -> None:
    server = start("tiny-text-classification", "text-classification", dtype="float16")
    assert server.get("/api/model/info")[1]["facts"]["dtype"] == "float32"
    assert answer(server, "/v1/classify", {"input": "I like it"})["data"]


def test_token_classification(start: Start) -> None:
    server = start("tiny-token-classification", "token-classification")
    (row,) = answer(server, "/v1/classify", {"input": TEXT})["data"]
    for entity in row["entities"]:
        assert entity["label"] in {"LOC", "O"}
        assert entity["text"] == TEXT[entity["start"] : entity["end"]]
        assert 0 <= entity["score"] <= 1
    assert answer(server, "/api/generate", {"prompt": TEXT})["result"] == row["entities"]


def test_fill_mask(start: Start) -> None:
    server = start("tiny-fill-mask", "fill-mask")
    said = answer(server, "/api/generate", {"prompt": "the [MASK] fox", "top_k": 3})
    assert len(said["result"]) == 3
    assert said["text"] == said["result"][0]["text"]
    assert "[MASK]" not in said["text"]
    for prompt in ("no gap", "[MASK] [MASK]"):
        assert refused(server, "/api/generate", {"prompt": prompt})[1] == "prompt"


def test_question_answering(start: Start) -> None:
    server = start("tiny-question-answering", "question-answering")
    body = {"prompt": "What jumps?", "context": TEXT}
    found = answer(server, "/api/generate", body)["result"]
    assert found["answer"] == TEXT[found["start"] : found["end"]] != ""
    assert 0 < found["score"] <= 1
    long = answer(server, "/api/generate", {**body, "context": f"{TEXT}. " * 200})["result"]
    assert long["answer"] == (f"{TEXT}. " * 200)[long["start"] : long["end"]]
    assert refused(server, "/api/generate", {"prompt": "Who?"}) == ("invalid_request", "context")


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("tiny-reranker", "BertForSequenceClassification"),
        ("tiny-causal-reranker", "Qwen3ForCausalLM"),
    ],
)
def test_reranker(start: Start, name: str, architecture: str) -> None:
    server = start(name, "reranker", architecture=architecture)
    documents = ["the lazy dog", {"text": "a fox"}, "Paris " * 400]
    body = {"query": "which animal?", "documents": documents}
    results = answer(server, "/v1/rerank", {**body, "return_documents": True})["results"]
    assert sorted(r["index"] for r in results) == [0, 1, 2]
    scores = [r["relevance_score"] for r in results]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert {r["document"]["text"] for r in results} == {"the lazy dog", "a fox", "Paris " * 400}
    assert len(answer(server, "/v1/rerank", {**body, "top_n": 1})["results"]) == 1
    assert refused(server, "/v1/rerank", {**body, "documents": []})[1] == "documents"
    assert refused(server, "/v1/rerank", {**body, "documents": ["x"] * 1001})[1] == "documents"


@pytest.mark.parametrize("name", ["tiny-t5", "tiny-bart"])
def test_seq2seq(start: Start, name: str) -> None:
    server = start(name, "seq2seq")
    body = {"prompt": "translate: hello", "max_tokens": 5, "temperature": 0}
    said = answer(server, "/v1/completions", body)
    assert 1 <= said["usage"]["completion_tokens"] <= 5
    assert answer(server, "/v1/completions", body)["choices"] == said["choices"]
    generated = answer(server, "/api/generate", body)
    assert generated["text"] == said["choices"][0]["text"]
    chat = {"messages": [{"role": "user", "content": "hello"}]}
    assert refused(server, "/v1/chat/completions", chat)[0] == "no_chat_template"
    seeded = {**body, "temperature": 1.5, "seed": 5}
    first, again = (answer(server, "/v1/completions", seeded)["choices"] for _ in range(2))
    assert first == again
