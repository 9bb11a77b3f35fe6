"""config.yaml: strict, with the place of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_agent.errors import ConfigError
from llm_agent.runtime.config import KEYS, Config, read_config


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_no_file_and_an_empty_file_are_all_auto(tmp_path: Path) -> None:
    assert read_config(tmp_path / "config.yaml") == Config()
    assert read_config(write(tmp_path, "")) == Config()
    assert read_config(write(tmp_path, "# nothing\n")) == Config()


def test_every_key_may_be_auto(tmp_path: Path) -> None:
    text = "schema: 1\n" + "".join(f"{key}: auto\n" for key in KEYS)
    assert read_config(write(tmp_path, text)) == Config()


def test_values_are_read(tmp_path: Path) -> None:
    text = (
        "schema: 1\ncontext: 4096\nparallel: 2\nthreads: 3\ndevice: cuda:1\ndtype: bfloat16\n"
        "memory_limit: 1.5GiB\nidle: 10m\noptions:\n  attention: eager\n"
    )
    assert read_config(write(tmp_path, text)) == Config(
        context=4096, parallel=2, threads=3, device="cuda:1", dtype="bfloat16",
        memory_limit=3 * 2**29, idle="10m", options={"attention": "eager"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("schema: 1\ncontxt: 5\n", 2, "contxt"),
        ("context: many\n", 1, "whole number"),
        ("context: -1\n", 1, "whole number"),
        ("context: true\n", 1, "whole number"),
        ("\n\nparallel: 0\n", 3, "whole number"),
        ("device: gpu\n", 1, "cuda"),
        ("dtype: int3\n", 1, "float32"),
        ("memory_limit: lots\n", 1, "8GiB"),
        ("idle: soon\n", 1, "10m"),
        ("options: 5\n", 1, "options"),
        ("context: 1\ncontext: 2\n", 2, "twice"),
        ("- a\n- b\n", 1, "key: value"),
        ("schema: 2\n", 1, "schema"),
        ("a: [1\n", 2, "expected"),
        ("engine: !!python/object/apply:os.system ['true']\n", 1, "engine"),
        ("engine: {a: b}\n", 1, "word"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(write(tmp_path, text))
    assert f"config.yaml:{line}: " in caught.value.message
    assert says in caught.value.message
    assert caught.value.code == "config_invalid"


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x00", b"a: " + b"[" * 100_000])
def test_bytes_that_are_no_yaml(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ConfigError):
        read_config(write(tmp_path, data))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="larger"):
        read_config(write(tmp_path, "# " + "x" * (1 << 20)))
