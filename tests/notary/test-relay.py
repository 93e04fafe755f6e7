# SPDX-License-Identifier: MIT
# converge-notaryd as a relay for queries to other notaries.
import os
import socket
import ssl
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, Site, Tap, connect, expect, read_all

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
HOSTS = "127.0.0.1 site.example\n127.0.0.1 peer.example gone.example\n10.0.0.1 inside.example\n"


def send_all(connection, octets):
    try:
        connection.sendall(octets)
    except OSError:
        pass


def trickle(connection):
    """Keeps a tunnel from being idle until it breaks."""
    try:
        while True:
            connection.sendall(b".")
            time.sleep(0.05)
    except OSError:
        pass


def relay():
    site = Site(one)
    peer = Notary("beta", hosts=HOSTS)
    first = Notary(hosts=HOSTS, settings=f"relay_ports = {peer.bounce_port} 4242\n")

    def bounce(separator, version="1.0"):
        connection, head = connect(first, f"CONNECT peer.example{separator}{peer.bounce_port} "
                                          f"HTTP/{version}", "Host: peer.example")
        expect(head, "HTTP/1.0 200 Connection Established\r\nProxy-Agent: Convergence\r\n"
                     "X-Convergence-Notary: peer.example\r\n\r\n")
        status, answer = peer.v1("site.example", site.port, one.sha1, connection=connection)
        expect((status, answer["fingerprintList"][0]["fingerprint"]), (200, one.sha1))

    def alternates():
        connection, head = connect(first, f"CONNECT gone.invalid+{peer.bounce_port} HTTP/1.0",
                                   f"X-Convergence-Notary: inside.example+{peer.bounce_port}",
                                   f"x-convergence-notary: peer.example+{peer.bounce_port}")
        expect("X-Convergence-Notary: peer.example\r\n" in head, True, head)
        expect(peer.v1("site.example", site.port, one.sha1, connection=connection)[0], 200)

    def early():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        connection = socket.create_connection(("127.0.0.1", first.relay_port), timeout=15)
        connection.sendall(f"CONNECT peer.example+{peer.bounce_port} HTTP/1.0\r\n\r\n".encode()
                           + outgoing.read())
        got = b""
        while b"\r\n\r\n" not in got or len(got.split(b"\r\n\r\n", 1)[1]) < 5:
            got += connection.recv(4096)
        expect(got.split(b"\r\n\r\n", 1)[1][:2], b"\x16\x03", "a TLS handshake record")

    def declined():
        for line in (f"CONNECT peer.example+{peer.ssl_port} HTTP/1.0", "CONNECT peer.example+443 HTTP/1.0",
                     "CONNECT peer.example HTTP/1.0", "GET http://peer.example:4242/ HTTP/1.0",
                     "POST / HTTP/1.0", "nonsense"):
            expect(connect(first, line)[1].split("\r\n")[0], "HTTP/1.0 403 Access Denied", line)
        expect(connect(first, "CONNECT peer.example+4242 HTTP/1.0",
                       "X-Convergence-Notary: peer.example+22")[1][:12], "HTTP/1.0 403")

    def unreachable():
        for host in ("gone.invalid", "inside.example", "10.1.2.3"):
            expect(connect(first, f"CONNECT {host}+4242 HTTP/1.0")[1].split("\r\n")[0],
                   "HTTP/1.0 404 Unable to connect", host)

    def listed():
        with Notary("delta", hosts=HOSTS, settings=f"relay_ports = {peer.bounce_port}\n"
                    "relay_hosts = peer.example\n") as third:
            for host, status in (("PEER.example", "200"), ("gone.example", "403"),
                                 ("127.0.0.1", "403")):
                connection, head = connect(third, f"CONNECT {host}+{peer.bounce_port} HTTP/1.0")
                expect(head[9:12], status, host)
                connection.close()

    def budgeted():
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with Notary("eta", hosts=HOSTS,
                    settings=f"relay_ports = {port}\nprobes_per_minute = 1\n") as third:
            for status in ("200", "429"):
                connection, head = connect(third, f"CONNECT peer.example+{port} HTTP/1.0")
                expect((head[9:12], "Retry-After: " in head), (status, status == "429"))
                connection.close()
        listener.close()

    def large():
        """More than any buffer, both ways, through a peer that echoes late."""
        listener = socket.create_server(("127.0.0.1", 0))
        with Notary("gamma", hosts=HOSTS,
                    settings=f"relay_ports = {listener.getsockname()[1]}\n") as third:
            connection, head = connect(
                third, f"CONNECT peer.example+{listener.getsockname()[1]} HTTP/1.0")
            expect(head[9:12], "200")
            other, _ = listener.accept()
            octets = os.urandom(4 << 20)
            threading.Thread(target=lambda: (connection.sendall(octets),
                                             connection.shutdown(socket.SHUT_WR))).start()
            time.sleep(0.3)
            got = read_all(other)
            expect(got == octets, True, f"{len(got)} octets came")
            threading.Thread(target=lambda: (other.sendall(octets), other.close())).start()
            expect(read_all(connection) == octets, True, "and back")

    def limited():
        """An octet too many, and a minute too long: the tunnel ends, and others go on."""
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with Notary("theta", hosts=HOSTS, settings=f"relay_ports = {port}\ntunnel_max_bytes = 1M\n"
                    "tunnel_max_time = 2s\n") as third:
            connection, head = connect(third, f"CONNECT peer.example+{port} HTTP/1.0")
            expect(head[9:12], "200")
            other, _ = listener.accept()
            threading.Thread(target=send_all, args=(connection, bytes(4 << 20))).start()
            got = len(read_all(other))
            expect(got <= 1 << 20, True, f"{got} octets came")
            long, head = connect(third, f"CONNECT peer.example+{port} HTTP/1.0")
            expect(head[9:12], "200")
            other, _ = listener.accept()
            threading.Thread(target=trickle, args=(other,)).start()
            long.settimeout(10)
            read_all(long)
        listener.close()

    with peer, first:
        tap.case("relay: host+port", lambda: bounce("+"))
        tap.case("relay: host:port, HTTP/1.1", lambda: bounce(":", "1.1"))
        tap.case("relay: the first alternate that connects is named", alternates)
        tap.case("relay: octets behind the request's head arrive", early)
        tap.case("relay: other methods and ports are 403", declined)
        tap.case("relay: nothing connects, or only special-purpose addresses: 404", unreachable)
        tap.case("relay: only to the hosts on its list, where there is one", listed)
        tap.case("relay: one network's connections are budgeted as its probes are", budgeted)
        tap.case("relay: a tunnel's octets and time are limited", limited)
        tap.case("relay: 4 MiB both ways against a slow reader, half-closed", large)
    site.stop()


relay()
tap.done()
