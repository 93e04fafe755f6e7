# SPDX-License-Identifier: MIT
"""Converge switched on for a whole system, the lab's own: the machine's files below the directories
that are covered stay as they are."""
import os

from . import isolation, tap
from .converge import SystemInstallation

COVERED = ("/etc/ssl", "/run", "/var/cache", "/var/lib")
OPENSSL_CNF = "/etc/ssl/openssl.cnf"


def enter_as_root():
    """Into the namespaces; the test is skipped for whoever has no system to switch on."""
    isolation.enter_or_skip()
    if isolation.identity()[0] != 0:
        tap.skip_all("only root has a system to switch on")


def said(answer):
    return "exit status %d\n%s%s" % (answer.returncode, answer.stdout.decode(),
                                     answer.stderr.decode())


def failed(answer):
    """What it said if it failed, else ""."""
    return said(answer) if answer.returncode else ""


def add_notaries(lab, system):
    for notary in lab.notaries:
        problem = failed(system.tool("notary", "add", "--yes", notary.bundle(2)))
        if problem:
            return problem
    return ""


def openssl_cnf():
    """The octets of the file, and the names of all that lies beside it."""
    with open(OPENSSL_CNF, "rb") as file:
        return file.read(), sorted(os.listdir(os.path.dirname(OPENSSL_CNF)))


def install(lab, result, **settings):
    """The system's installation, and the lab's notaries in it."""
    system = SystemInstallation(lab, "system", [], **settings)
    result.check("notary add", add_notaries(lab, system))
    return system
