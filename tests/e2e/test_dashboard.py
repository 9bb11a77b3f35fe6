"""The dashboard in a real browser, from a model's name to its answer, and when llmd is away."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.devtools import Chromium, chromium
from browser.page import Page

from fixture_hub.faults import Fault
from fixture_hub.server import FixtureHub
from helpers import CAPITAL, GGUF
from llmd_harness import Daemon

SHORT = GGUF.split("/")[1]
INSTALL_LIMIT = 120


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    executable = chromium()
    assert executable, "no Chromium: ./setup.sh deps installs one"
    with Chromium(executable) as running:
        yield running


@pytest.fixture
def page(browser: Chromium, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab of its own. A failed test leaves a picture where $LLMD_SCREENSHOTS says."""
    page = Page(browser)
    yield page
    folder = os.environ.get("LLMD_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(Path(folder) / f"{request.node.name}.png")
    page.close()


def dashboard(daemon: Daemon) -> str:
    """The address that llmctl prints, with its token."""
    return str(daemon.llmctl("dashboard", "--json").ok().json["url"])


def shoot(page: Page, name: str) -> None:
    folder = os.environ.get("LLMD_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(Path(folder) / f"{name}.png")


def test_a_model_from_its_name_to_an_answer(page: Page, daemon: Daemon, hub: FixtureHub) -> None:
    page.goto(dashboard(daemon))
    page.sees("No model is installed yet")
    page.fill("Repository or local folder", GGUF)
    page.press("Enter")
    page.find("button", "^Install \\(")
    page.sees("llama.cpp")
    shoot(page, "check")

    # Slow, so that the progress is there to be seen.
    hub.faults.replace([Fault(side="cdn", rate=30e6)])
    page.click("button", "^Install \\(")
    page.find("progressbar")
    page.until("part of it is there", lambda: re.search(r"[2-6]\d\.\d MiB of 93\.8", page.text()))
    shoot(page, "installing")
    page.find("button", "^Start$", INSTALL_LIMIT)
    assert GGUF in daemon.llmctl.models()

    page.click("button", "^Start$")
    page.find("button", "^Stop$", 60)
    page.sees("ready")
    assert daemon.llmctl.servers()[GGUF]["state"] == "ready"
    shoot(page, "ready")

    page.click("link", "^Chat$")
    page.click("button", "^Chat settings$")
    page.fill("Temperature", "0")
    page.press("Escape")
    page.fill("Message", CAPITAL)
    page.press("Enter")
    page.sees("Paris", 60)
    shoot(page, "chat")

    page.click("link", "^Models")
    page.click("button", "^Stop$")
    page.find("button", "^Start$")
    assert daemon.llmctl.servers().get(GGUF, {"state": "stopped"})["state"] == "stopped"

    page.click("link", "^Jobs")
    page.click("link", SHORT)
    page.sees("is installed in")
    shoot(page, "job")
    assert page.complaints == []
    assert page.foreign_requests(daemon.url) == []


def test_what_others_do_is_seen_at_once(page: Page, daemon: Daemon) -> None:
    page.goto(dashboard(daemon))
    page.sees("No model is installed yet")
    daemon.llmctl.install(GGUF)
    page.find("button", "^Start$")
    daemon.llmctl("start", GGUF, "--json").ok()
    page.find("button", "^Stop$")
    daemon.llmctl("remove", GGUF, "--yes", "--force", "--json").ok()
    page.sees("No model is installed yet")


def test_it_says_that_llmd_is_away_and_comes_back(page: Page, daemon: Daemon) -> None:
    page.goto(dashboard(daemon))
    page.sees("No model is installed yet")
    address = daemon.url.removeprefix("http://")
    daemon.terminate()
    page.sees("llmd is away")
    shoot(page, "away")
    daemon.start(listen=address)
    page.no_longer_sees("llmd is away")
    page.sees("No model is installed yet")


def test_without_its_token_it_asks_for_one(page: Page, daemon: Daemon) -> None:
    page.goto(daemon.url)
    page.sees("This page needs its token")
    shoot(page, "token")
    page.fill("Address or token", dashboard(daemon))
    page.press("Enter")
    page.sees("No model is installed yet")


def test_an_unknown_repository_is_explained(page: Page, daemon: Daemon) -> None:
    page.goto(dashboard(daemon))
    page.sees("No model is installed yet")
    page.fill("Repository or local folder", "acme/nowhere")
    page.press("Enter")
    page.find("alert")
    page.sees("acme/nowhere")
    assert "Install (" not in page.text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(page: Page, daemon: Daemon, scheme: str) -> None:
    page.prefer(scheme)
    page.goto(dashboard(daemon))
    page.sees("No model is installed yet")
    shoot(page, scheme)
    colour = str(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    red, green, blue = (int(n) for n in colour[colour.index("(") + 1 : -1].split(",")[:3])
    assert (red + green + blue > 384) == (scheme == "light"), colour


def test_the_keyboard_reaches_everything(page: Page, daemon: Daemon) -> None:
    page.goto(dashboard(daemon))
    page.sees("No model is installed yet")
    reached = set()
    for _ in range(14):
        page.press("Tab")
        reached.add(page.focused().split(" ", 1)[1])
    assert {"Models", "Chat", "Jobs", "System", "Repository or local folder"} <= reached, reached
