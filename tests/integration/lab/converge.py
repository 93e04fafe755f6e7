# SPDX-License-Identifier: MIT
"""Converge in the lab: notaries that run, and installations of the client, each with its own
configuration, agent and log."""
import glob
import json
import os
import shutil
import signal
import subprocess
import time

from . import isolation, network

SETTLE_S = 10  # how long a daemon may take to be ready


class Notary:
    """converge-notaryd at a place of its own."""

    def __init__(self, lab, number):
        self.name = "notary%d" % number
        self.place = lab.network.place(self.name)
        self.address = network.NOTARY_ADDRESSES[number - 1]
        self.directory = os.path.join(isolation.SCRATCH, self.name)
        self.lab = lab
        self.process = None
        self._init()

    def _init(self):
        result = self.place.run(
            [self.lab.prefix + "/sbin/converge-notaryd", "--init", self.directory, "--name",
             self.name, "--host", self.address], env=self.lab.environment())
        if result.returncode != 0:
            raise RuntimeError("converge-notaryd --init: " + result.stderr.decode())
        with open(os.path.join(self.directory, "notary.conf"), "a", encoding="ascii") as config:
            config.write("allow_targets = %s\nhosts = /etc/hosts\n" % network.SITES)
        self.bundle = glob.glob(os.path.join(self.directory, "*.notary"))[0]

    def start(self):
        log = open(os.path.join(isolation.SCRATCH, self.name + ".log"), "ab")
        self.process = self.place.start(
            [self.lab.prefix + "/sbin/converge-notaryd", "--config",
             os.path.join(self.directory, "notary.conf")],
            env=self.lab.environment(), stdout=log, stderr=log)
        log.close()
        self._wait_until_it_listens()

    def _wait_until_it_listens(self):
        deadline = time.monotonic() + SETTLE_S
        while "ssl_port":
            listening = self.place.run(["ss", "-Hltn", "sport = :443"]).stdout
            if listening.strip():
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("%s does not listen: %s" % (self.name, self.log()))
            time.sleep(0.02)

    def log(self):
        with open(os.path.join(isolation.SCRATCH, self.name + ".log"), encoding="utf-8",
                  errors="replace") as file:
            return file.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(SETTLE_S)


def parse_log_line(line):
    """The agent's key=value line as a dictionary; {} for other lines."""
    words = [word.split("=", 1) for word in line.split(" ") if "=" in word]
    fields = dict(words)
    return fields if "verdict" in fields and "host" in fields else {}


class Installation:
    """A configuration directory with everything below it: shares nothing with other ones."""

    def __init__(self, lab, name, notaries, **settings):
        self.lab = lab
        self.directory = os.path.join(isolation.SCRATCH, "converge-" + name)
        self.log_path = os.path.join(isolation.SCRATCH, "agent-%s.log" % name)
        os.makedirs(os.path.join(self.directory, "notaries.d"))
        for notary in notaries:
            shutil.copy(notary.bundle, os.path.join(self.directory, "notaries.d"))
        settings = {"log": self.log_path, "deadline": "8s", **settings}
        with open(os.path.join(self.directory, "converge.conf"), "w", encoding="ascii") as config:
            for key, value in settings.items():
                config.write("%s = %s\n" % (key, value))

    def environment(self):
        return self.lab.environment(CONVERGE_CONFIG_DIR=self.directory)

    def command(self, *arguments):
        """The command line of our own tool; use environment() with it."""
        return [self.lab.prefix + "/bin/converge", *arguments]

    def tool(self, *arguments, timeout=30):
        return self.lab.network.place("client").run(self.command(*arguments), timeout=timeout,
                                                    env=self.environment())

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def verdicts(self, host=None, program=None):
        """The agent's verdicts so far, oldest first, as dictionaries."""
        lines = [parse_log_line(line) for line in self.log().splitlines()]
        return [fields for fields in lines if fields
                and (host is None or fields["host"] == host)
                and (program is None or fields["program"] == program)]

    def agent_pid(self):
        """The pid of this installation's agent, or None."""
        wanted = b"CONVERGE_CONFIG_DIR=%s" % self.directory.encode()
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as file:
                    environment = file.read().split(b"\0")
                name = os.path.basename(os.readlink(os.path.dirname(path) + "/exe"))
            except OSError:
                continue
            if wanted in environment and name.startswith("converge-agent"):
                return int(path.split("/")[2])
        return None
