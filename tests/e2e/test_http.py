"""The HTTP face: OpenAI's routes with its own client, ours, and what it refuses."""

from __future__ import annotations

import http.client
import json
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

import psutil
import pytest
from openai import NotFoundError, OpenAI

from helpers import CAPITAL, GGUF, MINILM, SMOLLM2, chat_body, eventually
from llmd_harness import Daemon, request, stream_lines

Serve = Callable[[str], Daemon]


def openai_client(daemon: Daemon) -> OpenAI:
    return OpenAI(base_url=f"{daemon.url}/v1", api_key="not-a-key", max_retries=0)


def chat(client: OpenAI, **body: Any) -> Any:
    return client.chat.completions.create(**body)


@pytest.mark.parametrize("model", [GGUF, pytest.param(SMOLLM2, marks=pytest.mark.torch)])
def test_openai_client_chats(served: Serve, model: str) -> None:
    client = openai_client(served(model))
    answer = chat(client, **chat_body(model))
    assert "Paris" in answer.choices[0].message.content
    assert answer.usage.completion_tokens > 0
    assert answer.usage.prompt_tokens > 10
    assert answer.model


@pytest.mark.parametrize("model", [GGUF, pytest.param(SMOLLM2, marks=pytest.mark.torch)])
def test_openai_client_streams(served: Serve, model: str) -> None:
    client = openai_client(served(model))
    pieces, reasons = [], []
    stream = chat(client, **chat_body(model, stream=True))
    for chunk in stream:
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
            reasons.append(choice.finish_reason)
    assert "Paris" in "".join(pieces)
    assert len([p for p in pieces if p]) > 3, "the answer came in one piece"
    assert reasons[-1] in ("stop", "length")


@pytest.mark.parametrize("model", [GGUF, pytest.param(SMOLLM2, marks=pytest.mark.torch)])
def test_openai_client_completes(served: Serve, model: str) -> None:
    client = openai_client(served(model))
    answer = client.completions.create(
        model=model, prompt="The capital of France is", max_tokens=8, temperature=0
    )
    assert "Paris" in answer.choices[0].text


@pytest.mark.torch
def test_stop_strings_and_limits_of_the_transformers_engine(served: Serve) -> None:
    client = openai_client(served(SMOLLM2))
    short = chat(client, **chat_body(SMOLLM2, max_tokens=2))
    assert short.choices[0].finish_reason == "length"
    assert short.usage.completion_tokens == 2
    cut = chat(client, **chat_body(SMOLLM2, stop=[" Paris"]))
    assert "Paris" not in cut.choices[0].message.content
    assert cut.choices[0].finish_reason == "stop"


@pytest.mark.torch
def test_seed_makes_sampling_repeatable(served: Serve) -> None:
    client = openai_client(served(SMOLLM2))
    body = chat_body(SMOLLM2, temperature=1.0, seed=7, max_tokens=16)
    first, second = (chat(client, **body).choices[0].message.content for _ in range(2))
    assert first == second


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / (math.hypot(*a) * math.hypot(*b))


@pytest.mark.torch
def test_embeddings_know_what_is_alike(served: Serve) -> None:
    client = openai_client(served(MINILM))
    words = ["a cat sits on the mat", "a kitten sits on the rug", "stock markets fell today"]
    data = client.embeddings.create(model="all-minilm-l6-v2", input=words).data
    cat, kitten, stocks = (item.embedding for item in data)
    assert [item.index for item in data] == [0, 1, 2]
    assert len(cat) == 384
    assert cosine(cat, kitten) > cosine(cat, stocks) + 0.2
    plain = client.embeddings.create(model=MINILM, input="a cat", encoding_format="float")
    assert isinstance(plain.data[0].embedding[0], float)


def test_models_are_listed(served: Serve) -> None:
    client = openai_client(served(GGUF))
    assert GGUF in [m.id for m in client.models.list()]


def test_unknown_model_is_a_typed_404(served: Serve) -> None:
    client = openai_client(served(GGUF))
    with pytest.raises(NotFoundError) as caught:
        chat(client, **chat_body("org/nothing"))
    assert caught.value.code == "model_not_found"
    assert "org/nothing" in caught.value.message


def test_generate_single(served: Serve) -> None:
    daemon = served(GGUF)
    body = {"model": GGUF, "prompt": CAPITAL, "max_tokens": 24, "temperature": 0}
    answer = daemon.post("/api/generate", body)
    assert answer.status == 200, answer.text
    assert "Paris" in answer.json()["text"]
    assert answer.json()["response"] == answer.json()["text"]


def test_generate_ndjson(served: Serve) -> None:
    daemon = served(GGUF)
    body = {"model": GGUF, "prompt": CAPITAL, "max_tokens": 24, "temperature": 0, "stream": True}
    with stream_lines(f"{daemon.url}/api/generate", body) as lines:
        objects = [json.loads(line) for line in lines]
    assert len(objects) > 3
    assert "Paris" in "".join(o.get("response", "") for o in objects)
    assert [o.get("done", False) for o in objects] == [False] * (len(objects) - 1) + [True]


def test_model_info(served: Serve) -> None:
    daemon = served(GGUF)
    info = daemon.get(f"/api/model/info?model={GGUF}")
    assert info.status == 200, info.text
    assert GGUF in info.text


def test_health_and_metrics(served: Serve) -> None:
    daemon = served(GGUF)
    assert daemon.get("/livez").status == 200
    assert daemon.get("/readyz").status == 200
    metrics = daemon.get("/metrics")
    assert metrics.status == 200
    assert "llmd_" in metrics.text


@pytest.mark.parametrize("model", [GGUF, pytest.param(SMOLLM2, marks=pytest.mark.torch)])
def test_client_gone_means_upstream_cancelled(served: Serve, model: str) -> None:
    daemon = served(model)
    body = {
        "model": model, "prompt": "1, 2, 3, 4,", "max_tokens": 4000, "stream": True,
        "ignore_eos": True, "temperature": 0,
    }  # fmt: skip
    if model == SMOLLM2:
        body.pop("ignore_eos")
    with stream_lines(f"{daemon.url}/v1/completions", body) as lines:
        for _ in range(3):
            assert next(lines).startswith("data: {")
        assert daemon.llmctl.servers()[model]["in_flight"] == 1
    eventually(
        "the request has ended", lambda: daemon.llmctl.servers()[model]["in_flight"] == 0
    )  # fmt: skip
    server = psutil.Process(daemon.llmctl.servers()[model]["pid"])
    eventually("the server is idle", lambda: cpu_share(server) < 0.2)
    assert "Paris" in daemon.post("/v1/chat/completions", chat_body(model)).text


def cpu_share(server: psutil.Process) -> float:
    """How busy a server is, its children included, over a fifth of a second."""
    group = [server, *server.children(recursive=True)]
    before = sum(sum(p.cpu_times()[:2]) for p in group)
    psutil.Process().cpu_percent(interval=0.2)
    return (sum(sum(p.cpu_times()[:2]) for p in group) - before) / 0.2


def test_foreign_host_and_origin_are_refused(served: Serve) -> None:
    daemon = served(GGUF)
    own = daemon.url.removeprefix("http://")
    assert daemon.get("/v1/models", Host=own, Origin=daemon.url).status == 200
    assert daemon.get("/v1/models", Host=f"localhost:{own.split(':')[1]}").status == 200
    for headers in (
        {"Host": "evil.example"},
        {"Host": f"evil.example:{own.split(':')[1]}"},
        {"Host": own, "Origin": "http://evil.example"},
        {"Host": own, "Origin": "null"},
    ):
        answer = daemon.get("/v1/models", **headers)
        assert answer.status in (400, 403, 421), (headers, answer)
        assert "error" in answer.json()


def test_a_form_of_another_page_cannot_post(served: Serve) -> None:
    daemon = served(GGUF)
    url = f"{daemon.url}/v1/chat/completions"
    body = chat_body(GGUF)
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = request(url, json=body, headers={"Content-Type": kind})
        assert answer.status in (400, 403, 415), answer


def grpc_web(daemon: Daemon, method: str, **headers: str) -> tuple[int, str]:
    """One unary gRPC-web call: the HTTP status and the gRPC status."""
    connection = http.client.HTTPConnection(daemon.url.removeprefix("http://"), timeout=60)
    connection.request(
        "POST", f"/llmd.v1.{method}", body=b"\0" + struct.pack(">I", 0),
        headers={"Content-Type": "application/grpc-web+proto", "X-Grpc-Web": "1", **headers},
    )  # fmt: skip
    response = connection.getresponse()
    body = response.read()
    connection.close()
    status = response.headers.get("grpc-status")
    while status is None and len(body) >= 5:
        (length,) = struct.unpack(">I", body[1:5])
        frame, flags, body = (
            body[5 : 5 + length].decode(errors="replace"),
            body[0],
            body[5 + length :],
        )
        if flags & 0x80:
            trailers = dict(line.split(":", 1) for line in frame.split("\r\n") if ":" in line)
            status = trailers.get("grpc-status", "").strip()
    return response.status, status or ""


def test_grpc_web_wants_the_token(served: Serve) -> None:
    daemon = served(GGUF)
    unauthenticated = "16"
    for method in ("System/Info", "Models/List", "Models/Install", "System/Shutdown"):
        http_status, status = grpc_web(daemon, method)
        assert http_status == 401 or status == unauthenticated, (method, http_status, status)
        wrong = {"Authorization": "Bearer " + "0" * 64}
        http_status, status = grpc_web(daemon, method, **wrong)
        assert http_status == 401 or status == unauthenticated, (method, http_status, status)
    right = {"Authorization": f"Bearer {daemon.token}"}
    assert grpc_web(daemon, "System/Info", **right) == (200, "0")
    assert daemon.running


def test_dashboard_is_served(served: Serve) -> None:
    page = served(GGUF).get("/")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src" in page.headers.get("content-security-policy", "")
