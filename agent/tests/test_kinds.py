"""Every kind of the loader table, with a tiny model of it, asked through its routes.

The weights are random: what is checked is that the right class is loaded, that the answer has the
shape of its contract, and that what cannot be is refused.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Serve
from helpers import RunningServer, needs_torch
from llm_agent.loaders.base import Settings
from llm_agent.loaders.table import LOADERS, find_entry, make_loader
from models.catalogue import make

pytestmark = needs_torch
Start = Callable[..., RunningServer]
TEXT = "The quick brown fox jumps over the lazy dog"


@pytest.fixture
def start(serve: Serve, tmp_path: Path) -> Start:
    """A tiny model of the catalogue behind its routes, in this process."""

    def run(name: str, kind: str, library: str = "", **more: Any) -> RunningServer:
        weights = make(name, tmp_path / name)
        settings = Settings(
            weights=weights, kind=kind, name=f"tiny/{name}", library=library, **more
        )
        entry = find_entry(kind, library)
        return serve(make_loader(settings), face=entry.face, kind=kind, slots=1)

    return run


def picture(width: int = 48, height: int = 40, colour: str = "red") -> str:
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("RGB", (width, height), colour).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def decoded(png: str) -> Any:
    image = pytest.importorskip("PIL.Image")
    return image.open(io.BytesIO(base64.b64decode(png.rpartition(",")[2])))


def answer(server: RunningServer, path: str, body: Any) -> Any:
    status, said = server.post(path, body)
    assert status == 200, said
    return said


def refused(server: RunningServer, path: str, body: Any) -> tuple[str, str]:
    status, said = server.post(path, body)
    assert 400 <= status < 500, said
    return said["error"]["code"], said["error"]["param"]


def sums_to_one(scores: list[dict[str, Any]]) -> bool:
    return math.isclose(sum(s["score"] for s in scores), 1, abs_tol=1e-3)


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


@pytest.mark.parametrize("name", ["tiny-llava", "tiny-qwen2-vl"])
def test_vision_language(start: Start, name: str) -> None:
    server = start(name, "vlm")

    def ask(*urls: str, **more: Any) -> dict[str, Any]:
        parts: list[Any] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        content = [*parts, {"type": "text", "text": "What is it?"}]
        messages = [{"role": "user", "content": content}]
        return {"messages": messages, "max_tokens": 4, "temperature": 0, **more}

    path = "/v1/chat/completions"
    without, one, two = (
        answer(server, path, ask(*[picture()] * n))["usage"]["prompt_tokens"] for n in range(3)
    )
    assert without < one < two
    assert answer(server, path, ask(picture()))["usage"]["completion_tokens"] <= 4
    assert refused(server, path, ask("http://127.0.0.1/x.png"))[0] == "address_refused"
    assert refused(server, path, ask("data:image/png;base64,AAAA"))[0] == "unreadable_file"
    assert refused(server, path, ask("data:image/png;base64,%%"))[0] == "invalid_request"
    assert refused(server, path, ask(*[picture()] * 17))[1] == "messages"


@pytest.mark.parametrize(
    ("name", "library"), [("tiny-image-classification", ""), ("tiny-timm", "timm")]
)
def test_image_classification(start: Start, name: str, library: str) -> None:
    server = start(name, "image-classification", library)
    (row,) = answer(server, "/v1/classify", {"input": picture()})["data"]
    assert {s["label"] for s in row["scores"]} == {"red", "green", "blue", "grey"}
    assert sums_to_one(row["scores"])
    generated = answer(server, "/api/generate", {"file": picture()})
    assert generated["result"] == row["scores"]
    assert refused(server, "/v1/classify", {"input": "a cat"}) == ("invalid_request", "input")
    assert refused(server, "/v1/classify", {"input": picture(5000, 5000)})[0] == "image_too_large"


def test_zero_shot_image(start: Start) -> None:
    server = start("tiny-zero-shot-image", "zero-shot-image")
    body = {"input": picture(), "labels": ["a fox", "a dog", "a car"]}
    (row,) = answer(server, "/v1/classify", body)["data"]
    assert {s["label"] for s in row["scores"]} == {"a fox", "a dog", "a car"}
    assert sums_to_one(row["scores"])
    assert refused(server, "/v1/classify", {"input": picture()})[1] == "labels"
    many = {"input": picture(), "labels": ["x"] * 257}
    assert refused(server, "/v1/classify", many)[1] == "labels"


@pytest.mark.parametrize(
    ("name", "library", "kind", "width"),
    [
        ("tiny-image-feature", "", "image-feature", 32),
        ("tiny-timm", "timm", "image-feature", None),
    ],
)
def test_image_features(
    start: Start, name: str, library: str, kind: str, width: int | None
) -> None:
    server = start(name, kind, library)
    vector = answer(server, "/v1/vision/features", {"image": picture()})["data"]["embedding"]
    assert len(vector) == width if width else len(vector) > 8
    other = answer(server, "/v1/vision/features", {"image": picture(colour="blue")})["data"]
    assert vector != other["embedding"]


@pytest.mark.parametrize("name", ["tiny-detr", "tiny-yolos"])
def test_object_detection(start: Start, name: str) -> None:
    server = start(name, "object-detection")
    found = answer(server, "/v1/vision/detect", {"image": picture(), "threshold": 0})["data"]
    assert found
    for thing in found:
        assert thing["label"] in {"red", "green", "blue", "grey"}
        assert set(thing["box"]) == {"xmin", "ymin", "xmax", "ymax"}
    none = answer(server, "/v1/vision/detect", {"image": picture(), "threshold": 1})["data"]
    assert none == []
    assert refused(server, "/v1/vision/detect", {}) == ("invalid_request", "image")
    assert refused(server, "/api/generate", {"prompt": "x"}) == ("invalid_request", "file")


def test_segmentation(start: Start) -> None:
    server = start("tiny-segmentation", "segmentation")
    parts = answer(server, "/v1/vision/segment", {"image": picture(48, 40)})["data"]
    assert {part["label"] for part in parts} <= {"sky", "sea", "land"}
    assert math.isclose(sum(part["share"] for part in parts), 1, abs_tol=1e-6)
    assert decoded(parts[0]["mask"]).size == (48, 40)


def test_depth(start: Start) -> None:
    server = start("tiny-depth", "depth")
    said = answer(server, "/v1/vision/depth", {"image": picture(48, 40)})
    assert said["data"]["min"] <= said["data"]["max"]
    assert decoded(said["file"]).size == (48, 40)
    assert answer(server, "/api/generate", {"file": picture()})["file"].startswith("data:image/png")


def test_image_to_image(start: Start) -> None:
    server = start("tiny-image-to-image", "image-to-image")
    said = answer(server, "/v1/vision/transform", {"image": picture(32, 24)})
    assert decoded(said["file"]).size == (64, 48)
    assert said["data"] == {"width": 64, "height": 48}
    large = {"image": picture(2000, 2000)}
    assert refused(server, "/v1/vision/transform", large)[0] == "image_too_large"


def sound(seconds: float = 0.5, rate: int = 22050, form: str = "WAV") -> bytes:
    np = pytest.importorskip("numpy")
    soundfile = pytest.importorskip("soundfile")
    wave = np.sin(np.arange(int(seconds * rate)) * (2 * math.pi * 440 / rate)) * 0.5
    out = io.BytesIO()
    soundfile.write(out, np.stack([wave, wave], axis=1), rate, format=form)
    return out.getvalue()


def as_data(data: bytes, kind: str = "audio/wav") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3"])
def test_audio_classification(start: Start, form: str) -> None:
    server = start("tiny-audio-classification", "audio-classification")
    (row,) = answer(server, "/v1/classify", {"input": as_data(sound(form=form))})["data"]
    assert {s["label"] for s in row["scores"]} == {"speech", "music", "noise"}
    if form == "WAV":
        no_sound = {"input": as_data(b"RIFF nothing")}
        assert refused(server, "/v1/classify", no_sound)[0] == "unreadable_file"
        long = {"input": as_data(sound(601, rate=8000, form="FLAC"))}
        assert refused(server, "/v1/classify", long)[0] == "audio_too_long"


def test_video_classification(start: Start) -> None:
    from llm_agent.loaders import media

    image = pytest.importorskip("PIL.Image")
    frames = [image.new("RGB", (64, 48), (i * 20, 0, 0)) for i in range(8)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    server = start("tiny-video-classification", "video-classification")
    for film in (as_data(out.getvalue(), "image/gif"), as_data(media.mp4(frames, 8), "video/mp4")):
        (row,) = answer(server, "/v1/classify", {"input": film})["data"]
        assert {s["label"] for s in row["scores"]} == {"still", "moving"}
        assert sums_to_one(row["scores"])
    assert refused(server, "/v1/classify", {"input": as_data(b"none")})[0] == "unreadable_file"


def test_every_entry_of_the_table_exists() -> None:
    import importlib

    for kind, entry in LOADERS.items():
        module, _, name = entry.target.partition(":")
        assert hasattr(importlib.import_module(f"llm_agent.loaders.{module}"), name), kind
