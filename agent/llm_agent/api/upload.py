"""Multipart bodies: fields and files, read within limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from llm_agent.api.exchange import read_bytes
from llm_agent.errors import BadRequest
from llm_agent.runtime.limits import Limits

MAX_FIELDS = 64
MAX_FIELD_BYTES = 1 << 20


@dataclass
class Form:
    fields: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[bytes]] = field(default_factory=dict)

    def file(self, name: str) -> bytes:
        found = self.files.get(name) or self.files.get(f"{name}[]")
        if not found or not found[0]:
            raise BadRequest(f"{name}: a file is wanted", param=name)
        return found[0]

    def text(self, name: str) -> str | None:
        found = self.fields.get(name)
        return found[0] if found else None

    def number(self, name: str, least: float, most: float) -> float | None:
        text = self.text(name)
        if text is None or text == "":
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise BadRequest(f"{name}: a number from {least:g} to {most:g} is wanted", param=name)
        return value

    def whole(self, name: str, least: int, most: int) -> int | None:
        value = self.number(name, least, most)
        if value is not None and value != int(value):
            raise BadRequest(f"{name}: a whole number is wanted", param=name)
        return None if value is None else int(value)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """The first choice is the default."""
        text = self.text(name) or choices[0]
        if text not in choices:
            raise BadRequest(f"{name}: one of {', '.join(choices)} is wanted", param=name)
        return text

    def flag(self, name: str) -> bool:
        return self.choice(name, ("false", "true", "0", "1")) in ("true", "1")


async def read_form(request: Request, limits: Limits) -> Form:
    """Raises BadRequest for what is no form, TooLarge for too much of it."""
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise BadRequest(
            f"the content type is {kind[:100] or 'missing'}, not multipart/form-data",
            status=415,
            code="unsupported_content_type",
        )
    data = await read_bytes(request, limits.upload_bytes)

    async def once() -> AsyncGenerator[bytes, None]:
        yield data
        yield b""

    parser = MultiPartParser(
        request.headers, once(), max_fields=MAX_FIELDS, max_files=limits.images,
        max_part_size=MAX_FIELD_BYTES,
    )  # fmt: skip
    form = Form()
    try:
        parsed = await parser.parse()
        for name, value in parsed.multi_items():
            if isinstance(value, UploadFile):
                form.files.setdefault(name, []).append(await value.read())
            else:
                form.fields.setdefault(name, []).append(value)
        await parsed.close()
    except (MultiPartException, KeyError, ValueError) as error:
        raise BadRequest(f"the form cannot be read: {str(error)[:200]}") from None
    return form
