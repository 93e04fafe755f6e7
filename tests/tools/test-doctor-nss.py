# SPDX-License-Identifier: MIT
"""doctor on programs over NSS: which database they read, and whether the module is at work there."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

NSS_MODULE = os.path.join(BUILD, ".libs", "libconverge-nss.so")
MODULE_LIST = "pkcs11.txt"


def need(*programs):
    for program in programs:
        if not have(program):
            raise Skip("no " + program)


def unsanitized():
    if sanitized():
        raise Skip("a sanitized module does not load in unmodified programs")


def database(installation, name="nssdb"):
    need("certutil", "modutil")
    path = installation.path(name)
    os.makedirs(path)
    subprocess.run(["certutil", "-N", "-d", "sql:" + path, "--empty-password"], check=True)
    return path


def list_module(path, library=NSS_MODULE, name="Converge"):
    with open(os.path.join(path, MODULE_LIST), "a", encoding="utf-8") as file:
        file.write("library=%s\nname=%s\n\n" % (library, name))


def program(installation, code, *command, **extra):
    told = installation.json("doctor", "--json", "--", *command, code=code,
                             CONVERGE_NSS_MODULE=NSS_MODULE, **extra)
    same(told["covered"], {OK: "yes", REFUSED: "no", UNDECIDED: "unknown"}[code], str(told))
    return told


def machine(installation, **extra):
    """What doctor says of the machine's databases, by path, and its exit code."""
    home = installation.path("home")
    os.makedirs(home, exist_ok=True)
    result = installation.run("doctor", "--json", HOME=home, CONVERGE_NSS_MODULE=NSS_MODULE,
                              **extra)
    return {entry["path"]: entry for entry in json.loads(result.stdout)["nss"]}, result.returncode


def one_s_own_database_on_the_machine(installation):
    path = database(installation, "home/.pki/nssdb")
    found, code = machine(installation)
    same((found[path]["state"], code), ("warning", UNDECIDED), str(found))
    contains(found[path]["text"], "converge enable nss " + path)
    list_module(path)
    found, code = machine(installation)
    same((found[path]["state"], code), ("good", UNDECIDED), str(found))
    contains(found[path]["text"], "refused and accepted as told")


def a_module_that_is_gone(installation):
    path = database(installation, "home/.pki/nssdb")
    list_module(path, "/nonexistent/libconverge-nss.so")
    found, code = machine(installation)
    same((found[path]["state"], code), ("bad", FAULT), str(found))
    contains(found[path]["text"], "/nonexistent/libconverge-nss.so is gone")


def a_module_that_does_not_load(installation):
    path = database(installation, "home/.pki/nssdb")
    broken = installation.path("libconverge-nss.so")
    installation.write("libconverge-nss.so", "no ELF")
    list_module(path, broken)
    found, code = machine(installation)
    same((found[path]["state"], code), ("bad", FAULT), str(found))
    contains(found[path]["text"], "did not load")


def two_copies(installation):
    path = database(installation, "home/.pki/nssdb")
    copy = installation.path("libconverge-nss.so")
    shutil.copy(NSS_MODULE, copy)
    list_module(path)
    list_module(path, copy, "Another")
    found, code = machine(installation)
    same((found[path]["state"], code), ("bad", FAULT), str(found))
    contains(found[path]["text"], "two copies", copy, NSS_MODULE)


def one_copy_twice(installation):
    path = database(installation, "home/.pki/nssdb")
    list_module(path)
    list_module(path, name="Again")
    found, code = machine(installation)
    same((found[path]["state"], code), ("warning", UNDECIDED), str(found))
    contains(found[path]["text"], "2 times")


def p11_kit_too(installation):
    directory = installation.path("home/.config/pkcs11/modules")
    os.makedirs(directory)
    for name, line in (("converge.module", "module: " + NSS_MODULE),
                       ("other.module", "module: other.so\n# libconverge-nss.so")):
        with open(os.path.join(directory, name), "w", encoding="ascii") as file:
            file.write("priority: 1\n" + line + "\n")
    found, _ = machine(installation)
    same(list(found), [os.path.join(directory, "converge.module")])
    contains(found[os.path.join(directory, "converge.module")]["text"], "p11-kit")


def a_program_and_its_database(installation):
    need("vfyserv")
    path = database(installation)
    told = program(installation, REFUSED, "vfyserv", SSL_DIR=path)
    same((told["library"], told["databases"][0]["state"]), ("NSS", "warning"))
    list_module(path)
    told = program(installation, OK, "vfyserv", SSL_DIR=path)
    same(told["databases"][0]["path"], path)
    contains(told["reason"], "refused and accepted as told")
    text = installation.run("doctor", "--", "vfyserv", SSL_DIR=path,
                            CONVERGE_NSS_MODULE=NSS_MODULE)
    contains(text.stdout, "NSS", path)


def a_program_whose_database_is_not_known(installation):
    need("vfyserv")
    told = program(installation, UNDECIDED, "vfyserv", HOME=installation.directory)
    contains(told["reason"], "not known")


def a_command_of_ones_own_is_watched(installation):
    unsanitized()
    need("tstclnt")
    path = database(installation)
    site = Site(installation.directory)
    command = ["tstclnt", "-4", "-h", "localhost", "-p", str(site.port), "-o", "-d", "sql:" + path]
    told = program(installation, REFUSED, *command)
    same((told["probe"]["ran"], told["probe"]["asked"]), (True, False))
    list_module(path)
    told = program(installation, OK, *command)
    same((told["probe"]["asked"], told["probe"]["host"], told["probe"]["port"]),
         (True, "localhost", site.port), str(told))


def a_script_over_python3_nss(installation):
    script = installation.path("fetch")
    installation.write("fetch", "#!/usr/bin/python3\nimport sys\nimport nss.ssl as ssl\n")
    os.chmod(script, 0o755)
    path = database(installation)
    list_module(path)
    told = program(installation, OK, script, path)
    same(told["library"], "NSS")


def an_https_proxy(installation):
    need("vfyserv")
    path = database(installation)
    list_module(path)
    told = program(installation, REFUSED, "vfyserv", SSL_DIR=path,
                   https_proxy="https://proxy.converge.example:3128")
    contains(told["reason"], "https_proxy", "TLS inside TLS")
    program(installation, OK, "vfyserv", SSL_DIR=path,
            https_proxy="http://proxy.converge.example:3128")


def programs_that_open_no_database(installation):
    need("finch")
    told = program(installation, REFUSED, "finch")
    contains(told["reason"], "NSS_NoDB_Init")


def write_program(installation, name, text):
    os.makedirs(os.path.dirname(installation.path(name)), exist_ok=True)
    installation.write(name, text)
    os.chmod(installation.path(name), 0o755)
    return installation.path(name)


def chromium_and_what_is_made_of_it(installation):
    installation.path("opt")
    start = write_program(installation, "opt/electron", "#!/bin/sh\n")
    installation.write("opt/chrome_100_percent.pak", "")
    contains(program(installation, REFUSED, start)["reason"], "Chromium")


def java(installation):
    need("java")
    contains(program(installation, REFUSED, "java")["reason"], "Java")


def containers(installation):
    write_program(installation, "bin/flatpak", "#!/bin/sh\n")
    start = write_program(installation, "org.mozilla.firefox",
                          "#!/bin/sh\nexec flatpak run org.mozilla.firefox\n")
    path = installation.path("bin") + ":" + os.environ["PATH"]
    contains(program(installation, REFUSED, start, PATH=path)["reason"], "Flatpak")


def programs_that_link_nss_for_other_things(installation):
    if not os.path.exists("/usr/bin/certutil"):
        raise Skip("no certutil")
    told = program(installation, UNDECIDED, "certutil")
    same(told["library"], "NSS")


APPARMOR = """
set -e
mkdir -p "$1/parameters" "$2/local" "$2/disable"
echo Y >"$1/parameters/enabled"
mount --bind "$1" /sys/module
mount --bind "$2" /etc/apparmor.d
shift 2
exec "$@"
"""


def under_apparmor(installation, code, path):
    """What doctor says of vfyserv with /etc/apparmor.d as the installation's own."""
    module = installation.path("module", "apparmor")
    os.makedirs(module, exist_ok=True)
    words = mount_namespace()
    result = subprocess.run(
        [*words, "sh", "-c", APPARMOR.replace('"$1" /sys', '"${1%/apparmor}" /sys'), "sh", module,
         installation.path("profiles"), CONVERGE, "doctor", "--json", "--", "vfyserv"],
        env=installation.environment(SSL_DIR=path, CONVERGE_NSS_MODULE=NSS_MODULE),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    same(result.returncode, code, result.stdout + result.stderr)
    return json.loads(result.stdout)


def profiles_of_apparmor(installation):
    need("vfyserv")
    path = database(installation)
    list_module(path)
    os.makedirs(installation.path("profiles", "local"))
    under_apparmor(installation, OK, path)
    installation.write("profiles/other", "profile other /usr/bin/{a,b}vfyserv {\n}\n")
    under_apparmor(installation, OK, path)
    installation.write("profiles/nss", "profile nss /usr/bin/{tstclnt,vfyserv} {\n}\n")
    told = under_apparmor(installation, REFUSED, path)
    contains(told["reason"], "/etc/apparmor.d/nss", "/etc/apparmor.d/local/nss")
    installation.write("profiles/local/nss", "/run/converge/agent.sock rw,\n")
    under_apparmor(installation, OK, path)


def run_says_what_it_cannot_do(installation):
    need("vfyserv")
    result = installation.run("run", "--", "vfyserv")
    contains(result.stderr, "enable nss")
    result = installation.run("run", "--", "true")
    same(result.stderr, "")


main(one_s_own_database_on_the_machine, a_module_that_is_gone, a_module_that_does_not_load,
     two_copies, one_copy_twice, p11_kit_too, a_program_and_its_database,
     a_program_whose_database_is_not_known, a_command_of_ones_own_is_watched,
     a_script_over_python3_nss, an_https_proxy, programs_that_open_no_database,
     chromium_and_what_is_made_of_it, java, containers, programs_that_link_nss_for_other_things,
     profiles_of_apparmor, run_says_what_it_cannot_do)
