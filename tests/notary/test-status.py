# SPDX-License-Identifier: MIT
# The operator's listener: metrics, health, bundles; that it cannot be held up or used for anything
# else; and that nobody's questions are in it, or in the log.
import ctypes
import os
import re
import signal
import socket
import sys
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tempfile

import exposition
from notarylab import (Certificate, Notary, SEEN, Site, Tap, connect, expect, free_ports, read_all)
from redislab import keep_in
from statuslab import Watched, counted, version

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
other = Certificate(directory.name, "other")
HOSTS = "127.0.0.1 secret-site.example\n10.0.0.1 secret-inside.example\n"


def metrics():
    site = Site(one)
    dead = free_ports(1)[0]
    with Watched(hosts=HOSTS) as notary:
        def well_formed():
            families = notary.metrics()
            expect(exposition.value(families, "converge_notary_build_info",
                                    version=version()), 1)
            expect(exposition.value(families, "process_open_fds") > 3, True)
            expect(exposition.value(families, "process_cpu_seconds_total") > 0, True)
            expect(exposition.value(families, "process_resident_memory_bytes") > 1e6, True)
            started = exposition.value(families, "process_start_time_seconds")
            expect(abs(time.time() - started) < 600, True, started)
            days = exposition.value(families, "converge_notary_certificate_days_left")
            expect(7000 < days < 7400, True, days)

        def other_parser():
            from prometheus_client.parser import text_string_to_metric_families
            body = notary.get("/metrics")[2]
            theirs = {family.name for family in text_string_to_metric_families(body)}
            ours = {re.sub("_total$", "", name) for name in exposition.parse(body)}
            expect(theirs, ours)

        def counts():
            for _ in range(3):
                expect(notary.v1("secret-site.example", site.port, one.sha1)[0], 200)
            expect(notary.v1("secret-site.example", site.port, other.sha1)[0], 409)
            for statement in notary.v2(*2 * [("secret-site.example", site.port, one.sha256)]):
                expect(statement["status"], SEEN)
            expect(notary.v1("secret-site.example", dead, one.sha1)[0], 503)
            expect(notary.v1("secret-inside.example", 443, one.sha1)[0], 503)
            families = notary.metrics()
            for name, labels, wanted in (
                    ("requests_total", {"protocol": "v1"}, 6),
                    ("requests_total", {"protocol": "v2"}, 1),
                    ("answers_total", {"status": "2xx"}, 4),
                    ("answers_total", {"status": "409"}, 1),
                    ("answers_total", {"status": "5xx"}, 2),
                    ("targets_total", {"from": "memory"}, 4),
                    ("targets_total", {"from": "probe"}, 4),
                    ("probe_results_total", {"result": "unreachable"}, 1),
                    ("probe_results_total", {"result": "refused"}, 1),
                    ("probes_open", {}, 0),
                    ("targets_in_memory", {}, 3),
                    ("handshakes_total", {}, 7),
                    ("connections_total", {}, 7),
                    ("answer_duration_seconds_count", {"from": "memory"}, 4),
                    ("answer_duration_seconds_count", {"from": "probe"}, 4)):
                expect(exposition.value(families, f"converge_notary_{name}", **labels), wanted,
                       f"{name} {labels}")
            probes = exposition.value(families, "converge_notary_probes_total")
            expect(exposition.value(families, "converge_notary_probe_duration_seconds_count"),
                   probes)

        tap.case("/metrics is what a strict reader takes", well_formed)
        try:
            import prometheus_client  # pylint: disable=unused-import
        except ImportError:
            tap.skip("/metrics is what Prometheus' own reader takes", "no python3-prometheus-client")
        else:
            tap.case("/metrics is what Prometheus' own reader takes", other_parser)
        def documented():
            """What the document has in its alerts is there."""
            source = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "../.."))
            with open(os.path.join(source, "doc/notary.md"), encoding="utf-8") as file:
                section = file.read().split("\n## Watching it")[1].split("\n## ")[0]
            told = {name for family in notary.metrics().values() for name, _ in family.samples}
            used = set(re.findall(r"\b(?:converge_notary|process)_[a-z_]*[a-z]\b", section))
            expect(len(used) > 8, True)
            expect(used - told, set())

        tap.case("requests, answers, targets, probes and durations are counted", counts)
        tap.case("the document's alerts name metrics that there are", documented)
    site.stop()


class Frozen:
    """
    One thread of a process that stands still while the others go on. It does so where it waits for
    events, holding no lock that another may need.
    """

    CONTINUE, DETACH, SEIZE, INTERRUPT, WALL = 7, 17, 0x4206, 0x4207, 0x40000000
    EPOLL = {"x86_64": (232, 281), "aarch64": (22,)}  # epoll_wait, epoll_pwait

    def __init__(self, thread):
        self.thread = thread
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.ptrace(self.SEIZE)

    def __enter__(self):
        end = time.monotonic() + 30
        self.halt()
        while not self.waits_for_events():
            expect(time.monotonic() < end, True, "the thread comes to wait for events")
            self.ptrace(self.CONTINUE)
            time.sleep(0.02)
            self.halt()
        return self

    def __exit__(self, *_):
        self.ptrace(self.DETACH)

    def halt(self):
        self.ptrace(self.INTERRUPT)
        os.waitpid(self.thread, self.WALL)

    def waits_for_events(self):
        with open(f"/proc/{self.thread}/syscall", encoding="ascii") as file:
            return int(file.read().split()[0]) in self.EPOLL.get(os.uname().machine, ())

    def ptrace(self, request):
        if self.libc.ptrace(ctypes.c_long(request), ctypes.c_long(self.thread), None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")


def worker_of(notary):
    """One of its workers' threads, which have their names soon after the start."""
    tasks = f"/proc/{notary.process.pid}/task"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for thread in os.listdir(tasks):
            with open(f"{tasks}/{thread}/comm", encoding="ascii") as file:
                if file.read().startswith("worker"):
                    return int(thread)
        time.sleep(0.02)
    raise AssertionError("no thread of that name")


def until(notary, answer):
    end = time.monotonic() + 30
    while notary.get("/healthz")[::2] != answer:
        expect(time.monotonic() < end, True, notary.get("/healthz"))
        time.sleep(0.1)


def stuck():
    with Watched(hosts=HOSTS, settings="workers = 2\n") as notary:
        def silent_worker():
            with Frozen(worker_of(notary)):
                until(notary, (503, "failing: 1 of 2 workers do not answer\n"))
                expect(counted(notary, "workers_answering"), 1)
                expect(counted(notary, "workers"), 2)
                expect("failing" in notary.get("/")[2], True)
            until(notary, (200, "ok\n"))

        try:
            with Frozen(worker_of(notary)):
                pass
        except OSError as problem:
            tap.skip("/healthz says failing while a worker is stuck", str(problem))
        else:
            tap.case("/healthz says failing while a worker is stuck", silent_worker)


def listener():
    with Watched(hosts=HOSTS) as notary:
        def well():
            """As soon as the store's thread has found it."""
            until(notary, (200, "ok\n"))

        def bundles():
            for path, name in (("/bundle.notary", "alpha.notary"),
                               ("/bundle-v1.notary", "alpha.v1.notary")):
                with open(os.path.join(notary.home, name), encoding="utf-8") as file:
                    expect(notary.get(path)[2], file.read(), path)

        def reads_only():
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
                status, headers, _ = notary.get("/", method)
                expect((status, headers["Allow"]), (405, "GET, HEAD"), method)
            expect(notary.get("/metrics", "HEAD")[2], "")
            for path in ("/target/secret-site.example+443", "/v2/query", "/metrics/", "/..//"):
                expect(notary.get(path)[0], 404, path)

        def bad_requests():
            for octets, status in ((b"GET / HTTP/1.0\r\nx y\r\n\r\n", b"400"),
                                   (b"GET / HTTP/1.1\r\n\r\n", b"400"),
                                   (b"GET /" + b"a" * 9000 + b" HTTP/1.0\r\n\r\n", b"414")):
                with socket.create_connection(("127.0.0.1", notary.status_port)) as connection:
                    connection.sendall(octets)
                    expect(read_all(connection).split(b" ")[1], status, octets[:20])

        def held_up():
            """Many who say nothing do not keep one out who does."""
            mute = [socket.create_connection(("127.0.0.1", notary.status_port))
                    for _ in range(60)]
            expect(notary.get("/healthz")[0], 200)
            for connection in mute:
                connection.settimeout(20)
                expect(read_all(connection), b"")
                connection.close()

        def not_public():
            for path in (b"/", b"/metrics", b"/healthz"):
                answer = notary.raw(b"GET " + path + b" HTTP/1.0\r\n\r\n")
                expect(answer.split(b" ")[1], b"404", path)

        def store_away():
            """Degraded, not dead: it looks and answers, and what it saw waits in the journal."""
            site = Site(one)
            nobody = free_ports(1)[0]
            lonely = Watched(hosts=HOSTS)
            keep_in(lonely, f"127.0.0.1:{nobody}")
            with lonely:
                expect(lonely.v1("secret-site.example", site.port, one.sha1)[0], 200)
                expect(lonely.get("/healthz")[::2], (200, "degraded: the store (redis) is away\n"))
                expect(counted(lonely, "store_up"), 0)
                end = time.monotonic() + 10
                while counted(lonely, "store_backlog_bytes") == 0:
                    expect(time.monotonic() < end, True, "nothing is in the journal")
                expect("redis, away" in lonely.get("/")[2], True)
            site.stop()

        tap.case("/healthz says ok", well)
        tap.case("/healthz says degraded while the store is away", store_away)
        tap.case("the bundles are those of the files", bundles)
        tap.case("GET and HEAD alone, and no other path", reads_only)
        tap.case("requests that are not HTTP", bad_requests)
        tap.case("connections without a request hold up nobody, and end", held_up)
        tap.case("the public service has none of it", not_public)
    with Watched(hosts=HOSTS) as notary:
        def reloaded():
            with open(notary.config, encoding="ascii") as file:
                text = file.read()
            with open(notary.config, "w", encoding="ascii") as file:
                file.write(text.replace("name = alpha\n", "name = omega\n"))
            notary.process.send_signal(signal.SIGHUP)
            notary.wait_for_log("reloaded")
            expect("<h1>omega</h1>" in notary.get("/")[2], True)

        def taken_over():
            """The next process has the port at once; the one before takes nothing there any more."""
            before = notary.process
            for _ in range(3):
                expect(notary.v1("inside.example", 443, one.sha1)[0], 503)
            notary.start("--take-over")
            for _ in range(10):
                expect(notary.get("/healthz")[0], 200)
            expect(before.wait(timeout=30), 0)
            expect(counted(notary, "requests_total", protocol="v1"), 0, "the new one's")
            until(notary, (200, "ok\n"))

        tap.case("SIGHUP: the page tells what is new", reloaded)
        tap.case("--take-over: the port stays open", taken_over)
    with Notary(hosts=HOSTS) as notary:
        tap.case("without status_port there is none of it",
                 lambda: expect("port 0" in notary.log_text(), False))


def privacy():
    """A verbose notary's log, the metrics and the page after all kinds of questions."""
    site = Site(one)
    dead = free_ports(1)[0]
    settings = (f"relay_ports = {site.port}\nverifiers = network dane\n"
                f"dns_servers = 127.0.0.1@{dead}\n")  # nobody there: what fails is logged, if at all
    with Watched(hosts=HOSTS, settings=settings) as notary:
        def nothing_is_told():
            notary.v1("secret-site.example", site.port, one.sha1)
            notary.v1("secret-site.example", site.port, other.sha1)
            notary.v1("secret-site.example", dead, one.sha1)
            notary.v1("secret-missing.invalid", 443, one.sha1)
            notary.v1("secret-inside.example", 443, one.sha1)
            notary.v2(("secret-site.example", site.port, one.sha256, 25))
            notary.raw(b"GET /target/secret-bad..name+443 HTTP/1.0\r\n\r\n")
            notary.raw(b"POST /target/secret-site.example+1 HTTP/1.0\r\nContent-Length: 2\r\n\r\nab")
            for target in ("secret-site.example", "secret-missing.invalid",
                           "secret-inside.example"):
                connect(notary, f"CONNECT {target}+{site.port} HTTP/1.0")[0].close()
            texts = [notary.log_text(), notary.get("/metrics")[2], notary.get("/")[2]]
            notary.stop()
            texts.append(notary.log_text())
            for text in texts:
                for word in ("secret", one.sha1, one.sha256, one.sha256.replace(":", "")):
                    expect(word.lower() in text.lower(), False, f"{word} in {text[-2000:]}")
            for text in (texts[0], texts[-1]):
                expect(re.findall(rf"\b(?:{site.port}|{dead})\b", text), [], text)
            expect("127.0.0.1" in texts[1] + texts[2], False)

        tap.case("neither log nor page nor metrics tell of a question", nothing_is_told)
    site.stop()


metrics()
stuck()
listener()
privacy()
tap.done()
