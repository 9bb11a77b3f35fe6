"""An answer that is not the one asked for."""

from __future__ import annotations

from collections.abc import Mapping


class Failure(Exception):
    """Ends an exchange with a status, the Hub's error headers and extra headers."""

    def __init__(
        self,
        status: int,
        code: str = "",
        message: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message or code or str(status))
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def error_headers(self) -> dict[str, str]:
        """The headers by which the Hub's clients tell one refusal from another."""
        named = {"X-Error-Code": self.code, "X-Error-Message": self.message}
        return {**{name: text for name, text in named.items() if text}, **self.headers}
