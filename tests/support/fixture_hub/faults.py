"""Fault rules: which exchange goes wrong, and how."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class Fault:
    """One rule. The first group of fields selects exchanges, the second says what happens."""

    side: str = ""  # hub | cdn; empty: both
    method: str = ""
    match: str = ""  # regular expression, searched in path and query
    skip: int = 0  # let this many pass first
    times: int = 1  # then hit this many; -1: for ever

    status: int = 0
    code: str = ""
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    rate_limit: int = -1  # answer 429 and say that the window ends in so many seconds
    body: str = ""  # answer 200 (or `status`) with this text
    add_headers: dict[str, str] = field(default_factory=dict)  # beside those of the usual answer
    drop: bool = False  # close the connection without an answer
    delay: float = -1  # seconds before the answer
    rate: float = 0  # bytes a second
    cut_after: int = -1  # close after so many bytes of the body
    stall_after: int = -1  # stop sending after so many bytes ...
    stall: float = 3600  # ... for so many seconds, or until POST /_fixture/release
    wrong_byte: int = -1  # offset in the file of a byte to flip
    ignore_range: bool = False  # 200 and the whole file for a Range
    gzip: bool = False  # compressed and chunked, for who accepts gzip
    etag: str = ""  # another ETag than the file's
    location: str = ""  # where the redirect to the CDN leads instead

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> Fault:
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(raw) - known)
        if unknown:
            raise ValueError(f"unknown field {unknown[0]!r} in a fault; known: {sorted(known)}")
        return cls(**raw)

    def fits(self, side: str, method: str, path: str) -> bool:
        return (
            self.side in ("", side)
            and self.method in ("", method)
            and self.times != 0
            and re.search(self.match, path) is not None
        )


NO_FAULT = Fault(times=0)


class FaultBook:
    """The rules in force. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Fault] = []

    def replace(self, rules: Sequence[Fault | dict[str, Any]]) -> None:
        parsed = [r if isinstance(r, Fault) else Fault.parse(r) for r in rules]
        with self._lock:
            self._rules = parsed

    def take(self, side: str, method: str, path: str) -> Fault:
        """The first rule that fits, counted as used once; NO_FAULT when none does."""
        with self._lock:
            for rule in self._rules:
                if not rule.fits(side, method, path):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                rule.times -= 1  # below zero it never runs out
                return rule
        return NO_FAULT

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]
