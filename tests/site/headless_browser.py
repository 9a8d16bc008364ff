"""Chromium without a window, driven through the pipe of its own protocol: no driver, no port, no package."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

# With these it asks no server by itself.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
)
SECONDS = 30.0


def chromium() -> str | None:
    """Return the path of the browser, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Visit(NamedTuple):
    """What happened on a page: its errors and warnings, the addresses that it asked, and what was measured."""

    errors: list[str]
    requests: list[str]
    value: Any


class Browser:
    """One browser with one page."""

    def __init__(self, program: str, profile: Path) -> None:
        read_commands, self._commands = os.pipe()
        self._answers, write_answers = os.pipe()
        # The protocol is on descriptors 3 and 4 of the browser.
        line = f'exec "$0" "$@" 3<&{read_commands} 4>&{write_answers}'
        arguments = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", line, *arguments],
            pass_fds=(read_commands, write_answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)
        self._rest = b""
        self._number = 0
        self._session = ""
        self._events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        os.close(self._commands)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its answer; events before it are kept."""
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode("utf-8") + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                result: dict[str, Any] = message["result"]
                return result

    def resize(self, width: int, height: int = 900) -> None:
        """Give the page this size, as that of a telephone if it is narrow."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def visit(self, address: str, script: str) -> Visit:
        """Open a page, wait until it is still, and return what happened and the value of a script."""
        self._events.clear()
        self.call("Page.navigate", url=address)
        end = time.monotonic() + SECONDS
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            if time.monotonic() > end:
                raise TimeoutError(f"{address} was not loaded in {SECONDS} s")
            self._message(0.2)
        # Diagrams are drawn after the page is loaded.
        while time.monotonic() < end and not self.evaluate(DRAWN):
            self._message(0.05)
        value = self.evaluate(script)
        return Visit(_errors(self._events), _requests(self._events), value)

    def evaluate(self, script: str) -> Any:
        """Return the value of a script in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def picture(self, file: Path) -> None:
        """Save what the page shows."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _message(self, seconds: float = SECONDS) -> dict[str, Any]:
        """The next message, or an empty one if none comes in this time; events are also kept."""
        while b"\0" not in self._rest:
            readable, _, _ = select.select([self._answers], [], [], seconds)
            if not readable:
                if seconds < SECONDS:
                    return {}
                raise TimeoutError("the browser does not answer")
            piece = os.read(self._answers, 1 << 20)
            if not piece:
                raise RuntimeError("the browser has ended")
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self._events.append(message)
        return message


# The theme puts each drawn diagram into a shadow tree of a `div.mermaid`; before that it is a `pre.mermaid`.
DRAWN = "document.readyState === 'complete' && document.querySelectorAll('pre.mermaid').length === 0"


def _errors(events: list[dict[str, Any]]) -> list[str]:
    found = []
    for event in events:
        told = event["params"]
        if event["method"] == "Runtime.exceptionThrown":
            found.append(told["exceptionDetails"]["text"] + str(told["exceptionDetails"].get("exception", "")))
        elif event["method"] == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            found.append(" ".join(str(value.get("value", value.get("description"))) for value in told["args"]))
        elif event["method"] == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            found.append(told["entry"]["text"] + " " + told["entry"].get("url", ""))
    return found


def _requests(events: list[dict[str, Any]]) -> list[str]:
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
