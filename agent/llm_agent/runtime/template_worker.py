"""Renders chat templates, one JSON line in, one JSON line out. Runs as a process of its own.

Templates come with the model and are not trusted: they run in Jinja's immutable sandbox, in a
process that holds nothing, may not grow, and has little time. Its parent kills it when that does
not help.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from jinja2 import Environment, TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_CHARACTERS = 8_000_000
MAX_MEMORY = 1 << 30


class GenerationTag(Extension):  # type: ignore[misc]
    """{% generation %} marks what training learns from; for serving it is just its content."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return cast("list[nodes.Node]", body)


def _raise(message: str) -> None:
    raise TemplateError(message)


def _to_json(value: Any, ensure_ascii: bool = False, **more: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, **more)


def _environment() -> Environment:
    """As transformers makes it, since templates are written against that one."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True,
        extensions=[GenerationTag, "jinja2.ext.loopcontrols"],
    )  # fmt: skip
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


ENVIRONMENT = _environment()


@lru_cache(maxsize=8)
def _compiled(template: str) -> Any:
    return ENVIRONMENT.from_string(template)


def render(template: str, variables: dict[str, Any]) -> str:
    pieces: list[str] = []
    size = 0
    for piece in _compiled(template).generate(**variables):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_CHARACTERS:
            raise TemplateError(f"the prompt grew beyond {MAX_CHARACTERS} characters")
    return "".join(pieces)


def _out_of_time(*_: Any) -> None:
    raise TimeoutError


def answer(asked: dict[str, Any]) -> dict[str, str]:
    """Rendered within the seconds of processor time that the request allows."""
    signal.setitimer(signal.ITIMER_PROF, asked["seconds"])
    try:
        return {"text": render(asked["template"], asked["variables"])}
    except TimeoutError:
        return {"error": f"it did not end within {asked['seconds']:g} s"}
    except MemoryError:
        return {"error": "it needs too much memory"}
    except Exception as error:  # whatever a template manages to raise
        return {"error": f"{error}"[:2000] or type(error).__name__}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def main() -> None:
    signal.signal(signal.SIGPROF, _out_of_time)
    if sys.platform == "linux":  # macOS has no working limit of this kind
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
