"""config.yaml: what a person may change. Strict: an unknown key is an error that names its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from llm_agent.errors import ConfigError

AUTO = "auto"
MAX_BYTES = 1 << 20
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
DURATION = re.compile(r"\d+(?:\.\d+)?\s*(?:s|m|h|d)?|never")
DEVICE = re.compile(r"cpu|mps|cuda(?::\d+)?")
DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Config:
    """None stands for `auto`: the launch in model_info.json decides."""

    engine: str | None = None
    variant: str | None = None
    quantization: str | None = None
    dtype: str | None = None
    context: int | None = None
    parallel: int | None = None
    device: str | None = None
    threads: int | None = None
    memory_limit: int | None = None  # bytes
    idle: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


class _Wrong(Exception):
    """A value's fault; read_config adds file and line."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _Wrong("wants a word")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**31:
        raise _Wrong("wants a whole number above 0")
    return value


def _dtype(value: Any) -> str:
    if value not in DTYPES:
        raise _Wrong(f"wants one of {', '.join(DTYPES)}")
    return str(value)


def _device(value: Any) -> str:
    if not isinstance(value, str) or not DEVICE.fullmatch(value):
        raise _Wrong("wants cpu, cuda, cuda:N or mps")
    return value


def _size(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise _Wrong("wants a size such as 8GiB")
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** ("", "K", "M", "G", "T").index(match[2].upper()))


def _duration(value: Any) -> str:
    if isinstance(value, bool) or not DURATION.fullmatch(str(value)):
        raise _Wrong("wants a duration such as 10m, or never")
    return str(value)


def _options(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _Wrong("wants a list of `name: value`")
    return value


# One line per key. `schema` is checked apart, `auto` is allowed for every other one.
KEYS: dict[str, Callable[[Any], Any]] = {
    "engine": _text,
    "variant": _text,
    "quantization": _text,
    "dtype": _dtype,
    "context": _count,
    "parallel": _count,
    "device": _device,
    "threads": _count,
    "memory_limit": _size,
    "idle": _duration,
    "options": _options,
}


def read_config(path: Path) -> Config:
    """A missing file is all `auto`. Raises ConfigError as file:line: what is wrong."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise _fault(path, None, error.strerror or str(error)) from None
    if len(data) > MAX_BYTES:
        raise _fault(path, None, f"larger than {MAX_BYTES} bytes")
    try:
        document = yaml.compose(data, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _fault(path, error.problem_mark, error.problem or "not YAML") from None
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        raise _fault(path, None, f"not YAML: {error}") from None
    return Config(**_values(path, document))


def _values(path: Path, document: Any) -> dict[str, Any]:
    if document is None:
        return {}
    if not isinstance(document, yaml.MappingNode):
        raise _fault(path, document.start_mark, "wants `key: value` lines")
    values: dict[str, Any] = {}
    for key_node, value_node in document.value:
        key = str(key_node.value)
        if key in values:
            raise _fault(path, key_node.start_mark, f"key '{key}' stands there twice")
        if key != "schema" and key not in KEYS:
            raise _fault(path, key_node.start_mark, f"unknown key '{key}'", known=True)
        values[key] = _value(path, key, value_node)
    if values.pop("schema", 1) != 1:
        raise _fault(path, document.start_mark, "schema wants 1")
    return {key: value for key, value in values.items() if value is not None}


def _value(path: Path, key: str, node: Any) -> Any:
    try:
        value = yaml.SafeLoader("").construct_document(node)
    except (yaml.YAMLError, RecursionError) as error:
        raise _fault(path, node.start_mark, f"'{key}': {error}") from None
    if key == "schema":
        return value
    if value is None or value == AUTO:
        return None
    try:
        return KEYS[key](value)
    except _Wrong as wrong:
        raise _fault(path, node.start_mark, f"'{key}' {wrong}, or auto") from None


def _fault(path: Path, mark: Any, message: str, known: bool = False) -> ConfigError:
    place = f"{path}:{mark.line + 1}" if mark is not None else str(path)
    step = f"known keys: schema, {', '.join(KEYS)}" if known else "mend config.yaml"
    return ConfigError(f"{place}: {message}", next_step=step)
