"""The daemon's log: what it warned of."""

from __future__ import annotations

import json
import re
from pathlib import Path

SANITIZERS = re.compile(r"AddressSanitizer|UndefinedBehaviorSanitizer|runtime error:|LeakSanitizer")


def complaints(log: Path, allowed: list[str]) -> list[str]:
    """The lines of level WARN or ERROR that no allowed pattern matches."""
    files = sorted(log.parent.glob(f"{log.stem}*{log.suffix}")) if log.parent.is_dir() else []
    lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
    patterns = [re.compile(pattern) for pattern in allowed]
    loud = [line for line in lines if line.strip() and _is_loud(line)]
    return [line for line in loud if not any(p.search(line) for p in patterns)]


def _is_loud(line: str) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return True  # not a line of ours: it does not belong there
    return not isinstance(entry, dict) or entry.get("level") not in ("DEBUG", "INFO")


def sanitizer_reports(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if SANITIZERS.search(line)]
