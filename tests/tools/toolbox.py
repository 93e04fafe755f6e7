# SPDX-License-Identifier: MIT
"""What the command line's tests share: a private installation with a fake agent, the command run in
it, and TAP."""
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
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from loopback import Listener

BUILD = os.environ.get("top_builddir", os.getcwd())
SOURCE = os.environ.get("top_srcdir", os.getcwd())
CONVERGE = os.path.join(BUILD, "tools", "converge")
AGENT = os.path.join(BUILD, "converge-agent")
NOTARYD = os.path.join(BUILD, "converge-notaryd")
FAKE_AGENT = os.path.join(BUILD, "tests", "common", "libconverge", "fake-agent")
MODULE = os.path.join(BUILD, ".libs", "converge.so")
NSS_MODULE = os.path.join(BUILD, ".libs", "libconverge-nss.so")

OK, REFUSED, USAGE, UNDECIDED, FAULT = range(5)

TWO_ANSWER = {"ok": True, "notaries": [
    {"name": "alpha", "host": "a.converge.example", "answered": True, "elapsed_ms": 11},
    {"name": "beta", "host": "b.converge.example", "answered": True, "elapsed_ms": 12}]}


class Installation:
    """A CONVERGE_CONFIG_DIR of its own, whose agent says what the test wants."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="converge-test-")
        os.chmod(self.directory, 0o755)
        os.mkdir(self.path("replies"))
        self.reply("notary-test", TWO_ANSWER)
        self.reply("reload", {"ok": True, "notaries": 2})

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def reply(self, command, *objects):
        self.write("replies/" + command, "".join(json.dumps(o) + "\n" for o in objects))

    def commands(self):
        return [json.loads(line) for line in self.read("commands").splitlines()]

    def environment(self, **extra):
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("CONVERGE", "OPENSSL_"))}
        environment.update(CONVERGE_CONFIG_DIR=self.directory, CONVERGE_AGENT=FAKE_AGENT,
                           CONVERGE_MODULE=MODULE, CONVERGE_NSS_MODULE=NSS_MODULE, LC_ALL="C.UTF-8", TZ="UTC")
        environment.update(extra)
        return {k: v for k, v in environment.items() if v is not None}

    def run(self, *arguments, stdin=subprocess.DEVNULL, timeout=60, **extra):
        return subprocess.run([CONVERGE, *arguments], env=self.environment(**extra), stdin=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=timeout, check=False)

    def json(self, *arguments, code=OK, **extra):
        result = self.run(*arguments, **extra)
        same(result.returncode, code, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def start_agent(self):
        """By the way every command starts it."""
        self.write("answer", "59 41 1")
        result = self.run("check", "start.converge.example", "--fingerprint", "00" * 20)
        same(result.returncode, OK, result.stderr)
        self.write("commands", "")
        self.write("questions", "")

    def close(self):
        for pid in self.read("run/agent.pid").split():
            try:
                os.kill(int(pid), signal.SIGTERM)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.directory)


class Site:
    """A TLS server on the loopback, with a certificate that counts as good."""

    def __init__(self, directory, name="localhost", address=("127.0.0.1", 0), body=b"hello\n"):
        self.body, self.moved = body, {}  # moved: paths and where they are now
        self.name = name
        self.certificate = os.path.join(directory, name + ".pem")
        key = os.path.join(directory, name + ".key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                        self.certificate, "-days", "1", "-subj", "/CN=" + name, "-addext",
                        "subjectAltName=DNS:" + name], check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.context = context
        self.port = Listener(self.talk, *address).port

    def talk(self, connection):
        try:
            connection.settimeout(5)
            with self.context.wrap_socket(connection, server_side=True) as tls:
                path = tls.recv(4096).split()[1:2]
                moved = self.moved.get(path[0].decode() if path else "")
                if moved is not None:
                    tls.sendall(b"HTTP/1.0 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" %
                                moved.encode())
                    return
                tls.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body) +
                            self.body)
        except OSError:
            pass

    @property
    def url(self):
        return "https://%s:%d/" % (self.name, self.port)


def same(got, wanted, context=""):
    assert got == wanted, "got %r, wanted %r\n%s" % (got, wanted, context)


def contains(text, *parts):
    for part in parts:
        assert part in text, "%r is not in:\n%s" % (part, text)


def mount_namespace():
    """The words before a command that shall have mounts of its own."""
    words = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
    if subprocess.run([*words, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("no mount namespaces here")
    return words


def sanitized():
    """A sanitized module does not load in programs that are not."""
    symbols = subprocess.run(["nm", "-D", MODULE], stdout=subprocess.PIPE, text=True, check=True)
    return any(word in symbols.stdout for word in ("__asan_", "__tsan_", "__ubsan_"))


def have(program):
    return shutil.which(program) is not None


class Skip(Exception):
    pass


def wait_for(condition, seconds=10):
    """Polls for what another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def main(*cases):
    """Runs each case with an installation of its own and speaks TAP."""
    failed = False
    print("1..%d" % len(cases), flush=True)
    for number, case in enumerate(cases, 1):
        name = case.__name__.replace("_", " ")
        installation = Installation()
        try:
            case(installation)
            print("ok %d - %s" % (number, name), flush=True)
        except Skip as skip:
            print("ok %d - %s # SKIP %s" % (number, name, skip), flush=True)
        except Exception:  # a test that breaks is a test that fails
            failed = True
            print("not ok %d - %s" % (number, name), flush=True)
            for line in traceback.format_exc().splitlines():
                print("#   " + line, flush=True)
        finally:
            installation.close()
    sys.exit(1 if failed else 0)
