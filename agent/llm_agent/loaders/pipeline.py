"""What loaders have in common that stand on a pipeline of transformers."""

from __future__ import annotations

import threading
from typing import Any

import torch
import transformers

from llm_agent.loaders import hugging_face
from llm_agent.loaders.base import Settings, Tell


class PipelineLoader:
    """One pipeline, asked by one request at a time: its tokenizers and processors want that."""

    task = ""  # as transformers.pipeline names it

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limits = settings.limits
        self._lock = threading.Lock()

    def load(self, tell: Tell) -> None:
        device = hugging_face.prepare(self._settings)
        tell(f"loading weights for {self.task} on {device}")
        source = hugging_face.source_options(self._settings)
        self._pipeline = transformers.pipeline(
            self.task,
            model=str(self._settings.weights),
            device=device,
            dtype=hugging_face.pick_dtype(self._settings),
            trust_remote_code=source["trust_remote_code"],
        )
        if device == "cpu" and self._pipeline.model.dtype == torch.float16:
            self._pipeline.model.float()  # kernels of these models often lack half precision

    def facts(self) -> dict[str, Any]:
        return hugging_face.model_facts(self._pipeline.model)

    def close(self) -> None:
        return None

    def _run(self, *arguments: Any, **options: Any) -> Any:
        with self._lock, torch.inference_mode():
            return self._pipeline(*arguments, **options)
