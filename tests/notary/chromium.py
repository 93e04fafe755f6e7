# SPDX-License-Identifier: MIT
"""Chromium without a window, steered through two pipes: what the tests of pages need of its
DevTools protocol. Messages are JSON, each ended by a NUL."""
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

ANSWER_S = 60


def find():
    """The browser's program, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    """One page in a browser of its own. requests: the addresses it asked for; problems: what it
    complained of."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="converge-chromium-")
        to_read, self.commands = os.pipe()
        self.events, to_write = os.pipe()

        def place():  # the browser wants them as 3 and 4
            high = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (to_read, to_write)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-default-apps", "--disable-sync", "--remote-debugging-pipe",
             f"--user-data-dir={self.directory}", "about:blank"],
            preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.received = b""
        self.sent = 0
        self.session = None
        self.requests = []
        self.problems = []
        self.loaded = 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
        except (OSError, EOFError, TimeoutError):
            self.process.kill()
        self.process.wait()
        os.close(self.commands)
        os.close(self.events)
        shutil.rmtree(self.directory, ignore_errors=True)

    def call(self, method, **params):
        """Sends a command; its result."""
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": params}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next()
            if answer.get("id") == self.sent:
                if "error" in answer:
                    raise ValueError(f"{method}: {answer['error']}")
                return answer["result"]

    def next(self):
        """The next message; events are noted."""
        end = time.monotonic() + ANSWER_S
        while b"\0" not in self.received:
            if not select.select([self.events], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            octets = os.read(self.events, 1 << 20)
            if not octets:
                raise EOFError("the browser is gone")
            self.received += octets
        text, _, self.received = self.received.partition(b"\0")
        message = json.loads(text)
        self.note(message.get("method"), message.get("params", {}))
        return message

    def note(self, event, params):
        if event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.problems.append(params["exceptionDetails"]["text"])
        elif event == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"]["text"])
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.problems.append(json.dumps(params["args"]))
        elif event == "Page.loadEventFired":
            self.loaded += 1

    def open(self, url):
        """Goes there, waits until the page has loaded."""
        before = self.loaded
        failed = self.call("Page.navigate", url=url).get("errorText")
        if failed:
            raise ConnectionError(failed)
        while self.loaded == before:
            self.next()

    def run(self, script):
        """What the expression gives, as JSON carries it."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise ValueError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def scheme(self, name):
        """light or dark"""
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": name}])

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)

    def scripts(self, allowed):
        self.call("Emulation.setScriptExecutionDisabled", value=not allowed)

    def screenshot(self):
        """A PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
