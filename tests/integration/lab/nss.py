# SPDX-License-Identifier: MIT
"""NSS databases, as a person or an administrator makes them with NSS's own tools."""
import os


class Database:
    """A database in a directory, which may be there already: a profile of Firefox, say. It trusts
    the lab's authority as a public one."""

    def __init__(self, lab, directory):
        self.lab = lab
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self._run("certutil", "-N", "-d", self.name, "--empty-password")
        self.trust("Lab Public Authority", lab.authority.root.certificate)

    @property
    def name(self):
        """As NSS's tools and programs take it."""
        return "sql:" + self.directory

    def _run(self, *command, environment=None):
        result = self.lab.network.place("client").run(
            list(command), env=environment or self.lab.environment())
        if result.returncode != 0:
            raise RuntimeError("%s: %s%s" % (" ".join(command), result.stdout.decode(),
                                             result.stderr.decode()))

    def trust(self, nickname, certificate, flags="C,,"):
        """As an authority for servers, or with certutil's other flags."""
        self._run("certutil", "-A", "-d", self.name, "-n", nickname, "-t", flags, "-i", certificate)

    def add_key(self, nickname, certificate):
        """A server's or a person's certificate with its key."""
        bag = os.path.join(self.directory, "key.p12")
        self._run("openssl", "pkcs12", "-export", "-in", certificate.certificate, "-inkey",
                  certificate.key, "-name", nickname, "-passout", "pass:", "-out", bag)
        self._run("pk12util", "-d", self.name, "-i", bag, "-W", "")

    def enable(self, installation):
        """Protects the programs that use it. The notaries may be out of reach meanwhile."""
        self._run(*installation.command("enable", "nss", self.directory, "--anyway"),
                  environment=installation.environment())

    def add_module(self):
        """Puts Converge's module into it with NSS's own tool, and does nothing else."""
        self._run("modutil", "-force", "-dbdir", self.name, "-add", "Converge", "-libfile",
                  self.lab.prefix + "/lib/pkcs11/libconverge-nss.so")
