"""`python -m models OUT NAME...`: makes model folders for tests."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

if not __package__:  # run as a folder: the package is this folder
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from models.catalogue import CATALOGUE, make, make_hub_root
from models.folder import size_of


def main() -> int:
    p = argparse.ArgumentParser(prog="models", description="Small models for tests.")
    p.add_argument("out", type=Path, nargs="?", help="each model gets a folder in here")
    p.add_argument("names", nargs="*", metavar="NAME", help="see --list")
    p.add_argument("--hub-root", action="store_true", help="lay them out as OUT/<org>/<name>/")
    p.add_argument("--cache", type=Path, help="where slow models are kept ($LLMD_TEST_CACHE)")
    p.add_argument("--list", action="store_true", help="the models there are")
    args = p.parse_args()
    if args.list:
        for model in CATALOGUE.values():
            print(f"{model.name:16} {model.repo_id:45} {model.licence}")
        return 0
    unknown = [name for name in args.names if name not in CATALOGUE]
    if args.out is None or not args.names or unknown:
        p.error(f"no such model: {', '.join(unknown)}" if unknown else "give OUT and a NAME")
    os.environ["HF_HUB_OFFLINE"] = "1"  # whatever is made here is made from packages alone
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for name in args.names:
        began = time.monotonic()
        folder = args.out / (CATALOGUE[name].repo_id if args.hub_root else name)
        if args.hub_root:
            make_hub_root(args.out, [name], args.cache)
        else:
            make(name, folder, args.cache)
        print(f"{folder}  {size_of(folder)} bytes  {time.monotonic() - began:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
