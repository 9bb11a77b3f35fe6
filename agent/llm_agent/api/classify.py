"""/v1/classify: labels for texts, pictures, sounds and films; named stretches of texts."""

from __future__ import annotations

from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from llm_agent.api import exchange
from llm_agent.api.generate import Candidate, GenerateBody, add_generate
from llm_agent.api.media import decode_file
from llm_agent.errors import BadRequest
from llm_agent.loaders.faces import Entity, Label, LabelModel, Reply, TagModel
from llm_agent.runtime.limits import Limits
from llm_agent.runtime.service import Service


class ClassifyBody(exchange.Body):
    """`input`: texts, or files as data: addresses, as the model takes."""

    model: str | None = None
    input: str | list[str]
    labels: list[Candidate] | None = None

    def inputs(self, limits: Limits) -> list[str]:
        found = [self.input] if isinstance(self.input, str) else self.input
        if not found or len(found) > limits.inputs:
            raise BadRequest(f"input: 1 to {limits.inputs} items", param="input")
        return found


def add_label_routes(app: FastAPI, service: Service) -> None:
    async def classify(
        request: Request, found: list[str], labels: list[str], param: str
    ) -> list[list[Label]]:
        limits = service.limits
        model = cast(LabelModel, service.loader)
        if len(labels) > limits.labels:
            raise BadRequest(f"labels: at most {limits.labels}", param="labels")
        items: list[str] | list[bytes]
        if model.takes == "text":
            items = checked_texts(found, limits, param)
        else:
            if len(found) > limits.images:
                raise BadRequest(f"{param}: at most {limits.images} files", param=param)
            items = [decode_file(item, param, limits.upload_bytes) for item in found]
        return await exchange.answer(
            request, service, lambda stop: model.classify(items, labels, stop)
        )

    @app.post("/v1/classify")
    async def route(request: Request) -> Response:
        body = await exchange.read_body(request, ClassifyBody, service.limits.body_bytes)
        labelled = await classify(request, body.inputs(service.limits), body.labels or [], "input")
        return JSONResponse(_listed(service, [_labels(found) for found in labelled]))

    async def generate(request: Request, body: GenerateBody) -> Reply:
        item = body.file if body.file is not None else body.text()
        param = "prompt" if body.file is None else "file"
        (found,) = await classify(request, [item], body.labels or [], param)
        text = "\n".join(f"{label.score:.4f}  {label.label}" for label in found)
        return Reply(text, _labels(found)["scores"])

    add_generate(app, service, generate)


def add_tag_routes(app: FastAPI, service: Service) -> None:
    async def tag(request: Request, texts: list[str], param: str) -> list[list[Entity]]:
        checked = checked_texts(texts, service.limits, param)
        model = cast(TagModel, service.loader)
        return await exchange.answer(request, service, lambda stop: model.tag(checked, stop))

    @app.post("/v1/classify")
    async def route(request: Request) -> Response:
        body = await exchange.read_body(request, ClassifyBody, service.limits.body_bytes)
        texts = body.inputs(service.limits)
        tagged = await tag(request, texts, "input")
        rows = [
            {"entities": _entities(found, text)} for found, text in zip(tagged, texts, strict=True)
        ]
        return JSONResponse(_listed(service, rows))

    async def generate(request: Request, body: GenerateBody) -> Reply:
        (found,) = await tag(request, [body.text()], "prompt")
        entities = _entities(found, body.text())
        lines = [f"{e['score']:.4f}  {e['label']}  {e['text']}" for e in entities]
        return Reply("\n".join(lines), entities)

    add_generate(app, service, generate)


def checked_texts(texts: list[str], limits: Limits, param: str) -> list[str]:
    for index, text in enumerate(texts):
        if not 0 < len(text) <= limits.input_characters:
            raise BadRequest(
                f"{param} {index}: 1 to {limits.input_characters} characters", param=param
            )
    return texts


def _listed(service: Service, rows: list[dict[str, Any]]) -> dict[str, Any]:
    data = [{"index": index, **row} for index, row in enumerate(rows)]
    return {"object": "list", "model": service.name, "data": data}


def _labels(found: list[Label]) -> dict[str, Any]:
    return {
        "label": found[0].label if found else None,
        "probs": [label.score for label in found],
        "num_classes": len(found),
        "scores": [{"label": label.label, "score": label.score} for label in found],
    }


def _entities(found: list[Entity], text: str) -> list[dict[str, Any]]:
    return [
        {
            "label": entity.label,
            "score": entity.score,
            "start": entity.start,
            "end": entity.end,
            "text": text[entity.start : entity.end],
        }
        for entity in found
    ]
