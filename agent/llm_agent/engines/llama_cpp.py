"""llama.cpp: its own server, embedded in this process by xllamacpp.

    python -m llm_agent.engines.llama_cpp --model FILE.gguf --socket PATH --name NAME
        --ctx-size N --parallel N --threads N [--embedding [--pooling mean] | --reranking]

Serves on the Unix socket, tells LLMD_READY_FD when it has produced a token, ends at SIGTERM.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from llm_agent.engines import http_client
from llm_agent.errors import AgentError, LoadError
from llm_agent.runtime.leave import leave
from llm_agent.runtime.logs import setup_logs
from llm_agent.runtime.readiness import Readiness

log = logging.getLogger(__name__)
WARM_UP_SECONDS = 600
CACHE_TYPES = ("f16", "q8_0", "q4_0", "f32", "bf16")
POOLING = ("mean", "cls", "last", "rank")
SPLIT = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf")


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="llm_agent.engines.llama_cpp", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file, or its folder")
    parser.add_argument("--socket", type=Path, required=True, help="must end in .sock")
    parser.add_argument("--name", required=True)
    parser.add_argument("--ctx-size", type=int, default=0, help="of each slot; 0: the model's own")
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--embedding", "--embeddings", action="store_true")
    parser.add_argument("--pooling", choices=POOLING)
    parser.add_argument("--reranking", action="store_true")
    parser.add_argument(
        "--mmproj", type=Path, help="what lets it see pictures; else *mmproj*.gguf beside"
    )
    # options of config.yaml
    parser.add_argument("--gpu-layers", type=int, default=-1, help="-1: as many as fit")
    parser.add_argument("--cache-type", choices=CACHE_TYPES, default="f16")
    parser.add_argument("--flash-attention", choices=("auto", "on", "off"), default="auto")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> NoReturn:
    setup_logs()
    asked = parse(sys.argv[1:] if arguments is None else arguments)
    readiness = Readiness.from_environment()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _on_signal(ended))
    try:
        server = start(asked, readiness)
        warm_up(asked, f"unix://{asked.socket}")
    except AgentError as error:
        readiness.failed(str(error))
        print(f"error: {error}", file=sys.stderr)
        leave(1)
    readiness.ready()
    ended.wait()
    asked.socket.unlink(missing_ok=True)
    # Destroying the server would wait for the answers that are being written: they are cut, and
    # their readers see that, since the bodies do not end as they should.
    leave(0, server)


def _on_signal(ended: threading.Event) -> None:
    if ended.is_set():
        os._exit(1)
    ended.set()


def start(asked: argparse.Namespace, readiness: Readiness) -> Any:
    """The server, listening, with its model loaded. Raises LoadError."""
    if asked.socket.suffix != ".sock":
        raise LoadError(f"the socket's name must end in .sock: {asked.socket}")
    model = model_file(asked.model)
    readiness.loading("importing libraries")
    import xllamacpp

    readiness.loading(f"loading {model.name}")
    asked.socket.unlink(missing_ok=True)
    try:
        server = xllamacpp.Server(parameters(asked, model, xllamacpp))
    except RuntimeError as error:
        raise LoadError(
            f"llama.cpp could not load {model.name}: {error}",
            next_step="the lines above in logs/server.log say why",
        ) from None
    readiness.listening()
    return server


def model_file(path: Path) -> Path:
    """The GGUF itself, or the only one of a folder (of a split model, the first part)."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise LoadError(f"there is no {path}")
    files = sorted(p for p in path.rglob("*.gguf") if "mmproj" not in p.name)
    first = [p for p in files if (m := SPLIT.fullmatch(p.name)) is None or m[2] == "00001"]
    if len(first) != 1:
        names = ", ".join(p.name for p in first[:10]) or "none"
        raise LoadError(f"{path} should hold one GGUF model, it holds: {names}")
    return first[0]


def _projector(model: Path) -> Path | None:
    """What lets the model see pictures lies beside it, as a file of its own."""
    return next(iter(sorted(model.parent.glob("*mmproj*.gguf"))), None)


def parameters(asked: argparse.Namespace, model: Path, xllamacpp: Any) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {asked.name}
    params.hostnames = [str(asked.socket)]
    # llama.cpp divides its context over the slots.
    params.n_ctx = asked.ctx_size * asked.parallel
    params.n_parallel = asked.parallel
    params.fit_params = False  # what was planned is what is used
    params.n_gpu_layers = asked.gpu_layers
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = asked.threads
    params.cors_origins, params.cors_origins_explicit = "", True
    params.ui = False
    params.endpoint_metrics = True
    projector = asked.mmproj or _projector(model)
    if projector is not None and not (asked.embedding or asked.reranking):
        params.mmproj.path = str(projector)
    cache = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{asked.cache_type.upper()}")
    params.cache_type_k = params.cache_type_v = cache
    flash = {"auto": "AUTO", "on": "ENABLED", "off": "DISABLED"}[asked.flash_attention]
    params.flash_attn_type = getattr(
        xllamacpp.llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{flash}"
    )
    set_role(params, asked, xllamacpp)
    return params


def set_role(params: Any, asked: argparse.Namespace, xllamacpp: Any) -> None:
    """A server has one role: it writes text, or makes vectors, or ranks."""
    pooling = xllamacpp.llama_pooling_type
    if asked.reranking:
        params.embedding = True
        params.pooling_type = pooling.LLAMA_POOLING_TYPE_RANK
    elif asked.embedding:
        params.embedding = True
        if asked.pooling:
            params.pooling_type = getattr(pooling, f"LLAMA_POOLING_TYPE_{asked.pooling.upper()}")
    if params.embedding:
        # A whole input must fit into one physical batch.
        params.n_batch = params.n_ubatch = max(params.n_ubatch, asked.ctx_size or 2048)


def warm_up(asked: argparse.Namespace, endpoint: str) -> None:
    """One real token, vector or score. Raises LoadError."""
    body: dict[str, Any]
    if asked.reranking:
        path, body = "/v1/rerank", {"query": "a", "documents": ["a"]}
    elif asked.embedding:
        path, body = "/v1/embeddings", {"input": "Hello"}
    else:
        path, body = "/v1/completions", {"prompt": "Hello", "max_tokens": 1, "temperature": 0}
    status, answer = http_client.call(endpoint, "POST", path, body, timeout=WARM_UP_SECONDS)
    if status != 200:
        fault = answer.get("error", answer) if isinstance(answer, dict) else answer
        raise LoadError(f"the model did not answer its first request: {fault}")


if __name__ == "__main__":
    main()
