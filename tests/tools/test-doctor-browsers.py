# SPDX-License-Identifier: MIT
"""doctor on Firefox and its kin: their profiles, what the system tells them for all users, and the holes
that have to be locked."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from doctored import *


def firefox(installation, **preferences):
    """A Firefox of our own making, over the system's NSS, and a profile that has been started."""
    for name in ("libxul.so", "firefox"):
        write_program(installation, "app/" + name, "#!/bin/sh\n")
    write_program(installation, "app/application.ini", "[App]\nVendor=Mozilla\nName=Firefox\n")
    path = make_database(installation, "home/.mozilla/firefox/abc.default")
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


LOCKED = """pref("network.http.http3.enable", false, locked);
pref("network.webtransport.enabled", false, locked);
pref("network.http.http2.coalesce-hostnames", false, locked);"""


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


def run_says_what_is_for_browsers(installation):
    start, _ = firefox(installation)
    contains(installation.run("run", "--", start).stderr, "enable nss --profiles")


main(a_browser_without_a_profile, a_browser_whose_profile_is_not_enabled,
     a_browser_that_may_use_http3, a_browser_that_is_locked_in, a_browser_for_all_users,
     a_browser_with_its_modules_elsewhere, a_browser_whose_proxy_a_script_chooses,
     a_browser_of_another_name, run_says_what_is_for_browsers)
