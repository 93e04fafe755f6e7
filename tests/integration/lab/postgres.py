# SPDX-License-Identifier: MIT
"""A real PostgreSQL server among the sites, with a site's certificate."""
import glob
import json
import os
import shutil
import subprocess
import time

from . import isolation

PORT = 5432
HERE = os.path.dirname(os.path.abspath(__file__))


class Unavailable(Exception):
    pass


def _binary(name):
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/" + name))
    if not found:
        raise Unavailable("PostgreSQL is not installed")
    return found[-1]


def _server_user():
    """PostgreSQL refuses to run as root."""
    if isolation.identity()[0] != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]


class Postgres:
    _next_port = 15432

    def __init__(self, lab, certificate, label):
        self.lab = lab
        self.place = lab.network.place("sites")
        self.directory = os.path.join(isolation.SCRATCH, "postgres-" + label)
        self.port = Postgres._next_port
        Postgres._next_port += 1
        os.mkdir(self.directory)
        if isolation.identity()[0] == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        self._init(certificate)
        self._start()

    def _run(self, *command, **options):
        result = self.place.run(_server_user() + list(command), env=self.lab.environment(),
                                **options)
        if result.returncode != 0:
            raise RuntimeError("%s: %s" % (command[0], result.stderr.decode()))

    def _init(self, certificate):
        self.data = os.path.join(self.directory, "data")
        self._run(_binary("initdb"), "-D", self.data, "-U", "lab", "-A", "trust", "--no-sync",
                  "--no-locale")
        # The server insists that its key is its own and nobody else's.
        for source, name in ((certificate.key, "server.key"), (certificate.certificate,
                                                               "server.crt")):
            with open(source, "rb") as file:
                self._run("sh", "-c", "umask 077; cat >'%s/%s'" % (self.data, name),
                          input=file.read())
        self._run("sh", "-c", "cat >>'%s/postgresql.conf'; echo 'hostssl all all all trust' "
                  ">'%s/pg_hba.conf'" % (self.data, self.data), input=(
                      "ssl = on\nlisten_addresses = '127.0.0.1'\nport = %d\nfsync = off\n"
                      "unix_socket_directories = ''\nshared_buffers = 1MB\nmax_connections = 20\n"
                      % self.port).encode())

    def _start(self):
        log = os.path.join(self.directory, "log")
        self.place.start(_server_user() + [_binary("postgres"), "-D", self.data],
                         env=self.lab.environment(), stdout=open(log, "wb"),
                         stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 20
        while "database system is ready" not in self._log(log):
            if time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL does not start: " + self._log(log))
            time.sleep(0.02)

    @staticmethod
    def _log(path):
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def fronts(self, address, ports):
        """Offers the server at a site's address; TLS at once only where nobody can know that it is
        PostgreSQL."""
        return [{"address": address, "port": port, "server_port": self.port,
                 "direct": port != PORT} for port in ports]


def start_fronts(lab, fronts):
    path = os.path.join(isolation.SCRATCH, "postgres-fronts.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(fronts, file)
    lab.start_ready("sites", ["/usr/bin/python3", "-B", HERE + "/postgres_front.py", path])
