"""Launch: an engine's command line, filled in, and the environment it runs in."""

from __future__ import annotations

import os
import re
import sys

from llm_agent.errors import FolderError
from llm_agent.runtime import settings
from llm_agent.runtime.config import Config
from llm_agent.runtime.model_folder import ModelFolder

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def engine_argv(
    folder: ModelFolder, config: Config, socket: str = "", host: str = "", port: int = 0
) -> list[str]:
    """launch.argv with its placeholders replaced, and the options of config.yaml.

    Raises FolderError for an unknown placeholder, ConfigError for an option that is not allowed.
    """
    launch = folder.launch
    values = {
        "python": sys.executable,
        "folder": str(folder.path),
        "weights": str(folder.weights),
        "socket": socket,
        "host": host,
        "port": str(port),
        "name": launch.name,
        "context": str(config.context or launch.context),
        "parallel": str(config.parallel or launch.parallel),
        "threads": str(settings.threads(folder, config)),
    }

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise FolderError(f"model_info.json: launch.argv has an unknown {match[0]}")
        return values[match[1]]

    argv = [PLACEHOLDER.sub(value, item) for item in launch.argv]
    settings.check_options(
        config.options, settings.ENGINE_OPTIONS.get(launch.engine, {}), launch.engine
    )
    for name, value in config.options.items():
        argv += [f"--{name.replace('_', '-')}", str(value)]
    return argv


def set_environment(folder: ModelFolder, thread_count: int) -> None:
    """Before any library is imported: offline, and as many threads as we were given."""
    os.environ.update(folder.launch.environment)
    os.environ.update(
        HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_DISABLE_PROGRESS_BARS="1", TOKENIZERS_PARALLELISM="false",
        OMP_NUM_THREADS=str(thread_count), MKL_NUM_THREADS=str(thread_count),
    )  # fmt: skip
