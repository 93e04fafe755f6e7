# SPDX-License-Identifier: MIT
"""What the provider's tests share: a CA, TLS servers on loopback, the fake agent, and programs run
with converge.so loaded. Every test has a directory of its own and free ports."""
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from loopback import Listener

BUILD = os.environ.get("top_builddir", ".")
MODULES = os.path.join(BUILD, ".libs")
MODULE = os.path.join(MODULES, "converge.so")
HOST = os.path.join(BUILD, "tests/provider/host")
SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tsan.supp")
AGENT = os.path.join(BUILD, "tests/provider/fake-agent")

OPENSSL_CNF = """\
openssl_conf = init
nodejs_conf = init
[init]
providers = providers
[providers]
default = default_provider
converge = converge_provider
[default_provider]
activate = 1
[converge_provider]
activate = 1
"""


def sanitized():
    """Whether the module needs a sanitizer's runtime, so that only our own programs can load it."""
    with open(MODULE, "rb") as file:
        data = file.read()
    return b"__asan_init" in data or b"__tsan_init" in data


class Tap:
    """Counts and prints the cases."""

    def __init__(self):
        self.number = 0
        self.failed = 0

    def case(self, name, good, detail=""):
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}")
        if not good:
            for line in str(detail).splitlines() or ["(no detail)"]:
                print(f"# {line}")
        sys.stdout.flush()

    def skip(self, name, why):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {why}", flush=True)

    def done(self):
        print(f"1..{self.number}")
        sys.exit(self.failed != 0)


class Lab:
    """A directory with a CA and a configuration, and what was started in it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="cvg-")
        self.agent = None
        self.servers = []
        self.make_certificates()
        self.write("openssl.cnf", OPENSSL_CNF)
        os.mkdir(self.path("run"), 0o700)
        self.configure("")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop_agent()
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(self.path(name), 0o600)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def configure(self, text):
        self.write("converge.conf", text)

    # Certificates

    def openssl(self, *args):
        env = {"PATH": os.environ["PATH"], "OPENSSL_CONF": "/dev/null"}
        subprocess.run(["openssl", *args], cwd=self.dir, env=env, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def make_certificates(self):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self.openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
                     "-subj", "/CN=Test CA", "-addext", "basicConstraints=critical,CA:TRUE",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        names = "subjectAltName=DNS:site.example,DNS:*.site.example,DNS:localhost,IP:127.0.0.1"
        self.openssl("req", "-x509", *key, "-keyout", "self.key", "-out", "self.pem", "-days", "30",
                     "-subj", "/CN=site.example", "-addext", names)
        self.sign("site", names, "30", key)
        self.sign("expired", names, "-1", key)
        self.sign("client", "subjectAltName=DNS:client.example", "30", key)

    def sign(self, name, extension, days, key):
        self.write(f"{name}.ext", extension + "\n")
        self.openssl("req", "-new", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                     "-subj", f"/CN={name}.example")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-CAcreateserial", "-out", f"{name}.pem", "-days", days,
                     "-extfile", f"{name}.ext")

    # The agent

    def start_agent(self, *rules):
        """Starts the fake agent with these rules and an empty log."""
        self.stop_agent()
        for name in ("run/agent.sock", "agent.log"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        reader, writer = os.pipe()
        self.agent = subprocess.Popen([AGENT, self.path("run/agent.sock"), self.path("agent.log"),
                                       str(writer), *rules], pass_fds=[writer])
        os.close(writer)
        ready = os.read(reader, 16)
        os.close(reader)
        if ready != b"ready\n":
            raise RuntimeError("the fake agent did not start")

    def stop_agent(self):
        if self.agent:
            self.agent.terminate()
            self.agent.wait()
            self.agent = None

    def questions(self):
        """The questions asked since the agent started, as dictionaries."""
        if not os.path.exists(self.path("agent.log")):
            return []
        return [dict(re.findall(r"(\w+)=(\S*)", line))
                for line in self.read("agent.log").splitlines()]

    def asked(self, at_least=0):
        """The questions in short: host and port candidates. A program in monitor mode may be gone
        before the agent has written its question down: so many are waited for."""
        give_up = time.monotonic() + 10
        while len(self.questions()) < at_least and time.monotonic() < give_up:
            time.sleep(0.01)
        return [f"{q['host']}:{q['ports']}" for q in self.questions()]

    # Servers and programs

    def serve(self, certificate="site", **options):
        server = Server(self, certificate, **options)
        self.servers.append(server)
        return server

    def environment(self, **more):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("OPENSSL_", "CONVERGE_", "SSL_"))}
        env.update(OPENSSL_CONF=self.path("openssl.cnf"), OPENSSL_MODULES=MODULES,
                   CONVERGE_CONFIG_DIR=self.dir, TSAN_OPTIONS=f"suppressions={SUPPRESSIONS}")
        env.update(more)
        return env

    def run(self, *command, timeout=60, env=None, **options):
        """Runs a program with the module loaded; returns (status, stdout, stderr)."""
        done = subprocess.run([str(word) for word in command], timeout=timeout,
                              env=env or self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", check=False,
                              **options)
        return done.returncode, done.stdout, done.stderr

    def host(self, *args, program=HOST, **options):
        """Runs our host program; its certificates come from here."""
        return self.run(program, "--ca", self.path("ca.pem"), *args, **options)


class Server:
    """A TLS server with a thread for each connection. Options:
    preamble   a function (socket) that speaks before TLS begins
    client_ca  asks for client certificates
    versions   (minimum, maximum)
    tickets    TLS 1.3 tickets
    address    where it listens
    then       a function (TLS socket) instead of one short HTTP answer
    """

    def __init__(self, lab, certificate, preamble=None, client_ca=False, versions=None,
                 tickets=2, then=None, address="127.0.0.1"):
        self.preamble = preamble
        self.then = then or answer_http
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(lab.path(f"{certificate}.pem"), lab.path(f"{certificate}.key"))
        self.context.num_tickets = tickets
        if versions:
            self.context.minimum_version, self.context.maximum_version = versions
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(lab.path("ca.pem"))
            self.context.post_handshake_auth = client_ca == "later"
        self.listener = Listener(self.serve, address)
        self.port = self.listener.port

    def serve(self, connection):
        connection.settimeout(60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            try:
                if self.preamble:
                    self.preamble(connection)
                with self.context.wrap_socket(connection, server_side=True) as tls:
                    self.then(tls)
            except (OSError, ValueError):
                pass

    def stop(self):
        self.listener.stop()


def read_until(connection, end):
    data = b""
    while not data.endswith(end):
        octet = connection.recv(1)
        if not octet:
            raise OSError("closed")
        data += octet
    return data


def answer_http(tls):
    """One answer to one request; a client that only shuts down gets nothing."""
    if tls.recv(65536):
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")


class Proxy:
    """An HTTP proxy that knows CONNECT and sends every tunnel to one port here; with a TLS context
    it is spoken to in TLS."""

    def __init__(self, target, context=None):
        self.target = target
        self.context = context
        self.listener = Listener(self.tunnel)
        self.port = self.listener.port

    def tunnel(self, client):
        try:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            read_until(client, b"\r\n\r\n")
            server = socket.create_connection(("127.0.0.1", self.target))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        except OSError:
            client.close()
            return
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        pump(client, server)
        back.join()
        client.close()
        server.close()

    def stop(self):
        self.listener.stop()


def pump(source, sink):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def kill_hard(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
