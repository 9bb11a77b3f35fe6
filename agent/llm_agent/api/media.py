"""Files within JSON: data: addresses, decoded within limits."""

from __future__ import annotations

import base64
import binascii

from llm_agent.errors import BadRequest, TooLarge


def decode_file(value: str, param: str, limit: int) -> bytes:
    """The bytes of a data: address or of plain base64.

    Addresses of the network are refused: a server that fetches what a request names can be sent
    anywhere.
    """
    head = value[:40].lower()
    if head.startswith(("http:", "https:", "file:", "ftp:", "s3:")):
        raise BadRequest(
            f"{param}: addresses are not fetched",
            code="address_refused",
            param=param,
            next_step="send the file itself, as data:...;base64,...",
        )
    if head.startswith("data:"):
        kind, comma, value = value.partition(",")
        if not comma or not kind.endswith(";base64"):
            raise BadRequest(f"{param}: a data: address in base64 is wanted", param=param)
    if len(value) * 3 // 4 > limit + 3:
        raise TooLarge(f"{param}: larger than {limit} bytes", param=param)
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"{param}: not base64", param=param) from None
    if not data:
        raise BadRequest(f"{param}: the file is empty", param=param)
    return data


def data_address(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
