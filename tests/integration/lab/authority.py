# SPDX-License-Identifier: MIT
"""Certificates: an authority that counts as public in the lab, and what it was made to sign.

It stands for any of the authorities that programs trust: it certifies the sites, and it has also
certified the attacker for a site's name, which is what Converge is there for."""
import os
import subprocess

from . import isolation


def _openssl(*arguments):
    result = subprocess.run(["openssl"] + list(arguments), stdin=subprocess.DEVNULL,
                            capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError("openssl %s: %s" % (arguments[0], result.stderr))


def _write(path, data):
    with open(path, "wb") as file:
        file.write(data)


class Certificate:
    def __init__(self, directory, name):
        self.certificate = os.path.join(directory, name + ".crt")
        self.key = os.path.join(directory, name + ".key")


class Authority:
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.root = Certificate(directory, "authority")
        self._make(self.root, "/O=Converge Lab/CN=Lab Public Authority",
                   ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"],
                   [])

    def issue(self, name, hosts):
        """A certificate that every program in the lab believes, for these hosts."""
        return self._leaf(name, hosts, ["-CA", self.root.certificate, "-CAkey", self.root.key])

    def self_signed(self, name, hosts):
        return self._leaf(name, hosts, [])

    def _leaf(self, name, hosts, signer):
        leaf = Certificate(self.directory, name)
        self._make(leaf, "/CN=" + hosts[0],
                   ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth,clientAuth",
                    "subjectAltName=" + ",".join("DNS:" + host for host in hosts)], signer)
        return leaf

    def _make(self, target, subject, extensions, signer):
        # The distribution's own openssl.cnf would add extensions of its own.
        config = os.path.join(self.directory, "req.cnf")
        with open(config, "w", encoding="ascii") as file:
            file.write("[req]\ndistinguished_name = dn\n[dn]\n")
        arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-days", "30", "-config", config, "-subj", subject,
                     "-keyout", target.key, "-out", target.certificate] + signer
        for extension in extensions:
            arguments += ["-addext", extension]
        _openssl(*arguments)
        os.chmod(target.key, 0o644)  # servers of several users in the lab read it

    def become_public(self):
        """Makes this the one authority of the lab: all programs find it where Debian keeps them."""
        anchors = os.path.join(self.directory, "anchors")
        os.makedirs(anchors)
        with open(self.root.certificate, "rb") as source:
            text = source.read()
        _write(os.path.join(anchors, "lab-authority.pem"), text)
        _openssl("rehash", anchors)
        _write(os.path.join(anchors, "ca-certificates.crt"), text)
        isolation.bind(anchors, "/etc/ssl/certs")
