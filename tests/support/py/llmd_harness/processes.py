"""Which processes belong to a home."""

from __future__ import annotations

from pathlib import Path

import psutil


def processes_of(home: Path) -> list[psutil.Process]:
    """Processes that have this LLMD_HOME, or run something inside of it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != psutil.Process().pid and _belongs(process, str(home)):
                found.append(process)
        except psutil.Error:
            continue  # gone meanwhile, or not ours to look at
    return found


def _belongs(process: psutil.Process, home: str) -> bool:
    if process.status() == psutil.STATUS_ZOMBIE:
        return False
    if process.environ().get("LLMD_HOME") == home:
        return True
    return any(word == home or word.startswith(home + "/") for word in process.cmdline())


def describe(processes: list[psutil.Process]) -> str:
    lines = []
    for process in processes:
        try:
            lines.append(f"{process.pid}: {' '.join(process.cmdline())[:300]}")
        except psutil.Error:
            lines.append(f"{process.pid}: gone")
    return "\n".join(lines)


def wait_gone(home: Path, seconds: float) -> list[psutil.Process]:
    """Waits for the home's processes to end; those that do not are returned."""
    _, alive = psutil.wait_procs(processes_of(home), timeout=seconds)
    return [p for p in alive if p.is_running()]


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=10)
