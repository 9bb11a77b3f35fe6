"""The lint finds what it says it finds."""

from __future__ import annotations

from pathlib import Path

from layers import may_include

import lint


def test_layers_go_down_only() -> None:
    assert may_include("serving", "registry")
    assert not may_include("registry", "serving")
    assert not may_include("hub", "registry"), "folders of one layer never include each other"
    assert may_include("main", "app")
    assert not may_include("shim", "domain")


def test_an_upward_include_is_found() -> None:
    path = lint.ROOT / "daemon" / "base" / "example.cc"
    found = list(lint.check_includes(path, ['#include "rpc/server.h"']))
    assert found and "layers" in found[0]


def test_an_owned_library_is_found() -> None:
    path = lint.ROOT / "daemon" / "jobs" / "example.cc"
    assert list(lint.check_includes(path, ["#include <curl/curl.h>"]))


def test_a_long_function_is_measured() -> None:
    body = "\n".join(f"  int v{i} = {i};" for i in range(70))
    text = f"namespace a {{\nint Long(int x) {{\n{body}\n  return x;\n}}\n}}\n"
    assert [length for _, length in lint.function_lengths(lint.strip_code(text))] == [73]


def test_the_coroutine_rule() -> None:
    path = lint.ROOT / "daemon" / "http" / "example.cc"
    assert not list(lint.check_coroutines(path, "auto r = co_await Read(std::move(options));"))
    assert list(lint.check_coroutines(path, "co_await Read({.size = 1});"))
    assert list(lint.check_coroutines(path, "co_await Read(a ? b : c);"))
    assert list(lint.check_coroutines(path, "co_await Run([x] { return x; });"))
    assert list(lint.check_coroutines(lint.ROOT / "daemon/jobs/a.cc", "co_await Read(x);"))


def test_the_tree_is_clean() -> None:
    assert list(lint.findings()) == [], Path.cwd()
