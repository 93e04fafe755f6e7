# SPDX-License-Identifier: MIT
# What the crash test does to a notary: asks it much, kills it, and remembers all that it said.
import glob
import hashlib
import json
import os
import random
import signal
import ssl
import struct
import threading
import time

from notarylab import expect

WINDOW = 1.5  # seconds: what was said before that must be kept; the promise is one
MAGIC = b"cvg-jrnl\x01"


class Client:
    """One kept-alive connection."""

    def __init__(self, notary):
        self.tls = notary.tls()
        self.file = self.tls.makefile("rb")

    def ask(self, name, port, sha1=None):
        """Status and body of version 1's answer."""
        if sha1 is None:
            text = f"GET /target/{name}+{port} HTTP/1.1\r\nHost: n\r\n\r\n"
        else:
            body = f"fingerprint={sha1}"
            text = (f"POST /target/{name}+{port} HTTP/1.1\r\nHost: n\r\n"
                    "Content-Type: application/x-www-form-urlencoded\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}")
        self.tls.sendall(text.encode())
        line = self.file.readline()
        if not line:
            raise ConnectionResetError
        length = 0
        while (header := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = self.file.read(length)
        if len(body) < length:
            raise ConnectionResetError
        return int(line.split()[1]), body

    def close(self):
        self.file.close()
        self.tls.close()


class Memory:
    """What a notary has said of each name: since when it knows its certificate."""

    def __init__(self, fingerprint_of, port):
        self.fingerprint_of = fingerprint_of  # the certificate a name has always had
        self.port = port
        self.lock = threading.Lock()
        self.said = {}  # name: (start, when it was said)
        self.doubtful = []
        self.seen = []  # those of them that the notary saw itself

    def check(self, name, status, body):
        """Takes in an answer; what the site never showed must not be in it. Returns the start."""
        expect(status, 200, name)
        records = json.loads(body)["fingerprintList"]
        expect([record["fingerprint"] for record in records], [self.fingerprint_of(name)], name)
        return int(records[0]["timestamp"]["start"])

    def note(self, name, start):
        with self.lock:
            self.said.setdefault(name, (start, time.monotonic()))
            self.seen.append(name)

    def killed(self, at):
        """What was said within the window before a kill may have been lost: it counts from when it
        is said again."""
        for name in [name for name, (_, when) in self.said.items() if when >= at - WINDOW]:
            del self.said[name]
            self.doubtful.append(name)

    def verify(self, client, names):
        """What was said is so still."""
        for name in names:
            status, body = client.ask(name, self.port)
            expect(self.check(name, status, body), self.said[name][0], f"{name} since")
        while self.doubtful:
            name = self.doubtful.pop()
            status, body = client.ask(name, self.port)
            self.said[name] = (self.check(name, status, body), time.monotonic())


class Load(threading.Thread):
    """Asks for new names, and again for old ones with other fingerprints, until the notary dies."""

    def __init__(self, notary, memory, names):
        super().__init__(daemon=True)
        self.client = Client(notary)
        self.memory = memory
        self.names = names
        self.problem = None

    def run(self):
        other = ":".join(["00"] * 20)
        try:
            while True:
                name = next(self.names)
                status, body = self.client.ask(name, self.memory.port,
                                               self.memory.fingerprint_of(name))
                self.memory.note(name, self.memory.check(name, status, body))
                if random.random() < 0.3:
                    name = random.choice(self.memory.seen)
                    status, body = self.client.ask(name, self.memory.port, other)
                    expect(status, 409, name)
        except (ConnectionError, ssl.SSLError, OSError):
            pass  # the kill
        except Exception as problem:  # pylint: disable=broad-except
            self.problem = problem


def kill(notary):
    notary.process.send_signal(signal.SIGKILL)
    at = time.monotonic()
    notary.process.wait(timeout=20)
    notary.process = None
    return at


def wait_until(condition, seconds):
    """Looks without a pause, for what lasts an instant only; false: it never came."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
    return True


def segments(database):
    """The journal's segments by number."""
    found = {}
    for path in glob.glob(f"{database}.journal.[0-9]*"):
        digits = path.rsplit(".", 1)[1]
        if digits.isdigit():
            found[int(digits)] = path
    return found


def write_segment(path, records):
    """A segment as the notary writes it: (key, value) ..."""
    salt = os.urandom(8)
    parts = [MAGIC + salt]
    at = len(parts[0])
    for key, value in records:
        record = struct.pack(">HH", len(key), len(value)) + key + value
        checksum = hashlib.sha256(salt + struct.pack(">Q", at) + record).digest()[:8]
        parts.append(checksum + record)
        at += len(record) + 8
    with open(path, "wb") as file:
        file.write(b"".join(parts))
    os.chmod(path, 0o600)


def record_of(name, port, certificate, first, last):
    """Key and value of a target at 127.0.0.1 with one P-256 certificate."""
    key = struct.pack(">HB", port, 0) + name.encode()
    leaf = bytes.fromhex(certificate.sha256.replace(":", ""))
    leaf += bytes.fromhex(certificate.sha1.replace(":", "")) + bytes(32) + b"\x02"
    value = b"\x01" + leaf + struct.pack(">QQ", first, last)
    value += b"\x01\x04" + bytes([127, 0, 0, 1]) + bytes(12) + b"\x02\x00"
    return key, value + struct.pack(">Q", last)
