"""infer: one question to the model of a folder, without the daemon.

It starts the model's own server on a private socket, asks it, prints the answer, and stops it: so
every kind of model and every engine answers as it would when served.
"""

from __future__ import annotations

import argparse
import base64
import json
import mimetypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llm_agent.engines import http_client
from llm_agent.errors import AgentError, LoadError, UpstreamError
from llm_agent.runtime.model_folder import ModelFolder, read_model_folder
from llm_agent.runtime.readiness import Readiness

HELP = "ask the model of a folder once, without the daemon"
SOCKET = "api.sock"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, required=True, help="the model's folder")
    parser.add_argument("prompt", nargs="?", help="text; `-` or nothing reads it from stdin")
    parser.add_argument("--file", type=Path, help="a picture, sound or film to ask about")
    parser.add_argument("--out", type=Path, help="where a made picture, sound or film goes")
    parser.add_argument("--system", help="system message of a chat model")
    parser.add_argument("--max-tokens", type=int)
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--stop", action="append", help="may be given several times")
    parser.add_argument("--json", action="store_true", help="print the server's whole answer")


def run(asked: argparse.Namespace, readiness: Readiness) -> int:
    folder = read_model_folder(asked.folder)
    prompt = _prompt(asked)
    with _served(folder) as endpoint:
        readiness.ready()
        answer = ASK.get(folder.launch.kind, _ask_any)(endpoint, asked, prompt)
    if answer is not None:
        print(json.dumps(answer, ensure_ascii=False))
    return 0


def _prompt(asked: argparse.Namespace) -> str:
    if asked.prompt is None and asked.file is not None:
        return ""
    if asked.prompt in (None, "-"):
        return sys.stdin.read()
    return str(asked.prompt)


@contextmanager
def _served(folder: ModelFolder) -> Iterator[str]:
    """The model's server, ready; its address. Its log goes to a file shown when it fails."""
    private = Path(tempfile.mkdtemp(prefix="llm-agent-"))
    ready, told = os.pipe()
    environment = {k: v for k, v in os.environ.items() if k != "LLMD_LISTEN_FD"}
    environment |= {"LLMD_SOCKET": str(private / SOCKET), "LLMD_READY_FD": str(told)}
    argv = [sys.executable, "-m", "llm_agent", "serve", "--folder", str(folder.path)]
    try:
        with (
            (private / "server.log").open("wb") as log,
            subprocess.Popen(
                argv, env=environment, pass_fds=(told,), stdin=subprocess.DEVNULL, stderr=log
            ) as server,
        ):
            os.close(told)
            try:
                _wait_ready(ready, private / "server.log")
                yield f"unix://{private / SOCKET}"
            finally:
                server.terminate()
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _wait_ready(descriptor: int, log: Path) -> None:
    with os.fdopen(descriptor, "rb") as events:
        for line in events:
            event = json.loads(line)
            if event["event"] == "ready":
                return
            if event["event"] == "failed":
                raise LoadError(str(event["message"]))
            if sys.stderr.isatty():
                print(f"\r\033[K{event.get('message', event['event'])}", end="", file=sys.stderr)
    tail = log.read_text(errors="replace")[-2000:]
    raise LoadError(f"the model's server ended before it was ready:\n{tail}")


def _ask_text(endpoint: str, asked: argparse.Namespace, prompt: str) -> Any:
    """Streams the answer to the terminal as it comes."""
    body: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    for name in ("max_tokens", "temperature", "seed", "stop"):
        if getattr(asked, name) is not None:
            body[name] = getattr(asked, name)
    system = [{"role": "system", "content": asked.system}] if asked.system else []
    content: Any = prompt
    if asked.file is not None:
        picture = {"type": "image_url", "image_url": {"url": data_url(asked.file)}}
        content = [picture, {"type": "text", "text": prompt}]
    body["messages"] = [*system, {"role": "user", "content": content}]
    path = "/v1/chat/completions"
    if not _chats(endpoint):
        path, body["prompt"] = "/v1/completions", prompt
        del body["messages"]
    said = _print_stream(endpoint, path, body, quiet=asked.json)
    return said if asked.json else print()


def _chats(endpoint: str) -> bool:
    """Whether the model has a chat template; an engine of its own finds a way without one."""
    status, info = http_client.call(endpoint, "GET", "/api/model/info")
    return status != 200 or info["facts"].get("chat_template") is not False


def _print_stream(endpoint: str, path: str, body: dict[str, Any], quiet: bool) -> dict[str, Any]:
    connection = http_client.connect(endpoint)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    if response.status != 200:
        raise _refused(response.status, response.read())
    texts: list[str] = []
    usage: dict[str, Any] = {}
    for line in response:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if "error" in event:
            raise UpstreamError(event["error"]["message"])
        usage = event.get("usage") or usage
        for choice in event.get("choices", []):
            text = choice.get("text") or choice.get("delta", {}).get("content") or ""
            texts.append(text)
            if not quiet:
                print(text, end="", flush=True)
    connection.close()
    return {"text": "".join(texts), "usage": usage}


def _ask_embedding(endpoint: str, asked: argparse.Namespace, prompt: str) -> Any:
    answer = _call(endpoint, "/v1/embeddings", {"input": prompt})
    return answer if asked.json else answer["data"][0]["embedding"]


def _ask_any(endpoint: str, asked: argparse.Namespace, prompt: str) -> Any:
    """Any other kind: its /api/generate, with the file beside the prompt."""
    body: dict[str, Any] = {"prompt": prompt}
    if asked.file is not None:
        body["file"] = data_url(asked.file)
    for name in ("seed", "max_tokens"):
        if getattr(asked, name) is not None:
            body[name] = getattr(asked, name)
    answer = _call(endpoint, "/api/generate", body)
    if answer.get("file") and asked.out:
        asked.out.write_bytes(base64.b64decode(answer["file"].partition(",")[2]))
        print(f"{asked.out}  {asked.out.stat().st_size} bytes")
        return None
    if asked.json:
        return answer
    return print(answer["text"])


def _call(endpoint: str, path: str, body: dict[str, Any]) -> Any:
    status, answer = http_client.call(endpoint, "POST", path, body)
    if status != 200:
        raise _refused(status, json.dumps(answer).encode())
    return answer


def _refused(status: int, body: bytes) -> AgentError:
    try:
        fault = json.loads(body)["error"]
        return AgentError(str(fault["message"]), next_step=str(fault.get("next_step") or ""))
    except (ValueError, KeyError, TypeError):
        return AgentError(f"the model's server answered {status}: {body[:500]!r}")


def data_url(path: Path) -> str:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    try:
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
    except OSError as error:
        raise AgentError(f"{path}: {error.strerror}") from None


ASK = {"llm": _ask_text, "vlm": _ask_text, "embedding": _ask_embedding}
