# SPDX-License-Identifier: MIT
"""Host and port: where each comes from, over every kind of BIO, alone and among many sockets."""
import os
import resource
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab

NAME = "site.example"

# enum cvg_found
PARAM, SNI, BIO, PEER, FD, COUNTERS, TUNNEL, SEVERAL = 2, 3, 4, 5, 6, 7, 8, 9


def psql(connection):
    connection.recv(8)
    connection.sendall(b"S")


def proxy(connection):
    lab.read_until(connection, b"\r\n\r\n")
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


class Cases:
    def __init__(self, tap, here):
        self.tap = tap
        self.here = here
        self.site = here.serve()

    def expect(self, what, asked, found, *args, port=None, scene="connect"):
        here = self.here
        here.start_agent()
        got = here.host("--port", port or self.site.port, *args, scene)
        answers = [q["found"] for q in here.questions()]
        self.tap.case(what, " ok=1 " in got[1] and here.asked() == asked and
                      answers == [f"{found[0]}/{found[1]}"] * len(asked),
                      (got, here.questions()))


def sources(case):
    port = case.site.port
    direct = [f"{NAME}:{port}"]
    case.expect("host from the verify parameter, port from the descriptor", direct, (PARAM, FD),
                "--param", NAME, "--sni", "www.site.example")
    case.expect("host from the parameter's address", [f"127.0.0.1:{port}"], (PARAM, FD), "--ip",
                "127.0.0.1", "--sni", NAME)
    case.expect("host from SNI", direct, (SNI, FD), "--sni", NAME)
    case.expect("a name in capitals with a dot at its end is the same name", direct, (SNI, FD),
                "--sni", "Site.Example.")
    case.expect("a parameter that is a pattern is no name: SNI", [f"www.site.example:{port}"],
                (SNI, FD), "--param", ".site.example", "--sni", "www.site.example")
    case.expect("host from the connect BIO", [f"localhost:{port}"], (BIO, FD), "--transport",
                "connect", "--address", "localhost")
    case.expect("host from the peer's address", [f"127.0.0.1:{port}"], (PEER, FD))
    case.expect("memory BIOs: port from the counters", direct, (PARAM, COUNTERS), "--param", NAME,
                "--transport", "memory")
    case.expect("a BIO of the program's own: port from the counters", direct, (PARAM, COUNTERS),
                "--param", NAME, "--transport", "custom")
    case.expect("memory BIOs without a name: the peer's address", [f"127.0.0.1:{port}"],
                (PEER, COUNTERS), "--transport", "memory")
    case.expect("TLS 1.2 over memory BIOs", direct, (PARAM, COUNTERS), "--param", NAME,
                "--transport", "memory", "--tls12")


def bad_names(case):
    here = case.here
    for name in ("site_example/x", "a..b", "-x.example"):
        here.start_agent()
        got = here.host("--port", case.site.port, "--sni", name, "connect")
        case.tap.case(f"a name that cannot be asked about refuses: {name}",
                      " ok=0 result=28 " in got[1] and here.asked() == [], (got, here.asked()))


def preambles(case):
    here = case.here
    for transport in ("fd", "memory", "custom"):
        how = FD if transport == "fd" else COUNTERS
        server = here.serve(preamble=psql)
        case.expect(f"STARTTLS over {transport}: the socket's own port", [f"{NAME}:{server.port}"],
                    (PARAM, how), "--param", NAME, "--transport", transport, "--preamble", "psql",
                    port=server.port)
        server = here.serve(preamble=proxy)
        case.expect(f"CONNECT over {transport}: the tunnel's ports first",
                    [f"{NAME}:443,8443,{server.port}"], (PARAM, TUNNEL), "--param", NAME,
                    "--transport", transport, "--preamble", "connect", port=server.port)


def many_at_once(case):
    here, tap = case.here, case.tap
    sites = [here.serve() for _ in range(16)]
    ports = [str(word) for site in sites for word in ("--port", site.port)]
    wanted = sorted(f"{NAME}:{site.port}" for site in sites)
    here.start_agent()
    got = here.host(*ports, "--param", NAME, "interleave")
    tap.case("16 memory BIO connections in one loop: each port is found", got[1].count(" ok=1 ") ==
             16 and sorted(here.asked()) == wanted, (got, here.asked()))
    here.start_agent()
    got = here.host(*ports, "--param", NAME, "gather")
    asked = [q["ports"].split(",") for q in here.questions()]
    tap.case("with equal counters: one question each, its own port among the candidates",
             got[1].count(" ok=1 ") == 16 and len(asked) == 16 and
             all(any(str(site.port) in ports for ports in asked) for site in sites), (got, here.asked()))
    here.start_agent()
    both = here.serve(address="0.0.0.0")
    got = here.host(*["--port", both.port] * 16, "--spread", "gather")
    peers = {q["host"] for q in here.questions()}
    tap.case("without a name and with one of several peers: refused where nobody can say whose",
             got[1].count(" ok=0 result=28 ") + len(here.asked()) == 16 and
             " ok=0 " in got[1] and peers <= {"127.0.0.1", "127.0.0.2"}, (got, here.asked()))
    for transport in ("memory", "custom"):
        here.start_agent()
        got = here.host(*ports, "--param", NAME, "--transport", transport, "--count", "64",
                        "threads")
        asked = [q["ports"].split(",") for q in here.questions()]
        tap.case(f"64 threads over {transport}: one question each, with the right port among few",
                 got[1].count(" ok=1 ") == 64 and len(asked) == 64 and
                 all(sum(str(site.port) in ports for ports in asked) >= 4 for site in sites),
                 (got, here.asked()))


def many_sockets(case):
    here, tap, site = case.here, case.tap, case.site
    for transport in ("fd", "memory"):
        here.start_agent()
        idle = socket.create_server(("127.0.0.1", 0), backlog=4096)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        count = 3000 if limit == resource.RLIM_INFINITY or limit > 4000 else limit - 100
        got = here.host("--port", site.port, "--port", idle.getsockname()[1], "--count", count, "--param", NAME,
                        "--transport", transport, "sockets")
        tap.case(f"{count} other sockets, {transport}: the right port",
                 f"sockets={count}\n" in got[1] and " ok=1 " in got[1] and
                 here.asked() == [f"{NAME}:{site.port}"], (got, here.asked()))
        idle.close()


def trickle(case):
    here, tap, site = case.here, case.tap, case.site

    def flood(connection):
        while True:
            connection.sendall(b"x" * 7)

    noisy = here.serve(preamble=flood)
    here.start_agent()
    got = here.host("--port", site.port, "--port", noisy.port, "--count", "100", "--param", NAME,
                    "--transport", "memory", "trickle")
    tap.case("another socket that trickles meanwhile: the right port 100 times",
             got[1].count(" ok=1 ") == 100 and here.asked() == [f"{NAME}:{site.port}"] * 100,
             (got, set(here.asked())))


def without_proc(case):
    here, tap, site = case.here, case.tap, case.site
    here.start_agent()
    got = here.host("--port", site.port, "--param", NAME, "--transport", "memory", "no-proc")
    if got[0] == 77:
        tap.skip("without /proc", "namespaces are not allowed here")
        return
    tap.case("without /proc: the port is found all the same",
             " ok=1 " in got[1] and here.asked() == [f"{NAME}:{site.port}"], (got, here.asked()))


def main():
    tap = lab.Tap()
    with lab.Lab() as here:
        here.configure("tunnel_ports = 443 8443\n")
        case = Cases(tap, here)
        for part in (sources, bad_names, preambles, many_at_once, many_sockets, trickle,
                     without_proc):
            part(case)
    tap.done()


main()
