"""Labels for pictures: of a fixed set, or of any words."""

from __future__ import annotations

import io

from PIL import Image

from llm_agent.loaders import media
from llm_agent.loaders.candidates import needed
from llm_agent.loaders.faces import Label
from llm_agent.loaders.pipeline import PipelineLoader
from llm_agent.runtime.cancellation import Cancellation


def blank_picture(side: int = 64) -> bytes:
    """For the first answer of a model that looks at pictures."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), "grey").save(out, "PNG")
    return out.getvalue()


class ImageClassificationLoader(PipelineLoader):
    task = "image-classification"
    takes = "file"

    def warm_up(self) -> None:
        self.classify([blank_picture()], [], Cancellation())

    def classify(
        self, items: list[bytes], candidates: list[str], cancellation: Cancellation
    ) -> list[list[Label]]:
        found = []
        for item in items:
            cancellation.check()
            scores = self._run(media.open_picture(item, self._limits), top_k=1000)
            found.append([Label(score["label"], float(score["score"])) for score in scores])
        return found


class ZeroShotImageLoader(PipelineLoader):
    task = "zero-shot-image-classification"
    takes = "file"

    def warm_up(self) -> None:
        self.classify([blank_picture()], ["a thing"], Cancellation())

    def classify(
        self, items: list[bytes], candidates: list[str], cancellation: Cancellation
    ) -> list[list[Label]]:
        labels = needed(candidates, '["a cat", "a dog"]')
        found = []
        for item in items:
            cancellation.check()
            scores = self._run(media.open_picture(item, self._limits), candidate_labels=labels)
            found.append([Label(score["label"], float(score["score"])) for score in scores])
        return found
