"""Pictures and films in: every loader of these kinds, with a tiny model, asked through its routes.

The weights are random: what is checked is that the right class is loaded, that the answer has the
shape of its contract, and that what cannot be is refused.
"""

from __future__ import annotations

import io
import math
from typing import Any

import pytest

from conftest import Start
from helpers import needs_torch
from kinds import answer, as_data, decoded, picture, refused, sums_to_one

pytestmark = needs_torch


@pytest.mark.parametrize(
    ("name", "kind", "loader"),
    [
        ("tiny-llava", "vlm", "AutoModelForImageTextToText"),
        ("tiny-qwen2-vl", "vlm", "AutoModelForImageTextToText"),
        ("tiny-janus", "multimodal-any", "JanusForConditionalGeneration"),
    ],
)
def test_vision_language(start: Start, name: str, kind: str, loader: str) -> None:
    server = start(name, kind, loader=loader)

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
