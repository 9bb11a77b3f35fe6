"""Errors as OpenAI's clients expect them, with our code and next step beside."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from llm_agent.errors import AgentError, BadRequest

log = logging.getLogger(__name__)
RETRY_AFTER = {"model_loading": "2", "server_busy": "1"}


def error_body(error: AgentError) -> dict[str, Any]:
    kind = "invalid_request_error" if 400 <= error.status < 500 else "server_error"
    return {
        "error": {
            "message": error.message,
            "type": kind,
            "param": error.param,
            "code": error.code,
            "next_step": error.next_step,
        }
    }


def error_response(error: AgentError) -> JSONResponse:
    headers = {"retry-after": RETRY_AFTER[error.code]} if error.code in RETRY_AFTER else None
    return JSONResponse(error_body(error), status_code=error.status, headers=headers)


def as_agent_error(error: Exception) -> AgentError:
    """What a request gets for an error that nobody foresaw: the cause is in the log."""
    if isinstance(error, AgentError):
        return error
    log.error("a request failed", exc_info=error)
    if "out of memory" in str(error).lower():
        return AgentError(
            "the model ran out of memory while it answered",
            code="out_of_memory", status=503, next_step="ask for less, or lower `parallel`",
        )  # fmt: skip
    return AgentError(f"the model failed: {type(error).__name__}", next_step="see logs/server.log")


def add_error_handlers(app: FastAPI) -> None:
    async def agent_error(_: Request, error: Exception) -> JSONResponse:
        return error_response(as_agent_error(error))

    async def http_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            wrong = BadRequest(
                f"this model has no {request.method} {request.url.path}", status=404,
                code="route_not_found", next_step="GET /api/model/info lists its routes",
            )  # fmt: skip
        elif error.status_code == 405:
            wrong = BadRequest(
                f"{request.url.path} does not take {request.method}", status=405,
                code="method_not_allowed",
            )  # fmt: skip
        else:
            wrong = BadRequest(str(error.detail), status=error.status_code)
        return error_response(wrong)

    app.add_exception_handler(AgentError, agent_error)
    app.add_exception_handler(HTTPException, http_error)
