# SPDX-License-Identifier: MIT
"""enable nss and disable nss, on real databases: what NSS's own tools and programs make of them, and
that nothing in them is lost."""
import glob
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

OTHER = (glob.glob("/usr/lib/*/pkcs11/p11-kit-trust.so") + ["p11-kit-trust.so"])[0]  # any will do
LOCKED = {"Value": False, "Status": "locked"}
HTTP3 = "network.http.http3.enable"


def tool(*arguments, code=0, stdin=subprocess.DEVNULL, environment=None):
    result = subprocess.run(arguments, stdin=stdin, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
                            env=environment)
    same(result.returncode, code, " ".join(arguments) + "\n" + result.stdout)
    return result.stdout


def need(*programs):
    for program in programs:
        if not have(program):
            raise Skip(program + " is not installed")


def make_database(installation, name="db"):
    need("certutil")
    path = installation.path(name)
    os.makedirs(path, 0o700)
    tool("certutil", "-N", "-d", "sql:" + path, "--empty-password")
    return path


def listed(path):
    """(name, library) of a database's modules, as NSS reads them. modutil loads them: not ours, if
    that is sanitized."""
    need("modutil")
    if sanitized():
        raise Skip("a sanitized module does not load in unmodified programs")
    lines = [line for line in tool("modutil", "-dbdir", "sql:" + path, "-rawlist").splitlines()
             if line.startswith("library=")]
    return [(line.split('name="')[1].split('"')[0], line.split("library=")[1].split(" name=")[0])
            for line in lines]


def get(path, name="pkcs11.txt"):
    with open(os.path.join(path, name), encoding="utf-8", newline="") as file:
        return file.read()


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def enable(installation, *arguments, code=OK, **extra):
    result = installation.run("enable", "nss", *arguments, **extra)
    same(result.returncode, code, result.stdout + result.stderr)
    return result.stdout + result.stderr


def disable(installation, *arguments, code=OK, **extra):
    result = installation.run("disable", "nss", *arguments, **extra)
    same(result.returncode, code, result.stdout + result.stderr)
    return result.stdout + result.stderr


def there_and_back_again(installation):
    path = make_database(installation)
    before = get(path)
    contains(enable(installation, path), "refused and accepted as told", 'as "Converge"')
    enabled = get(path)
    assert enabled.startswith(before), "lines of the file were changed"
    same(get(path, "pkcs11.txt.before-converge"), before)
    contains(enable(installation, "sql:" + path), "enabled already")
    same(get(path), enabled)
    contains(disable(installation, "sql:" + path), "disabled")
    same(get(path), before)
    contains(disable(installation, path), "was not enabled")
    same(sorted(os.listdir(path)), ["cert9.db", "key4.db", "pkcs11.txt"])


def the_same_in_effect_as_with_modutil(installation):
    ours, theirs = make_database(installation), make_database(installation, "other")
    enable(installation, ours)
    same(listed(ours)[1:], [("Converge", '"%s"' % NSS_MODULE)])
    tool("modutil", "-dbdir", "sql:" + theirs, "-add", "Converge", "-libfile", NSS_MODULE, "-force")
    same(listed(ours), listed(theirs))
    raw = [tool("modutil", "-dbdir", "sql:" + path, "-rawlist").replace(" ", "").replace(path, "")
           for path in (ours, theirs)]
    same(raw[0], raw[1])
    before = get(theirs)
    contains(enable(installation, theirs), "enabled already")
    same(get(theirs), before)
    for path in (ours, theirs):
        tool("modutil", "-dbdir", "sql:" + path, "-delete", "Converge", "-force")
        same(len(listed(path)), 1)
    contains(disable(installation, ours), "was not enabled")


def another_name_is_seen_and_kept(installation):
    path = make_database(installation)
    listed(path)
    tool("modutil", "-dbdir", "sql:" + path, "-add", "My notaries", "-libfile", NSS_MODULE, "-force")
    before = get(path)
    contains(enable(installation, path), 'enabled already as "My notaries"')
    same(get(path), before)
    contains(disable(installation, path), "disabled")
    same(len(listed(path)), 1)


def others_modules_stay(installation):
    path = make_database(installation)
    enable(installation, path)
    if not os.path.exists(OTHER):
        raise Skip("no " + OTHER)
    listed(path)
    tool("modutil", "-dbdir", "sql:" + path, "-add", "Other", "-libfile", OTHER, "-force")
    disable(installation, path)
    same(listed(path)[1:], [("Other", '"%s"' % OTHER)])
    enable(installation, path)
    tool("modutil", "-dbdir", "sql:" + path, "-delete", "Other", "-force")
    same(listed(path)[1:], [("Converge", '"%s"' % NSS_MODULE)])


def a_name_that_is_taken(installation):
    path = make_database(installation)
    put(path + "/pkcs11.txt", get(path) + "library=/nonexistent/x.so\nname=Converge\n\n")
    contains(enable(installation, path), 'as "Converge 2"')
    disable(installation, path)
    contains(get(path), "library=/nonexistent/x.so\nname=Converge\n")


def unmodified_programs_obey(installation):
    need("tstclnt")
    path = make_database(installation)
    listed(path)
    site = Site(installation.directory)
    installation.write("answer", "4e 52 1")
    installation.start_agent()
    installation.write("answer", "4e 52 1")

    def fetch():
        with open(installation.path("request"), "w+", encoding="ascii") as request:
            request.write("GET / HTTP/1.0\r\n\r\n")
            request.flush()
            request.seek(0)
            result = subprocess.run(["tstclnt", "-h", "localhost", "-p", str(site.port), "-d",
                                     "sql:" + path, "-o", "-4"], stdin=request,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                    env=installation.environment(), timeout=30, check=False)
        return "200 OK" in result.stdout

    assert fetch(), "tstclnt does not work here"
    enable(installation, path)
    installation.write("questions", "")
    assert not fetch(), "a refusal was not obeyed"
    contains(installation.read("questions"), "host=localhost port=%d " % site.port)
    disable(installation, path)
    assert fetch(), "tstclnt is still refused"


def a_module_that_moved_is_brought_up_to_date(installation):
    path = make_database(installation)
    odd = installation.path("odd \"name\"\\ 'of' a {dir}")
    os.mkdir(odd)
    shutil.copy(NSS_MODULE, odd)
    other = os.path.join(odd, "libconverge-nss.so")
    contains(enable(installation, path, CONVERGE_NSS_MODULE=other), "enabled as")
    contains(get(path), "library=%s\n" % other)
    contains(enable(installation, path), "enabled as", "from another place: " + other)
    assert other not in get(path)
    os.unlink(other)
    put(path + "/pkcs11.txt", get(path).replace(NSS_MODULE, other))
    contains(disable(installation, path, CONVERGE_NSS_MODULE=None), "disabled")
    assert "libconverge" not in get(path)


def links_and_modes_stay(installation):
    path = make_database(installation)
    os.rename(path + "/pkcs11.txt", installation.path("elsewhere"))
    os.symlink("../elsewhere", path + "/pkcs11.txt")
    os.chmod(installation.path("elsewhere"), 0o640)
    link = installation.path("link")
    os.symlink(path, link)
    enable(installation, link)
    assert os.path.islink(path + "/pkcs11.txt")
    same(os.stat(installation.path("elsewhere")).st_mode & 0o7777, 0o640)
    contains(get(path), NSS_MODULE)


def what_cannot_be_changed_is_told(installation):
    path = make_database(installation)
    before = get(path)
    installation.write("fail", "no luck today\n")
    contains(enable(installation, "dbm:" + path, code=FAULT), "sql:DIR")
    os.unlink(installation.path("fail"))
    os.chmod(path + "/pkcs11.txt", 0o400)
    contains(enable(installation, path, code=FAULT), "read-only", "chmod")
    same(get(path), before)
    contains(enable(installation, path + "/cert9.db", code=FAULT), "directory")
    contains(enable(installation, installation.path("nowhere"), code=FAULT), "no NSS database")
    os.mkdir(installation.path("old"))
    installation.write("old/cert8.db", "")
    contains(enable(installation, installation.path("old"), code=FAULT), "dbm")
    os.mkdir(installation.path("empty"))
    contains(enable(installation, installation.path("empty"), code=FAULT), "--create")
    said = disable(installation, installation.path("empty"), code=FAULT)
    contains(said, "no NSS database")
    assert "--create" not in said, said
    os.unlink(path + "/pkcs11.txt")
    os.symlink("nowhere", path + "/pkcs11.txt")
    contains(enable(installation, path, code=FAULT), "a symbolic link to what is not there")


def a_list_that_is_not_there_yet(installation):
    path = make_database(installation)
    os.unlink(path + "/pkcs11.txt")
    contains(enable(installation, path), "enabled as")
    contains(get(path), "NSS Internal PKCS #11 Module", NSS_MODULE)
    contains(tool("certutil", "-L", "-d", "sql:" + path), "Certificate Nickname")


def a_path_that_is_no_text(installation):
    path = os.fsencode(installation.path("d")) + b"\xff"
    os.rename(make_database(installation), path)
    answer = installation.json("enable", "nss", path, "--json")
    same((answer["database"], answer["protected"]), (installation.path("d?"), True))
    same(installation.json("disable", "nss", path, "--json")["changed"], True)
    answer = subprocess.run([CONVERGE, "disable", "nss", path + b"x", "--json"], check=False,
                            env=installation.environment(), stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)
    contains(json.loads(answer.stdout)["message"], "d?x")


def a_database_is_made_where_that_is_asked(installation):
    need("certutil")
    path = installation.path("new", "nssdb")
    contains(enable(installation, path, "--create"), "enabled as")
    contains(tool("certutil", "-L", "-d", "sql:" + path), "Certificate Nickname")
    mode = 0o644 if os.geteuid() == 0 else 0o600
    same({os.stat(os.path.join(path, name)).st_mode & 0o7777 for name in
          ("cert9.db", "key4.db", "pkcs11.txt")}, {mode})
    contains(enable(installation, path, "--create"), "enabled already")


def root_writes_nothing_where_others_could_redirect_it(installation):
    path = make_database(installation)
    before = get(path)
    if os.geteuid() != 0:
        raise Skip("only for root")
    os.chown(path, 12345, 12345)
    for command in (enable, disable):
        contains(command(installation, path, code=FAULT), "uid 12345", "as that user")
    os.chown(path, 0, 0)
    os.chown(path + "/pkcs11.txt", 12345, 12345)
    contains(enable(installation, path, code=FAULT), "uid 12345")
    os.chown(path + "/pkcs11.txt", 0, 0)
    outer = installation.path("outer")
    os.mkdir(outer)
    os.rename(path, outer + "/db")
    os.symlink("outer/db", path)
    os.chown(outer, 12345, 12345)
    for where in (path, outer + "/db"):
        contains(enable(installation, where, code=FAULT), outer, "uid 12345")
    contains(enable(installation, outer + "/new/nssdb", "--create", code=FAULT), "uid 12345")
    os.chown(outer, 0, 12345)
    for mode, words in ((0o777, ("everybody",)), (0o770, ("its group",))):
        os.chmod(outer, mode)
        contains(enable(installation, path, code=FAULT), outer, *words)
    os.chmod(outer, 0o1777)
    for mode in (0o646, 0o664):
        os.chmod(path + "/pkcs11.txt", mode)
        os.chown(path + "/pkcs11.txt", 0, 12345)
        contains(enable(installation, path, code=FAULT), "pkcs11.txt", "writable by others")
    os.chown(path + "/pkcs11.txt", 0, 0)
    os.chmod(path, 0o1777)
    contains(enable(installation, path, code=FAULT), "everybody")
    os.chmod(path, 0o700)
    same(os.listdir(outer), ["db"])
    same(get(path), before)
    enable(installation, path)


def root_follows_no_users_link(installation):
    """Not even to a database of root's own: it is not the one that root named."""
    path = make_database(installation)
    before = get(path)
    if os.geteuid() != 0:
        raise Skip("only for root")
    users = installation.path("users")
    os.mkdir(users)
    os.symlink(path, users + "/db")
    os.symlink("users/db", installation.path("roots"))
    os.chown(users, 12345, 12345)
    for where in (users + "/db", installation.path("roots"), "sql:" + users + "/db/"):
        for command in (enable, disable):
            contains(command(installation, where, code=FAULT), users, "uid 12345")
    os.chown(users, 0, 0)
    os.chown(users + "/db", 12345, 12345, follow_symlinks=False)
    contains(enable(installation, installation.path("roots"), code=FAULT), users + "/db", "uid 12345")
    same(get(path), before)
    os.chown(users + "/db", 0, 0, follow_symlinks=False)
    enable(installation, installation.path("roots"))


def too_few_notaries(installation):
    path = make_database(installation)
    before = get(path)
    installation.reply("notary-test", {"ok": True, "notaries": [{"name": "a", "answered": True}]})
    contains(enable(installation, path, code=UNDECIDED), "1 of 1", "--anyway")
    same(get(path), before)
    enable(installation, path, "--anyway")


def without_agent_or_module(installation):
    path = make_database(installation)
    enable(installation, path, "--anyway")
    installation.write("fail", "no luck today\n")
    installation.write("converge.conf", "nonsense\n")
    contains(disable(installation, path, CONVERGE_NSS_MODULE="/nonexistent.so"), "disabled")
    contains(enable(installation, path, code=FAULT), "converge.conf")
    os.unlink(installation.path("converge.conf"))
    contains(enable(installation, path, code=UNDECIDED), "no luck today")
    for wrong in ("relative.so", "/nonexistent.so", "/a\nb.so"):
        enable(installation, path, "--anyway", CONVERGE_NSS_MODULE=wrong, code=FAULT)
    same(sorted(os.listdir(path)), ["cert9.db", "key4.db", "pkcs11.txt"])


def a_module_that_does_not_work_changes_nothing(installation):
    path = make_database(installation)
    before = get(path)
    os.mkdir(installation.path("dummy"))
    for content in ("", "not a module\n" * 100):
        installation.write("dummy/libconverge-nss.so", content)
        contains(enable(installation, path, code=FAULT,
                        CONVERGE_NSS_MODULE=installation.path("dummy", "libconverge-nss.so")),
                 "nothing was changed")
        same(get(path), before)
    if os.path.exists(OTHER):
        contains(enable(installation, path, code=FAULT, CONVERGE_NSS_MODULE=OTHER),
                 "nothing was changed")
    same(sorted(os.listdir(path)), ["cert9.db", "key4.db", "pkcs11.txt"])


def no_nss_to_try_it_with(installation):
    if os.geteuid() != 0:
        raise Skip("root of a namespace only is told that the system's directories are not its own")
    path = make_database(installation)
    before = get(path)
    libraries = sorted({os.path.realpath(line.split("=> ")[1]) for line in
                        tool("ldconfig", "-p").splitlines() if "libssl3.so" in line})
    hide = " && ".join("mount --bind /dev/null %s" % library for library in libraries)
    for directory in ("/usr/lib/firefox-esr", "/usr/lib/firefox", "/usr/lib/thunderbird"):
        if os.path.isdir(directory):
            hide += " && mount -t tmpfs none " + directory
    script = hide + ' && exec "$0" enable nss "$@"'

    def run(*arguments):
        return subprocess.run([*mount_namespace(), "sh", "-c", script, CONVERGE, path, *arguments],
                              env=installation.environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    result = run()
    same(result.returncode, FAULT, result.stdout)
    contains(result.stdout, "nothing was changed", "libnss3", "--anyway")
    same(get(path), before)
    result = run("--anyway")
    same(result.returncode, REFUSED, result.stdout)
    contains(result.stdout, "NOT TRIED")
    contains(get(path), NSS_MODULE)


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


def another_program_writes_at_the_same_time(installation):
    """NSS itself deletes the list before it puts a new one there. What we write is whole, whatever we
    have read; and ours comes in once the other pauses."""
    path = make_database(installation)
    listed(path)
    if not os.path.exists(OTHER):
        raise Skip("no " + OTHER)
    script = """
        for i in 1 2 3 4 5 6 7 8; do
            modutil -dbdir "sql:$0" -add Other -libfile "$1" -force
            modutil -dbdir "sql:$0" -delete Other -force
        done
    """
    with subprocess.Popen(["sh", "-c", script, path, OTHER], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        while other.poll() is None:
            for command in ("enable", "disable"):
                result = installation.run(command, "nss", path)
                assert result.returncode in (OK, FAULT), result.stderr
    enable(installation, path)
    names = [name for name, _ in listed(path)]
    same((names[0], names.count("Converge")), ("NSS Internal PKCS #11 Module", 1))
    assert set(names[1:]) <= {"Converge", "Other"}, names


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
    same((answer["changed"], answer["protected"], answer["http3"]), (False, True, "locked"))
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
    same((answer["http3"], answer["protected"]), ("locked", False))
    system.run("disable", "--firefox")


def wrong_usage(installation):
    wrong = ([], ["a", "b"], ["a", "--profiles"], ["--profiles", "--firefox"], ["--firefox", "--create"],
             ["--profiles", "--create"], ["a", "--file", "b"], ["--firefox", "--thunderbird"])
    for arguments in wrong:
        enable(installation, *arguments, code=USAGE)
    for arguments in ([], ["a", "b"], ["a", "--profiles"], ["a", "--create"], ["a", "--anyway"]):
        disable(installation, *arguments, code=USAGE)
    for option in ("--create", "--profiles", "--firefox", "--thunderbird"):
        same(installation.run("enable", "openssl", option).returncode, USAGE)


def the_answers_as_json(installation):
    path = make_database(installation)
    answer = installation.json("enable", "nss", path, "--json")
    same(answer, {"ok": True, "database": path, "changed": True, "file": path + "/pkcs11.txt",
                  "name": "Converge", "watching": True, "handshake": True, "protected": True})
    same(installation.json("enable", "nss", path, "--json")["changed"], False)
    same(installation.json("disable", "nss", path, "--json"),
         {"ok": True, "database": path, "changed": True, "file": path + "/pkcs11.txt"})
    same(installation.json("enable", "nss", "/nonexistent", "--json", code=FAULT)["ok"], False)


main(there_and_back_again, the_same_in_effect_as_with_modutil, another_name_is_seen_and_kept,
     others_modules_stay, a_name_that_is_taken, unmodified_programs_obey,
     a_module_that_moved_is_brought_up_to_date, links_and_modes_stay,
     what_cannot_be_changed_is_told, a_list_that_is_not_there_yet,
     a_path_that_is_no_text, a_database_is_made_where_that_is_asked, root_writes_nothing_where_others_could_redirect_it,
     root_follows_no_users_link, too_few_notaries, without_agent_or_module, a_module_that_does_not_work_changes_nothing,
     no_nss_to_try_it_with, all_of_a_user, a_profile_is_changed_wholly_or_not_at_all,
     what_failed_is_not_told_as_changed,
     another_program_writes_at_the_same_time, a_profiles_own_preferences_stay,
     what_the_application_copied_goes_too, firefox_for_all_users,
     an_administrators_policies_stay, the_policies_beside_the_program_are_not_hidden,
     another_wish_of_the_administrator_is_respected, thunderbird_for_all_users,
     an_application_that_is_not_found_is_not_called_protected, wrong_usage,
     the_answers_as_json)
