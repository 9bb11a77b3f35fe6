"""Labels for whole texts, and for stretches of them."""

from __future__ import annotations

from llm_agent.loaders.faces import Entity, Label
from llm_agent.loaders.pipeline import PipelineLoader
from llm_agent.runtime.cancellation import Cancellation


class TextClassificationLoader(PipelineLoader):
    task = "text-classification"
    takes = "text"

    def warm_up(self) -> None:
        self.classify(["Hello"], [], Cancellation())

    def classify(
        self, items: list[str], candidates: list[str], cancellation: Cancellation
    ) -> list[list[Label]]:
        found = []
        for text in items:
            cancellation.check()
            scores = self._run(text, top_k=None, truncation=True)
            found.append([Label(score["label"], float(score["score"])) for score in scores])
        return found


class TokenClassificationLoader(PipelineLoader):
    task = "token-classification"

    def warm_up(self) -> None:
        self.tag(["Hello"], Cancellation())

    def tag(self, texts: list[str], cancellation: Cancellation) -> list[list[Entity]]:
        found = []
        for text in texts:
            cancellation.check()
            spans = self._run(text, aggregation_strategy="simple")
            found.append(
                [
                    Entity(s["entity_group"], float(s["score"]), int(s["start"]), int(s["end"]))
                    for s in spans
                ]
            )
        return found
