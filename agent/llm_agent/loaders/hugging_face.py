"""What loaders that stand on transformers have in common: device, dtype, the model's class."""

from __future__ import annotations

import logging
from typing import Any

import torch
import transformers
from transformers import StoppingCriteria, StoppingCriteriaList

from llm_agent.errors import LoadError
from llm_agent.loaders.base import Settings, Tell
from llm_agent.runtime.cancellation import Cancellation

log = logging.getLogger(__name__)


def pick_device(settings: Settings) -> str:
    if settings.device is not None:
        return settings.device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def pick_dtype(settings: Settings) -> Any:
    """The file's own dtype, unless the configuration says another."""
    return getattr(torch, settings.dtype) if settings.dtype else "auto"


def prepare(settings: Settings) -> str:
    """Threads and quiet libraries; returns the device."""
    torch.set_num_threads(settings.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return pick_device(settings)


def source_options(settings: Settings) -> dict[str, Any]:
    """For every from_pretrained: this folder alone, and no foreign code unless a person says so."""
    return {
        "local_files_only": True,
        "trust_remote_code": bool(settings.options.get("trust_remote_code", False)),
    }


def load_model(settings: Settings, auto_class: str, tell: Tell, **more: Any) -> Any:
    """The model, on its device, ready to be asked. `auto_class` is used when none is named."""
    device = prepare(settings)
    cls = model_class(settings, auto_class)
    tell(f"loading weights with {cls.__name__} on {device}")
    options = {**source_options(settings), "dtype": pick_dtype(settings), **more}
    if attention := settings.options.get("attention"):
        options["attn_implementation"] = attention
    if quantization := _quantization(settings):
        options["quantization_config"] = quantization
    if device != "cpu":
        options["device_map"] = "auto" if device == "cuda" else device
    model = cls.from_pretrained(settings.weights, **options).eval()
    if device == "cpu" and model.dtype == torch.float16 and not quantization:
        # Half precision is slow or missing in many CPU kernels; bfloat16 has the same size.
        model = model.to(torch.bfloat16)
    return model


def model_class(settings: Settings, auto_class: str) -> Any:
    """The class that the profile names when transformers has it, else `auto_class`."""
    for name in (settings.loader, auto_class):
        if name and not name.startswith("_") and hasattr(transformers, name):
            return getattr(transformers, name)
    raise LoadError(
        f"transformers {transformers.__version__} has no {auto_class}",
        next_step="llmctl upgrade the model's environment",
    )


def _quantization(settings: Settings) -> Any:
    wish = settings.quantization
    if wish in ("4bit", "bnb-4bit"):
        return transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16
        )
    if wish in ("8bit", "bnb-8bit"):
        return transformers.BitsAndBytesConfig(load_in_8bit=True)
    return None  # what the files carry, transformers sees for itself


class _Cancelled(StoppingCriteria):  # type: ignore[misc]
    def __init__(self, cancellation: Cancellation) -> None:
        self._cancellation = cancellation

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        done = self._cancellation.cancelled
        return torch.full((input_ids.shape[0],), done, device=input_ids.device)


def until(cancellation: Cancellation) -> Any:
    """For `generate`: ends it at the next token when the request is cancelled."""
    return StoppingCriteriaList([_Cancelled(cancellation)])


def model_facts(model: Any) -> dict[str, Any]:
    return {
        "class": type(model).__name__,
        "device": str(model.device),
        "dtype": str(model.dtype).removeprefix("torch."),
        "parameters": model.num_parameters(),
        "memory_bytes": model.get_memory_footprint(),
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }


def context_length(settings: Settings, model: Any) -> int:
    """The configured context, at most what the model was made for."""
    config = model.config.get_text_config()
    own = 0
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        own = int(getattr(config, name, 0) or 0)
        if own:
            break
    wanted = settings.context or own or 4096
    return min(wanted, own) if own else wanted
