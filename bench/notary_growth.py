# SPDX-License-Identifier: MIT
"""How a notary's cost grows: with cores, records and connections. Rows for the report, and a plot of
each by gnuplot where that is installed."""
import os
import shutil
import subprocess

from report import median

PLOT = """
set terminal svg size 720,440 font "sans-serif,13" background rgb "white"
set output "{svg}"
set title "{title}"
set xlabel "{x}"
set ylabel "{y}"
set logscale x
set yrange [0:*]
set grid
set key top left
plot {curves}
"""


def plot(bench, name, title, x, y, series):
    """series: a name and its points (x, median, low, high) each."""
    curves = []
    for index, (label, points) in enumerate(series):
        path = os.path.join(bench.out, f"{name}-{index}.dat")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(" ".join(map(str, point)) + "\n" for point in points)
        curves.append(f'"{path}" using 1:2:3:4 with yerrorlines lw 2 title "{label}"')
    if shutil.which("gnuplot") is None:
        print("  (no gnuplot: no plot)")
        return
    svg = os.path.join(bench.out, name + ".svg")
    subprocess.run(["gnuplot"], check=True, text=True, input=PLOT.format(
        svg=svg, title=title, x=x, y=y, curves=", ".join(curves)))


def point(x, values):
    return x, median(values), min(values), max(values)


def cores(bench):
    """One worker and two, CPU a request: what sharing the cache costs."""
    bench.report.heading("Workers, cached query, notary CPU (reference: one worker)")
    cases = (("kept-alive", 40000, ["--connections", 32]),
             ("new connection", 1000, ["--connections", 8, "--mode", "new"]))
    count = len(os.sched_getaffinity(0))
    one = {}
    for workers in [1, 2] if count > 1 else [1]:
        notary = bench.notary(hosts=bench.names(1000), workers=workers)
        notary.pin(workers)
        bench.result(notary, "--requests", 1000, *bench.asking(count=1000), "--first", 0)
        for name, requests, more in cases:
            cost = [bench.cost_us(notary, requests // bench.scale, *bench.asking(count=1000), *more)
                    for _ in range(bench.rounds)]
            one.setdefault(name, cost)
            bench.report.row("cores", f"{workers} workers, {name}", cost, "us", one[name],
                             "one worker")
        notary.close()


def records(bench):
    """Queries about one of ever more targets, drawn at random; all of them known and fresh."""
    bench.report.heading("Records, cached query, notary CPU (reference: a thousand records)")
    memory_max = 1000000
    few, curves = None, {"from memory": [], "first time, from the store": []}
    for exponent in (3, 4, 5, 6, 7) if bench.scale == 1 else (3, 4, 5):
        count = 10 ** exponent
        requests = min(40000 // bench.scale, count)
        notary = bench.notary(f"max_targets = {memory_max}\nmax_stored = 100000000\n",
                              fill=lambda notary, n=count: notary.fill(n, bench.site))
        asking = bench.asking("--connections", 16, count=count)
        first, then = [], []
        for turn in range(3):
            first.append(bench.cost_us(notary, requests // 4, *asking, "--first",
                                       turn * (requests // 4)))
        if count <= memory_max:
            bench.cost_us(notary, count, *asking, "--first", 0, "--targets", 1)
            then = [bench.cost_us(notary, requests, *asking) for _ in range(bench.rounds)]
            few = few or then
            bench.report.row("records", f"{count} records, from memory", then, "us", few,
                             "a thousand")
            bench.report.row("records", f"{count} records, memory a record",
                             [(notary.pss_kib() - notary.empty_kib) * 1024 / count], "octets")
            curves["from memory"].append(point(count, then))
        bench.report.row("records", f"{count} records, first time, from the store", first, "us")
        curves["first time, from the store"].append(point(count, first))
        notary.close()
    plot(bench, "records", "A cached query by number of records", "records",
         "notary's CPU, microseconds a query", curves.items())


def connections(bench):
    """Kept-alive connections, all of which ask all the time."""
    bench.report.heading("Connections, cached query, CPU a request (reference: nginx)")
    notary = bench.notary(hosts=bench.names(10))
    nginx = bench.nginx(notary, bench.answer_size(notary, *bench.asking(count=10)))
    curves = {"converge-notaryd": [], "nginx, return 200": []}
    for count in (10, 100, 1000, 10000) if bench.scale == 1 else (10, 100, 1000):
        requests = 40000 // bench.scale
        asking = bench.asking("--connections", count, count=10)
        cost = {server: [] for server in (notary, nginx)}
        for _ in range(bench.rounds):
            for server, samples in cost.items():
                samples.append(bench.cost_us(server, requests, *asking))
        bench.report.row("connections", f"{count} connections", cost[notary],
                         "us", cost[nginx], "nginx")
        for label, server in zip(curves, cost):
            curves[label].append(point(count, cost[server]))
    plot(bench, "connections", "A cached query by number of connections",
         "connections", "server's CPU, microseconds a request", curves.items())
    notary.close()
    nginx.close()


SECTIONS = {"cores": cores, "records": records, "connections": connections}
