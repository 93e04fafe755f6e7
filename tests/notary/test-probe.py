# SPDX-License-Identifier: MIT
# How a notary looks at targets: what it says to them, what dead ones cost, how often it comes.
import os
import socket
import struct
import sys
import tempfile
import threading

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import (Certificate, Listener, Notary, SEEN, Site, Tap, UNREACHABLE, ZERO, current,
                       expect, free_ports)

SNI, STATUS_REQUEST, GROUPS, SIGNATURES, ALPN, SCT = 0, 5, 10, 13, 16, 18
ENCRYPT_THEN_MAC, VERSIONS, KEY_SHARE = 22, 43, 51


class Hellos:
    """Takes the first record of each connection, and hangs up."""

    def __init__(self):
        self.came = []
        self.listener = Listener(self.serve)
        self.port = self.listener.port

    def serve(self, connection):
        with connection:
            head = connection.recv(5, socket.MSG_WAITALL)
            self.came.append(connection.recv(struct.unpack("!H", head[3:])[0], socket.MSG_WAITALL))


class Chatter:
    """Answers a hello with HelloRequests, which a TLS client has to pass over, as fast as it can."""

    MOST = 64 << 20  # far more than sockets' buffers take
    RECORDS = (b"\x16\x03\x03\x40\0" + bytes(16384)) * 16

    def __init__(self):
        self.said = 0
        self.ended = threading.Event()
        self.listener = Listener(self.serve)
        self.port = self.listener.port

    def serve(self, connection):
        with connection:
            connection.recv(5, socket.MSG_WAITALL)
            try:
                while self.said < self.MOST:
                    connection.sendall(self.RECORDS)
                    self.said += len(self.RECORDS)
            except OSError:
                pass
        self.ended.set()


def u16s(octets):
    return [struct.unpack("!H", octets[i:i + 2])[0] for i in range(0, len(octets), 2)]


def parse(hello):
    """The cipher suites and the extensions of a ClientHello."""
    at = 4 + 2 + 32
    at += 1 + hello[at]
    length = struct.unpack("!H", hello[at:at + 2])[0]
    suites = u16s(hello[at + 2:at + 2 + length])
    at += 2 + length
    at += 1 + hello[at] + 2
    extensions = {}
    while at < len(hello):
        kind, length = struct.unpack("!HH", hello[at:at + 4])
        extensions[kind] = hello[at + 4:at + 4 + length]
        at += 4 + length
    return suites, extensions


def hello(tap, notary):
    server = Hellos()
    notary.v2(("site.example", server.port, ZERO))
    notary.v2(("127.0.0.1", server.port, ZERO))
    (suites, extensions), (_, without_name) = [parse(one) for one in server.came[:2]]
    server.listener.stop()

    def offered():
        expect([hex(one) for one in suites[:6]],
               ["0x1301", "0x1303", "0x1302", "0xc02b", "0xc02f", "0xcca9"])
        expect(u16s(extensions[GROUPS][2:]), [29, 23, 24, 25, 256, 257])
        expect([hex(one) for one in u16s(extensions[SIGNATURES][2:])][:3],
               ["0x403", "0x503", "0x603"])
        expect(u16s(extensions[VERSIONS][1:]), [0x0304, 0x0303])
        expect(extensions[KEY_SHARE][2:4], b"\0\x1d", "X25519")

    def extensions_of_a_browser():
        expect(extensions[SNI][5:], b"site.example")
        expect({STATUS_REQUEST, SCT} <= set(extensions), True)
        expect({ENCRYPT_THEN_MAC, ALPN} & set(extensions), set(),
               "no browser's, or for another port")

    def no_name():
        expect(SNI in without_name, False)

    tap.case("a hello's ciphers, groups and signatures are a browser's, in that order", offered)
    tap.case("so are its extensions", extensions_of_a_browser)
    tap.case("an address is sent no name", no_name)


def chatter(tap, notary):
    """A loop that goes on reading as long as there is something serves nobody else."""
    def hung_up():
        server = Chatter()
        expect(notary.v2(("127.0.0.1", server.port, ZERO))[0]["status"], UNREACHABLE)
        expect(server.ended.wait(30), True)
        expect(server.said < server.MOST, True, "the notary listened to all of it")
        server.listener.stop()

    tap.case("who talks without end is hung up on", hung_up)


def dead(tap, notary, certificate):
    """Of those asked for a third is dead; nobody waits for the dead but who asked for them."""
    site, mute = Site(certificate), Site(mute=True)
    closed, = free_ports(1)

    def beside_the_dead():
        results = {}

        def ask(number, port):
            results[number] = notary.v2((f"n{number}.example", port, certificate.sha256))[0]["status"]

        def begin(port, numbers):
            threads = [threading.Thread(target=ask, args=(i, port)) for i in numbers]
            for one in threads:
                one.start()
            return threads

        silent, refused = begin(mute.port, range(10)), begin(closed, range(10, 20))
        for one in begin(site.port, range(20, 60)):
            one.join()
        waiting = sum(one.is_alive() for one in silent)
        for one in silent + refused:
            one.join()
        expect([results[i] for i in range(20)], [UNREACHABLE] * 20)
        expect([results[i] for i in range(20, 60)], [SEEN] * 40)
        expect(waiting > 0, True, "the good took as long as the silent")

    tap.case("good targets beside silent and closed ones", beside_the_dead)
    for one in (site, mute):
        one.stop()


def budget(tap, certificate):
    def spent():
        sites = [Site(certificate) for _ in range(6)]
        with Notary(settings="target_probes_per_minute = 4\n") as notary:
            answers = [notary.v2(("127.0.0.1", one.port, certificate.sha256)) for one in sites]
            expect([one[0]["status"] for one in answers[:4]], [SEEN] * 4)
            expect(answers[4:], [503] * 2, "nothing is signed about what was not looked at")
            again = notary.v2(("127.0.0.1", sites[0].port, certificate.sha256))[0]
            expect(current(again), [certificate.sha256], "what is known is told all the same")
            expect(notary.stop(), 0)
        expect([one.connections for one in sites], [1, 1, 1, 1, 0, 0])
        for one in sites:
            one.stop()

    tap.case("a target network's budget: beyond it nothing is connected to", spent)


def main():
    tap = Tap()
    hosts = "127.0.0.1 site.example " + " ".join(f"n{i}.example" for i in range(60)) + "\n"
    with tempfile.TemporaryDirectory(prefix="converge-probe-") as directory:
        certificate = Certificate(directory, "one")
        with Notary(hosts=hosts, settings="probe_timeout = 9s\n") as notary:
            hello(tap, notary)
            chatter(tap, notary)
            dead(tap, notary, certificate)
            expect(notary.stop(), 0)
        budget(tap, certificate)
    tap.done()


main()
