#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make bench: what Converge costs, each figure against a named reference of the same run.

Everything is on loopback: a TLS site, notaries behind relays that delay every octet, an agent in a
directory of its own. Prints tables and writes the CSV behind them."""
import argparse
import os
import subprocess
import sys
import time

import nss
from installation import Installation, Place, Site
from report import Report, median

HOST = "site.bench-converge.net"


def run_samples(command, env):
    """Runs a program that prints rows of numbers (and words), and returns the rows as lists."""
    out = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout
    return [line.split() for line in out.splitlines()]


def start_up(place, report, rounds):
    """The plug-in in a program that does no TLS, against the same program without it."""
    install = Installation(place, "start-up", [])
    program = place.program("start-up")
    cases = {"without": install.environment(provider=False),
             "with": install.environment(provider=True)}
    wall = {name: [] for name in cases}
    init = {name: [] for name in cases}
    memory = {name: [] for name in cases}
    for _ in range(rounds):
        for name, env in cases.items():
            start = time.perf_counter_ns()
            row = run_samples([program], env)[0]
            wall[name].append((time.perf_counter_ns() - start) / 1e3)
            init[name].append(int(row[0]) / 1e3)
            memory[name].append(int(row[1]))
            if (row[2] == "1") != (name == "with"):
                sys.exit("bench: the plug-in is not loaded where it should be, or the reverse")
    report.heading("Plug-in loaded, no TLS done (reference: the same program without it)")
    for what, unit, samples in (("process, start to end", "us", wall),
                                ("loading OpenSSL's configuration, CPU", "us", init),
                                ("private memory", "KiB", memory)):
        report.row("start-up", what, samples["with"], unit, samples["without"], "without plug-in")
    added = median(init["with"]) - median(init["without"])
    kib = median(memory["with"]) - median(memory["without"])
    report.row("start-up", "added: start-up CPU", [added], "us", target="<= 300 us",
               met=added <= 300)
    report.row("start-up", "added: private memory", [kib], "KiB", target="<= 200 KiB",
               met=kib <= 200)


def warm_check(place, report, rounds, handshakes):
    """A cached check inside a real handshake, against the same handshake without us."""
    site = Site(place, HOST)
    install = Installation(place, "warm", [place.notary(n, [HOST]) for n in ("a", "b", "c")])
    install.start_agent()
    client = [place.program("tls-client"), place.ca_file, HOST, str(site.port)]
    plain, ours = install.environment(provider=False), install.environment(provider=True)
    run_samples(client + ["1"], ours)  # the first visit
    wall, cpu, agent = {0: [], 1: []}, {0: [], 1: []}, []
    for _ in range(rounds):
        for key, env in ((0, plain), (1, ours)):
            before = install.agent_cpu_ns()
            rows = run_samples(client + [str(handshakes + 1)], env)[1:]
            wall[key].append(median([int(r[0]) / 1e3 for r in rows]))
            cpu[key].append(median([int(r[1]) / 1e3 for r in rows]))
            if key == 1:
                agent.append((install.agent_cpu_ns() - before) / 1e3 / (handshakes + 1))
    if install.count("reason=cache") < rounds * handshakes:
        sys.exit("bench: the warm checks were not answered from the cache")
    report.heading("Warm check in a real handshake (reference: the same handshake without us)")
    report.row("warm", "handshake, wall", wall[1], "us", wall[0], "without")
    report.row("warm", "handshake, client CPU", cpu[1], "us", cpu[0], "without")
    added = [b - a for a, b in zip(wall[0], wall[1])]
    report.row("warm", "added by a warm check, wall", added, "us", target="<= 60 us",
               met=median(added) <= 60)
    report.row("warm", "added by a warm check, client CPU",
               [b - a for a, b in zip(cpu[0], cpu[1])], "us")
    report.row("warm", "agent CPU a cached check", agent, "us", target="<= 20 us",
               met=median(agent) <= 20)
    install.close()
    site.close()


def bare_round_trip(relay_ports, octets=64, rounds=20):
    """Milliseconds of an echo through the ports' relays in a row; what no protocol can beat."""
    import socket
    with socket.create_connection(("127.0.0.1", relay_ports[0])) as conn:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        samples = []
        for _ in range(rounds):
            start = time.perf_counter_ns()
            conn.sendall(b"x" * octets)
            got = 0
            while got < octets:
                got += len(conn.recv(octets))
            samples.append((time.perf_counter_ns() - start) / 1e6)
        return samples


def cold_check(place, report, delays, counts, checks):
    """A first visit with a warm agent, against the bare round trip through the same relays."""
    report.heading("First visit, agent warm (reference: one bare round trip, same relays)")
    for bounced in (False, True):
        for delay in delays:
            for count in counts:
                cold_case(place, report, bounced, delay, count, checks)


def cold_case(place, report, bounced, delay, count, checks):
    names = [f"{i}.{HOST}" for i in range(1, checks + 1)]
    site = Site(place, HOST, names)
    voters = count + 1 if bounced else count
    notaries = [place.notary(f"n{i}", names, delay_ms=delay) for i in range(voters)]
    install = Installation(place, "cold", notaries, quorum=count,
                           bounce="on" if bounced else "off", deadline="5s")
    install.start_agent()
    command = [place.program("ask"), site.leaf_file, HOST, str(site.port), str(checks), "each"]
    env = install.environment(provider=False)
    for _ in range(2):  # the notaries look, the tunnels open
        run_samples(command, env)
        install.converge("cache", "clear")
    before, asked = place.wire(notaries), install.count("reason=vote")
    rows = run_samples(command, env)
    after, asked = place.wire(notaries), install.count("reason=vote") - asked
    if asked != checks or any(r[1] != "agree" for r in rows):
        sys.exit(f"bench: {count} notaries at {delay} ms: not every first visit was a vote")
    samples = [int(r[0]) / 1e6 for r in rows]
    echo = place.echo(delay, hops=2 if bounced else 1)
    bare = bare_round_trip([echo.port])
    kind = "bounced" if bounced else "direct"
    ratio = median(samples) / median(bare)
    report.row("cold", f"{count} notaries, {delay} ms, {kind}", samples, "ms", bare,
               "bare round trip", target="<= 1.05", met=ratio <= 1.05)
    if not bounced and delay == 10:
        wire_row(report, count, before, after, checks)
    echo.close()
    install.close()
    for notary in notaries:
        notary.close()
    site.close()


def wire_row(report, count, before, after, checks):
    """Octets a query on the wire: payload (TLS) and 52 octets of IP and TCP header a segment."""
    queries = checks * count
    delta = [b - a for a, b in zip(before, after)]
    payload = (delta[1] + delta[2]) / queries
    whole = payload + 52 * (delta[3] + delta[4]) / queries
    report.row("wire", f"TLS octets a query, both ways ({count} notaries)", [payload], "B")
    report.row("wire", f"with TCP/IP headers ({count} notaries)", [whole], "B",
               target="<= 1024 B", met=whole <= 1024)


def cache_size(place, report, records):
    """The agent's cache file; the study reckoned 32 octets a record."""
    path = os.path.join(place.directory, "size.gdbm")
    row = run_samples([place.program("cache-size"), path, str(records)], os.environ.copy())[0]
    report.heading(f"Agent's cache, {records} records")
    mb = int(row[1]) / 1e6
    limit = 10 * records / 100000
    report.row("cache", "file", [mb], "MB", target=f"<= {limit:g} MB", met=mb <= limit)
    report.row("cache", "octets a record", [int(row[1]) / int(row[0])], "B")
    report.row("cache", "a put, written out", [int(row[2]) / 1e3], "us")
    report.row("cache", "a lookup", [int(row[3]) / 1e3], "us")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=".", help="the build directory")
    parser.add_argument("--csv", default="bench.csv", help="where the CSV goes")
    parser.add_argument("--quick", action="store_true", help="few samples: does it work at all")
    options = parser.parse_args()
    quick = options.quick
    report = Report()
    with Place(os.path.abspath(options.build)) as place:
        start_up(place, report, 5 if quick else 60)
        warm_check(place, report, 2 if quick else 15, 20 if quick else 200)
        nss.section(place, report, quick)
        cold_check(place, report, [10] if quick else [10, 50, 150], [3] if quick else [3, 8],
                   5 if quick else 20)
        cache_size(place, report, 10000 if quick else 100000)
    report.write(options.csv)
    missed = [r["case"] for r in report.rows if r["met"] == "no"]
    print(f"\nwritten: {options.csv}; targets missed: {', '.join(missed) if missed else 'none'}")


if __name__ == "__main__":
    main()
