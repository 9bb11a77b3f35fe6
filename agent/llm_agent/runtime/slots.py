"""Slots: how many requests a model works on at once; the others wait in the order they came."""

from __future__ import annotations

import asyncio
from collections import deque

from llm_agent.errors import Busy


class Slots:
    """First come, first served. Lives on the event loop's thread."""

    def __init__(self, count: int, max_waiting: int) -> None:
        self._free = count
        self._max_waiting = max_waiting
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def acquire(self) -> None:
        """Raises Busy when too many wait already. A cancelled wait leaves the queue."""
        if self._free > 0:
            self._free -= 1
            return
        if len(self._waiting) >= self._max_waiting:
            raise Busy(
                f"{len(self._waiting)} requests are waiting already",
                next_step="try again in a moment, or raise `parallel` in config.yaml",
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()  # the turn came in the same moment: pass it on
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def release(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)  # the slot goes straight to the next in line
                return
        self._free += 1
