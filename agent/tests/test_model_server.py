"""A model server's life: listening, loading, ready, stopped; and what it says meanwhile."""

from __future__ import annotations

import json
import threading

import pytest

from conftest import Serve
from helpers import LIMIT, FakeText
from llm_agent.engines import http_client
from llm_agent.errors import LoadError, UpstreamError

CHAT = "/v1/chat/completions"
BODY = {"messages": [{"role": "user", "content": "one two three"}]}


def test_it_answers_while_it_loads(serve: Serve) -> None:
    model = FakeText()
    model.may_load.clear()
    server = serve(model, wait=False)
    assert server.next_event() == {"event": "listening"}
    assert server.next_event()["event"] == "loading"
    assert server.next_event() == {"event": "loading", "message": "reading weights"}
    status, health = server.get("/health")
    assert (status, health["status"], health["message"]) == (503, "loading", "reading weights")
    status, answer = server.post(CHAT, BODY)
    assert (status, answer["error"]["code"]) == (503, "model_loading")
    assert answer["error"]["next_step"]
    assert server.get("/v1/models")[0] == 200
    assert server.get("/api/model/info")[1]["state"] == "loading"
    model.may_load.set()
    server.wait_ready()
    assert server.at_end_of_events()  # whoever waits for the end of the events is not left waiting
    assert server.get("/health") == (200, {"status": "ok"})
    assert server.post(CHAT, BODY)[0] == 200


@pytest.mark.parametrize("fault", [LoadError("weights are missing"), ValueError("bad weights")])
def test_a_model_that_does_not_load_ends_the_server(serve: Serve, fault: Exception) -> None:
    model = FakeText()
    model.fault = fault
    server = serve(model, wait=False)
    events = [server.next_event() for _ in range(4)]
    assert events[-1]["event"] == "failed"
    assert str(fault) in events[-1]["message"]
    assert server.at_end_of_events()
    assert server.stop() == 1


def test_info_tells_what_is_served(serve: Serve) -> None:
    info = serve().get("/api/model/info")[1]
    assert info["name"] == "org/fake"
    assert (info["kind"], info["engine"], info["state"]) == ("llm", "fake", "ready")
    assert "POST /v1/chat/completions" in info["routes"]
    assert info["profile"] == {"architecture": "Fake"}
    assert info["facts"] == {"chat_template": True}


def test_models_lists_the_one_model(serve: Serve) -> None:
    _, listed = serve().get("/v1/models")
    assert [m["id"] for m in listed["data"]] == ["org/fake"]


def test_stopping_cuts_a_stream_honestly(serve: Serve) -> None:
    model = FakeText()
    model.steps = threading.Semaphore(1)
    server = serve(model)
    connection = server.open(CHAT, {**BODY, "stream": True})
    response = connection.getresponse()
    lines = iter(response)
    while b"one" not in next(lines):
        continue
    assert server.stop() == 0
    rest = [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]
    assert rest[-1]["error"]["code"] == "server_stopping"
    connection.close()


def test_stopping_refuses_and_cuts_what_is_not_streamed(serve: Serve) -> None:
    model = FakeText()
    model.steps = threading.Semaphore(0)
    server = serve(model, slots=1)
    running, waiting = server.open(CHAT, BODY), server.open(CHAT, BODY)
    assert model.begun.acquire(timeout=LIMIT)
    assert server.stop() == 0
    for connection in (running, waiting):
        response = connection.getresponse()
        assert response.status == 503
        assert json.loads(response.read())["error"]["code"] == "server_stopping"
        connection.close()
    with pytest.raises(UpstreamError):
        http_client.call(server.endpoint, "GET", "/health")


def test_the_page_allows_only_its_own_script(serve: Serve) -> None:
    connection = http_client.connect(serve(ui=True).endpoint, LIMIT)
    nonces = set()
    for _ in range(2):
        connection.request("GET", "/")
        response = connection.getresponse()
        page, policy = response.read().decode(), response.headers["content-security-policy"]
        nonce = policy.split("script-src 'nonce-")[1].split("'")[0]
        assert f'<script nonce="{nonce}">' in page
        assert "default-src 'none'" in policy
        assert "http://" not in page
        assert "https://" not in page  # nothing is fetched from elsewhere
        nonces.add(nonce)
    connection.close()
    assert len(nonces) == 2


def test_without_ui_there_is_no_page(serve: Serve) -> None:
    assert serve().get("/")[0] == 404
