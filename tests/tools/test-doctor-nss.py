# SPDX-License-Identifier: MIT
"""doctor on programs over NSS: which database they read, and whether the module is at work there."""
import glob
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from doctored import *


def one_s_own_database_on_the_machine(installation):
    path = make_database(installation, "home/.pki/nssdb")
    newer = make_database(installation, "home/.local/share/pki/nssdb")
    found, code = machine(installation, XDG_DATA_HOME=None)
    for one in (path, newer):
        same((found[one]["state"], code), ("warning", UNDECIDED), str(found))
        contains(found[one]["text"], "not enabled")
        same(found[one]["do"], "converge enable nss " + one)
    elsewhere = installation.path("home", ".local", "share")
    same(set(machine(installation, XDG_DATA_HOME=elsewhere)[0]), {path, newer})
    list_module(path)
    found, code = machine(installation)
    same((found[path]["state"], code), ("good", UNDECIDED), str(found))
    contains(found[path]["text"], "refused and accepted as told")


def root_loads_nothing_that_a_user_lists(installation):
    if os.geteuid() != 0:
        raise Skip("only for root")
    path = make_database(installation, "home/.pki/nssdb")
    list_module(path)
    os.chown(path + "/" + MODULE_LIST, 12345, 12345)
    found, code = machine(installation)
    same((found[path]["state"], code), ("bad", FAULT), str(found))
    contains(found[path]["text"], "not tried", path + "/" + MODULE_LIST, "uid 12345")
    os.chown(path + "/" + MODULE_LIST, 0, 0)
    os.chown(installation.path("home"), 12345, 12345)
    contains(program(installation, REFUSED, "vfyserv", SSL_DIR=path)["reason"], "not tried",
             "uid 12345")


def a_module_that_is_gone(installation):
    path = make_database(installation, "home/.pki/nssdb")
    list_module(path, "/nonexistent/libconverge-nss.so")
    found, code = machine(installation)
    same((found[path]["state"], code), ("bad", FAULT), str(found))
    contains(found[path]["text"], "/nonexistent/libconverge-nss.so is gone")


def a_module_that_does_not_load(installation):
    path = make_database(installation, "home/.pki/nssdb")
    broken = installation.path("libconverge-nss.so")
    installation.write("libconverge-nss.so", "no ELF")
    list_module(path, broken)
    found, code = machine(installation)
    same((found[path]["state"], code), ("bad", FAULT), str(found))
    contains(found[path]["text"], "did not load")


def two_copies(installation):
    path = make_database(installation, "home/.pki/nssdb")
    copy = installation.path("libconverge-nss.so")
    shutil.copy(NSS_MODULE, copy)
    list_module(path)
    list_module(path, copy, "Another")
    found, code = machine(installation)
    same((found[path]["state"], code), ("bad", FAULT), str(found))
    contains(found[path]["text"], "two copies", copy, NSS_MODULE)


def one_copy_twice(installation):
    path = make_database(installation, "home/.pki/nssdb")
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


def only_through_p11_kit(installation):
    """p11-kit's proxy is in the list of modules, and our module is in p11-kit's."""
    proxy = glob.glob("/usr/lib/*/p11-kit-proxy.so")
    if not proxy:
        raise Skip("no p11-kit-proxy")
    path = make_database(installation, "home/.pki/nssdb")
    list_module(path, proxy[0], "p11-kit")
    found, _ = machine(installation)
    same(found[path]["state"], "warning", str(found))
    file = "/etc/pkcs11/modules/converge.module"
    found = by_path(with_system_file(installation, UNDECIDED, file, "module: " + NSS_MODULE))
    same((found[path]["state"], found[file]["state"]), ("good", "note"), str(found))
    contains(found[path]["text"], "p11-kit's proxy")


def a_program_and_its_database(installation):
    need("vfyserv")
    path = make_database(installation)
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
    path = make_database(installation)
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
    path = make_database(installation)
    list_module(path)
    told = program(installation, OK, script, path)
    same(told["library"], "NSS")


def an_https_proxy(installation):
    need("vfyserv")
    path = make_database(installation)
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
    path = make_database(installation)
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
    contains(installation.run("run", "--", "vfyserv").stderr, "enable nss")
    same(installation.run("run", "--", "true").stderr, "")


main(one_s_own_database_on_the_machine, root_loads_nothing_that_a_user_lists,
     a_module_that_is_gone, a_module_that_does_not_load, two_copies, one_copy_twice, p11_kit_too,
     only_through_p11_kit, a_program_and_its_database, a_program_whose_database_is_not_known,
     a_command_of_ones_own_is_watched, a_script_over_python3_nss, an_https_proxy,
     programs_that_open_no_database, chromium_and_what_is_made_of_it, java, containers,
     programs_that_link_nss_for_other_things, profiles_of_apparmor, run_says_what_it_cannot_do)
