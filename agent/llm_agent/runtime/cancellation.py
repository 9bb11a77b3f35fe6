"""Cancellation: one request's way to stop the work that is done for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from llm_agent.errors import AgentError, ClientGone


class Cancellation:
    """Set once, by the client's leaving or the server's end; the work looks at it. Thread-safe."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._reason: AgentError | None = None

    def cancel(self, reason: AgentError | None = None) -> None:
        with self._lock:
            if self._event.is_set():
                return
            self._reason = reason or ClientGone("the client has gone")
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    @property
    def reason(self) -> AgentError | None:
        return self._reason

    def check(self) -> None:
        """Raises the reason when cancelled: for work that has a natural place to stop."""
        if self._reason is not None:
            raise self._reason

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Calls `callback` when cancelled, at once if it is already; it must not block."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()
