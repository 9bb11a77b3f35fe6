"""The layer table: which folder may include which. Includes go downwards only."""

from __future__ import annotations

# Lowest layer first; folders on one line never include each other.
LAYERS: list[list[str]] = [
    ["base"],
    ["domain"],
    ["platform"],
    ["hub", "registry", "config", "http", "planner"],
    ["detectors", "handlers", "engines", "pyenv", "scaffold", "jobs", "supervisor", "scheduler"],
    ["serving"],
    ["pipelines"],
    ["rpc", "gateway"],
    ["app"],
]
LEVEL = {folder: level for level, folders in enumerate(LAYERS) for folder in folders}

# Outside the table: what these may include besides themselves.
SPECIAL: dict[str, set[str]] = {
    "shim": {"base", "platform", "shim"},
    "client": {"base", "domain", "platform", "lib", "render", "llmctl"},
}

# Libraries that only their owner may name, in any file: include prefix -> folders.
OWNED: dict[str, set[str]] = {
    "grpc": {"rpc", "gateway", "client"},
    "google/protobuf": {"rpc", "gateway", "client"},
    "llmd/v1/": {"rpc", "gateway", "client"},
    "boost/": {"http", "gateway"},
    "SQLiteCpp": {"registry"},
    "sqlite3": {"registry"},
    "curl/": {"hub"},
    "yaml-cpp": {"base"},
    "spdlog": {"base"},
    "prometheus": {"base"},
    "openssl": {"base", "hub"},
    "CLI/": {"client", "app", "config"},
}

# Heavy headers that no header of ours may include.
NOT_IN_HEADERS = [
    "boost/",
    "nlohmann/json.hpp",
    "spdlog/",
    "yaml-cpp/",
    "SQLiteCpp",
    "curl/",
    "CLI/",
    "prometheus/",
]


def may_include(source: str, target: str) -> bool:
    """Whether a file of folder `source` may include a header of folder `target`."""
    if source == target:
        return True
    if source in SPECIAL:
        return target in SPECIAL[source]
    if source == "main":
        return target in LEVEL
    return target in LEVEL and LEVEL[target] < LEVEL[source]
