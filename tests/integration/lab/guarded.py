# SPDX-License-Identifier: MIT
"""Firefox with Converge's module in its profile, and what must come of a visit: of what it shows,
of the attacker's log and of the agent's."""
import contextlib
import time

from . import browser, expect

PROGRAM = "firefox-esr"  # what the log calls it
PATIENCE_S = 30
AGREE = {"verdict": "agree", "action": "accept", "pki": "ok"}
DISAGREE = {"verdict": "disagree", "action": "refuse", "pki": "ok"}
UNDECIDED = {"verdict": "undecided", "action": "refuse", "pki": "ok"}


def url(host, port=443):
    return "https://%s:%d/" % (host, port)


@contextlib.contextmanager
def firefox(lab, installation=None, preferences=None):
    """Yields the remote control of one, with Converge's module if there is an installation."""
    profile = browser.Profile(lab, preferences=preferences)
    if installation:
        profile.database.add_module()
    run = browser.Browser(lab, profile, installation=installation)
    try:
        yield run.remote
    finally:
        run.stop()
    if run.process.returncode != 0:
        raise RuntimeError("Firefox did not end by itself: " + run.log())


class Guarded:
    """Firefox with the module, asking one installation."""

    def __init__(self, lab, remote, installation):
        self.lab = lab
        self.remote = remote
        self.installation = installation

    def logged(self, host, port, **wanted):
        return expect.logged(self.installation, host, port, PROGRAM, **wanted)

    def loads(self, host, port=443):
        page = browser.visit(self.remote, url(host, port))
        return expect.together(expect.allowed(page), self.logged(host, port, **AGREE))

    def warns(self, host, port=443, **wanted):
        """The person sees Firefox's own warning; the attacker has seen no request."""
        page = browser.visit(self.remote, url(host, port))
        return expect.together(warning(page), expect.refused(self.lab, page, host),
                               self.logged(host, port, **wanted))


def warning(page):
    if page.code == "SEC_ERROR_UNTRUSTED_CERT" and "Warning: " in page.text:
        return ""
    return "not the warning about an untrusted certificate\n%s" % page


def unguarded(result, lab, remote, name):
    """After switching off: as if the module had never been there."""
    result.check("the module is gone", "" if "Converge" not in browser.modules(remote) else
                 "it is still there")
    page = browser.visit(remote, url(lab.sites["hijacked"].host(name)))
    result.check("nothing is checked any more", "" if page.fooled else str(page))


def until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("waited in vain")
        time.sleep(0.05)
