"""The socket that is served: inherited, a path, or TCP by hand."""

from __future__ import annotations

import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from llm_agent.errors import AgentError

DEFAULT_PORT = 8000
PORTS_TRIED = 100
BACKLOG = 1024


@dataclass(frozen=True)
class Listener:
    socket: socket.socket
    address: str  # for people: "http://127.0.0.1:8000", "unix:///path", "inherited socket"
    tcp: bool


def supervised() -> bool:
    """Whether a supervisor started this process and says where to listen."""
    return bool(os.environ.get("LLMD_LISTEN_FD") or os.environ.get("LLMD_SOCKET"))


def open_listener(host: str, port: int | None) -> Listener:
    """LLMD_LISTEN_FD, else LLMD_SOCKET, else TCP. Raises AgentError that says what is wrong."""
    descriptor, path = os.environ.get("LLMD_LISTEN_FD"), os.environ.get("LLMD_SOCKET")
    if descriptor and path:
        raise AgentError("LLMD_LISTEN_FD and LLMD_SOCKET are both set", code="listen_failed")
    try:
        if descriptor:
            return Listener(_inherited(descriptor), "inherited socket", tcp=False)
        if path:
            return Listener(bind_unix(Path(path)), f"unix://{path}", tcp=False)
    except (OSError, ValueError) as error:
        raise AgentError(
            f"cannot listen on {descriptor or path}: {error}", code="listen_failed"
        ) from None
    return _tcp(host, port)


def _inherited(descriptor: str) -> socket.socket:
    inherited = socket.socket(fileno=int(descriptor))
    if not inherited.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise ValueError("it is no listening socket")
    inherited.set_inheritable(False)
    return inherited


def bind_unix(path: Path) -> socket.socket:
    """Takes the place of a socket that nobody listens on any more."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(str(path))
    bound.listen(BACKLOG)
    return bound


def _tcp(host: str, port: int | None) -> Listener:
    """The given port, or the first free one from the default on."""
    wanted = [port] if port is not None else range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED)
    for number in wanted:
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            bound = socket.create_server((host, number), family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and port is None:
                continue
            raise AgentError(
                f"cannot listen on {host}:{number}: {error.strerror}", code="listen_failed",
                next_step="choose another with --port",
            ) from None  # fmt: skip
        shown = f"[{host}]" if ":" in host else host
        return Listener(bound, f"http://{shown}:{bound.getsockname()[1]}", tcp=True)
    raise AgentError(
        f"no free port from {DEFAULT_PORT} on", code="listen_failed", next_step="use --port"
    )
