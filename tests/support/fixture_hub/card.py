"""The model card's front matter: the flat part of YAML that cards are written in."""

from __future__ import annotations

import re
from typing import Any

Card = dict[str, Any]


def read_card(readme: str) -> Card:
    """`key: value` lines and lists below a key, between the two `---` lines; else nothing."""
    block = re.match(r"---\s*\n(.*?\n)---\s*(\n|$)", readme, re.S)
    card: Card = {}
    key = ""
    for line in block[1].splitlines() if block else []:
        item = re.fullmatch(r"\s*-\s+(.+?)\s*", line)
        pair = re.fullmatch(r"([\w-]+):\s*(.*?)\s*", line)
        if item and isinstance(card.get(key), list):
            card[key].append(item[1].strip("'\""))
        elif pair:
            key = pair[1]
            card[key] = pair[2].strip("'\"") if pair[2] else []
    return card


def card_tags(card: Card) -> list[str]:
    """What the Hub makes of the card: its own tags, "license:mit", "base_model:acme/base"."""
    tags = [str(tag) for tag in card.get("tags") or []]
    named = [(key, card.get(key)) for key in ("license", "base_model")]
    return tags + [f"{key}:{value}" for key, value in named if isinstance(value, str) and value]
