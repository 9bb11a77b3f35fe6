"""Repositories that cannot be had, or are not what they should be: each a typed error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from fixture_hub.faults import Fault
from helpers import GGUF, HubOf, folder_of, nothing_installed, refused
from llmd_harness import Daemon, closed_port
from llmd_harness.fixtures import StartDaemon

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64,
    "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 600,
}  # fmt: skip


def weights() -> bytes:
    header = {"w": {"dtype": "F32", "shape": [1024], "data_offsets": [0, 4096]}}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(4096)


def repository(**meta: Any) -> dict[str, Any]:
    files: dict[str, Any] = {
        "config.json": LLAMA, "model.safetensors": weights(), "tokenizer.json": "{}"
    }  # fmt: skip
    return {**files, "repo.json": meta} if meta else files


def test_unknown_repository(make_daemon: StartDaemon, hub_of: HubOf) -> None:
    daemon = make_daemon(hub_of({"acme/tiny": repository()}).url).start()
    for command in ("check", "install"):
        result = daemon.llmctl(command, "acme/nothing", "--json")
        refused(result, 5, "repository_not_found", "acme/nothing")
    nothing_installed(daemon, "acme/nothing")
    spoken = daemon.llmctl("check", "acme/nothing")
    assert spoken.exit == 5
    assert "acme/nothing" in spoken.stderr


def test_what_is_no_repository_id(daemon: Daemon) -> None:
    for name in ("acme/../etc", "acme/tiny/more", "../x y", "-x/y"):
        result = daemon.llmctl("check", "--json", "--", name)
        assert result.exit in (2, 5), str(result)


@pytest.mark.parametrize("kind", ["auto", "manual"])
def test_gated_repository(make_daemon: StartDaemon, hub_of: HubOf, kind: str) -> None:
    hub = hub_of(
        {"acme/gated": repository(gated=kind, tokens=["hf_good"])}, tokens=("hf_good", "hf_other")
    )
    daemon = make_daemon(hub.url).start()
    for command in ("check", "install"):
        without = daemon.llmctl(command, "acme/gated", "--json")
        refused(without, 5, "gated_needs_token", "acme/gated")
        bad = daemon.llmctl(command, "acme/gated", "--json", HF_TOKEN="hf_bad")
        refused(bad, 5, "invalid_token")
        stranger = daemon.llmctl(command, "acme/gated", "--json", HF_TOKEN="hf_other")
        refused(stranger, 5, "gated", "acme/gated")
    nothing_installed(daemon, "acme/gated")
    profile = daemon.llmctl("check", "acme/gated", "--json", HF_TOKEN="hf_good").ok().json
    assert profile["gated"] is True
    written = [p for p in daemon.home.rglob("*") if p.is_file() and p.suffix != ".sock"]
    assert not any(b"hf_" + b"good" in p.read_bytes() for p in written), "a token was stored"


def test_no_network(make_daemon: StartDaemon) -> None:
    with closed_port() as port:
        daemon = make_daemon(f"http://127.0.0.1:{port}").start()
        daemon.allow_log("hub")
        for command in ("check", "install"):
            result = daemon.llmctl(command, "acme/tiny", "--json")
            refused(result, 5, "hub_unreachable", f"127.0.0.1:{port}")
        nothing_installed(daemon, "acme/tiny")


def test_corrupt_shard(make_daemon: StartDaemon, hub_root: Path, hub_of: HubOf) -> None:
    gguf = next((hub_root / GGUF).glob("*.gguf"))
    hub = hub_of({"acme/corrupt": {"model.gguf": gguf}})
    hub.faults.replace([Fault(side="cdn", wrong_byte=50_000_000, times=-1)])
    daemon = make_daemon(hub.url).start()
    daemon.allow_log("checksum|sha256|model.gguf|acme/corrupt")
    result = daemon.llmctl("install", "acme/corrupt", "--json")
    error = result.error(7)
    assert error["code"] == "checksum_mismatch", str(result)
    assert "model.gguf" in error["message"]
    nothing_installed(daemon, "acme/corrupt")
    hub.faults.replace([])  # the hub is mended: the same command now succeeds
    daemon.llmctl.install("acme/corrupt")


def test_one_flipped_byte_is_mended_by_itself(
    make_daemon: StartDaemon, hub_root: Path, hub_of: HubOf
) -> None:
    gguf = next((hub_root / GGUF).glob("*.gguf"))
    hub = hub_of({"acme/once": {"model.gguf": gguf}})
    hub.faults.replace([Fault(side="cdn", wrong_byte=50_000_000)])
    daemon = make_daemon(hub.url).start()
    daemon.allow_log("checksum|sha256|model.gguf|acme/once")
    daemon.llmctl.install("acme/once")
    assert daemon.llmctl.models()["acme/once"]["state"] == "installed"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("broken", b'{"model_type": "llama", '),
        ("huge", b'{"model_type": "llama", "x": "' + b"a" * 100_000_000 + b'"}'),
        ("deep", b'{"model_type": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}"),
        ("no-object", b"[1, 2]"),
        ("binary", b"\x00\xff\xfe" * 100),
    ],
    ids=["broken", "huge", "deep", "no-object", "binary"],
)
def test_bad_config_json(make_daemon: StartDaemon, hub_of: HubOf, name: str, text: bytes) -> None:
    repo = f"acme/{name}"
    hub = hub_of({repo: {"config.json": text, "model.safetensors": weights()}})
    daemon = make_daemon(hub.url).start()
    checked = daemon.llmctl("check", repo, "--json")
    assert checked.exit == 4, str(checked)
    said = json.dumps(checked.json.get("error") or checked.json["reasons"])
    assert "config.json" in said, str(checked)
    installed = daemon.llmctl("install", repo, "--json")
    assert installed.error(4)["code"]
    nothing_installed(daemon, repo)
    assert psutil.Process(daemon.pid).memory_info().rss < 400 << 20
    assert daemon.running


@pytest.mark.parametrize(
    "path", ["../escape.json", "a/../../escape.json", "/tmp/llmd-escape.json", "a\\..\\escape.json"]
)
def test_file_name_that_leads_out(make_daemon: StartDaemon, hub_of: HubOf, path: str) -> None:
    virtual = [{"path": path, "content": "{}"}]
    hub = hub_of({"acme/hostile": repository(virtual=virtual)})
    daemon = make_daemon(hub.url).start()
    daemon.allow_log("acme/hostile|unsafe|escape")
    result = daemon.llmctl("install", "acme/hostile", "--json")
    error = result.error(result.exit)
    assert result.exit != 0
    assert error["code"] in ("unsafe_path", "not_a_model"), str(result)
    assert "escape" in error["message"]
    nothing_installed(daemon, "acme/hostile")
    assert not list(daemon.home.parent.rglob("*escape*"))
    assert not Path("/tmp/llmd-escape.json").exists()


def test_not_a_model(make_daemon: StartDaemon, hub_of: HubOf) -> None:
    hub = hub_of({"acme/data": {"README.md": b"# nothing here\n", "table.csv": b"1,2\n"}})
    daemon = make_daemon(hub.url).start()
    checked = daemon.llmctl("check", "acme/data", "--json")
    assert checked.exit == 4, str(checked)
    assert checked.json["kind"] == "unsupported"
    assert checked.json["reasons"]
    installed = daemon.llmctl("install", "acme/data", "--json")
    assert installed.error(4)["code"] == "not_a_model"
    nothing_installed(daemon, "acme/data")


def test_disabled_and_moved_repositories(make_daemon: StartDaemon, hub_of: HubOf) -> None:
    hub = hub_of(
        {"acme/off": repository(disabled=True), "acme/new": repository(renamed_from=["acme/old"])}
    )
    daemon = make_daemon(hub.url).start()
    refused(daemon.llmctl("check", "acme/off", "--json"), 5, "repository_disabled", "acme/off")
    assert daemon.llmctl("check", "acme/old", "--json").json["model_type"] == "llama"


def test_revision_that_is_not_there(make_daemon: StartDaemon, hub_of: HubOf) -> None:
    daemon = make_daemon(hub_of({"acme/tiny": repository()}).url).start()
    result = daemon.llmctl("check", "acme/tiny", "--revision", "v9", "--json")
    refused(result, 5, "revision_not_found", "v9")


def test_hub_that_is_busy_is_waited_for(make_daemon: StartDaemon, hub_of: HubOf) -> None:
    hub = hub_of({"acme/tiny": repository()})
    hub.faults.replace([Fault(side="hub", rate_limit=1), Fault(side="hub", status=503)])
    daemon = make_daemon(hub.url).start()
    daemon.allow_log("hub")
    assert daemon.llmctl("check", "acme/tiny", "--json").json["model_type"] == "llama"


def test_a_token_never_follows_a_redirect(make_daemon: StartDaemon, hub_of: HubOf) -> None:
    hub = hub_of({"acme/tiny": repository()}, tokens=("hf_good",))
    other = hub_of({"acme/tiny": repository()})
    foreign = f"{other.url}/acme/tiny/resolve/main/model.safetensors"
    hub.faults.replace([Fault(side="hub", match="safetensors", location=foreign, times=-1)])
    daemon = make_daemon(hub.url).start()
    daemon.allow_log("redirect|acme/tiny")
    daemon.llmctl("check", "acme/tiny", "--json", HF_TOKEN="hf_good")
    assert any(e.auth == "Bearer hf_good" for e in hub.log.exchanges())
    assert all(e.auth is None for h in (hub, other) for e in h.log.exchanges() if h is other)
    assert not folder_of(daemon, "acme/tiny").exists()
