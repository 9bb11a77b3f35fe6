"""Which models there are, and where a finished one is kept."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from . import real, tiny, tiny_audio, tiny_diffusion, tiny_multimodal, tiny_text, tiny_vision
from .folder import link_tree

CACHE_ENV = "LLMD_TEST_CACHE"


@dataclass(frozen=True)
class Model:
    name: str
    repo_id: str  # the Hub repository that the folder stands for
    licence: str
    make: Callable[[Path], None]
    version: int = 1  # raise it when `make` changes: a cached folder is then made anew
    slow: bool = False  # worth keeping between runs


# name -> what makes it; each stands for the repository tiny/<name>
TINY: dict[str, Callable[[Path], None]] = {
    "llama": tiny.tiny_llama,
    "embedding": tiny.tiny_embedding,
    "text-classification": tiny_text.text_classification,
    "token-classification": tiny_text.token_classification,
    "fill-mask": tiny_text.fill_mask,
    "question-answering": tiny_text.question_answering,
    "reranker": tiny_text.cross_encoder,
    "causal-reranker": tiny_text.causal_reranker,
    "t5": tiny_text.t5,
    "bart": tiny_text.bart,
    "image-classification": tiny_vision.image_classification,
    "image-feature": tiny_vision.image_feature,
    "zero-shot-image": tiny_vision.zero_shot_image,
    "detr": tiny_vision.detr,
    "yolos": tiny_vision.yolos,
    "segmentation": tiny_vision.segmentation,
    "depth": tiny_vision.depth,
    "video-classification": tiny_vision.video_classification,
    "image-to-image": tiny_vision.image_to_image,
    "timm": tiny_vision.timm_classifier,
    "whisper": tiny_audio.whisper,
    "ctc": tiny_audio.ctc,
    "audio-classification": tiny_audio.audio_classification,
    "vits": tiny_audio.vits,
    "musicgen": tiny_audio.musicgen,
    "llava": tiny_multimodal.llava,
    "qwen2-vl": tiny_multimodal.qwen2_vl,
    "janus": tiny_multimodal.janus,
    "stable-diffusion": tiny_diffusion.stable_diffusion,
    "flux": tiny_diffusion.flux,
    "controlnet": tiny_diffusion.controlnet,
    "wan": tiny_diffusion.wan,
}

CATALOGUE = {
    model.name: model
    for model in (
        Model("smollm2-gguf", f"{real.SMOLLM2}-GGUF", "apache-2.0", real.smollm2_gguf),
        Model("smollm2", real.SMOLLM2, "apache-2.0", real.smollm2, slow=True),
        Model("minilm", "sentence-transformers/all-MiniLM-L6-v2", "apache-2.0", real.minilm),
        Model("tiny-gguf", "tiny/llama-GGUF", "apache-2.0", tiny.tiny_gguf, 2, True),
        *(
            Model(f"tiny-{name}", f"tiny/{name}", "apache-2.0", make, 3, True)
            for name, make in TINY.items()
        ),
    )
}


def cache_folder() -> Path:
    """$LLMD_TEST_CACHE, else llmd-tests in the user's cache."""
    if named := os.environ.get(CACHE_ENV):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "llmd-tests"


def find(name: str) -> Model:
    if name not in CATALOGUE:
        raise KeyError(f"no model {name!r}; there are {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def make(name: str, out: Path, cache: Path | None = None) -> Path:
    """Writes the model into `out` (replaced if there); slow ones come from the cache."""
    model = find(name)
    source = cached(model, cache or cache_folder()) if model.slow else None
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    if source is None:
        model.make(out)
    else:
        link_tree(source, out)
    return out


def cached(model: Model, cache: Path) -> Path:
    """The model's folder in the cache, made when it is not there. Safe beside other runs."""
    kept = cache / "models" / f"{model.name}-{model.version}"
    if kept.is_dir():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{model.name}-", dir=kept.parent))
    try:
        partial.chmod(0o755)
        model.make(partial)
        for file in partial.rglob("*.safetensors"):
            file.chmod(0o644)  # save_pretrained writes them for the owner alone
        partial.rename(kept)
    except OSError:
        if not kept.is_dir():  # else another run was first, and its folder is as good
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return kept


def make_hub_root(root: Path, names: Iterable[str], cache: Path | None = None) -> Path:
    """Lays models out as `<root>/<org>/<name>/`, as the fixture hub wants them."""
    for name in names:
        make(name, root / find(name).repo_id, cache)
    return root
