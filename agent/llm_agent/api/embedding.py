"""/v1/embeddings, and one vector on /api/generate."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any, Literal, cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from llm_agent.api import exchange
from llm_agent.errors import BadRequest
from llm_agent.loaders.embedding import EmbeddingModel, Vectors
from llm_agent.runtime.limits import Limits
from llm_agent.runtime.service import Service


class EmbeddingBody(exchange.Body):
    model: str | None = None
    input: str | list[str] | list[int] | list[list[int]]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1)] | None = None
    truncate: bool | None = None

    def inputs(self, limits: Limits) -> list[str]:
        found = [self.input] if isinstance(self.input, str) else self.input
        if not found or len(found) > limits.inputs:
            raise BadRequest(f"input: 1 to {limits.inputs} items", param="input")
        for index, item in enumerate(found):
            if not isinstance(item, str):
                raise BadRequest(
                    "input: tokens are not taken, each model has its own",
                    code="unsupported_input", param="input", next_step="send text",
                )  # fmt: skip
            if not 0 < len(item) <= limits.input_characters:
                raise BadRequest(
                    f"input {index}: 1 to {limits.input_characters} characters",
                    param=f"input.{index}",
                )
        return cast("list[str]", found)


class GenerateBody(exchange.Body):
    model: str | None = None
    prompt: Annotated[str, Field(min_length=1, max_length=1_000_000)]


def add_routes(app: FastAPI, service: Service) -> None:
    async def embed(
        request: Request, inputs: list[str], dimensions: int | None, truncate: bool
    ) -> Vectors:
        model = cast(EmbeddingModel, service.loader)
        return await exchange.answer(
            request, service, lambda stop: model.embed(inputs, dimensions, truncate, stop)
        )

    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> Response:
        body = await exchange.read_body(request, EmbeddingBody, service.limits.body_bytes)
        inputs = body.inputs(service.limits)
        vectors = await embed(request, inputs, body.dimensions, bool(body.truncate))
        encode = _base64 if body.encoding_format == "base64" else _floats
        rows = [
            {"object": "embedding", "index": index, "embedding": encode(row)}
            for index, row in enumerate(vectors.rows)
        ]
        usage = {"prompt_tokens": vectors.tokens, "total_tokens": vectors.tokens}
        return JSONResponse({"object": "list", "model": service.name, "data": rows, "usage": usage})

    @app.post("/api/generate")
    async def generate(request: Request) -> Response:
        body = await exchange.read_body(request, GenerateBody, service.limits.body_bytes)
        vectors = await embed(request, [body.prompt], None, False)
        row = _floats(vectors.rows[0])
        text = json.dumps(row)
        return JSONResponse(
            {"model": service.name, "text": text, "response": text, "result": row, "done": True}
        )


def _floats(row: Any) -> list[float]:
    return cast("list[float]", row.tolist())


def _base64(row: Any) -> str:
    return base64.b64encode(row.astype("<f4").tobytes()).decode()
