"""The real clients, unmodified: huggingface_hub, `hf`, transformers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from fixture_hub.server import FixtureHub
from hub_samples import GOOD, OTHER, SHA, StartHub


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.delenv("HF_TOKEN", raising=False)


def client(hub: FixtureHub, token: str | bool = False) -> HfApi:
    return HfApi(endpoint=hub.url, token=token)


def environment(hub: FixtureHub, home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    return {**kept, "HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}


def same_files(got: Path, want: Path) -> bool:
    names = {p.relative_to(want) for p in want.rglob("*") if p.is_file()}
    names = {n for n in names if n.name not in ("repo.json", ".fixture_sha256.json")}
    return all((got / n).read_bytes() == (want / n).read_bytes() for n in names)


def test_model_info(hub: FixtureHub) -> None:
    info = client(hub).model_info("acme/tiny", files_metadata=True)
    weights = next(s for s in info.siblings or [] if s.rfilename == "model.safetensors")
    assert weights.lfs is not None and len(weights.lfs.sha256) == 64
    assert client(hub).model_info("acme/tiny", revision="v1").sha == SHA
    assert client(hub).model_info("acme/tiny", securityStatus=True).security_repo_status
    assert client(hub).model_info("acme/tiny", expand=["sha"]).siblings is None


@pytest.mark.parametrize("page", [1000, 2])
def test_tree_is_whole_whatever_the_page(start_hub: StartHub, page: int) -> None:
    api = client(start_hub(page=page))
    paths = {entry.path for entry in api.list_repo_tree("acme/tiny", recursive=True)}
    expected = {"README.md", "config.json", "model.safetensors", "onnx", "onnx/model.onnx"}
    assert paths == expected
    assert {e.path for e in api.list_repo_tree("acme/tiny", "onnx")} == {"onnx/model.onnx"}


def test_other_calls(hub: FixtureHub) -> None:
    api = client(hub, GOOD)
    assert [e.path for e in api.get_paths_info("acme/tiny", ["config.json", "none"])] == [
        "config.json"
    ]
    assert {b.name for b in api.list_repo_refs("acme/tiny").branches} == {"main", "v1"}
    assert api.whoami()["name"] == "fixture"
    assert [m.id for m in api.list_models(search="TINY")] == ["acme/tiny"]
    api.auth_check("acme/gated-auto")
    metadata = api.get_safetensors_metadata("acme/tiny")
    assert metadata.parameter_count == {"F32": 750_000}


@pytest.mark.parametrize("resolve_cache", [False, True])
def test_snapshot_download(
    start_hub: StartHub, root: Path, tmp_path: Path, resolve_cache: bool
) -> None:
    hub = start_hub(resolve_cache=resolve_cache)
    got = snapshot_download("acme/tiny", endpoint=hub.url, cache_dir=tmp_path, token=GOOD)
    assert same_files(Path(got), root / "acme/tiny")
    cdn = [e for e in hub.log.exchanges() if e.side == "cdn"]
    assert cdn and all(e.auth is None for e in cdn), "the token followed a redirect"


def test_hf_download(hub: FixtureHub, root: Path, tmp_path: Path) -> None:
    hf = shutil.which("hf", path=str(Path(sys.executable).parent))
    assert hf, "the test environment has no `hf`"
    subprocess.run(
        [hf, "download", "acme/tiny", "--local-dir", str(tmp_path / "out")],
        env=environment(hub, tmp_path), check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert same_files(tmp_path / "out", root / "acme/tiny")


def test_renamed_repository(hub: FixtureHub, tmp_path: Path) -> None:
    assert client(hub).model_info("acme/old-name").id == "acme/tiny"
    got = hf_hub_download("acme/old-name", "config.json", endpoint=hub.url, cache_dir=tmp_path)
    assert "llama" in Path(got).read_text()


def test_transformers_from_pretrained(
    start_hub: StartHub, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """AutoConfig and AutoTokenizer read a repository that they find at HF_ENDPOINT."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, PreTrainedTokenizerFast

    from fixture_hub.state import Options

    root = tmp_path_factory.mktemp("transformers_root")
    folder = root / "acme" / "words"
    words = Tokenizer(models.WordLevel({"<unk>": 0, "hello": 1, "world": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>").save_pretrained(folder)
    LlamaConfig(vocab_size=3, hidden_size=64, architectures=["LlamaForCausalLM"]).save_pretrained(
        folder
    )
    script = (
        "from transformers import AutoConfig, AutoTokenizer\n"
        "config = AutoConfig.from_pretrained('acme/words')\n"
        "tokenizer = AutoTokenizer.from_pretrained('acme/words')\n"
        "print(config.hidden_size, tokenizer('hello world')['input_ids'])\n"
    )
    with FixtureHub(Options(root=root)) as hub:
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment(hub, tmp_path), text=True,
            capture_output=True, timeout=300,
        )  # fmt: skip
    assert done.stdout.split("\n")[0] == "64 [1, 2]", done.stderr


@pytest.mark.parametrize(
    ("repo", "name", "revision", "token", "status", "error"),
    [
        ("acme/none", "config.json", "main", False, 401, RepositoryNotFoundError),
        ("acme/none", "config.json", "main", GOOD, 404, RepositoryNotFoundError),
        ("acme/secret", "config.json", "main", False, 401, RepositoryNotFoundError),
        ("acme/secret", "config.json", "main", OTHER, 404, RepositoryNotFoundError),
        ("acme/gated-auto", "config.json", "main", False, 401, GatedRepoError),
        ("acme/gated-auto", "config.json", "main", OTHER, 403, GatedRepoError),
        ("acme/gated-manual", "config.json", "main", OTHER, 403, GatedRepoError),
        ("acme/tiny", "config.json", "main", "hf_bad", 401, HfHubHTTPError),
        ("acme/tiny", "config.json", "none", False, 404, RevisionNotFoundError),
        ("acme/tiny", "none.json", "main", False, 404, EntryNotFoundError),
        ("acme/disabled", "config.json", "main", False, 403, DisabledRepoError),
    ],
)
def test_typed_errors(
    hub: FixtureHub, tmp_path: Path, repo: str, name: str, revision: str, token: str | bool,
    status: int, error: type[HfHubHTTPError],
) -> None:  # fmt: skip
    api = client(hub, token)
    with pytest.raises(Exception) as caught:
        api.hf_hub_download(repo, name, revision=revision, cache_dir=tmp_path)
    chain: BaseException | None = caught.value
    while chain is not None and not isinstance(chain, HfHubHTTPError):
        chain = chain.__cause__ or chain.__context__
    assert isinstance(chain, error)
    assert chain.response.status_code == status


def test_who_may_read_reads(hub: FixtureHub, tmp_path: Path) -> None:
    for repo in ("acme/secret", "acme/gated-auto", "acme/gated-manual"):
        assert Path(client(hub, GOOD).hf_hub_download(repo, "config.json", cache_dir=tmp_path))


def test_gated_repository_shows_its_info_to_all(hub: FixtureHub) -> None:
    assert client(hub).model_info("acme/gated-manual").gated == "manual"
    assert list(client(hub).list_repo_tree("acme/gated-manual"))
    with pytest.raises(GatedRepoError):
        client(hub).auth_check("acme/gated-manual")
