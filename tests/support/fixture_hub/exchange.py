"""One HTTP exchange: the plumbing that both ports have in common."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .failure import Failure
from .faults import NO_FAULT, Fault
from .log import Exchange
from .state import HubState

CONTROL = "/_fixture/"
PLENTY = {"RateLimit": '"api";r=499;t=300', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}


class ExchangeHandler(BaseHTTPRequestHandler):
    """Reads a request, applies the fault that fits, and keeps the log. One thread each.

    A subclass answers in `route` (and `control` on the hub's port).
    """

    protocol_version = "HTTP/1.1"
    server_version = "fixture-hub"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    side = ""
    state: HubState

    def route(self) -> None:
        raise NotImplementedError

    def control(self) -> None:
        raise Failure(404, "", "the control routes are on the hub's port")

    def log_message(self, format: str, *args: Any) -> None:
        """The request log says more than the default line on stderr."""

    def dispatch(self) -> None:
        url = urlsplit(self.path)
        self.url_path = url.path
        self.query = parse_qs(url.query, keep_blank_values=True)
        self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if url.path.startswith(CONTROL):
            self.exchange, self.fault = self._describe(), NO_FAULT
            self._answer(self.control)
            return
        self.fault = self.state.faults.take(self.side, self.command, self.path)
        self.exchange = self._describe()
        self.state.log.begin(self.exchange)
        try:
            self._answer(self._route_with_fault)
        finally:
            self.state.log.end(self.exchange)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = dispatch

    def _describe(self) -> Exchange:
        return Exchange(
            side=self.side, method=self.command, path=self.path, at=time.time(),
            range=self.headers.get("range"), auth=self.headers.get("authorization"),
        )  # fmt: skip

    def _answer(self, handle: Any) -> None:
        try:
            handle()
        except Failure as failure:
            headers = {**failure.error_headers(), "Content-Type": "application/json"}
            body = json.dumps({"error": failure.message}).encode()
            self.reply(failure.status, headers, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _route_with_fault(self) -> None:
        fault, options = self.fault, self.state.options
        usual = options.latency if self.side == "hub" else options.cdn_latency
        self.state.pause(fault.delay if fault.delay >= 0 else usual)
        if fault.drop:
            self.cut()
        elif fault.body:
            headers = {"Content-Type": "application/json", **fault.headers}
            self.reply(fault.status or 200, headers, fault.body.encode())
        elif fault.rate_limit >= 0:
            raise Failure(429, "", "Too Many Requests", _exhausted(fault))
        elif fault.status:
            raise Failure(fault.status, fault.code, fault.message or "fault", fault.headers)
        else:
            self.route()

    @property
    def token(self) -> str:
        return (self.headers.get("authorization") or "").removeprefix("Bearer ").strip()

    def flag(self, name: str) -> bool:
        return self.query.get(name, [""])[0].lower() in ("true", "1")

    def head(self, status: int, headers: Mapping[str, Any]) -> None:
        self.exchange.status = status
        self.send_response(status)
        for name, value in {**headers, **self.fault.add_headers}.items():
            self.send_header(name, str(value))
        if self.side == "hub" and "RateLimit" not in headers:
            for name, value in PLENTY.items():
                self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)
        self.count(len(data))

    def count(self, sent: int) -> None:
        self.state.log.sent(self.exchange, sent)

    def reply(self, status: int, headers: Mapping[str, Any], body: bytes = b"") -> None:
        self.head(status, {"Content-Length": len(body), **headers})
        if self.command != "HEAD" and body:
            self.send(body)

    def json(self, value: Any, headers: Mapping[str, Any] | None = None) -> None:
        body = json.dumps(value).encode()
        self.reply(200, {"Content-Type": "application/json", **(headers or {})}, body)

    def cut(self) -> None:
        """Ends the connection the hard way, so that the client sees a broken transfer."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _exhausted(fault: Fault) -> dict[str, str]:
    return {
        "RateLimit": f'"api";r=0;t={fault.rate_limit}',
        "RateLimit-Policy": PLENTY["RateLimit-Policy"],
        **fault.headers,
    }
