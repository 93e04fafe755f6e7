# SPDX-License-Identifier: MIT
# What is limited, and what a client gets over the limit: one case for each row of "Limits" in
# doc/notary.md that no other test holds.
import os
import socket
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, Site, Tap, connect, expect, read_all

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


def probes():
    """Over probes_per_minute: 429 with Retry-After; what memory knows is told all the same."""
    sites = [Site(one) for _ in range(3)]
    with Notary(hosts=HOSTS, settings="probes_per_minute = 2\n") as notary:
        for site in sites[:2]:
            expect(head_of(notary, asking("site.example", site.port))[0], 200)
        status, fields = head_of(notary, asking("site.example", sites[2].port))
        expect(status, 429)
        expect(1 <= int(fields["retry-after"]) <= 30, True, fields)
        expect(head_of(notary, asking("site.example", sites[0].port))[0], 200, "from memory")
        expect(sites[2].connections, 0)
    for site in sites:
        site.stop()


def target_probes():
    """Over target_probes_per_minute: 503 with Retry-After, which is not remembered as a failure."""
    sites = [Site(one) for _ in range(3)]
    with Notary(hosts=HOSTS, settings="target_probes_per_minute = 2\n") as notary:
        for site in sites[:2]:
            expect(head_of(notary, asking("site.example", site.port))[0], 200)
        for _ in range(2):
            status, fields = head_of(notary, asking("other.example", sites[2].port))
            expect((status, "retry-after" in fields), (503, True))
        expect(head_of(notary, asking("site.example", sites[0].port))[0], 200, "from memory")
        expect(sites[2].connections, 0)
    for site in sites:
        site.stop()


def probes_at_once():
    """Over max_probes: 503 with Retry-After, at once, while others wait."""
    mute, site = Site(mute=True), Site(one)
    with Notary(hosts=HOSTS, settings="max_probes = 1\nprobe_timeout = 10s\n") as notary:
        with notary.tls() as waiting:
            waiting.sendall(asking("site.example", mute.port))
            while mute.connections == 0:
                time.sleep(0.01)
            status, fields = head_of(notary, asking("site.example", site.port))
            expect((status, "retry-after" in fields), (503, True))
    mute.stop()
    site.stop()


def relayed(notary):
    """What the relay says to one CONNECT, and when to come again; "": nothing."""
    try:
        connection, head = connect(notary, "CONNECT site.example+1 HTTP/1.0")
        connection.close()
        return head[9:12], "\r\nRetry-After: " in head
    except ConnectionError:
        return "", False


def begun(notary, octets=b"CONNECT "):
    connection = socket.create_connection(("127.0.0.1", notary.relay_port), timeout=10)
    connection.sendall(octets)
    return connection


def tunnels():
    """Over max_tunnels: 503, for as many as have a place to be told; when one has gone there is room
    again. Those that say nothing lose their places soon."""
    with Notary(hosts=HOSTS, settings="max_tunnels = 1\nworkers = 1\n") as notary:
        first = begun(notary)
        for _ in range(20):
            expect(relayed(notary), ("503", True))
        silent = [begun(notary) for _ in range(8)]
        expect(relayed(notary), ("", False), "no place")
        for connection in silent:
            read_all(connection)
        expect(relayed(notary), ("503", True))
        first.close()
        end = time.monotonic() + 10
        while relayed(notary)[0] != "403":
            expect(time.monotonic() < end, True, "no room again")


def relayed_of_one_network():
    """Over connections_per_network at the relay: 429."""
    with Notary(hosts=HOSTS, settings="connections_per_network = 2\nworkers = 1\n") as notary:
        held = [begun(notary) for _ in range(2)]
        for _ in range(20):
            expect(relayed(notary), ("429", True))
        for connection in held:
            connection.close()
        end = time.monotonic() + 10
        while relayed(notary)[0] != "403":
            expect(time.monotonic() < end, True, "no room again")


def relayed_to_one_network():
    """Relayed connections count as probes of the target's network do, and the other way round."""
    site = Site(one)
    with Notary(hosts=HOSTS, settings=f"target_probes_per_minute = 2\nrelay_ports = {site.port}\n"
                ) as notary:
        def dialled():
            connection, head = connect(notary, f"CONNECT site.example+{site.port} HTTP/1.0")
            connection.close()
            return head[9:12], "\r\nRetry-After: " in head

        for _ in range(2):
            expect(dialled(), ("200", False))
        expect(dialled(), ("503", True))
        expect(head_of(notary, asking("site.example", site.port))[0], 503, "a probe")
        end = time.monotonic() + 10
        while site.connections < 2 and time.monotonic() < end:
            time.sleep(0.01)  # the kernel connects before the site has heard of it
        expect(site.connections, 2)
    site.stop()


BUNDLE = b"GET /bundle.notary HTTP/1.1\r\nHost: n\r\n\r\n"


def told(notary, status, times=20):
    """Each is told to come again, and that this is the end of its connection, whatever it asks."""
    for _ in range(times):
        got, fields = head_of(notary, BUNDLE * 2)
        expect((got, fields["connection"], "retry-after" in fields), (status, "close", True))


def room_again(notary):
    end = time.monotonic() + 10
    while head_of(notary, b"GET /bundle.notary HTTP/1.0\r\n\r\n")[0] != 200:
        expect(time.monotonic() < end, True, "no room again")


def plain(notary):
    return socket.create_connection(("127.0.0.1", notary.ssl_port), timeout=10)


def still_served(connection, octets=BUNDLE):
    connection.sendall(octets)
    expect(connection.recv(65536)[9:12], b"200", "who was there before")


def connections():
    """Over max_connections, while none is idle: 503. Guests make nobody go, and those that say nothing
    hold their places for a short time; beyond the places: closed."""
    with Notary(hosts=HOSTS, settings="max_connections = 2\nworkers = 1\nclient_timeout = 60s\n"
                ) as notary:
        busy = [notary.tls() for _ in range(2)]
        for connection in busy:
            still_served(connection, BUNDLE + BUNDLE[:10])
        told(notary, 503)
        silent = [plain(notary) for _ in range(8)]
        try:
            notary.raw(BUNDLE)
        except OSError:
            pass
        else:
            raise AssertionError("there was a place")
        for connection in silent:
            read_all(connection)
        told(notary, 503, 1)
        for connection in busy:
            still_served(connection, BUNDLE[10:])
            connection.close()
        room_again(notary)


def connections_of_one_network():
    """Over connections_per_network: 429, and those it has go on."""
    with Notary(hosts=HOSTS, settings="connections_per_network = 2\nworkers = 2\n") as notary:
        held = [notary.tls() for _ in range(2)]
        told(notary, 429)
        for connection in held:
            still_served(connection)
            connection.close()
        room_again(notary)


def path_and_head():
    with Notary(hosts=HOSTS) as notary:
        for octets, status in ((b"GET /" + b"a" * 1024 + b" HTTP/1.0\r\n\r\n", 414),
                               (b"GET / HTTP/1.0\r\nx: " + b"y" * 8192 + b"\r\n\r\n", 431),
                               (b"POST /v2/query HTTP/1.0\r\nContent-Length: 8193\r\n\r\n", 413)):
            expect(head_of(notary, octets)[0], status, octets[:20])


tap.case("queries of one network over queries_per_minute: 429", queries)
tap.case("a request of several targets over queries_per_minute: 429", targets_of_one_request)
tap.case("probes for one network over probes_per_minute: 429", probes)
tap.case("probes of one target network over target_probes_per_minute: 503", target_probes)
tap.case("probes at once over max_probes: 503", probes_at_once)
tap.case("connections over max_connections: 503", connections)
tap.case("connections of one network over connections_per_network: 429", connections_of_one_network)
tap.case("relayed connections over max_tunnels: 503", tunnels)
tap.case("relayed connections over connections_per_network: 429", relayed_of_one_network)
tap.case("relayed connections over target_probes_per_minute: 503", relayed_to_one_network)
tap.case("path, head and body that are too long: 414, 431, 413", path_and_head)
tap.done()
