"""Compares the gateway with nginx in front of the same model server, in one run.

    compare.py build/release/bench [--seconds 2] [--rounds 3] [--conns 1,32,256] [--check]

Rounds are interleaved and medians reported: a noisy machine disturbs both alike. CPU is user
and system time of the proxy's processes per request, the figure that other load moves least.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

UNIT_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
BODY = {"model": "m1", "messages": [{"role": "user", "content": "x" * 950}]}
NGINX = """
{user}worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream model {{ server unix:{socket}; keepalive 512; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096; keepalive_requests 1000000;
    location / {{
      proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_read_timeout 1h;
    }}
  }}
}}
"""


@dataclass
class Proxy:
    name: str
    port: int
    process: psutil.Process

    def all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        return sum(p.cpu_times().user + p.cpu_times().system for p in self.all())

    def rss(self) -> int:
        return int(sum(p.memory_info().rss for p in self.all()))


@dataclass
class Run:
    rps: float
    p50: float
    p99: float
    cpu_us: float
    errors: bool


@contextlib.contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5).read()
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"nothing answers on port {port}")
        time.sleep(0.05)


def wrk(proxy: Proxy, conns: int, seconds: int, script: str) -> Run:
    before = proxy.cpu_seconds()
    text = subprocess.run(
        ["wrk", "-t1", f"-c{conns}", f"-d{seconds}s", "--latency", "-s", script,
         f"http://127.0.0.1:{proxy.port}/v1/chat/completions"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    done = int(re.search(r"(\d+) requests in", text)[1])  # type: ignore[index]

    def latency(percent: int) -> float:
        found = re.search(rf"(?m)^ +{percent}% +([\d.]+)(us|ms|s)", text)
        return float(found[1]) * UNIT_MS[found[2]]  # type: ignore[index]

    return Run(
        rps=float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),  # type: ignore[index]
        p50=latency(50),
        p99=latency(99),
        cpu_us=(proxy.cpu_seconds() - before) / max(done, 1) * 1e6,
        errors=bool(re.search(r"Non-2xx|Socket errors", text)),
    )


def compare_requests(proxies: list[Proxy], args: argparse.Namespace, folder: Path) -> list[str]:
    script = folder / "post.lua"
    script.write_text(
        'wrk.method="POST"\nwrk.headers["Content-Type"]="application/json"\n'
        f"wrk.body=[==[{json.dumps(BODY)}]==]\n"
    )
    conns = [int(c) for c in args.conns.split(",")]
    runs: dict[tuple[int, str], list[Run]] = {}
    for _ in range(args.rounds):
        for count in conns:
            for proxy in proxies:
                run = wrk(proxy, count, args.seconds, str(script))
                runs.setdefault((count, proxy.name), []).append(run)
    print(f"{'conns':>5} {'proxy':8} {'req/s':>8} {'ratio':>6} {'p50 ms':>8} {'p99 ms':>8} "
          f"{'cpu us':>7} {'ratio':>6}")  # fmt: skip
    missed = []
    for count in conns:
        base_rps = statistics.median(r.rps for r in runs[(count, "nginx")])
        base_cpu = statistics.median(r.cpu_us for r in runs[(count, "nginx")])
        for proxy in proxies:
            got = runs[(count, proxy.name)]
            rps, p50, p99, cpu = (
                statistics.median(getattr(r, field) for r in got)
                for field in ("rps", "p50", "p99", "cpu_us")
            )
            flag = "  ERRORS" if any(r.errors for r in got) else ""
            print(f"{count:5} {proxy.name:8} {rps:8.0f} {rps / base_rps:6.2f} {p50:8.3f} "
                  f"{p99:8.2f} {cpu:7.1f} {cpu / base_cpu:6.2f}{flag}")  # fmt: skip
            if flag:
                missed.append(f"{proxy.name} had errors at {count} connections")
            if proxy.name == "llmd" and count == 32 and cpu > 1.1 * base_cpu:
                missed.append(f"CPU at {count} connections: {cpu / base_cpu:.2f} x nginx")
            if proxy.name == "llmd" and count >= 32 and rps < 0.8 * base_rps:
                missed.append(f"requests at {count} connections: {rps / base_rps:.2f} x nginx")
    return missed


def load(bench: Path, proxy: Proxy, *flags: str) -> dict[str, object]:
    text = subprocess.run(
        [bench / "sse_load", "--port", str(proxy.port), *flags],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return json.loads(text)  # type: ignore[no-any-return]


def compare_streams(bench: Path, proxies: list[Proxy], streams: int) -> list[str]:
    missed = []
    for proxy in proxies:
        before, cpu = proxy.rss(), proxy.cpu_seconds()
        with running(
            str(bench / "sse_load"), "--port", str(proxy.port), "--streams", str(streams)
        ) as client:
            time.sleep(4)  # in the middle of the run, when all are open
            rss = proxy.rss()
            assert client.stdout
            result = json.loads(client.stdout.read())
        per_stream = (rss - before) / streams
        cpu_event = (proxy.cpu_seconds() - cpu) / max(result["events"], 1) * 1e6
        print(f"{proxy.name}: {result['finished']} of {streams} streams, "
              f"{result['events']} events, "
              f"{result['bad_order']} lost or out of order, delay {result['delay_ms']} ms, "
              f"first {result['first_ms']} ms, {per_stream / 1024:.1f} KiB a stream, "
              f"{cpu_event:.1f} us an event")  # fmt: skip
        if proxy.name == "llmd":
            if result["finished"] != streams or result["bad_order"]:
                missed.append("streams lost events")
            if per_stream > 32 * 1024:
                missed.append(f"{per_stream / 1024:.1f} KiB a stream")
    return missed


def stats(upstream: str) -> dict[str, int]:
    text = subprocess.run(
        ["curl", "-s", "--unix-socket", upstream, "http://x/stats"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return json.loads(text)  # type: ignore[no-any-return]


def compare_aborts(bench: Path, proxies: list[Proxy], upstream: str) -> list[str]:
    missed = []
    for proxy in proxies:
        before = stats(upstream)["cancelled"]
        result = load(bench, proxy, "--streams", "200", "--abort-after", "5")
        time.sleep(0.5)
        after = stats(upstream)
        took = (after["last_cancel_ns"] - int(str(result["last_close_ns"]))) / 1e6
        seen = after["cancelled"] - before
        print(f"{proxy.name}: 200 clients gone, {seen} cancelled, the last after {took:.2f} ms")
        if proxy.name == "llmd" and (seen != 200 or took > 10):
            missed.append(f"{seen} of 200 cancelled, the last after {took:.2f} ms")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bench", type=Path)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--conns", default="1,32,256")
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmd-bench-")))
        os.chmod(folder, 0o755)
        upstream = str(folder / "up.sock")
        stack.enter_context(running(str(args.bench / "fake_upstream"), "--listen", upstream))
        deadline = time.monotonic() + 20
        while not os.path.exists(upstream) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.chmod(upstream, 0o777)
        ports = [free_port(), free_port()]
        config = folder / "nginx.conf"
        user = "user root; " if os.geteuid() == 0 else ""
        config.write_text(NGINX.format(user=user, folder=folder, socket=upstream, port=ports[0]))
        nginx = stack.enter_context(running("nginx", "-c", str(config), "-e", str(folder / "e")))
        ours = stack.enter_context(
            running(str(args.bench / "gateway_alone"), "--listen", f"127.0.0.1:{ports[1]}",
                    "--upstream", upstream)
        )  # fmt: skip
        proxies = [
            Proxy("nginx", ports[0], psutil.Process(nginx.pid)),
            Proxy("llmd", ports[1], psutil.Process(ours.pid)),
        ]
        for proxy in proxies:
            wait_for(proxy.port)
        missed = compare_requests(proxies, args, folder)
        missed += compare_streams(args.bench, proxies, args.streams)
        missed += compare_aborts(args.bench, proxies, upstream)
    for line in missed:
        print(f"missed: {line}")
    return 1 if args.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
