# SPDX-License-Identifier: MIT
# converge-notaryd from outside: versions 1 and 2, what a probe sees, and what is refused.
import base64
import json
import os
import socket
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import (ASIDE, NOT_PUBLIC, Certificate, Notary, SEEN, Site, Tap, UNREACHABLE, ZERO,
                       current, expect)

tap = Tap()
OTHER_SHA1 = ":".join(["00"] * 20)

directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
two = Certificate(directory.name, "two")
rsa = Certificate(directory.name, "rsa", "rsa")

HOSTS = """
127.0.0.1 site.example sni.example other.example rotating.example both.example
127.0.0.1 plain.example mute.example flood.example several.example refresh.example
127.0.0.2 127.0.0.3.example
127.0.0.2 twin.example
127.0.0.3 twin.example
10.0.0.1 inside.example
10.0.0.1 mixed.example
127.0.0.1 mixed.example
"""


def version_1(notary):
    site = Site(one)

    def yes():
        before = int(time.time())
        status, answer = notary.v1("site.example", site.port, one.sha1)
        expect(status, 200)
        records = answer["fingerprintList"]
        expect([record["fingerprint"] for record in records], [one.sha1])
        expect(before <= int(records[0]["timestamp"]["start"]) <= int(time.time()), True, "start")
        expect(records[0]["timestamp"]["start"], records[0]["timestamp"]["finish"])
        base64.b64decode(answer["signature"], validate=True)
        expect(list(answer), ["fingerprintList", "signature"])
        expect(site.names, ["site.example"], "SNI")

    def from_memory():
        expect(notary.v1("site.example", site.port, one.sha1)[0], 200)
        expect(site.connections, 1)

    def without_fingerprint():
        status, answer = notary.v1("SITE.example.", site.port)
        expect((status, len(answer["fingerprintList"])), (200, 1))
        expect(site.connections, 1)

    def octets():
        answer = notary.raw(b"GET /target/site.example+%d HTTP/1.0\r\n\r\n" % site.port)
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        expect(lines[0], b"HTTP/1.0 200 OK")
        expect(b"Content-Type: application/json" in lines, True, "type")
        expect(b"Connection: close" in lines, True, "close")
        expect(b"Content-Length: %d" % len(body) in lines, True, "length")
        json.loads(body)

    def no():
        status, answer = notary.v1("site.example", site.port, OTHER_SHA1)
        expect((status, [r["fingerprint"] for r in answer["fingerprintList"]]), (409, [one.sha1]))

    def bad_requests():
        for line, status in (("GET /target/ HTTP/1.0", 400), ("GET /target/a.example HTTP/1.0", 400),
                             ("GET /target/a.example+0 HTTP/1.0", 400),
                             ("GET /target/a.example+70000 HTTP/1.0", 400),
                             ("GET /target/a..example+443 HTTP/1.0", 400),
                             ("POST /target/a.example+443 HTTP/1.0", 400),
                             ("PUT /target/a.example+443 HTTP/1.0", 405),
                             ("BREW /target/a.example+443 HTTP/1.0", 405),
                             ("GET / HTTP/1.0", 404), ("GET /v2/query HTTP/1.0", 405),
                             ("GET nonsense", 400), ("POST /v2/query HTTP/1.0", 400)):
            answer = notary.raw(f"{line}\r\n\r\n".encode())
            expect(answer.split(b" ")[1], str(status).encode(), line)

    def bad_fingerprint():
        for body in ("fingerprint=", "fingerprint=AA", "other=AA", "fingerprint=" + "AB" * 20 + "0"):
            answer = notary.raw(f"POST /target/a.example+443 HTTP/1.0\r\nContent-Length: "
                                f"{len(body)}\r\n\r\n{body}".encode())
            expect(answer.split(b" ")[1], b"400", body)

    def bounce_port():
        expect(notary.v1("site.example", site.port, one.sha1, at=notary.bounce_port)[0], 200)

    def kept_alive():
        request = b"GET /target/site.example+%d HTTP/1.1\r\nHost: n\r\n\r\n" % site.port
        answer = notary.raw(request * 3 + request.replace(b"Host", b"Connection: close\r\nHost"))
        expect(answer.count(b"HTTP/1.1 200 OK"), 4)
        expect(answer.count(b"Connection: keep-alive"), 3)

    tap.case("version 1: yes, with one record, by name", yes)
    tap.case("version 1: a second question needs no probe", from_memory)
    tap.case("version 1: GET tells the records; the host is normalised", without_fingerprint)
    tap.case("version 1: the answer's octets", octets)
    tap.case("version 1: another fingerprint is 409 and the list", no)
    tap.case("version 1: bad requests", bad_requests)
    tap.case("version 1: bad fingerprints", bad_fingerprint)
    tap.case("version 1: the bounce port serves the same", bounce_port)
    tap.case("four requests at once on a kept-alive connection", kept_alive)
    site.stop()


def version_2(notary):
    site, second = Site(one), Site(two)

    def several():
        answers = notary.v2(("several.example", site.port, one.sha256),
                            ("several.example", second.port, one.sha256),
                            ("several.example", site.port, ZERO, 77),
                            ("several.example", 1, ZERO))
        expect([a["status"] for a in answers], [SEEN, SEEN, ASIDE, UNREACHABLE])
        expect([a["host"] for a in answers], ["several.example"] * 4)
        expect([a["port"] for a in answers], [site.port, second.port, site.port, 1])
        expect(answers[2]["hint"], 77)
        expect([current(a) for a in answers], [[one.sha256], [two.sha256], [], []])

    def sixteen():
        answers = notary.v2(*[("several.example", site.port, one.sha256)] * 16)
        expect([current(a) for a in answers], [[one.sha256]] * 16)

    def address():
        before = len(site.names)
        answers = notary.v2(("127.0.0.1", site.port, one.sha256))
        expect(current(answers[0]), [one.sha256])
        expect(site.names[before:], [None], "no SNI for an address")

    def address_v6():
        six = Site(one, address="::1")
        answers = notary.v2(("::1", six.port, one.sha256))
        expect((answers[0]["host"], current(answers[0])), ("::1", [one.sha256]))
        six.stop()

    def vanished():
        third = Site(one)
        expect(notary.v2(("several.example", third.port, one.sha256))[0]["status"], SEEN)
        third.stop()
        other, good = (notary.v2(("several.example", third.port, sha256))[0]
                       for sha256 in (ZERO, one.sha256))
        expect((other["status"], len(other["records"]), current(other)), (UNREACHABLE, 1, []))
        expect((good["status"], current(good)), (SEEN, [one.sha256]))

    tap.case("version 2: several targets, signatures good, in order", several)
    tap.case("version 2: what is gone is history, but for who saw the same", vanished)
    tap.case("version 2: sixteen targets", sixteen)
    tap.case("version 2: an IPv4 address is looked at without SNI", address)
    try:
        socket.socket(socket.AF_INET6).bind(("::1", 0))
    except OSError:
        tap.skip("version 2: an IPv6 address", "no IPv6 here")
    else:
        tap.case("version 2: an IPv6 address", address_v6)
    site.stop()
    second.stop()


def certificates(notary):
    def by_name():
        site = Site(one, by_name={"sni.example": two})
        expect(current(notary.v2(("sni.example", site.port, two.sha256))[0]), [two.sha256])
        expect(current(notary.v2(("other.example", site.port, one.sha256))[0]), [one.sha256])
        site.stop()

    def both_kinds():
        site = Site(one, rsa)
        answer = notary.v2(("both.example", site.port, one.sha256))[0]
        expect(current(answer), [one.sha256])
        answer = notary.v2(("both.example", site.port, rsa.sha256))[0]
        expect(sorted(current(answer)), sorted([one.sha256, rsa.sha256]))
        answer = notary.v2(("both.example", site.port, one.sha256))[0]
        expect(sorted(current(answer)), sorted([one.sha256, rsa.sha256]))
        site.stop()

    def both_addresses():
        site = Site(one, address="127.0.0.2")
        twin = Site(two, address="127.0.0.3", port=site.port)
        answer = notary.v2(("twin.example", site.port, two.sha256))[0]
        expect(sorted(current(answer)), sorted([one.sha256, two.sha256]))
        site.stop()
        twin.stop()

    def one_address_closed():
        twin = Site(two, address="127.0.0.3")
        expect(current(notary.v2(("twin.example", twin.port, two.sha256))[0]), [two.sha256])
        twin.stop()

    def one_address_mute():
        mute = Site(mute=True, address="127.0.0.2")
        twin = Site(two, address="127.0.0.3", port=mute.port)
        start = time.monotonic()
        expect(current(notary.v2(("twin.example", twin.port, two.sha256))[0]), [two.sha256])
        expect(time.monotonic() - start < 1.5, True, "it waited for the silent one")
        mute.stop()
        twin.stop()

    def silent_second_look():
        twin = Site(two, address="127.0.0.2")
        mute = Site(mute=True, address="127.0.0.3", port=twin.port)
        start = time.monotonic()
        expect(notary.v1("twin.example", twin.port, one.sha1)[0], 409)
        expect(time.monotonic() - start < 1.7, True, "the no comes too late for a client")
        mute.stop()
        twin.stop()

    def changed():
        site = Site(one)
        expect(notary.v1("rotating.example", site.port, one.sha1)[0], 200)
        site.use(two)
        expect(notary.v1("rotating.example", site.port, one.sha1)[0], 200, "still current")
        status, answer = notary.v1("rotating.example", site.port, two.sha1)
        expect((status, len(answer["fingerprintList"])), (200, 2))
        status, answer = notary.v1("rotating.example", site.port, one.sha1)
        expect((status, len(answer["fingerprintList"])), (409, 2), "the old one is history")
        statement = notary.v2(("rotating.example", site.port, one.sha256))[0]
        expect((statement["status"], current(statement)), (SEEN, [two.sha256]))
        expect(sorted(r["sha256"] for r in statement["records"]), sorted([one.sha256, two.sha256]))
        site.stop()

    tap.case("a site that shows another certificate without SNI", by_name)
    tap.case("RSA and ECDSA at one address: both count after the second look", both_kinds)
    tap.case("two addresses with different certificates: both count", both_addresses)
    tap.case("the first address is closed: the second answers", one_address_closed)
    tap.case("the first address is silent: the second is tried beside it", one_address_mute)
    tap.case("a silent address does not hold up a no", silent_second_look)
    tap.case("a changed certificate: the new one yes, the old one no, history told", changed)


def unreachable(notary):
    def closed():
        expect(notary.v1("site.example", 1, one.sha1)[0], 503)

    def mute():
        site = Site(mute=True)
        start = time.monotonic()
        expect(notary.v1("mute.example", site.port, one.sha1)[0], 503)
        expect(1.8 < time.monotonic() - start < 3.5, True, "two seconds")
        start = time.monotonic()
        expect(notary.v1("mute.example", site.port, one.sha1)[0], 503)
        expect(time.monotonic() - start < 1, True, "remembered")
        expect(site.connections, 1)
        site.stop()

    def not_tls():
        site = Site(answers=b"220 mail.example ESMTP\r\n")
        expect(notary.v1("plain.example", site.port, one.sha1)[0], 503)
        site.stop()

    def no_such_name():
        expect(notary.v1("nowhere.invalid", 443, one.sha1)[0], 503)

    tap.case("a closed port is 503", closed)
    tap.case("a target that never speaks is 503 after two seconds, at once the next time", mute)
    tap.case("a target that does not speak TLS is 503", not_tls)
    tap.case("a name that does not exist is 503", no_such_name)


def single_flight(notary):
    site = Site(one, delay=0.3)
    results = []

    def ask(digest):
        try:
            results.append(notary.v1("flood.example", site.port, digest)[0])
        except OSError as problem:
            results.append(repr(problem))

    def together():
        threads = [threading.Thread(target=ask, args=(one.sha1,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(results, [200] * 20)
        expect(site.connections, 1)

    def random_fingerprints():
        results.clear()
        for i in range(20):
            ask(":".join([f"{i:02X}"] * 20))
        expect(results, [409] * 20)
        expect(site.connections <= 5, True, f"{site.connections} connections")

    tap.case("twenty ask at once: one connection to the target", together)
    tap.case("random fingerprints: one probe with its second look", random_fingerprints)
    site.stop()


def special_addresses():
    site = Site(one)
    # The name is allowed by nothing: 127.0.0.1 is special.
    with Notary(hosts=HOSTS, allow="") as notary:
        def refused():
            answers = notary.v2(("127.0.0.1", site.port, one.sha256),
                                ("site.example", site.port, one.sha256),
                                ("inside.example", 443, one.sha256), ("::1", 443, one.sha256),
                                ("printer.local", 443, one.sha256), ("10.1.2.3", 443, one.sha256),
                                ("::ffff:10.0.0.1", 443, one.sha256),
                                ("169.254.169.254", 80, one.sha256))
            expect([a["status"] for a in answers], [NOT_PUBLIC] * 8)
            expect([a["records"] for a in answers], [[]] * 8)
            expect(site.connections, 0)

        def refused_v1():
            expect(notary.v1("site.example", site.port, one.sha1)[0], 503)
            expect(site.connections, 0)

        tap.case("special-purpose targets: NOT_PUBLIC, signed, no connection", refused)
        tap.case("special-purpose targets: 503 in version 1", refused_v1)
    with Notary(hosts=HOSTS) as notary:
        def mixed():
            answer = notary.v2(("mixed.example", site.port, one.sha256))[0]
            expect((answer["status"], current(answer)), (SEEN, [one.sha256]))

        tap.case("a name with special-purpose and permitted addresses: only those are looked at",
                 mixed)
    site.stop()


def freshness():
    site = Site(one)
    with Notary(hosts=HOSTS, settings="max_observation_age = 2s\nprobe_interval = 100ms\n") as n:
        def aged():
            expect(n.v1("site.example", site.port, one.sha1)[0], 200)
            site.use(two)
            deadline = time.monotonic() + 10
            while n.v1("site.example", site.port, one.sha1)[0] != 409:
                expect(time.monotonic() < deadline, True, "it is endorsed for ever")
                time.sleep(0.1)
            expect(n.v1("site.example", site.port, two.sha1)[0], 200)

        tap.case("an observation does not outlive its age, even if asked for all the time", aged)
    site.stop()


with Notary(hosts=HOSTS) as shared:
    version_1(shared)
    version_2(shared)
    certificates(shared)
    unreachable(shared)
    single_flight(shared)
special_addresses()
freshness()
tap.done()
