"""What every model folder needs besides its weights."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any


def package_folder(name: str) -> Path:
    """Where an installed package's files lie; it is not imported (it may want things we lack)."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"package {name!r} is not installed; run tests/setup_env.sh and use .tools/venv"
        )
    return Path(spec.submodule_search_locations[0])


def write_readme(out: Path, title: str, licence: str, text: str, **tags: Any) -> None:
    """A model card with the front matter that the Hub shows."""
    front = {"license": licence, **tags}
    lines = [f"{key}: {json.dumps(value)}" for key, value in front.items()]
    (out / "README.md").write_text(
        "\n".join(["---", *lines, "---", "", f"# {title}", "", text, ""])
    )


def edit_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value, indent=2) + "\n")


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system can: model folders are many, their bytes are one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def link_tree(source: Path, target: Path) -> None:
    for file in sorted(p for p in source.rglob("*") if p.is_file()):
        link_or_copy(file, target / file.relative_to(source))


def size_of(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
