# SPDX-License-Identifier: MIT
"""Runs one program of the table once, with Converge or without, and says what came of it."""
import itertools
import os
import subprocess
import time

from . import isolation
from .lab import HERE, PYTHON
from .nss import Database

_counter = itertools.count(1)
TIMEOUT_S = 40


class Outcome:
    def __init__(self, text, errors, status, seconds):
        self.text = text
        self.errors = errors
        self.status = status
        self.seconds = seconds

    @property
    def genuine(self):
        """Whether the site's own answer arrived."""
        return "genuine" in self.text

    @property
    def fooled(self):
        """Whether the attacker's answer arrived."""
        return "attacker" in self.text

    def __str__(self):
        return "status %s after %.1f s\nprinted: %s\nerrors: %s" % (
            self.status, self.seconds, self.text[:300].strip(), self.errors[:600].strip())


def _scratch():
    path = os.path.join(isolation.SCRATCH, "scratch", str(next(_counter)))
    os.mkdir(path, 0o755)
    return path


def _prepare(lab, program, host, port, installation):
    """Its values, its command, its standard input; and its files. An NSS program gets a database of
    its own, and Converge's module in it."""
    values = {"host": host, "port": port, "url": "https://%s:%d/" % (host, port),
              "scratch": _scratch(), "local": 20000 + next(_counter)}
    if program.nss:
        database = Database(lab, os.path.join(values["scratch"], "nss"))
        values["nss"] = database.directory
        if installation:
            database.enable(installation)
    for name, text in program.files.items():
        with open(os.path.join(values["scratch"], name), "w", encoding="ascii") as file:
            file.write(program.fill(text, values))
    command = [program.fill(word, values) for word in program.command]
    stdin = program.fill(program.stdin, values) if program.stdin else ""
    return values, command, stdin.encode()


def _run(client, command, environment, stdin):
    """To the end. Standard input stays open: to socat and others its end is the session's."""
    reading, writing = os.pipe()
    try:
        os.write(writing, stdin)
        return client.run(command, timeout=TIMEOUT_S, env=environment, stdin=reading)
    finally:
        os.close(reading)
        os.close(writing)


def _relay(client, command, environment, values):
    """The program goes on until it is stopped; a plain request goes through it."""
    errors = os.path.join(values["scratch"], "errors")
    with open(errors, "wb") as file:
        child = client.start(command, env=environment, stdout=file, stderr=file)
    try:
        result = client.run(PYTHON + [HERE + "/plain_get.py", str(values["local"]),
                                      values["host"]], timeout=TIMEOUT_S)
    finally:
        child.terminate()
        child.wait(10)
    with open(errors, encoding="utf-8", errors="replace") as file:
        return result.stdout, (file.read() + result.stderr.decode()).encode(), result.returncode


def _command(lab, program, host, port, installation):
    """Everything about this one run: its values, its standard input, its command, and what it finds
    in its environment."""
    values, command, stdin = _prepare(lab, program, host, port, installation)
    environment = lab.environment(**{name: program.fill(value, values)
                                     for name, value in program.environment.items()})
    if installation:
        environment.update(installation.environment())
        if program.nss:
            installation.start_agent()
        else:
            command = installation.command("run", "--", *command)
    return values, stdin, command, environment


def start(lab, program, host, port, installation=None):
    """As drive(), but leaves it running; its standard streams are pipes."""
    _, _, command, environment = _command(lab, program, host, port, installation)
    return lab.network.place("client").start(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)


def drive(lab, program, host, port, installation=None):
    """installation: the Converge to run it with (`converge run -- ...`, or the module in its NSS
    database), or None for without."""
    values, stdin, command, environment = _command(lab, program, host, port, installation)
    before = len(lab.served(host))
    client = lab.network.place("client")
    started = time.monotonic()
    try:
        if program.local:
            out, errors, status = _relay(client, command, environment, values)
        else:
            result = _run(client, command, environment, stdin)
            out, errors, status = result.stdout, result.stderr, result.returncode
    except subprocess.TimeoutExpired as error:
        out, errors, status = error.stdout or b"", error.stderr or b"", "timeout"
    if program.silent:
        out = "".join(lab.served(host)[before:]).encode()
    return Outcome(out.decode("utf-8", "replace"), errors.decode("utf-8", "replace"), status,
                   time.monotonic() - started)
