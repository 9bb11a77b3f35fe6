"""Labels for sounds and films."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image

from llm_agent.loaders import hugging_face, media
from llm_agent.loaders.base import Settings, Tell
from llm_agent.loaders.candidates import check_lengths, needed
from llm_agent.loaders.faces import Label
from llm_agent.loaders.pipeline import PipelineLoader
from llm_agent.runtime.cancellation import Cancellation


class AudioClassificationLoader(PipelineLoader):
    task = "audio-classification"
    takes = "file"

    def warm_up(self) -> None:
        self._labels(np.zeros(self._rate, dtype=np.float32))

    @property
    def _rate(self) -> int:
        return int(self._pipeline.feature_extractor.sampling_rate)

    def classify(
        self, items: list[bytes], candidates: list[str], cancellation: Cancellation
    ) -> list[list[Label]]:
        found = []
        for item in items:
            cancellation.check()
            found.append(self._labels(media.read_sound(item, self._rate, self._limits)))
        return found

    def _labels(self, samples: Any) -> list[Label]:
        scores = self._run({"raw": samples, "sampling_rate": self._rate}, top_k=1000)
        return [Label(score["label"], float(score["score"])) for score in scores]


class ZeroShotSoundLoader(AudioClassificationLoader):
    """CLAP hears 10 s, at a random place of a longer sound: here it hears all of it, in pieces, and
    scores are means over them."""

    task = "zero-shot-audio-classification"

    def warm_up(self) -> None:
        self._scores(np.zeros(self._rate, dtype=np.float32), ["a thing"])

    def classify(
        self, items: list[bytes], candidates: list[str], cancellation: Cancellation
    ) -> list[list[Label]]:
        labels = needed(candidates, '["a dog", "rain"]')
        check_lengths(labels, self._pipeline.tokenizer)
        found = []
        for item in items:
            samples = media.read_sound(item, self._rate, self._limits)
            scores = np.zeros(len(labels))
            for begin in range(0, len(samples), self._window):
                cancellation.check()
                piece = samples[begin : begin + self._window]
                scores += len(piece) / len(samples) * self._scores(piece, labels)
            ranked = [Label(*row) for row in zip(labels, scores.tolist(), strict=True)]
            found.append(sorted(ranked, key=lambda label: -label.score))
        return found

    @property
    def _window(self) -> int:
        return int(self._pipeline.feature_extractor.nb_max_samples)

    def _scores(self, samples: Any, labels: list[str]) -> Any:
        """For each label, in their order; the pipeline tells them best first."""
        told = self._run(samples, candidate_labels=labels)
        by_label = {score["label"]: float(score["score"]) for score in told}
        return np.array([by_label[label] for label in labels])


class VideoClassificationLoader:
    """The pipeline of transformers reads films from addresses only: this takes frames."""

    takes = "file"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def load(self, tell: Tell) -> None:
        self._model = hugging_face.load_model(
            self._settings, "AutoModelForVideoClassification", tell
        )
        self._processor = transformers.AutoImageProcessor.from_pretrained(
            self._settings.weights, **hugging_face.source_options(self._settings)
        )
        self._frames = int(getattr(self._model.config, "num_frames", 16))

    def warm_up(self) -> None:
        frames = [Image.new("RGB", (64, 64), "grey") for _ in range(2)]
        out = io.BytesIO()
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
        self.classify([out.getvalue()], [], Cancellation())

    def facts(self) -> dict[str, Any]:
        return {**hugging_face.model_facts(self._model), "frames": self._frames}

    def close(self) -> None:
        return None

    def classify(
        self, items: list[bytes], candidates: list[str], cancellation: Cancellation
    ) -> list[list[Label]]:
        found = []
        for item in items:
            cancellation.check()
            frames = media.read_frames(item, self._frames, self._settings.limits)
            inputs = self._processor(frames, return_tensors="pt")
            with torch.inference_mode():
                logits = self._model(**inputs.to(self._model.device, self._model.dtype)).logits
            scores = logits[0].float().softmax(-1).tolist()
            names = self._model.config.id2label
            labels = [Label(str(names[i]), score) for i, score in enumerate(scores)]
            found.append(sorted(labels, key=lambda label: -label.score))
        return found
