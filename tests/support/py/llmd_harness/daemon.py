"""Daemon: one llmd with a private home."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from pathlib import Path
from typing import Any

from .http import Answer, request
from .llmctl import Llmctl
from .logs import complaints, sanitizer_reports
from .processes import describe, kill, processes_of, wait_gone
from .programs import clean_environment, programs

START_LIMIT = 60  # seconds until it must answer
STOP_LIMIT = 60


class DaemonExit(Exception):
    """llmd ended instead of becoming ready."""

    def __init__(self, code: int, stderr: str) -> None:
        super().__init__(f"llmd ended with exit code {code}:\n{stderr}")
        self.code = code
        self.stderr = stderr


class Daemon:
    """Starts, kills, restarts and stops an llmd, and says at the end what it did wrong.

    The home's processes, servers included, must be gone after close(); the log must be free of
    warnings that the test did not allow. Used from one thread.
    """

    def __init__(self, home: Path, hub: str, **environment: str) -> None:
        self.home = home
        self.environment = clean_environment(home, HF_ENDPOINT=hub, **environment)
        self.llmctl = Llmctl(home, HF_ENDPOINT=hub, **environment)
        self.address_file = home.parent / "address.json"
        self.address: dict[str, Any] = {}
        self._stderr_file = home.parent / "llmd.stderr"
        self._process: subprocess.Popen[bytes] | None = None
        self._allowed: list[str] = []

    def start(self, *arguments: str, listen: str = "127.0.0.1:0") -> Daemon:
        """Returns once it answers; raises DaemonExit when it ends instead."""
        assert not self.running, "it runs already"
        self.address_file.unlink(missing_ok=True)
        ready, tell = os.pipe()
        command = [
            str(programs().llmd), "--home", str(self.home), "--listen", listen,
            "--address-file", str(self.address_file), "--ready-fd", str(tell), *arguments,
        ]  # fmt: skip
        try:
            with self._stderr_file.open("ab") as stderr:
                self._process = subprocess.Popen(
                    command, env=self.environment, stdin=subprocess.DEVNULL, stdout=stderr,
                    stderr=stderr, pass_fds=(tell,), start_new_session=True,
                )  # fmt: skip
            os.close(tell)
            tell = -1
            said = self._wait_ready(ready)
        finally:
            os.close(ready)
            if tell >= 0:
                os.close(tell)
        if not said.startswith("ready"):
            code = self._process.wait(STOP_LIMIT)
            self._process = None
            raise DaemonExit(code, self.stderr())
        self.address = json.loads(self.address_file.read_text())
        return self

    def _wait_ready(self, ready: int) -> str:
        """The line on the readiness pipe; empty when the daemon closed it by ending."""
        said = b""
        while not said.endswith(b"\n"):
            if not select.select([ready], [], [], START_LIMIT)[0]:
                self.kill()
                raise TimeoutError(f"llmd was not ready in {START_LIMIT} s:\n{self.stderr()}")
            piece = os.read(ready, 4096)
            if not piece:
                break
            said += piece
        return said.decode()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "it does not run"
        return self._process.pid

    @property
    def url(self) -> str:
        return str(self.address["http"])

    @property
    def token(self) -> str:
        return (self.home / "run" / "token").read_text().strip()

    def stderr(self) -> str:
        return self._stderr_file.read_text(errors="replace") if self._stderr_file.exists() else ""

    def get(self, path: str, **headers: str) -> Answer:
        return request(self.url + path, headers=_dashes(headers))

    def post(self, path: str, json: Any, **headers: str) -> Answer:
        return request(self.url + path, json=json, headers=_dashes(headers))

    def kill(self) -> None:
        """SIGKILL to llmd alone; model servers go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(STOP_LIMIT)
            self._process = None

    def terminate(self) -> int:
        """SIGTERM: a clean end that keeps model servers. Returns the exit code."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(STOP_LIMIT)
        self._process = None
        return code

    def restart(self, *arguments: str) -> Daemon:
        if self.running:
            self.terminate()
        return self.start(*arguments)

    def shutdown(self) -> None:
        """Ends llmd and its model servers."""
        process = self._process
        assert process is not None, "it does not run"
        self.llmctl("system", "shutdown", "--json").ok()
        assert process.wait(STOP_LIMIT) == 0, self.stderr()
        self._process = None

    def allow_log(self, *patterns: str) -> None:
        """WARN and ERROR lines that match one of these are what this test is about."""
        self._allowed += patterns

    def log(self) -> str:
        file = self.home / "logs" / "llmd.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def account(self) -> str:
        """The end of its log and of what it printed, for a person."""
        return f"{self.log()[-8000:]}\n--- stderr\n{self.stderr()[-2000:]}"

    def close(self) -> list[str]:
        """Ends everything and returns what was wrong; empty when nothing was."""
        problems = []
        if self.running:
            try:
                self.shutdown()
            except (AssertionError, subprocess.TimeoutExpired) as error:
                problems.append(f"shutdown failed: {error}")
        elif self._process is not None:
            problems.append(f"llmd ended by itself, exit code {self._process.returncode}")
        left = wait_gone(self.home, 10)
        if left:
            problems.append(f"processes left behind:\n{describe(left)}")
            kill(processes_of(self.home))
        loud = complaints(self.home / "logs" / "llmd.log", self._allowed)
        if loud:
            problems.append("unexpected lines in llmd.log:\n" + "\n".join(loud))
        reports = sanitizer_reports(self.stderr())
        if reports:
            problems.append("sanitizer reports:\n" + self.stderr()[-20_000:])
        return problems


def _dashes(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
