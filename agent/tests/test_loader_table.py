"""The factory: every entry names a loader that exists and a face that has routes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from helpers import AGENT
from llm_agent.api.app import FACES
from llm_agent.errors import FolderError
from llm_agent.loaders.table import LOADERS, find_entry

PROTOCOL = AGENT / "PROTOCOL.md"


@pytest.mark.parametrize("kind", LOADERS)
def test_every_entry_names_what_exists(kind: str) -> None:
    entry = LOADERS[kind]
    module, _, name = entry.target.partition(":")
    source = Path(AGENT, "llm_agent", "loaders", f"{module}.py").read_text()
    defined = [
        n.name for n in ast.parse(source).body if isinstance(n, ast.ClassDef | ast.FunctionDef)
    ]
    assert name in defined
    assert entry.face in FACES


def test_an_unknown_kind_lists_those_that_are_known() -> None:
    with pytest.raises(FolderError, match="telepathy") as caught:
        find_entry("telepathy")
    assert "llm" in caught.value.next_step


def test_a_library_has_loaders_of_its_own() -> None:
    assert find_entry("image-classification", "timm").target.startswith("timm")
    assert find_entry("image-classification", "transformers") == LOADERS["image-classification"]


def test_the_protocol_describes_every_kind() -> None:
    text = PROTOCOL.read_text().split("<!-- kinds -->")[1].split("<!-- /kinds -->")[0]
    described = {
        kind.strip()
        for row in re.findall(r"^\| ([a-z0-9, -]+) \|", text, re.MULTILINE)
        for kind in row.split(",")
    }
    assert described - {"kind"} == {kind.partition(":")[2] or kind for kind in LOADERS}
