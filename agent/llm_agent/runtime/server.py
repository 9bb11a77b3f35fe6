"""Server: uvicorn on our socket, with our signals and our way to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from llm_agent.errors import AgentError
from llm_agent.runtime.leave import leave
from llm_agent.runtime.readiness import Readiness
from llm_agent.runtime.service import Service, State

log = logging.getLogger(__name__)
GRACE_SECONDS = 5  # cut answers are gone at once; this is for what hangs
KEEP_ALIVE_SECONDS = 75  # longer than a gateway keeps an idle connection


class _Uvicorn(uvicorn.Server):
    """Signals are ours: uvicorn would raise them again at the end and so end with -15."""

    def __init__(self, config: uvicorn.Config, on_startup: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_startup = on_startup

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_startup()


class ModelServer:
    """Listens, loads the model in a thread, serves until it is stopped."""

    def __init__(
        self, app: ASGIApp, sock: socket.socket, service: Service, load: Callable[[], None],
        readiness: Readiness,
    ) -> None:  # fmt: skip
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off",
            timeout_graceful_shutdown=GRACE_SECONDS, timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )  # fmt: skip
        self._server = _Uvicorn(config, self._begin)
        self._socket = sock
        self._service = service
        self._load = load
        self._readiness = readiness
        self._loading = threading.Thread(target=self._load_model, name="load", daemon=True)

    def run(self) -> int:
        """The exit code: 0 after `stop`, SIGTERM or SIGINT; 1 when the model does not load."""
        asyncio.run(self._server.serve(sockets=[self._socket]))
        self._service.close()
        if self._loading.is_alive():
            # Native code that reads weights cannot be interrupted; nobody waits for it any more.
            leave(0)
        return 1 if self._service.failed else 0

    def stop(self) -> None:
        """Takes no more requests, cuts what runs, lets `run` return. From any thread."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._stop)

    def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(ValueError, RuntimeError):  # not the main thread
                self._loop.add_signal_handler(number, self._on_signal, number)
        self._readiness.listening()
        self._loading.start()

    def _on_signal(self, number: int) -> None:
        if self._service.state is State.STOPPING:
            log.warning("second signal: ending at once")
            leave(128 + number)
        log.info("stopping on %s", signal.Signals(number).name)
        self._stop()

    def _stop(self) -> None:
        self._service.stop()
        self._server.should_exit = True

    def _load_model(self) -> None:
        try:
            self._load()
            return
        except AgentError as error:
            log.error("%s", error)
        except BaseException:
            log.exception("loading ended")
        self.stop()
