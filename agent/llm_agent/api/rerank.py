"""/v1/rerank, in the shape of Jina and Cohere."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from llm_agent.api import exchange
from llm_agent.api.generate import GenerateBody, add_generate
from llm_agent.errors import BadRequest
from llm_agent.loaders.faces import Ranking, RankModel, Reply
from llm_agent.runtime.service import Service


class Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")
    text: str


class RerankBody(exchange.Body):
    model: str | None = None
    query: Annotated[str, Field(min_length=1, max_length=100_000)]
    documents: Annotated[list[str | Document], Field(min_length=1)]
    top_n: Annotated[int, Field(ge=0)] | None = None  # 0: all
    return_documents: bool | None = None

    def texts(self) -> list[str]:
        return [d if isinstance(d, str) else d.text for d in self.documents]


def add_routes(app: FastAPI, service: Service) -> None:
    async def rank(request: Request, query: str, documents: list[str]) -> Ranking:
        limits = service.limits
        if len(documents) > limits.documents:
            raise BadRequest(f"documents: at most {limits.documents}", param="documents")
        if any(len(text) > limits.input_characters for text in documents):
            raise BadRequest("documents: one is too long", param="documents")
        model = cast(RankModel, service.loader)
        return await exchange.answer(
            request, service, lambda stop: model.rank(query, documents, stop)
        )

    @app.post("/v1/rerank")
    async def rerank(request: Request) -> Response:
        body = await exchange.read_body(request, RerankBody, service.limits.body_bytes)
        texts = body.texts()
        ranking = await rank(request, body.query, texts)
        results = best_first(ranking, texts if body.return_documents else None)
        return JSONResponse(
            {
                "id": f"rerank-{secrets.token_hex(12)}",
                "model": service.name,
                "results": results[: body.top_n or None],
                "usage": {"total_tokens": ranking.tokens},
            }
        )

    async def generate(request: Request, body: GenerateBody) -> Reply:
        """The prompt is the query; the labels are the documents."""
        documents = body.labels or [body.context or ""]
        ranking = await rank(request, body.text(), documents)
        results = best_first(ranking, documents)
        lines = [f"{r['relevance_score']:.4f}  {r['document']['text']}" for r in results]
        return Reply("\n".join(lines), results)

    add_generate(app, service, generate)


def best_first(ranking: Ranking, documents: list[str] | None) -> list[dict[str, Any]]:
    order = sorted(range(len(ranking.scores)), key=lambda i: -ranking.scores[i])
    return [
        {"index": i, "relevance_score": ranking.scores[i]}
        | ({"document": {"text": documents[i]}} if documents is not None else {})
        for i in order
    ]
