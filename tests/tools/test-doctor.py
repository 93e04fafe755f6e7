# SPDX-License-Identifier: MIT
"""doctor: what it says is what is there, of the machine and of programs."""
import os
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

STATUS = {"ok": True, "pid": 4711, "mode": "augment", "config_error": "", "notaries": []}
EMPTY_CNF = "openssl_conf = a\n[a]\n"


def machine(installation, code, **extra):
    return installation.json("doctor", "--json", code=code, **extra)


def all_is_well(installation):
    installation.start_agent()
    installation.reply("status", STATUS)
    path = installation.path("openssl.cnf")
    installation.write("openssl.cnf", EMPTY_CNF)
    same(installation.run("enable", "openssl", "--file", path).returncode, OK)
    told = machine(installation, OK, OPENSSL_CONF=path)
    for part in ("agent", "notaries", "module", "system"):
        same(told[part]["state"], "good", str(told))
    text = installation.run("doctor", OPENSSL_CONF=path)
    same(text.returncode, OK)
    contains(text.stdout, "4711", "2 of 2 answer", "refused and accepted as told",
             "enabled in " + path)


def not_enabled(installation):
    installation.start_agent()
    installation.reply("status", STATUS)
    installation.write("openssl.cnf", EMPTY_CNF)
    told = machine(installation, REFUSED, OPENSSL_CONF=installation.path("openssl.cnf"))
    same((told["module"]["state"], told["system"]["state"]), ("good", "warning"))
    contains(told["system"]["text"], "not enabled")


def no_agent(installation):
    told = machine(installation, UNDECIDED)
    same((told["agent"]["state"], told["notaries"]["state"], told["module"]["state"]),
         ("bad", "bad", "good"))
    same(installation.read("starts"), "")


def too_few_notaries(installation):
    installation.start_agent()
    installation.reply("status", STATUS)
    installation.reply("notary-test", {"ok": True, "notaries": [
        {"name": "alpha", "answered": True}, {"name": "beta", "answered": False}]})
    told = machine(installation, UNDECIDED)
    contains(told["notaries"]["text"], "1 of 2")


def a_module_that_does_not_work(installation):
    installation.write("broken.so", "")
    told = machine(installation, FAULT, CONVERGE_MODULE=installation.path("broken.so"))
    same(told["module"]["state"], "bad")
    contains(told["module"]["text"], "did not load")
    told = machine(installation, FAULT, CONVERGE_MODULE="/nonexistent/converge.so")
    contains(told["module"]["text"], "/nonexistent/converge.so")


def an_enabled_file_whose_module_is_gone(installation):
    path = installation.path("openssl.cnf")
    installation.write("openssl.cnf", EMPTY_CNF)
    copy = installation.path("copy.so")
    shutil.copy(MODULE, copy)
    same(installation.run("enable", "openssl", "--file", path, CONVERGE_MODULE=copy).returncode, OK)
    os.unlink(copy)
    told = machine(installation, FAULT, OPENSSL_CONF=path)
    same(told["system"]["state"], "bad")
    contains(told["system"]["text"], "enabled in " + path, "did not load")


def programs_that_cannot_be_watched_are_named(installation):
    told = machine(installation, UNDECIDED)
    named = {entry["program"]: entry["reason"] for entry in told["uncovered"]}
    for program in ("git", "wget"):
        if have(program):
            contains(named.get(program, ""), "GnuTLS")
    if have("cargo"):
        cargo_reason(named.get("cargo", ""))


def cargo_reason(reason):
    """Debian's cargo uses libcurl with GnuTLS, the official one has its TLS library inside."""
    if "built in" not in reason and "GnuTLS" not in reason:
        raise AssertionError("neither: %r" % reason)


def need_module():
    if sanitized():
        raise Skip("a sanitized module does not load in unmodified programs")


def program(installation, code, *command, **extra):
    told = installation.json("doctor", "--json", "--", *command, code=code, **extra)
    same(told["covered"], {OK: "yes", REFUSED: "no", UNDECIDED: "unknown"}[code], str(told))
    return told


def programs_that_use_openssl_3(installation):
    need_module()
    for name in ("curl", "/usr/bin/python3", "openssl", "node", "ruby", "php", "perl", "w3m"):
        if not have(name):
            continue
        if name == "perl" and subprocess.run(["perl", "-MIO::Socket::SSL", "-e", "1"], check=False,
                                             stderr=subprocess.DEVNULL).returncode != 0:
            continue
        told = program(installation, OK, name)
        same((told["probe"]["asked"], told["probe"]["right"]), (True, True), str(told))


def programs_that_use_gnutls(installation):
    if not have("git") and not have("wget"):
        raise Skip("neither git nor wget")
    for name in ("git", "wget"):
        if have(name):
            told = program(installation, REFUSED, name)
            contains(told["reason"], "GnuTLS")
            same(told["probe"]["asked"], False)


def cargo_is_not_covered(installation):
    if not have("cargo"):
        raise Skip("no cargo")
    cargo_reason(program(installation, REFUSED, "cargo")["reason"])


def a_command_of_ones_own(installation):
    need_module()
    marker = installation.path("went-on")
    program(installation, UNDECIDED, "sh", "-c", "touch " + marker)
    assert os.path.exists(marker), "the command was not run"
    # The connection to a server of its own is seen, and refused.
    script = installation.path("own.py")
    installation.write("own.py", OWN)
    told = program(installation, OK, "/usr/bin/python3", script, installation.directory)
    same(told["probe"]["host"], "own.converge.example")
    contains(installation.read("result"), "refused")


OWN = """
import socket, ssl, subprocess, sys, threading
d = sys.argv[1]
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", d + "/k", "-out", d + "/c",
                "-subj", "/CN=own.converge.example", "-addext",
                "subjectAltName=DNS:own.converge.example"], check=True, stderr=subprocess.DEVNULL)
server = socket.create_server(("127.0.0.1", 0))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(d + "/c", d + "/k")
def serve():
    try:
        context.wrap_socket(server.accept()[0], server_side=True)
    except OSError:
        pass
threading.Thread(target=serve, daemon=True).start()
client = ssl.create_default_context(cafile=d + "/c")
try:
    client.wrap_socket(socket.create_connection(server.getsockname()),
                       server_hostname="own.converge.example")
    result = "accepted"
except ssl.SSLError:
    result = "refused"
open(d + "/result", "w").write(result)
"""


def scripts_and_programs_without_tls(installation):
    script = installation.path("script")
    installation.write("script", "#!/usr/bin/env sh\nexit 0\n")
    os.chmod(script, stat.S_IRWXU)
    told = program(installation, UNDECIDED, script)
    contains(told["interpreter"], "/sh")
    program(installation, UNDECIDED, "ls")


def an_excluded_program(installation):
    installation.write("converge.conf", "exclude_programs = curl\n")
    told = program(installation, REFUSED, "curl")
    contains(told["reason"], "excluded")
    same(told["probe"]["ran"], False)


def no_such_program(installation):
    for name in ("no-such-program", "/nonexistent", installation.directory):
        same(installation.run("doctor", "--", name).returncode, FAULT, name)


def nothing_is_left_behind(installation):
    scratch = installation.path("scratch")
    os.mkdir(scratch)
    installation.run("doctor", TMPDIR=scratch)
    installation.run("doctor", "--", "curl", TMPDIR=scratch)
    same(os.listdir(scratch), [])


main(all_is_well, not_enabled, no_agent, too_few_notaries, a_module_that_does_not_work,
     an_enabled_file_whose_module_is_gone, programs_that_cannot_be_watched_are_named,
     programs_that_use_openssl_3, programs_that_use_gnutls, cargo_is_not_covered,
     a_command_of_ones_own, scripts_and_programs_without_tls, an_excluded_program, no_such_program,
     nothing_is_left_behind)
