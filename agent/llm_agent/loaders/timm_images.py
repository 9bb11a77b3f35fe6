"""Models of timm: labels for pictures, or a vector where there is no classifier."""

from __future__ import annotations

import json
from typing import Any

import timm
import torch

from llm_agent.loaders import hugging_face, media
from llm_agent.loaders.base import Settings, Tell
from llm_agent.loaders.faces import Ask, Label, Reply
from llm_agent.loaders.image_labels import blank_picture
from llm_agent.runtime.cancellation import Cancellation


class _TimmLoader:
    classes: int | None = None  # None: as the model has them

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def load(self, tell: Tell) -> None:
        device = hugging_face.prepare(self._settings)
        tell(f"loading weights with timm on {device}")
        options = {} if self.classes is None else {"num_classes": self.classes}
        model = timm.create_model(f"local-dir:{self._settings.weights}", pretrained=True, **options)
        self._device = torch.device(device)
        self._model = model.eval().to(self._device)
        config = timm.data.resolve_model_data_config(self._model)
        self._transform = timm.data.create_transform(**config, is_training=False)
        self._names = self._label_names()

    def _label_names(self) -> list[str]:
        """From config.json, else timm's own lists, else numbers."""
        config = json.loads((self._settings.weights / "config.json").read_text())
        names = config.get("label_names") or config.get("pretrained_cfg", {}).get("label_names")
        count = int(self._model.num_classes)
        if isinstance(names, list) and len(names) == count:
            texts = config.get("label_descriptions") or {}
            return [str(texts.get(name, name)) for name in names]
        subset = timm.data.infer_imagenet_subset(self._model)
        if subset:
            info = timm.data.ImageNetInfo(subset)
            return [info.index_to_description(i) for i in range(count)]
        return [str(i) for i in range(count)]

    def facts(self) -> dict[str, Any]:
        return {
            "class": type(self._model).__name__,
            "device": str(self._device),
            "parameters": sum(p.numel() for p in self._model.parameters()),
            "classes": len(self._names),
            "timm": timm.__version__,
            "torch": torch.__version__,
        }

    def close(self) -> None:
        return None

    def _forward(self, data: bytes) -> Any:
        picture = media.open_picture(data, self._settings.limits)
        with torch.inference_mode():
            return self._model(self._transform(picture)[None].to(self._device))[0].float()


class TimmClassificationLoader(_TimmLoader):
    takes = "file"

    def warm_up(self) -> None:
        self.classify([blank_picture()], [], Cancellation())

    def classify(
        self, items: list[bytes], candidates: list[str], cancellation: Cancellation
    ) -> list[list[Label]]:
        found = []
        for item in items:
            cancellation.check()
            scores = self._forward(item).softmax(-1).tolist()
            labels = [Label(name, score) for name, score in zip(self._names, scores, strict=True)]
            found.append(sorted(labels, key=lambda label: -label.score))
        return found


class TimmFeatureLoader(_TimmLoader):
    classes = 0
    needs = ("file",)
    knows = ()

    def warm_up(self) -> None:
        self.reply(Ask(file=blank_picture()), Cancellation())

    def reply(self, ask: Ask, cancellation: Cancellation) -> Reply:
        assert ask.file is not None
        vector = self._forward(ask.file).reshape(-1).tolist()
        return Reply(f"{len(vector)} values", {"embedding": vector})
