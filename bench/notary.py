#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make bench-notary: what a notary costs, beside nginx with a static answer of equal size in
alternating runs, CPU time from the kernel's accounting; and how that grows. Everything is on
loopback. Prints tables, writes the CSV behind them and SVG plots."""
import argparse
import os
import sys
import time

import notary_growth
from installation import Place
from notary_world import NAMES, Load, Nginx, Notary, Silent, Site, bare_handshakes, cpus
from report import Report, median

HTTP_HEAD = 170  # about what stands before the body of an answer


class Bench:
    """What every section needs."""

    def __init__(self, place, report, rounds, scale):
        self.place, self.report, self.rounds, self.scale = place, report, rounds, scale
        self.site = Site(place)
        self.ours, self.theirs = cpus()

    def names(self, count, address="127.0.0.1", first=0):
        return [(address, NAMES.replace("%", str(i))) for i in range(first, first + count)]

    def asking(self, *more, count=1, leaf=None):
        return ["--names", NAMES, "--count", count, "--target", self.site.port,
                "--leaf", leaf or self.site.sha256, *more]

    def load(self, server, *options, hold=False):
        return Load(self.place, server, *options, on=self.theirs, hold=hold)

    def result(self, server, *options):
        """A whole run."""
        load = self.load(server, *options)
        result = load.result()
        load.end()
        return result

    def notary(self, settings="", hosts=(), **more):
        return Notary(self.place, settings, hosts, cpus=self.ours, **more)

    def nginx(self, notary, size, **more):
        return Nginx(self.place, notary, size, cpus=self.ours, **more)

    def cost_us(self, server, requests, *options):
        """The server's CPU microseconds a request, every one of which must be answered with 200. Kept
        connections are open before and after."""
        hold = "--mode" not in options or "kept" in options
        load = self.load(server, "--requests", requests, *options, hold=hold)
        before = server.cpu_ns()
        result = load.go().result() if hold else load.result()
        cost = (server.cpu_ns() - before) / requests / 1e3
        load.end()
        if result["ok"] != requests:
            sys.exit(f"bench: not every request was answered: {result}")
        return cost

    def answer_size(self, notary, *options):
        """The octets of one answer's body, from the length of the whole."""
        result = self.result(notary, "--requests", 200, *options)
        return int(result["octets"] / 200) - HTTP_HEAD


def cached(bench):
    """Answers from memory, beside nginx."""
    bench.report.heading("Cached query, server CPU a request (reference: nginx, return 200)")
    cases = [("v2, 1 target", []), ("v2, 10 targets", ["--targets", 10]),
             ("v1", ["--v1", "--leaf", bench.site.sha1])]
    with_tls = [("kept-alive, TLS 1.3", "kept", 13, 16, 40000, cases),
                ("kept-alive, TLS 1.2", "kept", 12, 16, 40000, cases[:1]),
                ("new connection, TLS 1.3", "new", 13, 8, 1000, cases[:1]),
                ("new connection, TLS 1.2", "new", 12, 8, 1000, cases[:1]),
                ("resumed, TLS 1.3", "resumed", 13, 8, 2000, cases[:1]),
                ("resumed, TLS 1.2", "resumed", 12, 8, 2000, cases[:1])]
    notary = bench.notary(hosts=bench.names(10))
    for name, mode, tls, connections, requests, forms in with_tls:
        for form, more in forms:
            options = bench.asking(*more, count=10)
            nginx = bench.nginx(notary, bench.answer_size(notary, *options))
            options += ["--mode", mode, "--tls", tls, "--connections", connections]
            ours, theirs = [], []
            for _ in range(bench.rounds):
                ours.append(bench.cost_us(notary, requests // bench.scale, *options))
                theirs.append(bench.cost_us(nginx, requests // bench.scale, *options))
            ratio = median([a / b for a, b in zip(ours, theirs)])
            target = form != "v2, 10 targets" and mode != "resumed"
            bench.report.row("cached", f"{name}, {form}", ours, "us", theirs, "nginx", ratio,
                             "<= 1.00" if target else "", ratio <= 1.0 if target else None)
            nginx.close()
    notary.close()


def idle(bench):
    """Memory of connections that wait for their next request."""
    bench.report.heading("Idle TLS 1.3 connection, memory (reference: nginx)")
    count = 4000 // bench.scale
    notary = bench.notary(hosts=bench.names(1))
    nginx = bench.nginx(notary, 250)
    kib = []
    for server in (notary, nginx):
        bench.result(server, "--requests", 100, *bench.asking())
        before = server.pss_kib()
        load = bench.load(server, "--requests", 1, "--connections", count, "--tls", 13,
                          *bench.asking(), hold=True)
        kib.append((server.pss_kib() - before) / count)
        load.end()
    bench.report.row("idle", f"a connection, {count} open", kib[:1], "KiB", kib[1:], "nginx")
    notary.close()
    nginx.close()


def uncached(bench):
    """A probe for every query, against a bare client's handshake with the same target."""
    bench.report.heading("Uncached query, notary CPU (reference: a client's handshake, its CPU)")
    count = 1000 // bench.scale
    notary = bench.notary(hosts=bench.names(count * (bench.rounds + 1)))
    ours, bare = [], []
    for turn in range(bench.rounds + 1):
        ours.append(bench.cost_us(notary, count, *bench.asking(count=count), "--first",
                                  turn * count, "--connections", 8))
        bare.append(bare_handshakes(bench.place, bench.site, count, bench.ours))
    ratio = median([a / b for a, b in zip(ours[1:], bare[1:])])
    bench.report.row("uncached", "a query that needs a probe", ours[1:], "us", bare[1:],
                     "bare handshake", ratio, "<= 1.25", ratio <= 1.25)
    notary.close()


def dead(bench):
    """One target in five is dead: refuses, or keeps silent. The others must not notice."""
    bench.report.heading("20 % of targets dead, 200 uncached queries a second "
                         "(reference: all alive)")
    seconds, rate = 8 // min(bench.scale, 2), 200
    count = seconds * rate
    silent = Silent("127.0.0.3", bench.site.port)
    alive = None
    for kind, address in (("none", "127.0.0.1"), ("refused", "127.0.0.2"),
                          ("silent", "127.0.0.3")):
        hosts = [(address if i >= 300 and i % 5 == 0 else "127.0.0.1", name)
                 for i, (_, name) in enumerate(bench.names(count + 300))]
        notary = bench.notary(hosts=hosts)
        load = bench.load(notary, *bench.asking(count=count + 300), "--first", 0, "--rate", rate,
                          "--requests", count, "--connections", 300, hold=True)
        before = notary.cpu_ns()
        result = load.go().result()
        load.end()
        cost = (notary.cpu_ns() - before) / count / 1e3
        if result["answers"] != count:
            sys.exit(f"bench: not every query was answered: {result}")
        alive = alive or (cost, result["p50_us"])
        bench.report.row("dead", f"{kind}: notary CPU a query", [cost], "us", [alive[0]],
                         "all alive")
        bench.report.row("dead", f"{kind}: median wait for an answer", [result["p50_us"]], "us",
                         [alive[1]], "all alive")
        notary.close()
    silent.close()


def outstanding(bench):
    """Ten thousand probes that wait, and the cached queries beside them."""
    connections = 624 // bench.scale
    probes = connections * 16
    bench.report.heading(f"{probes} probes outstanding (reference: none)")
    silent = Silent("127.0.0.3", bench.site.port)
    notary = bench.notary("max_probes = 16000\nprobe_timeout = 10s\n",
                          bench.names(1) + bench.names(probes, "127.0.0.3", first=1))
    requests = 20000 // bench.scale
    quiet = bench.cost_us(notary, requests, *bench.asking(), "--connections", 16)
    calm = bench.result(notary, "--seconds", 2, "--rate", 2000, "--connections", 16,
                        *bench.asking())
    before = notary.pss_kib()
    load = bench.load(notary, *bench.asking("--targets", 16, count=probes), "--first", 1,
                      "--requests", connections, "--connections", connections)
    until = time.monotonic() + 9
    while len(silent.held) < probes and time.monotonic() < until:
        time.sleep(0.05)
    held = len(silent.held)
    kib = (notary.pss_kib() - before) / held
    busy = bench.result(notary, "--seconds", 2, "--rate", 2000, "--connections", 16,
                        *bench.asking())
    cost = bench.cost_us(notary, requests, *bench.asking(), "--connections", 16)
    ended = load.result()
    load.end()
    if ended["answers"] != connections or held < probes:
        sys.exit(f"bench: {held} probes were outstanding at once: {ended}")
    bench.report.row("outstanding", "cached query, notary CPU", [cost], "us", [quiet], "none")
    for at in ("p50_us", "p99_us"):
        bench.report.row("outstanding", f"cached query at 2,000/s, {at[:-3]}", [busy[at]], "us",
                         [calm[at]], "none")
    bench.report.row("outstanding", "memory a probe", [kib], "KiB")
    notary.close()
    silent.close()


def mixed(bench):
    """Latency of kept-alive queries while others shake hands and ask for what is not known."""
    bench.report.heading("Mixed load: 3,000/s kept-alive, 200/s new connections, 100/s uncached; "
                         "latency (reference: nginx under as many requests)")
    seconds = 10 // min(bench.scale, 3)
    notary = bench.notary(hosts=bench.names(100 * seconds * bench.rounds + 1))
    nginx = bench.nginx(notary, bench.answer_size(notary, *bench.asking()))
    kinds = {"kept-alive": ["--rate", 3000, "--connections", 64],
             "new connection": ["--rate", 200, "--connections", 200, "--mode", "new"]}
    seen = {server: {kind: [] for kind in [*kinds, "uncached"]} for server in (notary, nginx)}
    for turn in range(bench.rounds):
        for server in (notary, nginx):
            loads = {kind: bench.load(server, "--seconds", seconds, *more, *bench.asking())
                     for kind, more in kinds.items()}
            loads["uncached"] = bench.load(
                server, "--requests", 100 * seconds, "--rate", 100, "--connections", 100,
                *bench.asking(count=100 * seconds), "--first", 1 + turn * 100 * seconds)
            for kind, load in loads.items():
                seen[server][kind].append(load.result())
                load.end()
    for kind in [*kinds, "uncached"]:
        for at in ("p50_us", "p90_us", "p99_us", "p999_us"):
            bench.report.row("mixed", f"{kind}, {at[:-3]}",
                             [result[at] for result in seen[notary][kind]], "us",
                             [result[at] for result in seen[nginx][kind]], "nginx")
    notary.close()
    nginx.close()


SECTIONS = {"cached": cached, "idle": idle, "uncached": uncached, "dead": dead,
            "outstanding": outstanding, "mixed": mixed, **notary_growth.SECTIONS}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--out", required=True, help="directory for the CSV and the plots")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything: does it run?")
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS])
    options = parser.parse_args()
    report = Report()
    os.makedirs(options.out, exist_ok=True)
    with Place(options.build) as place:
        bench = Bench(place, report, 3 if options.quick else 7, 10 if options.quick else 1)
        bench.out = options.out
        for name in options.sections or SECTIONS:
            SECTIONS[name](bench)
        bench.site.close()
    report.write(os.path.join(options.out, "notary.csv"))
    print(f"\nCSV and plots: {options.out}")


if __name__ == "__main__":
    main()
