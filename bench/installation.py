# SPDX-License-Identifier: MIT
"""The bench's own world on loopback: a CA, a site, notaries behind delaying relays, an agent."""
import glob
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

NOTARY_CONF = """
listen = 127.0.0.1
ssl_port = {ssl}
bounce_port = {bounce}
relay_port = {relay}
relay_ports = {permitted}
allow_targets = 127.0.0.0/8
hosts = {hosts}
queries_per_minute = 1000000000
probes_per_minute = 1000000
target_probes_per_minute = 1000000000
connections_per_network = 4096
"""


def started_line(process, word):
    """The number a server prints when it is ready: "WORD NUMBER"."""
    line = process.stdout.readline().split()
    if len(line) != 2 or line[0] != word:
        raise SystemExit(f"bench: {process.args[0]} did not start")
    return int(line[1])


RUNNING = []


def start(command, **options):
    """Starts a server; what still runs when the bench ends, however it ends, is ended with it."""
    process = subprocess.Popen(command, **options)
    RUNNING.append(process)
    return process


def stop(process):
    RUNNING.remove(process)
    process.terminate()
    process.wait(timeout=10)


def cpu_ns(pid):
    """A process's CPU time so far, of all its threads, those that have ended too: its CPU clock, whose
    number is made of the pid as clock_getcpuclockid(3) does."""
    process_cpu_clock = 2
    return time.clock_gettime_ns((~pid << 3) | process_cpu_clock)


def free_ports(count):
    """Ports nobody listens on now, distinct from each other, and below those that the kernel gives
    to connections: one of the bench's own must not take a port before its notary does."""
    sockets = []
    while len(sockets) < count:
        sock = socket.socket()
        try:
            sock.bind(("127.0.0.1", random.randint(10000, 32000)))
            sockets.append(sock)
        except OSError:
            sock.close()
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


class Place:
    """The build and one temporary directory for everything the bench makes."""

    def __init__(self, build):
        self.build = build
        self.directory = tempfile.mkdtemp(prefix="converge-bench.")
        os.chmod(self.directory, 0o755)
        self.ca_file = os.path.join(self.directory, "ca.pem")
        self.ca_key = os.path.join(self.directory, "ca.key")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-days", "30", "-subj", "/CN=Bench CA", "-keyout", self.ca_key,
                     "-out", self.ca_file)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.show_logs()
        for process in list(RUNNING):
            stop(process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def show_logs(self):
        """What agents and notaries logged last, for who has to find out what went wrong."""
        for path in glob.glob(os.path.join(self.directory, "*", "*.log")):
            with open(path, encoding="utf-8") as file:
                print(path, *file.readlines()[-5:], sep="\n  ", file=sys.stderr)

    def program(self, name):
        return os.path.join(self.build, "bench", name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, stderr=subprocess.DEVNULL)

    def notary(self, name, hosts, delay_ms=0):
        return Notary(self, name, hosts, delay_ms)

    def echo(self, delay_ms, hops):
        return Echo(self, delay_ms, hops)

    def wire(self, notaries):
        """Connections, payload in and out, segments in and out, summed over the direct relays."""
        return [sum(column) for column in zip(*(n.relays[0].wire() for n in notaries))]


class Relay:
    """A delaying relay in front of a port; without delay the port itself is used instead."""

    def __init__(self, place, target_port, delay_ms):
        self.process = start(
            [place.program("delay-relay"), "0", "127.0.0.1", str(target_port), str(delay_ms)],
            stdout=subprocess.PIPE, text=True)
        self.port = started_line(self.process, "listening")

    def wire(self):
        self.process.send_signal(signal.SIGUSR1)
        return [int(word) for word in self.process.stdout.readline().split()[1:]]

    def close(self):
        stop(self.process)


class Echo:
    """An echo behind a row of delaying relays."""

    def __init__(self, place, delay_ms, hops):
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()
        self.relays = []
        port = self.listener.getsockname()[1]
        for _ in range(hops):
            self.relays.append(Relay(place, port, delay_ms))
            port = self.relays[-1].port
        self.port = port

    def serve(self):
        try:
            conn, _ = self.listener.accept()
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := conn.recv(4096):
                conn.sendall(data)
        except OSError:
            pass

    def close(self):
        for relay in self.relays:
            relay.close()
        self.listener.close()


class Site:
    """A TLS site with a certificate of the bench's CA for all the names."""

    def __init__(self, place, host, names=()):
        base = os.path.join(place.directory, host)
        self.leaf_file = base + ".der"
        alternative = ",".join("DNS:" + n for n in [host, "*." + host])
        extensions = base + ".ext"
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alternative}\n")
        place.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", "/CN=" + host, "-keyout", base + ".key", "-out", base + ".csr")
        place.openssl("x509", "-req", "-in", base + ".csr", "-CA", place.ca_file, "-CAkey",
                      place.ca_key, "-CAcreateserial", "-days", "30", "-extfile", extensions,
                      "-out", base + ".pem")
        place.openssl("x509", "-in", base + ".pem", "-outform", "DER", "-out", self.leaf_file)
        self.process = start(
            [place.program("tls-server"), base + ".pem", base + ".key"],
            stdout=subprocess.PIPE, text=True)
        self.port = started_line(self.process, "listening")

    def close(self):
        stop(self.process)


class Notary:
    """A real notary; its bundle names the relays' ports, so every query crosses the distance."""

    serial = 0

    def __init__(self, place, name, hosts, delay_ms):
        Notary.serial += 1
        self.directory = os.path.join(place.directory, f"notary-{Notary.serial}-{name}")
        self.user_reach()
        own = free_ports(3)
        self.relays = [Relay(place, port, delay_ms) for port in own]
        seen = [relay.port for relay in self.relays]
        daemon = os.path.join(place.build, "converge-notaryd")
        subprocess.run([daemon, "--init", self.directory, "--name", name, "--host",
                        f"{name}.bench-converge.net", "--ssl-port", str(seen[0]),
                        "--bounce-port", str(seen[1]), "--relay-port", str(seen[2]),
                        "--address", "127.0.0.1"], check=True, stdout=subprocess.DEVNULL)
        self.bundle = os.path.join(self.directory, name + ".notary")
        self.hosts = os.path.join(self.directory, "hosts")
        self.bounce_port = seen[1]
        self.own = own
        with open(self.hosts, "w", encoding="ascii") as file:
            file.writelines(f"127.0.0.1 {host}\n" for host in hosts)
        self.place = place
        self.process = None
        self.log = open(os.path.join(self.directory, "notary.log"), "w", encoding="utf-8")

    def user_reach(self):
        os.makedirs(self.directory, mode=0o755)

    def start(self, others):
        """others: every notary of the installation; a relay goes to their bounce ports."""
        conf = os.path.join(self.directory, "notary.conf")
        ours = NOTARY_CONF.format(
            ssl=self.own[0], bounce=self.own[1], relay=self.own[2], hosts=self.hosts,
            permitted=" ".join(str(n.bounce_port) for n in others))
        keys = {line.split("=")[0].strip() for line in ours.splitlines() if "=" in line}
        with open(conf, encoding="ascii") as file:
            kept = [l for l in file if l.split("=")[0].strip().lstrip("#").strip() not in keys]
        with open(self.hosts, "a", encoding="ascii") as file:
            file.writelines(f"127.0.0.1 {os.path.basename(n.bundle)[:-7]}.bench-converge.net\n"
                            for n in others)
        with open(conf, "w", encoding="ascii") as file:
            file.writelines(kept)
            file.write(ours)
        read, write = os.pipe()
        self.process = start(
            [os.path.join(self.place.build, "converge-notaryd"), "--config", conf,
             "--ready-fd", str(write)], pass_fds=[write], stderr=self.log)
        os.close(write)
        with os.fdopen(read) as ready:
            if ready.readline() != "ready\n":
                raise SystemExit(f"bench: the notary in {self.directory} did not start")

    def close(self):
        if self.process:
            stop(self.process)
        self.log.close()
        for relay in self.relays:
            relay.close()


class Installation:
    """A configuration directory with its agent."""

    serial = 0

    def __init__(self, place, name, notaries, quorum=3, bounce="off", deadline="2s"):
        Installation.serial += 1
        self.place = place
        self.directory = os.path.join(place.directory, f"{name}-{Installation.serial}")
        self.log = os.path.join(self.directory, "agent.log")
        self.agent = None
        os.makedirs(os.path.join(self.directory, "notaries.d"))
        with open(os.path.join(self.directory, "converge.conf"), "w", encoding="ascii") as file:
            file.write(f"quorum = {quorum}\nbounce = {bounce}\ndeadline = {deadline}\n"
                       f"log = {self.log}\nidle_exit = 0\npublic_anchors = {place.ca_file}\n"
                       f"budget_per_minute = 1000000\n")
        for notary in notaries:
            shutil.copy(notary.bundle, os.path.join(self.directory, "notaries.d"))
            notary.start(notaries)
        self.provider_conf = os.path.join(self.directory, "with.cnf")
        self.plain_conf = os.path.join(self.directory, "without.cnf")
        for path, ours in ((self.plain_conf, False), (self.provider_conf, True)):
            with open(path, "w", encoding="ascii") as file:
                file.write(self.openssl_conf(ours))

    def openssl_conf(self, ours):
        module = os.path.join(self.place.build, ".libs", "converge.so")
        text = ("openssl_conf = init\n[init]\nproviders = providers\n[providers]\n"
                "default = default_provider\n")
        if ours:
            text += "converge = converge_provider\n"
        text += "[default_provider]\nactivate = 1\n"
        if ours:
            text += f"[converge_provider]\nmodule = {module}\nactivate = 1\n"
        return text

    def environment(self, provider):
        env = dict(os.environ)
        env["CONVERGE_CONFIG_DIR"] = self.directory
        env["CONVERGE_AGENT"] = os.path.join(self.place.build, "converge-agent")
        env["OPENSSL_CONF"] = self.provider_conf if provider else self.plain_conf
        return env

    def start_agent(self):
        read, write = os.pipe()
        self.agent = start(
            [os.path.join(self.place.build, "converge-agent"), "--foreground", "--ready-fd",
             str(write)], pass_fds=[write], env=self.environment(provider=False))
        os.close(write)
        with os.fdopen(read) as ready:
            if ready.readline() != "ready\n":
                raise SystemExit("bench: the agent did not start")

    def agent_cpu_ns(self):
        return cpu_ns(self.agent.pid)

    def count(self, words):
        with open(self.log, encoding="utf-8") as file:
            return sum(words in line for line in file)

    def converge(self, *arguments):
        subprocess.run([os.path.join(self.place.build, "tools", "converge"), *arguments], check=True,
                       stdout=subprocess.DEVNULL, env=self.environment(provider=False))

    def close(self):
        if self.agent:
            stop(self.agent)
