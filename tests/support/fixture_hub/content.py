"""Sends a file, or one Range of it, with whatever fault the exchange has."""

from __future__ import annotations

import gzip
import os
import re
import time
from dataclasses import dataclass
from typing import Any

from .exchange import ExchangeHandler
from .failure import Failure
from .repositories import RepoFile


@dataclass(frozen=True)
class Span:
    """Bytes [start, end) of a file, and whether they were asked for by Range."""

    start: int
    end: int
    partial: bool


def requested_span(text: str | None, size: int) -> Span:
    """What a Range header asks for; 416 when nothing of the file is in it."""
    if text is None:
        return Span(0, size, partial=False)
    m = re.fullmatch(r"\s*bytes=(\d*)-(\d*)\s*", text)
    start, end = 0, 0
    if m and m[1]:
        start, end = int(m[1]), min(size, int(m[2]) + 1 if m[2] else size)
    elif m and m[2]:
        start, end = max(0, size - int(m[2])), size
    if start >= end:
        raise Failure(416, "", "Range Not Satisfiable", {"Content-Range": f"bytes */{size}"})
    return Span(start, end, partial=True)


def send_file(handler: ExchangeHandler, file: RepoFile, etag: str, headers: dict[str, Any]) -> None:
    fault = handler.fault
    headers = {"ETag": f'"{fault.etag or etag}"', "Accept-Ranges": "bytes", **headers}
    if fault.gzip and "gzip" in (handler.headers.get("accept-encoding") or ""):
        _send_gzip(handler, file, headers)
        return
    span = requested_span(None if fault.ignore_range else handler.headers.get("range"), file.size)
    if span.partial:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{file.size}"
    if not file.readable and handler.command != "HEAD":
        raise Failure(501, "NotStored", f"{file.path} is listed but not stored in this fixture")
    handler.head(206 if span.partial else 200, {**headers, "Content-Length": span.end - span.start})
    if handler.command == "HEAD":
        return
    stop = span.end if fault.cut_after < 0 else min(span.end, span.start + fault.cut_after)
    _pump(handler, file, span.start, stop)
    if stop < span.end:
        handler.cut()


def _send_gzip(handler: ExchangeHandler, file: RepoFile, headers: dict[str, Any]) -> None:
    body = gzip.compress(b"".join(file.read(0, file.size)))
    handler.head(200, {**headers, "Content-Encoding": "gzip", "Transfer-Encoding": "chunked"})
    if handler.command != "HEAD":
        handler.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))


def _pump(handler: ExchangeHandler, file: RepoFile, start: int, stop: int) -> None:
    fault = handler.fault
    rate = fault.rate or handler.state.options.rate
    tls = handler.state.options.cert is not None  # sendfile would send plain text
    if (
        not (tls or rate or fault.wrong_byte >= 0 or fault.stall_after >= 0 or file.padded)
        and file.disk
    ):
        _sendfile(handler, file, start, stop)
        return
    began, sent, stall_at = time.monotonic(), 0, fault.stall_after
    step = 1 << 16 if rate or stall_at >= 0 else 1 << 20
    at = start
    for data in file.read(start, stop, step):
        if 0 <= stall_at < sent + len(data):
            handler.send(data[: stall_at - sent])
            data, at, sent = data[stall_at - sent :], at + stall_at - sent, stall_at
            stall_at = -1
            handler.state.pause(fault.stall)
        handler.send(_spoiled(data, fault.wrong_byte - at) if fault.wrong_byte >= 0 else data)
        at, sent = at + len(data), sent + len(data)
        if rate:
            handler.state.pause(began + sent / rate - time.monotonic())


def _spoiled(data: bytes, offset: int) -> bytes:
    if not 0 <= offset < len(data):
        return data
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


def _sendfile(handler: ExchangeHandler, file: RepoFile, at: int, stop: int) -> None:
    assert file.disk is not None
    with file.disk.open("rb") as source:
        while at < stop:
            n = os.sendfile(
                handler.connection.fileno(), source.fileno(), at, min(16 << 20, stop - at)
            )
            if n == 0:
                raise ConnectionResetError(f"{file.path} became shorter while it was sent")
            at += n
            handler.count(n)
