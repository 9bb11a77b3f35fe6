"""serve: the model server that start.sh runs."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from llm_agent.errors import AgentError
from llm_agent.loaders.base import Loader
from llm_agent.loaders.table import find_entry, make_loader
from llm_agent.runtime import launch, settings
from llm_agent.runtime.config import Config, read_config
from llm_agent.runtime.leave import leave
from llm_agent.runtime.limits import LIMITS
from llm_agent.runtime.listener import Listener, open_listener, supervised
from llm_agent.runtime.model_folder import ModelFolder, read_model_folder
from llm_agent.runtime.readiness import Readiness

log = logging.getLogger(__name__)
# An engine queues by itself: what it has beyond its slots waits there.
WAITING_IN_ENGINE = 4
HELP = "serve the model of a folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, required=True, help="the model's folder")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on, by hand")
    parser.add_argument("--port", type=int, help="port, by hand; default: 8000 or the next free")
    parser.add_argument("--ui", action="store_true", help="serve a page for the model at /")


def run(asked: argparse.Namespace, readiness: Readiness) -> int:
    folder = read_model_folder(asked.folder)
    config = read_config(folder.path / "config.yaml")
    launch.set_environment(folder, settings.threads(folder, config))
    if folder.launch.argv and supervised():
        execute_engine(folder, config)
    listener = open_listener(asked.host, asked.port)
    if listener.tcp:
        print(f"{folder.launch.name} on {listener.address}", flush=True)
    return serve_folder(folder, config, listener, readiness, asked)


def execute_engine(folder: ModelFolder, config: Config) -> None:
    """Becomes the engine: same process, same descriptors. Does not return."""
    path = os.environ.get("LLMD_SOCKET", "")
    if not path:
        raise AgentError(
            f"the engine {folder.launch.engine} binds its own socket: LLMD_SOCKET is missing",
            code="listen_failed",
        )
    argv = launch.engine_argv(folder, config, socket=path)
    log.info("executing %s", " ".join(argv))
    sys.stdout.flush()
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        raise AgentError(f"cannot execute {argv[0]}: {error.strerror}") from None


def serve_folder(
    folder: ModelFolder, config: Config, listener: Listener, readiness: Readiness,
    asked: argparse.Namespace,
) -> NoReturn:  # fmt: skip
    # Here, not above: whoever becomes an engine needs none of this.
    from llm_agent.api.app import create_app
    from llm_agent.api.guard import Guard
    from llm_agent.engines.process import EngineProcess
    from llm_agent.runtime.server import ModelServer
    from llm_agent.runtime.service import Service

    make: Callable[[], Loader]
    if folder.launch.argv:
        engine = EngineProcess.start(folder, config)
        slots = (config.parallel or folder.launch.parallel) + WAITING_IN_ENGINE
        service = Service(folder, "engine", slots, LIMITS, readiness)
        make = partial(_same, engine)
    else:
        chosen = settings.loader_settings(folder, config)
        face = find_entry(chosen.kind, chosen.library, chosen.loader).face
        service = Service(folder, face, chosen.parallel, chosen.limits, readiness)
        make = partial(make_loader, chosen)
    app = create_app(service, asked.ui)
    guarded = Guard(app, {asked.host}) if listener.tcp else app
    load = partial(service.load, make)
    # A model thread may be in the middle of what cannot be interrupted.
    leave(ModelServer(guarded, listener.socket, service, load, readiness).run())


def _same(engine: Loader) -> Loader:
    return engine
