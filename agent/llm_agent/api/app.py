"""The app: the routes that every server has, and those of the model's face."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from starlette.routing import Route

from llm_agent.api import (
    classify,
    embedding,
    engine,
    hear,
    picture,
    reply,
    rerank,
    speak,
    text,
    video,
)
from llm_agent.api.errors import add_error_handlers
from llm_agent.api.server import add_server_routes
from llm_agent.runtime.service import Service

# A face is a family of routes; loaders.table says which face each kind has.
FACES: dict[str, Callable[[FastAPI, Service], None]] = {
    "text": text.add_routes,
    "embedding": embedding.add_routes,
    "rerank": rerank.add_routes,
    "classify": classify.add_label_routes,
    "tag": classify.add_tag_routes,
    "reply": reply.add_routes,
    "hear": hear.add_routes,
    "speak": speak.add_routes,
    "picture": picture.add_routes,
    "film": video.add_routes,
    "engine": engine.add_routes,
}


def create_app(service: Service, ui: bool = False) -> FastAPI:
    app = FastAPI(title="llm_agent", openapi_url=None)
    add_error_handlers(app)
    add_server_routes(app, service, ui)
    FACES[service.face](app, service)
    app.state.routes = sorted(
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, Route) and route.path != "/"
        for method in (route.methods or ())
        if method != "HEAD"
    )
    return app
