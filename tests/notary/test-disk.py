# SPDX-License-Identifier: MIT
# A disk that fills up under a running notary, stood for by a limit on the size of files: it goes on,
# says so, and once there is room keeps all that it said meanwhile. Octets that change on the disk.
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crashlab
from crashlab import Client, Memory, kill, record_of, segments, write_segment
from notarylab import Certificate, Notary, Site, Tap, expect

SETTINGS = """journal_max = 4M
probes_per_minute = 1000000
target_probes_per_minute = 1000000
"""
NAMES = [f"n{i}.example" for i in range(60)]
HOSTS = "".join(f"127.0.0.1 {name}\n" for name in NAMES)

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")


def limit(notary, octets):
    """How large the process's files may become from here on."""
    subprocess.run(["prlimit", "--pid", str(notary.process.pid), f"--fsize={octets}:"], check=True)


def ask_all(notary, memory, names):
    client = Client(notary)
    for name in names:
        memory.note(name, memory.check(name, *client.ask(name, memory.port, one.sha1)))
    client.close()


def verify(notary, memory):
    client = Client(notary)
    memory.verify(client, list(memory.said))
    client.close()


def fills_up(site):
    memory = Memory(lambda name: one.sha1, site.port)
    with Notary(hosts=HOSTS, settings=SETTINGS) as notary:
        ask_all(notary, memory, NAMES[:20])
        limit(notary, 4096)  # less than the journal has already, or nearly so
        ask_all(notary, memory, NAMES[20:])
        notary.wait_for_log("going on in memory")
        verify(notary, memory)
        limit(notary, "unlimited")
        notary.wait_for_log("writing succeeds again")
        time.sleep(crashlab.WINDOW)  # the promise is about time
        connections = site.connections
        kill(notary)
        notary.start()
        verify(notary, memory)
        expect(site.connections, connections, "looked again")


def full_for_the_merge(site):
    """There is room for the journal, but none for another database: the old one stays, and the merge
    comes later."""
    memory = Memory(lambda name: one.sha1, site.port)
    first, last = int(time.time()) - 7200, int(time.time()) - 60
    seeds = [f"seed{i}.example" for i in range(3000)]
    with Notary(hosts=HOSTS, settings=SETTINGS) as notary:
        database = os.path.join(notary.home, "data/observations.gdbm")
        notary.stop()
        write_segment(f"{database}.journal.1",
                      [record_of(name, site.port, one, first, last) for name in seeds])
        write_segment(f"{database}.journal.2", [])
        notary.prefix = ["prlimit", "--fsize=20000:"]
        notary.start()
        notary.wait_for_log("observations.gdbm.new cannot be written")
        expect(os.path.exists(database), False, "a database")
        memory.said = {name: (first, 0) for name in seeds[::50]}
        ask_all(notary, memory, NAMES[:5])
        verify(notary, memory)
        limit(notary, "unlimited")
        end = time.monotonic() + 30
        while 1 in segments(database):
            assert time.monotonic() < end, "the segment is still there"
            time.sleep(0.05)
        verify(notary, memory)
        notary.prefix = []
        notary.stop(signal.SIGKILL)
        notary.start()
        memory.killed(time.monotonic())
        verify(notary, memory)


def changed_octets(site):
    """Wherever octets of journal and database change: what is answered is what the site shows."""
    memory = Memory(lambda name: one.sha1, site.port)
    with Notary(hosts=HOSTS, settings=SETTINGS) as notary:
        database = os.path.join(notary.home, "data/observations.gdbm")
        for _ in range(6):
            ask_all(notary, memory, NAMES)
            notary.stop()
            number = max(segments(database))
            write_segment(f"{database}.journal.{number + 1}", [])  # the one before is merged
            for path in [*segments(database).values(), database]:
                if os.path.exists(path) and os.path.getsize(path) > 0:
                    with open(path, "rb+") as file:
                        at = random.randrange(os.path.getsize(path))
                        file.seek(at)
                        octet = file.read(1)[0]
                        file.seek(at)
                        file.write(bytes([octet ^ 1 << random.randrange(8)]))
            notary.start()


def main():
    site = Site(one)
    tap.case("a disk that fills up: nothing that was said is lost", lambda: fills_up(site))
    tap.case("a disk without room for a merge", lambda: full_for_the_merge(site))
    tap.case("changed octets yield nothing that was not seen", lambda: changed_octets(site))
    site.stop()


main()
tap.done()
