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
from databases import *

OTHER = (glob.glob("/usr/lib/*/pkcs11/p11-kit-trust.so") + ["p11-kit-trust.so"])[0]  # any will do


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
    os.unlink(path + "/pkcs11.txt.before-converge")
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
    new = installation.path("new")
    contains(enable(installation, new, "--create", code=FAULT,
                    CONVERGE_NSS_MODULE=installation.path("dummy", "libconverge-nss.so")),
             "database that was made is there, without the module")
    assert "libconverge" not in get(new)
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
                  "name": "Converge", "watching": True, "handshake": True, "protected": True,
                  "agent": "manual", "mode": "augment"})
    same(installation.json("enable", "nss", path, "--json")["changed"], False)
    same(installation.json("disable", "nss", path, "--json"),
         {"ok": True, "database": path, "changed": True, "file": path + "/pkcs11.txt"})
    same(installation.json("enable", "nss", "/nonexistent", "--json", code=FAULT)["ok"], False)


def a_dry_run_changes_nothing_and_shows_the_diff(installation):
    path = make_database(installation)
    before = get(path)
    result = installation.run("enable", "nss", path, "--dry-run", CONVERGE_AGENT="/nonexistent")
    same(result.returncode, OK, result.stdout + result.stderr)
    contains(result.stdout, "+++ %s/pkcs11.txt" % path, "+library=%s\n" % NSS_MODULE,
             "would be enabled")
    same(get(path), before)
    enable(installation, path)
    enabled = get(path)
    result = installation.run("disable", "nss", path, "--dry-run")
    contains(result.stdout, "-library=%s\n" % NSS_MODULE, "would be disabled")
    same(get(path), enabled)
    made = installation.path("none-yet")
    os.mkdir(made)
    result = installation.run("enable", "nss", made, "--create", "--dry-run")
    same(result.returncode, OK, result.stdout + result.stderr)
    contains(result.stdout, "Would make an NSS database")
    same(os.listdir(made), [])


def all_users_are_roots_affair(installation):
    for option in ("--firefox", "--thunderbird"):
        command = [CONVERGE, "enable", "nss", option]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups", "--", *command]
        result = subprocess.run(command, env=installation.environment(), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        same(result.returncode, FAULT, result.stdout)
        contains(result.stderr, "sudo converge enable nss " + option, "--profiles")


main(there_and_back_again, a_dry_run_changes_nothing_and_shows_the_diff, all_users_are_roots_affair, the_same_in_effect_as_with_modutil, another_name_is_seen_and_kept,
     others_modules_stay, a_name_that_is_taken, unmodified_programs_obey,
     a_module_that_moved_is_brought_up_to_date, links_and_modes_stay,
     what_cannot_be_changed_is_told, a_list_that_is_not_there_yet, a_path_that_is_no_text,
     a_database_is_made_where_that_is_asked, root_writes_nothing_where_others_could_redirect_it,
     root_follows_no_users_link, too_few_notaries, without_agent_or_module,
     a_module_that_does_not_work_changes_nothing, no_nss_to_try_it_with,
     another_program_writes_at_the_same_time, wrong_usage, the_answers_as_json)
