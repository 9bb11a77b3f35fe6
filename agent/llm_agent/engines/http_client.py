"""HTTP to an engine on this machine, over a Unix socket or loopback TCP."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from llm_agent.errors import UpstreamError


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def connect(endpoint: str, timeout: float | None = None) -> http.client.HTTPConnection:
    """`endpoint` is unix:///path or http://host:port. Nothing is sent yet."""
    parts = urlsplit(endpoint)
    if parts.scheme == "unix":
        return _UnixConnection(parts.path, timeout)
    return http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=timeout)


def call(
    endpoint: str, method: str, path: str, body: Any = None, timeout: float | None = None
) -> tuple[int, Any]:
    """Status and JSON of one request. Raises UpstreamError when the engine does not answer."""
    connection = connect(endpoint, timeout)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UpstreamError(f"{method} {path}: {error or type(error).__name__}") from None
    finally:
        connection.close()
