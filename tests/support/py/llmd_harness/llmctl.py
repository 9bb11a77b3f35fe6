"""Runs llmctl as a person or a script would."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .programs import clean_environment, programs

TIMEOUT = 600


@dataclass(frozen=True)
class Result:
    command: str
    exit: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"$ {self.command}\n{self.stdout}{self.stderr}(exit {self.exit})"

    @property
    def json(self) -> Any:
        """What --json printed; a clear failure when it is not one JSON value."""
        try:
            return json.loads(self.stdout)
        except ValueError:
            raise AssertionError(f"not JSON:\n{self}") from None

    def ok(self) -> Result:
        assert self.exit == 0, str(self)
        return self

    def error(self, exit_code: int) -> dict[str, Any]:
        """The error that --json printed; it must be whole, and fit the exit code."""
        assert self.exit == exit_code, str(self)
        error = self.json.get("error")
        assert isinstance(error, dict), str(self)
        assert set(error) >= {"code", "message", "next_step", "exit"}, str(self)
        assert error["exit"] == exit_code, str(self)
        assert error["code"] and error["message"] and error["next_step"], str(self)
        return error


class Llmctl:
    """llmctl for one home: `llmctl("ps", "--json").json["servers"]`."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.environment = clean_environment(home, **environment)
        self.program = programs().llmctl

    def __call__(
        self, *words: str, stdin: str = "", cwd: Path | None = None, **environment: str
    ) -> Result:
        done = subprocess.run(
            [str(self.program), *words], input=stdin, capture_output=True, text=True, cwd=cwd,
            env={**self.environment, **environment}, timeout=TIMEOUT,
        )  # fmt: skip
        return Result(f"llmctl {' '.join(words)}", done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Runs on its own; the caller waits for it."""
        return subprocess.Popen(
            [str(self.program), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env={**self.environment, **environment},
        )  # fmt: skip

    def models(self) -> dict[str, dict[str, Any]]:
        """What `list` shows, by name."""
        return {m["name"]: m for m in self("list", "--json").ok().json["models"]}

    def servers(self) -> dict[str, dict[str, Any]]:
        """What `ps` shows, by the model's name."""
        return {s["model"]: s for s in self("ps", "--json").ok().json["servers"]}

    def install(self, source: str, *words: str) -> None:
        self("install", source, *words, "--json").ok()
