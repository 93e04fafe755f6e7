# SPDX-License-Identifier: MIT
"""The Python in README.md, doc/integrating.md and bindings/python/README.md, run as it stands: its
example.org is a site on the loopback, and its agent one that says what we want."""
import ast
import asyncio
import inspect
import os
import socket
import ssl
import sys
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import conformance_world
import converge
import snippets
from notarylab import Tap, Unavailable
from packagelab import ListeningSite
from toolbox import contains, same, wait_for

OWN = "bindings/python/README.md"
SITE = "example.org"
PHRASE = "the fake agent says so"


class World:
    """A site, what it received, and an agent with one answer."""

    def __init__(self, answer):
        self.installation = snippets.Asked(answer)
        self.received = []
        self.site = ListeningSite(self.installation.directory, self.received, SITE)
        self.resolve = socket.getaddrinfo

    def getaddrinfo(self, host, port, *arguments, **options):
        here = ("127.0.0.1", self.site.port) if host == SITE else (host, port)
        return self.resolve(*here, *arguments, **options)

    def __enter__(self):
        variables = {**self.installation.variables(), "SSL_CERT_FILE": self.site.certificate}
        self.patches = [mock.patch.dict(os.environ, variables),
                        mock.patch("socket.getaddrinfo", self.getaddrinfo)]
        for patch in self.patches:
            patch.start()
        return self

    def __exit__(self, *_):
        for patch in self.patches:
            patch.stop()
        self.installation.close()


def block(document, word):
    found = [text for text in snippets.blocks(document, "python") if word in text]
    assert len(found) == 1, f"{document}: {len(found)} blocks with {word!r}"
    return found[0]


def execute(text, **names):
    """As a module, where `await` may stand at the top."""
    code = compile(text, "document", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names.update(asyncio=asyncio, converge=converge, ssl=ssl)
    run = eval(code, names)  # a coroutine, where there is an await
    if inspect.iscoroutine(run):
        asyncio.run(run)
    return names


def sends_only_what_is_confirmed(action, raised=converge.CertificateRefused):
    with World(snippets.GOOD) as world:
        action(world)
        wait_for(lambda: world.received)
        contains(b"".join(world.received).decode(), " / HTTP/1.")
    with World(snippets.REFUSED) as world:
        try:
            action(world)
        except raised as refused:
            contains(str(refused), PHRASE)
        else:
            raise AssertionError("it was not refused")
        wait_for(lambda: world.received)
        same(b"".join(world.received), b"")


def connection():
    sends_only_what_is_confirmed(lambda _: execute(block(OWN, "create_connection")))


def streams():
    text = block(OWN, "open_connection")
    sends_only_what_is_confirmed(lambda _: asyncio.run(execute(text)["fetch"](SITE)))


def urllib3_and_requests():
    try:
        import urllib3
    except ImportError:
        raise Unavailable("no urllib3") from None
    before = urllib3.connectionpool.HTTPSConnectionPool.ConnectionCls
    names = execute(block(OWN, "urllib3"), urllib3=urllib3)

    def get(world):
        same(urllib3.connectionpool.HTTPSConnectionPool.ConnectionCls, names["CheckedConnection"])
        with urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=world.site.certificate,
                                 retries=False) as pool:
            pool.request("GET", f"https://{SITE}/")
    try:
        sends_only_what_is_confirmed(get, urllib3.exceptions.SSLError)
    finally:
        urllib3.connectionpool.HTTPSConnectionPool.ConnectionCls = before


def questions():
    names = {"sha256": snippets.FINGERPRINT, "der": b"0"}
    text = block(OWN, "check_async").replace('"AA:BB:..."', repr(snippets.FINGERPRINT))
    with World(snippets.GOOD) as world:
        last = execute(text, **names)
        same((last["code"], last["result"].verdict), (0, "agree"))
        same(len(world.installation.read("questions").splitlines()), 4)
    with World(snippets.REFUSED):
        try:
            execute(text, **names)
        except converge.CertificateRefused as refused:
            same(refused.result.code, 28)
        else:
            raise AssertionError("it was not refused")


def front_page():
    text, = snippets.blocks("README.md", "python")
    for answer, code in ((snippets.GOOD, 0), (snippets.REFUSED, 28)):
        with World(answer):
            same(execute(text, sha256_of_the_certificate=snippets.FINGERPRINT)["result"].code, code)


def shortest():
    text = snippets.blocks(snippets.INTEGRATING, "python")[0]

    def ask(world):
        context = ssl.create_default_context()
        with socket.create_connection((SITE, 443)) as plain:
            with context.wrap_socket(plain, server_hostname=SITE) as tls:
                execute(text, tls=tls)
                tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
                tls.recv(100)
    sends_only_what_is_confirmed(ask)


def configurations():
    """What doc/integrating.md says of a configuration that says the same of every site: with the real
    agent."""
    for settings, code in (({"mode": "monitor"}, 0), ({}, 50)):
        installation = conformance_world.World(None, [], settings, False)
        try:
            with mock.patch.dict(os.environ, installation.environment({"CONVERGE": "off"})):
                result = converge.check("www.example.org", 443, snippets.FINGERPRINT)
            same((result.code, result.reason), (code, "no-notaries"))
        finally:
            installation.close()


def main():
    tap = Tap()
    tap.case("README.md", front_page)
    tap.case(f"{OWN}: a connection", connection)
    tap.case(f"{OWN}: asyncio's streams", streams)
    tap.case(f"{OWN}: urllib3", urllib3_and_requests)
    tap.case(f"{OWN}: questions", questions)
    tap.case(f"{snippets.INTEGRATING}: the shortest call", shortest)
    tap.case(f"{snippets.INTEGRATING}: configurations that say the same of every site",
             configurations)
    tap.done()


if __name__ == "__main__":
    main()
