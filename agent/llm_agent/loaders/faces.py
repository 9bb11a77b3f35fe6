"""The faces of models that neither write text nor make vectors: what is asked, what is answered.

A face is a protocol that loaders fulfil and routes speak. Pictures, sounds and films come as the
bytes of their files; the loader decodes them, within the limits of its settings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from llm_agent.loaders.base import Loader
from llm_agent.runtime.cancellation import Cancellation


@dataclass(frozen=True)
class Ranking:
    scores: list[float]  # one for each document, in their order; higher is nearer
    tokens: int


class RankModel(Loader, Protocol):
    def rank(self, query: str, documents: list[str], cancellation: Cancellation) -> Ranking:
        """What is longer than the model reads is cut, as rerankers do."""


@dataclass(frozen=True)
class Label:
    label: str
    score: float


class LabelModel(Loader, Protocol):
    takes: str  # text | file

    def classify(
        self, items: list[str] | list[bytes], candidates: list[str], cancellation: Cancellation
    ) -> list[list[Label]]:
        """For each item its labels, best first. `candidates`: the labels to choose from, for
        models that take any."""


@dataclass(frozen=True)
class Entity:
    label: str
    score: float
    start: int  # characters of the text
    end: int


class TagModel(Loader, Protocol):
    def tag(self, texts: list[str], cancellation: Cancellation) -> list[list[Entity]]:
        """The named stretches of each text."""


@dataclass(frozen=True)
class Ask:
    """One question to a model with a route of its own."""

    prompt: str = ""
    file: bytes | None = None
    context: str = ""  # of a question: the text that holds the answer
    top_k: int | None = None
    threshold: float | None = None
    labels: list[str] = field(default_factory=list)  # what to look for
    points: list[list[float]] = field(default_factory=list)  # x, y in pixels, on the thing meant
    box: list[float] = field(default_factory=list)  # xmin, ymin, xmax, ymax around it


@dataclass(frozen=True)
class Reply:
    text: str  # as a person reads it
    result: Any  # as JSON
    file: bytes | None = None
    media_type: str = ""


class ReplyModel(Loader, Protocol):
    needs: tuple[str, ...]  # fields of Ask that must be there
    knows: tuple[str, ...]  # those of labels, points and box that mean something to it

    def reply(self, ask: Ask, cancellation: Cancellation) -> Reply: ...


@dataclass(frozen=True)
class Segment:
    start: float  # seconds
    end: float
    text: str
    words: list[tuple[str, float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Transcript:
    segments: list[Segment]
    language: str
    duration: float

    @property
    def text(self) -> str:
        return " ".join(s.text.strip() for s in self.segments if s.text.strip())


@dataclass(frozen=True)
class Hearing:
    language: str | None = None
    translate: bool = False  # into English
    words: bool = False  # times of words
    temperature: float = 0.0


class HearModel(Loader, Protocol):
    def transcribe(
        self, sound: bytes, hearing: Hearing, cancellation: Cancellation,
        on_segment: Callable[[Segment], None],
    ) -> Transcript: ...  # fmt: skip


@dataclass(frozen=True)
class Sound:
    samples: Any  # float32: one channel, or samples x channels
    rate: int


@dataclass(frozen=True)
class Speech:
    """What is to be heard: a text to speak, or the description of a sound."""

    text: str
    voice: str = ""
    seed: int | None = None
    seconds: float | None = None
    steps: int | None = None


class SpeakModel(Loader, Protocol):
    voices: list[str]
    knows: tuple[str, ...]  # those of seconds and steps that mean something to it

    def speak(
        self, speech: Speech, cancellation: Cancellation, on_sound: Callable[[Sound], None]
    ) -> None:
        """Calls `on_sound` with each piece, all of one rate."""


@dataclass(frozen=True)
class Scene:
    """A picture or film to make."""

    prompt: str
    negative_prompt: str = ""
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    count: int = 1
    image: bytes | None = None  # to start from, or to be steered by
    mask: bytes | None = None
    strength: float | None = None
    frames: int | None = None
    fps: int = 16


OnStep = Callable[[int, int], None]  # done, of


class PictureModel(Loader, Protocol):
    takes_image: bool  # must there be a picture to start from

    def make(self, scene: Scene, cancellation: Cancellation, on_step: OnStep) -> list[bytes]:
        """PNG files."""


class FilmModel(Loader, Protocol):
    def film(self, scene: Scene, cancellation: Cancellation, on_step: OnStep) -> bytes:
        """An MP4 file."""
