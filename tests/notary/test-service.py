# SPDX-License-Identifier: MIT
# converge-notaryd as a service: relay, slow and greedy clients, signals, restarts, --init.
import base64
import glob
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import (Certificate, NOTARYD, Notary, SEEN, Site, Tap, ZERO, current, expect,
                       read_all)

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
two = Certificate(directory.name, "two")
HOSTS = "127.0.0.1 site.example\n127.0.0.1 peer.example gone.example\n10.0.0.1 inside.example\n"


def connect(notary, line, *headers):
    """Sends a CONNECT to the relay: the connection, and the head of its answer."""
    connection = socket.create_connection(("127.0.0.1", notary.relay_port), timeout=15)
    connection.sendall("\r\n".join([line, *headers, "", ""]).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        octet = connection.recv(1)
        if not octet:
            break
        head += octet
    return connection, head.decode()


def relay():
    site = Site(one)
    peer = Notary("beta", hosts=HOSTS)
    first = Notary(hosts=HOSTS, settings=f"relay_ports = {peer.bounce_port} 4242\n")

    def bounce(separator, version="1.0"):
        connection, head = connect(first, f"CONNECT peer.example{separator}{peer.bounce_port} "
                                          f"HTTP/{version}")
        expect(head, "HTTP/1.0 200 Connection Established\r\nProxy-Agent: Convergence\r\n"
                     "X-Convergence-Notary: peer.example\r\n\r\n")
        status, answer = peer.v1("site.example", site.port, one.sha1, connection=connection)
        expect((status, answer["fingerprintList"][0]["fingerprint"]), (200, one.sha1))

    def alternates():
        connection, head = connect(first, f"CONNECT gone.invalid+{peer.bounce_port} HTTP/1.0",
                                   f"X-Convergence-Notary: inside.example+{peer.bounce_port}",
                                   f"x-convergence-notary: peer.example+{peer.bounce_port}")
        expect("X-Convergence-Notary: peer.example\r\n" in head, True, head)
        expect(peer.v1("site.example", site.port, one.sha1, connection=connection)[0], 200)

    def early():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        connection = socket.create_connection(("127.0.0.1", first.relay_port), timeout=15)
        connection.sendall(f"CONNECT peer.example+{peer.bounce_port} HTTP/1.0\r\n\r\n".encode()
                           + outgoing.read())
        got = b""
        while b"\r\n\r\n" not in got or len(got.split(b"\r\n\r\n", 1)[1]) < 5:
            got += connection.recv(4096)
        expect(got.split(b"\r\n\r\n", 1)[1][:2], b"\x16\x03", "a TLS handshake record")

    def declined():
        for line in (f"CONNECT peer.example+{peer.ssl_port} HTTP/1.0", "CONNECT peer.example+443 HTTP/1.0",
                     "CONNECT peer.example HTTP/1.0", "GET http://peer.example:4242/ HTTP/1.0",
                     "POST / HTTP/1.0", "nonsense"):
            expect(connect(first, line)[1].split("\r\n")[0], "HTTP/1.0 403 Access Denied", line)
        expect(connect(first, "CONNECT peer.example+4242 HTTP/1.0",
                       "X-Convergence-Notary: peer.example+22")[1][:12], "HTTP/1.0 403")

    def unreachable():
        for host in ("gone.invalid", "inside.example", "10.1.2.3"):
            expect(connect(first, f"CONNECT {host}+4242 HTTP/1.0")[1].split("\r\n")[0],
                   "HTTP/1.0 404 Unable to connect", host)

    def listed():
        with Notary("delta", hosts=HOSTS, settings=f"relay_ports = {peer.bounce_port}\n"
                    "relay_hosts = peer.example\n") as third:
            for host, status in (("PEER.example", "200"), ("gone.example", "403"),
                                 ("127.0.0.1", "403")):
                connection, head = connect(third, f"CONNECT {host}+{peer.bounce_port} HTTP/1.0")
                expect(head[9:12], status, host)
                connection.close()

    def budgeted():
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with Notary("eta", hosts=HOSTS,
                    settings=f"relay_ports = {port}\nprobes_per_minute = 1\n") as third:
            for status in ("200", "404"):
                connection, head = connect(third, f"CONNECT peer.example+{port} HTTP/1.0")
                expect(head[9:12], status)
                connection.close()
        listener.close()

    def large():
        """More than any buffer, both ways, through a peer that echoes late."""
        listener = socket.create_server(("127.0.0.1", 0))
        with Notary("gamma", hosts=HOSTS,
                    settings=f"relay_ports = {listener.getsockname()[1]}\n") as third:
            connection, head = connect(
                third, f"CONNECT peer.example+{listener.getsockname()[1]} HTTP/1.0")
            expect(head[9:12], "200")
            other, _ = listener.accept()
            octets = os.urandom(4 << 20)
            threading.Thread(target=lambda: (connection.sendall(octets),
                                             connection.shutdown(socket.SHUT_WR))).start()
            time.sleep(0.3)
            got = read_all(other)
            expect(got == octets, True, f"{len(got)} octets came")
            threading.Thread(target=lambda: (other.sendall(octets), other.close())).start()
            expect(read_all(connection) == octets, True, "and back")

    with peer, first:
        tap.case("relay: host+port", lambda: bounce("+"))
        tap.case("relay: host:port, HTTP/1.1", lambda: bounce(":", "1.1"))
        tap.case("relay: the first alternate that connects is named", alternates)
        tap.case("relay: octets behind the request's head arrive", early)
        tap.case("relay: other methods and ports are 403", declined)
        tap.case("relay: nothing connects, or only special-purpose addresses: 404", unreachable)
        tap.case("relay: only to the hosts on its list, where there is one", listed)
        tap.case("relay: one network's connections are budgeted as its probes are", budgeted)
        tap.case("relay: 4 MiB both ways against a slow reader, half-closed", large)
    site.stop()


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
            closes_within(tls, 4)

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
        tap.case("half a request is dropped", half_a_request)
        tap.case("a request that trickles is dropped", trickle)
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
            result = []
            asking = threading.Thread(
                target=lambda: result.append(notary.v1("site.example", site.port, one.sha1)))
            asking.start()
            while site.connections == 0:
                time.sleep(0.01)
            expect(notary.stop(signal.SIGTERM), 0)
            asking.join()
            expect(result[0][0], 200, "the question under way")
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

    def saved(notary):
        """Waits until the store has it: what was seen in the last second may be lost."""
        database = os.path.join(notary.home, "data/observations.gdbm")
        deadline = time.monotonic() + 10
        while True:
            with open(database, "rb") as file:
                if bytes.fromhex(one.sha256.replace(":", "")) in file.read():
                    return
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

    def cut(path):
        os.truncate(path, os.stat(path).st_size // 2)

    def record():
        """A record whose octets changed is not believed; the rest of the file stays."""
        with Notary(hosts=HOSTS) as notary:
            first_seen(notary)
            notary.stop()
            database = os.path.join(notary.home, "data/observations.gdbm")
            with open(database, "rb+") as file:
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
        with Notary(hosts=HOSTS, prefix=prefix) as notary:
            first_seen(notary)
            if octets < 10000:
                notary.wait_for_log("going on in memory")
            first_seen(notary)
            notary.stop()
            notary.prefix = []
            notary.start()
            first_seen(notary)
            expect(glob.glob(os.path.join(notary.home, "data/*.damaged.*")), [])

    tap.case("a disk that is full from the start: goes on in memory, and says so",
             lambda: full_disk(5000))
    tap.case("a disk that is nearly full", lambda: full_disk(20000))
    tap.case("a restart keeps history", lambda: kept(signal.SIGTERM))
    tap.case("kill -9 keeps history", lambda: kept(signal.SIGKILL))
    tap.case("a database that is garbage is moved aside", lambda: damaged(garbage))
    tap.case("a database that is cut is moved aside", lambda: damaged(cut))
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


def run(*arguments):
    return subprocess.run([NOTARYD, *arguments], capture_output=True, text=True, timeout=30,
                          check=False)


def command_line():
    with tempfile.TemporaryDirectory(prefix="converge-notary-") as place:
        home = os.path.join(place, "n")

        def init():
            expect(run("--init", home, "--name", "n", "--host", "Notary.Example.", "--region", "CH",
                       "--operator", "Grün & Söhne", "--address", "192.0.2.1", "--address",
                       "2001:db8::1").returncode, 0)
            expect(sorted(os.listdir(home)), ["n.notary", "n.v1.notary", "notary.conf",
                                              "signing.key", "tls.crt", "tls.key"])
            for name in ("tls.key", "signing.key"):
                mode = os.stat(os.path.join(home, name)).st_mode
                expect(stat.S_IMODE(mode), 0o600, name)
            expect(run("--config", os.path.join(home, "notary.conf"), "--check").returncode, 0)

        def no_overwrite():
            before = {name: open(os.path.join(home, name), "rb").read()
                      for name in os.listdir(home)}
            for name in ("n", "other"):
                result = run("--init", home, "--name", name, "--host", "notary.example")
                expect((result.returncode, "exists already" in result.stderr), (1, True))
            after = {name: open(os.path.join(home, name), "rb").read()
                     for name in os.listdir(home)}
            expect(after == before, True)

        def bad_arguments():
            for arguments in ([], ["--nonsense"], ["--init", home], ["--config"], ["surplus"],
                              ["--init", home, "--name", "n", "--host", "h", "--ssl-port", "0"],
                              ["--init", home, "--name", "n", "--host", "h", "--ssl-port", "1x"],
                              ["--init", home, "--name", "n", "--host", "h", "--address", "h"],
                              ["--config", "c", "--init", home, "--name", "n", "--host", "h"]):
                expect(run(*arguments).returncode, 2, arguments)
            for name, host, region in (("../n", "h", "CH"), ("", "h", "CH"), ("m", "a..b", "CH"),
                                       ("m", "h", "Switzerland")):
                result = run("--init", home, "--name", name, "--host", host, "--region", region)
                expect((result.returncode, result.stderr != ""), (1, True), name)
            expect(os.path.exists(os.path.join(home, "m.notary")), False)

        def bad_configuration():
            config = os.path.join(home, "notary.conf")
            with open(config, encoding="ascii") as file:
                good = file.read()
            for line, what in (("sslport = 1", "unknown key"), ("relay_ports = 0", "relay_ports"),
                               ("name = again", "second time"), ("hosts = missing", "missing"),
                               ("max_observation_age = 24", "max_observation_age")):
                bad = os.path.join(home, "bad.conf")
                with open(bad, "w", encoding="ascii") as file:
                    file.write(good + line + "\n")
                result = run("--config", bad, "--check")
                expect((result.returncode, what in result.stderr), (1, True), result.stderr)

        def help_and_version():
            result = run("--help")
            expect((result.returncode, result.stderr), (0, ""))
            for option in ("--init", "--config", "--check", "--ready-fd", "--version", "--address"):
                expect(option in result.stdout, True, option)
            expect(run("--version").stdout.startswith("converge-notaryd "), True)

        tap.case("--init writes keys, certificate, bundles, configuration; --check is content",
                 init)
        tap.case("--init overwrites nothing", no_overwrite)
        tap.case("wrong arguments: a sentence, exit status 1 or 2, nothing written", bad_arguments)
        tap.case("a bad configuration: a sentence that names it", bad_configuration)
        tap.case("--help and --version", help_and_version)

    def bundle():
        with Notary() as notary:
            for path, name in (("/bundle.notary", "alpha.notary"),
                               ("/bundle-v1.notary", "alpha.v1.notary")):
                answer = notary.raw(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                with open(os.path.join(notary.home, name), "rb") as file:
                    expect(answer.partition(b"\r\n\r\n")[2], file.read(), path)

    def drops():
        notary = Notary()
        os.chmod(notary.directory, 0o755)
        with open(notary.config, encoding="ascii") as file:
            text = file.read().replace("user = root", "user = nobody")
        with open(notary.config, "w", encoding="ascii") as file:
            file.write(text)
        site = Site(one)
        with notary:
            with open(f"/proc/{notary.process.pid}/status", encoding="ascii") as file:
                status = file.read()
            uids = [line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")][0]
            expect("0" in uids, False, uids)
            expect(notary.v1("127.0.0.1", site.port, one.sha1)[0], 200)
            with open(notary.bundle, "a", encoding="ascii") as file:
                file.write("\n")
            notary.process.send_signal(signal.SIGHUP)
            notary.wait_for_log("reloaded")
            expect(notary.v1("127.0.0.1", site.port, one.sha1)[0], 200)
            with open(notary.bundle, "rb") as file:
                expect(notary.raw(b"GET /bundle.notary HTTP/1.0\r\n\r\n").partition(
                    b"\r\n\r\n")[2], file.read(), "the bundle after SIGHUP")
            notary.stop()
            notary.start()
            expect(notary.v1("127.0.0.1", site.port, one.sha1)[0], 200)
        site.stop()

    def not_its_directory():
        """A directory with files of root's in it is not given away."""
        notary = Notary()
        os.chmod(notary.directory, 0o755)
        with open(notary.config, encoding="ascii") as file:
            text = file.read().replace("user = root", "user = nobody")
        with open(notary.config, "w", encoding="ascii") as file:
            file.write(text.replace("database = data/", "database = "))
        told = run("--config", notary.config)
        expect(told.returncode, 1, told.stderr)
        expect("needs a directory of its own" in told.stderr, True, told.stderr)
        expect(os.stat(notary.home).st_uid, 0, "owner")
        shutil.rmtree(notary.directory)

    def out_of_reach():
        """A database that the user cannot get to: the directory above is root's alone."""
        notary = Notary()
        with open(notary.config, encoding="ascii") as file:
            text = file.read().replace("user = root", "user = nobody")
        with open(notary.config, "w", encoding="ascii") as file:
            file.write(text)
        told = run("--config", notary.config)
        expect(told.returncode, 1, told.stderr)
        expect("cannot get there: Permission denied" in told.stderr, True, told.stderr)
        shutil.rmtree(notary.directory)

    def foreign_key():
        """A key of another kind than the certificate's, which OpenSSL takes without a word."""
        notary = Notary()
        shutil.copy(Certificate(directory.name, "other", "rsa").key,
                    os.path.join(notary.home, "tls.key"))
        told = run("--config", notary.config, "--check")
        expect(told.returncode, 1, told.stderr)
        expect("not the private key of tls_certificate" in told.stderr, True, told.stderr)
        shutil.rmtree(notary.directory)

    def no_configuration():
        """A provider that OpenSSL's configuration activates must not get into the notary."""
        modules = subprocess.run(["openssl", "version", "-m"], capture_output=True, text=True,
                                 check=True).stdout.split('"')[1]
        module = os.path.join(modules, "legacy.so")
        if not os.path.exists(module):
            return
        config = os.path.join(directory.name, "openssl.cnf")
        with open(config, "w", encoding="ascii") as file:
            file.write("openssl_conf = a\n[a]\nproviders = b\n[b]\nlegacy = c\ndefault = c\n"
                       "[c]\nactivate = 1\n")
        os.environ["OPENSSL_CONF"] = config
        try:
            notary = Notary()
            with notary:
                site = Site(one)
                expect(notary.v1("127.0.0.1", site.port, one.sha1)[0], 200)
                with open(f"/proc/{notary.process.pid}/maps", encoding="utf-8") as file:
                    expect("legacy.so" in file.read(), False)
                site.stop()
        finally:
            del os.environ["OPENSSL_CONF"]

    def documents():
        """Every option and every key is in the document, and no other."""
        source = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "../.."))
        with open(os.path.join(source, "doc/notary.md"), encoding="utf-8") as file:
            text = file.read()
        options = set(re.findall(r"--[a-z-]+", run("--help").stdout))
        expect(set(re.findall(r"--[a-z][a-z-]+", text)), options)
        keys = set(re.findall(r"^\| `([a-z_`, 0-9]+)` \|", text.split("## notary.conf")[1],
                              re.MULTILINE))
        keys = {key for row in keys for key in row.replace("`", "").split(", ")}
        keys |= {"ssl_port", "bounce_port", "relay_port"}
        with tempfile.TemporaryDirectory(prefix="converge-notary-") as place:
            bad = os.path.join(place, "bad.conf")
            with open(bad, "w", encoding="ascii") as file:
                file.write("nonsense = 1\n")
            told = run("--config", bad, "--check").stderr.split("allowed are ")[1]
        expect(keys, set(told.strip().split(", ")))

    tap.case("a key that is not the certificate's is an error", foreign_key)
    tap.case("OpenSSL's configuration is not read", no_configuration)
    tap.case("the document names every option and every key", documents)
    tap.case("both bundles are handed out", bundle)
    namespace = ["unshare", "--user", "--map-root-user"]

    def alone():
        """Root of a namespace in which there is nobody else to become."""
        notary = Notary(prefix=namespace)
        with open(notary.config, encoding="ascii") as file:
            text = file.read().replace("user = root\n", "")
        with open(notary.config, "w", encoding="ascii") as file:
            file.write(text)
        site = Site(one)
        with notary:
            expect(notary.v1("127.0.0.1", site.port, one.sha1)[0], 200)
        site.stop()

    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0:
        tap.case("as root of a user namespace of its own it starts all the same", alone)
    else:
        tap.skip("as root of a user namespace of its own", "no user namespaces here")
    if os.geteuid() == 0:
        tap.case("started by root it becomes the user, for good; SIGHUP works all the same", drops)
        tap.case("root's own directory does not become the user's", not_its_directory)
        tap.case("a database out of the user's reach is an error that says so", out_of_reach)
    else:
        tap.skip("started by root it becomes the user", "not root")
        tap.skip("root's own directory does not become the user's", "not root")
        tap.skip("a database out of the user's reach", "not root")


relay()
greedy_clients()
signals()
restarts()
rsa_key()
command_line()
tap.done()
