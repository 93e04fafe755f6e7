# SPDX-License-Identifier: MIT
"""A captive portal before the notaries: it is recognised and said so, what happens stays the
policy's, and nobody but the notaries' hosts is contacted."""
import shutil
import tempfile
import threading

import agentlab
from agentlab import ACCEPT, REFUSE, UNDECIDED, Installation, Leaf, Notary
from loopback import Listener

directory = tempfile.mkdtemp(prefix="converge-notaries-")
good = Leaf(directory, "good")
trio = [Notary(directory, name) for name in ("alpha", "beta", "gamma")]
LOGIN = b"http://login.hotel.example/start?from=here"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: " + LOGIN + b"\r\nContent-Length: 0\r\n\r\n"


class Page:
    """An HTTP server that gives everybody the same answer, whatever is asked."""

    def __init__(self, answer):
        self.answer, self.asked, self.lock = answer, [], threading.Lock()
        self.listener = Listener(self.serve)
        self.port = self.listener.port

    def serve(self, conn):
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                more = conn.recv(4096)
                if not more:
                    return
                head += more
            with self.lock:
                self.asked.append(head)
            conn.sendall(self.answer)
        except OSError:
            pass
        finally:
            conn.close()


class Behind:
    """An installation whose notaries all show a strange certificate, and a page at their relays."""

    def __init__(self, answer, settings=""):
        self.page = Page(answer)
        self.installation = Installation("negative_ttl = 0\n" + settings)
        for notary in trio:
            self.installation.add(notary, pin=PINS[notary.name], relay_port=self.page.port)
        self.installation.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.installation.remove()

    def ask(self):
        return self.installation.ask("site.example.org", 443, good)

    def looked(self, times):
        assert agentlab.until(lambda: len(self.page.asked) >= times), self.page.asked

    def portal(self):
        return self.installation.command("status")[0]["portal"]


PINS = {}


def redirecting():
    """a redirect elsewhere is a portal: said with its address, refused as on_unreachable says"""
    with Behind(REDIRECT) as behind:
        assert behind.ask().reason == "captive-portal", "the first one hears it at once"
        assert behind.portal()["found"] and behind.portal()["url"] == LOGIN.decode()
        answer = behind.ask()
        assert (answer.reason, answer.verdict, answer.action) == \
            ("captive-portal", UNDECIDED, REFUSE), answer.__dict__
        assert "log in to this network first, at " + LOGIN.decode() in answer.text, answer.text
        assert behind.installation.lines("reason=captive-portal")
        older = behind.installation.ask("site.example.org", 443, good, release="")
        assert (older.reason, older.text) == ("unreachable", answer.text), older.__dict__
        entry = behind.installation.command("log")[0]["entries"][-1]
        assert entry["reason"] == "captive-portal" and LOGIN.decode() in entry["text"]
        for _ in range(20):
            behind.ask()
        assert len(behind.page.asked) <= 3, "it looked again at once"
        for head in behind.page.asked:
            assert head.startswith(b"GET /.well-known/converge/portal-check HTTP/1.1\r\n"), head
            assert b"site.example" not in head and b"Cookie" not in head, head


def allowed():
    """where on_unreachable allows, a portal changes nothing but the reason"""
    with Behind(REDIRECT, "on_unreachable = allow\n") as behind:
        assert behind.ask().action == ACCEPT
        assert agentlab.until(lambda: behind.portal()["found"])
        answer = behind.ask()
        assert (answer.reason, answer.action) == ("captive-portal", ACCEPT)


def status_511():
    """511 is a portal that named no address; so is a page where a relay gives none, however long"""
    for page in (b"HTTP/1.1 511 Network Authentication Required\r\nContent-Length: 0\r\n\r\n",
                 b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 100000):
        with Behind(page) as behind:
            behind.ask()
            assert agentlab.until(lambda: behind.portal()["found"])
            assert behind.portal()["url"] == ""
            assert "log in to this network first" in behind.ask().text


def strange_addresses():
    """an address that could play tricks with a terminal is not shown"""
    page = REDIRECT.replace(LOGIN, b"http://x.example/\x1b[2J\"<b>")
    with Behind(page) as behind:
        behind.ask()
        assert agentlab.until(lambda: behind.portal()["found"])
        assert "\x1b" not in behind.portal()["url"] and "\x1b" not in behind.ask().text


def outage():
    """what a relay answers itself, now or originally, is no portal: nothing changes"""
    for line in (b"403 Access Denied", b"404 Unable to connect", b"405 Method Not Allowed",
                 b"503 Service Unavailable"):
        with Behind(b"HTTP/1.0 " + line + b"\r\nContent-Length: 0\r\n\r\n") as behind:
            behind.ask()
            behind.looked(1)
            assert behind.ask().reason == "unreachable"
            assert not behind.portal()["found"]
            assert len(behind.page.asked) == 1, "one notary's word is enough"


def no_http():
    """what is no HTTP at all is no portal"""
    with Behind(b"SSH-2.0-x\r\n" * 1000) as behind:
        behind.ask()
        behind.looked(3)
        assert behind.ask().reason == "unreachable"
        assert not behind.portal()["found"]


def switched_off():
    """portal_check = no asks nobody"""
    with Behind(REDIRECT, "portal_check = no\n") as behind:
        for _ in range(3):
            assert behind.ask().reason == "unreachable"
        assert behind.page.asked == [] and not behind.portal()["found"]


def behind_us():
    """a notary that answers ends it, and while one answers nobody looks"""
    with Behind(REDIRECT) as behind:
        behind.ask()
        assert agentlab.until(lambda: behind.portal()["found"])
        for notary in trio:
            behind.installation.add(notary, relay_port=behind.page.port)
        assert behind.installation.command("reload")[0]["ok"]
        assert behind.ask().reason == "vote"
        assert not behind.portal()["found"]


def main():
    for notary in trio:
        notary.see(good)
        PINS[notary.name] = Leaf(directory, "pin-" + notary.name)
    try:
        agentlab.run([redirecting, allowed, status_511, strange_addresses, outage, no_http,
                      switched_off, behind_us])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


main()
