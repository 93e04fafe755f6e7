# SPDX-License-Identifier: MIT
# What is limited, and what a client gets over the limit: one case for each row of "Limits" in
# doc/notary.md that no other test holds.
import os
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, Site, Tap, expect

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
HOSTS = "127.0.0.1 site.example other.example\n"


def head_of(notary, request):
    """The status and the header fields of one answer."""
    head = notary.raw(request).partition(b"\r\n\r\n")[0].decode()
    first, *lines = head.split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split(" ")[1]), fields


def asking(host, port):
    return f"GET /target/{host}+{port} HTTP/1.0\r\n\r\n".encode()


def queries():
    """Over queries_per_minute: 429 with Retry-After, also for what memory knows."""
    site = Site(one)
    with Notary(hosts=HOSTS, settings="queries_per_minute = 3\n") as notary:
        for _ in range(3):
            expect(head_of(notary, asking("site.example", site.port))[0], 200)
        status, fields = head_of(notary, asking("site.example", site.port))
        expect(status, 429)
        expect(1 <= int(fields["retry-after"]) <= 20, True, fields)
        expect(head_of(notary, b"GET /bundle.notary HTTP/1.0\r\n\r\n")[0], 200, "the bundle")
    site.stop()


def targets_of_one_request():
    """Each target of a version 2 request counts."""
    with Notary(hosts=HOSTS, settings="queries_per_minute = 3\n") as notary:
        expect(notary.v2(*[("site.local", port, "00" * 32) for port in range(1, 5)]), 429)


tap.case("queries of one network over queries_per_minute: 429", queries)
tap.case("a request of several targets over queries_per_minute: 429", targets_of_one_request)
tap.done()
