"""Real models through the real command: text with transformers and llama.cpp, embeddings."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from helpers import AGENT, LIMIT, needs_torch, sse
from llm_agent.engines import http_client
from models.catalogue import make
from programs import LLAMA_CPP, Program, model_folder, started

pytestmark = needs_torch
CHAT = "/v1/chat/completions"
CAPITAL = [{"role": "user", "content": "Name the capital of France."}]
GGUF_ROUTES = ["POST /v1/chat/completions", "POST /v1/completions", "GET /v1/models"]
GGUF_FILE = "model/SmolLM2-135M-Instruct.Q4_1.gguf"


def chat_body(**more: Any) -> dict[str, Any]:
    return {"messages": CAPITAL, "max_tokens": 24, "temperature": 0, **more}


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weights = make("smollm2", tmp_path_factory.mktemp("weights") / "smollm2")
    folder = tmp_path_factory.mktemp("folders") / "smollm2"
    return model_folder(folder, weights, "llm", loader="AutoModelForCausalLM", context=2048)


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("xllamacpp")
    weights = make("smollm2-gguf", tmp_path_factory.mktemp("weights") / "gguf")
    folder = tmp_path_factory.mktemp("folders") / "gguf"
    return model_folder(
        folder, weights, "llm", engine="llama.cpp", bind="unix", argv=LLAMA_CPP,
        routes=GGUF_ROUTES, weights=GGUF_FILE, context=1024,
    )  # fmt: skip


@pytest.fixture(scope="module")
def text(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """SmolLM2 in safetensors, served by the agent on an inherited socket."""
    with started(smollm2, "inherit", tmp_path_factory.mktemp("s")) as program:
        yield program


def events_of(program: Program, body: Any, path: str = CHAT) -> list[Any]:
    connection = http_client.connect(program.endpoint, LIMIT)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    events = list(sse(connection.getresponse()))
    connection.close()
    return events


def content(answer: Any) -> str:
    return str(answer["choices"][0]["message"]["content"])


def test_readiness_is_told_in_order(text: Program) -> None:
    names = [event["event"] for event in text.events]
    assert names[0] == "listening"
    assert set(names[1:-1]) == {"loading"}
    assert names[-1] == "ready"
    assert text.events[-1]["pid"] == text.process.pid


def test_it_knows_the_capital(text: Program) -> None:
    answer = text.answer(CHAT, chat_body())
    assert content(answer) == "The capital of France is Paris."
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"] == {"prompt_tokens": 36, "completion_tokens": 8, "total_tokens": 44}


def test_it_streams_what_it_says_at_once(text: Program) -> None:
    *chunks, usage, done = events_of(
        text, chat_body(stream=True, stream_options={"include_usage": True})
    )
    assert done == "[DONE]"
    pieces = [c["choices"][0]["delta"].get("content", "") for c in chunks]
    assert "".join(pieces) == "The capital of France is Paris."
    assert len([p for p in pieces if p]) == 7
    assert usage["usage"]["completion_tokens"] == 8


def test_it_completes(text: Program) -> None:
    body = {"prompt": "The capital of France is", "max_tokens": 3, "temperature": 0}
    answer = text.answer("/v1/completions", body)
    assert answer["choices"][0]["text"].startswith(" Paris")
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 3
    echoed = text.answer("/v1/completions", {**body, "echo": True})
    assert echoed["choices"][0]["text"].startswith("The capital of France is Paris")


def test_stop_strings_cut(text: Program) -> None:
    answer = text.answer(CHAT, chat_body(stop=[" of", "zzz"]))
    assert content(answer) == "The capital"
    assert answer["choices"][0]["finish_reason"] == "stop"
    # A stop string that lies across tokens.
    assert content(text.answer(CHAT, chat_body(stop="tal of Fr"))) == "The capi"


def test_a_seed_repeats_an_answer_beside_others(text: Program) -> None:
    body = chat_body(temperature=1.3, seed=11, max_tokens=12)
    alone = content(text.answer(CHAT, body))
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(content(text.answer(CHAT, body))))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [alone] * 3
    assert content(text.answer(CHAT, {**body, "seed": 12})) != alone


def test_top_k_one_is_greedy(text: Program) -> None:
    greedy = content(text.answer(CHAT, chat_body()))
    assert content(text.answer(CHAT, chat_body(temperature=2, top_k=1))) == greedy
    assert content(text.answer(CHAT, chat_body(temperature=2, top_p=0))) == greedy
    assert content(text.answer(CHAT, chat_body(temperature=2, min_p=1))) == greedy


def test_penalties_keep_from_repeating(text: Program) -> None:
    body = {"prompt": "ha ha ha ha ha ha ha ha ha", "max_tokens": 12, "temperature": 0}

    def laughs(**more: Any) -> int:
        said = text.answer("/v1/completions", {**body, **more})["choices"][0]["text"]
        return str(said).count("ha")

    plain = laughs()
    assert plain > 6
    assert laughs(frequency_penalty=2) < plain
    assert laughs(repetition_penalty=5.0) < plain


def test_what_does_not_fit_is_refused(text: Program) -> None:
    status, answer = text.post(CHAT, chat_body(max_tokens=3000))
    assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")
    status, answer = text.post("/v1/completions", {"prompt": "word " * 3000})
    assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")
    status, answer = text.post("/v1/completions", {"prompt": [1, 2, 10**6]})
    assert (status, answer["error"]["param"]) == (400, "prompt")


def test_token_prompts(text: Program) -> None:
    answer = text.answer("/v1/completions", {"prompt": [504, 3575, 282], "max_tokens": 2})
    assert answer["usage"]["prompt_tokens"] == 3


def test_a_client_that_goes_frees_the_model(text: Program) -> None:
    body = {"prompt": "1, 2, 3, 4,", "max_tokens": 1500, "stream": True, "temperature": 0}
    for _ in range(4):  # more than there are slots
        connection = http_client.connect(text.endpoint, LIMIT)
        connection.request(
            "POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        assert response.readline().startswith(b"data: {")
        connection.close()
    assert "Paris" in content(text.answer(CHAT, chat_body()))


def test_info_says_what_was_loaded(text: Program) -> None:
    facts = text.get("/api/model/info")[1]["facts"]
    assert facts["class"] == "LlamaForCausalLM"
    assert facts["parameters"] == 134_515_008
    assert facts["dtype"] == "bfloat16"
    assert facts["context"] == 2048


def test_sigterm_cuts_an_answer_and_ends_with_zero(smollm2: Path, short_dir: Path) -> None:
    with started(smollm2, "unix", short_dir) as program:
        connection = http_client.connect(program.endpoint, LIMIT)
        body = {"prompt": "1, 2, 3,", "max_tokens": 1500, "stream": True, "temperature": 0}
        connection.request(
            "POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        assert response.readline().startswith(b"data: {")
        assert program.terminate() == 0
        events = list(sse(response))
        assert events[-1]["error"]["code"] == "server_stopping"
        connection.close()


def test_sigterm_while_loading_ends_with_zero(smollm2: Path, short_dir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "llm_agent", "serve", "--folder", str(smollm2), "--port", "0"],
        cwd=AGENT, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"test/smollm2 on http://127.0.0.1:")
    health = 0
    while not health:  # the signal handler is there once it answers
        address = next(c.laddr for c in psutil.Process(process.pid).net_connections("tcp"))
        health, _ = http_client.call(f"http://127.0.0.1:{address.port}", "GET", "/health")
    assert health == 503
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT) == 0
    process.stdout.close()


def test_weights_that_are_damaged_fail_with_a_message(
    smollm2: Path, tmp_path: Path, short_dir: Path
) -> None:
    folder = model_folder(tmp_path / "broken", smollm2 / "model", "llm")
    (folder / "model/model.safetensors").unlink()
    (folder / "model/model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{broken header}")
    with started(folder, "unix", short_dir, expect="failed") as program:
        assert program.process.wait(LIMIT) == 1


def test_the_gguf_engine_replaces_the_agent(gguf: Path, short_dir: Path) -> None:
    with started(gguf, "unix", short_dir) as program:
        assert program.events[-1]["pid"] == program.process.pid
        answer = program.answer(CHAT, chat_body())
        assert "Paris" in content(answer)
        assert answer["model"] == "test/gguf"
        assert program.get("/health") == (200, {"status": "ok"})
        assert program.get("/v1/models")[1]["data"][0]["id"] == "test/gguf"
        assert program.terminate() == 0
    assert not (short_dir / "api.sock").exists()


def test_the_gguf_engine_ends_while_it_answers(gguf: Path, short_dir: Path) -> None:
    with started(gguf, "unix", short_dir) as program:
        connection = http_client.connect(program.endpoint, LIMIT)
        body = {"prompt": "1, 2,", "max_tokens": 900, "stream": True, "ignore_eos": True}
        connection.request(
            "POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"}
        )
        assert connection.getresponse().readline().startswith(b"data: {")
        assert program.terminate() == 0
        connection.close()


def test_a_gguf_that_is_none_fails_with_a_message(
    gguf: Path, tmp_path: Path, short_dir: Path
) -> None:
    folder = model_folder(
        tmp_path / "broken", gguf / "model", "llm", bind="unix", argv=LLAMA_CPP, weights=GGUF_FILE
    )
    (folder / GGUF_FILE).unlink()
    (folder / GGUF_FILE).write_bytes(b"GGUF" + b"\xff" * 100)
    with started(folder, "unix", short_dir, expect="failed") as program:
        assert "could not load" in program.events[-1]["message"]
        assert program.process.wait(LIMIT) == 1


def test_by_hand_the_agent_stands_in_front_of_the_engine(
    gguf: Path, short_dir: Path, free_port: int
) -> None:
    with started(gguf, "tcp", short_dir, "--ui", port=free_port) as program:
        (engine,) = psutil.Process(program.process.pid).children()
        assert "Paris" in content(program.answer(CHAT, chat_body()))
        streamed = events_of(program, chat_body(stream=True))
        assert "Paris" in "".join(
            e["choices"][0]["delta"].get("content") or "" for e in streamed[:-1]
        )
        body = {"prompt": CAPITAL[0]["content"], "max_tokens": 24, "temperature": 0}
        generated = program.answer("/api/generate", body)
        assert "Paris" in generated["text"]
        assert generated["response"] == generated["text"]
        assert generated["eval_count"] > 4
        status, refused = program.post(CHAT, {"messages": 5})
        assert status == 400
        assert "error" in refused
        assert program.get("/v1/models")[1]["data"][0]["id"] == "test/gguf"
        assert program.terminate() == 0
        assert not engine.is_running()


def test_the_engine_ends_with_its_front(gguf: Path, short_dir: Path, free_port: int) -> None:
    with started(gguf, "tcp", short_dir, port=free_port) as program:
        (engine,) = psutil.Process(program.process.pid).children()
        program.process.kill()
        gone, left = psutil.wait_procs([engine], timeout=LIMIT)
        assert (gone, left) == ([engine], [])


def test_the_front_ends_with_its_engine(gguf: Path, short_dir: Path, free_port: int) -> None:
    with started(gguf, "tcp", short_dir, port=free_port) as program:
        (engine,) = psutil.Process(program.process.pid).children()
        engine.kill()
        assert program.process.wait(LIMIT) == 1


def infer(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "llm_agent", "infer", "--folder", str(folder), *arguments],
        cwd=AGENT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_infer_asks_without_a_server(gguf: Path) -> None:
    said = infer(gguf, "Name the capital of France.", "--temperature", "0", "--max-tokens", "24")
    assert said == "The capital of France is Paris.\n"


def test_a_gguf_makes_vectors_and_infer_prints_them(gguf: Path, tmp_path: Path) -> None:
    folder = model_folder(
        tmp_path / "vectors",
        gguf / "model",
        "embedding",
        bind="unix",
        argv=[*LLAMA_CPP, "--embedding", "--pooling", "mean"],
        weights=GGUF_FILE,
        context=512,
    )
    cat, kitten = (json.loads(infer(folder, text)) for text in ("a cat", "a kitten"))
    assert len(cat) == 576
    assert 0.5 < cosine(cat, kitten) < 0.9999


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weights = make("minilm", tmp_path_factory.mktemp("weights") / "minilm")
    return model_folder(tmp_path_factory.mktemp("folders") / "minilm", weights, "embedding")


def test_embeddings_know_what_is_alike(minilm: Path, short_dir: Path) -> None:
    texts = ["a cat sits on the mat", "a kitten sits on the rug", "stock markets fell today"]
    with started(minilm, "inherit", short_dir) as program:
        data = program.answer("/v1/embeddings", {"input": texts})["data"]
        cat, kitten, stocks = (item["embedding"] for item in data)
        assert len(cat) == 384
        assert cosine(cat, kitten) > cosine(cat, stocks) + 0.3
        short = program.answer("/v1/embeddings", {"input": texts[0], "dimensions": 64})
        vector = short["data"][0]["embedding"]
        assert len(vector) == 64
        assert math.isclose(math.hypot(*vector), 1, abs_tol=1e-5)
        status, answer = program.post("/v1/embeddings", {"input": "word " * 400})
        assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")
        cut = program.answer("/v1/embeddings", {"input": "word " * 400, "truncate": True})
        assert cut["usage"]["prompt_tokens"] == 256
        assert program.post("/v1/embeddings", {"input": "a", "dimensions": 385})[0] == 400


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))
