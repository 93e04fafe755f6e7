# SPDX-License-Identifier: MIT
# A notary of several loops: what one knows all know, one probe serves whoever asks wherever, and
# reload and end reach all of them, under load.
import os
import re
import signal
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, Site, Tap, current, expect

WORKERS = 4
SETTINGS = f"workers = {WORKERS}\nprobes_per_minute = 100000\nqueries_per_minute = 1000000\n"
HOSTS = "127.0.0.1 site.example slow.example other.example\n"

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
two = Certificate(directory.name, "two")


def notary_of(**more):
    settings = SETTINGS + more.pop("settings", "")
    return Notary(settings=settings, hosts=HOSTS, **more)


def request(port, sha1, host="site.example"):
    body = f"fingerprint={sha1}"
    return (f"POST /target/{host}+{port} HTTP/1.0\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


def all_at_once(count, function):
    """Runs it in so many threads; their results, or the first exception."""
    results = [None] * count
    problems = []

    def run(i):
        try:
            results[i] = function(i)
        except Exception as problem:  # pylint: disable=broad-except
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return results


def threads_of(notary):
    return len(os.listdir(f"/proc/{notary.process.pid}/task"))


def sockets_at(port):
    """Listening sockets at 127.0.0.1 and that port."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        return len(re.findall(f" 0100007F:{port:04X} 00000000:0000 0A ", file.read()))


def knowledge():
    def same_answers():
        site = Site(one)
        with notary_of() as notary:
            expect(sockets_at(notary.ssl_port), WORKERS, "listening sockets")
            expect(threads_of(notary) > WORKERS, True, "threads")
            answers = [notary.raw(request(site.port, one.sha1)) for _ in range(32)]
            expect(len({answer.partition(b"\r\n\r\n")[2] for answer in answers}), 1, "bodies")
            expect(all(answer.startswith(b"HTTP/1.0 200") for answer in answers), True)
            expect(site.connections, 1, "probes")
        site.stop()

    def one_probe():
        site = Site(one, delay=0.3)
        with notary_of(settings="probe_timeout = 10s\n") as notary:
            answers = all_at_once(32, lambda _: notary.v1("slow.example", site.port, one.sha1)[0])
            expect(answers, [200] * 32)
            expect(site.connections, 1, "probes")
        site.stop()

    def one_probe_for_what_is_not_there():
        site = Site(one, delay=0.1)
        with notary_of(settings="probe_timeout = 10s\n") as notary:
            answers = all_at_once(32, lambda i: notary.v1("slow.example", site.port,
                                                          f"{i:02X}" + two.sha1[2:])[0])
            expect(answers, [409] * 32)
            expect(site.connections, 3, "a look, one with RSA only, one with ECDSA only")
        site.stop()

    def hang_ups():
        """Who waits leaves, in all loops, before and while the answer comes."""
        site = Site(one, delay=0.2)
        with notary_of(settings="probe_timeout = 10s\nprobe_interval = 100ms\n") as notary:
            def leave(i):
                tls = notary.tls()
                tls.sendall(request(site.port, one.sha1, "slow.example"))
                time.sleep(0.02 * i)
                tls.close()

            for _ in range(3):
                all_at_once(24, leave)
            expect(notary.v1("slow.example", site.port, one.sha1)[0], 200)
        site.stop()

    def shared_limit():
        """max_connections is the process's: the idle ones make room, or the new one goes."""
        with notary_of(settings="max_connections = 8\n") as notary:
            held = [notary.tls() for _ in range(8)]
            for _ in range(8):
                try:
                    notary.raw(b"GET / HTTP/1.0\r\n\r\n")
                except OSError:
                    pass
            with open(f"/proc/{notary.process.pid}/net/tcp", encoding="ascii") as file:
                text = file.read()
            established = re.findall(rf": 0100007F:{notary.ssl_port:04X} \S+ 01 ", text)
            expect(len(established) <= 8, True, established)
            for one_held in held:
                one_held.close()

    tap.case("every loop gives the same answer after one probe", same_answers)
    tap.case("who asks at once, in all loops, shares one probe", one_probe)
    tap.case("... for certificates that are not there, too", one_probe_for_what_is_not_there)
    tap.case("who waits for another loop's probe may hang up at any instant", hang_ups)
    tap.case("the limit of connections is the process's", shared_limit)


class Load:
    """Clients that ask all the time; what they got."""

    def __init__(self, notary, site, count=8):
        self.notary = notary
        self.site = site
        self.ends = threading.Event()
        self.statuses = []
        self.failures = []
        self.threads = [threading.Thread(target=self.ask, args=(i,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def ask(self, i):
        host = ("site.example", "other.example")[i % 2]
        while not self.ends.is_set():
            try:
                self.statuses.append(self.notary.v1(host, self.site.port, one.sha1)[0])
            except Exception as problem:  # pylint: disable=broad-except
                self.failures.append(repr(problem))

    def wait_for(self, count):
        deadline = time.monotonic() + 30
        seen = len(self.statuses)
        while len(self.statuses) < seen + count:
            expect(time.monotonic() < deadline, True, "nobody is answered")
            time.sleep(0.01)

    def stop(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()


def changes():
    def reload():
        site = Site(one)
        with notary_of() as notary:
            load = Load(notary, site)
            for i in range(6):
                load.wait_for(20)
                notary.write_hosts(HOSTS + f"127.0.0.1 new{i}.example\n")
                notary.process.send_signal(signal.SIGHUP)
                end = time.monotonic() + 10
                while notary.log_text().count("reloaded") <= i:
                    expect(time.monotonic() < end, True, "not reloaded")
                    time.sleep(0.01)
            load.wait_for(20)
            load.stop()
            expect((set(load.statuses), load.failures), ({200}, []))
            answers = [notary.v1("new5.example", site.port, one.sha1)[0] for _ in range(16)]
            expect(answers, [200] * 16, "in every loop")
        site.stop()

    def all_or_nothing():
        site = Site(one)
        with notary_of() as notary:
            expect(notary.v1("site.example", site.port, one.sha1)[0], 200)
            with open(notary.config, "a", encoding="ascii") as file:
                file.write("max_probes = 7\n")
            notary.write_hosts("nonsense\n")
            notary.process.send_signal(signal.SIGHUP)
            notary.wait_for_log("not reloaded")
            answers = [notary.v1("other.example", site.port, one.sha1)[0] for _ in range(16)]
            expect(answers, [200] * 16)
            expect(notary.log_text().count("reloaded"), 1, "told once")
        site.stop()

    def drain():
        """Questions that are under way are answered, whichever loop looks at the target."""
        site = Site(one, delay=0.5)
        with notary_of(settings="probe_timeout = 10s\n") as notary:
            results = []
            threads = [threading.Thread(target=lambda: results.append(
                notary.v1("slow.example", site.port, one.sha1)[0])) for _ in range(16)]
            for thread in threads:
                thread.start()
            while site.connections == 0:
                time.sleep(0.01)
            time.sleep(0.2)  # the others are on their way; how many, does not matter
            notary.process.send_signal(signal.SIGTERM)
            for thread in threads:
                thread.join()
            expect(notary.process.wait(timeout=20), 0, notary.log_text())
            notary.process = None
            expect((len(results) > 0, set(results)), (True, {200}))
        site.stop()

    def end_under_load():
        site = Site(one)
        with notary_of() as notary:
            load = Load(notary, site)
            load.wait_for(50)
            status = notary.stop()
            load.stop()
            expect((status, set(load.statuses)), (0, {200}))
        site.stop()

    def hurried_end():
        """SIGHUP and SIGTERM together, while probes are under way."""
        mute = Site(mute=True)
        with notary_of() as notary:
            for i in range(16):
                tls = notary.tls()
                tls.sendall(request(mute.port, one.sha1, ("site.example", "slow.example")[i % 2]))
                mute.open.append(tls)
            while mute.connections < 2:
                time.sleep(0.01)
            for _ in range(3):
                notary.process.send_signal(signal.SIGHUP)
            expect(notary.stop(), 0)
        mute.stop()

    def new_key_everywhere():
        """After a reload no loop hands out what the old key has signed."""
        site = Site(one)
        with notary_of() as notary:
            before = notary.v2(("site.example", site.port, one.sha256))[0]
            expect(current(before), [one.sha256])
            for _ in range(2):
                notary.process.send_signal(signal.SIGHUP)
                time.sleep(0.05)
            notary.wait_for_log("reloaded")
            for _ in range(16):
                after = notary.v2(("site.example", site.port, one.sha256))[0]
                expect(current(after), [one.sha256])
            expect(site.connections, 1, "probes")
        site.stop()

    tap.case("SIGHUP under load: nobody is dropped, every loop takes it", reload)
    tap.case("SIGHUP with a bad file: no loop takes anything", all_or_nothing)
    tap.case("SIGHUP: what is known is signed anew, without a probe", new_key_everywhere)
    tap.case("SIGTERM: who waits for another loop's probe is answered", drain)
    tap.case("SIGTERM under load: exit status 0", end_under_load)
    tap.case("SIGHUP and SIGTERM while probes are under way", hurried_end)


knowledge()
changes()
tap.done()
