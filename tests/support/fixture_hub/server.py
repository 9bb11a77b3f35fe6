"""FixtureHub: both servers, started in this process."""

from __future__ import annotations

import ssl
import threading
from http.server import ThreadingHTTPServer
from types import TracebackType

from .cdn_routes import CdnHandler
from .exchange import ExchangeHandler
from .faults import FaultBook
from .hub_routes import HubHandler
from .log import RequestLog
from .state import HubState, Options


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are ordinary here."""


class FixtureHub:
    """A Hub on two loopback ports. Use it as a context manager, or start() and stop() it.

        with FixtureHub(Options(root=folder)) as hub:
            hub.faults.replace([Fault(side="cdn", cut_after=1_000_000)])
            run("hf download acme/tiny", HF_ENDPOINT=hub.url)
            assert hub.log.exchanges("acme")

    Thread-safe: tests drive it while its servers answer.
    """

    def __init__(self, options: Options) -> None:
        self.state = HubState(options)
        self._servers = [
            self._server(HubHandler, options.port),
            self._server(CdnHandler, options.cdn_port),
        ]
        hub, cdn = (
            f"{options.scheme}://{options.host}:{s.server_address[1]}" for s in self._servers
        )
        self.state.hub_url, self.state.cdn_url = hub, cdn
        self._threads = [
            threading.Thread(target=s.serve_forever, args=(0.05,), daemon=True)
            for s in self._servers
        ]

    def _server(self, base: type[ExchangeHandler], port: int) -> _Server:
        handler = type(base.__name__, (base,), {"state": self.state})
        server = _Server((self.state.options.host, port), handler)
        options = self.state.options
        if options.cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options.cert, options.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        return server

    def start(self) -> FixtureHub:
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self.state.release()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> FixtureHub:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self.state.hub_url

    @property
    def cdn_url(self) -> str:
        return self.state.cdn_url

    @property
    def faults(self) -> FaultBook:
        return self.state.faults

    @property
    def log(self) -> RequestLog:
        return self.state.log

    def reload(self) -> None:
        self.state.reload()

    def release(self) -> None:
        self.state.release()
