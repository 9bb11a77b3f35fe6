"""Models of a kind that must be told what to look or listen for, and pipelines that make sound:
chosen by the launch's class or library, with a tiny model, asked through their routes.
"""

from __future__ import annotations

import io
import math
from typing import Any

import pytest

from conftest import Start
from helpers import RunningServer, needs_torch
from kinds import answer, as_data, decoded, picture, refused, sound, sums_to_one

pytestmark = needs_torch

DETECT = "/v1/vision/detect"
SEGMENT = "/v1/vision/segment"
SPEECH = "/v1/audio/speech"
LABELS = ["a fox", "the lazy dog", "Paris"]


@pytest.mark.parametrize("name", ["tiny-grounding-dino", "tiny-owlvit", "tiny-owlv2"])
def test_zero_shot_detection(start: Start, name: str) -> None:
    server = start(name, "object-detection", loader="AutoModelForZeroShotObjectDetection")
    body = {"image": picture(48, 40), "labels": LABELS, "threshold": 0}
    found = answer(server, DETECT, body)["data"]
    assert found
    assert [f["score"] for f in found] == sorted((f["score"] for f in found), reverse=True)
    for thing in found:
        assert thing["label"] in LABELS
        assert set(thing["box"]) == {"xmin", "ymin", "xmax", "ymax"}
    assert answer(server, DETECT, {**body, "top_k": 1})["data"] == found[:1]
    assert answer(server, DETECT, {**body, "threshold": 1})["data"] == []
    # One label changes what is found.
    alone = answer(server, DETECT, {**body, "labels": ["Paris"]})["data"]
    assert {thing["label"] for thing in alone} == {"Paris"}
    asked = {"file": picture(48, 40), "threshold": 0}
    named = answer(server, "/api/generate", {**asked, "labels": LABELS})
    assert named["result"] == found
    assert answer(server, "/api/generate", {**asked, "prompt": ", ".join(LABELS)}) == named


@pytest.mark.parametrize("name", ["tiny-grounding-dino", "tiny-owlvit"])
def test_labels_that_a_detector_cannot_take(start: Start, name: str) -> None:
    server = start(name, "object-detection", loader="AutoModelForZeroShotObjectDetection")
    status, said = server.post(DETECT, {"image": picture()})
    assert (status, said["error"]["param"]) == (400, "labels")
    assert "labels" in said["error"]["next_step"]
    assert refused(server, "/api/generate", {"file": picture()})[1] == "labels"
    wrong: tuple[Any, ...] = (["x"] * 257, [""], "a cat", [" "])
    for labels in wrong:
        param = refused(server, DETECT, {"image": picture(), "labels": labels})[1]
        assert param.split(".")[0] == "labels"
    long = {"image": picture(), "labels": ["word " * 100]}
    assert refused(server, DETECT, long) == ("context_length_exceeded", "labels")
    odd = ["a cat.", "...", "\u0130?", "\u200b"]
    found = answer(server, DETECT, {"image": picture(), "labels": odd, "threshold": 0})["data"]
    assert {thing["label"] for thing in found} <= set(odd)
    points = {"image": picture(), "labels": LABELS, "points": [[1, 1]]}
    assert refused(server, DETECT, points) == ("unsupported_parameter", "points")


def test_boxes_lie_in_the_picture_as_it_was_sent(start: Start) -> None:
    """The centre and size that the model tells, in the pixels of a picture that is not square."""
    server = start(
        "tiny-grounding-dino", "object-detection", loader="AutoModelForZeroShotObjectDetection"
    )
    for width, height in ((60, 20), (600, 200)):
        body = {"image": picture(width, height), "labels": LABELS, "threshold": 0}
        boxes = [thing["box"] for thing in answer(server, DETECT, body)["data"]]
        assert boxes
        for box in boxes:  # random weights put centres inside, and at most half a picture out
            assert -width / 2 <= box["xmin"] <= box["xmax"] <= 1.5 * width
            assert -height / 2 <= box["ymin"] <= box["ymax"] <= 1.5 * height
        assert max(box["xmax"] for box in boxes) > width / 4


def test_a_detector_of_fixed_things_takes_no_labels(start: Start) -> None:
    server = start("tiny-yolos", "object-detection", loader="AutoModelForObjectDetection")
    body = {"image": picture(), "labels": LABELS}
    assert refused(server, DETECT, body) == ("unsupported_parameter", "labels")


@pytest.mark.parametrize("name", ["tiny-sam", "tiny-sam2"])
def test_mask_generation(start: Start, name: str) -> None:
    server = start(name, "segmentation", loader="AutoModelForMaskGeneration")
    loaded = server.get("/api/model/info")[1]["facts"]["class"]
    assert loaded == {"tiny-sam": "SamModel", "tiny-sam2": "Sam2Model"}[name]
    image = picture(48, 40)
    (part,) = answer(server, SEGMENT, {"image": image, "points": [[10, 20.5]]})["data"]
    assert set(part) == {"label", "score", "share", "mask"}
    assert part["label"] is None
    assert decoded(part["mask"]).size == (48, 40)
    boxed = {"image": image, "box": [4, 4, 40, 30], "points": [[9, 9], [12, 12]]}
    assert len(answer(server, SEGMENT, boxed)["data"]) == 1
    assert len(answer(server, SEGMENT, {"image": image, "box": [4, 4, 40, 30]})["data"]) == 1
    everything = answer(server, SEGMENT, {"image": image, "threshold": 0})["data"]
    assert everything
    assert [p["score"] for p in everything] == sorted(
        (p["score"] for p in everything), reverse=True
    )
    assert all(decoded(p["mask"]).size == (48, 40) for p in everything)
    assert answer(server, SEGMENT, {"image": image, "threshold": 1})["data"] == []
    generated = answer(server, "/api/generate", {"file": image, "threshold": 1})
    assert generated["text"] == "nothing found"
    for wrong in ({"points": [[99, 1]]}, {"points": [[1]]}, {"points": [[-1, 1]]}, {"box": [1, 2]},
                  {"box": [9, 9, 4, 4]}, {"box": [1, 1, 99, 9]}):  # fmt: skip
        (param,) = wrong
        assert refused(server, SEGMENT, {"image": image, **wrong})[1].startswith(param)


def test_masks_of_a_large_picture_have_its_size(start: Start) -> None:
    from llm_agent.loaders import prompted_images

    server = start("tiny-sam", "segmentation", loader="AutoModelForMaskGeneration")
    side = prompted_images.MASK_SIDE + 100
    large = {"image": picture(side, 80), "threshold": 0}
    (part,) = answer(server, SEGMENT, {**large, "points": [[side, 80]]})["data"]
    assert decoded(part["mask"]).size == (side, 80)
    (part,) = answer(server, SEGMENT, {**large, "top_k": 1})["data"]
    assert decoded(part["mask"]).size == (side, 80)


def test_zero_shot_sounds(start: Start) -> None:
    server = start("tiny-clap", "audio-classification", loader="AutoModel")
    body = {"input": as_data(sound(0.5)), "labels": LABELS}
    (row,) = answer(server, "/v1/classify", body)["data"]
    assert {s["label"] for s in row["scores"]} == set(LABELS)
    assert sums_to_one(row["scores"])
    assert row["label"] == max(row["scores"], key=lambda s: s["score"])["label"]
    # Longer than it hears at once: all of it counts, and the same answer comes again.
    long = {"input": as_data(sound(5.3)), "labels": LABELS}
    first, again = (answer(server, "/v1/classify", long)["data"] for _ in range(2))
    assert first == again
    assert sums_to_one(first[0]["scores"])
    generated = answer(server, "/api/generate", {"file": as_data(sound(0.5)), "labels": LABELS})
    assert generated["result"] == row["scores"]
    assert refused(server, "/v1/classify", {"input": body["input"]})[1] == "labels"
    wordy = {**body, "labels": ["word " * 150]}
    assert refused(server, "/v1/classify", wordy) == ("context_length_exceeded", "labels")
    assert len(answer(server, "/v1/classify", {**body, "labels": ["x", "x"]})["data"]) == 1


def heard(server: RunningServer, **more: Any) -> tuple[Any, int]:
    soundfile = pytest.importorskip("soundfile")
    body = {"input": "a bell", "response_format": "wav", "seed": 3, "num_inference_steps": 2}
    connection = server.open(SPEECH, {**body, **more})
    response = connection.getresponse()
    data = response.read()
    connection.close()
    assert (response.status, response.headers["content-type"]) == (200, "audio/wav"), data
    samples, rate = soundfile.read(io.BytesIO(data))
    return samples, int(rate)


@pytest.mark.parametrize(
    ("name", "rate", "channels"),
    [("tiny-stable-audio", 8000, 2), ("tiny-audio-ldm2", 16000, 1)],
)
def test_sound_by_diffusion(start: Start, name: str, rate: int, channels: int) -> None:
    server = start(name, "audio-generation", "diffusers", loader="DiffusionPipeline")
    samples, own = heard(server, seconds=0.5)
    assert own == rate
    assert samples.shape[1:] == ((channels,) if channels > 1 else ())
    assert math.isclose(len(samples) / rate, 0.5, abs_tol=0.02)
    again, _ = heard(server, seconds=0.5)
    assert (samples == again).all()
    other, _ = heard(server, seconds=0.5, seed=4)
    assert (samples != other).any()
    body = {"input": "a bell", "num_inference_steps": 2, "seconds": 0.5}
    for form in ("flac", "mp3", "opus", "pcm"):
        connection = server.open(SPEECH, {**body, "response_format": form})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        assert len(response.read()) > 100
        connection.close()
    events = server.events_of(SPEECH, {**body, "stream_format": "sse"})
    assert events[-2:] == [{"type": "speech.audio.done"}, "[DONE]"]
    assert refused(server, SPEECH, {**body, "seconds": 121})[1] == "seconds"
    assert refused(server, SPEECH, {**body, "num_inference_steps": 151})[1] == "num_inference_steps"
    assert server.get("/api/model/info")[1]["facts"]["sampling_rate"] == rate


def test_sound_has_the_length_of_the_model(start: Start) -> None:
    server = start("tiny-stable-audio", "audio-generation", "diffusers")
    samples, rate = heard(server)
    assert len(samples) == 64 * 256
    assert refused(server, SPEECH, {"input": "a bell", "seconds": 3}) == (
        "invalid_request", "seconds",
    )  # fmt: skip
    made = answer(server, "/api/generate", {"prompt": "a bell", "seed": 1})
    assert made["result"] == {"seconds": len(samples) / rate, "sampling_rate": rate}


def test_music_has_the_seconds_that_were_asked(start: Start) -> None:
    server = start("tiny-musicgen", "audio-generation", "transformers")
    short, _ = heard(server, seconds=0.5, num_inference_steps=None)
    long, _ = heard(server, seconds=1, num_inference_steps=None)
    assert len(short) < len(long)
    assert refused(server, SPEECH, {"input": "x", "seconds": 100})[1] == "seconds"
    steps = {"input": "x", "num_inference_steps": 5}
    assert refused(server, SPEECH, steps) == ("unsupported_parameter", "num_inference_steps")


def test_speech_has_the_length_that_it_takes(start: Start) -> None:
    server = start("tiny-vits", "tts")
    body = {"input": "hello", "seconds": 2}
    assert refused(server, SPEECH, body) == ("unsupported_parameter", "seconds")
