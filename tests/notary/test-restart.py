#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients connect all the time while the notary reads its configuration again, is replaced by
another process, and is started anew by a service manager that keeps its sockets: not one of them is
refused, cut off or left without an answer."""
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import NOTARYD, Certificate, Notary, Site, Tap, connect, environment, expect

TIMES = 5


class Clients:
    """Threads of which each connects, asks and reads the answer, again and again."""

    def __init__(self, notary, site, sha1):
        self.notary, self.site, self.sha1 = notary, site, sha1
        self.problems, self.answers = [], 0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(ask,))
                        for ask in (self.query, self.query, self.bounced, self.relayed)]

    def query(self):
        expect(self.notary.v1("site.example", self.site.port, self.sha1)[0], 200)

    def bounced(self):
        expect(self.notary.v1("site.example", self.site.port, self.sha1,
                              at=self.notary.bounce_port)[0], 200)

    def relayed(self):
        connection, head = connect(self.notary, f"CONNECT 127.0.0.1:{self.site.port} HTTP/1.0")
        connection.close()
        expect(head.split(" ")[1], "200", head)

    def run(self, ask):
        while not self.ended.is_set() and not self.problems:
            try:
                ask()
                self.answers += 1
            except Exception as problem:  # pylint: disable=broad-except
                self.problems.append(f"{ask.__name__}: {problem!r}")

    def more(self, count=20):
        """Waits for that many more answers."""
        wanted, end = self.answers + count, time.monotonic() + 30
        while self.answers < wanted and not self.problems:
            assert time.monotonic() < end, "no answers any more"
            time.sleep(0.01)
        expect(self.problems, [])

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.more()
        return self

    def __exit__(self, kind, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        if kind is None:
            expect(self.problems, [])


def configure(notary, **values):
    with open(notary.config, encoding="ascii") as file:
        text = file.read()
    for name, value in values.items():
        text = re.sub(f"^{name} = .*\n", "", text, flags=re.MULTILINE) + f"{name} = {value}\n"
    with open(notary.config, "w", encoding="ascii") as file:
        file.write(text)


def take_over(notary):
    """Another process takes this one's place; the old one ends by itself."""
    before = notary.process
    notary.start("--take-over")
    expect(before.wait(timeout=30), 0, "the process before")


def made(site_port, **options):
    return Notary(hosts="127.0.0.1 site.example\n",
                  settings=f"relay_ports = {site_port}\nprobes_per_minute = 1000000\n"
                           "queries_per_minute = 1000000\n", **options)


def reload(notary):
    before, end = notary.log_text().count("reloaded"), time.monotonic() + 20
    notary.process.send_signal(signal.SIGHUP)
    while notary.log_text().count("reloaded") == before:
        assert time.monotonic() < end, notary.log_text()
        time.sleep(0.01)


def reloads(site, certificate):
    with made(site.port) as notary, Clients(notary, site, certificate.sha1) as clients:
        for _ in range(TIMES):
            reload(notary)
            clients.more()


def tickets(_site, _certificate):
    """Also when the certificate has changed: a ticket is from who knew the former one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def visit(notary, session):
        with socket.create_connection(("127.0.0.1", notary.ssl_port), timeout=20) as connection:
            with context.wrap_socket(connection, session=session) as tls:
                return tls.session, tls.session_reused

    with made(4242) as notary:
        session, _ = visit(notary, None)
        expect(visit(notary, session)[1], True, "at once")
        reload(notary)
        expect(visit(notary, session)[1], True, "after a reload")
        for step in ("--next-keys", "--rotate"):
            subprocess.run([NOTARYD, step, notary.home], check=True, stdout=subprocess.DEVNULL)
        reload(notary)
        expect(visit(notary, session)[1], True, "after a rotation")


def restarts(site, certificate):
    """With another number of workers each time."""
    with made(site.port) as notary, Clients(notary, site, certificate.sha1) as clients:
        for workers in (1, 4, 2, 3, 1)[:TIMES]:
            configure(notary, workers=workers)
            take_over(notary)
            clients.more()


def failing(site, certificate):
    """A successor that cannot start leaves everything as it was."""
    with made(site.port) as notary, Clients(notary, site, certificate.sha1) as clients:
        pid, hosts = notary.process.pid, notary.hosts
        os.rename(hosts, hosts + ".away")
        result = subprocess.run([NOTARYD, "--config", notary.config, "--take-over"],
                                capture_output=True, text=True, timeout=30, check=False)
        expect(result.returncode, 1, result.stderr)
        os.rename(hosts + ".away", hosts)
        expect(notary.process.poll(), None, "the old process")
        clients.more()
        # One that dies when it has the sockets already.
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
            control.connect(os.path.join(notary.home, "data/control"))
            control.send(b"T\x01")
            while control.recv(100)[:1] != b"E":
                pass
        notary.wait_for_log("hung up; going on")
        clients.more()
        expect(notary.process.pid, pid)
        take_over(notary)
        clients.more()


def history(site, certificate):
    """What the old process saw is what the new one knows."""
    def first_seen(notary):
        records = notary.v2(("site.example", site.port, certificate.sha256))[0]["records"]
        expect(len(records), 1)
        return records[0]["first"]

    with made(site.port) as notary:
        seen = first_seen(notary)
        for _ in range(2):
            time.sleep(1.1)  # so that a new observation would have another time
            take_over(notary)
            expect(first_seen(notary), seen, "history is lost")


def tunnels(site, _certificate):
    """A relayed connection goes on through the process that it began with."""
    echo = socket.create_server(("127.0.0.1", 0))
    with made(f"{site.port} {echo.getsockname()[1]}") as notary:
        near, head = connect(notary, f"CONNECT 127.0.0.1:{echo.getsockname()[1]} HTTP/1.0")
        expect(head.split(" ")[1], "200", head)
        far, _ = echo.accept()
        before = notary.process
        notary.start("--take-over")
        for text in (b"still", b"there"):
            near.sendall(text)
            expect(far.recv(100), text)
            far.sendall(text)
            expect(near.recv(100), text)
        expect(before.poll(), None, "the old process stays for it")
        near.close()
        far.close()
        expect(before.wait(timeout=30), 0)
    echo.close()


def told_to_end(site, _certificate):
    """A process that was replaced, and stays for a relayed connection, ends when it is told to."""
    echo = socket.create_server(("127.0.0.1", 0))
    with made(f"{site.port} {echo.getsockname()[1]}") as notary:
        near, head = connect(notary, f"CONNECT 127.0.0.1:{echo.getsockname()[1]} HTTP/1.0")
        expect(head.split(" ")[1], "200", head)
        before = notary.process
        notary.start("--take-over")
        notary.wait_for_log("another process has taken the sockets over")
        before.send_signal(signal.SIGTERM)
        expect(before.wait(timeout=40), 0)  # where nobody tells it, it is a minute
        near.close()
    echo.close()


def nobody_before(site, certificate):
    with made(site.port) as notary:
        notary.stop()
        notary.start("--take-over")
        expect(notary.v1("site.example", site.port, certificate.sha1)[0], 200)
        expect(os.stat(os.path.join(notary.home, "data/control")).st_mode & 0o777, 0o600)
        notary.stop()
        expect(os.path.exists(os.path.join(notary.home, "data/control")), False)
        notary.start()


ACTIVATE = """
import os, sys
names, fds = sys.argv[1], [int(fd) for fd in sys.argv[2].split(",")]
high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names)
os.execv(sys.argv[3], sys.argv[3:])
"""


def activated(site, certificate):
    """The manager keeps the sockets; processes come and go, and one is killed."""
    notary = made(site.port)
    ports = (notary.ssl_port, notary.bounce_port, notary.relay_port)
    sockets = [socket.create_server(("127.0.0.1", port), backlog=128) for port in ports]
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(os.path.join(notary.directory, "notify"))
    manager.settimeout(20)
    descriptors = [one.fileno() for one in sockets]

    def start():
        with open(notary.log, "a", encoding="utf-8") as log:
            notary.process = subprocess.Popen(
                [sys.executable, "-c", ACTIVATE, "ssl:bounce:relay",
                 ",".join(map(str, descriptors)), NOTARYD, "--config", notary.config],
                pass_fds=descriptors, stderr=log,
                env=environment(NOTIFY_SOCKET=os.path.join(notary.directory, "notify")))
        expect(manager.recv(100), b"READY=1")

    start()
    with Clients(notary, site, certificate.sha1) as clients:
        for _ in range(TIMES):
            notary.stop()
            expect(manager.recv(100), b"STOPPING=1")
            start()
            clients.more()
        notary.process.send_signal(signal.SIGHUP)
        expect(manager.recv(100)[:12], b"RELOADING=1\n")
        expect(manager.recv(100), b"READY=1")
        clients.more()
    notary.stop()
    for one in (*sockets, manager):
        one.close()
    shutil.rmtree(notary.directory)


def by_systemd(site, certificate):
    """With systemd's own tool for it, which starts the notary at the first connection."""
    notary = made(site.port)
    addresses = [f"127.0.0.1:{port}"
                 for port in (notary.ssl_port, notary.bounce_port, notary.relay_port)]
    with open(notary.log, "a", encoding="utf-8") as log:
        notary.process = subprocess.Popen(
            ["systemd-socket-activate", "--fdname=ssl:bounce:relay",
             *(word for address in addresses for word in ("-l", address)),
             "-E", "TSAN_OPTIONS", NOTARYD, "--config", notary.config],
            stderr=log, env=environment())
    notary.wait_for_log("Listening on 127.0.0.1:%d" % notary.relay_port)
    for port in (None, notary.bounce_port):
        expect(notary.v1("site.example", site.port, certificate.sha1, at=port)[0], 200)
    notary.stop()
    shutil.rmtree(notary.directory)


def main():
    tap = Tap()
    directory = tempfile.mkdtemp(prefix="converge-restart-")
    certificate = Certificate(directory, "site")
    site = Site(certificate)
    for name, case in (
            ("reloads: nobody notices", reloads),
            ("session tickets outlive reload and rotation", tickets),
            ("another process takes over, five times: nobody notices", restarts),
            ("a successor that fails changes nothing", failing),
            ("history goes over to the successor", history),
            ("tunnels end with their own process", tunnels),
            ("a replaced process ends when it is told to", told_to_end),
            ("--take-over where nobody runs starts as usual", nobody_before),
            ("a service manager keeps the sockets: nobody notices", activated)):
        tap.case(name, lambda case=case: case(site, certificate))
    if shutil.which("systemd-socket-activate"):
        tap.case("systemd-socket-activate", lambda: by_systemd(site, certificate))
    else:
        tap.skip("systemd-socket-activate", "it is not installed")
    site.stop()
    shutil.rmtree(directory)
    tap.done()


main()
