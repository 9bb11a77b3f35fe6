"""Service: the one model of this process, its state, and the queue of those who ask it.

Requests come in on the event loop; the model works in threads, at most `slots` at a time. The
loop itself never waits for the model, so /health always answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum
from typing import TypeVar

from llm_agent.errors import AgentError, LoadError, NotReady, Stopping
from llm_agent.loaders.base import Loader
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.limits import Limits
from llm_agent.runtime.model_folder import ModelFolder
from llm_agent.runtime.readiness import Readiness
from llm_agent.runtime.slots import Slots

log = logging.getLogger(__name__)
T = TypeVar("T")
Emit = Callable[[T], None]
_END = object()


class State(Enum):
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    STOPPING = "stopping"


class Service:
    """Made before the model is loaded. `load` runs in a thread of its own; the rest on the loop."""

    def __init__(
        self, folder: ModelFolder, face: str, slots: int, limits: Limits, readiness: Readiness
    ) -> None:
        self.folder = folder
        self.face = face  # which family of routes is served: api.app.FACES
        self.slots = slots  # requests that are worked on at once
        self.limits = limits
        self.state = State.LOADING
        self.failed = False  # it did not load, and nobody had stopped it before
        self.message = ""  # what is being loaded, or why it failed
        self._readiness = readiness
        self._loader: Loader | None = None
        self._slots = Slots(slots, limits.waiting)
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="model")
        self._running: set[Cancellation] = set()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self.folder.launch.name

    @property
    def waiting(self) -> int:
        return self._slots.waiting

    @property
    def loader(self) -> Loader:
        """The loaded model; raises the error that a request must get when there is none."""
        if self.state is State.STOPPING:
            raise Stopping("the server is stopping", next_step="start the model again")
        if self.state is State.FAILED:
            raise LoadError(self.message, status=503)
        if self._loader is None or self.state is not State.READY:
            raise NotReady(
                f"{self.name} is loading: {self.message or 'starting'}",
                next_step="ask again when GET /health answers 200",
            )
        return self._loader

    def load(self, make: Callable[[], Loader]) -> None:
        """Loads the model and lets it answer once. Raises LoadError; the state says the same."""
        try:
            self.tell("importing libraries")
            loader = make()
            loader.load(self.tell)
            self.tell("first answer")
            loader.warm_up()
        except AgentError as error:
            self._fail(str(error))
            raise
        except Exception as error:
            log.exception("loading failed")
            self._fail(f"{type(error).__name__}: {error}")
            raise LoadError(self.message) from error
        with self._lock:
            self._loader = loader
            if self.state is not State.LOADING:
                return  # it was stopped meanwhile
            self.state = State.READY
        self._readiness.ready()

    def tell(self, message: str) -> None:
        self.message = message
        self._readiness.loading(message)

    def _fail(self, message: str) -> None:
        self.message = message
        with self._lock:
            if self.state is State.LOADING:
                self.state, self.failed = State.FAILED, True
        self._readiness.failed(message)

    def stop(self) -> None:
        """Refuses what comes and cuts what runs. On the loop's thread."""
        with self._lock:
            self.state = State.STOPPING
        for cancellation in list(self._running):
            cancellation.cancel(
                Stopping("the server was stopped while it answered", next_step="ask again")
            )

    def close(self) -> None:
        """After `stop`: gives back what the model holds outside this process."""
        if self._loader is not None:
            self._loader.close()

    async def run(self, cancellation: Cancellation, work: Callable[[], T]) -> T:
        """Runs `work` in a model thread when a slot is free. Returns when the thread is done."""
        future = await self._submit(cancellation, work)
        return await asyncio.wrap_future(future)

    async def stream(
        self, cancellation: Cancellation, work: Callable[[Emit[T]], None]
    ) -> AsyncIterator[T]:
        """Yields what `work` emits, as it comes. The slot is held until the thread is done."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[object] = asyncio.Queue()

        def emit(item: object) -> None:
            _call_in(loop, queue.put_nowait, item)

        def whole() -> None:
            try:
                work(emit)
            finally:
                emit(_END)

        future = await self._submit(cancellation, whole)
        try:
            while (item := await queue.get()) is not _END:
                yield item  # type: ignore[misc]
            await asyncio.wrap_future(future)  # raises what the work raised
        finally:
            cancellation.cancel()

    async def _submit(self, cancellation: Cancellation, work: Callable[[], T]) -> Future[T]:
        _ = self.loader  # raises when there is no model to ask
        loop = asyncio.get_running_loop()
        self._running.add(cancellation)
        waiting = asyncio.ensure_future(self._slots.acquire())
        cancellation.on_cancel(lambda: _call_in(loop, waiting.cancel))
        try:
            await waiting
        except BaseException as error:
            waiting.cancel()
            self._running.discard(cancellation)
            if isinstance(error, asyncio.CancelledError) and cancellation.reason is not None:
                raise cancellation.reason from None
            raise
        future = self._threads.submit(work)
        future.add_done_callback(lambda _: _call_in(loop, self._finished, cancellation))
        return future

    def _finished(self, cancellation: Cancellation) -> None:
        self._running.discard(cancellation)
        self._slots.release()


def _call_in(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    """From any thread; nothing when the loop has ended, since nobody is left to hear it."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *args)
