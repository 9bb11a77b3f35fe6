"""Inputs for models of every kind, and what is asked of their answers."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import pytest

from helpers import RunningServer


def picture(width: int = 48, height: int = 40, colour: str = "red") -> str:
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("RGB", (width, height), colour).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def decoded(png: str) -> Any:
    image = pytest.importorskip("PIL.Image")
    return image.open(io.BytesIO(base64.b64decode(png.rpartition(",")[2])))


def answer(server: RunningServer, path: str, body: Any) -> Any:
    status, said = server.post(path, body)
    assert status == 200, said
    return said


def refused(server: RunningServer, path: str, body: Any) -> tuple[str, str]:
    status, said = server.post(path, body)
    assert 400 <= status < 500, said
    return said["error"]["code"], said["error"]["param"]


def sums_to_one(scores: list[dict[str, Any]]) -> bool:
    return math.isclose(sum(s["score"] for s in scores), 1, abs_tol=1e-3)


def sound(seconds: float = 0.5, rate: int = 22050, form: str = "WAV") -> bytes:
    np = pytest.importorskip("numpy")
    soundfile = pytest.importorskip("soundfile")
    wave = np.sin(np.arange(int(seconds * rate)) * (2 * math.pi * 440 / rate)) * 0.5
    out = io.BytesIO()
    soundfile.write(out, np.stack([wave, wave], axis=1), rate, format=form)
    return out.getvalue()


def as_data(data: bytes, kind: str = "audio/wav") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def form(fields: dict[str, str], **files: bytes) -> tuple[bytes, str]:
    """A multipart body and its content type."""
    edge = "edge-of-a-part"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, data in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="a.bin"\r\n\r\n'
        parts.append(f"--{edge}\r\n{head}".encode() + data + b"\r\n")
    return b"".join(parts) + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


def post_form(
    server: RunningServer, path: str, fields: dict[str, str], **files: bytes
) -> tuple[int, str, bytes]:
    body, kind = form(fields, **files)
    connection = server.open(path, body, kind)
    response = connection.getresponse()
    answered = (response.status, response.headers["content-type"], response.read())
    connection.close()
    return answered


def png_bytes(side: int = 64) -> bytes:
    return base64.b64decode(picture(side, side).partition(",")[2])
