"""The request log: what clients really asked for, and how many bytes they were given."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Exchange:
    """One request and its answer. It is in the log from its first byte; `done` when answered."""

    side: str  # hub | cdn
    method: str
    path: str  # with the query
    range: str | None
    auth: str | None
    at: float  # Unix time
    status: int = 0
    sent: int = 0  # bytes of the body
    seconds: float = 0
    done: bool = False


class RequestLog:
    """Every exchange, in order of arrival. Thread-safe; a test can wait for one to happen."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._exchanges: list[Exchange] = []
        self._active = 0
        self._peak = 0

    def begin(self, exchange: Exchange) -> None:
        with self._changed:
            self._exchanges.append(exchange)
            self._active += 1
            self._peak = max(self._peak, self._active)
            self._changed.notify_all()

    def sent(self, exchange: Exchange, count: int) -> None:
        with self._changed:
            exchange.sent += count
            self._changed.notify_all()

    def end(self, exchange: Exchange) -> None:
        with self._changed:
            exchange.seconds = round(time.time() - exchange.at, 4)
            exchange.done = True
            self._active -= 1
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._exchanges = [e for e in self._exchanges if not e.done]
            self._peak = self._active

    def wait(self, match: str, sent: int, timeout: float) -> bool:
        """Until the exchanges whose path matches were given `sent` bytes in all (0: one came)."""
        pattern = re.compile(match)

        def reached() -> bool:
            found = [e for e in self._exchanges if pattern.search(e.path)]
            return bool(found) and sum(e.sent for e in found) >= sent

        with self._changed:
            return self._changed.wait_for(reached, timeout)

    def wait_idle(self, timeout: float) -> bool:
        """Until no exchange is under way."""
        with self._changed:
            return self._changed.wait_for(lambda: self._active == 0, timeout)

    def exchanges(self, match: str = "") -> list[Exchange]:
        pattern = re.compile(match)
        with self._changed:
            return [Exchange(**asdict(e)) for e in self._exchanges if pattern.search(e.path)]

    @property
    def peak(self) -> int:
        """The most exchanges that were under way at once."""
        with self._changed:
            return self._peak

    def as_json(self, match: str = "") -> list[dict[str, Any]]:
        return [asdict(e) for e in self.exchanges(match)]
