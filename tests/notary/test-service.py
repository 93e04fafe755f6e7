# SPDX-License-Identifier: MIT
# converge-notaryd as a service: slow and greedy clients, signals, restarts.
import base64
import glob
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, SEEN, Site, Tap, connect, current, expect, read_all

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
HOSTS = "127.0.0.1 site.example\n127.0.0.1 peer.example gone.example\n10.0.0.1 inside.example\n"


def greedy_clients():
    site = Site(one)
    settings = ("client_timeout = 1s\nidle_timeout = 2s\nmax_connections = 8\n"
                "connections_per_network = 6\nprobes_per_minute = 3\n")

    def closes_within(connection, seconds):
        connection.settimeout(seconds)
        start = time.monotonic()
        expect(read_all(connection), b"")
        return time.monotonic() - start

    with Notary(hosts=HOSTS, settings=settings) as notary:
        def no_handshake():
            closes_within(socket.create_connection(("127.0.0.1", notary.ssl_port)), 4)

        def half_a_request():
            tls = notary.tls()
            tls.sendall(b"GET /target/site.example+1 HT")
            tls.settimeout(4)
            expect(read_all(tls).split(b"\r\n")[0], b"HTTP/1.1 408 Request Timeout")

        def trickle():
            tls = notary.tls()
            start = time.monotonic()
            try:
                for octet in b"GET /target/site.example+443 HTTP/1.1\r\nX: " + b"y" * 200:
                    tls.sendall(bytes([octet]))
                    time.sleep(0.05)
            except OSError:
                pass
            expect(time.monotonic() - start < 5, True, "the trickle goes on")

        def record_trickle():
            """A TLS record that never comes to its end is no request: it keeps nobody from idling."""
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            tls = context.wrap_bio(incoming, outgoing)
            connection = socket.create_connection(("127.0.0.1", notary.ssl_port))
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    connection.sendall(outgoing.read())
                    incoming.write(connection.recv(65536))
            connection.sendall(outgoing.read())
            tls.write(b"GET / HTTP/1.1\r\nHost: n\r\nX: " + b"y" * 100)
            dropped = False
            try:
                for octet in outgoing.read()[:-1]:
                    connection.sendall(bytes([octet]))
                    time.sleep(0.1)
            except OSError:
                dropped = True
            connection.close()
            expect(dropped, True, "dropped before the record's end")

        def idle():
            closes_within(notary.tls(), 5)

        def relay_mute():
            closes_within(socket.create_connection(("127.0.0.1", notary.relay_port)), 4)

        def oversize():
            for octets, status in (
                    (b"GET /target/" + b"a" * 2000 + b" HTTP/1.0\r\n\r\n", b"414"),
                    (b"GET / HTTP/1.0\r\n" + b"X: " + b"y" * 9000 + b"\r\n\r\n", b"431"),
                    (b"GET / HTTP/1.0\r\n" + b"X: y\r\n" * 4000 + b"\r\n", b"431"),
                    (b"POST /v2/query HTTP/1.0\r\nContent-Length: 9000\r\n\r\n", b"413"),
                    (b"POST /v2/query HTTP/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n",
                     b"400"),
                    (b"POST /v2/query HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"4000\r\n" + b"z" * 0x4000, b"413")):
                expect(notary.raw(octets).split(b" ")[1], status, octets[:40])

        def many_connections():
            some = [notary.tls() for _ in range(6)]
            seventh = socket.create_connection(("127.0.0.1", notary.ssl_port))
            closes_within(seventh, 3)
            some.pop().close()
            deadline = time.monotonic() + 5
            while True:
                try:
                    notary.tls().close()
                    break
                except OSError:
                    expect(time.monotonic() < deadline, True, "no room again")
                    time.sleep(0.05)
            for connection in some:
                connection.close()

        def budget():
            answers = [notary.v1("site.example", port, one.sha1)[0] for port in range(1, 9)]
            expect(429 in answers, True, answers)
            expect(answers[0] in (429, 503), True, answers)

        tap.case("a client that never begins TLS is dropped", no_handshake)
        tap.case("half a request is 408", half_a_request)
        tap.case("a request that trickles is dropped", trickle)
        tap.case("a TLS record that trickles is no request", record_trickle)
        tap.case("an idle connection is dropped", idle)
        tap.case("a relay's client that says nothing is dropped", relay_mute)
        tap.case("requests that are too large", oversize)
        tap.case("one network's connections are capped, and freed", many_connections)
        tap.case("one network's probes are budgeted: 429", budget)
    site.stop()


def signals():
    site = Site(one, delay=0.5)

    def drain():
        notary = Notary(hosts=HOSTS)
        with notary:
            idle = notary.tls()
            idle.sendall(b"GET / HTTP/1.1\r\nHost: n\r\n\r\n")
            expect(idle.recv(65536)[9:12], b"404")
            shaking = socket.create_connection(("127.0.0.1", notary.ssl_port))
            result, late = [], []
            asking = threading.Thread(
                target=lambda: result.append(notary.v1("site.example", site.port, one.sha1)))
            asking.start()
            while site.connections == 0:
                time.sleep(0.01)

            def ask_late():
                notary.wait_for_log("ending:")
                late.append(notary.raw(b"GET / HTTP/1.1\r\nHost: n\r\n\r\n",
                                       connection=shaking))

            asking_late = threading.Thread(target=ask_late)
            asking_late.start()
            expect(notary.stop(signal.SIGTERM), 0)
            asking.join()
            asking_late.join()
            expect(result[0][0], 200, "the question under way")
            expect(late[0][9:12], b"404", "who had come, and had not asked yet")
            expect(read_all(idle), b"", "the idle connection")

    def reload():
        with Notary(hosts=HOSTS) as notary:
            expect(notary.v1("new.example", site.port, one.sha1)[0], 503)
            notary.write_hosts(HOSTS + "127.0.0.1 new.example newer.example\n")
            notary.process.send_signal(signal.SIGHUP)
            notary.wait_for_log("reloaded")
            expect(notary.v1("newer.example", site.port, one.sha1)[0], 200)
            notary.write_hosts("nonsense\n")
            notary.process.send_signal(signal.SIGHUP)
            notary.wait_for_log("not reloaded")
            expect(notary.v1("newer.example", site.port, one.sha1)[0], 200)
            expect(current(notary.v2(("newer.example", site.port, one.sha256))[0]), [one.sha256])

    def reload_in_flight():
        slow = Site(mute=True)
        with Notary(hosts=HOSTS, settings="probe_timeout = 1s\n") as notary:
            result = []
            asking = threading.Thread(
                target=lambda: result.append(notary.v1("site.example", slow.port, one.sha1)[0]))
            asking.start()
            while slow.connections == 0:
                time.sleep(0.01)
            tunnel, _ = connect(notary, "CONNECT gone.invalid+4242 HTTP/1.0")
            for _ in range(3):
                notary.process.send_signal(signal.SIGHUP)
                time.sleep(0.05)
            asking.join()
            tunnel.close()
            expect(result, [503])
        slow.stop()

    tap.case("SIGHUP while a probe is under way", reload_in_flight)
    tap.case("SIGTERM: the question under way is answered, then exit 0", drain)
    tap.case("SIGHUP: a new hosts file counts, a bad one changes nothing", reload)
    site.stop()


def restarts():
    site = Site(one)

    def first_seen(notary):
        statement = notary.v2(("site.example", site.port, one.sha256))[0]
        expect((statement["status"], current(statement)), (SEEN, [one.sha256]))
        expect(len(statement["records"]), 1, "records")
        return statement["records"][0]["first"]

    def has_it(notary):
        """The file of journal or database that the record is in."""
        for path in filter(os.path.isfile, glob.glob(os.path.join(notary.home, "data/*"))):
            with open(path, "rb") as file:
                if bytes.fromhex(one.sha256.replace(":", "")) in file.read():
                    return path
        return None

    def saved(notary):
        """Waits until the store has it: what was seen in the last second may be lost."""
        deadline = time.monotonic() + 10
        while not has_it(notary):
            expect(time.monotonic() < deadline, True, "never saved")
            time.sleep(0.05)

    def kept(how):
        with Notary(hosts=HOSTS) as notary:
            before = first_seen(notary)
            connections = site.connections
            if how == signal.SIGKILL:
                saved(notary)
            notary.stop(how)
            notary.start()
            expect(first_seen(notary), before)
            expect(site.connections, connections, "from the store")

    def damaged(spoil):
        with Notary(hosts=HOSTS) as notary:
            first_seen(notary)
            notary.stop()
            database = os.path.join(notary.home, "data/observations.gdbm")
            spoil(database)
            notary.start()
            first_seen(notary)
            expect(len(glob.glob(database + ".damaged.*")), 1, "moved aside")
            expect("damaged" in notary.log_text(), True, "told")
            notary.stop()
            notary.start()
            first_seen(notary)
            expect(len(glob.glob(database + ".damaged.*")), 1, "only once")

    def garbage(path):
        with open(path, "wb") as file:
            file.write(os.urandom(20000))

    def cut():
        """A journal whose end is torn off: what was whole is believed, and the rest looked at."""
        with Notary(hosts=HOSTS) as notary:
            first_seen(notary)
            notary.stop()
            path = has_it(notary)
            os.truncate(path, os.stat(path).st_size - 10)
            connections = site.connections
            notary.start()
            first_seen(notary)
            expect(site.connections, connections + 1, "looked again")

    def record():
        """A record whose octets changed is not believed; the rest of the file stays."""
        with Notary(hosts=HOSTS) as notary:
            first_seen(notary)
            notary.stop()
            with open(has_it(notary), "rb+") as file:
                octets = file.read()
                at = octets.index(bytes.fromhex(one.sha256.replace(":", "")))
                file.seek(at)
                file.write(bytes([octets[at] ^ 1]))
            connections = site.connections
            notary.start()
            first_seen(notary)
            expect(site.connections, connections + 1, "looked again")

    def killed_often():
        with Notary(hosts=HOSTS, settings="probe_interval = 100ms\n") as notary:
            for i in range(8):
                for port in range(20):
                    notary.v1("site.example", 1 + port, one.sha1)
                notary.v1("site.example", site.port, one.sha1)
                time.sleep(0.2 * (i % 3))
                notary.stop(signal.SIGKILL)
                notary.start()
                first_seen(notary)

    def full_disk(octets):
        """A limit on the size of files stands for the disk: the log file is small. GDBM itself loses
        a page when it cannot begin a file."""
        suppressions = os.path.join(directory.name, "suppressions")
        with open(suppressions, "w", encoding="ascii") as file:
            file.write("leak:gdbm_fd_open\n")
        prefix = ["env", f"LSAN_OPTIONS=suppressions={suppressions}:print_suppressions=0",
                  "prlimit", f"--fsize={octets}"]
        names = [f"n{i}.example" for i in range(40)]
        with Notary(hosts=f"{HOSTS}127.0.0.1 {' '.join(names)}\n", prefix=prefix) as notary:
            first_seen(notary)
            if octets < 10000:
                for name in names:
                    expect(notary.v1(name, site.port, one.sha1)[0], 200)
                notary.wait_for_log("going on in memory")
            first_seen(notary)
            notary.stop()
            notary.prefix = []
            notary.start()
            first_seen(notary)
            expect(glob.glob(os.path.join(notary.home, "data/*.damaged.*")), [])

    tap.case("a disk that is full: goes on in memory, and says so",
             lambda: full_disk(5000))
    tap.case("a disk that is nearly full", lambda: full_disk(20000))
    tap.case("a restart keeps history", lambda: kept(signal.SIGTERM))
    tap.case("kill -9 keeps history", lambda: kept(signal.SIGKILL))
    tap.case("a database that is garbage is moved aside", lambda: damaged(garbage))
    tap.case("a journal that is cut is believed as far as it is whole", cut)
    tap.case("a changed record is not believed", record)
    tap.case("kill -9 eight times in a row: it always starts and answers", killed_often)
    site.stop()


def rsa_key():
    """With an RSA key, version 1's signature is the original's: RSA with SHA-1 over the JSON text
    before the signature was added."""
    site = Site(one)
    rsa = Certificate(directory.name, "rsa", "rsa")

    def signature():
        notary = Notary()
        shutil.copy(rsa.key, os.path.join(notary.home, "tls.key"))
        shutil.copy(rsa.crt, os.path.join(notary.home, "tls.crt"))
        with notary:
            head, _, body = notary.raw(
                f"GET /target/127.0.0.1+{site.port} HTTP/1.0\r\n\r\n".encode()).partition(
                    b"\r\n\r\n")
            expect(head.split(b" ")[1], b"200")
            text, _, rest = body.rpartition(b', "signature": "')
            files = {name: os.path.join(notary.directory, name) for name in ("text", "sig", "pub")}
            with open(files["text"], "wb") as file:
                file.write(text + b"}")
            with open(files["sig"], "wb") as file:
                file.write(base64.b64decode(rest[:rest.index(b'"')], validate=True))
            with open(files["pub"], "wb") as file:
                file.write(subprocess.run(["openssl", "x509", "-in", rsa.crt, "-noout", "-pubkey"],
                                          check=True, capture_output=True).stdout)
            result = subprocess.run(["openssl", "dgst", "-sha1", "-verify", files["pub"],
                                     "-signature", files["sig"], files["text"]],
                                    capture_output=True, text=True, check=False)
            expect(result.stdout, "Verified OK\n", text)

    tap.case("version 1 with an RSA key: signed as the original", signature)
    site.stop()


greedy_clients()
signals()
restarts()
rsa_key()
tap.done()
