"""Pictures and films out: every loader of these kinds, with a tiny model, asked through its routes.

The weights are random: what is checked is that the right class is loaded, that the answer has the
shape of its contract, and that what cannot be is refused.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from conftest import Serve, Start
from helpers import LIMIT, needs_torch
from kinds import answer, decoded, picture, png_bytes, post_form, refused
from llm_agent.engines import http_client
from llm_agent.loaders.base import Settings
from llm_agent.loaders.table import make_loader
from models.catalogue import make

pytestmark = needs_torch


@pytest.mark.parametrize("name", ["tiny-stable-diffusion", "tiny-flux"])
def test_pictures(start: Start, name: str) -> None:
    server = start(name, "diffusion-image")
    path = "/v1/images/generations"
    body = {"prompt": "a fox", "size": "64x32", "num_inference_steps": 2, "seed": 7}
    first, again = (answer(server, path, body)["data"] for _ in range(2))
    assert first == again
    assert decoded(first[0]["b64_json"]).size == (64, 32)
    other = answer(server, path, {**body, "seed": 8, "n": 2, "response_format": "url"})["data"]
    assert len(other) == 2
    assert other[0] != other[1]
    assert decoded(other[0]["url"]).size == (64, 32)
    *steps, done, end = server.events_of(path, {**body, "stream": True})
    assert [s["step"] for s in steps] == [1, 2]
    assert (done["type"], done["b64_json"]) == (
        "image_generation.completed",
        first[0]["b64_json"],
    )
    assert end == "[DONE]"
    for wrong, code, param in (
        ({"size": "33x33"}, "invalid_size", "size"),
        ({"size": "big"}, "invalid_request", "size"),
        ({"size": "4096x4096"}, "image_too_large", "size"),
        ({"num_inference_steps": 151}, "invalid_request", "num_inference_steps"),
        ({"n": 5}, "invalid_request", "n"),
        ({"prompt": ""}, "invalid_request", "prompt"),
    ):
        assert refused(server, path, {**body, **wrong}) == (code, param)


def test_pictures_are_edited(start: Start) -> None:
    server = start("tiny-stable-diffusion", "diffusion-image")
    fields = {"prompt": "a fox", "num_inference_steps": "4", "strength": "0.5", "seed": "1"}
    for files in ({}, {"mask": png_bytes()}):
        status, _, said = post_form(server, "/v1/images/edits", fields, image=png_bytes(), **files)
        assert status == 200, said
        assert decoded(json.loads(said)["data"][0]["b64_json"]).size == (64, 64)
    status, _, said = post_form(server, "/v1/images/edits", fields)
    assert (status, json.loads(said)["error"]["param"]) == (400, "image")
    status, _, said = post_form(server, "/v1/images/edits", fields, image=b"no picture")
    assert (status, json.loads(said)["error"]["code"]) == (400, "unreadable_file")


def test_a_picture_under_way_is_cancelled(start: Start) -> None:
    server = start("tiny-stable-diffusion", "diffusion-image")
    body = {"prompt": "a fox", "size": "128x128", "num_inference_steps": 150, "stream": True}
    connection = server.open("/v1/images/generations", body)
    assert b"image_generation.step" in connection.getresponse().readline()
    connection.close()
    small = {"prompt": "a fox", "size": "32x32", "num_inference_steps": 1}
    assert answer(server, "/v1/images/generations", small)["data"]


def test_controlnet(start: Start, tmp_path: Path) -> None:
    base = make("tiny-stable-diffusion", tmp_path / "base")
    server = start("tiny-controlnet", "controlnet", base=base)
    path = "/v1/images/generations"
    body = {"prompt": "a fox", "size": "64x64", "num_inference_steps": 2, "seed": 1}
    one, other = (
        answer(server, path, {**body, "image": picture(64, 64, colour)})["data"]
        for colour in ("black", "white")
    )
    assert decoded(one[0]["b64_json"]).size == (64, 64)
    assert one != other
    assert refused(server, path, body) == ("invalid_request", "image")


def test_a_controlnet_without_its_model_says_what_is_missing(serve: Serve, tmp_path: Path) -> None:
    weights = make("tiny-controlnet", tmp_path / "controlnet")
    settings = Settings(weights=weights, kind="controlnet", name="x")
    server = serve(make_loader(settings), face="picture", kind="controlnet", wait=False)
    while (event := server.next_event())["event"] != "failed":
        assert event["event"] in ("listening", "loading")
    assert "needs the model that it steers" in event["message"]


def test_films(start: Start) -> None:
    av = pytest.importorskip("av")
    server = start("tiny-wan", "diffusion-video")
    body = {"prompt": "a fox", "size": "32x32", "num_frames": 5, "num_inference_steps": 2}
    film = answer(server, "/v1/videos", body)
    assert film["object"] == "video"
    assert film["status"] in ("queued", "in_progress")
    path = f"/v1/videos/{film['id']}"
    while (seen := server.get(path)[1])["status"] in ("queued", "in_progress"):
        assert 0 <= seen["progress"] < 100
    assert (seen["status"], seen["progress"], seen["error"]) == ("completed", 100, None)
    connection = http_client.connect(server.endpoint, LIMIT)
    connection.request("GET", f"{path}/content")
    response = connection.getresponse()
    assert response.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(response.read())) as opened:
        frames = list(opened.decode(video=0))
    connection.close()
    assert len(frames) == 5
    assert (frames[0].width, frames[0].height) == (32, 32)
    connection = http_client.connect(server.endpoint, LIMIT)
    connection.request("DELETE", path)
    assert json.loads(connection.getresponse().read())["deleted"]
    connection.close()
    assert server.get(path)[0] == 404
    assert refused(server, "/v1/videos", {**body, "num_frames": 122})[1] == "num_frames"
    timed = {"prompt": "a fox", "seconds": "soon"}
    assert refused(server, "/v1/videos", timed) == ("invalid_request", "seconds")


def test_a_pipeline_of_an_old_name_is_loaded_by_its_new_one(tmp_path: Path) -> None:
    from llm_agent.loaders.diffusion import pipeline_class

    index = tmp_path / "model_index.json"
    index.write_text('{"_class_name": "LuminaText2ImgPipeline"}')
    assert pipeline_class(tmp_path).__name__ == "LuminaPipeline"
    index.write_text('{"_class_name": "FluxPipeline"}')
    assert pipeline_class(tmp_path).__name__ == "DiffusionPipeline"
