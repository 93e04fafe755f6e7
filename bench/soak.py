#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make soak: rounds of warm and cold checks through one agent and three notaries.

After the first rounds nothing may grow: not the agent's and the notaries' memory, not their
descriptors, and not a client's memory from its first handshakes to its last."""
import argparse
import os
import subprocess
import sys

from installation import Installation, Place, Site

HOST = "site.bench-converge.net"
SETTLED = 3         # rounds until every table has its size
SLACK_KIB = 1024    # what an allocator may keep, a leak of ten octets a check would be more


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise SystemExit(f"soak: process {pid} is gone")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def peak_kib(place, install, site, handshakes):
    """The most memory that a client process with that many handshakes ever had."""
    client = subprocess.Popen(
        [place.program("tls-client"), place.ca_file, HOST, str(site.port), str(handshakes)],
        env=install.environment(provider=True), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(client.pid, 0)
    client.returncode = os.waitstatus_to_exitcode(status)
    if client.returncode != 0:
        raise SystemExit("soak: a handshake failed")
    return usage.ru_maxrss


def warm(place, install, site, handshakes):
    """By how much a client's memory grows from its first handshakes to its last."""
    return (peak_kib(place, install, site, handshakes) -
            peak_kib(place, install, site, handshakes // 10))


def cold(place, install, site, checks):
    install.converge("cache", "clear")
    result = subprocess.run(
        [place.program("ask"), site.leaf_file, HOST, str(site.port), str(checks), "each"],
        env=install.environment(provider=False), stdout=subprocess.PIPE, check=True, text=True)
    rows = [line.split() for line in result.stdout.splitlines()]
    if any(row[1] != "agree" for row in rows):
        raise SystemExit("soak: a first visit was not agreed to")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=".", help="the build directory")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    names = [f"{i}.{HOST}" for i in range(1, 201)] + [HOST]
    grown = []
    with Place(os.path.abspath(options.build)) as place:
        site = Site(place, HOST)
        notaries = [place.notary(name, names) for name in ("a", "b", "c")]
        install = Installation(place, "soak", notaries)
        install.start_agent()
        watched = {"agent": install.agent.pid}
        watched.update({f"notary {n}": notary.process.pid for n, notary in enumerate(notaries)})
        settled = {}
        for number in range(1, options.rounds + 1):
            cold(place, install, site, 200)
            client = warm(place, install, site, 2000)
            now = {name: (resident_kib(pid), descriptors(pid)) for name, pid in watched.items()}
            print(f"round {number}: client +{client} KiB; " + ", ".join(
                f"{name} {kib} KiB {fds} fds" for name, (kib, fds) in now.items()), flush=True)
            if client > SLACK_KIB:
                grown.append(f"client in round {number}: {client} KiB")
            if number == SETTLED:
                settled = now
    for name, (kib, fds) in settled.items():
        if now[name][0] - kib > SLACK_KIB or now[name][1] > fds + 2:
            grown.append(f"{name}: {kib} -> {now[name][0]} KiB, {fds} -> {now[name][1]} fds")
    print("grown: " + "; ".join(grown) if grown else "nothing grew")
    sys.exit(1 if grown else 0)


if __name__ == "__main__":
    main()
