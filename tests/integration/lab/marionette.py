# SPDX-License-Identifier: MIT
"""Mozilla's remote control, as far as the tests need it: a client for one browser.

A packet is its length in decimal, a colon, and JSON: [0, id, command, parameters] goes out,
[1, id, error, result] comes back. Several commands may be on their way at once."""
import json

READ_S = 60  # how long an answer may take


class Error(Exception):
    """What the browser answered instead of a result. kind: WebDriver's word for it."""

    def __init__(self, error):
        super().__init__("%s: %s" % (error["error"], error["message"]))
        self.kind = error["error"]
        self.message = error["message"]


class Marionette:
    """connection: a connected socket. Use call(), or send() now and answer() later."""

    def __init__(self, connection):
        self.connection = connection
        self.connection.settimeout(READ_S)
        self.file = connection.makefile("rb")
        self.sent = 0
        self.answers = {}
        self._packet()  # the greeting
        self.call("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {
            "acceptInsecureCerts": False, "unhandledPromptBehavior": "ignore"}}})

    def _packet(self):
        length = b""
        while (digit := self.file.read(1)) != b":":
            if not digit.isdigit():
                raise ConnectionError("the browser is gone")
            length += digit
        return json.loads(self.file.read(int(length)))

    def send(self, command, parameters=None):
        """Sends a command; returns its number, for answer()."""
        self.sent += 1
        packet = json.dumps([0, self.sent, command, parameters or {}]).encode()
        self.connection.sendall(b"%d:%s" % (len(packet), packet))
        return self.sent

    def answered(self):
        """Reads one answer, whichever comes; returns its number."""
        _, number, error, result = self._packet()
        self.answers[number] = (error, result)
        return number

    def answer(self, number):
        """Waits for this command's answer. Raises Error if it is one."""
        while number not in self.answers:
            self.answered()
        error, result = self.answers.pop(number)
        if error:
            raise Error(error)
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def call(self, command, parameters=None):
        return self.answer(self.send(command, parameters))

    def navigate(self, url):
        """Raises Error if there is no page but the browser's own about an error."""
        self.call("WebDriver:Navigate", {"url": url})

    def source(self):
        return self.call("WebDriver:GetPageSource")

    def url(self):
        return self.call("WebDriver:GetCurrentURL")

    def new_tab(self):
        """Opens a tab and turns to it; returns its handle."""
        handle = self.call("WebDriver:NewWindow", {"type": "tab"})["handle"]
        self.switch(handle)
        return handle

    def tab(self):
        return self.call("WebDriver:GetWindowHandle")

    def switch(self, handle):
        self.call("WebDriver:SwitchToWindow", {"handle": handle, "focus": True})

    def script(self, text, *arguments, context="content", command="ExecuteScript"):
        """Runs the body of a function, in the page or (context="chrome") in the browser itself."""
        self.call("Marionette:SetContext", {"value": context})
        try:
            return self.call("WebDriver:" + command, {"script": text, "args": list(arguments)})
        finally:
            self.call("Marionette:SetContext", {"value": "content"})

    def async_script(self, text, *arguments, context="content"):
        """As script(); the function's last argument is to be called with the result."""
        return self.script(text, *arguments, context=context, command="ExecuteAsyncScript")

    def quit(self):
        self.send("Marionette:Quit", {"flags": ["eForceQuit"]})
