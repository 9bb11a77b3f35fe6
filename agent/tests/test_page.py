"""The page that --ui serves, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from browser.devtools import Chromium, chromium
from browser.page import Page
from conftest import Serve
from helpers import FakeText

BROWSER = chromium()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")


@pytest.fixture
def page() -> Iterator[Page]:
    assert BROWSER is not None
    with Chromium(BROWSER) as browser:
        yield Page(browser)


def test_it_chats(serve: Serve, page: Page) -> None:
    model = FakeText()
    server = serve(model, ui=True)
    page.goto(f"{server.endpoint}/")
    page.sees("org/fake")
    page.sees("llm served by fake")
    page.fill("Your message", "one two three")
    page.press("Enter")
    said = "document.querySelector('.assistant')?.textContent"
    page.until("it answers", lambda: page.evaluate(said) == "one two three ")
    page.fill("Your message", "refuse")
    page.click("button", "Send")
    page.sees("the fake refuses")
    messages = model.asked[-1].messages
    assert messages is not None
    assert [m["role"] for m in messages] == ["user", "assistant", "user"]
    assert page.foreign_requests(server.endpoint) == []


def test_it_says_that_the_model_is_loading(serve: Serve, page: Page) -> None:
    model = FakeText()
    model.may_load.clear()
    server = serve(model, ui=True, wait=False)
    server.next_event()
    page.goto(f"{server.endpoint}/")
    page.sees("loading")
    model.may_load.set()
    page.sees("llm served by fake")
    assert page.complaints == []
