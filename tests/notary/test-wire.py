# SPDX-License-Identifier: MIT
# What goes over the wire, octet by octet: version 1 as the original client speaks it, and HTTP on
# kept-alive connections. What HTTP refuses is in test-http-conformance; here is that it is sent.
import email.utils
import os
import re
import socket
import ssl
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, Site, Tap, expect, free_ports, read_all

STARTED = int(time.time())
tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
other = Certificate(directory.name, "other")
site = Site(one)
HOSTS = "127.0.0.1 site.example\n"
TARGET = f"/target/site.example+{site.port}"
notary = Notary(hosts=HOSTS, settings="workers = 2\n")


def original_post(path, fingerprint):
    """As the original client sends it: HTTP/1.0, no Host."""
    body = f"fingerprint={fingerprint}"
    return (f"POST {path} HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


def original_get(path):
    return f"GET {path} HTTP/1.0\r\nConnection: close\r\n\r\n".encode()


def head_of(status, kind, length, extra=""):
    return (f"HTTP/1.0 {status}\r\nServer: converge-notaryd\r\nDate: now\r\n"
            f"Content-Type: {kind}\r\n{extra}"
            f"Content-Length: {length}\r\nConnection: close\r\n\r\n").encode()


def undated(answer):
    """The answer with another date, if it was the notary's clock's."""
    said = re.search(rb"\r\nDate: ([^\r]*)\r\n", answer).group(1).decode()
    second = email.utils.parsedate_to_datetime(said)
    expect(email.utils.format_datetime(second, usegmt=True), said, "the one form that may be sent")
    expect(STARTED <= second.timestamp() <= time.time(), True, said)
    return answer.replace(said.encode(), b"now", 1)


def records(status, answer, fingerprints):
    """Compares the whole answer: only times and the signature are not known beforehand."""
    times = re.findall(rb'"(?:start|finish)": "(\d+)"', answer)
    signature = re.search(rb'"signature": "([A-Za-z0-9+/]+=*)"', answer)
    expect(len(times), 2 * len(fingerprints), answer)
    entries = [f'{{"timestamp": {{"start": "{times[2 * i].decode()}", '
               f'"finish": "{times[2 * i + 1].decode()}"}}, "fingerprint": "{one_of}"}}'
               for i, one_of in enumerate(fingerprints)]
    body = (f'{{"fingerprintList": [{", ".join(entries)}], '
            f'"signature": "{signature.group(1).decode()}"}}').encode()
    expect(undated(answer), head_of(status, "application/json", len(body)) + body)


def page(status, answer, extra=""):
    body = f"<html><body>{status}</body></html>\n".encode()
    expect(undated(answer), head_of(status, "text/html", len(body), extra) + body)


def version_1():
    closed = free_ports(1)[0]

    def yes():
        records("200 OK", notary.raw(original_post(TARGET, one.sha1)), [one.sha1])

    def no():
        records("409 Conflict", notary.raw(original_post(TARGET, other.sha1)), [one.sha1])

    def asked_for_the_records():
        records("200 OK", notary.raw(original_get(TARGET)), [one.sha1])

    def bounced():
        records("200 OK", notary.raw(original_post(TARGET, one.sha1), notary.bounce_port),
                [one.sha1])

    def refused():
        for path in ("/target/", "/target/site.example", "/target/site.example+",
                     "/target/site.example+0"):
            page("400 Bad Request", notary.raw(original_get(path)))
        page("400 Bad Request", notary.raw(original_post(TARGET, "AA:BB")))
        page("400 Bad Request", notary.raw(f"POST {TARGET} HTTP/1.0\r\n\r\n".encode()))

    def other_methods():
        for method, path, allowed in (
                ("PUT", TARGET, "GET, HEAD, POST"), ("DELETE", TARGET, "GET, HEAD, POST"),
                ("OPTIONS", "*", "GET, HEAD, POST"),
                ("GET", "/v2/query", "POST"), ("POST", "/bundle.notary", "GET, HEAD")):
            page("405 Method Not Allowed", notary.raw(f"{method} {path} HTTP/1.0\r\n\r\n".encode()),
                 f"Allow: {allowed}\r\n")

    def unreachable():
        page("503 Service Unavailable",
             notary.raw(original_post(f"/target/site.example+{closed}", one.sha1)))

    tap.case("version 1: 200", yes)
    tap.case("version 1: 409", no)
    tap.case("version 1: GET", asked_for_the_records)
    tap.case("version 1: at the bounce port", bounced)
    tap.case("version 1: 400", refused)
    tap.case("version 1: 405", other_methods)
    tap.case("version 1: 503", unreachable)


def read_answer(connection, with_body=True):
    """One answer of a kept-alive connection: status, head, body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        octet = connection.recv(1)
        expect(len(octet), 1, head)
        head += octet
    length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
    body = b""
    while with_body and len(body) < length:
        more = connection.recv(length - len(body))
        expect(len(more) > 0, True, "cut short")
        body += more
    return int(head.split(b" ")[1]), head, body


def http():
    get = f"GET {TARGET} HTTP/1.1\r\nHost: n\r\n".encode()
    post = f"POST {TARGET} HTTP/1.1\r\nHost: n\r\n".encode()
    body = f"fingerprint={one.sha1}".encode()

    def pipelined():
        with notary.tls() as tls:
            tls.sendall((get + b"\r\n") * 60 + get + b"Connection: close\r\n\r\n")
            for _ in range(61):
                expect(read_answer(tls)[0], 200)
            expect(tls.recv(1), b"", "closed after the last")

    def octet_by_octet():
        with notary.tls() as tls:
            for octet in post + b"Content-Length: %d\r\n\r\n" % len(body) + body:
                tls.sendall(bytes([octet]))
            expect(read_answer(tls)[0], 200)

    def chunks():
        with notary.tls() as tls:
            tls.sendall(post + b"Transfer-Encoding: chunked\r\n\r\n"
                        b"4;a=b\r\nfing\r\n%x\r\n%s\r\n0\r\nX: y\r\n\r\n" % (len(body) - 4, body[4:])
                        + get + b"\r\n")
            expect(read_answer(tls)[0], 200)
            expect(read_answer(tls)[0], 200, "the request behind")

    def continued():
        with notary.tls() as tls:
            tls.sendall(post + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
            go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
            expect(tls.recv(len(go_on)), go_on)
            tls.sendall(body)
            expect(read_answer(tls)[0], 200)
            tls.sendall(post + b"Expect: 100-continue\r\nContent-Length: 9000\r\n\r\n")
            expect(read_answer(tls)[0], 413)

    def heads():
        with notary.tls() as tls:
            tls.sendall(get.replace(b"GET", b"HEAD") + b"\r\n")
            status, head, _ = read_answer(tls, with_body=False)
            tls.sendall(get + b"\r\n")
            again, head_again, _ = read_answer(tls)
            expect((status, undated(head)), (again, undated(head_again)),
                   "the same head, and no body")
            tls.sendall(b"HEAD /bundle.notary HTTP/1.1\r\nHost: n\r\n\r\n" + get + b"\r\n")
            expect(read_answer(tls, with_body=False)[0], 200)
            expect(read_answer(tls)[0], 200)

    def absolute():
        with notary.tls() as tls:
            tls.sendall(get.replace(b"GET ", b"GET https://n:443") + b"\r\n")
            expect(read_answer(tls)[0], 200)

    def versions():
        with notary.tls() as tls:
            tls.sendall(f"GET {TARGET} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode())
            status, head, _ = read_answer(tls)
            expect((status, b"Connection: keep-alive" in head), (200, True), "HTTP/1.0, kept alive")
            tls.sendall(f"GET {TARGET} HTTP/1.0\r\n\r\n".encode())
            expect(read_answer(tls)[0], 200)
            expect(tls.recv(1), b"")

    def refused():
        """Each is answered, and ends the connection: what follows is not looked at."""
        for octets, status in (
                (f"GET {TARGET} HTTP/1.1\r\n\r\n".encode(), 400),
                (post + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                (post + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
                (get + b"X: a\r\n b\r\n\r\n", 400), (get + b"X: a\nY: b\r\n\r\n", 400),
                (get + b"X: \0\r\n\r\n", 400), (b"BREW / HTTP/1.1\r\nHost: n\r\n\r\n", 405),
                (post + b"Content-Length: 8193\r\n\r\n", 413),
                (b"GET /" + b"a" * 1100 + b" HTTP/1.1\r\nHost: n\r\n\r\n", 414),
                (post + b"Expect: more\r\nContent-Length: 1\r\n\r\n", 417),
                (get + b"X: " + b"y" * 9000 + b"\r\n\r\n", 431),
                (post + b"Transfer-Encoding: gzip\r\n\r\n", 501),
                (get.replace(b"1.1", b"3.0") + b"\r\n", 505)):
            with notary.tls() as tls:
                tls.sendall(octets + get + b"\r\n")
                got, head, _ = read_answer(tls)
                expect((got, b"\r\nAllow: GET, HEAD, POST\r\n" in head),
                       (status, status == 405), octets[:60])
                expect(tls.recv(1), b"", "nothing more")

    def goodbye():
        """TLS says that it is over before TCP does: an answer cannot be cut unnoticed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context.minimum_version = context.maximum_version = version
            with context.wrap_socket(socket.create_connection(("127.0.0.1", notary.ssl_port)),
                                     suppress_ragged_eofs=False) as tls:
                tls.sendall(original_get(TARGET))
                expect(read_all(tls)[9:12], b"200")

    tap.case("61 requests in one go, in order", pipelined)
    tap.case("a request in records of one octet", octet_by_octet)
    tap.case("chunks with extension and trailer, and the request behind them", chunks)
    tap.case("100 Continue, and 413 instead of it", continued)
    tap.case("HEAD", heads)
    tap.case("an absolute target", absolute)
    tap.case("HTTP/1.0 kept alive, and closed", versions)
    tap.case("refusals end the connection", refused)
    tap.case("close_notify before the end, TLS 1.2 and 1.3", goodbye)


def long_answers():
    """Longer than a record and than what the kernel takes at once: a file of the operator's."""
    octets = os.urandom(100000).hex().encode()
    with Notary("beta", settings="workers = 1\n") as beta:
        with open(os.path.join(beta.home, "beta.v1.notary"), "wb") as file:
            file.write(octets)
        beta.stop()
        beta.start()
        get = b"GET /bundle-v1.notary HTTP/1.1\r\nHost: n\r\n\r\n"

        def whole():
            with beta.tls() as tls:
                tls.sendall(get * 5)
                for i in range(5):
                    expect(read_answer(tls)[2] == octets, True, f"answer {i}")

        def closing():
            answer = beta.raw(get.replace(b"1.1", b"1.0"))
            expect(answer.partition(b"\r\n\r\n")[2] == octets, True, f"{len(answer)} octets")

        def little_by_little():
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", beta.ssl_port))
            with beta.tls(connection=connection) as tls:
                tls.sendall(get * 8)
                for i in range(8):
                    head, body = b"", b""
                    while not head.endswith(b"\r\n\r\n"):
                        head += tls.recv(1)
                    while len(body) < len(octets):
                        body += tls.recv(min(1000, len(octets) - len(body)))
                    expect(body == octets, True, f"answer {i}")

        tap.case("200,000 octets, five times in one go", whole)
        tap.case("200,000 octets, and closed", closing)
        tap.case("200,000 octets, eight times, taken little by little", little_by_little)


with notary:
    version_1()
    http()
long_answers()
site.stop()
tap.done()
