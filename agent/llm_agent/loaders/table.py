"""The factory: which loader serves which kind. A new kind is one file and one line here."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from llm_agent.errors import FolderError
from llm_agent.loaders.base import Loader, Settings


@dataclass(frozen=True)
class Entry:
    target: str  # module:class below llm_agent.loaders, imported when the model is loaded
    face: str  # the routes: api.app.FACES


# kind -> loader
LOADERS: dict[str, Entry] = {
    "llm": Entry("text_generation:TextGenerationLoader", "text"),
    "embedding": Entry("sentence_embedding:SentenceEmbeddingLoader", "embedding"),
}


def find_entry(kind: str) -> Entry:
    if kind not in LOADERS:
        raise FolderError(
            f"the agent has no loader for the kind {kind!r}",
            next_step=f"it has: {', '.join(LOADERS)}",
        )
    return LOADERS[kind]


def make_loader(settings: Settings) -> Loader:
    """Imports the loader's libraries: call it in the thread that loads the model."""
    module, _, name = find_entry(settings.kind).target.partition(":")
    loader: Loader = getattr(importlib.import_module(f"llm_agent.loaders.{module}"), name)(settings)
    return loader
