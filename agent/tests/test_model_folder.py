"""model_info.json as the scaffold writes it, and as damage leaves it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_agent.errors import ConfigError, FolderError
from llm_agent.runtime import settings
from llm_agent.runtime.config import Config
from llm_agent.runtime.launch import engine_argv
from llm_agent.runtime.model_folder import read_model_folder

LAUNCH: dict[str, Any] = {
    "engine": "llama.cpp", "bind": "unix", "argv": [], "environment": {"A": "1"},
    "routes": ["POST /v1/chat/completions"], "ready_timeout_seconds": 60,
    "weights": "model/x.gguf", "loader": "", "kind": "llm", "name": "org/x", "context": 2048,
    "parallel": 2, "threads": 1,
}  # fmt: skip


def write(folder: Path, info: Any = None, **launch: Any) -> Path:
    (folder / "model").mkdir(exist_ok=True)
    (folder / "model/x.gguf").write_bytes(b"GGUF")
    whole = {"schema": 1, "name": "org/x", "profile": {}, "launch": {**LAUNCH, **launch}}
    text = info if isinstance(info, bytes) else json.dumps(whole if info is None else info).encode()
    (folder / "model_info.json").write_bytes(text)
    return folder


def test_a_folder_is_read(tmp_path: Path) -> None:
    folder = read_model_folder(write(tmp_path))
    assert folder.launch.name == "org/x"
    assert folder.launch.context == 2048
    assert folder.launch.environment == {"A": "1"}
    assert folder.weights == tmp_path / "model/x.gguf"


@pytest.mark.parametrize(
    ("info", "says"),
    [
        (b"", "not JSON"),
        (b"[" * 1_000_000, "not JSON"),
        (b"[]", "object"),
        (b"{}", "schema"),
        ({"schema": 7}, "schema 7"),
        ({"schema": 1}, "no launch"),
        ({"schema": 1, "launch": {"kind": "llm", "name": "x"}}, "launch.engine"),
    ],
)
def test_damage_is_named(tmp_path: Path, info: Any, says: str) -> None:
    with pytest.raises(FolderError, match=says) as caught:
        read_model_folder(write(tmp_path, info))
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("launch", "says"),
    [
        ({"context": "many"}, "launch.context"),
        ({"parallel": True}, "launch.parallel"),
        ({"argv": "rm"}, "launch.argv"),
        ({"weights": "../../etc"}, "out of the folder"),
        ({"weights": "/etc/passwd"}, "out of the folder"),
        ({"weights": "model/gone.gguf"}, "not there"),
    ],
)
def test_a_wrong_launch_is_named(tmp_path: Path, launch: dict[str, Any], says: str) -> None:
    with pytest.raises(FolderError, match=says):
        read_model_folder(write(tmp_path, **launch))


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="No such file"):
        read_model_folder(tmp_path / "gone")


def test_placeholders_are_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMD_THREADS", "1")
    spaced = tmp_path / "a folder {name}"
    spaced.mkdir()
    argv = ["{python}", "-m", "x", "{weights}", "{socket}", "{name}", "{context}/{parallel}",
            "{threads}"]  # fmt: skip
    folder = read_model_folder(write(spaced, argv=argv))
    filled = engine_argv(folder, Config(context=512), socket="/run/a.sock")
    assert filled[3:] == [str(spaced / "model/x.gguf"), "/run/a.sock", "org/x", "512/2", "1"]
    assert filled[0].endswith("python") or "python" in filled[0]


def test_an_unknown_placeholder_is_an_error(tmp_path: Path) -> None:
    folder = read_model_folder(write(tmp_path, argv=["{python}", "{secret}"]))
    with pytest.raises(FolderError, match="secret"):
        engine_argv(folder, Config())


def test_an_engines_options_become_arguments(tmp_path: Path) -> None:
    folder = read_model_folder(write(tmp_path, argv=["{python}"]))
    argv = engine_argv(folder, Config(options={"gpu_layers": 0, "cache_type": "q8_0"}))
    assert argv[1:] == ["--gpu-layers", "0", "--cache-type", "q8_0"]
    for wrong in ({"gpu_layers": "all"}, {"cache_type": "f8"}, {"model": "/etc/passwd"}):
        with pytest.raises(ConfigError, match=r"options\."):
            engine_argv(folder, Config(options=wrong))


def test_threads_come_from_config_then_daemon_then_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    folder = read_model_folder(write(tmp_path, threads=2))
    assert settings.threads(folder, Config()) == 2
    monkeypatch.setenv("LLMD_THREADS", "4")
    assert settings.threads(folder, Config()) == 4
    assert settings.threads(folder, Config(threads=6)) == 6
    assert settings.threads(folder, Config(threads=99)) == 8


def test_options_are_an_allow_list(tmp_path: Path) -> None:
    folder = read_model_folder(write(tmp_path))
    right = Config(options={"attention": "eager", "waiting": 3})
    assert settings.loader_settings(folder, right).limits.waiting == 3
    for wrong in ({"attn": "eager"}, {"attention": "magic"}, {"trust_remote_code": "yes"}):
        with pytest.raises(ConfigError, match=r"options\."):
            settings.loader_settings(folder, Config(options=wrong))
