"""A plain HTTP client: nothing retried, nothing followed, every header as given."""

from __future__ import annotations

import http.client
import json as jsonlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 180


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return jsonlib.loads(self.body)


@contextmanager
def _exchange(
    url: str, method: str, json: Any, headers: Mapping[str, str] | None
) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)
    sent = dict(headers or {})
    body = None
    if json is not None:
        body = jsonlib.dumps(json).encode()
        sent.setdefault("Content-Type", "application/json")
    path = parts.path or "/"
    try:
        connection.putrequest(
            method, f"{path}?{parts.query}" if parts.query else path, skip_host="Host" in sent
        )
        if body is not None:
            sent["Content-Length"] = str(len(body))
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        yield connection.getresponse()
    finally:
        connection.close()


def request(
    url: str,
    method: str = "",
    json: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One exchange; GET, or POST when there is a body."""
    method = method or ("GET" if json is None else "POST")
    with _exchange(url, method, json, headers) as response:
        got = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, got, response.read())


@contextmanager
def stream_lines(url: str, json: Any) -> Iterator[Iterator[str]]:
    """A POST whose answer is read line by line; leaving the block hangs up."""
    with _exchange(url, "POST", json, None) as response:
        if response.status != 200:
            raise AssertionError(f"{url}: {response.status} {response.read()!r}")
        lines = (line.decode().rstrip("\r\n") for line in iter(response.readline, b""))
        yield (line for line in lines if line)
