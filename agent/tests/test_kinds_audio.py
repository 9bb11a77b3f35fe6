"""Sound in or out: every loader of these kinds, with a tiny model, asked through its routes.

The weights are random: what is checked is that the right class is loaded, that the answer has the
shape of its contract, and that what cannot be is refused.
"""

from __future__ import annotations

import io
import json
import math
from typing import Any

import pytest

from conftest import Start
from helpers import needs_torch, sse
from kinds import answer, as_data, form, post_form, refused, sound

pytestmark = needs_torch


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3"])
def test_audio_classification(start: Start, form: str) -> None:
    server = start("tiny-audio-classification", "audio-classification")
    (row,) = answer(server, "/v1/classify", {"input": as_data(sound(form=form))})["data"]
    assert {s["label"] for s in row["scores"]} == {"speech", "music", "noise"}
    if form == "WAV":
        no_sound = {"input": as_data(b"RIFF nothing")}
        assert refused(server, "/v1/classify", no_sound)[0] == "unreadable_file"
        long = {"input": as_data(sound(601, rate=8000, form="FLAC"))}
        assert refused(server, "/v1/classify", long)[0] == "audio_too_long"


HEAR = "/v1/audio/transcriptions"


@pytest.mark.parametrize("name", ["tiny-whisper", "tiny-ctc"])
def test_speech_recognition(start: Start, name: str) -> None:
    server = start(name, "asr")
    short = sound(1.0)

    def ask(data: bytes = short, path: str = HEAR, **fields: str) -> tuple[int, Any]:
        status, kind, said = post_form(server, path, {"model": "x", **fields}, file=data)
        return status, json.loads(said) if "json" in kind else said.decode()

    status, said = ask()
    assert (status, list(said)) == (200, ["text"])
    status, whole = ask(response_format="verbose_json")
    assert whole["text"] == said["text"]
    assert math.isclose(whole["duration"], 1.0, abs_tol=0.01)
    assert all(0 <= s["start"] <= s["end"] <= 1.01 for s in whole["segments"])
    assert ask(response_format="text")[1] == said["text"] + "\n"
    assert ask(response_format="vtt")[1].startswith("WEBVTT\n")
    status, words = ask(response_format="verbose_json", timestamp_granularities="word")
    assert status == 200
    assert all(set(word) == {"word", "start", "end"} for word in words["words"])
    assert ask(response_format="pdf")[0] == 400
    assert ask(b"no sound")[1]["error"]["code"] == "unreadable_file"
    assert ask(temperature="hot")[1]["error"]["param"] == "temperature"
    status, said = ask(path="/v1/audio/translations")
    assert status == (200 if name == "tiny-whisper" else 400)
    if name == "tiny-whisper":
        assert ask(language="de")[0] == 200
        assert ask(language="xx")[1]["error"]["param"] == "language"
    generated = answer(server, "/api/generate", {"file": as_data(short)})
    assert generated["result"]["text"] == generated["text"]


def test_long_sounds_are_heard_in_pieces_and_streamed(start: Start) -> None:
    server = start("tiny-ctc", "asr")
    body, kind = form({"stream": "true"}, file=sound(70, rate=16000))
    connection = server.open(HEAR, body, kind)
    events = list(sse(connection.getresponse()))
    connection.close()
    *deltas, done, end = events
    assert end == "[DONE]"
    assert {d["type"] for d in deltas} == {"transcript.text.delta"}
    assert len(deltas) == 3
    assert done == {
        "type": "transcript.text.done",
        "text": " ".join(d["delta"].strip() for d in deltas if d["delta"].strip()),
    }


def test_sounds_are_cut_where_it_is_quiet() -> None:
    np = pytest.importorskip("numpy")
    from llm_agent.loaders.speech_recognition import windows

    rate = 100
    samples = np.ones(60 * rate, dtype=np.float32)
    samples[24 * rate : 25 * rate] = 0
    cuts = [(begin, len(window)) for begin, window in windows(samples, rate)]
    assert 24 <= cuts[1][0] <= 25
    assert sum(length for _, length in cuts) == len(samples)
    assert all(length <= 28 * rate for _, length in cuts)


@pytest.mark.parametrize(
    ("name", "kind"), [("tiny-vits", "tts"), ("tiny-musicgen", "audio-generation")]
)
def test_speech_and_music(start: Start, name: str, kind: str) -> None:
    soundfile = pytest.importorskip("soundfile")
    server = start(name, kind)
    path = "/v1/audio/speech"

    def ask(**more: Any) -> tuple[int, str, bytes]:
        connection = server.open(
            path, {"input": "hello there", "voice": "alloy", "seed": 3, **more}
        )
        response = connection.getresponse()
        answered = (response.status, response.headers["content-type"], response.read())
        connection.close()
        return answered

    for form_of_sound in ("wav", "flac", "mp3", "opus"):
        status, _, data = ask(response_format=form_of_sound)
        assert status == 200
        samples, rate = soundfile.read(io.BytesIO(data))
        assert len(samples) > 100
        assert rate in (16000, 48000)
    assert ask(response_format="wav")[2] == ask(response_format="wav")[2]  # the seed repeats it
    status, _, raw = ask(response_format="pcm")
    assert (status, len(raw) % 2) == (200, 0)
    events = server.events_of(path, {"input": "hello", "stream_format": "sse"})
    assert events[0]["type"] == "speech.audio.delta"
    assert events[-2:] == [{"type": "speech.audio.done"}, "[DONE]"]
    assert refused(server, path, {"input": "x" * 4097}) == ("invalid_request", "input")
    assert refused(server, path, {"input": " "}) == ("invalid_request", "input")
    assert refused(server, path, {"input": "x", "speed": 2.0})[1] == "speed"
    assert refused(server, path, {"input": "x", "response_format": "aac"})[0] == "invalid_request"
    made = answer(server, "/api/generate", {"prompt": "hello"})
    assert made["file"].startswith("data:audio/wav;base64,")
