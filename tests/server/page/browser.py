"""Chromium without a window, driven over its DevTools protocol by nothing but a WebSocket."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from websockets.sync.client import connect

__all__ = ["Browser", "Tab", "find_chromium", "keep_picture"]

_PICTURES = Path(__file__).resolve().parents[3] / "build" / "screenshots"

_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--remote-debugging-port=0", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
]
_KEYS = {
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35, "Tab": 9, "Enter": 13,
    "Backspace": 8,
}  # fmt: skip


def find_chromium() -> str | None:
    """The path of Chromium: $CHROMIUM, or what Debian and others call it."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


class Browser:
    """A running Chromium with a profile of its own, to be used in a with statement.

    Args:
        path: as `find_chromium` gives it.
        sound: a WAV file that the microphone hears.
    """

    def __init__(self, path: str, *, sound: Path | None = None) -> None:
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        extra = [f"--use-file-for-fake-audio-capture={sound}%noloop"] if sound else []
        command = [path, *_FLAGS, *extra, f"--user-data-dir={self._profile}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self) -> Self:
        marker = Path(self._profile, "DevToolsActivePort")
        waited(lambda: marker.exists() and "\n" in marker.read_text(), "Chromium to start", seconds=30)
        port, path = marker.read_text().split()
        self._address = f"ws://127.0.0.1:{port}"
        self._control = Channel(self._address + path)
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    def tab(self, address: str, **look: Any) -> "Tab":
        """A new tab with storage of its own, at an address; `look` as of `Tab.look`."""
        context = self._control.ask("Target.createBrowserContext")["browserContextId"]
        target = self._control.ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        tab = Tab(Channel(f"{self._address}/devtools/page/{target}"))
        tab.look(**look)
        tab.open(address)
        return tab


def keep_picture(tab: "Tab", name: str) -> None:
    """Keep what a tab shows as build/screenshots/NAME.png, for people to look at, where PENSTOCK_PICTURES is set."""
    if os.environ.get("PENSTOCK_PICTURES"):
        tab.picture(_PICTURES / f"{name}.png")


_BETWEEN_PAGES = ("navigated or closed", "Not attached to an active page", "Cannot find context")


class Channel:
    """Questions and answers of the DevTools protocol; what is told unasked is kept in `events`."""

    def __init__(self, address: str) -> None:
        self._open = ExitStack()
        self._socket = self._open.enter_context(connect(address, max_size=None, compression=None))
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        end = time.monotonic() + 10
        while True:
            message = self._answer(method, parameters)
            if "error" not in message:
                return message["result"]
            # While a page gives way to the next one, nobody is there to answer: ask again.
            if time.monotonic() > end or not any(words in message["error"]["message"] for words in _BETWEEN_PAGES):
                raise AssertionError(f"{method}: {message['error']['message']}")
            time.sleep(0.05)

    def _answer(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=30))
            if message.get("id") == self._number:
                return message
            self.events.append(message)

    def close(self) -> None:
        self._open.close()


class Tab:
    """One page as a person sees it.

    Attributes:
        requests: the addresses that it has asked for, WebSockets too.
        complaints: what its console showed as an error or a warning.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        for domain in ("Page", "Runtime", "Network", "Log"):
            channel.ask(f"{domain}.enable")

    def look(self, *, width: int = 1180, height: int = 900, dark: bool = False, language: str = "en-GB") -> None:
        """How the page is looked at: size in CSS pixels, colours, the browser's language."""
        self._channel.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if width < 500 else 1, mobile=width < 500,
        )  # fmt: skip
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._channel.ask("Emulation.setEmulatedMedia", features=scheme)
        agent = self.value("navigator.userAgent")
        self._channel.ask("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    def open(self, address: str) -> None:
        """Go there."""
        self._channel.ask("Page.navigate", url=address)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives, awaited if it is a promise."""
        answer = self._channel.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = 10) -> None:
        """Until a JavaScript expression is true."""
        waited(lambda: self.value(f"Boolean({expression})"), expression, seconds=seconds)

    def text(self, selector: str) -> str:
        """What an element says."""
        return self.value(f"document.querySelector({json.dumps(selector)}).innerText")

    def box(self, selector: str) -> list[float]:
        """Where an element lies: [x, y, width, height] in the window."""
        found = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        return self.value(f"(({{ x, y, width, height }}) => [x, y, width, height])({found})")

    def click(self, selector: str) -> None:
        """Click on an element's middle, as a mouse does."""
        self.value(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        x, y, width, height = self.box(selector)
        x, y = x + width / 2, y + height / 2
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """mousePressed, mouseMoved (with the button held) or mouseReleased at a place."""
        self._channel.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def write(self, text: str) -> None:
        """Put text where the cursor is, as an input method does."""
        self._channel.ask("Input.insertText", text=text)

    def press(self, key: str, times: int = 1) -> None:
        """Press a key: a name like ArrowLeft, or a character."""
        code = _KEYS.get(key, ord(key[0].upper()))
        text = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
        for _ in range(times):
            self._channel.ask("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
            self._channel.ask("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a <select>."""
        self.value(
            f"(() => {{ const select = document.querySelector({json.dumps(selector)});"
            f"select.value = {json.dumps(value)}; select.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
        )

    def choose_file(self, selector: str, path: Path) -> None:
        """Give a file to an <input type=file>."""
        root = self._channel.ask("DOM.getDocument")["root"]["nodeId"]
        node = self._channel.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._channel.ask("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def offline(self, offline: bool) -> None:
        """Take the network away, or give it back."""
        self._channel.ask(
            "Network.emulateNetworkConditions", offline=offline, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    def tree(self) -> list[dict[str, str]]:
        """What a screen reader finds: role and name of everything that is not hidden from it."""
        nodes = self._channel.ask("Accessibility.getFullAXTree")["nodes"]
        return [
            {"role": node["role"]["value"], "name": node.get("name", {}).get("value", "")}
            for node in nodes
            if not node["ignored"]
        ]

    def picture(self, path: Path, *, until: str | None = None) -> None:
        """The page as a PNG: all of it, or as far as the end of the element that a selector finds."""
        height = self.value("document.documentElement.scrollHeight")
        if until is not None:
            _, y, _, tall = self.box(until)
            height = y + tall + 16
        width = self.value("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data = self._channel.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))

    @property
    def requests(self) -> list[str]:
        """The addresses that it has asked for, WebSockets too."""
        self.value("0")  # whatever was told until now
        asked = [e["params"]["request"]["url"] for e in self._events("Network.requestWillBeSent")]
        return asked + [e["params"]["url"] for e in self._events("Network.webSocketCreated")]

    @property
    def sent(self) -> list[str]:
        """The messages that its WebSockets have sent."""
        self.value("0")
        return [e["params"]["response"]["payloadData"] for e in self._events("Network.webSocketFrameSent")]

    @property
    def complaints(self) -> list[str]:
        """What its console showed as an error or a warning."""
        self.value("0")
        logged = [e["params"]["entry"] for e in self._events("Log.entryAdded")]
        thrown = [e["params"]["exceptionDetails"] for e in self._events("Runtime.exceptionThrown")]
        said = [e["params"] for e in self._events("Runtime.consoleAPICalled")]
        return (
            [f"{entry['text']} {entry.get('url', '')}" for entry in logged if entry["level"] in ("error", "warning")]
            + [str(each.get("exception", each).get("description", each)) for each in thrown]
            + [str(each["args"]) for each in said if each["type"] in ("error", "warning", "assert")]
        )

    def close(self) -> None:
        """Close the tab's channel."""
        self._channel.ask("Page.close")
        self._channel.close()

    def _events(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self._channel.events if event["method"] == method]


def waited(done: Callable[[], Any], what: str, *, seconds: float) -> None:
    """Ask again and again until it is so."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
