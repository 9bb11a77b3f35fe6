"""/api/generate of kinds that do not write text: one shape for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from llm_agent.api import exchange
from llm_agent.api.media import data_address, decode_file
from llm_agent.errors import BadRequest
from llm_agent.loaders.faces import Ask, Reply
from llm_agent.runtime.limits import Limits
from llm_agent.runtime.service import Service

Text = Annotated[str, Field(max_length=1_000_000)]
Candidate = Annotated[str, Field(min_length=1, max_length=1000)]  # a label to choose


class GenerateBody(exchange.Body):
    model: str | None = None
    prompt: Text | None = None
    file: str | None = None  # data: address
    context: Text | None = None
    labels: list[Candidate] | None = None
    top_k: Annotated[int, Field(ge=1, le=1000)] | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None

    def ask(self, limits: Limits) -> Ask:
        file = self.file_bytes(limits) if self.file is not None else None
        return Ask(
            self.prompt or "", file, self.context or "", top_k=self.top_k,
            threshold=self.threshold, labels=self.labels or [],
        )  # fmt: skip

    def file_bytes(self, limits: Limits) -> bytes:
        if self.file is None:
            raise BadRequest("file: missing", param="file", next_step="send a data: address")
        return decode_file(self.file, "file", limits.upload_bytes)

    def text(self) -> str:
        if not self.prompt:
            raise BadRequest("prompt: missing", param="prompt")
        return self.prompt


def add_generate(
    app: FastAPI, service: Service, work: Callable[[Request, GenerateBody], Awaitable[Reply]]
) -> None:
    @app.post("/api/generate")
    async def generate(request: Request) -> Response:
        body = await exchange.read_body(request, GenerateBody, service.limits.body_bytes)
        return JSONResponse(generated(service, await work(request, body)))


def generated(service: Service, reply: Reply) -> dict[str, Any]:
    answer = {
        "model": service.name,
        "text": reply.text,
        "response": reply.text,
        "result": reply.result,
        "done": True,
    }
    if reply.file is not None:
        answer["file"] = data_address(reply.file, reply.media_type)
    return answer
