"""Kinds with one question and one answer: /v1/vision/..., and /api/generate for the others."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from llm_agent.api import exchange
from llm_agent.api.generate import Candidate, GenerateBody, add_generate
from llm_agent.api.media import data_address, decode_file
from llm_agent.errors import BadRequest
from llm_agent.loaders.faces import Ask, Reply, ReplyModel
from llm_agent.runtime.limits import Limits
from llm_agent.runtime.service import Service

# kind -> route; the answer's `data` is what the loader says
VISION_ROUTES = {
    "object-detection": "/v1/vision/detect",
    "segmentation": "/v1/vision/segment",
    "depth": "/v1/vision/depth",
    "image-feature": "/v1/vision/features",
    "image-to-image": "/v1/vision/transform",
}


Pixel = Annotated[float, Field(ge=0, le=1_000_000)]
Point = Annotated[list[Pixel], Field(min_length=2, max_length=2)]


class VisionBody(exchange.Body):
    model: str | None = None
    image: str  # data: address
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=1, le=1000)] | None = None
    labels: list[Candidate] | None = None
    points: Annotated[list[Point], Field(max_length=64)] | None = None
    box: Annotated[list[Pixel], Field(min_length=4, max_length=4)] | None = None

    def ask(self, limits: Limits) -> Ask:
        return Ask(
            file=decode_file(self.image, "image", limits.upload_bytes),
            threshold=self.threshold, top_k=self.top_k, labels=self.labels or [],
            points=self.points or [], box=self.box or [],
        )  # fmt: skip


def add_routes(app: FastAPI, service: Service) -> None:
    async def reply(request: Request, ask: Ask) -> Reply:
        model = cast(ReplyModel, service.loader)
        for need in model.needs:
            if not getattr(ask, need):
                raise BadRequest(f"{need}: missing", param=need)
        for extra in ("labels", "points", "box"):
            if getattr(ask, extra) and extra not in model.knows:
                raise BadRequest(f"{extra}: this model does not take any", param=extra,
                                 code="unsupported_parameter")  # fmt: skip
        return await exchange.answer(request, service, lambda stop: model.reply(ask, stop))

    async def generate(request: Request, body: GenerateBody) -> Reply:
        return await reply(request, body.ask(service.limits))

    add_generate(app, service, generate)
    path = VISION_ROUTES.get(service.folder.launch.kind)
    if path is None:
        return

    @app.post(path)
    async def look(request: Request) -> Response:
        body = await exchange.read_body(request, VisionBody, service.limits.body_bytes)
        made = await reply(request, body.ask(service.limits))
        answer: dict[str, Any] = {"object": "list", "model": service.name, "data": made.result}
        if made.file is not None:
            answer["file"] = data_address(made.file, made.media_type)
        return JSONResponse(answer)
