"""Tokens to text: whole characters, stop strings, nothing lost."""

from __future__ import annotations

import random

import pytest

from llm_agent.loaders.text_assembly import TextAssembly


def bytewise(tokens: list[int]) -> str:
    """A decoder whose tokens are bytes, as byte-level vocabularies are."""
    return bytes(tokens).decode(errors="replace")


def run(text: str, stops: tuple[str, ...] = ()) -> tuple[list[str], TextAssembly]:
    assembly = TextAssembly(bytewise, stops)
    pieces = []
    for token in text.encode():
        pieces.append(assembly.feed(token))
        if assembly.stopped:
            break
    pieces.append(assembly.finish())
    return pieces, assembly


@pytest.mark.parametrize("text", ["", "plain", "añ€😀é", "日本語のテキスト", "a\ufffdb"])
def test_no_character_is_lost_or_cut(text: str) -> None:
    pieces, assembly = run(text)
    assert "".join(pieces) == text
    assert assembly.count == len(text.encode())


def test_half_a_character_waits_for_the_other_half() -> None:
    assembly = TextAssembly(bytewise)
    first, second = "é".encode()
    assert assembly.feed(first) == ""
    assert assembly.feed(second) == "é"


def test_an_end_within_a_character_still_says_something() -> None:
    assembly = TextAssembly(bytewise)
    assembly.feed(ord("a"))
    assembly.feed("é".encode()[0])
    assert assembly.finish() == "\ufffd"


@pytest.mark.parametrize(
    ("text", "stops", "said"),
    [
        ("one STOP two", ("STOP",), "one "),
        ("STOP", ("STOP",), ""),
        ("one STO two", ("STOP",), "one STO two"),
        ("abcabd", ("abd",), "abc"),
        ("x\n\ny", ("\n\n",), "x"),
        ("later first", ("first", "later"), ""),
        ("aé€ b", ("€",), "aé"),
        ("ends with ST", ("STOP",), "ends with ST"),
    ],
)
def test_stop_strings(text: str, stops: tuple[str, ...], said: str) -> None:
    pieces, assembly = run(text, stops)
    assert "".join(pieces) == said
    assert assembly.stopped == (said != text)


def test_what_may_begin_a_stop_string_is_held_back() -> None:
    assembly = TextAssembly(bytewise, ("END",))
    assert [assembly.feed(t) for t in b"aEN"] == ["a", "", ""]
    assert assembly.feed(ord("x")) == "ENx"


def test_any_text_and_any_stop_agree_with_find() -> None:
    chance = random.Random(7)
    for _ in range(500):
        text = "".join(chance.choices("abé", k=chance.randrange(20)))
        stop = "".join(chance.choices("abé", k=chance.randrange(1, 4)))
        at = text.find(stop)
        assert "".join(run(text, (stop,))[0]) == (text if at < 0 else text[:at])
