# SPDX-License-Identifier: MIT
"""What bench-notary measures with: a notary of ours, nginx with a static answer of equal size, targets
that are alive, refuse or keep silent, and the load generator."""
import hashlib
import json
import os
import selectors
import socket
import subprocess
import tempfile
import threading

from installation import RUNNING, cpu_ns, free_ports, start, started_line, stop

HOST = "notary.bench-converge.net"
NAMES = "h%.bench-converge.net"

LIMITS = """
probes_per_minute = 1000000
queries_per_minute = 1000000000
target_probes_per_minute = 1000000
connections_per_network = 1000000
max_connections = 12000
probe_interval = 1h
"""

NGINX = """
daemon off;
master_process on;
user {user};
worker_processes {workers};
pid {directory}/pid;
error_log stderr crit;
worker_rlimit_nofile 20000;
events {{ worker_connections 18000; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    server {{
        listen 127.0.0.1:{port} ssl reuseport backlog=4096;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ecdh_curve X25519;
        ssl_session_cache off;
        ssl_session_tickets on;
        default_type application/vnd.converge.v2;
        location / {{ return 200 "{body}"; }}
    }}
}}
"""


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def pss_kib(pids):
    """Memory that would go if the processes went, in KiB."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total


class Server:
    """A process, or a family of them, whose cost is measured."""

    def __init__(self, process, port):
        self.process = process
        self.port = port

    def pids(self):
        return [self.process.pid] + children(self.process.pid)

    def cpu_ns(self):
        return sum(cpu_ns(pid) for pid in self.pids())

    def pss_kib(self):
        return pss_kib(self.pids())

    def close(self):
        stop(self.process)


class Notary(Server):
    """converge-notaryd on ports of its own. hosts: pairs of address and name."""

    serial = 0

    def __init__(self, place, settings="", hosts=(), workers=1, cpus=None, fill=None):
        Notary.serial += 1
        self.place = place
        self.directory = os.path.join(place.directory, f"measured-{Notary.serial}")
        daemon = os.path.join(place.build, "converge-notaryd")
        ssl, bounce, relay = free_ports(3)
        subprocess.run([daemon, "--init", self.directory, "--name", "measured", "--host", HOST,
                        "--ssl-port", str(ssl), "--bounce-port", str(bounce),
                        "--relay-port", str(relay), "--address", "127.0.0.1"],
                       check=True, stdout=subprocess.DEVNULL)
        self.conf = os.path.join(self.directory, "notary.conf")
        self.write_conf(f"listen = 127.0.0.1\nallow_targets = 127.0.0.0/8\n"
                        f"hosts = {self.directory}/hosts\nworkers = {workers}\n"
                        f"{LIMITS}{settings}")
        with open(os.path.join(self.directory, "hosts"), "w", encoding="ascii") as file:
            file.writelines(f"{address} {name}\n" for address, name in hosts)
        if fill:
            fill(self)
        self.log = open(os.path.join(self.directory, "notary.log"), "w", encoding="utf-8")
        read, write = os.pipe()
        pin = [] if cpus is None else ["taskset", "-c", cpus]
        process = start([*pin, daemon, "--config", self.conf, "--ready-fd", str(write)],
                        pass_fds=[write], stderr=self.log)
        os.close(write)
        with os.fdopen(read) as ready:
            if ready.readline() != "ready\n":
                raise SystemExit(f"bench: the notary in {self.directory} did not start")
        super().__init__(process, ssl)
        self.empty_kib = self.pss_kib()

    def fill(self, count, site):
        """Before it starts: a database with so many targets, all of them seen just now."""
        subprocess.run([self.place.program("notary-fill"), os.path.join(self.directory, "filled"),
                        site.der, NAMES, str(count), str(site.port)], check=True)
        user = "user = root\n" if os.geteuid() == 0 else ""  # whose directory it is
        self.write_conf(f"database = {self.directory}/filled\n{user}")

    def pin(self, count):
        """Lets it run on as many CPUs as it has workers, its load on any."""
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            os.sched_setaffinity(int(task), sorted(os.sched_getaffinity(0))[:count])

    def write_conf(self, ours):
        """Our lines over those that --init wrote."""
        keys = {line.split("=")[0].strip() for line in ours.splitlines() if "=" in line}
        with open(self.conf, encoding="ascii") as file:
            kept = [line for line in file
                    if line.split("=")[0].strip().lstrip("#").strip() not in keys]
        with open(self.conf, "w", encoding="ascii") as file:
            file.writelines(kept)
            file.write(ours)

    def close(self):
        super().close()
        self.log.close()


class Nginx(Server):
    """nginx with our notary's certificate and a static answer of as many octets."""

    def __init__(self, place, notary, size, workers=1, cpus=None):
        directory = tempfile.mkdtemp(prefix="nginx-", dir=place.directory)
        (port,) = free_ports(1)
        conf = os.path.join(directory, "nginx.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(NGINX.format(
                directory=directory, port=port, workers=workers, body="x" * size,
                user="root" if os.geteuid() == 0 else os.environ.get("USER", "nobody"),
                certificate=os.path.join(notary.directory, "tls.crt"),
                key=os.path.join(notary.directory, "tls.key")))
        pin = [] if cpus is None else ["taskset", "-c", cpus]
        process = start([*pin, "nginx", "-c", conf, "-p", directory], stderr=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if process.poll() is not None:
                    raise SystemExit("bench: nginx did not start") from None
        super().__init__(process, port)


class Site:
    """A TLS server to be probed; its leaf is known."""

    def __init__(self, place, name="target"):
        base = os.path.join(place.directory, name)
        place.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-days", "30", "-subj", "/CN=" + name,
                      "-addext", "subjectAltName=DNS:*.bench-converge.net",
                      "-keyout", base + ".key", "-out", base + ".pem")
        der = subprocess.run(["openssl", "x509", "-in", base + ".pem", "-outform", "DER"],
                             check=True, stdout=subprocess.PIPE).stdout
        self.pem, self.der = base + ".pem", base + ".der"
        with open(self.der, "wb") as file:
            file.write(der)
        self.sha256 = hashlib.sha256(der).hexdigest()
        self.sha1 = hashlib.sha1(der).hexdigest()
        self.process = start([place.program("tls-server"), base + ".pem", base + ".key"],
                             stdout=subprocess.PIPE, text=True)
        self.port = started_line(self.process, "listening")

    def close(self):
        stop(self.process)


class Silent:
    """Accepts every connection and never says a word."""

    def __init__(self, address, port):
        self.listener = socket.create_server((address, port), backlog=4096)
        self.held = []
        self.end, wake = socket.socketpair()
        self.thread = threading.Thread(target=self.serve, args=(wake,), daemon=True)
        self.thread.start()

    def serve(self, wake):
        selector = selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ)
        selector.register(wake, selectors.EVENT_READ)
        while all(key.fileobj is not wake for key, _ in selector.select()):
            connection, _ = self.listener.accept()
            self.held.append(connection)
        for connection in self.held:
            connection.close()
        self.listener.close()

    def close(self):
        self.end.close()
        self.thread.join()


class Load:
    """One run of the load generator, beside others if need be. hold: every connection is open when
    this returns, and go() begins; they stay open until end()."""

    def __init__(self, place, server, *options, on=None, hold=False):
        pin = [] if on is None else ["taskset", "-c", on]
        options = [*options, "--hold"] if hold else options
        self.process = start([*pin, place.program("notary-load"), "--port", str(server.port),
                              *(str(option) for option in options)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if hold and self.process.stdout.readline() != "holding\n":
            raise SystemExit("bench: the load generator cannot open its connections")

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self

    def result(self):
        line = self.process.stdout.readline()
        if not line.startswith("{"):
            raise SystemExit("bench: the load generator failed")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        RUNNING.remove(self.process)


def bare_handshakes(place, site, count, cpus_):
    """CPU microseconds a handshake of an ordinary OpenSSL client with the site."""
    pin = [] if cpus_ is None else ["taskset", "-c", cpus_]
    out = subprocess.run([*pin, place.program("tls-client"), site.pem, "h0.bench-converge.net",
                          str(site.port), str(count)], check=True, stdout=subprocess.PIPE).stdout
    return sum(int(line.split()[1]) for line in out.splitlines()) / count / 1e3


def cpus():
    """Where servers run, and where load comes from: one CPU each where there are two."""
    have = sorted(os.sched_getaffinity(0))
    return (str(have[0]), ",".join(map(str, have[1:]))) if len(have) > 1 else (None, None)
