# SPDX-License-Identifier: MIT
# redis-server for the black-box tests of converge-notaryd: one server in a directory of its own on
# loopback, and notaries that keep their records there.
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from notarylab import free_ports

KEYS = ("tls.key", "tls.crt", "signing.key")


def missing():
    """What is not installed, or None."""
    for program in ("redis-server", "redis-cli"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return None


def until(what, condition, seconds=20):
    """Waits for the condition; returns what it returns."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.02)
    return result


class Redis:
    """One redis-server that keeps what it acknowledges. extra: lines of its configuration; login:
    redis-cli's options."""

    def __init__(self, extra="", login=()):
        self.directory = tempfile.mkdtemp(prefix="converge-redis-")
        self.port, = free_ports(1)
        self.login = list(login)
        self.config = os.path.join(self.directory, "redis.conf")
        self.process = None
        with open(self.config, "w", encoding="ascii") as file:
            file.write(f"bind 127.0.0.1\nport {self.port}\ndir {self.directory}\n"
                       f"logfile {self.directory}/log\nappendonly yes\nappendfsync always\n"
                       f'save ""\n{extra}\n')

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory)

    def start(self):
        self.process = subprocess.Popen(["redis-server", self.config])
        until("redis-server answers", lambda: self.answers("127.0.0.1", self.port))

    @staticmethod
    def answers(address, port):
        try:
            socket.create_connection((address, port), timeout=1).close()
            return True
        except OSError:
            return False

    def stop(self, how=signal.SIGKILL):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=20)
            self.process = None

    def cli(self, *words, data=None):
        """What redis-cli prints; data is the last word."""
        more = ["-x"] if data is not None else []
        result = subprocess.run(["redis-cli", "-p", str(self.port), *self.login, *more, *words],
                                input=data, capture_output=True, timeout=20, check=True)
        return result.stdout.strip()

    def count(self):
        return int(self.cli("DBSIZE"))

    def wait_for(self, records):
        until(f"{records} records in Redis", lambda: self.count() >= records)


def keep_in(notary, *servers, more=""):
    """The notary keeps its records in these Redis servers ("HOST:PORT") from its next start on."""
    with open(notary.config, encoding="ascii") as file:
        text = file.read()
    text = re.sub(r"(?m)^(database|redis\w*|journal) = .*\n", "", text)
    with open(notary.config, "w", encoding="ascii") as file:
        file.write(text + f"redis = {' '.join(servers)}\njournal = data/journal\n{more}")


def metric(address, port, name):
    """The value that the notary's /metrics has of converge_notary_NAME; None: it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/metrics", timeout=2) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    return float(re.search(rf"(?m)^converge_notary_{name} (\S+)$", text)[1])


def same_keys(notary, other):
    """The notary gets the other's keys and bundle: the two are one to clients."""
    for name in (*KEYS, f"{other.name}.notary", f"{other.name}.v1.notary"):
        shutil.copy(os.path.join(other.home, name), os.path.join(notary.home, name))


def forget(notary):
    """Takes away what the notary, which does not run, has on its own disk."""
    shutil.rmtree(os.path.join(notary.home, "data"), ignore_errors=True)
