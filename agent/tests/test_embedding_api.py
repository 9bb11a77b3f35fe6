"""/v1/embeddings over a socket, with vectors that are easy to check."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from conftest import Serve
from helpers import FakeLoader, RunningServer
from llm_agent.loaders.embedding import Vectors
from llm_agent.runtime.cancellation import Cancellation

np = pytest.importorskip("numpy")

PATH = "/v1/embeddings"


class FakeEmbedding(FakeLoader):
    """A text's vector: its length, and 0.5 twice."""

    def embed(
        self, inputs: list[str], dimensions: int | None, truncate: bool, cancellation: Cancellation
    ) -> Vectors:
        rows = np.array([[len(text), 0.5, 0.5] for text in inputs], dtype=np.float32)
        return Vectors(rows[:, :dimensions], sum(map(len, inputs)))


@pytest.fixture
def server(serve: Serve) -> RunningServer:
    return serve(FakeEmbedding(), face="embedding", kind="embedding")


def test_one_text(server: RunningServer) -> None:
    status, answer = server.post(PATH, {"model": "x", "input": "four"})
    assert status == 200
    assert answer["object"] == "list"
    assert answer["data"] == [{"object": "embedding", "index": 0, "embedding": [4.0, 0.5, 0.5]}]
    assert answer["usage"] == {"prompt_tokens": 4, "total_tokens": 4}


def test_many_texts_keep_their_order(server: RunningServer) -> None:
    _, answer = server.post(PATH, {"input": ["a", "bbb", "cc"]})
    assert [item["embedding"][0] for item in answer["data"]] == [1, 3, 2]
    assert [item["index"] for item in answer["data"]] == [0, 1, 2]


def test_base64_carries_the_same_floats(server: RunningServer) -> None:
    _, answer = server.post(PATH, {"input": "four", "encoding_format": "base64"})
    data = base64.b64decode(answer["data"][0]["embedding"])
    assert np.frombuffer(data, "<f4").tolist() == [4.0, 0.5, 0.5]


def test_dimensions_are_passed_on(server: RunningServer) -> None:
    _, answer = server.post(PATH, {"input": "four", "dimensions": 2})
    assert answer["data"][0]["embedding"] == [4.0, 0.5]


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "input", "invalid_request"),
        ({"input": []}, "input", "invalid_request"),
        ({"input": ""}, "input.0", "invalid_request"),
        ({"input": ["a", ""]}, "input.1", "invalid_request"),
        ({"input": ["x"] * 2049}, "input", "invalid_request"),
        ({"input": 5}, "input", "invalid_request"),
        ({"input": [1, 2]}, "input", "unsupported_input"),
        ({"input": [[1], [2]]}, "input", "unsupported_input"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format", "invalid_request"),
        ({"input": "a", "dimensions": 0}, "dimensions", "invalid_request"),
    ],
)
def test_what_is_refused(
    server: RunningServer, body: dict[str, Any], param: str, code: str
) -> None:
    status, answer = server.post(PATH, body)
    assert (status, answer["error"]["code"]) == (400, code)
    assert answer["error"]["param"] == param


def test_generate_answers_with_a_vector(server: RunningServer) -> None:
    _, answer = server.post("/api/generate", {"prompt": "four"})
    assert answer["result"] == [4.0, 0.5, 0.5]
    assert answer["text"] == answer["response"] == "[4.0, 0.5, 0.5]"
