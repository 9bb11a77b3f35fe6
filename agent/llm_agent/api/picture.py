"""/v1/images/generations and /v1/images/edits."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal, cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from llm_agent.api import exchange
from llm_agent.api.generate import GenerateBody, add_generate
from llm_agent.api.media import data_address, decode_file
from llm_agent.api.upload import Form, read_form
from llm_agent.errors import BadRequest
from llm_agent.loaders.faces import PictureModel, Reply, Scene
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.limits import Limits
from llm_agent.runtime.service import Emit, Service

SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")
Side = Annotated[int, Field(ge=8, le=16384)]


class PictureBody(exchange.Body):
    model: str | None = None
    prompt: Annotated[str, Field(min_length=1, max_length=32_000)]
    negative_prompt: Annotated[str, Field(max_length=32_000)] | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    size: str | None = None
    width: Side | None = None
    height: Side | None = None
    num_inference_steps: Annotated[int, Field(ge=1)] | None = None
    guidance_scale: Annotated[float, Field(ge=0, le=100)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**62)] | None = None
    image: str | None = None  # data: address; what a ControlNet follows, or where to start
    strength: Annotated[float, Field(ge=0, le=1)] | None = None
    response_format: Literal["b64_json", "url"] | None = None
    output_format: Literal["png"] | None = None
    stream: bool | None = None

    def scene(self, limits: Limits) -> Scene:
        width, height = parsed_size(self.size) if self.size else (self.width, self.height)
        image = decode_file(self.image, "image", limits.upload_bytes) if self.image else None
        return Scene(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt or "",
            width=width,
            height=height,
            steps=bounded(self.num_inference_steps, limits.steps, "num_inference_steps"),
            guidance=self.guidance_scale,
            seed=self.seed,
            count=bounded(self.n, limits.made_images, "n") or 1,
            image=image,
            strength=self.strength,
        )


def parsed_size(size: str) -> tuple[int | None, int | None]:
    """`auto` leaves the size to the model."""
    if size == "auto":
        return None, None
    match = SIZE.fullmatch(size)
    if not match or not int(match[1]) or not int(match[2]):
        raise BadRequest("size: WIDTHxHEIGHT is wanted, such as 512x512", param="size")
    return int(match[1]), int(match[2])


def bounded(value: int | None, most: int, param: str) -> int | None:
    if value is not None and value > most:
        raise BadRequest(f"{param}: at most {most}", param=param)
    return value


def add_routes(app: FastAPI, service: Service) -> None:
    @app.post("/v1/images/generations")
    async def generations(request: Request) -> Response:
        body = await exchange.read_body(request, PictureBody, service.limits.body_bytes)
        scene = body.scene(service.limits)
        as_url = body.response_format == "url"
        return await _respond(request, service, scene, bool(body.stream), as_url)

    @app.post("/v1/images/edits")
    async def edits(request: Request) -> Response:
        form = await read_form(request, service.limits)
        scene = _scene_of_form(form, service.limits)
        as_url = form.choice("response_format", ("b64_json", "url")) == "url"
        return await _respond(request, service, scene, form.flag("stream"), as_url)

    async def generate(request: Request, body: GenerateBody) -> Reply:
        image = body.file_bytes(service.limits) if body.file else None
        scene = Scene(prompt=body.text(), seed=body.seed, image=image)
        model = cast(PictureModel, service.loader)
        (picture,) = await exchange.answer(
            request, service, lambda stop: model.make(scene, stop, lambda *_: None)
        )
        return Reply(f"{len(picture)} bytes of PNG", {"images": 1}, picture, "image/png")

    add_generate(app, service, generate)


def _scene_of_form(form: Form, limits: Limits) -> Scene:
    prompt = form.text("prompt")
    if not prompt:
        raise BadRequest("prompt: missing", param="prompt")
    width, height = parsed_size(form.text("size") or "auto")
    masks = form.files.get("mask")
    return Scene(
        prompt=prompt[:32_000],
        negative_prompt=(form.text("negative_prompt") or "")[:32_000],
        width=width,
        height=height,
        steps=form.whole("num_inference_steps", 1, limits.steps),
        guidance=form.number("guidance_scale", 0, 100),
        seed=form.whole("seed", 0, 2**53),
        count=form.whole("n", 1, limits.made_images) or 1,
        image=form.file("image"),
        mask=masks[0] if masks else None,
        strength=form.number("strength", 0, 1),
    )


async def _respond(
    request: Request, service: Service, scene: Scene, streamed: bool, as_url: bool
) -> Response:
    model = cast(PictureModel, service.loader)
    if streamed:
        return await _streamed(request, service, scene)
    made = await exchange.answer(
        request, service, lambda stop: model.make(scene, stop, lambda *_: None)
    )
    data = [
        {"url": data_address(picture, "image/png")}
        if as_url
        else {"b64_json": base64.b64encode(picture).decode()}
        for picture in made
    ]
    return JSONResponse({"created": int(time.time()), "data": data, "output_format": "png"})


async def _streamed(request: Request, service: Service, scene: Scene) -> Response:
    """Server-sent events: one for each step, one for each picture."""
    model = cast(PictureModel, service.loader)

    def work(cancellation: Cancellation, emit: Emit[dict[str, Any]]) -> None:
        def on_step(done: int, of: int) -> None:
            emit({"type": "image_generation.step", "step": done, "steps": of})

        for index, picture in enumerate(model.make(scene, cancellation, on_step)):
            emit(
                {
                    "type": "image_generation.completed",
                    "index": index,
                    "b64_json": base64.b64encode(picture).decode(),
                    "output_format": "png",
                    "created_at": int(time.time()),
                }
            )

    def encode(events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
        return exchange.events(events)

    return await exchange.stream(request, service, work, encode, "text/event-stream")
