"""The text routes, asked over a socket, with a model of words."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from conftest import Serve
from helpers import LIMIT, FakeText
from llm_agent.runtime.limits import Limits

CHAT = "/v1/chat/completions"


def chat(content: Any, **more: Any) -> dict[str, Any]:
    return {"model": "any", "messages": [{"role": "user", "content": content}], **more}


def test_chat_answers_as_openai_does(serve: Serve) -> None:
    status, answer = serve().post(CHAT, chat("one two three"))
    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "org/fake"
    assert answer["choices"] == [
        {
            "index": 0, "finish_reason": "stop", "logprobs": None,
            "message": {"role": "assistant", "content": "one two three ", "refusal": None},
        }
    ]  # fmt: skip
    assert answer["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}


def test_chat_streams_one_event_a_piece(serve: Serve) -> None:
    body = chat("one two", stream=True, stream_options={"include_usage": True})
    *chunks, usage, done = serve().events_of(CHAT, body)
    assert done == "[DONE]"
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas == [
        {"role": "assistant", "content": ""}, {"content": "one "}, {"content": "two "}, {},
    ]  # fmt: skip
    assert [c["choices"][0]["finish_reason"] for c in chunks] == [None, None, None, "stop"]
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"}
    assert len({c["id"] for c in chunks}) == 1
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == 2


def test_usage_comes_only_when_asked_for(serve: Serve) -> None:
    events = serve().events_of(CHAT, chat("one", stream=True))
    assert all("usage" not in event for event in events[:-1])


def test_completions_answer_each_prompt_n_times(serve: Serve) -> None:
    status, answer = serve().post("/v1/completions", {"prompt": ["a b", "c"], "n": 2})
    assert status == 200
    assert answer["object"] == "text_completion"
    assert [c["text"] for c in answer["choices"]] == ["a b ", "a b ", "c ", "c "]
    assert [c["index"] for c in answer["choices"]] == [0, 1, 2, 3]


def test_completions_stream(serve: Serve) -> None:
    events = serve().events_of("/v1/completions", {"prompt": "a b", "stream": True})
    assert "".join(e["choices"][0]["text"] for e in events[:-1]) == "a b "
    assert events[-2]["choices"][0]["finish_reason"] == "stop"
    assert events[-1] == "[DONE]"


def test_completions_default_to_sixteen_tokens(serve: Serve) -> None:
    _, answer = serve().post("/v1/completions", {"prompt": "x " * 30})
    assert answer["usage"]["completion_tokens"] == 16
    assert answer["choices"][0]["finish_reason"] == "length"


def test_generate_says_text_and_response(serve: Serve) -> None:
    status, answer = serve().post("/api/generate", {"model": "x", "prompt": "one two"})
    assert status == 200
    assert answer["text"] == answer["response"] == "one two "
    assert answer["done"] is True
    assert answer["done_reason"] == "stop"


def test_generate_streams_json_lines(serve: Serve) -> None:
    connection = serve().open("/api/generate", {"prompt": "one two", "stream": True})
    response = connection.getresponse()
    assert response.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in response]
    assert [line["response"] for line in lines] == ["one ", "two ", ""]
    assert [line["done"] for line in lines] == [False, False, True]
    connection.close()


def test_generate_takes_ollamas_options(serve: Serve) -> None:
    model = FakeText()
    options = {"num_predict": 1, "temperature": 0, "seed": 3, "stop": ["x"], "repeat_penalty": 1.1}
    body = {"prompt": "one two", "system": "be brief", "options": options}
    _, answer = serve(model).post("/api/generate", body)
    assert answer["done_reason"] == "length"
    asked = model.asked[0]
    assert (asked.max_tokens, asked.stop) == (1, ("x",))
    assert (asked.sampling.temperature, asked.sampling.seed) == (0, 3)
    assert asked.sampling.repetition_penalty == 1.1
    assert asked.messages is not None
    assert asked.messages[0] == {"role": "system", "content": "be brief"}


def test_raw_generate_leaves_the_template_out(serve: Serve) -> None:
    model = FakeText()
    serve(model).post("/api/generate", {"prompt": "one", "raw": True})
    assert model.asked[0].messages is None
    assert model.asked[0].prompt == "one"


def test_text_parts_are_joined(serve: Serve) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    _, answer = serve().post(CHAT, chat(parts))
    assert answer["choices"][0]["message"]["content"] == "one\ntwo "


def test_fields_that_nobody_knows_are_ignored(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    body = chat("one", user="me", store=False, chat_template="{{ evil }}", n_discard=7)
    assert serve().post(CHAT, body)[0] == 200
    assert "ignored fields: chat_template, n_discard, store, user" in caplog.text


def test_null_means_unset(serve: Serve) -> None:
    names = ("stop", "temperature", "max_tokens", "seed", "stream", "n", "tools", "logprobs")
    assert serve().post(CHAT, chat("one", **dict.fromkeys(names)))[0] == 200


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("temperature", "hot", "temperature"),
        ("temperature", -1, "temperature"),
        ("temperature", True, "temperature"),
        ("top_p", 1.5, "top_p"),
        ("max_tokens", 0, "max_tokens"),
        ("max_tokens", 1.5, "max_tokens"),
        ("stream", "yes", "stream"),
        ("stop", [1], "stop.0"),
        ("stop", ["x"] * 17, "stop"),
        ("stop", "x" * 257, "stop"),
        ("n", 9, "n"),
        ("n", 10**9, "n"),
        ("messages", [], "messages"),
        ("messages", "hi", "messages"),
        ("messages", [{"role": "user", "content": 5}], "messages.0.content"),
        ("messages", [{"content": "x"}], "messages.0.role"),
        ("seed", "x", "seed"),
    ],
)
def test_wrong_values_are_refused_by_name(serve: Serve, field: str, value: Any, param: str) -> None:
    status, answer = serve().post(CHAT, {**chat("one"), field: value})
    assert status == 400, answer
    assert answer["error"]["param"] == param
    assert answer["error"]["type"] == "invalid_request_error"
    assert answer["error"]["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("logprobs", True),
        ("top_logprobs", 3),
        ("logit_bias", {"50256": -100}),
        ("tools", [{"type": "function"}]),
        ("response_format", {"type": "json_object"}),
    ],
)
def test_what_would_change_the_answer_is_refused(serve: Serve, field: str, value: Any) -> None:
    status, answer = serve().post(CHAT, chat("one", **{field: value}))
    assert status == 400
    assert answer["error"]["code"] == "unsupported_parameter"
    assert answer["error"]["param"] == field
    assert answer["error"]["next_step"]


def test_pictures_are_refused_by_a_text_model(serve: Serve) -> None:
    parts = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
    status, answer = serve().post(CHAT, chat(parts))
    assert (status, answer["error"]["code"]) == (400, "unsupported_content")
    assert answer["error"]["param"] == "messages.0.content.0"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b"[]", 400, "invalid_request"),
        (b"null", 400, "invalid_request"),
    ],
)
def test_bodies_that_are_no_request(serve: Serve, body: bytes, status: int, code: str) -> None:
    answered, answer = serve().raw(CHAT, body)
    assert (answered, answer["error"]["code"]) == (status, code)


def test_a_form_is_refused(serve: Serve) -> None:
    status, answer = serve().raw(CHAT, b"{}", "application/x-www-form-urlencoded")
    assert (status, answer["error"]["code"]) == (415, "unsupported_content_type")


def test_a_body_over_the_limit_is_refused(serve: Serve) -> None:
    server = serve(limits=Limits(body_bytes=1000))
    status, answer = server.raw(CHAT, b" " * 1001)
    assert (status, answer["error"]["code"]) == (413, "request_too_large")


def test_a_chunked_body_over_the_limit_is_refused(serve: Serve) -> None:
    server = serve(limits=Limits(body_bytes=1000))
    connection = server.open("/health", b"")  # any request, to get a connection
    connection.getresponse().read()
    connection.request(
        "POST", CHAT, iter([b" " * 600, b" " * 600]), {"Content-Type": "application/json"},
        encode_chunked=True,
    )  # fmt: skip
    assert connection.getresponse().status == 413
    connection.close()


def test_unknown_routes_and_methods_are_typed(serve: Serve) -> None:
    server = serve()
    status, answer = server.post("/v1/embeddings", {"input": "x"})
    assert (status, answer["error"]["code"]) == (404, "route_not_found")
    status, answer = server.get(CHAT)
    assert (status, answer["error"]["code"]) == (405, "method_not_allowed")


def test_an_error_before_the_first_piece_is_no_stream(serve: Serve) -> None:
    status, answer = serve().post(CHAT, chat("refuse", stream=True))
    assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")


def test_an_error_within_a_stream_is_an_event_without_done(serve: Serve) -> None:
    events = serve().events_of(CHAT, chat("one crash two", stream=True))
    assert events[-1]["error"]["code"] == "internal_error"
    assert "[DONE]" not in events


def test_a_crash_is_a_typed_500(serve: Serve) -> None:
    status, answer = serve().post(CHAT, chat("crash"))
    assert (status, answer["error"]["code"]) == (500, "internal_error")
    assert "fake broke" not in answer["error"]["message"]  # the cause is for the log


@pytest.mark.parametrize("streamed", [True, False])
def test_a_client_that_goes_stops_the_work(serve: Serve, streamed: bool) -> None:
    model = FakeText()
    model.steps = threading.Semaphore(1)
    server = serve(model, slots=1)
    connection = server.open(CHAT, chat("a " * 1000, stream=streamed))
    assert model.begun.acquire(timeout=LIMIT)
    if streamed:
        connection.getresponse().read1(10)
    connection.close()
    assert model.ended.acquire(timeout=LIMIT)
    assert model.words_said <= 1
    model.steps = None
    assert server.post(CHAT, chat("next"))[0] == 200  # the slot is free again


def test_requests_are_served_in_turn_and_health_answers(serve: Serve) -> None:
    model = FakeText()
    model.steps = threading.Semaphore(0)
    server = serve(model, slots=1)
    connections = []
    for number in range(3):
        connections.append(server.open(CHAT, chat(f"request{number}")))
        if number == 0:
            assert model.begun.acquire(timeout=LIMIT)
        else:
            wait_waiting(server, number)
    assert server.get("/health") == (200, {"status": "ok"})
    assert len(model.asked) == 1
    for _ in range(3):
        model.steps.release()
    answers = [json.loads(c.getresponse().read()) for c in connections]
    for connection in connections:
        connection.close()
    said = [a["choices"][0]["message"]["content"] for a in answers]
    assert said == ["request0 ", "request1 ", "request2 "]
    assert [a.messages[0]["content"] for a in model.asked if a.messages] == [
        "request0", "request1", "request2",
    ]  # fmt: skip


def wait_waiting(server: Any, count: int) -> None:
    """/api/model/info says how many wait; each answer is one turn of the server's loop."""
    for _ in range(100_000):
        if server.get("/api/model/info")[1]["waiting"] == count:
            return
    pytest.fail("the request never came into the queue")


def test_too_many_waiting_are_sent_away(serve: Serve) -> None:
    model = FakeText()
    model.steps = threading.Semaphore(0)
    server = serve(model, slots=1, limits=Limits(waiting=1))
    first = server.open(CHAT, chat("one"))
    assert model.begun.acquire(timeout=LIMIT)
    second = server.open(CHAT, chat("two"))
    wait_waiting(server, 1)
    third = server.open(CHAT, chat("three"))
    response = third.getresponse()
    assert response.status == 503
    assert response.headers["retry-after"]
    assert json.loads(response.read())["error"]["code"] == "server_busy"
    second.close()  # leaves the queue without having run
    wait_waiting(server, 0)
    model.steps.release()
    assert json.loads(first.getresponse().read())["choices"]
    assert len(model.asked) == 1
    first.close()
    third.close()
