"""The socket that is served: inherited, by path, or TCP."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from llm_agent.errors import AgentError
from llm_agent.runtime.listener import open_listener, supervised


def test_an_inherited_socket(monkeypatch: pytest.MonkeyPatch, short_dir: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(short_dir / "a.sock"))
        listening.listen()
        monkeypatch.setenv("LLMD_LISTEN_FD", str(os.dup(listening.fileno())))
        assert supervised()
        listener = open_listener("127.0.0.1", None)
        assert not listener.tcp
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(short_dir / "a.sock"))
            listener.socket.accept()[0].close()
        listener.socket.close()


@pytest.mark.parametrize("value", ["999", "x", "-1"])
def test_a_descriptor_that_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LLMD_LISTEN_FD", value)
    with pytest.raises(AgentError, match="cannot listen"):
        open_listener("127.0.0.1", None)


def test_a_descriptor_that_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = socket.socketpair()
    monkeypatch.setenv("LLMD_LISTEN_FD", str(one.detach()))
    with pytest.raises(AgentError, match="no listening socket"):
        open_listener("127.0.0.1", None)
    other.close()


def test_a_path_takes_a_dead_sockets_place(
    monkeypatch: pytest.MonkeyPatch, short_dir: Path
) -> None:
    path = short_dir / "b.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    monkeypatch.setenv("LLMD_SOCKET", str(path))
    listener = open_listener("127.0.0.1", None)
    assert listener.address == f"unix://{path}"
    listener.socket.close()


def test_both_at_once_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMD_LISTEN_FD", "3")
    monkeypatch.setenv("LLMD_SOCKET", "/x.sock")
    with pytest.raises(AgentError, match="both"):
        open_listener("127.0.0.1", None)


def test_a_taken_port_is_said(free_port: int) -> None:
    taken = socket.create_server(("127.0.0.1", free_port))
    with taken, pytest.raises(AgentError, match=str(free_port)):
        open_listener("127.0.0.1", free_port)


def test_the_next_free_port_is_taken(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setattr("llm_agent.runtime.listener.DEFAULT_PORT", free_port)
    first = open_listener("127.0.0.1", None)
    second = open_listener("127.0.0.1", None)
    assert first.tcp
    assert first.address == f"http://127.0.0.1:{free_port}"
    assert second.address != first.address
    first.socket.close()
    second.socket.close()
