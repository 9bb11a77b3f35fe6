"""Checks what a compiler does not: layers, size budgets, the coroutine rule, stray text.

    python3 tests/lint/lint.py            # exit 1 and one line per finding

Run by CTest as `lint`. The budgets: files of 500 lines, functions of 60, main.cc of 60. An
exception needs a line with its reason in EXCEPTIONS.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from layers import LEVEL, NOT_IN_HEADERS, OWNED, may_include

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES = 500
FUNCTION_LINES = 60
MAIN_LINES = 60
COLUMNS = 100

# path -> reason
EXCEPTIONS: dict[str, str] = {}

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')
NOT_A_FUNCTION = re.compile(
    r"^\s*(?:namespace|class|struct|enum|union|extern|if|for|while|switch|do|else|try|catch)\b"
)


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )
    return [ROOT / name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def folder_of(path: Path) -> str | None:
    """The layer folder that a C++ file belongs to; None outside daemon/ and client/."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "client":
        return "client"
    if parts[0] != "daemon":
        return None
    return "main" if len(parts) == 2 else parts[1]


def check_includes(path: Path, lines: list[str]) -> Iterator[str]:
    folder = folder_of(path)
    if folder is None:
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(1)
        top = target.split("/")[0]
        ours = '"' in line and "/" in target and (top in LEVEL or top in {"shim", "lib"})
        if ours and not may_include(folder, top):
            yield f"{number}: {folder}/ may not include {target} (layers)"
        for prefix, owners in OWNED.items():
            if target.startswith(prefix) and "<" in line and folder not in owners:
                yield f"{number}: <{target}> belongs to {', '.join(sorted(owners))}"


def quoted_includes(path: Path) -> Iterator[Path]:
    base = ROOT / "client" if folder_of(path) == "client" else ROOT / "daemon"
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        match = INCLUDE.match(line)
        if match and '"' in line:
            for root in (base, ROOT / "daemon"):
                if (root / match.group(1)).is_file():
                    yield root / match.group(1)
                    break


def viewers_of(files: list[Path]) -> dict[Path, set[str]]:
    """For each header, the other folders that see it, directly or through other headers."""
    includes = {path: list(quoted_includes(path)) for path in files if folder_of(path)}
    viewers: dict[Path, set[str]] = {}
    for path in includes:
        folder = folder_of(path)
        waiting, seen = list(includes[path]), set()
        while waiting:
            target = waiting.pop()
            if target in seen:
                continue
            seen.add(target)
            waiting += includes.get(target, [])
            if folder is not None and folder_of(target) != folder:
                viewers.setdefault(target, set()).add(folder)
    return viewers


def check_public_headers(files: list[Path]) -> Iterator[str]:
    """A header that other folders see names no heavy library, unless they all own it too."""
    for path, folders in sorted(viewers_of(files).items()):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            for prefix in NOT_IN_HEADERS:
                if match.group(1).startswith(prefix) and not folders <= OWNED.get(prefix, set()):
                    yield (
                        f"{path.relative_to(ROOT)}:{number}: other folders see this header, "
                        f"so it may not include <{match.group(1)}>"
                    )


def strip_code(text: str) -> str:
    """Blanks comments, strings and characters, keeping line breaks and columns."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S
    )

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group(0))

    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)
    # Digit separators look like character literals.
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", text)
    return pattern.sub(blank, text)


def function_lengths(text: str) -> Iterator[tuple[int, int]]:
    """(first line, lines) of every function body at namespace or class level."""
    stack: list[tuple[bool, int, bool]] = []  # is a scope, line, is a function
    start = 0
    line = 1
    for index, char in enumerate(text):
        if char == "\n":
            line += 1
        elif char in ";":
            start = index + 1
        elif char == "{":
            head = text[start:index].strip()
            outer = all(scope for scope, _, _ in stack)
            is_function = outer and "(" in head and not NOT_A_FUNCTION.match(head)
            is_scope = outer and bool(
                re.search(r"\b(?:namespace|class|struct|union|extern)\b", head) and not is_function
            )
            head_lines = head.count("\n")
            stack.append((is_scope, line - head_lines, is_function))
            start = index + 1
        elif char == "}" and stack:
            _, begin, is_function = stack.pop()
            if is_function:
                yield begin, line - begin + 1
            start = index + 1


def check_sizes(path: Path, lines: list[str], text: str) -> Iterator[str]:
    name = str(path.relative_to(ROOT))
    limit = MAIN_LINES if name == "daemon/main.cc" else FILE_LINES
    if len(lines) > limit:
        yield f"{len(lines)}: file of {len(lines)} lines, at most {limit}"
    if path.suffix in {".cc", ".h"}:
        for begin, length in function_lengths(strip_code(text)):
            if length > FUNCTION_LINES:
                yield f"{begin}: function of {length} lines, at most {FUNCTION_LINES}"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS and "http" not in line and "R\"" not in line:
            yield f"{number}: line of {len(line)} columns, at most {COLUMNS}"


def check_coroutines(path: Path, text: str) -> Iterator[str]:
    """g++ 12 miscompiles an awaited operand with temporaries: names and calls of names only."""
    folder = folder_of(path)
    code = strip_code(text)
    for match in re.finditer(r"\bco_await\b[^;{]*[;{]", code):
        number = code.count("\n", 0, match.start()) + 1
        if folder not in {"http", "gateway"} and folder is not None:
            yield f"{number}: coroutines live in http/ and gateway/ only"
        statement = match.group(0)
        if statement.endswith("{") and not re.search(r"\)\s*{$", statement):
            yield f"{number}: no braces in a co_await statement"
        elif "?" in statement or re.search(r"\[[^\]]*\]\s*[({]", statement):
            yield f"{number}: no lambda or ?: in a co_await statement"
        elif statement.count("co_await") > 1:
            yield f"{number}: one co_await per statement"


def check_text(path: Path, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if line.rstrip() != line and path.suffix != ".md":
            yield f"{number}: trailing space"
        if path.suffix in {".cc", ".h"} and re.search(r"\bTODO\b(?!\(#\d+\))", line):
            yield f"{number}: a TODO needs an issue number: TODO(#12)"
        if path.suffix in {".cc", ".h"} and re.search(r"\b(?:system|popen)\s*\(\s*\"", line):
            yield f"{number}: no shell in the daemon"


def findings() -> Iterator[str]:
    suffixes = {".cc", ".h", ".py", ".ts", ".tsx", ".sh"}
    files = tracked()
    yield from check_public_headers([path for path in files if path.suffix in {".cc", ".h"}])
    for path in files:
        name = str(path.relative_to(ROOT))
        if path.suffix not in suffixes or name in EXCEPTIONS:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        lines = text.splitlines()
        checks = [check_sizes(path, lines, text), check_text(path, lines)]
        if path.suffix in {".cc", ".h"}:
            checks += [check_includes(path, lines), check_coroutines(path, text)]
        for check in checks:
            for finding in check:
                yield f"{name}:{finding}"


def main() -> int:
    found = list(findings())
    print("\n".join(found) if found else "lint: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
