#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A notary changes its keys and certificate under an agent that asks all the time: the agent
follows both bundles, no question is left without its verdict, no connection is dropped."""
import hashlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import NOTARYD, Notary, Site, Tap, expect

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../common/engine"))
import agentlab  # pylint: disable=wrong-import-position

NAMES = [f"t{number}.example.org" for number in range(2000)]


def fingerprint(path):
    """Of a certificate, or of a private key's public half: what people compare."""
    command = ["openssl", "x509", "-outform", "DER"] if ".crt" in path else \
        ["openssl", "pkey", "-pubout", "-outform", "DER"]
    octets = subprocess.run([*command, "-in", path], check=True, capture_output=True).stdout
    return hashlib.sha256(octets).digest().hex(":").upper()


class Asker:
    """Asks the agent for one name after the other, each of them unknown to it, all the time."""

    def __init__(self, names, site, leaf):
        self.names, self.site, self.leaf = names, site, leaf
        self.installation = None
        self.problems, self.answered = [], 0
        self.ended = threading.Event()
        self.thread = None

    def ask(self):
        name = next(self.names)
        answer = self.installation.ask(name, self.site.port, self.leaf, timeout_ms=5000)
        self.answered += 1
        if (answer.verdict, answer.action) != (agentlab.AGREE, agentlab.ACCEPT):
            self.problems.append((name, answer.reason, answer.votes, answer.text,
                                  self.installation.lines(name)))

    def run(self):
        # Slower than the agent's budget of new questions.
        while not self.ended.wait(0.05) and not self.problems:
            self.ask()

    def start(self, installation):
        self.installation = installation
        self.ended.clear()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def more(self, count):
        """Waits for that many more answers."""
        wanted = self.answered + count
        assert agentlab.until(lambda: self.answered >= wanted or self.problems, 30)
        expect(self.problems, [])

    def stop(self):
        self.ended.set()
        self.thread.join()
        expect(self.problems, [])


class World:
    """A site, a notary that sees it under many names, and an agent with the notary's bundle."""

    def __init__(self, directory):
        self.leaf = agentlab.Leaf(directory, "site")
        self.leaf.crt = self.leaf.pem
        self.site = Site(self.leaf)
        self.notary = Notary(settings="probes_per_minute = 100000\nqueries_per_minute = 100000\n"
                             "target_probes_per_minute = 100000\n",
                             hosts="".join(f"127.0.0.1 {name}\n" for name in NAMES))
        with open(self.notary.bundle, encoding="ascii") as file:
            self.first = file.read()
        self.asker = Asker(iter(NAMES), self.site, self.leaf)

    def client(self):
        """Somebody who got the bundle of the first day."""
        installation = agentlab.Installation()
        agentlab.write(os.path.join(installation.config, "notaries.d", "alpha.notary"), self.first)
        return installation

    def change(self, *arguments):
        """Changes the files, then has the notary read them."""
        log = self.notary.log_text().count("reloaded")
        suffix = ".next" if arguments[0] == "--next-keys" else ""
        said = subprocess.run([NOTARYD, *arguments, self.notary.home], check=True,
                              capture_output=True, text=True).stdout
        for what, path in (("Signing key: ", f"signing.key{suffix}"),
                           ("Certificate: ", f"tls.crt{suffix}")):
            expect(what + fingerprint(os.path.join(self.notary.home, path)) in said, True, said)
        self.notary.process.send_signal(signal.SIGHUP)
        assert agentlab.until(lambda: self.notary.log_text().count("reloaded") > log), \
            self.notary.log_text()


def day_passes(installation):
    """The agent looks for updates once a day, and at its start if a day has passed."""
    installation.stop()
    stamp = os.path.join(installation.config, "state", "updates.stamp")
    if os.path.exists(stamp):
        os.remove(stamp)
    installation.start()


def follows(world, client):
    client.start()
    world.asker.start(client)
    world.asker.more(5)
    world.change("--next-keys")
    world.asker.more(5)
    world.asker.stop()
    day_passes(client)
    world.asker.start(client)
    assert agentlab.until(lambda: client.lines("bundle updated to serial 2"), 30)
    world.asker.more(5)
    with world.notary.tls() as kept:
        world.change("--rotate")
        # Old connections go on; new ones, of agents that know only the announcement, do too.
        kept.sendall(b"GET /bundle.notary HTTP/1.0\r\n\r\n")
        expect(b'"serial\\": 3,' in kept.recv(65536).replace(b'\\"serial', b'"serial'), True)
    world.asker.more(20)
    world.asker.stop()
    day_passes(client)
    world.asker.start(client)
    world.asker.more(5)
    assert agentlab.until(lambda: client.lines("bundle updated to serial 3"), 30)
    world.asker.more(20)
    world.asker.stop()


def remembers(world, client):
    """What the notary confirmed under its former key is still its word."""
    answer = client.ask(NAMES[0], world.site.port, world.leaf)
    expect((answer.action, answer.reason), (agentlab.ACCEPT, "cache"))


def slept(world):
    client = world.client()
    try:
        client.start()
        answer = client.ask(NAMES[0], world.site.port, world.leaf)
        expect((answer.verdict, answer.action), (agentlab.UNDECIDED, agentlab.REFUSE))
        expect([vote[1] for vote in answer.votes], ["silent"])
        expect("pin" in client.lines(NAMES[0])[0], True, client.lines())
    finally:
        client.remove()


def succeeded(world, client):
    """The agent's kept connection ends with its process; no question does."""
    world.asker.start(client)
    for _ in range(3):
        before = world.notary.process
        world.notary.start("--take-over")
        world.asker.more(5)
        expect(before.wait(timeout=30), 0, "the process before")
    world.asker.stop()


def interrupted(world):
    """A notary that reads half a rotation refuses it and goes on as it was."""
    home = world.notary.home
    subprocess.run([NOTARYD, "--next-keys", home], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(home, "tls.crt"), encoding="ascii") as file:
        before = ssl.PEM_cert_to_DER_cert(file.read())
    os.rename(os.path.join(home, "tls.crt"), os.path.join(home, "tls.crt.aside"))
    os.rename(os.path.join(home, "tls.crt.next"), os.path.join(home, "tls.crt"))
    world.notary.process.send_signal(signal.SIGHUP)
    world.notary.wait_for_log("not reloaded")
    os.rename(os.path.join(home, "tls.crt"), os.path.join(home, "tls.crt.next"))
    os.rename(os.path.join(home, "tls.crt.aside"), os.path.join(home, "tls.crt"))
    with world.notary.tls() as tls:
        expect(tls.getpeercert(True), before)


def main():
    tap = Tap()
    directory = tempfile.mkdtemp(prefix="converge-rotate-")
    world = World(directory)
    client = world.client()
    try:
        with world.notary:
            tap.case("an agent follows announcement and rotation, and no question goes wrong",
                     lambda: follows(world, client))
            tap.case("its cache knows the notary by its new key", lambda: remembers(world, client))
            tap.case("who slept through the announcement is refused, and told why",
                     lambda: slept(world))
            tap.case("another process takes over under the agent's questions",
                     lambda: succeeded(world, client))
            tap.case("half a rotation is not taken", lambda: interrupted(world))
    finally:
        client.remove()
        world.site.stop()
        shutil.rmtree(directory)
    tap.done()


main()
