# SPDX-License-Identifier: MIT
"""The bench's section NSS: what the PKCS#11 trust module costs unmodified NSS programs.

Databases "with" and "without" the module are alike but for it; every figure has its reference in
the same run."""
import os
import shutil
import subprocess
import sys

import pages
from installation import Installation, Site, start, stop
from report import median

HOST = "nss.bench-converge.net"
AT_ONCE = 50


def run_samples(command, env):
    out = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout
    return [[int(word) for word in line.split()] for line in out.splitlines()]


class Databases:
    """Two NSS databases that trust the bench's CA, one with the module."""

    def __init__(self, place):
        self.without = os.path.join(place.directory, "nss-without")
        self.with_module = os.path.join(place.directory, "nss-with")
        os.mkdir(self.without)
        self.tool("certutil", "-N", "-d", "sql:" + self.without, "--empty-password")
        self.tool("certutil", "-A", "-d", "sql:" + self.without, "-n", "bench", "-t", "C,,",
                  "-a", "-i", place.ca_file)
        shutil.copytree(self.without, self.with_module)
        module = os.path.join(place.build, ".libs", "libconverge-nss.so")
        self.tool("modutil", "-force", "-dbdir", "sql:" + self.with_module, "-add", "converge",
                  "-libfile", module)

    def tool(self, *command):
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def both(self, turn=0):
        """Keys 0, without, and 1; which comes first changes with the turn."""
        pair = (0, "sql:" + self.without), (1, "sql:" + self.with_module)
        return pair if turn % 2 == 0 else pair[::-1]


def instructions(command, env):
    """Instructions in user and kernel mode of a whole program; None where nothing counts them."""
    perf = shutil.which("perf")
    if not perf:
        return None
    result = subprocess.run([perf, "stat", "-x", ",", "-e", "instructions", *command], env=env,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in result.stderr.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2].startswith("instructions") and fields[0].isdigit():
            return int(fields[0])
    return None


def handshakes(place, report, databases, rounds, count):
    """A cached check inside a real handshake, against the same handshake without the module."""
    site = Site(place, HOST)
    install = Installation(place, "nss", [place.notary(n, [HOST]) for n in ("a", "b", "c")])
    install.start_agent()
    env = install.environment(provider=False)

    def command(database, times):
        return [place.program("nss-handshakes"), database, HOST, str(site.port), str(times)]

    run_samples(command("sql:" + databases.with_module, 1), env)  # the first visit
    wall, cpu, sock = {0: [], 1: []}, {0: [], 1: []}, {0: [], 1: []}
    agent, counted = [], {}
    for turn in range(rounds):
        for key, database in databases.both(turn):
            before = install.agent_cpu_ns()
            rows = run_samples(command(database, count + 1), env)[1:]
            wall[key].append(median([row[0] / 1e3 for row in rows]))
            cpu[key].append(median([row[1] / 1e3 for row in rows]))
            sock[key].append(median([row[2] / 1e3 for row in rows]))
            if key == 1:
                agent.append((install.agent_cpu_ns() - before) / 1e3 / (count + 1))
    if install.count("reason=cache") < rounds * count:
        sys.exit("bench: the warm checks were not answered from the cache")
    for key, database in databases.both():
        few, many = (instructions(command(database, n), env) for n in (1, count + 1))
        counted[key] = (many - few) / count / 1e3 if few and many else None
    report.heading("NSS: warm check in a full handshake (reference: the same without the module)")
    report.row("nss", "handshake, wall", wall[1], "us", wall[0], "without module")
    report.row("nss", "handshake, client CPU", cpu[1], "us", cpu[0], "without module")
    report.row("nss", "its socket's reads and writes, CPU", sock[1], "us", sock[0],
               "without module")
    if all(counted.values()):
        report.row("nss", "handshake, client instructions", [counted[1]], "k", [counted[0]],
                   "without module")
    added = [b - a for a, b in zip(cpu[0], cpu[1])]
    report.row("nss", "added by a warm check, client CPU", added, "us", target="<= 60 us",
               met=median(added) <= 60)
    report.row("nss", "of which in reads and writes, CPU",
               [b - a for a, b in zip(sock[0], sock[1])], "us")
    report.row("nss", "added by a warm check, wall",
               [b - a for a, b in zip(wall[0], wall[1])], "us")
    report.row("nss", "agent CPU a cached check", agent, "us")
    install.close()
    return site


def lookups(place, report, databases, site, rounds, count):
    """Verification of a leaf that NSS has not seen, of which trust lookups are a part."""
    install = Installation(place, "nss-lookups", [])
    env = install.environment(provider=False)
    verify, direct = {0: [], 1: []}, []
    for turn in range(rounds):
        for key, database in databases.both(turn):
            rows = run_samples([place.program("nss-lookups"), database, site.leaf_file,
                                str(count)], env)
            verify[key].append(median([row[0] / 1e3 for row in rows]))
            if key == 1:
                direct.append(median([row[1] / 1e3 for row in rows]))
    report.heading("NSS: trust lookups (reference: the same verification without the module)")
    report.row("nss", "verification of an unseen leaf, CPU", verify[1], "us", verify[0],
               "without module")
    added = [b - a for a, b in zip(verify[0], verify[1])]
    report.row("nss", "added to a verification, CPU", added, "us", target="<= 20 us",
               met=median(added) <= 20)
    report.row("nss", "a lookup of trust in the module, CPU", direct, "us", target="<= 20 us",
               met=median(direct) <= 20)


def late_agent(place):
    return os.path.join(place.build, "tests", "provider", "fake-agent")


def start_late_agent(place, install):
    """An agent that accepts everything, after one and a half seconds."""
    run = os.path.join(install.directory, "run")
    os.makedirs(run, mode=0o755 if os.getuid() == 0 else 0o700)
    read, write = os.pipe()
    agent = start([late_agent(place), os.path.join(run, "agent.sock"),
                   os.path.join(install.directory, "asked"), str(write), "*=late"],
                  pass_fds=[write])
    os.close(write)
    with os.fdopen(read) as ready:
        if not ready.readline():
            raise SystemExit("bench: the late agent did not start")
    return agent


def pending(place, report, databases, site, rounds):
    """Passes of a PR_Poll loop while as many checks are pending as there are connections."""
    if not os.path.exists(late_agent(place)):
        print("\nThe tests' agent is not built: pending checks are not measured")
        return
    install = Installation(place, "nss-pending", [], deadline="10s")
    agent = start_late_agent(place, install)
    env = install.environment(provider=False)
    wall, cpu, longest, dearest = [], [], [], []
    for _ in range(rounds):
        rows = run_samples([place.program("nss-pending"), "sql:" + databases.with_module, HOST,
                            str(site.port), str(AT_ONCE)], env)
        waiting = [row for row in rows if row[2:] == [AT_ONCE, AT_ONCE]]
        if len(waiting) < 20:
            sys.exit("bench: the checks were not pending together")
        wall += [row[0] / 1e6 for row in waiting]
        cpu += [row[1] / 1e3 for row in waiting]
        longest.append(max(row[0] for row in waiting) / 1e6)
        dearest.append(max(row[1] for row in waiting) / 1e6)
    report.heading(f"NSS: {AT_ONCE} checks pending at once in one thread")
    report.row("nss", "a pass of the loop, wall", wall, "ms", target="<= 5 ms",
               met=median(wall) <= 5)
    report.row("nss", "the longest pass of a run, wall", longest, "ms")
    report.row("nss", "a pass of the loop, CPU", cpu, "us")
    # Of any pass; in its wall time is whatever else the machine does.
    report.row("nss", "the dearest pass of a run, CPU", dearest, "ms", target="<= 5 ms",
               met=max(dearest) <= 5)
    stop(agent)


def section(place, report, quick):
    databases = Databases(place)
    site = handshakes(place, report, databases, 2 if quick else 15, 20 if quick else 200)
    lookups(place, report, databases, site, 2 if quick else 15, 20 if quick else 200)
    pending(place, report, databases, site, 1 if quick else 5)
    pages.section(place, report, databases, 3 if quick else 30)
    site.close()
