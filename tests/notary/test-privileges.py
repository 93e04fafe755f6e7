#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a serving notary is to the kernel: whoever started it, it has no capabilities, can gain none,
cannot be looked into, and has few system calls."""
import ctypes
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, Site, Tap, expect

NO_CAPABILITIES = "0000000000000000"


def kernel_says(notary, thread="self"):
    """The fields of /proc/PID/status, of the process or of one of its threads."""
    pid = notary.process.pid
    place = f"/proc/{pid}/status" if thread == "self" else f"/proc/{pid}/task/{thread}/status"
    with open(place, encoding="ascii", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def held(notary, thread):
    says = kernel_says(notary, thread)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        expect(says[kind], NO_CAPABILITIES, f"{thread} {kind}")
    expect(says["NoNewPrivs"], "1", thread)
    if not built_with_sanitizer(notary):
        expect(says["Seccomp"], "2", thread)
    return says


def built_with_sanitizer(notary):
    return "built with a sanitizer" in notary.log_text()


def held_altogether(notary):
    for thread in os.listdir(f"/proc/{notary.process.pid}/task"):
        held(notary, thread)
    expect(os.stat(f"/proc/{notary.process.pid}/mem").st_uid, 0, "not dumpable: root's")
    return kernel_says(notary)


def as_user(notary, user):
    with open(notary.config, encoding="ascii") as file:
        text = re.sub("^user = .*$", f"user = {user}", file.read(), flags=re.MULTILINE)
    with open(notary.config, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(notary.directory, 0o755)


def started_by_root(site, certificate):
    notary = Notary()
    as_user(notary, "nobody")
    with notary:
        expect(notary.v1("127.0.0.1", site.port, certificate.sha1)[0], 200)
        says = held_altogether(notary)
        expect("0" in says["Uid"].split(), False, says["Uid"])
        expect(says["Groups"].strip(), "", "supplementary groups")
        expect(says["CapBnd"], NO_CAPABILITIES, "bounding set")


def started_by_a_person(site, certificate):
    """With a capability that a service manager may have given."""
    notary = Notary(prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                            "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"])
    as_user(notary, "nobody")
    for place, _, names in os.walk(notary.directory):
        for name in [place, *(os.path.join(place, name) for name in names)]:
            os.chown(name, 65534, 65534)
    with notary:
        expect(notary.v1("127.0.0.1", site.port, certificate.sha1)[0], 200)
        held_altogether(notary)


def without_the_filter(site, certificate):
    with Notary(settings="seccomp = no\n") as notary:
        expect(notary.v1("127.0.0.1", site.port, certificate.sha1)[0], 200)
        expect(kernel_says(notary)["Seccomp"], "0")


def may_become_others():
    """Whether this is a root who can be somebody else."""
    return os.geteuid() == 0 and shutil.which("setpriv") is not None and \
        ctypes.CDLL(None).prctl(23, 6, 0, 0, 0) == 1  # PR_CAPBSET_READ, CAP_SETGID


def main():
    tap = Tap()
    directory = None
    cases = [("started by root, it is held by the kernel in every thread", started_by_root),
             ("started by a person, it is, too", started_by_a_person),
             ("seccomp = no goes without the filter", without_the_filter)]
    notary = Notary()
    directory = notary.directory
    certificate = Certificate(directory, "site")
    site = Site(certificate)
    for name, case in cases:
        if case is without_the_filter or may_become_others():
            tap.case(name, lambda case=case: case(site, certificate))
        else:
            tap.skip(name, "only root can become somebody else")
    site.stop()
    shutil.rmtree(directory)
    tap.done()


main()
