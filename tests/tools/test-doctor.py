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


def quiet_environment(installation):
    """No database of this user's, and no variable that would be told."""
    return {"HOME": installation.directory, "XDG_DATA_HOME": None, "SSL_CERT_FILE": None,
            "SSL_CERT_DIR": None}


def machine(installation, code, *options, **extra):
    return installation.json("doctor", "--json", *options, code=code, **extra)


def finding(told, name, about=None):
    """The one finding of that id."""
    found = [f for f in told["findings"] if f["id"] == name and about in (None, f["about"])]
    same(len(found), 1, "%s\n%s" % (name, told))
    return found[0]


def state(told, name, about=None):
    return finding(told, name, about)["state"]


def all_is_well(installation):
    installation.start_agent()
    installation.reply("status", STATUS)
    path = installation.path("openssl.cnf")
    installation.write("openssl.cnf", EMPTY_CNF)
    same(installation.run("enable", "openssl", "--file", path).returncode, OK)
    told = machine(installation, OK, OPENSSL_CONF=path, **quiet_environment(installation))
    for name in ("agent", "answering", "module", "openssl.cnf", "configuration"):
        same(state(told, name), "good", str(told))
    same(told["counts"]["bad"] + told["counts"]["warning"], 0, str(told))
    text = installation.run("doctor", OPENSSL_CONF=path, **quiet_environment(installation))
    same(text.returncode, OK)
    contains(" ".join(text.stdout.split()), "4711", "2 of 2 answer", "refused and accepted as told",
             "enabled in " + path)


def not_enabled(installation):
    installation.start_agent()
    installation.reply("status", STATUS)
    installation.write("openssl.cnf", EMPTY_CNF)
    told = machine(installation, REFUSED, OPENSSL_CONF=installation.path("openssl.cnf"))
    same((state(told, "module"), state(told, "openssl.cnf")), ("good", "warning"))
    contains(finding(told, "openssl.cnf")["text"], "not enabled")
    contains(finding(told, "openssl.cnf")["do"], "converge enable openssl")


def no_agent(installation):
    told = machine(installation, UNDECIDED)
    same((state(told, "agent"), state(told, "answering"), state(told, "module")),
         ("bad", "bad", "good"))
    contains(finding(told, "agent")["do"], "converge check")
    same(installation.read("starts"), "")


def too_few_notaries(installation):
    installation.start_agent()
    installation.reply("status", STATUS)
    installation.reply("notary-test", {"ok": True, "notaries": [
        {"name": "alpha", "answered": True},
        {"name": "beta", "answered": False, "error": "pin"}]})
    told = machine(installation, UNDECIDED)
    contains(finding(told, "answering")["text"], "1 of 2")
    same((state(told, "notary", "alpha"), state(told, "notary", "beta")), ("good", "warning"))
    contains(finding(told, "notary", "beta")["do"], "new bundle", "converge notary remove")


def a_module_that_does_not_work(installation):
    installation.write("broken.so", "")
    told = machine(installation, FAULT, CONVERGE_MODULE=installation.path("broken.so"))
    same(state(told, "module"), "bad")
    contains(finding(told, "module")["text"], "did not load")
    contains(finding(told, "module")["do"], "make install")
    told = machine(installation, FAULT, CONVERGE_MODULE="/nonexistent/converge.so")
    contains(finding(told, "module")["text"], "/nonexistent/converge.so")


def an_enabled_file_whose_module_is_gone(installation):
    path = installation.path("openssl.cnf")
    installation.write("openssl.cnf", EMPTY_CNF)
    copy = installation.path("copy.so")
    shutil.copy(MODULE, copy)
    same(installation.run("enable", "openssl", "--file", path, CONVERGE_MODULE=copy).returncode, OK)
    os.unlink(copy)
    told = machine(installation, FAULT, OPENSSL_CONF=path)
    same(state(told, "openssl.cnf"), "bad")
    contains(finding(told, "openssl.cnf")["text"], "enabled in " + path, "did not load")
    contains(finding(told, "openssl.cnf")["do"], "disable openssl", "enable openssl")


HOLES = """mode = monitor
on_unreachable = allow
exempt_names = *.com printer.example.com
exclude_programs = fetchmail
quorum = 1
min_votes = 1
cache_ttl = 0
bundle_update = no
public_anchors = /nonexistent/roots
"""


def holes_in_the_configuration(installation):
    installation.write("converge.conf", HOLES)
    told = machine(installation, UNDECIDED, CONVERGE="off", NODE_TLS_REJECT_UNAUTHORIZED="0",
                   SSL_CERT_FILE="/own.pem")
    for name, wanted, remedy in (
            ("mode-monitor", "note", "converge mode augment"),
            ("on-unreachable", "warning", "on_unreachable = deny"),
            ("exempt-wide", "warning", "your own domain"),
            ("exempt-names", "note", ""), ("exclude-programs", "note", ""),
            ("cache-ttl", "note", "cache_ttl = 90d"),
            ("bundle-update", "note", "bundle_update = yes"),
            ("public-anchors", "warning", "public_anchors")):
        same(state(told, name), wanted, name)
        contains(finding(told, name)["do"], remedy)
    for variable, wanted in (("CONVERGE", "warning"), ("NODE_TLS_REJECT_UNAUTHORIZED", "warning"),
                             ("SSL_CERT_FILE", "note"), ("CONVERGE_CONFIG_DIR", "note")):
        same(state(told, "environment", variable), wanted, variable)
        same(finding(told, "environment", variable)["do"], "unset " + variable)
    installation.write("converge.conf", "allow_off = no\n")
    told = machine(installation, UNDECIDED, CONVERGE="off")
    same(state(told, "environment", "CONVERGE"), "note")


def a_configuration_that_cannot_be_believed(installation):
    installation.write("converge.conf", "quorum = 3\nqourum = 3\n")
    told = machine(installation, FAULT)
    same(state(told, "configuration"), "bad")
    contains(finding(told, "configuration")["text"], "converge.conf:2", "qourum")
    contains(finding(told, "configuration")["do"], "mend")


def one_section(installation):
    told = machine(installation, UNDECIDED)
    assert len({f["group"] for f in told["findings"]}) > 3
    told = machine(installation, OK, "--section", "modules")
    same({f["group"] for f in told["findings"]}, {"modules"})
    same(installation.run("doctor", "--section", "nonsense").returncode, USAGE)
    text = installation.run("doctor", "--quiet", "--section", "modules")
    same(text.stdout, "1 good.\n")


def an_agent_of_another_version(installation):
    installation.start_agent()
    installation.reply("status", {**STATUS, "version": "0.0.9", "cache": {
        "records": 0, "octets": 0, "writing": False}})
    told = machine(installation, REFUSED, "--section", "agent")
    same((state(told, "agent-version"), state(told, "cache")), ("warning", "warning"))
    contains(finding(told, "agent-version")["text"], "0.0.9")
    contains(finding(told, "cache")["do"], "agent")
    os.makedirs(installation.path("cache"), exist_ok=True)
    installation.write("cache/cache.gdbm.damaged", "")
    told = machine(installation, REFUSED, "--section", "agent")
    contains(finding(told, "cache-damaged")["do"], "rm " + installation.path("cache"))


def plug_ins_of_other_releases(installation):
    installation.start_agent()
    installation.reply("status", {**STATUS, "releases": {
        "heard": [{"release": "0.0.9", "questions": 5}, {"release": "", "questions": 1}],
        "others": 0, "foreign": True}})
    told = machine(installation, REFUSED, "--section", "agent")
    same((state(told, "plug-in-version", "0.0.9"), state(told, "plug-in-foreign")),
         ("note", "warning"))
    contains(finding(told, "plug-in-version")["do"], "restart")


def a_captive_portal(installation):
    installation.start_agent()
    installation.reply("status", {**STATUS, "portal": {"found": True,
                                                       "url": "http://login.example/"}})
    told = machine(installation, REFUSED, "--section", "agent")
    same(told["findings"][0]["id"], "captive-portal")
    contains(told["findings"][0]["do"], "log in", "http://login.example/")
    installation.reply("status", {**STATUS, "portal": {"found": False, "url": ""}})
    machine(installation, OK, "--section", "agent")


def clocks(installation):
    installation.start_agent()
    installation.reply("status", STATUS)
    three = [{"name": name, "answered": True, "clock_offset_s": 0} for name in "abc"]
    three[1]["clock_offset_s"] = -3600
    installation.reply("notary-test", {"ok": True, "notaries": three})
    told = machine(installation, OK, "--section", "notaries")
    same(state(told, "notary-clock", "b"), "note")
    three[2]["clock_offset_s"] = -3601
    installation.reply("notary-test", {"ok": True, "notaries": three})
    told = machine(installation, REFUSED, "--section", "notaries")
    same(state(told, "clock"), "warning")
    contains(finding(told, "clock")["do"], "timedatectl")


def eighty_columns_and_no_colour(installation):
    text = installation.run("doctor")
    assert "\033" not in text.stdout
    longest = max(text.stdout.splitlines(), key=len)
    assert len(longest) <= 80 or " " not in longest.strip(), longest


def programs_that_cannot_be_watched_are_named(installation):
    told = machine(installation, UNDECIDED)
    named = {entry["about"]: entry["text"] for entry in told["findings"]
             if entry["id"] == "not-covered"}
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
     an_enabled_file_whose_module_is_gone, holes_in_the_configuration,
     a_configuration_that_cannot_be_believed, one_section, an_agent_of_another_version, plug_ins_of_other_releases,
     a_captive_portal,
     clocks,
     eighty_columns_and_no_colour, programs_that_cannot_be_watched_are_named,
     programs_that_use_openssl_3, programs_that_use_gnutls, cargo_is_not_covered,
     a_command_of_ones_own, scripts_and_programs_without_tls, an_excluded_program, no_such_program,
     nothing_is_left_behind)
