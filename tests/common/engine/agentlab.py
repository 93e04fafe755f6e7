# SPDX-License-Identifier: MIT
"""Notaries that do as they are told, and a converge-agent that asks them: what the agent's tests
are made of. Everything is on loopback, on ports of the kernel's choice, below one temporary
directory."""
import base64
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
from loopback import Listener

BUILD = os.environ.get("top_builddir", ".")
AGENT = os.path.join(BUILD, "converge-agent")
SEEN, NOT_PUBLIC, ASIDE, UNREACHABLE = 1, 2, 3, 4
AGREE, DISAGREE, UNDECIDED, EXEMPT = 0x59, 0x4E, 0x55, 0x45
ACCEPT, REFUSE, UNCHANGED = 0x41, 0x52, 0x2D
PKI_OK, PKI_TRUST_ERROR, PKI_OTHER_ERROR = 1, 2, 3
REASONS = ["none", "vote", "cache", "unreachable", "known-key", "pki-failed", "exempt-name",
           "exempt-address", "exempt-port", "private-pki", "not-public", "excluded-program",
           "not-applicable", "no-notaries", "no-agent", "budget", "deadline", "bad-question",
           "internal", "captive-portal"]
MESSAGE_MAX = 98304


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


class Leaf:
    """A certificate that a site may show. san: its names and addresses, as openssl writes them."""

    def __init__(self, directory, name, san=None):
        key, pem = os.path.join(directory, name + ".key"), os.path.join(directory, name + ".pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", pem, "-days", "30", "-subj", "/CN=" + name,
                *(["-addext", "subjectAltName=" + san] if san else []))
        self.key, self.pem = key, pem
        self.der = openssl("x509", "-in", pem, "-outform", "DER")
        self.sha256 = hashlib.sha256(self.der).digest()
        self.sha1 = hashlib.sha1(self.der).digest()
        public = openssl("x509", "-in", pem, "-noout", "-pubkey")
        self.spki = hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER",
                                           data=public)).digest()


class Notary:
    """An HTTPS server with a bundle. `see` says what it answers; `mode` how it misbehaves."""

    def __init__(self, directory, name, protocol=2, address="127.0.0.1"):
        self.directory, self.name, self.protocol = directory, name, protocol
        self.address = address
        self.tls = Leaf(directory, name)
        self.signing = os.path.join(directory, name + ".sign")
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.signing)
        self.spki = openssl("pkey", "-in", self.signing, "-pubout", "-outform", "DER")
        self.key_id = hashlib.sha256(self.spki).digest()
        self.leaves, self.status, self.mode, self.delay = [], SEEN, "good", 0
        self.requests = self.visits = 0
        self.sizes = []
        self.update = None
        self.gate = threading.Event()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.tls.pem, self.tls.key)
        self.listener = Listener(self.serve, address)
        self.port = self.listener.port

    @property
    def connections(self):
        return self.listener.accepted

    def see(self, *leaves, status=SEEN, mode="good", delay=0):
        self.leaves, self.status, self.mode, self.delay = leaves, status, mode, delay

    # Bundle

    def bundle(self, serial=1, host="notary.example", pin=None, relay_port=None, name=None,
               signer=None, before=None):
        with open((pin or self.tls).pem, encoding="ascii") as file:
            certificate = file.read()
        entry = {"host": host, "ssl_port": self.port, "certificate": certificate}
        if self.protocol == 1:
            return json.dumps({"version": 1, "name": self.name,
                               "bundle_location": "https://notary.example/x.notary",
                               "hosts": [dict(entry, host="127.0.0.1", http_port=80)]})
        entry.update(bounce_port=self.port, addresses=[self.address])
        if relay_port is not None:
            entry["relay_port"] = relay_port
        hosts = [entry] if before is None else [dict(entry, ssl_port=before), entry]
        text = {"version": 2, "serial": serial, "name": name or self.name,
                "keys": [base64.b64encode(self.spki).decode()], "hosts": hosts}
        text["bundle_location"] = f"https://{host}:{self.port}/{self.name}.notary"
        text = json.dumps(text)
        signature = (signer or self).sign(b"converge notary bundle\0" + text.encode())
        return json.dumps({"bundle": text, "signature": base64.b64encode(signature).decode()})

    def sign(self, data):
        with tempfile.NamedTemporaryFile(dir=self.directory) as file:
            file.write(data)
            file.flush()
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.signing, "-in", file.name)

    # Service

    def serve(self, plain):
        try:
            if self.mode == "hang-tls":
                time.sleep(60)
            with self.context.wrap_socket(plain, server_side=True) as conn:
                conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pending = b""
                while True:
                    while b"\r\n\r\n" not in pending:
                        more = conn.recv(65536)
                        if not more:
                            return
                        pending += more
                    head, pending = pending.split(b"\r\n\r\n", 1)
                    length = 0
                    for line in head.split(b"\r\n")[1:]:
                        if line.lower().startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    while len(pending) < length:
                        pending += conn.recv(65536)
                    body, pending = pending[:length], pending[length:]
                    if not self.answer(conn, head, body):
                        return
        except (OSError, ValueError):
            pass
        finally:
            plain.close()

    def answer(self, conn, head, body):
        method, path, _ = head.split(b"\r\n")[0].split(b" ", 2)
        if path.endswith(b".notary") and self.update is not None:
            data = self.update.encode()
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
            self.visits += 1
            return True
        if method == b"GET":
            conn.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            self.visits += 1
            return True
        self.requests += 1
        if self.delay:
            time.sleep(self.delay)
        if self.mode == "hang":
            self.gate.wait(60)
            return False
        if self.mode == "huge":
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
            for _ in range(1600):
                conn.sendall(b"x" * 65536)
            return False
        if self.mode == "huge-head":
            conn.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100000):
                conn.sendall(b"X-Long: " + b"x" * 1000 + b"\r\n")
            return False
        status, payload = self.respond(path, body)
        if self.mode == "half":
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(payload)
                         + payload[:len(payload) // 2])
            return False
        out = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(payload)) + payload
        self.sizes.append((len(head) + 4 + len(body), len(out)))
        conn.sendall(out)
        return self.mode != "close"

    def respond(self, path, body):
        if self.mode == "redirect":
            return 302, b""
        if self.mode.startswith("status-"):
            return int(self.mode[7:]), b"{}"
        if self.mode == "junk":
            return 200, b"\x02" * 200
        if path == b"/v2/query" and self.mode != "v1":
            return 200, self.statement(body)
        return self.list_v1()

    def list_v1(self):
        now = int(time.time())
        records = [{"timestamp": {"start": str(now - 900000), "finish": str(now - 100000 * i)},
                    "fingerprint": leaf.sha1.hex(":").upper()}
                   for i, leaf in enumerate(self.leaves)]
        if self.status == UNREACHABLE:
            return 503, b"<html></html>"
        if self.status == ASIDE:
            return 303, b""
        return 200, json.dumps({"fingerprintList": records, "signature": "AAAA"}).encode()

    def statement(self, body):
        """The answer to a version 2 request for one target."""
        length = body[2]
        host, rest = body[3:3 + length], body[3 + length:]
        port, hint = rest[0:2], rest[2:3]
        if self.mode == "other-host":
            host = b"other.example.net"
        if self.mode == "other-port":
            port = b"\x00\x01"
        now = struct.pack(">Q", int(time.time()))
        key_id = b"\0" * 32 if self.mode == "foreign-key" else self.key_id
        text = b"converge notary statement\0\x02" + key_id
        text += bytes([len(host)]) + host + port + hint + bytes([self.status]) + now
        leaves = self.leaves if self.status == SEEN else []
        text += bytes([len(leaves)])
        for leaf in leaves:
            text += b"\x01\x02" + leaf.sha256 + leaf.sha1 + leaf.spki + now + now
        text += b"\0\0"
        signature = self.sign(text)
        if self.mode == "bad-signature":
            signature = bytes([signature[0] ^ 1]) + signature[1:]
        if self.mode == "no-signature":
            signature = b""
        return (b"\x02\x01" + struct.pack(">H", len(text)) + text
                + struct.pack(">H", len(signature)) + signature)


class Relay:
    """A plain CONNECT relay; `names` maps the hosts of bundles to loopback."""

    def __init__(self, allow=True):
        self.allow, self.seen = allow, []
        self.port = Listener(self.serve).port

    def serve(self, conn):
        head = b""
        try:
            while b"\r\n\r\n" not in head:
                more = conn.recv(4096)
                if not more:
                    return
                head += more
            self.seen.append(head)
            if not self.allow:
                conn.sendall(b"HTTP/1.0 403 Forbidden\r\n\r\n")
                conn.close()
                return
            port = int(head.split(b" ")[1].rsplit(b":", 1)[1])
            far = socket.create_connection(("127.0.0.1", port))
            conn.sendall(b"HTTP/1.0 200 Connection Established\r\n\r\n")
            threading.Thread(target=pump, args=(far, conn), daemon=True).start()
            pump(conn, far)
        except OSError:
            conn.close()


def pump(source, sink):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Answer:
    def __init__(self, data, request_id):
        assert data[:6] == b"CVGA\x01\x02", data[:16]
        got, self.verdict, self.action, reason, self.port, self.ms, length = \
            struct.unpack(">QBBBHIH", data[6:25])
        assert got == request_id
        self.reason = REASONS[reason]
        self.text = data[25:25 + length].decode()
        rest = data[25 + length:]
        self.votes, count, rest = [], rest[0], rest[1:]
        for _ in range(count):
            size = rest[0]
            name, rest = rest[1:1 + size].decode(), rest[1 + size:]
            kind, error, ms, flags = struct.unpack(">BBIB", rest[:7])
            self.votes.append((name, {0x59: "yes", 0x4E: "no", 0x53: "aside", 0: "silent"}[kind],
                               error, ms, flags))
            rest = rest[7:]
        assert rest == b""

    def said(self, kind):
        return sum(1 for vote in self.votes if vote[1] == kind)


def question(host, ports, leaf, pki=PKI_OK, timeout_ms=2000, request_id=None, fingerprint=None,
             release="0.1.0"):
    request_id = request_id if request_id is not None else random.getrandbits(64)
    flags = 1 | (4 if fingerprint else 0)
    data = b"CVGA\x01\x01" + struct.pack(">Q", request_id) + bytes([flags, len(host)])
    data += host.encode() + b"\x03" + bytes([len(ports)])
    data += b"".join(struct.pack(">H", port) for port in ports) + b"\x06\x00"
    data += bytes([pki]) + struct.pack(">II", 0, timeout_ms) + b"\x04test"
    body = fingerprint or leaf.der
    data += struct.pack(">I", len(body)) + body
    if release:
        data += bytes([len(release)]) + release.encode()
    return request_id, data


class Installation:
    """A configuration directory of its own, and its agent."""

    def __init__(self, settings="", notaries=()):
        self.directory = tempfile.mkdtemp(prefix="converge-test-")
        os.chmod(self.directory, 0o755)
        self.config = os.path.join(self.directory, "config")
        self.work = os.path.join(self.directory, "work")
        os.makedirs(os.path.join(self.config, "notaries.d"))
        os.mkdir(self.work)
        self.log = os.path.join(self.directory, "log")
        self.socket = os.path.join(self.config, "run", "agent.sock")
        self.process = None
        self.settings = settings
        self.write_config(settings)
        for notary in notaries:
            self.add(notary)

    def write_config(self, settings):
        write(os.path.join(self.config, "converge.conf"), f"log = {self.log}\n{settings}\n")

    def add(self, notary, **options):
        write(os.path.join(self.config, "notaries.d", notary.name + ".notary"),
              notary.bundle(**options))

    def environment(self, **extra):
        return dict(os.environ, CONVERGE_CONFIG_DIR=self.config, **extra)

    def start(self, **popen):
        ready, ready_end = os.pipe()
        os.set_inheritable(ready_end, True)
        self.process = subprocess.Popen(
            [AGENT, "--foreground", "--ready-fd", str(ready_end)], close_fds=False,
            env=self.environment(), **popen)
        os.close(ready_end)
        with os.fdopen(ready, "rb") as file:
            word = file.read()
        assert word == b"ready\n", f"the agent said {word!r}"
        return self

    def connect(self):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.settimeout(20)
        sock.connect(self.socket)
        return sock

    def ask(self, host, ports, leaf, **options):
        if isinstance(ports, int):
            ports = [ports]
        request_id, data = question(host, ports, leaf, **options)
        with self.connect() as sock:
            sock.send(data)
            return Answer(sock.recv(MESSAGE_MAX), request_id)

    def command(self, name, /, **members):
        """The replies to a command."""
        body = json.dumps(dict(members, command=name)).encode()
        replies, more = [], True
        with self.connect() as sock:
            sock.send(b"CVGA\x01\x03" + struct.pack(">Q", 7) + b"\0" + body)
            while more:
                data = sock.recv(MESSAGE_MAX)
                assert data[:6] == b"CVGA\x01\x04" and data[6:14] == struct.pack(">Q", 7), data[:20]
                more = data[14] == 1
                replies.append(json.loads(data[15:]))
        return replies

    def lines(self, word=""):
        with open(self.log, encoding="ascii") as file:
            return [line for line in file.read().splitlines() if word in line]

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            code = self.process.wait(20)
            self.process = None
            assert code == 0, f"the agent ended with {code}"

    def remove(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


def as_user(uid, ask):
    """What ask() returns in a process of another user, which may not be able to read this tree."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            with os.fdopen(writer, "w") as out:
                json.dump(ask(), out)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        text = said.read()
    os.waitpid(child, 0)
    return json.loads(text)


def write(path, text):
    """Replaces a file as a careful editor does."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


def until(condition, seconds=10):
    """Waits for what must come about, and says whether it did."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def gone(pid):
    """Whether a process has ended, whenever its parent takes note of it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Skip(Exception):
    """What is missing here for a test to mean anything."""


def run(cases):
    """Runs functions as TAP."""
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, case in enumerate(cases, 1):
        name = case.__doc__ or case.__name__
        try:
            case()
            print(f"ok {number} - {name}", flush=True)
        except Skip as skip:
            print(f"ok {number} - {name} # SKIP {skip}", flush=True)
        except Exception as error:  # a test that breaks has failed, whatever broke
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in f"{type(error).__name__}: {error}".splitlines():
                print("# " + line, flush=True)
            import traceback
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
    sys.exit(1 if failed else 0)
