"""The routes that every model server has: health, models, info, the page."""

from __future__ import annotations

import importlib.resources
import secrets
import time
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from llm_agent import __version__
from llm_agent.runtime.service import Service, State

STARTED = int(time.time())


def add_server_routes(app: FastAPI, service: Service, ui: bool) -> None:
    @app.get("/health")
    async def health() -> JSONResponse:
        body = {"status": "ok" if service.state is State.READY else service.state.value}
        if service.state is State.READY:
            return JSONResponse(body)
        return JSONResponse({**body, "message": service.message}, status_code=503)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        model = {"id": service.name, "object": "model", "created": STARTED, "owned_by": "llmd"}
        return {"object": "list", "data": [model]}

    @app.get("/api/model/info")
    async def info() -> dict[str, Any]:
        return model_info(app, service)

    if ui:
        page = importlib.resources.files("llm_agent.api").joinpath("page.html").read_text("utf-8")

        @app.get("/")
        async def index() -> HTMLResponse:
            nonce = secrets.token_urlsafe(16)
            policy = (
                f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
                "connect-src 'self'; img-src data: blob:; media-src data: blob:; "
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            )
            return HTMLResponse(
                page.replace("{{nonce}}", nonce), headers={"content-security-policy": policy}
            )


def model_info(app: FastAPI, service: Service) -> dict[str, Any]:
    launch = service.folder.launch
    facts = service.loader.facts() if service.state is State.READY else {}
    return {
        "name": launch.name,
        "kind": launch.kind,
        "engine": launch.engine,
        "state": service.state.value,
        "message": service.message if service.state is not State.READY else "",
        "agent_version": __version__,
        "slots": service.slots,
        "waiting": service.waiting,
        "routes": app.state.routes,
        "facts": facts,
        "profile": service.folder.profile,
    }
