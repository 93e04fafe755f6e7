# SPDX-License-Identifier: MIT
"""doctor on programs over NSS: which database they read, and whether the module is at work there."""
import glob
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
    return by_path(json.loads(result.stdout)), result.returncode


def by_path(told):
    return {entry["about"]: entry for entry in told["findings"] if entry["group"] == "nss"}


def one_s_own_database_on_the_machine(installation):
    path = database(installation, "home/.pki/nssdb")
    newer = database(installation, "home/.local/share/pki/nssdb")
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
    path = database(installation, "home/.pki/nssdb")
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


def only_through_p11_kit(installation):
    """p11-kit's proxy is in the list of modules, and our module is in p11-kit's."""
    proxy = glob.glob("/usr/lib/*/p11-kit-proxy.so")
    if not proxy:
        raise Skip("no p11-kit-proxy")
    path = database(installation, "home/.pki/nssdb")
    list_module(path, proxy[0], "p11-kit")
    found, _ = machine(installation)
    same(found[path]["state"], "warning", str(found))
    file = "/etc/pkcs11/modules/converge.module"
    found = by_path(with_system_file(installation, UNDECIDED, file, "module: " + NSS_MODULE))
    same((found[path]["state"], found[file]["state"]), ("good", "note"), str(found))
    contains(found[path]["text"], "p11-kit's proxy")


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


def firefox(installation, **preferences):
    """A Firefox of our own making, over the system's NSS, and a profile that has been started."""
    for name in ("libxul.so", "firefox"):
        write_program(installation, "app/" + name, "#!/bin/sh\n")
    write_program(installation, "app/application.ini", "[App]\nVendor=Mozilla\nName=Firefox\n")
    path = database(installation, "home/.mozilla/firefox/abc.default")
    installation.write("home/.mozilla/firefox/profiles.ini",
                       "[Profile0]\nName=mine\nIsRelative=1\nPath=abc.default\n")
    write_preferences(installation, preferences)
    return installation.path("app/firefox"), path


def write_preferences(installation, preferences):
    installation.write("home/.mozilla/firefox/abc.default/prefs.js", "".join(
        'user_pref("%s", %s);\n' % (name.replace("_", "."), value)
        for name, value in preferences.items()))


def a_browser_without_a_profile(installation):
    start, path = firefox(installation)
    shutil.rmtree(installation.path("home/.mozilla"))
    told = program(installation, REFUSED, start, HOME=installation.path("home"))
    contains(told["reason"], "no profile")


def a_browser_whose_profile_is_not_enabled(installation):
    start, path = firefox(installation)
    told = program(installation, REFUSED, start, HOME=installation.path("home"))
    contains(told["reason"], "profile mine", "not enabled")
    same(told["do"], "converge enable nss --profiles")
    same(told["databases"][0]["path"], path)
    found, _ = machine(installation)
    same(found[path]["state"], "warning")
    contains(found[path]["text"], "Firefox, profile mine: not enabled")


def a_browser_that_may_use_http3(installation):
    start, path = firefox(installation)
    list_module(path)
    told = program(installation, REFUSED, start, HOME=installation.path("home"))
    contains(told["reason"], "not protected: HTTP/3")
    found, code = machine(installation)
    same((found[path]["state"], code), ("bad", FAULT))
    contains(found[path]["text"], "not protected: HTTP/3")
    same(found[path]["do"], "sudo converge enable nss --firefox")


ETC = """
set -e
# Whoever is root of a user namespace only cannot copy all of it.
cp -a /etc "$1" 2>/dev/null || test "$(stat -c %u /)" != 0
mount --bind "$1" /etc
mkdir -p "$(dirname "$2")"
printf '%s\n' "$3" >"$2"
shift 3
exec "$@"
"""
LOCKED = """pref("network.http.http3.enable", false, locked);
pref("network.webtransport.enabled", false, locked);
pref("network.http.http2.coalesce-hostnames", false, locked);"""


def with_system_file(installation, code, file, lines, *arguments):
    """What doctor says where this file of the system's has these lines."""
    etc = installation.path("etc-%d" % len(os.listdir(installation.directory)))
    result = subprocess.run(
        [*mount_namespace(), "sh", "-c", ETC, "sh", etc, file, lines, CONVERGE, "doctor", "--json",
         *arguments], env=installation.environment(HOME=installation.path("home"),
                                                   CONVERGE_NSS_MODULE=NSS_MODULE),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    same(result.returncode, code, result.stdout + result.stderr)
    return json.loads(result.stdout)


def with_system_preferences(installation, code, start, lines):
    return with_system_file(installation, code, "/etc/firefox/pref/lock.js", lines, "--", start)


def a_browser_that_is_locked_in(installation):
    start, path = firefox(installation)
    list_module(path)
    told = with_system_preferences(installation, OK, start, LOCKED)
    same(told["databases"][0]["state"], "good")
    for missing in LOCKED.splitlines():
        with_system_preferences(installation, REFUSED, start, LOCKED.replace(missing, ""))
    with_system_preferences(installation, REFUSED, start, LOCKED.replace("false", "true"))
    with_system_preferences(installation, REFUSED, start, LOCKED.replace(", locked", ""))


POLICIES = {"Preferences": {name: {"Value": False, "Status": "locked"} for name in
                            ("network.http.http3.enable", "network.webtransport.enabled",
                             "network.http.http2.coalesce-hostnames")},
            "SecurityDevices": {"Add": {"Converge": NSS_MODULE}}}


def a_browser_for_all_users(installation):
    start, path = firefox(installation)
    file = "/etc/firefox/policies/policies.json"
    told = with_system_file(installation, UNDECIDED, file, json.dumps({"policies": POLICIES}))
    found = by_path(told)
    same((found["/etc/firefox"]["state"], found[path]["state"]), ("good", "warning"), str(found))
    contains(found["/etc/firefox"]["text"], "Firefox for all users: ")
    contains(found[path]["text"], "not enabled yet", "when Firefox is started")
    gone = {**POLICIES, "SecurityDevices": {"Add": {"Converge": "/gone/libconverge-nss.so"}}}
    told = with_system_file(installation, FAULT, file, json.dumps({"policies": gone}))
    contains(by_path(told)["/etc/firefox"]["text"], "not protected",
             "/gone/libconverge-nss.so is gone")
    same(by_path(told)["/etc/firefox"]["do"], "sudo converge enable nss --firefox")
    half = {"SecurityDevices": POLICIES["SecurityDevices"]}
    told = with_system_file(installation, FAULT, file, json.dumps({"policies": half}))
    same([entry["state"] for entry in by_path(told).values()], ["bad", "warning"])
    list_module(path)
    told = with_system_file(installation, OK, file, json.dumps({"policies": POLICIES}), "--", start)
    same(told["covered"], "yes")


def a_browser_with_its_modules_elsewhere(installation):
    name = "security.utility_pkcs11_module_process.enabled"
    start, path = firefox(installation)
    list_module(path)
    installation.write("home/.mozilla/firefox/abc.default/user.js", 'user_pref("%s", true);' % name)
    told = with_system_preferences(installation, REFUSED, start, LOCKED)
    contains(told["reason"], "not protected: " + name)
    with_system_preferences(installation, OK, start, LOCKED + '\npref("%s", false, locked);' % name)


def a_browser_whose_proxy_a_script_chooses(installation):
    start, path = firefox(installation, network_proxy_type=2)
    list_module(path)
    told = with_system_preferences(installation, OK, start, LOCKED)
    same(told["databases"][0]["state"], "warning")
    contains(told["databases"][0]["text"], "proxy")


def a_browser_of_another_name(installation):
    start, _ = firefox(installation)
    installation.write("app/application.ini", "[App]\nName=LibreWolf\n")
    contains(program(installation, UNDECIDED, start)["reason"], "LibreWolf")


def run_says_what_it_cannot_do(installation):
    need("vfyserv")
    result = installation.run("run", "--", "vfyserv")
    contains(result.stderr, "enable nss")
    start, _ = firefox(installation)
    contains(installation.run("run", "--", start).stderr, "enable nss --profiles")
    result = installation.run("run", "--", "true")
    same(result.stderr, "")


main(one_s_own_database_on_the_machine, root_loads_nothing_that_a_user_lists,
     a_module_that_is_gone, a_module_that_does_not_load, two_copies, one_copy_twice, p11_kit_too, only_through_p11_kit, a_program_and_its_database,
     a_program_whose_database_is_not_known, a_command_of_ones_own_is_watched,
     a_script_over_python3_nss, an_https_proxy, programs_that_open_no_database,
     chromium_and_what_is_made_of_it, java, containers, programs_that_link_nss_for_other_things,
     profiles_of_apparmor, a_browser_without_a_profile, a_browser_whose_profile_is_not_enabled,
     a_browser_that_may_use_http3, a_browser_that_is_locked_in, a_browser_for_all_users,
     a_browser_with_its_modules_elsewhere, a_browser_whose_proxy_a_script_chooses,
     a_browser_of_another_name, run_says_what_it_cannot_do)
