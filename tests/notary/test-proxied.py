# SPDX-License-Identifier: MIT
# converge-notaryd behind a load balancer: the PROXY protocol before TLS and before CONNECT, believed
# only from whom the configuration names, and budgets that see the real client. And TLS sessions that
# are taken up in whichever loop.
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, Site, Tap, expect, free_ports, read_all

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
HOSTS = "127.0.0.1 site.example\n127.0.0.1 peer.example\n"
HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v1_header(source):
    family = "TCP6" if ":" in source else "TCP4"
    other = "::1" if ":" in source else "127.0.0.1"
    return f"PROXY {family} {source} {other} 40000 443\r\n".encode()


def v2_header(source):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    addresses = socket.inet_pton(family, source) * 2 + struct.pack("!HH", 40000, 443)
    return V2 + struct.pack("!BBH", 0x21, 0x21 if ":" in source else 0x11,
                            len(addresses)) + addresses


def begin(notary, *pieces, port=None):
    """A connection whose first octets are these, each sent by itself."""
    connection = socket.create_connection(("127.0.0.1", port or notary.ssl_port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in pieces:
        connection.sendall(piece)
    return connection


def closed(connection):
    expect(read_all(connection), b"", "closed without a word")


def behind():
    site = Site(one)
    settings = "proxy_from = 127.0.0.1 ::1\nconnections_per_network = 3\nclient_timeout = 3s\n"
    with Notary(hosts=HOSTS, settings=settings) as notary:
        def ask(*pieces):
            status, answer = notary.v1("site.example", site.port, one.sha1,
                                       connection=begin(notary, *pieces))
            expect((status, answer["fingerprintList"][0]["fingerprint"]), (200, one.sha1))

        def taken():
            for header in (v1_header("192.0.2.7"), v1_header("2001:db8::7"), v2_header("192.0.2.7"),
                           v2_header("2001:db8::7"), b"PROXY UNKNOWN\r\n", V2 + b"\x20\0\0\0"):
                ask(header)
            ask(*[bytes([octet]) for octet in v2_header("192.0.2.8")])

        def without():
            connection = begin(notary)
            try:
                notary.raw(b"GET / HTTP/1.0\r\n\r\n", connection=connection)
            except (OSError, ssl.SSLError):
                return
            raise AssertionError("answered")

        def unsound():
            closed(begin(notary, b"PROXY TCP4 192.0.2.7 127.0.0.1 1 2 3\r\n"))
            closed(begin(notary, V2 + b"\x21\x11\0\x01\0"))
            closed(begin(notary, b"PROXY TC"))  # and then nothing: the time for a handshake

        def budgets():
            held = [notary.tls(connection=begin(notary, v1_header(f"192.0.2.{i}")))
                    for i in range(3)]
            answer = notary.raw(b"GET / HTTP/1.0\r\n\r\n",
                                connection=begin(notary, v1_header("192.0.2.200")))
            expect(answer[9:12], b"429", "over its network's limit")
            ask(v1_header("198.51.100.1"))
            ask(v2_header("2001:db8:1::7"))
            for connection in held:
                connection.close()

        def relay():
            for header, status in ((v1_header("192.0.2.9"), b"403"),
                                   (v2_header("2001:db8:2::9"), b"403"), (V2 + b"\x20\0\0\0", b"403")):
                for pieces in ([header + b"GET / HTTP/1.0\r\n\r\n"],
                               [header[:9], header[9:], b"GET / HTTP/1.0\r\n\r\n"]):
                    answer = read_all(begin(notary, *pieces, port=notary.relay_port))
                    expect(answer.split(b" ")[1:2], [status], header)
            closed(begin(notary, b"GET / HTTP/1.0\r\n\r\n", port=notary.relay_port))

        tap.case("both versions of the header, in one piece and octet by octet", taken)
        tap.case("no header where one is due: closed", without)
        tap.case("an unsound header, or half of one: closed", unsound)
        tap.case("budgets count whom the header names", budgets)
        tap.case("the relay takes it, too", relay)
    site.stop()


def haproxy():
    """HAProxy itself, in front, with both versions."""
    site = Site(one)
    ports = free_ports(2)
    with Notary(hosts=HOSTS, settings="proxy_from = 127.0.0.1\n") as notary:
        config = os.path.join(directory.name, "haproxy.cfg")
        with open(config, "w", encoding="ascii") as file:
            file.write("defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 9s\n"
                       "  timeout server 9s\n")
            for port, option in zip(ports, ("send-proxy", "send-proxy-v2")):
                file.write(f"listen at{port}\n  bind 127.0.0.1:{port}\n  server alpha "
                           f"127.0.0.1:{notary.ssl_port} check inter 200ms {option}\n")
        process = subprocess.Popen([HAPROXY, "-db", "-f", config], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)

        def asked(port):
            deadline = time.monotonic() + 30
            while True:
                try:
                    expect(notary.v1("site.example", site.port, one.sha1, at=port)[0], 200)
                    return
                except OSError:  # not listening yet
                    expect(time.monotonic() < deadline, True, "HAProxy never answered")
                    time.sleep(0.05)

        try:
            tap.case("HAProxy, version 1", lambda: asked(ports[0]))
            tap.case("HAProxy, version 2, and its health checks", lambda: asked(ports[1]))
        finally:
            process.terminate()
            process.wait()
    site.stop()


def strangers():
    with Notary(hosts=HOSTS, settings="proxy_from = 192.0.2.0/24\n") as notary:
        def refused():
            connection = begin(notary, v1_header("198.51.100.1"))
            try:
                notary.tls(connection=connection)
            except (OSError, ssl.SSLError):
                pass
            else:
                raise AssertionError("believed")
            answer = read_all(begin(notary, v1_header("198.51.100.1"),
                                    b"GET / HTTP/1.0\r\n\r\n", port=notary.relay_port))
            expect(b"403" in answer, True, answer)

        tap.case("a header from anybody else is not believed", refused)


def sessions():
    """Connections from many ports reach all loops."""
    site = Site(one)
    with Notary(hosts=HOSTS, settings="workers = 4\n") as notary:
        def taken_up(version):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.minimum_version = context.maximum_version = version
            session = None
            for i in range(24):
                with context.wrap_socket(
                        socket.create_connection(("127.0.0.1", notary.ssl_port), timeout=10),
                        session=session) as tls:
                    expect(tls.session_reused, i > 0, f"connection {i}")
                    tls.sendall(b"GET /target/site.example+%d HTTP/1.0\r\n\r\n" % site.port)
                    expect(read_all(tls)[9:12], b"200")
                    session = tls.session

        tap.case("TLS 1.2: a session is taken up by each of four loops",
                 lambda: taken_up(ssl.TLSVersion.TLSv1_2))
        tap.case("TLS 1.3: a session is taken up by each of four loops",
                 lambda: taken_up(ssl.TLSVersion.TLSv1_3))
    site.stop()


behind()
if HAPROXY:
    haproxy()
else:
    tap.skip("HAProxy", "haproxy is not installed")
strangers()
sessions()
tap.done()
