"""The harness judges rightly: what it passes is fine, and what is wrong it finds."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from llmd_harness import Answer, Result, closed_port, request, stream_lines, taken_port
from llmd_harness.logs import complaints, sanitizer_reports
from llmd_harness.processes import kill, processes_of, wait_gone
from llmd_harness.programs import clean_environment, programs


def write_log(folder: Path, *entries: object) -> Path:
    log = folder / "llmd.log"
    log.write_text("".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in entries))
    return log


def test_complaints_are_what_nobody_allowed(tmp_path: Path) -> None:
    warned = {"level": "WARN", "module": "hub", "msg": "retrying"}
    failed = {"level": "ERROR", "module": "jobs", "msg": "lost"}
    log = write_log(tmp_path, {"level": "INFO", "msg": "started"}, warned, failed)
    assert [json.loads(line) for line in complaints(log, [])] == [warned, failed]
    assert [json.loads(line) for line in complaints(log, ["retry"])] == [failed]
    assert complaints(log, ["retry", "lost"]) == []
    assert complaints(tmp_path / "none.log", []) == []


def test_a_line_that_is_no_json_is_a_complaint(tmp_path: Path) -> None:
    assert complaints(write_log(tmp_path, "terminate called"), []) == ["terminate called"]


def test_sanitizer_reports() -> None:
    text = "ready\n==7==ERROR: AddressSanitizer: heap-use-after-free\n"
    assert len(sanitizer_reports(text)) == 1
    assert sanitizer_reports("ready\n") == []


def test_processes_of_a_home(tmp_path: Path) -> None:
    sleeper = [sys.executable, "-c", "print('up', flush=True); input()"]
    by_environment = subprocess.Popen(
        sleeper, env={**os.environ, "LLMD_HOME": str(tmp_path)}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    by_argument = subprocess.Popen(
        [*sleeper, f"{tmp_path}/x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        for process in (by_environment, by_argument):
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
        found = {p.pid for p in processes_of(tmp_path)}
        assert found == {by_environment.pid, by_argument.pid}
        assert {p.pid for p in wait_gone(tmp_path, 0)} == found
    finally:
        kill([psutil.Process(p.pid) for p in (by_environment, by_argument)])
    assert processes_of(tmp_path) == []
    by_environment.communicate()
    by_argument.communicate()


def test_ports() -> None:
    with closed_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with taken_port() as port, pytest.raises(OSError, match="in use"):
        socket.create_server(("127.0.0.1", port))


def test_error_results_must_be_whole() -> None:
    error = {"code": "gated", "message": "m", "next_step": "n", "exit": 5}
    assert Result("x", 5, json.dumps({"error": error}), "").error(5) == error
    for broken in ({**error, "next_step": ""}, {**error, "exit": 4}, {"code": "gated"}):
        with pytest.raises(AssertionError):
            Result("x", 5, json.dumps({"error": broken}), "").error(5)
    with pytest.raises(AssertionError, match="not JSON"):
        Result("x", 5, "oops", "").error(5)
    with pytest.raises(AssertionError):
        Result("x", 1, "", "it broke").ok()


def test_environment_leads_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_users_own")
    monkeypatch.setenv("LLMD_LISTEN", "0.0.0.0:1")
    environment = clean_environment(tmp_path, HF_ENDPOINT="http://127.0.0.1:1")
    assert "HF_TOKEN" not in environment
    assert "LLMD_LISTEN" not in environment
    assert environment["HF_ENDPOINT"] == "http://127.0.0.1:1"
    assert environment["LLMD_HOME"] == str(tmp_path)


def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMD_BIN_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="LLMD_BIN_DIR"):
        programs()


class Echo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("X-Host", self.headers["Host"])
        self.end_headers()
        self.wfile.write(body + b"\n\nlast\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_http_client() -> None:
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/echo"
        answer = request(url, json={"a": 1}, headers={"Host": "evil.example"})
        assert isinstance(answer, Answer)
        assert (answer.status, answer.headers["x-host"]) == (200, "evil.example")
        assert answer.text.splitlines()[0] == '{"a": 1}'
        with stream_lines(url, {"b": 2}) as lines:
            assert list(lines) == ['{"b": 2}', "last"]
        server.shutdown()
