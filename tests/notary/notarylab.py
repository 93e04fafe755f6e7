# SPDX-License-Identifier: MIT
# What the black-box tests of converge-notaryd share: a notary in a directory of its own on
# loopback, TLS sites that count who comes, TAP.
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from loopback import Listener

BUILD = os.environ.get("top_builddir", ".")
NOTARYD = os.path.join(BUILD, "converge-notaryd")
SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tsan.supp")
QUERY_V2 = os.path.join(BUILD, "tests/notary/query-v2")

SEEN, NOT_PUBLIC, ASIDE, UNREACHABLE = 1, 2, 3, 4
ZERO = "00" * 32


class Unavailable(Exception):
    """What a case needs is not here, and what that is."""


def environment(**more):
    """What a notary runs in."""
    return {**os.environ, "TSAN_OPTIONS": f"suppressions={SUPPRESSIONS}", **more}


class Tap:
    """Counts cases; a case that raises has failed, or is skipped if it says so."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def case(self, name, function):
        self.count += 1
        try:
            function()
        except Unavailable as why:
            print(f"ok {self.count} - {name} # SKIP {why}", flush=True)
        except Exception as problem:  # pylint: disable=broad-except
            self.failed += 1
            print(f"not ok {self.count} - {name}")
            where = problem.__traceback__
            while where.tb_next is not None:
                where = where.tb_next
            print(f"# line {where.tb_lineno}: {problem!r}", flush=True)
        else:
            print(f"ok {self.count} - {name}", flush=True)

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def expect(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def free_ports(count):
    """Ports nobody listens on now, free at all of the addresses that the tests use."""
    sockets = []
    for _ in range(count):
        one = socket.socket()
        one.bind(("127.0.0.1", 0))
        sockets.append(one)
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Certificate:
    """A self-signed certificate, made with the openssl command."""

    def __init__(self, directory, name, kind="ec"):
        self.key = os.path.join(directory, f"{name}.key")
        self.crt = os.path.join(directory, f"{name}.crt")
        new = (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["rsa:2048"])
        subprocess.run(["openssl", "req", "-x509", "-newkey", *new, "-nodes", "-keyout", self.key,
                        "-out", self.crt, "-subj", f"/CN={name}", "-days", "3"],
                       check=True, stderr=subprocess.DEVNULL)
        with open(self.crt, encoding="ascii") as file:
            der = ssl.PEM_cert_to_DER_cert(file.read())
        self.sha1 = colons(hashlib.sha1(der).hexdigest())
        self.sha256 = colons(hashlib.sha256(der).hexdigest())


def colons(text):
    return ":".join(text[i:i + 2] for i in range(0, len(text), 2)).upper()


class Site:
    """A TLS server that counts connections. by_name: certificates by SNI; mute: accepts and never
    speaks; closed: does not even listen; answers: octets instead of TLS."""

    def __init__(self, *certificates, address="127.0.0.1", port=0, by_name=None, mute=False,
                 answers=None, delay=0):
        self.by_name = by_name or {}
        self.names = []
        self.mute = mute
        self.answers = answers
        self.delay = delay
        self.open = []
        self.use(*certificates)
        self.listener = Listener(self.serve, address, port)
        self.port = self.listener.port

    @property
    def connections(self):
        return self.listener.accepted

    def use(self, *certificates):
        """From now on these certificates are shown."""
        self.context = self.make(certificates) if certificates else None

    def make(self, certificates):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for one in certificates:
            context.load_cert_chain(one.crt, one.key)
        context.sni_callback = self.on_name
        return context

    def on_name(self, connection, name, _context):
        self.names.append(name)
        if name in self.by_name:
            connection.context = self.make([self.by_name[name]])

    def serve(self, connection):
        if self.mute:
            self.open.append(connection)
            return
        time.sleep(self.delay)
        try:
            if self.answers is not None:
                connection.sendall(self.answers)
            elif self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
                connection.recv(1)
        except OSError:
            pass
        finally:
            connection.close()

    def stop(self):
        self.listener.stop()
        for one in self.open:
            one.close()


class Notary:
    """One converge-notaryd, made with --init, on 127.0.0.1."""

    def __init__(self, name="alpha", settings="", hosts="", allow="127.0.0.0/8 ::1", prefix=()):
        self.prefix = prefix
        self.directory = tempfile.mkdtemp(prefix="converge-notary-")
        self.home = os.path.join(self.directory, name)
        self.name = name
        self.ssl_port, self.bounce_port, self.relay_port = free_ports(3)
        subprocess.run([NOTARYD, "--init", self.home, "--name", name, "--host", "127.0.0.1",
                        "--ssl-port", str(self.ssl_port), "--bounce-port", str(self.bounce_port),
                        "--relay-port", str(self.relay_port), "--address", "127.0.0.1"],
                       check=True)
        self.bundle = os.path.join(self.home, f"{name}.notary")
        self.config = os.path.join(self.home, "notary.conf")
        self.hosts = os.path.join(self.home, "hosts")
        self.write_hosts(hosts)
        with open(self.config, "a", encoding="ascii") as file:
            file.write("\nlisten = 127.0.0.1\nhosts = hosts\nuser = root\n")
            if allow:
                file.write(f"allow_targets = {allow}\n")
            file.write(settings)
        self.process = None
        self.log = os.path.join(self.directory, "log")

    def write_hosts(self, text):
        with open(self.hosts, "w", encoding="ascii") as file:
            file.write(text)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory)

    def start(self, *options):
        read_end, write_end = os.pipe()
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*self.prefix, NOTARYD, "--config", self.config, "--ready-fd", str(write_end),
                 "--verbose", *options],
                stderr=log, pass_fds=[write_end], env=environment())
        os.close(write_end)
        said = os.read(read_end, 64)
        os.close(read_end)
        if said != b"ready\n":
            raise AssertionError(f"not ready: {said!r}: {self.log_text()}")

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for_log(self, text, seconds=5):
        end = time.monotonic() + seconds
        while text not in self.log_text():
            if time.monotonic() > end:
                raise AssertionError(f"the log never said {text!r}: {self.log_text()}")
            time.sleep(0.02)

    def stop(self, how=signal.SIGTERM):
        """Ends it; returns the exit status. A sanitizer's report is a failure."""
        if self.process is None:
            return None
        self.process.send_signal(how)
        status = self.process.wait(timeout=20)
        self.process = None
        if how == signal.SIGTERM and status != 0:
            raise AssertionError(f"exit status {status}: {self.log_text()[-3000:]}")
        return status

    def tls(self, port=None, connection=None):
        """A TLS connection to the notary, its certificate compared with the file."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = connection or socket.create_connection(
            ("127.0.0.1", port or self.ssl_port), timeout=10)
        tls = context.wrap_socket(connection)
        with open(os.path.join(self.home, "tls.crt"), encoding="ascii") as file:
            expect(tls.getpeercert(True), ssl.PEM_cert_to_DER_cert(file.read()), "pin")
        return tls

    def raw(self, octets, port=None, connection=None):
        """Sends octets, reads until the notary closes."""
        with self.tls(port, connection) as tls:
            tls.sendall(octets)
            return read_all(tls)

    def v1(self, host, port, sha1=None, at=None, connection=None):
        """A query exactly as the original client sends it: status and parsed body."""
        if sha1 is None:
            text = f"GET /target/{host}+{port} HTTP/1.0\r\nConnection: close\r\n\r\n"
        else:
            body = f"fingerprint={sha1}"
            text = (f"POST /target/{host}+{port} HTTP/1.0\r\n"
                    "Content-Type: application/x-www-form-urlencoded\r\n"
                    f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        head, _, body = self.raw(text.encode(), at, connection).partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        return status, json.loads(body) if status in (200, 409) else body

    def v2(self, *targets):
        """(host, port, sha256[, hint]) ...: the statements, signatures checked."""
        arguments = []
        for target in targets:
            host, port, sha256 = target[:3]
            hint = target[3] if len(target) > 3 else 0
            host = f"[{host}]" if ":" in host else host
            arguments += [f"{host}:{port}", str(hint), sha256]
        result = subprocess.run([QUERY_V2, self.bundle, *arguments], capture_output=True,
                                text=True, timeout=30, check=False)
        if result.returncode == 3:
            return int(result.stdout)
        expect(result.returncode, 0, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]


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


def read_all(connection):
    octets = b""
    try:
        while chunk := connection.recv(65536):
            octets += chunk
    except ConnectionResetError:
        pass
    return octets


DANE, CT, PINS = 2, 3, 4


def opinions(statement):
    """Per verifier "yes" or "no" to the one current certificate, or "aside"."""
    one, = current(statement)
    return {each["verifier"]: "yes" if one in each["yes"] else "no" if one in each["no"]
            else "aside" for each in statement["opinions"]}


def current(statement):
    """The digests of a statement's current records."""
    return [record["sha256"] for record in statement["records"] if record["current"]]
