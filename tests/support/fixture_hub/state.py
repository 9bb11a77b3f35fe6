"""What both ports share: options, repositories, fault rules, request log."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from .failure import Failure
from .faults import FaultBook
from .log import RequestLog
from .repositories import Repository, read_root

BAD_TOKEN = "Invalid credentials in Authorization header"


@dataclass(frozen=True)
class Options:
    root: Path
    host: str = "127.0.0.1"
    port: int = 0
    cdn_port: int = 0
    tokens: tuple[str, ...] = ()  # valid tokens; none: every token is
    page: int = 1000  # tree entries a page
    rate: float = 0  # bytes a second for each connection; 0: no limit
    latency: float = 0
    cdn_latency: float = 0
    url_life: int = 3600  # seconds that a CDN address stays valid
    resolve_cache: bool = False  # small files through the relative 307, as on the Hub
    cert: Path | None = None  # with `key`: both ports speak TLS
    key: Path | None = None

    @property
    def scheme(self) -> str:
        return "https" if self.cert else "http"


class HubState:
    """Owned by FixtureHub; used by the threads of both servers."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.faults = FaultBook()
        self.log = RequestLog()
        self.hub_url = ""
        self.cdn_url = ""
        self._wake = threading.Condition()
        self._releases = 0
        self._lock = threading.Lock()
        self._repos: dict[str, Repository] = {}
        self._renamed: dict[str, str] = {}
        self.reload()

    def reload(self) -> None:
        repos = read_root(self.options.root)
        renamed = {old: r.id for r in repos.values() for old in r.meta.get("renamed_from", [])}
        with self._lock:
            self._repos, self._renamed = repos, renamed

    def repositories(self) -> list[Repository]:
        with self._lock:
            return list(self._repos.values())

    def renamed(self, repo_id: str) -> str | None:
        with self._lock:
            return self._renamed.get(repo_id)

    def find(self, repo_id: str) -> Repository | None:
        with self._lock:
            return self._repos.get(repo_id)

    def token_is_known(self, token: str) -> bool:
        return not self.options.tokens or token in self.options.tokens

    def authorize(self, repo_id: str, token: str, files: bool) -> Repository:
        """The repository, if this caller may see it (`files`: may read its files)."""
        if token and not self.token_is_known(token):
            raise Failure(401, "", BAD_TOKEN)
        repo = self.find(repo_id)
        allowed = repo is not None and bool(token) and self._may_read(repo, token)
        if repo is None or (repo.meta.get("private") and not allowed):
            raise Failure(404 if token else 401, "RepoNotFound", "Repository not found")
        if repo.meta.get("disabled"):
            raise Failure(403, "", "Access to this resource is disabled.")
        if files and repo.gated and not allowed:
            message = f"Access to model {repo_id} is restricted."
            if not token:
                message += " You must have access to it and be authenticated to access it."
            raise Failure(403 if token else 401, "GatedRepo", message)
        return repo

    def _may_read(self, repo: Repository, token: str) -> bool:
        readers = repo.meta.get("tokens")
        return token in readers if readers is not None else self.token_is_known(token)

    def pause(self, seconds: float) -> None:
        """Holds an exchange until the time is over or release() is called."""
        if seconds <= 0:
            return
        with self._wake:
            before = self._releases
            self._wake.wait_for(lambda: self._releases != before, seconds)

    def release(self) -> None:
        """Lets every stalled or delayed exchange go on."""
        with self._wake:
            self._releases += 1
            self._wake.notify_all()
