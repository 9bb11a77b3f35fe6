"""Compares what `check` says a model takes in memory with what its server takes at most.

    estimate.py [--models smollm2-gguf,smollm2,minilm] [--context 2048] [--json FILE]

For each model: made as a folder, installed, started by llmd, given as much as the plan allows at
once (every slot a prompt that nearly fills its context; a full batch of long texts), then the peak
of the server's resident memory is read. The programs are found as in the end-to-end tests
(LLMD_BIN_DIR). Linux only: the peak is the kernel's own (VmHWM).
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import sys
import tempfile
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "support"), str(HERE.parents[1] / "support" / "py")]

from llmd_harness import Daemon  # noqa: E402
from models import catalogue  # noqa: E402

WORDS = "The harbour was quiet and the lights went out one after the other along the pier. "
TOKENS_OF_WORDS = 17
LIMIT = 1800  # seconds for one request
UNREACHABLE = "http://127.0.0.1:9"  # no Hub is asked: the models are folders


@dataclass(frozen=True)
class Row:
    model: str
    engine: str
    context: int
    parallel: int
    weights: int
    estimate: int
    at_rest: int
    peak: int

    @property
    def ratio(self) -> float:
        return self.estimate / self.peak


def memory_of(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/{pid}/status has no {field}")


def text_of(tokens: int) -> str:
    return WORDS * max(tokens // TOKENS_OF_WORDS, 1)


def requests_for(launch: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """As much work at once as the plan allows."""
    context, parallel = launch["context"], launch["parallel"]
    if launch["kind"] in ("llm", "vlm", "seq2seq", "multimodal-any"):
        body = {"prompt": text_of(context * 9 // 10 - 16), "max_tokens": 16, "temperature": 0}
        return [("/v1/completions", body)] * parallel
    if launch["kind"] == "embedding":
        return [("/v1/embeddings", {"input": [text_of(context * 9 // 10)] * 32, "truncate": True})]
    if launch["kind"] == "reranker":
        documents = [text_of(context // 2)] * 16
        return [("/v1/rerank", {"query": "lights", "documents": documents})]
    if launch["kind"] in ("text-classification", "token-classification"):
        return [("/v1/classify", {"input": [text_of(min(context or 64, 400))] * 8})]
    return []  # what the warm-up took is all that is measured


def ask(daemon: Daemon, route: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(
        daemon.url + route, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:  # raises on any error status
        answer.read()


def measure(daemon: Daemon, name: str, folder: Path, context: int) -> Row:
    model = f"bench/{name}"
    own = daemon.llmctl("check", str(folder), "--json").ok().json["context_length"]
    wish = ["--context", str(min(context, own))] if context and own else []
    profile = daemon.llmctl("check", str(folder), *wish, "--json").ok().json
    daemon.llmctl.install(str(folder), "--name", model, *wish)
    info = json.loads((daemon.home / "models" / f"bench_{name}" / "model_info.json").read_text())
    launch = info["launch"]
    daemon.llmctl("start", model, "--json").ok()
    pid = daemon.llmctl.servers()[model]["pid"]
    at_rest = memory_of(pid, "VmRSS")
    work = requests_for(launch)
    with concurrent.futures.ThreadPoolExecutor(max(len(work), 1)) as pool:
        list(pool.map(lambda one: ask(daemon, one[0], {"model": model, **one[1]}), work))
    peak = memory_of(pid, "VmHWM")
    daemon.llmctl("stop", model, "--json").ok()
    return Row(
        name, launch["engine"], launch["context"], launch["parallel"],
        profile["memory"]["weights_bytes"], profile["memory"]["required_bytes"], at_rest, peak,
    )  # fmt: skip


def table(rows: list[Row]) -> str:
    mib = 1 << 20
    lines = [
        "| model | engine | context x slots | weights | estimate | at rest | peak | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.model} | {r.engine} | {r.context} x {r.parallel} | {r.weights // mib} | "
        f"{r.estimate // mib} | {r.at_rest // mib} | {r.peak // mib} | {r.ratio:.2f} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n\nMiB."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="smollm2-gguf,smollm2,minilm")
    parser.add_argument("--context", type=int, default=2048, help="0: what the plan chooses")
    parser.add_argument("--json", type=Path, help="also write the rows there")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="llmd-estimate-") as scratch:
        daemon = Daemon(Path(scratch) / "home", UNREACHABLE).start()
        try:
            for name in asked.models.split(","):
                folder = catalogue.make(name, Path(scratch) / name)
                rows.append(measure(daemon, name, folder, asked.context))
                print(f"{name}: done", file=sys.stderr)
        finally:
            daemon.shutdown()
    print(table(rows))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
