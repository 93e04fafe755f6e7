# SPDX-License-Identifier: MIT
"""doctor --pid: what it says of running processes, made for the purpose."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *


QUIC = ("\nimport socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.connect(('127.0.0.1', 443))")


class Process:
    """A program that says when it is ready, and stays until it is told to end."""

    def __init__(self, installation, code, prefix=(), program="/usr/bin/python3", **extra):
        self.child = subprocess.Popen(
            [*prefix, program, "-c", code + "\nprint('ready', flush=True)\nimport sys; sys.stdin.read()"],
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
        told = look(installation, process, REFUSED)
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


def mapped(installation, *names, text="x"):
    """Python that has mapped files of these names, which are none of our making."""
    code = "import mmap, os\nkept = []\n"
    for name in names:
        os.makedirs(os.path.dirname(installation.path(name)), exist_ok=True)
        installation.write(name, text)
        code += "kept.append(mmap.mmap(os.open(%r, os.O_RDONLY), 0, prot=mmap.PROT_READ))\n" % (
            installation.path(name))
    return code


def inside_the_program_file(installation):
    """A whole TLS library in the program itself: what is linked says nothing then."""
    for text, wanted in ((b"ssl/statem/statem_clnt.c", "OpenSSL"),
                         (b"third_party/boringssl/src", "BoringSSL"), (b"rustls::", "rustls")):
        program = installation.path("program")
        shutil.copy(os.path.realpath("/usr/bin/python3"), program)
        with open(program, "ab") as file:
            file.write(text)
        with Process(installation, "", program=program) as process:
            told = look(installation, process, REFUSED)
            contains(finding(told, "inside")["text"], wanted)
            contains(finding(told, "process")["text"], "NOT covered")
        # Chromium loads the modules of an NSS database, and verifies with BoringSSL all the same.
        code = mapped(installation, "a/libconverge-nss.so")
        with Process(installation, code, program=program) as process:
            told = look(installation, process, OK if wanted == "OpenSSL" else REFUSED)
            finding(told, "beside" if wanted == "OpenSSL" else "inside")
        os.unlink(program)


def inside_a_library_of_its_own(installation):
    code = mapped(installation, "site/_rust.so",
                  text="\0" * (256 * 1024) + "ssl/statem/statem_clnt.c")
    with Process(installation, code) as process:
        told = look(installation, process, REFUSED)
        contains(finding(told, "library-inside")["about"], "_rust.so")
        contains(finding(told, "library-inside")["do"], "OPENSSL_CONF")


def two_copies_of_openssl(installation):
    """Our module may have been loaded by either."""
    code = "import ssl\n" + mapped(installation, "a/converge.so", "b/libssl-3abc.so.3")
    with Process(installation, code) as process:
        told = look(installation, process, UNDECIDED)
        contains(finding(told, "process")["text"], "more than one OpenSSL")


def which_file_of_our_module(installation):
    code = mapped(installation, "a/libconverge-nss.so", "b/libconverge-nss.so")
    installed = installation.path("a", "libconverge-nss.so")
    with Process(installation, code) as process:
        told = look(installation, process, OK, CONVERGE_NSS_MODULE=installed)
        same(finding(told, "module-file")["about"], installed)
        same(finding(told, "module-elsewhere")["about"],
             installation.path("b", "libconverge-nss.so"))
        same(finding(told, "module-twice")["state"], "warning")
        contains(finding(told, "module-twice")["do"], "take one of them out")
        told = look(installation, process, OK, CONVERGE_NSS_MODULE="/nonexistent/module.so")
        same(len([f for f in told["findings"] if f["id"] == "module-elsewhere"]), 2)
        contains(finding(told, "module-elsewhere")["text"], "/nonexistent/module.so")


def namespace(*options):
    words = ["unshare", *options]
    if subprocess.run([*words, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("no such namespaces here")
    return words


def another_user_namespace(installation):
    """Nobody we know is there: neither the configuration nor the agent is believed."""
    code = mapped(installation, "a/libconverge-nss.so")
    installation.start_agent()
    with Process(installation, code, prefix=namespace("--user")) as process:
        told = look(installation, process, REFUSED)
        same({f["about"] for f in told["findings"] if f["id"] == "user-namespace"},
             {"the configuration", "the agent's socket"})
        same(finding(told, "user-namespace")["state"], "bad")
        contains(finding(told, "user-namespace")["do"], "map that user")
    with Process(installation, code,
                 prefix=namespace("--user", "--map-root-user")) as process:
        told = look(installation, process, OK)
        same([f for f in told["findings"] if f["id"] in ("user-namespace", "agent")], [])


def another_network(installation):
    prefix = namespace("--net", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]))
    with Process(installation, "", prefix=prefix) as process:
        told = look(installation, process, UNDECIDED)
        same(finding(told, "network-namespace")["state"], "note")
        contains(finding(told, "agent")["do"], "converge doctor")
    with Process(installation, "") as process:
        told = look(installation, process, UNDECIDED)
        same([f for f in told["findings"] if f["id"] == "network-namespace"], [])


def another_agent(installation):
    for name in ("run", "other"):
        os.makedirs(installation.path(name), exist_ok=True)
    for name in ("converge.conf", "own.conf"):
        installation.write(name, "mode = augment\n")
    code = mapped(installation, "a/libconverge-nss.so")
    hide = 'mount --bind "$1/other" "$1/run"; mount --bind "$1/own.conf" "$1/converge.conf"; ' \
           'shift; exec "$@"'
    with Process(installation, code, prefix=[*mount_namespace(), "sh", "-c", hide, "sh",
                                             installation.directory]) as process:
        told = look(installation, process, UNDECIDED)
        same(finding(told, "other-socket")["state"], "warning")
        contains(finding(told, "other-configuration")["about"], "converge.conf")
        contains(finding(told, "process")["text"], "not seen from here")


def a_process_that_is_gone(installation):
    child = subprocess.Popen(["true"])
    child.wait()
    same(installation.run("doctor", "--pid", str(child.pid)).returncode, FAULT)
    for word in ("x", "-1", "", "../1", "99999999999"):
        same(installation.run("doctor", "--pid", word).returncode, USAGE, word)
    same(installation.run("doctor", "--pid", "1", "--", "curl").returncode, USAGE)


main(without_tls, openssl_without_us, openssl_with_us, with_us_and_switched_off,
     changed_after_the_start, another_library, a_library_that_was_replaced, switched_off, quic,
     inside_the_program_file, inside_a_library_of_its_own, two_copies_of_openssl,
     which_file_of_our_module, another_user_namespace, another_network, another_agent,
     another_file_system, a_process_that_is_gone)
