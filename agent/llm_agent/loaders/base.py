"""What the runtime and the routes ask of a loader. No heavy import here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from llm_agent.runtime.limits import LIMITS, Limits

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What a loader needs to know: the launch with config.yaml filled in."""

    weights: Path
    kind: str
    name: str
    loader: str = ""  # the class that the profile names, such as AutoModelForCausalLM
    library: str = ""  # timm, diffusers ...: where one kind has several loaders
    model_type: str = ""
    architecture: str = ""
    capabilities: tuple[str, ...] = ()
    context: int = 0  # 0: the model's own
    parallel: int = 1
    threads: int = 1
    device: str | None = None  # None: the best there is
    dtype: str | None = None  # None: as the file says
    quantization: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    base: Path | None = None  # the model that a ControlNet steers
    limits: Limits = LIMITS


class Loader(Protocol):
    """One model. `load` is called once; the request methods of its face after that, by several
    threads at once when `parallel` is above 1."""

    def load(self, tell: Tell) -> None:
        """Loads the weights; `tell` says what is being done. May raise anything."""

    def warm_up(self) -> None:
        """Produces one real token, vector or label, or raises."""

    def facts(self) -> dict[str, Any]:
        """What /api/model/info adds: device, dtype, context ..."""

    def close(self) -> None:
        """Gives back what lives outside this process."""
