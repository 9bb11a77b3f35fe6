"""Where the programs under test are, and the environment they are given."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[4]
PRESETS = ("release", "dev", "asan")


@dataclass(frozen=True)
class Programs:
    folder: Path

    @property
    def llmd(self) -> Path:
        return self.folder / "llmd"

    @property
    def llmctl(self) -> Path:
        return self.folder / "llmctl"


def programs() -> Programs:
    """$LLMD_BIN_DIR, else the first preset that is built."""
    named = os.environ.get("LLMD_BIN_DIR")
    places = [Path(named)] if named else [REPOSITORY / "build" / p / "bin" for p in PRESETS]
    for folder in places:
        found = Programs(folder.resolve())
        if found.llmd.exists() and found.llmctl.exists():
            return found
    looked = ", ".join(str(p) for p in places)
    raise FileNotFoundError(
        f"no llmd and llmctl in {looked}; build them (cmake --preset release, cmake --build "
        "--preset release) or name their folder in LLMD_BIN_DIR"
    )


def clean_environment(home: Path, **extra: str) -> dict[str, str]:
    """The caller's environment without anything that would lead away from `home`."""
    drop = ("HF_", "HUGGING", "LLMD_", "TRANSFORMERS_", "PYTHON", "VIRTUAL_ENV", "LISTEN_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
    for name in ("LLMD_UV", "LLMD_DATA_DIR"):
        if name in os.environ:
            kept[name] = os.environ[name]
    uv = REPOSITORY / ".tools" / "py" / "bin" / "uv"
    if uv.exists():
        kept.setdefault("LLMD_UV", str(uv))
    return {
        **kept,
        "LLMD_HOME": str(home),
        "HF_HOME": str(home.parent / "huggingface"),  # no token or cache of the user's
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        **extra,
    }
