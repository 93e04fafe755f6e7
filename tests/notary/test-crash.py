# SPDX-License-Identifier: MIT
# kill -9 under write load: whatever the instant, what the notary said longer ago than the
# write-behind window is still known afterwards, and nothing is known that was never seen.
# --long: a hundred kills instead of some fifteen.
import itertools
import os
import random
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crashlab
from crashlab import Client, Load, Memory, kill, segments, wait_until, write_segment
from notarylab import Certificate, Notary, Site, Tap, expect

ROUNDS = 100 if "--long" in sys.argv else 15
NAMES = 1000 * ROUNDS
SEEDS = 4000  # records in the segment that a start finds to merge
SAMPLE = 150  # of all that was said, asked after each kill; all of it at the end
SETTINGS = """journal_max = 4M
max_targets = 500
probes_per_minute = 1000000
queries_per_minute = 1000000000
target_probes_per_minute = 1000000000
probe_interval = 100ms
"""

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
even = Certificate(directory.name, "even")
odd = Certificate(directory.name, "odd")


def name_of(number):
    return f"n{number}.example"


def certificate_of(name):
    digits = "".join(letter for letter in name.split(".", maxsplit=1)[0] if letter.isdigit())
    return odd if int(digits) % 2 else even


class TwoSites(Site):
    """Names with odd numbers have another certificate than those with even ones."""

    def __init__(self):
        super().__init__(even)
        self.odd = self.make([odd])

    def on_name(self, connection, name, _context):
        if certificate_of(name) is odd:
            connection.context = self.odd


class Campaign:
    """One notary that is killed again and again."""

    def __init__(self):
        self.site = TwoSites()
        numbers = "".join(f"127.0.0.1 {name_of(i)}\n" for i in range(NAMES))
        self.notary = Notary(hosts=numbers, settings=SETTINGS)
        self.database = os.path.join(self.notary.home, "data/observations.gdbm")
        self.memory = Memory(lambda name: certificate_of(name).sha1, self.site.port)
        self.names = (name_of(i) for i in itertools.count())
        self.seeds = itertools.count()
        os.makedirs(os.path.dirname(self.database), mode=0o700, exist_ok=True)
        self.seen = {"merging": 0, "renamed": 0}

    def seed(self):
        """Puts a segment with old observations behind those that are there, and an empty one: so
        the next start has something to merge."""
        first, last = int(time.time()) - 7200, int(time.time()) - 60
        names = [f"seed{next(self.seeds)}.example" for _ in range(SEEDS)]
        number = max(segments(self.database), default=0)
        write_segment(f"{self.database}.journal.{number + 1}",
                      [crashlab.record_of(name, self.site.port, certificate_of(name), first, last)
                       for name in names])
        write_segment(f"{self.database}.journal.{number + 2}", [])
        for name in names:
            self.memory.said[name] = (first, 0)

    def check(self, names):
        client = Client(self.notary)
        self.memory.verify(client, names)
        client.close()

    def sample(self):
        said = list(self.memory.said)
        # All that the last round brought, and some of the rest.
        return said[-SAMPLE:] + random.sample(said, min(len(said), SAMPLE))

    def instant(self, which):
        """Waits for the instant of the kill."""
        new = f"{self.database}.new"
        if which == "any":
            time.sleep(random.uniform(0.1, 1.5))
        elif wait_until(lambda: os.path.exists(new), 10):
            if which == "renamed":
                wait_until(lambda: not os.path.exists(new), 10)
            else:
                time.sleep(random.uniform(0, 0.03))
            self.seen[which] += 1

    def round(self, which):
        if which != "any":
            self.seed()
        self.notary.start()
        loads = []
        try:
            if which == "any":
                self.check(self.sample() if self.memory.said else [])
                loads = [Load(self.notary, self.memory, self.next_names()) for _ in range(2)]
            for load in loads:
                load.start()
            self.instant(which)
        finally:
            killed_at = kill(self.notary)
            for load in loads:
                load.join(timeout=20)
            self.memory.killed(killed_at)
        for load in loads:
            if load.problem is not None:
                raise load.problem

    def next_names(self):
        """The names for one thread of the load."""
        while True:
            with self.memory.lock:
                name = next(self.names)
            yield name

    def end(self):
        """Everything that was really seen, and a part of the seeds."""
        self.notary.start()
        self.check([name for name in self.memory.said
                    if name.startswith("n") or hash(name) % 8 == 0])
        self.notary.stop()
        expect(crashlab.glob.glob(f"{self.database}*.damaged.*"), [], "set aside")

    def clean(self):
        if self.notary.process is not None:
            kill(self.notary)
        self.notary.__exit__()
        self.site.stop()


def main():
    campaign = Campaign()
    instants = itertools.cycle(["any", "any", "merging", "any", "renamed"])
    for number, which in zip(range(ROUNDS), instants):
        tap.case(f"kill {number + 1}: {which}", lambda which=which: campaign.round(which))
    tap.case("all that was said is known, and nothing else", campaign.end)
    tap.case("kills hit merges, and what comes after them",
             lambda: expect(min(campaign.seen.values()) > 0, True, campaign.seen))
    print(f"# {len(campaign.memory.said)} targets, {campaign.site.connections} probes")
    campaign.clean()


main()
tap.done()
