"""EngineProcess: an engine that runs as our child on a private socket, for use by hand."""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llm_agent.errors import LoadError
from llm_agent.runtime.config import Config
from llm_agent.runtime.launch import engine_argv
from llm_agent.runtime.leave import leave
from llm_agent.runtime.model_folder import ModelFolder

log = logging.getLogger(__name__)
STOP_SECONDS = 10
PR_SET_PDEATHSIG = 1
SOCKET = "engine.sock"


class EngineProcess:
    """The engine of launch.argv behind this process. Ends with it."""

    def __init__(self, process: subprocess.Popen[bytes], ready: int, private: Path) -> None:
        self._process = process
        self._ready = ready
        self._private = private
        self._closing = False
        self.endpoint = f"unix://{private / SOCKET}"

    @classmethod
    def start(cls, folder: ModelFolder, config: Config) -> EngineProcess:
        """Call it on the main thread: the engine ends when the thread that started it ends."""
        private = Path(tempfile.mkdtemp(prefix="llm-agent-"))
        argv = engine_argv(folder, config, socket=str(private / SOCKET))
        ready, told = os.pipe()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LLMD_")}
        environment["LLMD_READY_FD"] = str(told)
        try:
            process = subprocess.Popen(
                argv, pass_fds=(told,), env=environment, stdin=subprocess.DEVNULL,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )  # fmt: skip
        except OSError as error:
            os.close(ready)
            shutil.rmtree(private, ignore_errors=True)
            raise LoadError(f"cannot start {argv[0]}: {error.strerror}") from None
        finally:
            os.close(told)
        return cls(process, ready, private)

    def load(self, tell: Callable[[str], None]) -> None:
        """Waits for the engine's `ready`. Raises LoadError with what it says."""
        with os.fdopen(self._ready, "rb") as events:
            for line in events:
                if self._is_ready(json.loads(line), tell):
                    threading.Thread(target=self._watch, name="engine", daemon=True).start()
                    return
        code = self._process.wait()
        raise LoadError(f"the engine ended with status {code} before it was ready")

    def _is_ready(self, event: dict[str, Any], tell: Callable[[str], None]) -> bool:
        if event.get("event") == "failed":
            raise LoadError(str(event.get("message")))
        if event.get("event") == "loading":
            tell(str(event.get("message")))
        return event.get("event") == "ready"

    def _watch(self) -> None:
        """A front without its engine has nothing to say: it ends with it."""
        code = self._process.wait()
        if not self._closing:
            log.error("the engine ended with status %d", code)
            leave(1)

    def warm_up(self) -> None:
        """Done by the launcher before it says ready."""

    def facts(self) -> dict[str, Any]:
        return {"engine_pid": self._process.pid}

    def close(self) -> None:
        self._closing = True
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._private, ignore_errors=True)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
