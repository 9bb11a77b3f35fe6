"""What llmd itself costs: start, idle memory, stop, and what its gateway adds to a small request.

    daemon.py [--starts 10] [--requests 300] [--json FILE]

The request is one token of SmolLM2 135M (GGUF, llama.cpp), sent through the gateway and to the
model server's own socket in turn, over connections that stay open; medians, and their ratio. The
programs are found as in the end-to-end tests (LLMD_BIN_DIR). Linux only: memory is read in /proc.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "support"), str(HERE.parents[1] / "support" / "py")]

from llmd_harness import Daemon  # noqa: E402
from models import catalogue  # noqa: E402

MODEL = "smollm2-gguf"
UNREACHABLE = "http://127.0.0.1:9"  # no Hub is asked: the model is a folder
SETTLED = 1.0  # seconds after the start until its memory is read


class UnixConnection(http.client.HTTPConnection):
    """HTTP/1.1 over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def resident(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/{pid}/status has no {field}")


def median_ms(seconds: list[float]) -> float:
    return round(1000 * statistics.median(seconds), 2)


def measure_starts(folder: Path, count: int) -> dict[str, float]:
    starts, stops, memory, anonymous = [], [], [], []
    for number in range(count):
        daemon = Daemon(folder / f"home{number}", UNREACHABLE)
        began = time.perf_counter()
        daemon.start()
        starts.append(time.perf_counter() - began)
        time.sleep(SETTLED)
        memory.append(resident(daemon.pid, "VmRSS"))
        anonymous.append(resident(daemon.pid, "RssAnon"))
        began = time.perf_counter()
        daemon.terminate()
        stops.append(time.perf_counter() - began)
    return {
        "start_ms": median_ms(starts),
        "stop_ms": median_ms(stops),
        "idle_mib": round(statistics.median(memory) / 2**20, 1),
        "idle_private_mib": round(statistics.median(anonymous) / 2**20, 1),
    }


def one_request(connection: http.client.HTTPConnection, body: bytes) -> float:
    began = time.perf_counter()
    connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status == 200, said
    return time.perf_counter() - began


def measure_requests(folder: Path, count: int) -> dict[str, float]:
    weights = catalogue.make(MODEL, folder / "model")
    daemon = Daemon(folder / "home", UNREACHABLE).start()
    try:
        daemon.llmctl.install(str(weights))
        name = next(iter(daemon.llmctl.models()))
        daemon.llmctl("start", name, "--json").ok()
        folder_name = name.replace("/", "_")
        info = json.loads((daemon.home / "models" / folder_name / "model_info.json").read_text())
        endpoint = daemon.llmctl.servers()[name]["endpoint"]
        there = urlsplit(daemon.url)
        gateway = http.client.HTTPConnection(there.hostname or "", there.port)
        server = UnixConnection(endpoint.removeprefix("unix://"))
        question = {"prompt": "Hi", "max_tokens": 1, "temperature": 0}
        through = json.dumps({**question, "model": name}).encode()
        direct = json.dumps({**question, "model": info["name"]}).encode()
        times: dict[str, list[float]] = {"gateway": [], "direct": []}
        for number in range(count + 10):
            for way, connection, body in (
                ("gateway", gateway, through),
                ("direct", server, direct),
            ):
                took = one_request(connection, body)
                if number >= 10:  # both are warm
                    times[way].append(took)
    finally:
        daemon.shutdown()
    medians = {way: statistics.median(all_) for way, all_ in times.items()}
    return {
        "gateway_ms": round(1000 * medians["gateway"], 2),
        "direct_ms": round(1000 * medians["direct"], 2),
        "ratio": round(medians["gateway"] / medians["direct"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llmd-bench-") as name:
        folder = Path(name)
        result = {
            **measure_starts(folder, args.starts),
            **measure_requests(folder, args.requests),
        }
    for key, value in result.items():
        print(f"{key:<18}{value:>10}")
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
