"""Chromium over the DevTools protocol, through a pipe: no port, no driver, no further package."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
ANSWER_LIMIT = 60  # seconds a command may take

FLAGS = (
    "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-extensions", "--disable-default-apps", "--disable-translate",
    "--disable-dev-shm-usage", "--metrics-recording-only", "--mute-audio", "--hide-scrollbars",
    "--password-store=basic", "--use-mock-keychain", "--remote-debugging-pipe",
)  # fmt: skip

Event = dict[str, Any]


class ProtocolError(Exception):
    """Chromium refused a command."""


def chromium() -> str | None:
    """The browser to use: $CHROMIUM, else the first that is installed."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    found = next(filter(None, map(shutil.which, CANDIDATES)), None)
    return found or (str(MAC) if MAC.exists() else None)


class Chromium:
    """One browser process with a private profile. Used from one thread, as a context manager."""

    def __init__(self, executable: str) -> None:
        self._profile = tempfile.mkdtemp(prefix="llmd-browser-")
        self._stderr = (Path(self._profile) / "stderr.txt").open("wb")
        self._process, self._to, self._from = self._spawn(executable)
        self._buffer = b""
        self._next_id = 0
        self.listeners: list[Callable[[Event], None]] = []

    def _spawn(self, executable: str) -> tuple[subprocess.Popen[bytes], int, int]:
        their_in, our_out = _high_pipe()
        our_in, their_out = _high_pipe()
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        process = subprocess.Popen(
            # The browser reads commands from descriptor 3 and writes answers to 4.
            ["bash", "-c", f'exec "$@" 3<&{their_in} 4>&{their_out}', "bash", executable, *FLAGS,
             *sandbox, f"--user-data-dir={self._profile}", "about:blank"],
            pass_fds=(their_in, their_out), stdin=subprocess.DEVNULL, stdout=self._stderr,
            stderr=self._stderr, start_new_session=True,
        )  # fmt: skip
        os.close(their_in)
        os.close(their_out)
        return process, our_out, our_in

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._stderr.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command and its answer; events that come meanwhile are passed to the listeners."""
        self._next_id += 1
        command: dict[str, Any] = {"id": self._next_id, "method": method, "params": parameters}
        if session is not None:
            command["sessionId"] = session
        _write_all(self._to, json.dumps(command).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_LIMIT
        while True:
            message = self._read(deadline, method)
            if message.get("id") == command["id"]:
                if "error" in message:
                    raise ProtocolError(f"{method}: {message['error']['message']}")
                result: dict[str, Any] = message["result"]
                return result
            if "method" in message:
                for listener in self.listeners:
                    listener(message)

    def _read(self, deadline: float, waiting_for: str) -> Event:
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                raise TimeoutError(f"Chromium did not answer {waiting_for}")
            piece = os.read(self._from, 1 << 16)
            if not piece:
                said = (Path(self._profile) / "stderr.txt").read_text(errors="replace")
                raise ProtocolError(f"Chromium ended:\n{said[-4000:]}")
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\0", 1)
        message: Event = json.loads(line)
        return message


def _high_pipe() -> tuple[int, int]:
    """A pipe whose descriptors cannot be mistaken for 3 and 4."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10))
        os.close(end)
    return ends[0], ends[1]


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
