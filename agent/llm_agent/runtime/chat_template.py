"""ChatTemplate: messages to prompt, rendered in a process that can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import Any

from llm_agent.errors import BadRequest

# The worker counts its own processor time; by the clock it gets more, since others run too.
PATIENCE = 20


class ChatTemplate:
    """One worker process, started when needed and again after it was killed. Thread-safe."""

    def __init__(self, template: str, variables: dict[str, Any], seconds: float) -> None:
        self._template = template
        self._variables = variables  # special tokens, by name
        self._seconds = seconds
        self._worker: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def render(self, messages: list[dict[str, Any]]) -> str:
        """Raises BadRequest when the template refuses the messages, fails or takes too long."""
        asked = {
            "template": self._template,
            "variables": {**self._variables, "messages": messages, "add_generation_prompt": True},
            "seconds": self._seconds,
        }
        with self._lock:
            line = self._ask(json.dumps(asked).encode() + b"\n")
        answer = json.loads(line or b'{"error": "its process had to be ended"}')
        if "error" in answer:
            raise BadRequest(
                f"the model's chat template does not render these messages: {answer['error']}",
                code="chat_template_failed", param="messages",
                next_step="use /v1/completions with a prompt",
            )  # fmt: skip
        return str(answer["text"])

    def close(self) -> None:
        with self._lock:
            if self._worker is not None:
                self._end(self._worker)

    def _ask(self, asked: bytes) -> bytes:
        worker = self._worker if self._worker and self._worker.poll() is None else self._start()
        assert worker.stdin is not None and worker.stdout is not None
        timer = threading.Timer(PATIENCE * self._seconds, worker.kill)
        timer.start()
        try:
            worker.stdin.write(asked)
            worker.stdin.flush()
            line = worker.stdout.readline()
        except OSError:
            line = b""
        finally:
            timer.cancel()
        if not line:
            self._end(worker)
        return line

    def _start(self) -> subprocess.Popen[bytes]:
        keep = ("PATH", "PYTHONPATH", "PYTHONNOUSERSITE", "PYTHONSAFEPATH", "LD_LIBRARY_PATH")
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "llm_agent.runtime.template_worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={name: os.environ[name] for name in keep if name in os.environ},
        )  # fmt: skip
        return self._worker

    def _end(self, worker: subprocess.Popen[bytes]) -> None:
        worker.kill()
        worker.wait()
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not written goes nowhere
                    continue
        self._worker = None
