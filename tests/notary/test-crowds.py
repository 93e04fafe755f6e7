# SPDX-License-Identifier: MIT
# Thousands of clients that are slow in every way, while one that is not is answered. Nothing is timed
# but by guards against hanging; how slow is slow is the notary's client_timeout.
import os
import resource
import socket
import ssl
import sys
import tempfile
import threading

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, Site, Tap, expect, read_all

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
site = Site(one)
HOSTS = "127.0.0.1 site.example\n"
SETTINGS = "connections_per_network = 100000\nqueries_per_minute = 1000000000\n"
CROWD = 4000


def crowd_size():
    """As many as descriptors allow, here and in the notary, which has this process's limit."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    size = min(CROWD, limit - 500 if limit != resource.RLIM_INFINITY else CROWD)
    if size < CROWD:
        print(f"# {size} clients instead of {CROWD}: the limit of descriptors is {limit}")
    return size


def plain(notary):
    connection = socket.socket()
    connection.settimeout(60)
    connection.connect(("127.0.0.1", notary.ssl_port))
    return connection


def client_hello():
    """The first flight of a handshake that nobody goes on with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def answered(notary, times=20):
    for _ in range(times):
        expect(notary.v1("site.example", site.port, one.sha1)[0], 200)


def all_gone(crowd):
    """The notary has closed each of them; what it said before does not matter."""
    for connection in crowd:
        connection.settimeout(60)
        try:
            while connection.recv(65536):
                pass
        except ConnectionError:
            pass
        connection.close()


def half_open():
    hello = client_hello()
    begun = (b"", hello[:7], hello[:len(hello) // 2], hello)
    crowd = []
    with Notary(hosts=HOSTS,
                settings=SETTINGS + "max_connections = 8000\nclient_timeout = 10s\n") as notary:
        answered(notary)
        kept = notary.tls()
        for i in range(crowd_size()):
            connection = plain(notary)
            connection.sendall(begun[i % len(begun)])
            crowd.append(connection)
        answered(notary)
        kept.sendall(b"GET /target/site.example+%d HTTP/1.0\r\n\r\n" % site.port)
        expect(read_all(kept)[9:12], b"200", "who was there before")
        all_gone(crowd)
        answered(notary)


def slow():
    """Heads, bodies and answers that never come to their end."""
    target = b"/target/site.example+%d" % site.port
    begun = (b"", b"GET " + target + b" HTTP/1.1\r\nHost: n\r\nX:",
             b"POST " + target + b" HTTP/1.1\r\nHost: n\r\nContent-Length: 70\r\n\r\nfingerprint=",
             b"POST " + target + b" HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nfi",
             (b"GET " + target + b" HTTP/1.1\r\nHost: n\r\n\r\n") * 100)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    session, crowd = None, []
    with Notary(hosts=HOSTS, settings=SETTINGS + "max_connections = 8000\nclient_timeout = 10s\n"
                "idle_timeout = 10s\n") as notary:
        answered(notary)
        for i in range(crowd_size()):
            connection = context.wrap_socket(plain(notary), session=session)
            connection.sendall(begun[i % len(begun)])
            session = connection.session if connection.session.has_ticket else session
            crowd.append(connection)
        answered(notary)
        all_gone(crowd)
        answered(notary)


def room():
    """More than max_connections: idle ones give way, then slow handshakes; who comes is answered."""
    with Notary(hosts=HOSTS, settings=SETTINGS + "max_connections = 50\nworkers = 1\n") as notary:
        idle = [notary.tls() for _ in range(50)]
        answered(notary)
        all_gone(idle[:1])
        silent = [plain(notary) for _ in range(200)]
        answered_once = threading.Event()

        def insist():
            while not answered_once.is_set():
                try:
                    if notary.v1("site.example", site.port, one.sha1)[0] == 200:
                        answered_once.set()
                except OSError:
                    pass

        insisting = threading.Thread(target=insist)
        insisting.start()
        insisting.join(timeout=60)
        expect(answered_once.is_set(), True, "answered among silent ones")
        for connection in silent + idle:
            connection.close()


def greedy():
    """One client asks without end in one go; others are answered meanwhile."""
    request = b"GET /target/site.example+%d HTTP/1.1\r\nHost: n\r\n\r\n" % site.port
    with Notary(hosts=HOSTS, settings=SETTINGS + "workers = 1\n") as notary:
        answered(notary)
        hog = notary.tls()
        stop = threading.Event()

        def ask():
            try:
                while not stop.is_set():
                    hog.sendall(request * 200)
            except OSError:
                pass

        def take():
            try:
                while hog.recv(65536):
                    pass
            except OSError:
                pass

        threads = [threading.Thread(target=ask), threading.Thread(target=take)]
        for thread in threads:
            thread.start()
        answered(notary, 40)
        stop.set()
        threads[0].join()
        try:
            hog.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the notary has hung up on it
        threads[1].join()
        hog.close()


def deaf():
    """A client that does not read its answers: it can send no more before long, and is dropped."""
    request = b"GET /target/site.example+%d HTTP/1.1\r\nHost: n\r\n\r\n" % site.port
    with Notary(hosts=HOSTS, settings=SETTINGS + "workers = 1\nclient_timeout = 2s\n") as notary:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", notary.ssl_port))
        tls = notary.tls(connection=connection)
        tls.settimeout(60)
        sent = 0
        try:
            while sent < 1 << 30:
                tls.sendall(request * 100)
                sent += 100 * len(request)
                answered(notary, 1)
        except (ConnectionError, ssl.SSLError):
            pass
        expect(sent < 1 << 28, True, f"{sent} octets were taken")
        tls.close()
        answered(notary)


def descriptors():
    """The notary may open few: it answers whom it has, and everybody once there is room."""
    request = b"GET /target/site.example+%d HTTP/1.1\r\nHost: n\r\n\r\n" % site.port
    with Notary(hosts=HOSTS, settings=SETTINGS + "workers = 2\n",
                prefix=["prlimit", "--nofile=100:100"]) as notary:
        answered(notary, 1)
        kept = notary.tls()
        crowd = [plain(notary) for _ in range(200)]
        for _ in range(20):
            kept.sendall(request)
            expect(kept.recv(65536)[9:12], b"200")
        for connection in crowd:
            connection.close()
        answered(notary)
        kept.sendall(request)
        expect(kept.recv(65536)[9:12], b"200")
        kept.close()


tap.case("thousands of half-open connections", half_open)
tap.case("thousands of slow clients", slow)
tap.case("more than max_connections", room)
tap.case("one that asks without end", greedy)
tap.case("one that does not read", deaf)
tap.case("no descriptors left", descriptors)
site.stop()
tap.done()
