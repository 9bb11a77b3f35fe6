"""What the tests' repositories are made of."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fixture_hub.server import FixtureHub

GOOD, OTHER = "hf_good", "hf_other"
SHA = "1234567890" * 4
StartHub = Callable[..., FixtureHub]


def write_repository(root: Path, repo_id: str, meta: dict[str, Any], **files: bytes) -> None:
    folder = root / repo_id
    folder.mkdir(parents=True)
    if meta:
        (folder / "repo.json").write_text(json.dumps(meta))
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def safetensors(count: int) -> bytes:
    header = {"w": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + os.urandom(4 * count)
