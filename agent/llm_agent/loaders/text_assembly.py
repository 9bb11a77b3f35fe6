"""From tokens to text, piece by piece: whole characters only, ended by stop strings."""

from __future__ import annotations

from collections.abc import Callable

REPLACEMENT = "\ufffd"  # what decoders print for half a character


class TextAssembly:
    """Feed it tokens in order; it returns the text that is certain by then.

    Text that may be the beginning of a stop string is held back until that is settled.
    """

    def __init__(self, decode: Callable[[list[int]], str], stops: tuple[str, ...] = ()) -> None:
        self._decode = decode
        self._stops = stops
        self._tokens: list[int] = []
        self._settled = 0  # tokens whose text was taken; the ones after are read again with context
        self._context = 0  # from here on tokens are decoded, since pieces depend on neighbours
        self._held = ""
        self.stopped = False  # a stop string was met: nothing more will come

    @property
    def count(self) -> int:
        return len(self._tokens)

    def feed(self, token: int) -> str:
        self._tokens.append(token)
        known = self._decode(self._tokens[self._context : self._settled])
        text = self._decode(self._tokens[self._context :])
        if len(text) <= len(known) or text.endswith(REPLACEMENT):
            return ""
        self._context, self._settled = self._settled, len(self._tokens)
        return self._release(text[len(known) :])

    def finish(self) -> str:
        """The rest: what was held back and what never became a whole character."""
        if self.stopped:
            return ""
        known = self._decode(self._tokens[self._context : self._settled])
        text = self._decode(self._tokens[self._context :])
        self._settled = len(self._tokens)
        rest = self._release(text[len(known) :]) + ("" if self.stopped else self._held)
        self._held = ""
        return rest

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            out, self._held = self._held[: min(found)], ""
            return out
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        cut = len(self._held) - keep
        out, self._held = self._held[:cut], self._held[cut:]
        return out


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` are the beginning of `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
