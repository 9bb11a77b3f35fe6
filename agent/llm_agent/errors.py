"""Every error of this package: a stable code, a sentence, and what to do next."""

from __future__ import annotations


class AgentError(Exception):
    """Base of all. `status` is the HTTP status that a request gets for it."""

    status = 500
    code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        next_step: str = "",
        code: str | None = None,
        status: int | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.param = param
        self.code = code or self.code
        self.status = status or self.status

    def __str__(self) -> str:
        return f"{self.message} ({self.next_step})" if self.next_step else self.message


class FolderError(AgentError):
    """model_info.json is missing or wrong: the folder cannot be served."""

    code = "model_folder_broken"


class ConfigError(AgentError):
    """config.yaml is wrong; the message names file and line."""

    code = "config_invalid"


class LoadError(AgentError):
    """The model could not be loaded or did not answer its first request."""

    code = "model_load_failed"


class BadRequest(AgentError):
    status = 400
    code = "invalid_request"


class TooLarge(AgentError):
    status = 413
    code = "request_too_large"


class NotReady(AgentError):
    """The model is still loading, or has failed to."""

    status = 503
    code = "model_loading"


class Busy(AgentError):
    """As many requests wait as may wait."""

    status = 503
    code = "server_busy"


class Stopping(AgentError):
    """The server was told to stop: it takes no request and cuts what runs."""

    status = 503
    code = "server_stopping"


class ClientGone(AgentError):
    """Nobody is left to answer."""

    status = 499
    code = "client_gone"


class UpstreamError(AgentError):
    """The engine behind this server broke off."""

    status = 502
    code = "upstream_crashed"
