# SPDX-License-Identifier: MIT
"""enable nss and disable nss, on profiles of Firefox and Thunderbird and on what the system tells
them: that a person's and an administrator's own words stay, and who is called protected."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from databases import *

LOCKED = {"Value": False, "Status": "locked"}
HTTP3 = "network.http.http3.enable"


def profile(installation, path, app="firefox"):
    path = make_database(installation, path)
    put(path + "/compatibility.ini", "[Compatibility]\nLastPlatformDir=/usr/lib/%s\n" % app)
    put(path + "/times.json", "{}")
    return path


def in_home(installation, home, verb, *arguments):
    """enable or disable nss --profiles, of this home."""
    command = [CONVERGE]
    if os.geteuid() == 0:
        # root's home is what the system says; so the system says this one, in a namespace.
        put(installation.path("passwd"), "root:x:0:0:root:%s:/bin/sh\n" % home)
        script = 'mount --bind %s /etc/passwd && exec "$0" "$@"' % installation.path("passwd")
        command = [*mount_namespace(), "sh", "-c", script, CONVERGE]
    environment = installation.environment(HOME=home, XDG_CONFIG_HOME=None, XDG_DATA_HOME=None)
    return subprocess.run([*command, verb, "nss", "--profiles", *arguments], env=environment,
                          timeout=120, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)


def all_of_a_user(installation):
    """Every way in which profiles lie about, below a home of its own."""
    home = installation.path("home")
    old, new = home + "/.mozilla/firefox/", home + "/.config/mozilla/firefox/"
    places = {old + "a.default": "firefox", new + "b.default-esr": "firefox",
              new + "Profiles/grouped": "firefox", installation.path("far"): "firefox",
              new + "installed": "firefox", home + "/.thunderbird/t": "thunderbird",
              home + "/snap/firefox/common/.mozilla/firefox/s": "firefox",
              home + "/.var/app/org.mozilla.firefox/.mozilla/firefox/f": "firefox"}
    for path, app in places.items():
        profile(installation, path, app)
    os.unlink(new + "installed/times.json")
    put(old + "profiles.ini", "[Profile0]\r\nName=default\r\nIsRelative=1\r\nPath=a.default\r\n"
        "Default=1\r\n\r\n[Profile1]\r\nName=away\r\nIsRelative=0\r\nPath=%s\r\n"
        "[Profile2]\r\nName=gone\r\nPath=gone\r\n" % installation.path("far"))
    put(new + "installs.ini", "[4F96D1932A9F858E]\nDefault=installed\nLocked=1\n"
        "[0]\nDefault=")
    make_database(installation, home + "/.pki/nssdb")

    def run(verb, *arguments, code, home=home):
        result = in_home(installation, home, verb, *arguments)
        same(result.returncode, code, result.stdout + result.stderr)
        return result.stdout

    nobody = installation.path("nobody")
    os.makedirs(nobody + "/.pki/nssdb")
    contains(run("enable", code=REFUSED, home=nobody), "no profile")
    same(json.loads(run("enable", "--json", code=REFUSED, home=nobody))["protected"], False)
    before = {path: get(path) for path in places}
    answer = json.loads(run("enable", "--json", code=REFUSED))
    same((answer["ok"], answer["protected"]), (True, False))
    by_path = {entry["database"]: entry for entry in answer["databases"]}
    same(sorted(by_path), sorted([*places, home + "/.pki/nssdb"]))
    same(by_path[home + "/.pki/nssdb"]["protected"], True)
    same({by_path[path]["profile"] for path in places},
         {"default", "b.default-esr", "grouped", "away", "installed", "t", "s", "f"})
    for path, app in places.items():
        entry, confined = by_path[path], "/snap/" in path or "/.var/" in path
        same((entry["application"], entry["protected"]), (app, False))
        same(entry.get("confined"), ("snap" if "/snap/" in path else "flatpak") if confined else None)
        same(NSS_MODULE in get(path), not confined)
        same(os.path.exists(path + "/user.js"), not confined)
        same(entry.get("http3"), None if confined else "off")
    text = run("enable", code=REFUSED)
    contains(text, "enabled already", "NOT PROTECTED against HTTP/3", "--firefox", "--thunderbird",
             "NOT PROTECTED: confined by snap", "NOT PROTECTED: confined by flatpak")
    run("disable", code=OK)
    for path in places:
        same(get(path), before[path])
        assert not os.path.exists(path + "/user.js")


def a_profile_is_changed_wholly_or_not_at_all(installation):
    path = profile(installation, "p")
    os.chmod(path + "/pkcs11.txt", 0o400)
    contains(enable(installation, path, code=FAULT), "read-only")
    assert not os.path.exists(path + "/user.js")


def what_failed_is_not_told_as_changed(installation):
    home = installation.path("home")
    path = profile(installation, "home/.mozilla/firefox/p")
    os.chmod(path + "/pkcs11.txt", 0o400)
    result = in_home(installation, home, "enable", "--json")
    same(result.returncode, FAULT, result.stdout + result.stderr)
    entry = json.loads(result.stdout)["databases"][0]
    same((entry["ok"], entry["changed"], entry["protected"]), (False, False, False))
    result = in_home(installation, home, "enable")
    contains(result.stdout, "FAILED")
    assert "started again" not in result.stdout, result.stdout


def what_the_application_copied_goes_too(installation):
    path = profile(installation, "p")
    line = 'user_pref("%s", false);\n'
    others = 'user_pref("a", false);\nuser_pref("%s.x", false);\n' % HTTP3
    put(path + "/prefs.js", others)
    enable(installation, path, code=REFUSED)
    put(path + "/prefs.js", line % HTTP3 + others + line % "network.webtransport.enabled")
    enable(installation, path, code=REFUSED)
    disable(installation, path)
    same(get(path, "prefs.js"), others)
    put(path + "/prefs.js", line % HTTP3 + others)
    enable(installation, path, code=REFUSED)
    enable(installation, path, code=REFUSED)
    disable(installation, path)
    same(get(path, "prefs.js"), line % HTTP3 + others)


def a_profiles_own_preferences_stay(installation):
    path = profile(installation, "p")
    mine = 'user_pref("%s", true);' % HTTP3
    put(path + "/user.js", mine)
    contains(enable(installation, path, code=REFUSED), "NOT PROTECTED against HTTP/3")
    text = get(path, "user.js")
    assert text.startswith(mine + "\n") and text.rindex("false") > text.rindex("true"), text
    contains(enable(installation, path, code=REFUSED), "enabled already")
    same(get(path, "user.js"), text)
    put(path + "/user.js", text + mine + "\n")
    enable(installation, path, code=REFUSED)
    text = get(path, "user.js")
    assert text.rindex("false") > text.rindex("true"), text
    disable(installation, path)
    assert "converge" not in get(path, "user.js")


class System:
    """A namespace whose /etc and applications are the test's."""

    def __init__(self, installation):
        if os.geteuid() != 0 or not os.path.isdir("/usr/lib/firefox-esr"):
            raise Skip("only for root, with firefox-esr installed")
        self.installation = installation
        self.etc, self.app = installation.path("etc"), installation.path("app")
        tool("cp", "-a", "/etc", self.etc)
        shutil.rmtree(self.etc + "/firefox", ignore_errors=True)
        tool("cp", "-a", "/usr/lib/firefox-esr", self.app)
        if os.path.islink(self.app + "/distribution"):
            os.unlink(self.app + "/distribution")
        shutil.rmtree(self.app + "/distribution", ignore_errors=True)
        self.policies = self.etc + "/firefox/policies/policies.json"
        self.beside = self.app + "/distribution/policies.json"
        self.lock = self.etc + "/firefox/defaults/pref/converge.js"

    def run(self, verb, *arguments, code=OK, **extra):
        script = 'mount --bind "$1" /etc && mount --bind "$2" /usr/lib/firefox-esr && shift 2 && ' \
                 'exec "$0" "$@"'
        result = subprocess.run([*mount_namespace(), "sh", "-c", script, CONVERGE, self.etc,
                                 self.app, verb, "nss", *arguments],
                                env=self.installation.environment(**extra), timeout=60,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                check=False)
        same(result.returncode, code, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)["policies"]


def firefox_for_all_users(installation):
    system = System(installation)
    contains(system.run("enable", "--firefox"), "enabled for all users", "refused and accepted")
    policies = system.read(system.policies)
    same(policies["SecurityDevices"], {"Add": {"Converge": NSS_MODULE}})
    same(policies["Preferences"][HTTP3], LOCKED)
    contains(open(system.lock, encoding="utf-8").read(), "utility_pkcs11", "false, locked")
    answer = json.loads(system.run("enable", "--firefox", "--json"))
    same((answer["changed"], answer["found"], answer["protected"], answer["http3"]),
         (False, True, True, "locked"))
    path = profile(installation, "p")
    contains(system.run("enable", path), "HTTP/3 is off and locked")
    contains(system.run("disable", path), "disabled", "comes back", "--firefox")
    same(json.loads(system.run("disable", path, "--json"))["returns"], True)
    contains(system.run("disable", "--firefox"), "disabled", "disable nss --profiles")
    assert not os.path.exists(system.etc + "/firefox"), "something is left"
    contains(system.run("disable", "--firefox"), "was not enabled")
    contains(system.run("enable", path, code=REFUSED), "NOT PROTECTED against HTTP/3")


def an_administrators_policies_stay(installation):
    system = System(installation)
    mine = '{\n    "policies": {\n        "DisableTelemetry": true,\n        "Preferences": ' \
           '{"dom.x": {"Value": 1}}\n    }\n}\n'
    put(system.policies, mine)
    system.run("enable", "--firefox")
    policies = system.read(system.policies)
    same(policies["DisableTelemetry"], True)
    same(policies["Preferences"]["dom.x"], {"Value": 1})
    same(policies["Preferences"][HTTP3], LOCKED)
    same(open(system.policies + ".before-converge", encoding="utf-8").read(), mine)
    system.run("disable", "--firefox")
    same(open(system.policies, encoding="utf-8").read(), mine)
    same(os.listdir(os.path.dirname(system.policies)), ["policies.json"])


def the_policies_beside_the_program_are_not_hidden(installation):
    """A file in /etc would make Firefox overlook the one that is there."""
    system = System(installation)
    put(system.beside, '{"policies": {"Homepage": {"URL": "http://a/"}}}')
    contains(system.run("enable", "--firefox"), "distribution/policies.json")
    assert not os.path.exists(system.policies)
    same(system.read(system.beside)["SecurityDevices"], {"Add": {"Converge": NSS_MODULE}})
    os.chown(system.app, 12345, 12345)
    contains(system.run("disable", "--firefox", code=FAULT), "/usr/lib/firefox-esr", "uid 12345")
    contains(system.run("enable", "--firefox", code=FAULT), "/usr/lib/firefox-esr", "uid 12345")
    os.chown(system.app, 0, 0)
    put(system.policies, '{"policies": {}}')
    path = profile(installation, "p")
    contains(system.run("enable", path, code=REFUSED), "NOT PROTECTED")
    os.unlink(system.policies)
    system.run("disable", "--firefox")
    same(system.read(system.beside), {"Homepage": {"URL": "http://a/"}})


def another_wish_of_the_administrator_is_respected(installation):
    system = System(installation)
    for text, words in (('{"policies": {"Preferences": {"%s": true}}}' % HTTP3, (HTTP3, "locked")),
                        ("{nonsense", ("line 1",))):
        put(system.policies, text)
        contains(system.run("enable", "--firefox", code=FAULT), "policies.json", *words)
        same(open(system.policies, encoding="utf-8").read(), text)
        assert not os.path.exists(system.lock)
    os.unlink(system.policies)
    os.makedirs(os.path.dirname(system.lock))
    os.chown(os.path.dirname(system.lock), 12345, 12345)
    for verb in ("enable", "disable"):
        contains(system.run(verb, "--firefox", code=FAULT), "/etc/firefox/defaults", "uid 12345")
    os.chown(os.path.dirname(system.lock), 0, 0)
    put(system.lock, "// mine\n")
    contains(system.run("enable", "--firefox", code=FAULT), "converge.js", "not of our making")
    assert not os.path.exists(system.policies)
    contains(system.run("disable", "--firefox"), "was not enabled")
    same(open(system.lock, encoding="utf-8").read(), "// mine\n")


def thunderbird_for_all_users(installation):
    system = System(installation)
    policies = system.etc + "/thunderbird/policies/policies.json"
    had = os.path.isdir(system.etc + "/thunderbird")
    here = any(os.path.exists(place + "/thunderbird/application.ini")
               for place in ("/usr/lib", "/usr/lib64", "/opt"))
    system.run("enable", "--thunderbird", code=OK if here else REFUSED)
    same(system.read(policies)["SecurityDevices"], {"Add": {"Converge": NSS_MODULE}})
    system.run("disable", "--thunderbird")
    assert not os.path.exists(policies)
    same(os.path.isdir(system.etc + "/thunderbird"), had)


def an_application_that_is_not_found_is_not_called_protected(installation):
    system = System(installation)
    os.unlink(system.app + "/application.ini")
    if any(os.path.exists(place + "/firefox/application.ini")
           for place in ("/usr/lib", "/usr/lib64", "/opt")):
        raise Skip("Firefox is in another place, too")
    contains(system.run("enable", "--firefox", code=REFUSED), "NOT PROTECTED", "not found")
    answer = json.loads(system.run("enable", "--firefox", "--json", code=REFUSED))
    same((answer["http3"], answer["found"], answer["protected"]), ("locked", False, False))
    system.run("disable", "--firefox")


main(all_of_a_user, a_profile_is_changed_wholly_or_not_at_all, what_failed_is_not_told_as_changed,
     a_profiles_own_preferences_stay, what_the_application_copied_goes_too, firefox_for_all_users,
     an_administrators_policies_stay, the_policies_beside_the_program_are_not_hidden,
     another_wish_of_the_administrator_is_respected, thunderbird_for_all_users,
     an_application_that_is_not_found_is_not_called_protected)
