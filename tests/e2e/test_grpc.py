"""Other programs over gRPC: the documented client, reflection, health, errors with details."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from helpers import CAPITAL, GGUF
from llmd_harness import Daemon
from llmd_harness.fixtures import StartDaemon

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "install_and_chat.py"
sys.path.append(str(ROOT / "proto"))  # where grpc finds the .proto files
SERVICES = ("Agent", "Jobs", "Models", "Servers", "System")


def run_example(daemon: Daemon, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLE), *words],
        env={**daemon.environment, "LLMD_HOME": str(daemon.home)},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip


def test_the_documented_client(daemon: Daemon) -> None:
    done = run_example(daemon, GGUF, CAPITAL)
    assert done.returncode == 0, done.stderr
    assert "Paris" in done.stdout
    assert "download" in done.stderr
    again = run_example(daemon, GGUF, CAPITAL)
    assert (again.returncode, "Paris" in again.stdout) == (0, True), again.stderr


def test_the_documented_client_says_what_is_wrong(daemon: Daemon) -> None:
    done = run_example(daemon, "acme/nowhere", CAPITAL)
    assert done.returncode == 1
    assert "acme/nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_reflection_and_health(daemon: Daemon) -> None:
    with grpc.insecure_channel(daemon.address["grpc"]) as channel:
        reflection = ProtoReflectionDescriptorDatabase(channel)
        names = set(reflection.get_services())
        assert {f"llmd.v1.{name}" for name in SERVICES} <= names
        assert "grpc.health.v1.Health" in names
        # A service without calls is not listed, but described.
        assert reflection.FindFileContainingSymbol("llmd.v1.Training").name
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"") == b"\x08\x01"  # SERVING


def test_tcp_wants_the_token(make_daemon: StartDaemon) -> None:
    daemon = make_daemon("http://127.0.0.1:9").start("--grpc-listen", "127.0.0.1:0")
    tcp = daemon.address["grpc_tcp"]
    assert tcp.startswith("127.0.0.1:")
    assert daemon.llmctl("system", "--json").ok().json["grpc_tcp"] == tcp
    with grpc.insecure_channel(tcp) as channel:
        info = channel.unary_unary("/llmd.v1.System/Info")
        watch = channel.unary_stream("/llmd.v1.System/Watch")
        for metadata in (
            [],
            [("authorization", "Bearer " + "0" * 64)],
            [("authorization", "Bearer ")],
            [("x-llmd-caller", "http")],
        ):
            with pytest.raises(grpc.RpcError) as refused:
                info(b"", metadata=metadata)
            assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
            with pytest.raises(grpc.RpcError) as refused:
                next(watch(b"", metadata=metadata))
            assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        assert info(b"", metadata=[("authorization", f"Bearer {daemon.token}")])


def test_deadlines_are_obeyed(daemon: Daemon) -> None:
    with grpc.insecure_channel(daemon.address["grpc"]) as channel:
        watch = channel.unary_stream("/llmd.v1.System/Watch")(b"", timeout=1.0)
        assert next(watch)  # the snapshot
        with pytest.raises(grpc.RpcError) as ended:
            for _ in watch:
                pass
        assert ended.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_watcher_is_told_of_the_end(daemon: Daemon) -> None:
    with grpc.insecure_channel(daemon.address["grpc"]) as channel:
        watch = channel.unary_stream("/llmd.v1.System/Watch")(b"")
        assert next(watch)
        daemon.terminate()
        with pytest.raises(grpc.RpcError) as ended:
            for _ in watch:
                pass
        assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "shutting down" in ended.value.details()


def test_a_job_watched_again_misses_nothing(daemon: Daemon) -> None:
    daemon.llmctl.install(GGUF)
    job = daemon.llmctl("jobs", "list", "--json").ok().json["jobs"][0]
    whole = sequences(daemon, job["id"], 0)
    assert whole == list(range(1, len(whole) + 1))
    assert len(whole) > 6
    assert sequences(daemon, job["id"], 4) == whole[4:]


def sequences(daemon: Daemon, job: str, after: int) -> list[int]:
    """The numbers of the events that a watcher gets."""
    messages, services = grpc.protos_and_services("llmd/v1/jobs.proto")
    with grpc.insecure_channel(daemon.address["grpc"]) as channel:
        request = messages.WatchJobRequest(id=job, after_sequence=after)
        return [event.sequence for event in services.JobsStub(channel).Watch(request)]
