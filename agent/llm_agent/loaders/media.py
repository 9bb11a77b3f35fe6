"""Pictures, sounds and films: decoded from bytes that nobody trusts, within limits."""

from __future__ import annotations

import io
from typing import Any

from llm_agent.errors import BadRequest
from llm_agent.runtime.limits import Limits

# What Pillow may open: formats that people send, not the exotic ones it also has decoders for.
FRAME_SIDE = 512
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def open_picture(data: bytes, limits: Limits) -> Any:
    """As RGB, upright. Raises BadRequest for what is no picture or has too many pixels."""
    from PIL import Image, ImageOps

    try:
        picture = Image.open(io.BytesIO(data), formats=PICTURES)
        check_pixels(picture.width, picture.height, limits)
        return ImageOps.exif_transpose(picture).convert("RGB")
    except BadRequest:
        raise
    except Exception:  # decoders raise what they like
        raise BadRequest(
            "the picture cannot be read", code="unreadable_file", param="image",
            next_step=f"send one of {', '.join(PICTURES)}",
        ) from None  # fmt: skip


def check_pixels(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise BadRequest(
            f"the picture has {width} x {height} pixels, at most {limits.pixels} are taken",
            code="image_too_large", param="image", next_step="scale it down",
        )  # fmt: skip


def png(picture: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def read_sound(data: bytes, rate: int, limits: Limits) -> Any:
    """As float32 of one channel at `rate`. Raises BadRequest for what is no sound or too long."""
    import numpy as np
    import soundfile

    if len(data) > limits.audio_bytes:
        raise BadRequest(f"the sound is larger than {limits.audio_bytes} bytes", status=413,
                         code="request_too_large", param="file")  # fmt: skip
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            own = file.samplerate
            most = min(limits.audio_seconds * own, limits.audio_samples // file.channels)
            # A header may claim any length: what is read is what counts.
            samples = file.read(most + 1, dtype="float32", always_2d=True)
    except Exception:
        raise BadRequest(
            "the sound cannot be read", code="unreadable_file", param="file",
            next_step="send WAV, FLAC, OGG or MP3",
        ) from None  # fmt: skip
    if len(samples) > most:
        raise BadRequest(
            f"the sound is longer than {limits.audio_seconds} s", code="audio_too_long",
            param="file", next_step="cut it into pieces",
        )  # fmt: skip
    if len(samples) == 0:
        raise BadRequest("the sound is empty", param="file")
    mono = np.ascontiguousarray(samples.mean(axis=1))
    return mono if own == rate else resampled(mono, own, rate)


def resampled(samples: Any, own: int, rate: int) -> Any:
    import math

    import numpy as np
    from scipy.signal import resample_poly

    common = math.gcd(own, rate)
    return resample_poly(samples, rate // common, own // common).astype(np.float32)


def read_frames(data: bytes, count: int, limits: Limits) -> list[Any]:
    """`count` pictures, evenly spread over the film (the last one again when it is too short)."""
    frames: list[Any] = []
    try:
        frames = _gif_frames(data, limits) if data[:3] == b"GIF" else _film_frames(data, limits)
    except BadRequest:
        raise
    except Exception:
        frames = []
    if not frames:
        raise BadRequest(
            "the film cannot be read", code="unreadable_file", param="file",
            next_step="send MP4, WebM or GIF",
        )  # fmt: skip
    return [frames[min(i * len(frames) // count, len(frames) - 1)] for i in range(count)]


def _gif_frames(data: bytes, limits: Limits) -> list[Any]:
    from PIL import Image, ImageSequence

    film = Image.open(io.BytesIO(data), formats=("GIF",))
    check_pixels(film.width, film.height, limits)
    frames: list[Any] = []
    for frame in ImageSequence.Iterator(film):
        if len(frames) >= limits.frames:
            break
        frames.append(_small(frame.convert("RGB")))
    return frames


def _film_frames(data: bytes, limits: Limits) -> list[Any]:
    """At most limits.frames pictures; of a longer film every n-th."""
    import av

    with av.open(io.BytesIO(data)) as film:
        stream = film.streams.video[0]
        check_pixels(stream.width, stream.height, limits)
        every = max(1, -(-stream.frames // limits.frames)) if stream.frames else 1
        frames: list[Any] = []
        for number, frame in enumerate(film.decode(stream)):
            if len(frames) >= limits.frames:
                break
            if number % every == 0:
                frames.append(_small(frame.to_image()))
        return frames


def _small(frame: Any) -> Any:
    """Models look at far smaller pictures, and many are kept at once."""
    frame.thumbnail((FRAME_SIDE, FRAME_SIDE))
    return frame


def mp4(frames: list[Any], fps: int) -> bytes:
    """A film of pictures of one size."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as film:
        stream = film.add_stream("h264" if "h264" in av.codecs_available else "mpeg4", rate=fps)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            film.mux(stream.encode(av.VideoFrame.from_image(frame)))
        film.mux(stream.encode())
    return out.getvalue()


def check_made_pixels(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.made_pixels:
        raise BadRequest(
            f"{width} x {height} is more than {limits.made_pixels} pixels",
            code="image_too_large", param="size", next_step="ask for a smaller picture",
        )  # fmt: skip


def joined(pieces: list[tuple[Any, int]]) -> tuple[Any, int]:
    """Sounds of one rate (samples, rate), one after another."""
    import numpy as np

    return np.concatenate([samples for samples, _ in pieces]), pieces[0][1]


def encode_sound(samples: Any, rate: int, form: str) -> bytes:
    """wav, flac, mp3 or opus."""
    import soundfile

    out = io.BytesIO()
    if form == "opus":
        samples, rate = resampled(samples, rate, 48_000), 48_000
        soundfile.write(out, samples, rate, format="OGG", subtype="OPUS")
    elif form == "mp3":
        if rate not in MP3_RATES:
            samples, rate = resampled(samples, rate, 24_000), 24_000
        soundfile.write(out, samples, rate, format="MP3")
    else:
        soundfile.write(out, samples, rate, format=form.upper(), subtype="PCM_16")
    return out.getvalue()


def pcm(samples: Any, own: int, rate: int) -> bytes:
    """16 bit, little endian, one channel."""
    import numpy as np

    samples = samples.mean(axis=1) if samples.ndim == 2 else samples
    samples = samples if own == rate else resampled(samples, own, rate)
    return bytes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
