"""Readiness: tells whoever started this server how far it is, as JSON lines on a descriptor."""

from __future__ import annotations

import json
import logging
import os
import threading
from typing import Any

log = logging.getLogger(__name__)
ENV = "LLMD_READY_FD"


class Readiness:
    """Writes {"event": ...} lines; closes the descriptor after the last one. Thread-safe.

    Without a descriptor it only logs. A reader that has gone away is no error: the server goes on.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    @classmethod
    def from_environment(cls) -> Readiness:
        named = os.environ.get(ENV, "")
        return cls(int(named) if named.isdigit() else None)

    def listening(self) -> None:
        self._write("listening")

    def loading(self, message: str) -> None:
        self._write("loading", message=message)

    def ready(self) -> None:
        """To be called after the model has produced one real token, vector or label."""
        self._write("ready", pid=os.getpid())
        self._close()

    def failed(self, message: str) -> None:
        self._write("failed", message=message)
        self._close()

    def _write(self, event: str, **fields: Any) -> None:
        log.info("%s %s", event, fields.get("message", ""))
        line = json.dumps({"event": event, **fields}) + "\n"
        with self._lock:
            if self._descriptor is None:
                return
            try:
                os.write(self._descriptor, line.encode())
            except OSError as error:
                log.warning("readiness event %s was not taken: %s", event, error)

    def _close(self) -> None:
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = None
