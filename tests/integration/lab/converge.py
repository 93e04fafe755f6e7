# SPDX-License-Identifier: MIT
"""Converge in the lab: notaries that run, and installations of the client, each with its own
configuration, agent and log."""
import json
import os
import shutil
import signal
import time

from . import isolation, network

SETTLE_S = 10  # how long a daemon may take to be ready


class Notary:
    """converge-notaryd. impostor: the attacker's own, which says it were the notary of that number,
    at the same address, and would confirm the attacker's certificates."""

    def __init__(self, lab, number, impostor=False):
        self.lab = lab
        self.name = "notary%d" % number
        self.address = network.NOTARY_ADDRESSES[number - 1]
        self.place = lab.network.place("impostor" if impostor else self.name)
        self.directory = os.path.join(isolation.SCRATCH,
                                      ("impostor-" if impostor else "") + self.name)
        self.process = None
        self._init()

    def _init(self):
        self._run("--init", self.directory, "--name", self.name, "--host", self.address)
        with open(self.configuration(), "a", encoding="ascii") as config:
            config.write("listen = %s\nallow_targets = %s %s\nhosts = /etc/hosts\n"
                         % (self.address, network.SITES, network.NOTARIES))

    def _run(self, *arguments):
        result = self.place.run([self.lab.prefix + "/sbin/converge-notaryd", *arguments],
                                env=self.lab.environment())
        if result.returncode != 0:
            raise RuntimeError("converge-notaryd %s: %s" % (arguments[0],
                                                            result.stderr.decode()))

    def configuration(self):
        return os.path.join(self.directory, "notary.conf")

    def bundle(self, version):
        return os.path.join(self.directory, self.name + (".notary" if version == 2 else
                                                         ".v1.notary"))

    def start(self):
        with open(self.directory + ".log", "ab") as log:
            self.process = self.place.start(
                [self.lab.prefix + "/sbin/converge-notaryd", "--config", self.configuration()],
                env=self.lab.environment(), stdout=log, stderr=log)
        deadline = time.monotonic() + SETTLE_S
        while not self.place.run(["ss", "-Hltn", "src [%s]:443" % self.address]).stdout.strip():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("%s does not listen: %s" % (self.name, self.log()))
            time.sleep(0.02)

    def log(self):
        with open(self.directory + ".log", encoding="utf-8", errors="replace") as file:
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
    """A configuration directory with everything below it: shares nothing with other ones.
    version: of the protocol to speak with the notaries. settings: of converge.conf."""

    def __init__(self, lab, name, notaries, version=2, **settings):
        self.lab = lab
        self.started = False
        self.directory = self._directory(name)
        self.log_path = os.path.join(isolation.SCRATCH, "agent-%s.log" % name)
        os.makedirs(os.path.join(self.directory, "notaries.d"), exist_ok=True)
        for notary in notaries:
            shutil.copy(notary.bundle(version), os.path.join(self.directory, "notaries.d"))
        settings = {"log": self.log_path, "deadline": "8s", "public_anchors": "/etc/ssl/certs",
                    **settings}
        with open(os.path.join(self.directory, "converge.conf"), "w", encoding="ascii") as config:
            for key, value in settings.items():
                config.write("%s = %s\n" % (key, value))

    def _directory(self, name):
        return os.path.join(isolation.SCRATCH, "converge-" + name)

    def environment(self):
        return self.lab.environment(CONVERGE_CONFIG_DIR=self.directory)

    def command(self, *arguments):
        """The command line of our own tool; use environment() with it."""
        return [self.lab.prefix + "/bin/converge", *arguments]

    def tool(self, *arguments, timeout=30):
        return self.lab.network.place("client").run(self.command(*arguments), timeout=timeout,
                                                    env=self.environment())

    def start_agent(self):
        """For programs that are not started by `converge run`, which does it for others."""
        if not self.started:
            self.started = self.tool("run", "--", "true").returncode == 0

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
        answer = self.tool("status", "--json")
        return json.loads(answer.stdout).get("pid") if answer.returncode in (0, 3) else None


class SystemInstallation(Installation):
    """The system's own, where every program finds it without being told."""

    def _directory(self, name):
        return os.path.join(self.lab.prefix, "etc/converge")

    def environment(self):
        return self.lab.environment()
