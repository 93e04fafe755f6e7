# SPDX-License-Identifier: MIT
"""doctor --pid: what it says of running processes, made for the purpose."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *


QUIC = ("\nimport socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.connect(('127.0.0.1', 443))")


class Process:
    """A program that says when it is ready, and stays until it is told to end."""

    def __init__(self, installation, code, prefix=(), **extra):
        self.child = subprocess.Popen(
            [*prefix, "/usr/bin/python3", "-c", code + "\nprint('ready', flush=True)\nimport sys; sys.stdin.read()"],
            env=installation.environment(**extra), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        same(self.child.stdout.readline(), "ready\n")
        self.pid = str(self.child.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.stdout.close()
        self.child.wait()


def look(installation, process, code, **extra):
    return installation.json("doctor", "--json", "--pid", process.pid, code=code, **extra)


def finding(told, name):
    found = [f for f in told["findings"] if f["id"] == name]
    assert found, "no %s in %s" % (name, told)
    return found[0]


def without_tls(installation):
    with Process(installation, "") as process:
        told = look(installation, process, UNDECIDED)
        contains(finding(told, "process")["text"], "no TLS library")
        contains(finding(told, "process")["do"], "--pid")


def openssl_without_us(installation):
    with Process(installation, "import ssl") as process:
        told = look(installation, process, UNDECIDED)
        contains(finding(told, "library")["text"], "OpenSSL 3")
        contains(finding(told, "process")["text"], "not in it")
        contains(finding(told, "process")["do"], "converge enable openssl")


def openssl_with_us(installation):
    if sanitized():
        raise Skip("a sanitized module does not load in unmodified programs")
    path = installation.path("openssl.cnf")
    installation.write("openssl.cnf", "openssl_conf = a\n[a]\n")
    same(installation.run("enable", "openssl", "--file", path).returncode, OK)
    with Process(installation, "import ssl; ssl.create_default_context()",
                 OPENSSL_CONF=path) as process:
        told = look(installation, process, OK)
        contains(finding(told, "process")["text"], "covered")
        text = installation.run("doctor", "--pid", process.pid)
        contains(text.stdout, "good", process.pid)


def with_us_and_switched_off(installation):
    """The module is there, and asks nobody: that is not covered."""
    if sanitized():
        raise Skip("a sanitized module does not load in unmodified programs")
    path = installation.path("openssl.cnf")
    installation.write("openssl.cnf", "openssl_conf = a\n[a]\n")
    same(installation.run("enable", "openssl", "--file", path).returncode, OK)
    code = "import ssl; ssl.create_default_context()"
    with Process(installation, code, OPENSSL_CONF=path, CONVERGE="off") as process:
        contains(finding(look(installation, process, REFUSED), "process")["text"], "NOT covered")
    with Process(installation, code + QUIC, OPENSSL_CONF=path) as process:
        contains(finding(look(installation, process, REFUSED), "process")["text"], "HTTP/3")
    with Process(installation, code, OPENSSL_CONF=path) as process:
        look(installation, process, OK)
        name = os.path.basename(os.path.realpath("/usr/bin/python3"))
        installation.write("converge.conf", "exclude_programs = %s\n" % name)
        told = look(installation, process, REFUSED)
        contains(finding(told, "excluded")["do"], "exclude_programs")


def changed_after_the_start(installation):
    path = installation.path("openssl.cnf")
    installation.write("openssl.cnf", "openssl_conf = a\n[a]\n")
    with Process(installation, "import ssl", OPENSSL_CONF=path) as process:
        later = os.stat(path).st_mtime + 3600
        os.utime(path, (later, later))
        told = look(installation, process, UNDECIDED)
        same(finding(told, "started-before")["do"], "restart the program")


def another_library(installation):
    with Process(installation, "import ctypes; ctypes.CDLL('libgnutls.so.30')") as process:
        told = look(installation, process, REFUSED)
        contains(finding(told, "library")["text"], "GnuTLS")
        contains(finding(told, "process")["text"], "NOT covered")


def a_library_that_was_replaced(installation):
    code = ("import ctypes, shutil, os\n"
            "import _ssl\n"
            "lib = [l.split()[-1] for l in open('/proc/self/maps') if 'libssl.so.3' in l][0]\n"
            "copy = os.environ['CONVERGE_CONFIG_DIR'] + '/libssl.so.3'\n"
            "shutil.copy(lib, copy)\nctypes.CDLL(copy)\nos.unlink(copy)")
    with Process(installation, code) as process:
        told = look(installation, process, UNDECIDED)
        contains(finding(told, "replaced")["do"], "restart")
        own = [f for f in told["findings"] if "not the system's" in f["text"]]
        same(len(own), 1, str(told))


def switched_off(installation):
    with Process(installation, "import ssl", CONVERGE="off") as process:
        told = look(installation, process, UNDECIDED)
        same([(f["about"], f["state"]) for f in told["findings"]
              if f["id"] == "environment" and f["about"] == "CONVERGE"], [("CONVERGE", "warning")])


def quic(installation):
    with Process(installation, QUIC) as process:
        contains(finding(look(installation, process, UNDECIDED), "quic")["do"], "HTTP/3")


def another_file_system(installation):
    os.makedirs(installation.path("run"), exist_ok=True)
    os.makedirs(installation.path("empty"), exist_ok=True)
    hide = 'mount --bind "$1" "$2"; shift 2; exec "$@"'
    with Process(installation, "", prefix=[
            *mount_namespace(), "sh", "-c", hide, "sh", installation.path("empty"),
            installation.directory]) as process:
        told = look(installation, process, UNDECIDED)
        same(finding(told, "no-socket")["state"], "bad")
        contains(finding(told, "no-socket")["do"], "bind mount")


def a_process_that_is_gone(installation):
    child = subprocess.Popen(["true"])
    child.wait()
    same(installation.run("doctor", "--pid", str(child.pid)).returncode, FAULT)
    for word in ("x", "-1", "", "../1", "99999999999"):
        same(installation.run("doctor", "--pid", word).returncode, USAGE, word)
    same(installation.run("doctor", "--pid", "1", "--", "curl").returncode, USAGE)


main(without_tls, openssl_without_us, openssl_with_us, with_us_and_switched_off,
     changed_after_the_start, another_library, a_library_that_was_replaced, switched_off, quic,
     another_file_system, a_process_that_is_gone)
