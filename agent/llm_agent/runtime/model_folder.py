"""ModelFolder: what the daemon's scaffold wrote into a model's folder, read for serving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from llm_agent.errors import FolderError
from llm_agent.runtime.json_file import JsonFileError, read_object

SCHEMA = 1
T = TypeVar("T")


@dataclass(frozen=True)
class Launch:
    """How the model is served: the planner's answer. Same fields as `Launch` in the daemon."""

    engine: str
    kind: str
    name: str
    bind: str = "inherit"
    argv: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    routes: list[str] = field(default_factory=list)
    ready_timeout_seconds: int = 600
    weights: str = "model"
    loader: str = ""
    context: int = 0
    parallel: int = 1
    threads: int = 1
    quantization: str = ""  # done while loading: 4bit, 8bit, fp8
    remote_code: bool = False  # a person said that the repository's own code may run
    offload: bool = False  # the parts of a pipeline go to the GPU one at a time


@dataclass(frozen=True)
class ModelFolder:
    path: Path
    launch: Launch
    info: dict[str, Any]  # model_info.json as it is

    @property
    def weights(self) -> Path:
        return self.path / self.launch.weights

    @property
    def profile(self) -> dict[str, Any]:
        profile = self.info.get("profile")
        return profile if isinstance(profile, dict) else {}


def read_model_folder(path: Path) -> ModelFolder:
    """Raises FolderError, which says what is wrong and that `repair` mends it."""
    path = path.resolve()
    try:
        info = read_object(path / "model_info.json")
    except JsonFileError as error:
        raise _broken(str(error)) from None
    if info.get("schema") != SCHEMA:
        raise _broken(f"model_info.json has schema {info.get('schema')!r}, not {SCHEMA}")
    launch = info.get("launch")
    if not isinstance(launch, dict):
        raise _broken("model_info.json has no launch")
    folder = ModelFolder(path, _launch(launch), info)
    _check_weights(folder)
    return folder


def _launch(value: Mapping[str, Any]) -> Launch:
    for key in ("engine", "kind", "name"):
        if not value.get(key):
            raise _broken(f"model_info.json: launch.{key} is missing")
    environment = _get(value, "environment", dict, {})
    return Launch(
        engine=_get(value, "engine", str, ""),
        kind=_get(value, "kind", str, ""),
        name=_get(value, "name", str, ""),
        bind=_get(value, "bind", str, "inherit"),
        argv=[str(item) for item in _get(value, "argv", list, [])],
        environment={str(k): str(v) for k, v in environment.items()},
        routes=[str(item) for item in _get(value, "routes", list, [])],
        ready_timeout_seconds=_get(value, "ready_timeout_seconds", int, 600),
        weights=_get(value, "weights", str, "model"),
        loader=_get(value, "loader", str, ""),
        context=_get(value, "context", int, 0),
        parallel=_get(value, "parallel", int, 1),
        threads=_get(value, "threads", int, 1),
        quantization=_get(value, "quantization", str, ""),
        remote_code=value.get("remote_code") is True,
        offload=value.get("offload") is True,
    )


def _get(value: Mapping[str, Any], key: str, kind: type[T], default: T) -> T:
    found = value.get(key)
    if found is None:
        return default
    if not isinstance(found, kind) or isinstance(found, bool):
        raise _broken(f"model_info.json: launch.{key} is not {kind.__name__}")
    return found


def _check_weights(folder: ModelFolder) -> None:
    # A folder may have been edited or unpacked from anywhere: weights stay inside it.
    weights = folder.weights
    if not weights.resolve().is_relative_to(folder.path):
        raise _broken(f"launch.weights points out of the folder: {folder.launch.weights}")
    if not weights.exists():
        raise _broken(f"the weights are not there: {weights}")


def _broken(message: str) -> FolderError:
    return FolderError(message, next_step="llmctl install the model again, or restore the folder")
