"""Ports that refuse, and ports that are taken."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closed_port() -> Iterator[int]:
    """A port on loopback that refuses connections as long as the block lasts."""
    with socket.socket() as bound:  # bound, so that nobody else gets it; not listening
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def taken_port() -> Iterator[int]:
    """A port on loopback that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]
