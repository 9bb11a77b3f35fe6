"""Speech to text: Whisper and its kin, and models with a CTC head."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from llm_agent.errors import BadRequest
from llm_agent.loaders import hugging_face, media
from llm_agent.loaders.faces import Hearing, Segment, Transcript
from llm_agent.loaders.pipeline import PipelineLoader
from llm_agent.runtime.cancellation import Cancellation

WINDOW = 28.0  # seconds: Whisper reads 30 at once
SEARCH = 6.0  # how far before the end of a window a pause is looked for
HOP = 0.05
MARK = re.compile(r"<\|([^|]{0,30})\|>")
WARM_UP_TOKENS = 4


class SpeechRecognitionLoader(PipelineLoader):
    task = "automatic-speech-recognition"
    _most: int | None = None  # tokens of a window; None: the model's own limit

    def warm_up(self) -> None:
        silence: Any = np.zeros(self._rate, dtype=np.float32)
        self._most = WARM_UP_TOKENS  # of silence some models make words without end
        self._window(silence, 0.0, Hearing(), Cancellation())
        self._most = None

    @property
    def _rate(self) -> int:
        return int(self._pipeline.feature_extractor.sampling_rate)

    @property
    def _whisper(self) -> bool:
        return str(self._pipeline.type) == "seq2seq_whisper"

    @property
    def _multilingual(self) -> bool:
        return bool(getattr(self._generation_config, "is_multilingual", False))

    @property
    def _generation_config(self) -> Any:
        return getattr(self._pipeline.model, "generation_config", None)  # CTC has none

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "sampling_rate": self._rate, "multilingual": self._multilingual}

    def transcribe(
        self, sound: bytes, hearing: Hearing, cancellation: Cancellation,
        on_segment: Callable[[Segment], None],
    ) -> Transcript:  # fmt: skip
        self._check(hearing)
        samples = media.read_sound(sound, self._rate, self._limits)
        segments: list[Segment] = []
        language = hearing.language or ""
        for begin, window in windows(samples, self._rate):
            cancellation.check()
            found, heard = self._window(window, begin, hearing, cancellation)
            cancellation.check()
            language = language or heard
            for segment in found:
                segments.append(segment)
                on_segment(segment)
        return Transcript(segments, language, len(samples) / self._rate)

    def _check(self, hearing: Hearing) -> None:
        if hearing.translate and not (self._whisper and self._multilingual):
            raise BadRequest(
                "this model does not translate", code="unsupported_parameter",
                next_step="use /v1/audio/transcriptions",
            )  # fmt: skip
        if hearing.language and self._whisper and self._multilingual:
            known = getattr(self._generation_config, "lang_to_id", {})
            if f"<|{hearing.language}|>" not in known:
                raise BadRequest(
                    f"language: {hearing.language[:20]!r} is unknown to this model",
                    param="language", next_step="send a code such as en, de, fr",
                )  # fmt: skip

    def _window(
        self, samples: Any, begin: float, hearing: Hearing, cancellation: Cancellation
    ) -> tuple[list[Segment], str]:
        asked = {"raw": samples, "sampling_rate": self._rate}
        end = begin + len(samples) / self._rate
        if self._whisper:
            said = self._run(
                asked, return_timestamps="word" if hearing.words else True, return_language=True,
                generate_kwargs=self._generation(hearing, cancellation),
            )  # fmt: skip
        elif str(self._pipeline.type).startswith("ctc"):
            said = self._run(asked, **({"return_timestamps": "word"} if hearing.words else {}))
        else:
            said = self._run(asked, generate_kwargs=self._generation(hearing, cancellation))
        chunks = said.get("chunks") or []
        text, language = _without_marks(said["text"])
        if chunks and chunks[0].get("language"):
            language = str(chunks[0]["language"])
        if hearing.words:
            words = [_word(chunk, begin, end) for chunk in chunks]
            return [Segment(begin, end, text, [w for w in words if w[0]])], language
        if not chunks:
            return [Segment(begin, end, text)], language
        return [
            Segment(*_times(chunk, begin, end), _without_marks(chunk["text"])[0])
            for chunk in chunks
        ], language

    def _generation(self, hearing: Hearing, cancellation: Cancellation) -> dict[str, Any]:
        options: dict[str, Any] = {"stopping_criteria": hugging_face.until(cancellation)}
        if self._most is not None:
            options["max_new_tokens"] = self._most
        if self._whisper and self._multilingual:
            options["task"] = "translate" if hearing.translate else "transcribe"
            if hearing.language:
                options["language"] = hearing.language
        if hearing.temperature:
            options |= {"do_sample": True, "temperature": hearing.temperature}
        return options


def _times(chunk: dict[str, Any], begin: float, end: float) -> tuple[float, float]:
    """Within the window and in order, which models do not promise."""
    start, stop = chunk["timestamp"]
    first = min(begin + (start or 0.0), end)
    return first, end if stop is None else max(first, min(begin + stop, end))


def _word(chunk: dict[str, Any], begin: float, end: float) -> tuple[str, float, float]:
    return (_without_marks(chunk["text"])[0].strip(), *_times(chunk, begin, end))


def _without_marks(text: str) -> tuple[str, str]:
    """Text and language, where a tokenizer does not know its own marks as special."""
    marks = MARK.findall(text)
    languages = [mark for mark in marks if len(mark) in (2, 3)]
    return MARK.sub("", text), languages[0] if languages else ""


def windows(samples: Any, rate: int) -> Iterator[tuple[float, Any]]:
    """The sound in pieces that a model reads at once, cut where it is quietest near their end."""
    begin = 0
    longest, search, hop = (int(seconds * rate) for seconds in (WINDOW, SEARCH, HOP))
    while len(samples) - begin > longest:
        tail = samples[begin + longest - search : begin + longest]
        tail = tail[: len(tail) // hop * hop].reshape(-1, hop)
        quietest = int(np.square(tail).mean(axis=1).argmin())
        cut = begin + longest - search + quietest * hop + hop // 2
        yield begin / rate, samples[begin:cut]
        begin = cut
    yield begin / rate, samples[begin:]
