# SPDX-License-Identifier: MIT
# The installation of doc/examples/cluster, whole, in network namespaces of its own: HAProxy, three
# notaries that are one, six Redis servers, sites that they look at, and clients that ask all the time.
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request

from notarylab import NOTARYD, expect, read_all
from redislab import metric, until

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../doc/examples/cluster")
HOME = "/mnt/cluster"  # on a tmpfs of the lab's own
FRONT = "192.0.2.1"
NOTARIES = [f"192.0.2.{i}" for i in (11, 12, 13)]
SERVERS = [f"192.0.2.{i}" for i in (21, 22, 23, 24, 25, 26)]
SITE = "203.0.113.5"
CLIENTS = [f"198.51.100.{i}" for i in (1, 2, 3, 4)]
GREEDY = "198.18.0.1"  # of another network
ADMIN = ["--no-auth-warning", "--user", "admin", "--pass", "change-this-admin"]


def missing():
    for program in ("redis-server", "redis-cli", "haproxy", "ip"):
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            return f"{program} is not installed"
    return None


def addresses():
    """All of the example's machines are this one."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for one in (FRONT, *NOTARIES, *SERVERS, SITE, *CLIENTS, GREEDY):
        subprocess.run(["ip", "address", "add", f"{one}/32", "dev", "lo"], check=True)


def example(name):
    with open(os.path.join(EXAMPLE, name), encoding="ascii") as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, 0o600)
    return path


def replaced(text, old, new):
    expect(old in text, True, f"the example says {old!r}")
    return text.replace(old, new)


class Program:
    """One process that can be killed, stopped and started again."""

    def __init__(self, name, command, ready):
        self.name = name
        self.command = command
        self.ready = ready
        self.process = None
        self.log = f"{HOME}/{name}.log"

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        until(f"{self.name} is ready", lambda: self.process.poll() is not None or self.ready(), 30)
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended: {self.log_tail()}")

    def signal(self, number):
        self.process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(timeout=20)

    def log_tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]


def listens(address, port):
    def ask():
        try:
            socket.create_connection((address, port), timeout=1).close()
            return True
        except OSError:
            return False
    return ask


def redis_cli(address, *words, check=True):
    result = subprocess.run(["redis-cli", "-h", address, *ADMIN, *words], capture_output=True,
                            text=True, timeout=60, check=False)
    expect(result.returncode == 0 or not check, True, result.stdout + result.stderr)
    return result.stdout


def redis_server(address):
    text = replaced(example("redis.conf"), SERVERS[0], address)
    text = replaced(text, "/var/lib/redis", f"{HOME}/{address}")
    text = replaced(text, "/etc/redis/users.acl", f"{HOME}/users.acl")
    path = write(f"{HOME}/{address}/redis.conf", text)
    return Program(address, ["redis-server", path], listens(address, 6379))


def make_cluster():
    """The six servers, {address: Program}, joined."""
    write(f"{HOME}/users.acl", example("users.acl"))
    servers = {address: redis_server(address) for address in SERVERS}
    for server in servers.values():
        server.start()
    redis_cli(SERVERS[0], "--cluster", "create", *(f"{one}:6379" for one in SERVERS),
              "--cluster-replicas", "1", "--cluster-yes")
    until("the cluster is whole", lambda: all(
        "cluster_state:ok" in redis_cli(one, "CLUSTER", "INFO") for one in SERVERS), 60)
    until("every master has its replica", replicated, 60)
    return servers


def replicated():
    """Six servers, three of which have all that the three others have."""
    state = [redis_cli(one, "INFO", "replication") for one in SERVERS]
    return (sum("role:master" in one for one in state) == 3 and
            sum("master_link_status:up" in one for one in state) == 3)


def masters(asked):
    """The masters that the server knows to be alive."""
    return [line.split()[1].split(":")[0] for line in redis_cli(asked, "CLUSTER", "NODES").splitlines()
            if "master" in line.split()[2] and "fail" not in line.split()[2]]


def records(servers):
    """In all masters."""
    return sum(int(redis_cli(one, "DBSIZE")) for one in masters(servers[-1]))


class OneOfThree(Program):
    """A notary of the example."""

    def __init__(self, address, more):
        self.address = address
        self.home = f"{HOME}/{address}"
        shutil.copytree(f"{HOME}/keys", self.home)
        text = replaced(example("notary.conf"), NOTARIES[0], address)
        config = write(f"{self.home}/notary.conf", text + more)
        write(f"{self.home}/redis.password", "change-this-notary\n")
        super().__init__(f"notary-{address}", [NOTARYD, "--config", config], self.healthy)

    def healthy(self):
        try:
            urllib.request.urlopen(f"http://{self.address}:9180/healthz", timeout=2).close()
            return True
        except OSError:
            return False

    def metric(self, name):
        return metric(self.address, 9180, name)


def make_notaries(more):
    subprocess.run([NOTARYD, "--init", f"{HOME}/keys", "--name", "example", "--host", FRONT,
                    "--address", FRONT], check=True)
    notaries = [OneOfThree(address, more) for address in NOTARIES]
    for notary in notaries:
        notary.start()
    return notaries


def make_front():
    path = write(f"{HOME}/haproxy.cfg", example("haproxy.cfg"))
    program = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
    front = Program("haproxy", [program, "-db", "-f", path], listens(FRONT, 443))
    front.start()
    return front


class Client:
    """Asks version 1 through HAProxy, the pin compared, a new connection each time."""

    def __init__(self, source):
        self.source = source
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        with open(f"{HOME}/keys/tls.crt", encoding="ascii") as file:
            self.pin = ssl.PEM_cert_to_DER_cert(file.read())

    def ask(self, name, fingerprint, at=FRONT, port=443):
        """Status and octets of the body; OSError if there was no answer."""
        body = f"fingerprint={fingerprint}"
        with socket.create_connection((at, 443), timeout=5, source_address=(self.source, 0)) as tcp:
            with self.context.wrap_socket(tcp) as tls:
                expect(tls.getpeercert(True), self.pin, "pin")
                tls.sendall((f"POST /target/{name}+{port} HTTP/1.0\r\n"
                             "Content-Type: application/x-www-form-urlencoded\r\n"
                             f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
                head, _, body = read_all(tls).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 ") and not head.startswith(b"HTTP/1.0 "):
            raise OSError("no answer")
        return int(head.split(b" ")[1]), body

    def insist(self, name, fingerprint, seconds=30, at=FRONT):
        """Asks until there is a yes or a no: status, body, how often it was asked in vain."""
        end = time.monotonic() + seconds
        vain = 0
        while True:
            try:
                status, body = self.ask(name, fingerprint, at)
                if status in (200, 409):
                    return status, body, vain
            except OSError:
                pass
            vain += 1
            if time.monotonic() > end:
                raise AssertionError(f"{name}: no answer within {seconds} s")
            time.sleep(0.05)


class Load:
    """Clients that ask all the time: mostly for the certificate that is there, now and then for one
    that is not."""

    def __init__(self, names, there, not_there):
        self.names = names
        self.wanted = {there: 200, not_there: 409}
        self.there, self.not_there = there, not_there
        self.wrong = []
        self.answers = self.vain = 0
        self.each = dict.fromkeys(CLIENTS, 0)  # answers since the mark
        self.slowest = 0.0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(Client(source),), daemon=True)
                        for source in CLIENTS]
        for thread in self.threads:
            thread.start()

    def run(self, client):
        while not self.ended.is_set():
            name = random.choice(self.names)
            fingerprint = self.there if random.random() < 0.8 else self.not_there
            begun = time.monotonic()
            try:
                status, _, vain = client.insist(name, fingerprint)
                problem = None if status == self.wanted[fingerprint] else f"{name}: {status}"
            except AssertionError as failure:
                problem, vain = str(failure), 0
            with self.lock:
                self.answers += 1
                self.each[client.source] += 1
                self.vain += vain
                self.slowest = max(self.slowest, time.monotonic() - begun)
                if problem:
                    self.wrong.append(problem)

    def mark(self):
        """Counts the slowest, and what was in vain, anew."""
        with self.lock:
            self.vain, self.slowest = 0, 0.0
            self.each = dict.fromkeys(CLIENTS, 0)

    def goes_on(self, count=100):
        """Every client has had so many answers since the mark."""
        until("all clients go on", lambda: min(self.each.values()) >= count, 60)

    def told(self, what):
        with self.lock:
            print(f"# {what}: {self.vain} asked again, slowest answer {self.slowest:.2f} s", flush=True)
            expect(self.wrong, [])

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
