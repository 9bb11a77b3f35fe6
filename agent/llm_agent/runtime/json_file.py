"""Reads a JSON object from a file that may be damaged or hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MAX_BYTES = 64 << 20  # model_info.json lists every file of a repository


class JsonFileError(Exception):
    """Says what is wrong with the file, in words for its owner."""


def read_object(path: Path, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise JsonFileError(f"{path}: {error.strerror or error}") from None
    if len(data) > max_bytes:
        raise JsonFileError(f"{path}: larger than {max_bytes} bytes")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise JsonFileError(f"{path}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise JsonFileError(f"{path}: a JSON object was expected")
    return value
