"""From launch, config.yaml and environment to the loader's settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llm_agent.errors import ConfigError
from llm_agent.loaders.base import Settings
from llm_agent.runtime.config import Config
from llm_agent.runtime.limits import LIMITS, Limits
from llm_agent.runtime.model_folder import ModelFolder

ATTENTION = ("sdpa", "eager", "flash_attention_2", "flash_attention_3", "flex_attention")

# What `options` of config.yaml may hold when the agent itself serves: name -> is the value right.
AGENT_OPTIONS: dict[str, Callable[[Any], bool]] = {
    "attention": lambda value: value in ATTENTION,
    "trust_remote_code": lambda value: isinstance(value, bool),
    "base": lambda value: isinstance(value, str) and "\0" not in value,
    "offload": lambda value: isinstance(value, bool),
    "waiting": lambda value: type(value) is int and 0 <= value <= 10_000,
}

# The same for engines with a command line of their own; `_` becomes `-` there.
ENGINE_OPTIONS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "llama.cpp": {
        "gpu_layers": lambda value: type(value) is int and -1 <= value <= 10_000,
        "cache_type": lambda value: value in ("f16", "q8_0", "q4_0", "f32", "bf16"),
        "flash_attention": lambda value: value in ("auto", "on", "off"),
    },
}


def threads(folder: ModelFolder, config: Config) -> int:
    """config.yaml, else what the daemon hands out, else the plan, never more than the cores."""
    given = os.environ.get("LLMD_THREADS", "")
    wanted = config.threads or (int(given) if given.isdigit() else 0) or folder.launch.threads
    return max(1, min(wanted, os.cpu_count() or 1))


def loader_settings(folder: ModelFolder, config: Config) -> Settings:
    launch, profile = folder.launch, folder.profile
    check_options(config.options, AGENT_OPTIONS, launch.engine)
    return Settings(
        weights=folder.weights,
        kind=launch.kind,
        name=launch.name,
        loader=launch.loader,
        library=launch.engine,
        model_type=str(profile.get("model_type") or ""),
        architecture=str(profile.get("architecture") or ""),
        capabilities=tuple(profile.get("capabilities") or ()),
        context=config.context or launch.context,
        parallel=config.parallel or launch.parallel,
        threads=threads(folder, config),
        device=config.device,
        dtype=config.dtype,
        quantization=config.quantization or launch.quantization or None,
        base=base_folder(folder, config),
        options={
            "trust_remote_code": launch.remote_code,
            "offload": launch.offload,
            **config.options,
        },
        limits=Limits(waiting=config.options.get("waiting", LIMITS.waiting)),
    )


def base_folder(folder: ModelFolder, config: Config) -> Path | None:
    """The weights of the model that this one builds on: named in config.yaml, else installed
    beside this folder. None when there is none, or it is not there."""
    named = config.options.get("base")
    if named is not None:
        path = folder.path / Path(named).expanduser()
        if not path.is_dir():
            raise ConfigError(f"config.yaml: options.base is no folder: {path}")
        return path / "model" if (path / "model_info.json").is_file() else path
    base = str(folder.profile.get("base_model") or "").replace("/", "_")
    beside = folder.path.parent / base / "model"
    return beside if base and "\0" not in base and beside.is_dir() else None


def check_options(
    options: dict[str, Any], allowed: dict[str, Callable[[Any], bool]], engine: str
) -> None:
    """Raises ConfigError for an option that the engine does not have, or a wrong value."""
    for name, value in options.items():
        if name not in allowed:
            raise ConfigError(
                f"config.yaml: options.{name[:100]} is unknown to the engine {engine}",
                next_step=f"it has: {', '.join(allowed) or 'none'}",
            )
        if not allowed[name](value):
            raise ConfigError(f"config.yaml: options.{name} cannot be {str(value)[:100]!r}")
