"""Repositories: folders on disk and virtual files, seen as the Hub's API shows them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from .card import card_tags, read_card
from .failure import Failure

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
WEIGHTS = (".bin", ".gguf", ".safetensors", ".pt", ".pth", ".onnx")
LFS_OVER = 10_000_000  # git files above this are always LFS on the Hub
META = "repo.json"
HASHES = ".fixture_sha256.json"
LONG_AGO = "2026-01-01T00:00:00.000Z"


class Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class RepoFile:
    """One entry: on disk, or virtual (given content, a real head and zeros, or only listed)."""

    def __init__(
        self, path: str, disk: Path | None, spec: dict[str, Any], lfs_over: int, sha256: str = ""
    ) -> None:
        self.path = path
        self.disk = disk
        self.content = str(spec["content"]).encode() if "content" in spec else b""
        have = disk.stat().st_size if disk else len(self.content)
        self.size = int(spec.get("size", have))
        self.padded = self.size > have
        self.readable = not self.padded or spec.get("fill") == "zero"
        known = str(spec.get("sha256", "")) or sha256
        self.sha256 = known or (self._digest(hashlib.sha256()) if self.readable else "0" * 64)
        self.lfs = bool(spec.get("lfs", self.size >= lfs_over or path.endswith(WEIGHTS)))
        self.pointer = POINTER.format(self.sha256, self.size).encode()
        self.oid = str(spec.get("oid", "")) or self._git_oid()

    def _git_oid(self) -> str:
        if self.lfs:
            return hashlib.sha1(b"blob %d\0" % len(self.pointer) + self.pointer).hexdigest()
        return self._digest(hashlib.sha1(b"blob %d\0" % self.size))

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid

    @property
    def cdn_etag(self) -> str:
        """The CDN's ETag is not the file's sha256: a client that trusts it is caught."""
        return hashlib.sha256(b"cdn" + self.sha256.encode()).hexdigest()

    def _digest(self, hasher: Hasher) -> str:
        for piece in self.read(0, self.size):
            hasher.update(piece)
        return hasher.hexdigest()

    def read(self, start: int, end: int, step: int = 1 << 20) -> Iterator[bytes]:
        """Bytes [start, end) in pieces; zeros where the file is longer than what it holds."""
        if self.disk is None:
            for at in range(start, end, step):
                n = min(step, end - at)
                yield self.content[at : at + n].ljust(n, b"\0")
            return
        with self.disk.open("rb") as source:
            for at in range(start, end, step):
                n = min(step, end - at)
                source.seek(at)
                yield source.read(n).ljust(n, b"\0")

    def tree_entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "type": "file", "oid": self.oid, "size": self.size, "path": self.path,
        }  # fmt: skip
        if self.lfs:
            entry["lfs"] = {
                "oid": self.sha256, "size": self.size, "pointerSize": len(self.pointer),
            }  # fmt: skip
        return entry

    def sibling(self, blobs: bool) -> dict[str, Any]:
        """As model info lists it: the sha256 is `lfs.sha256` here, not `lfs.oid` as in the tree."""
        entry: dict[str, Any] = {"rfilename": self.path}
        if blobs:
            entry.update(size=self.size, blobId=self.oid)
            if self.lfs:
                entry["lfs"] = {
                    "sha256": self.sha256, "size": self.size, "pointerSize": len(self.pointer),
                }  # fmt: skip
        return entry


class Repository:
    """A model repository at one moment; POST /_fixture/reload reads the folder again."""

    def __init__(self, folder: Path, repo_id: str) -> None:
        meta = folder / META
        self.id = repo_id
        self.meta: dict[str, Any] = json.loads(meta.read_text()) if meta.exists() else {}
        readme = folder / "README.md"
        self.card = read_card(readme.read_text(errors="replace")) if readme.exists() else {}
        self.files = {f.path: f for f in sorted(self._load(folder), key=lambda f: f.path)}
        body = "\n".join(f"{f.path} {f.etag}" for f in self.files.values())
        sha = self.meta.get("sha") or hashlib.sha1((repo_id + body).encode()).hexdigest()
        self.refs: dict[str, str] = {"main": sha, **self.meta.get("refs", {})}

    @property
    def gated(self) -> Any:
        return self.meta.get("gated", False)

    def _load(self, folder: Path) -> Iterator[RepoFile]:
        memo = folder / HASHES
        lfs_over = int(self.meta.get("lfs_over", LFS_OVER))
        known: dict[str, str] = json.loads(memo.read_text()) if memo.exists() else {}
        fresh: dict[str, str] = {}
        for disk in sorted(p for p in folder.rglob("*") if p.is_file()):
            path, st = disk.relative_to(folder).as_posix(), disk.stat()
            if path in (META, HASHES):
                continue
            key = f"{path}:{st.st_size}:{st.st_mtime_ns}"
            file = RepoFile(path, disk, {}, lfs_over, known.get(key, ""))
            fresh[key] = file.sha256
            yield file
        if fresh != known:
            _remember(memo, fresh)
        for spec in self.meta.get("virtual", []):
            head = folder / spec["head"] if "head" in spec else None
            yield RepoFile(spec["path"], head, spec, lfs_over)

    def commit(self, revision: str) -> str:
        commit = self.refs.get(revision, revision)
        if commit not in self.refs.values():
            raise Failure(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def tree(self, folder: str = "", recursive: bool = True) -> list[dict[str, Any]]:
        base = folder + "/" if folder else ""
        out: dict[str, dict[str, Any]] = {}
        for file in self.files.values():
            if not file.path.startswith(base):
                continue
            parts = file.path[len(base) :].split("/")
            for depth in range(1, len(parts) if recursive else min(2, len(parts))):
                path = base + "/".join(parts[:depth])
                oid = hashlib.sha1(path.encode()).hexdigest()
                out[path] = {"type": "directory", "oid": oid, "size": 0, "path": path}
            if recursive or len(parts) == 1:
                out[file.path] = file.tree_entry()
        if base and not out:
            raise Failure(404, "EntryNotFound", f"{folder} does not exist")
        return list(out.values())

    def info(self, blobs: bool = False, expand: list[str] | None = None) -> dict[str, Any]:
        out = {
            "_id": "0" * 24, "id": self.id, "modelId": self.id, "author": self.id.split("/")[0],
            "sha": self.refs["main"], "private": bool(self.meta.get("private")),
            "disabled": bool(self.meta.get("disabled")), "gated": self.gated,
            "lastModified": LONG_AGO, "createdAt": LONG_AGO, "downloads": 0, "likes": 0,
            "tags": card_tags(self.card), "usedStorage": sum(f.size for f in self.files.values()),
            "siblings": [f.sibling(blobs) for f in self.files.values()],
            **({"cardData": self.card} if self.card else {}),
            **self.meta.get("info", {}),
        }  # fmt: skip
        if not expand:
            return out
        keep = {"_id", "id", "modelId", *expand}
        return {name: value for name, value in out.items() if name in keep}


def _remember(memo: Path, hashes: dict[str, str]) -> None:
    """Keeps the hashes beside the files, so that the next start need not read gigabytes."""
    partial = memo.with_name(f"{memo.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(hashes))
        partial.replace(memo)
    except OSError:
        partial.unlink(missing_ok=True)  # a folder that cannot be written to is fine


def read_root(root: Path) -> dict[str, Repository]:
    """`root/<org>/<name>/`, and `root/<name>/` where that holds a repo.json."""
    found: dict[str, Repository] = {}
    for org in sorted(p for p in root.iterdir() if p.is_dir()):
        if (org / META).exists():
            found[org.name] = Repository(org, org.name)
            continue
        for folder in sorted(p for p in org.iterdir() if p.is_dir()):
            repo_id = f"{org.name}/{folder.name}"
            found[repo_id] = Repository(folder, repo_id)
    return found
