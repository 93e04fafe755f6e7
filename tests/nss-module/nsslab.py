# SPDX-License-Identifier: MIT
"""What the NSS module's tests share: the provider's lab, with NSS databases that trust its CA and
have the module or not."""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "provider"))
import lab

MODULE = os.path.join(lab.BUILD, ".libs/libconverge-nss.so")
ENDURE = os.path.join(lab.BUILD, "tests/nss-module/endure")
SUPPRESSIONS = os.path.dirname(os.path.abspath(__file__))
NAME = "site.example"


def sanitized():
    """Whether the module needs a sanitizer's runtime, so that only our own programs can load it."""
    with open(MODULE, "rb") as file:
        data = file.read()
    return b"__asan_init" in data or b"__tsan_init" in data


class NssLab(lab.Lab):
    """A lab with the databases "with" and "without" the module."""

    def __init__(self):
        super().__init__()
        self.database("without")
        shutil.copytree(self.path("without"), self.path("with"))
        self.add_module("with")

    def tool(self, *command):
        subprocess.run(command, cwd=self.dir, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def database(self, name):
        os.mkdir(self.path(name))
        self.tool("certutil", "-N", "-d", f"sql:{self.path(name)}", "--empty-password")
        self.tool("certutil", "-A", "-d", f"sql:{self.path(name)}", "-n", "ca", "-t", "C,,",
                  "-i", self.path("ca.pem"))

    def add_module(self, name):
        """As modutil -add does, without its cost."""
        with open(self.path(f"{name}/pkcs11.txt"), "a", encoding="ascii") as file:
            file.write(f"library={os.path.abspath(MODULE)}\nname=converge\n\n")

    def remove_database(self, name):
        shutil.rmtree(self.path(name))

    def wait_for_questions(self, count, process):
        """Until the agent has heard so many, or the process has ended."""
        while len(self.questions()) < count and process.poll() is None:
            time.sleep(0.01)

    def kill_agent(self):
        lab.kill_hard(self.agent)
        self.agent = None

    def environment(self, **more):
        more.setdefault("TSAN_OPTIONS", f"suppressions={SUPPRESSIONS}/tsan.supp")
        more.setdefault("NSS_STRICT_NOFORK", "DISABLED")  # else softoken refuses forked children
        if sanitized():
            more.setdefault("NSS_DISABLE_UNLOAD", "1")  # they keep books about libraries
        return super().environment(**more)

    def without_leak_check(self):
        """For programs that leave /proc, or in which NSS itself loses what it cannot close."""
        return self.environment(ASAN_OPTIONS="detect_leaks=0")

    def with_cancelled_threads(self):
        """ASan believes the frames alive that a cancelled thread left, and stumbles over them when it
        takes the thread's signal stack down. What NSS had open is lost as well."""
        return self.environment(ASAN_OPTIONS="detect_leaks=0:use_sigaltstack=0")

    def without_error_stack(self):
        """For programs in which NSS ends, and loses a stack of errors that it began."""
        return self.environment(
            LSAN_OPTIONS=f"suppressions={SUPPRESSIONS}/lsan.supp:print_suppressions=0")

    def command(self, site, *args, database="with"):
        return [ENDURE, "--database", f"sql:{self.path(database)}", "--host", NAME,
                "--port", str(site.port), *(str(arg) for arg in args)]

    def endure(self, site, *args, database="with", **options):
        """Runs our host program; returns (status, stdout, stderr)."""
        return self.run(*self.command(site, *args, database=database), **options)
