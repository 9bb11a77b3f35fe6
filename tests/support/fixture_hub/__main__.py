"""`python3 tests/support/fixture_hub ROOT` prints one line of JSON, then serves."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

if not __package__:  # run as a folder: the package is this folder
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from fixture_hub.server import FixtureHub
from fixture_hub.state import Options


def parse(arguments: list[str] | None = None) -> Options:
    p = argparse.ArgumentParser(prog="fixture_hub", description="A Hugging Face Hub on loopback.")
    p.add_argument("root", type=Path, help="folder with <org>/<name>/ repositories")
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=0, help="0: any free port (printed)")
    p.add_argument("--cdn-port", type=int, default=0)
    p.add_argument("--tokens", default="", help="valid tokens, by commas (none: all are)")
    p.add_argument("--page", type=int, default=1000, help="tree entries a page")
    p.add_argument("--rate", type=float, default=0, help="bytes a second for each connection")
    p.add_argument("--latency", type=float, default=0, help="seconds before each answer")
    p.add_argument("--cdn-latency", type=float, default=0)
    p.add_argument("--url-life", type=int, default=3600, help="seconds a CDN address is valid")
    p.add_argument("--cert", type=Path, help="certificate: both ports speak TLS")
    p.add_argument("--key", type=Path)
    p.add_argument("--resolve-cache", action="store_true", help="small files by a relative 307")
    args = p.parse_args(arguments)
    tokens = tuple(t for t in args.tokens.split(",") if t)
    return Options(**{**vars(args), "tokens": tokens})


def main() -> int:
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, lambda *_: os._exit(0))
    hub = FixtureHub(parse()).start()
    repos = sorted(r.id for r in hub.state.repositories())
    line = {"hub": hub.url, "cdn": hub.cdn_url, "pid": os.getpid(), "repos": repos}
    print(json.dumps(line), flush=True)
    hub.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
