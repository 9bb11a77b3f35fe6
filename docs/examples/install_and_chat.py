"""Installs a model, watches the installation and chats with it: llmd over gRPC in one page.

    pip install grpcio grpcio-tools
    python docs/examples/install_and_chat.py HuggingFaceTB/SmolLM2-135M-Instruct "Who are you?"

llmd must run (any llmctl command starts it). What is used here is all that another program needs:
the socket's place, the .proto files, and that errors carry a code and a next step.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import grpc

PROTO = Path(__file__).resolve().parents[2] / "proto"
sys.path.insert(0, str(PROTO))

# Compiled from the .proto files when this starts; nothing generated lies about.
models_pb, models_rpc = grpc.protos_and_services("llmd/v1/models.proto")
jobs_pb, jobs_rpc = grpc.protos_and_services("llmd/v1/jobs.proto")
agent_pb, agent_rpc = grpc.protos_and_services("llmd/v1/agent.proto")
status_pb = grpc.protos("google/rpc/status.proto")


def connect() -> grpc.Channel:
    """A channel to the llmd of $LLMD_HOME (default ~/LLM)."""
    home = Path(os.environ.get("LLMD_HOME", "~/LLM")).expanduser()
    address = json.loads((home / "run" / "address.json").read_text())
    return grpc.insecure_channel(address["grpc"])


def install(channel: grpc.Channel, repository: str) -> None:
    """Returns when the model is installed; at once when it was. Safe to call again."""
    models = models_rpc.ModelsStub(channel)
    jobs = jobs_rpc.JobsStub(channel)
    job = models.Install(models_pb.InstallRequest(source={"repo_id": repository}))
    seen = 0  # a watcher that comes back passes this on, and misses nothing
    for event in jobs.Watch(jobs_pb.WatchJobRequest(id=job.id, after_sequence=seen)):
        seen = event.sequence or seen
        job = event.job
        if event.type == "progress":
            print(f"\r{job.step} {100 * job.progress:.0f} %", end="", file=sys.stderr)
        elif event.type == "step":
            print(f"\n{job.step}", end="", file=sys.stderr)
    print(file=sys.stderr)
    if job.state != "succeeded":
        sys.exit(f"{job.error.message} {job.error.next_step}")


def chat(channel: grpc.Channel, model: str, question: str) -> None:
    """Prints the answer as it comes. Starts the model if it does not run."""
    request = agent_pb.ChatRequest(
        model=model,
        messages=[{"role": "user", "content": question}],
        options={"max_tokens": 64, "temperature": 0},
    )
    for chunk in agent_rpc.AgentStub(channel).Chat(request):
        print(chunk.text, end="", flush=True)
        if chunk.finish_reason:
            print()


def explain(error: grpc.RpcError) -> str:
    """What llmd says of an error: code, sentence, next step."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb.Status.FromString(value).details:
                told = jobs_pb.Error()
                if detail.Unpack(told):
                    return f"{told.message} [{told.code}] {told.next_step}"
    return str(error.details())


def main() -> None:
    repository, question = sys.argv[1:3]
    try:
        with connect() as channel:
            install(channel, repository)
            chat(channel, repository, question)
    except grpc.RpcError as error:
        sys.exit(explain(error))


if __name__ == "__main__":
    main()
