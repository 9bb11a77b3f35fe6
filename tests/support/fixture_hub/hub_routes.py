"""The Hub's own port: model API, tree, resolve, and the fixture's control routes."""

from __future__ import annotations

import json
import re
import struct
import time
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from .content import send_file
from .exchange import CONTROL, ExchangeHandler
from .failure import Failure
from .repositories import LONG_AGO, RepoFile, Repository

RESOLVE = re.compile(r"/([^/]+(?:/[^/]+)?)/(?:resolve|raw)/([^/]+)/(.+)")
RESOLVE_CACHE = re.compile(r"/api/resolve-cache/models/(.+)/([0-9a-f]{40})/(.+)")
MODEL = re.compile(r"/api/models/([^/]+(?:/[^/]+)?)/?")
MODEL_ROUTE = re.compile(
    r"/api/models/([^/]+(?:/[^/]+)?)/"
    r"(revision|tree|paths-info|refs|commits|auth-check|safetensors-metadata)"
    r"(?:/([^/]*))?(?:/(.*))?"
)
FILE_ROUTES = ("auth-check", "safetensors-metadata")  # who may not read files may not use these
WAIT_LIMIT = 300


class HubHandler(ExchangeHandler):
    side = "hub"

    def route(self) -> None:
        path = self.url_path
        if path == "/api/whoami-v2":
            self._whoami()
        elif path == "/api/models":
            self._search()
        elif m := RESOLVE_CACHE.fullmatch(path) or RESOLVE.fullmatch(path):
            repo_id, revision, name = (unquote(part) for part in m.groups())
            repo = self._repository(repo_id, files=True)
            self._resolve(repo, repo.commit(revision), name, cached=path.startswith("/api/"))
        elif m := MODEL_ROUTE.fullmatch(path):
            repo_id, what, revision, rest = (unquote(part or "") for part in m.groups())
            self._model_route(repo_id, what, revision, rest)
        elif m := MODEL.fullmatch(path):
            self._model_route(unquote(m[1]), "revision", "main", "")
        else:
            raise Failure(404, "", "Sorry, we can't find the page you are looking for.")

    def _repository(self, repo_id: str, files: bool = False) -> Repository:
        moved = self.state.renamed(repo_id)
        if moved is not None:
            raise Failure(307, "", "", {"Location": self.path.replace(repo_id, moved, 1)})
        return self.state.authorize(repo_id, self.token, files)

    def _model_route(self, repo_id: str, what: str, revision: str, rest: str) -> None:
        repo = self._repository(repo_id, files=what in FILE_ROUTES)
        if what == "safetensors-metadata":  # has a path where others have a revision
            self._safetensors_metadata(repo, f"{revision}/{rest}".strip("/"))
            return
        commit = repo.commit(revision or "main")
        if what == "revision":
            info = repo.info(self.flag("blobs"), self.query.get("expand"))
            if "securityStatus" in self.query:
                info.setdefault("securityRepoStatus", {"scansDone": True, "filesWithIssues": []})
            self.json({**info, "sha": commit} if "sha" in info else info)
        elif what == "tree":
            self._tree(repo, rest.strip("/"))
        elif what == "paths-info":
            self._paths_info(repo)
        elif what == "refs":
            self._refs(repo)
        elif what == "commits":
            self.json([{"id": commit, "title": "fixture", "message": "", "authors": [],
                        "date": LONG_AGO}])  # fmt: skip
        else:
            self.reply(200, {})  # auth-check

    def _whoami(self) -> None:
        if not self.token or not self.state.token_is_known(self.token):
            raise Failure(401, "", "Invalid username or password.")
        access = {"displayName": "fixture", "role": "read"}
        self.json({"type": "user", "id": "0", "name": "fixture", "orgs": [],
                   "auth": {"type": "access_token", "accessToken": access}})  # fmt: skip

    def _search(self) -> None:
        text = self.query.get("search", [""])[0].lower()
        found = [r for r in self.state.repositories() if text in r.id.lower()]
        self.json([r.info() for r in found if not r.meta.get("private")])

    def _tree(self, repo: Repository, folder: str) -> None:
        deep = self.flag("recursive")
        items, page = repo.tree(folder, deep), self.state.options.page
        at = int(self.query.get("cursor", ["0"])[0])
        headers = {}
        if at + page < len(items):
            url = f"{self.state.options.scheme}://{self.headers['host']}{self.url_path}"
            query = f"recursive={str(deep).lower()}&cursor={at + page}"
            headers["Link"] = f'<{url}?{query}>; rel="next"'
        self.json(items[at : at + page], headers)

    def _paths_info(self, repo: Repository) -> None:
        text = self.body.decode()
        asked = json.loads(text)["paths"] if text.startswith("{") else parse_qs(text)["paths"]
        known = {entry["path"]: entry for entry in repo.tree()}
        self.json([known[path] for path in asked if path in known])

    def _refs(self, repo: Repository) -> None:
        branches = [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commit}
            for name, commit in repo.refs.items()
        ]
        self.json({"branches": branches, "converts": [], "tags": [], "pullRequests": []})

    def _safetensors_metadata(self, repo: Repository, path: str) -> None:
        """The headers of all shards that an index names, in one answer."""
        if path not in repo.files:
            raise Failure(404, "EntryNotFound", "Entry not found")
        index = json.loads(b"".join(_whole(repo.files[path])))
        shards = sorted(set(index.get("weight_map", {}).values()))
        headers = {name: _safetensors_header(repo.files[name]) for name in shards}
        self.json({"index": {"metadata": index.get("metadata", {})}, "headers": headers})

    def _resolve(self, repo: Repository, commit: str, path: str, cached: bool) -> None:
        headers: dict[str, Any] = {"X-Repo-Commit": commit}
        file = repo.files.get(path)
        if file is None:
            raise Failure(404, "EntryNotFound", "Entry not found", headers)
        etag = self.fault.etag or file.etag
        if file.lfs:
            location = self.fault.location or self._signed_url(repo, file)
            linked = {"X-Linked-Size": file.size, "X-Linked-ETag": f'"{etag}"'}
            self.reply(302, {**headers, **linked, "Location": location})
        elif self.state.options.resolve_cache and not cached:
            to = f"/api/resolve-cache/models/{repo.id}/{commit}/{quote(path)}"
            query = f"{quote(self.url_path, safe='')}=&etag=%22{etag}%22"
            self.reply(307, {**headers, "Location": f"{to}?{query}"})
        else:
            send_file(self, file, file.etag, {**headers, "Content-Type": "text/plain"})

    def _signed_url(self, repo: Repository, file: RepoFile) -> str:
        path = f"{quote(repo.id, safe='')}/{file.sha256}/{quote(file.path, safe='')}"
        expires = int(time.time()) + self.state.options.url_life
        return f"{self.state.cdn_url}/xet-bridge-us/{path}?Expires={expires}&Signature=fixture"

    def control(self) -> None:
        state = self.state
        match (self.command, self.url_path.removeprefix(CONTROL)):
            case ("PUT", "faults"):
                try:
                    state.faults.replace(json.loads(self.body))
                except (ValueError, TypeError) as error:
                    raise Failure(400, "", str(error)) from error
            case ("DELETE", "log"):
                state.log.clear()
            case ("POST", "reload"):
                state.reload()
            case ("POST", "release"):
                state.release()
            case ("GET", "wait"):
                self._wait()
            case ("GET", "log" | "faults"):
                pass
            case _:
                raise Failure(404, "", "no such control route")
        heads = {r.id: r.refs for r in state.repositories()}
        log = state.log.as_json(self.query.get("match", [""])[0])
        self.json(
            {"log": log, "peak": state.log.peak, "faults": state.faults.as_json(), "heads": heads}
        )

    def _wait(self) -> None:
        timeout = min(float(self.query.get("timeout", ["30"])[0]), WAIT_LIMIT)
        if self.flag("idle"):
            if not self.state.log.wait_idle(timeout):
                raise Failure(408, "", f"not idle in {timeout} s")
            return
        match = self.query.get("match", [""])[0]
        sent = int(self.query.get("sent", ["0"])[0])
        if not self.state.log.wait(match, sent, timeout):
            raise Failure(408, "", f"nothing like {match!r} with {sent} bytes in {timeout} s")


def _whole(file: RepoFile) -> list[bytes]:
    if file.lfs or not file.readable:
        raise Failure(404, "EntryNotFound", f"{file.path} is not an index")
    return list(file.read(0, file.size))


def _safetensors_header(file: RepoFile) -> Any:
    (length,) = struct.unpack("<Q", b"".join(file.read(0, 8)))
    return json.loads(b"".join(file.read(8, 8 + length)))
