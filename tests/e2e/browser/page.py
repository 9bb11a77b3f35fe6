"""A browser page as a person meets it: things have a role and a name, and are clicked or typed."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .devtools import Chromium, Event, ProtocolError

LIMIT = 30  # seconds to wait for something to appear
VIEWPORT = (1200, 860)

# Ends as soon as the page changes, at the latest after `ms`.
NEXT_CHANGE = """new Promise((resolve) => {
  const done = () => { observer.disconnect(); clearTimeout(timer); resolve(true) }
  const observer = new MutationObserver(done)
  observer.observe(document, {subtree: true, childList: true, attributes: true,
                              characterData: true})
  const timer = setTimeout(done, %d)
})"""

KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "ArrowDown": (40, "")}


class Page:
    """One tab. Remembers what it requested and everything that it complained about."""

    def __init__(self, browser: Chromium) -> None:
        self._browser = browser
        # A context of its own: session storage and cache are not shared with other pages.
        self._context = browser.send("Target.createBrowserContext")["browserContextId"]
        target = browser.send(
            "Target.createTarget", url="about:blank", browserContextId=self._context
        )["targetId"]
        self._session = browser.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        self.requests: list[str] = []
        self.complaints: list[str] = []
        browser.listeners.append(self._hear)
        for domain in ("Page", "Runtime", "Network", "Log", "DOM", "Accessibility"):
            self.send(f"{domain}.enable")
        self.resize(*VIEWPORT)

    def close(self) -> None:
        self._browser.listeners.remove(self._hear)
        self._browser.send("Target.disposeBrowserContext", browserContextId=self._context)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.send(method, self._session, **parameters)

    def _hear(self, event: Event) -> None:
        if event.get("sessionId") != self._session:
            return
        said = event["params"]
        match event["method"]:
            case "Network.requestWillBeSent":
                self.requests.append(said["request"]["url"])
            case "Runtime.exceptionThrown":
                details = said["exceptionDetails"]
                thrown = details.get("exception", {})
                self.complaints.append(thrown.get("description", str(details)))
            case "Runtime.consoleAPICalled" if said["type"] in ("error", "warning", "assert"):
                self.complaints.append(" ".join(str(a.get("value", a)) for a in said["args"]))
            case "Log.entryAdded" if said["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"{said['entry']['text']} ({said['entry'].get('url', '')})")

    # What the page is shown on

    def resize(self, width: int, height: int) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
            mobile=False,
        )  # fmt: skip

    def prefer(self, scheme: str) -> None:
        """What the person's system asks for: "light" or "dark"."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    # Going and looking

    def goto(self, url: str) -> None:
        self.send("Page.navigate", url=url)

    @property
    def url(self) -> str:
        return str(self.evaluate("location.href"))

    def evaluate(self, expression: str) -> Any:
        answer = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise ProtocolError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def text(self) -> str:
        """Everything that can be read on the page."""
        return str(self.evaluate("document.body?.innerText ?? ''"))

    def until(self, what: str, probe: Callable[[], Any], seconds: float = LIMIT) -> Any:
        """The probe's first true answer; it is asked again whenever the page changes."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = probe()
                if answer:
                    return answer
                if time.monotonic() > deadline:
                    break
                self.evaluate(NEXT_CHANGE % 250)
            except ProtocolError:  # it is between two documents
                if time.monotonic() > deadline:
                    raise
        raise AssertionError(f"not within {seconds} s: {what}\n--- the page says\n{self.text()}")

    def sees(self, text: str, seconds: float = LIMIT) -> None:
        """Waits until the page says this; letter case and line breaks do not matter."""
        wanted = _plain(text)
        self.until(f"the page says {text!r}", lambda: wanted in _plain(self.text()), seconds)

    def no_longer_sees(self, text: str, seconds: float = LIMIT) -> None:
        unwanted = _plain(text)
        self.until(
            f"the page stops saying {text!r}", lambda: unwanted not in _plain(self.text()), seconds
        )

    # Finding by role and name, as the accessibility tree has them

    def all(self, role: str, name: str = "") -> list[int]:
        """DOM nodes with this role whose name fits the regular expression, in page order."""
        root = self.send("Runtime.evaluate", expression="document.documentElement")["result"]
        if "objectId" not in root:
            raise ProtocolError("there is no document yet")
        found = self.send("Accessibility.queryAXTree", objectId=root["objectId"], role=role)
        pattern = re.compile(name)
        return [
            node["backendDOMNodeId"]
            for node in found["nodes"]
            if not node["ignored"] and pattern.search(node.get("name", {}).get("value", ""))
        ]

    def find(self, role: str, name: str = "", seconds: float = LIMIT) -> int:
        found = self.until(f"a {role} named {name!r}", lambda: self.all(role, name), seconds)
        return int(found[0])

    def enabled(self, role: str, name: str = "", seconds: float = LIMIT) -> int:
        """Finds it and waits until it can be used."""

        def probe() -> int | None:
            usable = [n for n in self.all(role, name) if not self.call(n, "return this.disabled")]
            return usable[0] if usable else None

        return int(self.until(f"a {role} named {name!r} that is enabled", probe, seconds))

    def call(self, node: int, body: str) -> Any:
        """Runs a function body with `this` being the node."""
        handle = self.send("DOM.resolveNode", backendNodeId=node)["object"]["objectId"]
        answer = self.send(
            "Runtime.callFunctionOn", objectId=handle, functionDeclaration=f"function() {{{body}}}",
            returnByValue=True,
        )  # fmt: skip
        return answer["result"].get("value")

    # Doing

    def click(self, role: str, name: str = "", seconds: float = LIMIT) -> None:
        """A real click in the middle of what is shown."""
        node = self.enabled(role, name, seconds)
        self.send("DOM.scrollIntoViewIfNeeded", backendNodeId=node)
        box = self.send("DOM.getContentQuads", backendNodeId=node)["quads"][0]
        x, y = sum(box[0::2]) / 4, sum(box[1::2]) / 4
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                buttons=0 if kind == "mouseMoved" else 1, clickCount=1,
            )  # fmt: skip

    def fill(self, name: str, text: str) -> None:
        """Replaces the content of the field with this label."""
        node = self.enabled("textbox", name)
        self.call(node, "this.focus(); this.select()")
        self.send("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """One key, such as "Enter", "g" or "?"."""
        code, text = KEYS.get(key, (ord(key.upper()) if len(key) == 1 else 0, key))
        common = {"key": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def focused(self) -> str:
        """What has the keyboard: "BUTTON Start", "INPUT Message"."""
        return str(
            self.evaluate(
                "(({tagName, ariaLabel, textContent}) => `${tagName} ${ariaLabel || textContent}`)"
                "(document.activeElement)"
            )
        )

    def foreign_requests(self, origin: str) -> list[str]:
        """What it asked of anybody but `origin`."""
        allowed = {urlsplit(origin).netloc}
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme in ("http", "https", "ws", "wss")
            and urlsplit(url).netloc not in allowed
        ]


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
