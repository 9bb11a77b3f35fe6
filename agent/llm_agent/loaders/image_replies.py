"""Models that look at one picture: what is where, how far, what it is like."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image

from llm_agent.loaders import hugging_face, media
from llm_agent.loaders.base import Settings, Tell
from llm_agent.loaders.faces import Ask, Reply
from llm_agent.loaders.image_labels import blank_picture
from llm_agent.loaders.pipeline import PipelineLoader
from llm_agent.runtime.cancellation import Cancellation


class PictureLoader(PipelineLoader):
    needs: tuple[str, ...] = ("file",)
    knows: tuple[str, ...] = ()

    def warm_up(self) -> None:
        self.reply(Ask(file=blank_picture()), Cancellation())

    def reply(self, ask: Ask, cancellation: Cancellation) -> Reply:
        assert ask.file is not None
        return self._look(media.open_picture(ask.file, self._limits), ask)

    def _look(self, picture: Any, ask: Ask) -> Reply:
        raise NotImplementedError


class ObjectDetectionLoader(PictureLoader):
    task = "object-detection"

    def _look(self, picture: Any, ask: Ask) -> Reply:
        threshold = 0.5 if ask.threshold is None else ask.threshold
        return detections(self._run(picture, threshold=threshold))


def detections(things: list[dict[str, Any]]) -> Reply:
    """Things as the pipelines of transformers tell them: label, score, box."""
    result = [
        {
            "label": thing["label"],
            "score": float(thing["score"]),
            "box": {side: int(at) for side, at in thing["box"].items()},
        }
        for thing in things
    ]
    lines = [f"{r['score']:.4f}  {r['label']}  {_corners(r['box'])}" for r in result]
    return Reply("\n".join(lines) or "nothing found", result)


def _corners(box: dict[str, int]) -> str:
    return f"({box['xmin']}, {box['ymin']}) to ({box['xmax']}, {box['ymax']})"


class SegmentationLoader(PictureLoader):
    task = "image-segmentation"

    def _look(self, picture: Any, ask: Ask) -> Reply:
        options = {} if ask.threshold is None else {"threshold": ask.threshold}
        return segments(self._run(picture, **options))


def segments(parts: Iterable[dict[str, Any]]) -> Reply:
    """Parts as the pipeline of transformers tells them: label and score, or None; a mask."""
    result, lines = [], []
    for number, part in enumerate(parts, 1):
        mask = part["mask"]
        share = float((np.asarray(mask) > 0).mean())
        score = None if part["score"] is None else float(part["score"])
        result.append(
            {
                "label": part["label"],
                "score": score,
                "share": share,
                "mask": base64.b64encode(media.png(mask)).decode(),
            }
        )
        lines.append(f"{share:6.1%}  {part['label'] or f'mask {number}'}")
    return Reply("\n".join(lines) or "nothing found", result)


class DepthLoader(PictureLoader):
    task = "depth-estimation"

    def _look(self, picture: Any, ask: Ask) -> Reply:
        depth = np.asarray(self._run(picture)["predicted_depth"], dtype=np.float32).squeeze()
        low, high = float(depth.min()), float(depth.max())
        scaled = (depth - low) / max(high - low, 1e-9)
        image = Image.fromarray((scaled * 65535).astype(np.uint16))
        if image.size != picture.size:
            image = image.resize(picture.size, Image.Resampling.NEAREST)
        result = {"min": low, "max": high, "width": picture.width, "height": picture.height}
        text = f"depth from {low:.3f} to {high:.3f}"
        return Reply(text, result, media.png(image), "image/png")


class ImageFeatureLoader(PictureLoader):
    """One vector for a picture: what the model pools, else the mean over its patches."""

    task = "image-feature-extraction"

    def _look(self, picture: Any, ask: Ask) -> Reply:
        try:
            features = np.asarray(self._run(picture, pool=True), dtype=np.float32)
        except ValueError:  # it has no pooling of its own
            features = np.asarray(self._run(picture), dtype=np.float32)
        if features.ndim == 4:  # 1 x values x rows x columns
            vector = features.reshape(features.shape[1], -1).mean(axis=1)
        else:
            vector = features.reshape(-1, features.shape[-1]).mean(axis=0)
        return Reply(f"{len(vector)} values", {"embedding": vector.tolist()})


class ImageToImageLoader:
    """Super-resolution and restoration. transformers has no pipeline for it."""

    needs = ("file",)
    knows = ()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def load(self, tell: Tell) -> None:
        self._model = hugging_face.load_model(self._settings, "AutoModelForImageToImage", tell)
        self._processor = transformers.AutoImageProcessor.from_pretrained(
            self._settings.weights, **hugging_face.source_options(self._settings)
        )

    def warm_up(self) -> None:
        self.reply(Ask(file=blank_picture()), Cancellation())

    def facts(self) -> dict[str, Any]:
        return hugging_face.model_facts(self._model)

    def close(self) -> None:
        return None

    def reply(self, ask: Ask, cancellation: Cancellation) -> Reply:
        assert ask.file is not None
        picture = media.open_picture(ask.file, self._settings.limits)
        media.check_made_pixels(picture.width, picture.height, self._settings.limits)
        inputs = self._processor(picture, return_tensors="pt")
        with torch.inference_mode():
            made = self._model(**inputs.to(self._model.device, self._model.dtype)).reconstruction
        values = made[0].float().clamp(0, 1).permute(1, 2, 0).cpu().numpy()
        factor = max(1, round(values.shape[1] / picture.width))
        values = values[: picture.height * factor, : picture.width * factor]  # without padding
        image = Image.fromarray((values * 255).round().astype(np.uint8))
        result = {"width": image.width, "height": image.height}
        return Reply(f"{image.width} x {image.height}", result, media.png(image), "image/png")
