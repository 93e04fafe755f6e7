# SPDX-License-Identifier: MIT
"""enable --user and disable --user: an ordinary user, a home of its own, nothing of the machine's."""
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

PERSON = 4711
FAKE_SYSTEMCTL = """#!/bin/sh
echo "$*" >>"%(home)s/systemctl.log"
for unit; do :; done
case " $* " in
*" is-enabled "*) test -e "%(home)s/on.$unit" ;;
*" enable "*) : >"%(home)s/on.$unit" ;;
*" disable "*) rm -f "%(home)s/on.$unit" ;;
esac
"""


class Person:
    """Owns the installation's directory, which stands for what the user has configured."""

    def __init__(self, installation, manager=False):
        self.installation = installation
        self.home = installation.path("home")
        os.makedirs(os.path.join(self.home, "run", *(["systemd"] if manager else [])))
        with open(os.path.join(self.home, "systemctl"), "w", encoding="ascii") as file:
            file.write(FAKE_SYSTEMCTL % {"home": self.home})
        os.chmod(os.path.join(self.home, "systemctl"), 0o755)
        self.write(".profile", "# mine\numask 022")
        self.words = []
        if manager:
            if not os.path.exists("/usr/bin/systemctl"):
                raise Skip("no systemctl to put another in the place of")
            if os.geteuid() != 0:
                raise Skip("only root can show a user another systemctl")
            self.words = [*mount_namespace(), "sh", "-c", 'mount --bind %s/systemctl '
                          '/usr/bin/systemctl && exec "$0" "$@"' % self.home]
        if os.geteuid() == 0:
            if not have("setpriv"):
                raise Skip("no setpriv")
            self.words += ["setpriv", "--reuid=%d" % PERSON, "--regid=%d" % PERSON,
                           "--clear-groups"]
            subprocess.run(["chown", "-R", "%d:%d" % (PERSON, PERSON), installation.directory], check=True)

    def path(self, *names):
        return os.path.join(self.home, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def run(self, *arguments, **extra):
        environment = self.installation.environment(
            **{"HOME": self.home, "XDG_CONFIG_HOME": None, "XDG_RUNTIME_DIR": self.path("run"),
               **extra})
        return subprocess.run([*self.words, CONVERGE, *arguments], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)

    def good(self, *arguments, **extra):
        result = self.run(*arguments, **extra)
        same(result.returncode, OK, result.stdout + result.stderr)
        return result.stdout

    def files(self):
        found = {}
        for directory, _, names in os.walk(self.home):
            for name in names:
                path = os.path.join(directory, name)
                if not name.startswith(("systemctl", "on.")):
                    found[os.path.relpath(path, self.home)] = self.read(path)
        return found


def there_and_back_again(installation):
    person = Person(installation)
    before = person.files()
    said = person.good("enable", "--user")
    contains(said, ": enabled\n", "next login", ". ~/.profile", "Mode: ", "disable --user")
    conf = person.path(".config/converge/openssl.cnf")
    contains(person.read(conf), ".include ", "converge = converge_module")
    contains(person.read(".config/environment.d/60-converge.conf"), 'OPENSSL_CONF="%s"\n' % conf,
             'CONVERGE_CONFIG_DIR="%s"\n' % installation.directory)
    assert person.read(".profile").startswith("# mine\numask 022\n# >>> converge")
    now = person.files()
    contains(person.good("enable", "--user", OPENSSL_CONF=conf), "enabled already")
    contains(person.good("enable", "openssl", "--user"), "enabled already")
    same(person.files(), now)
    contains(person.good("disable", "--user", OPENSSL_CONF=conf), ": disabled\n")
    same(person.files(), before)
    contains(person.good("disable", "openssl", "--user"), "was not enabled")


def a_login_shell_has_programs_checked(installation):
    person = Person(installation)
    person.good("enable", "--user")
    shell = subprocess.run(["sh", "-c", ". %s/.profile; echo $OPENSSL_CONF $CONVERGE_CONFIG_DIR"
                            % person.home], stdout=subprocess.PIPE, text=True, check=True)
    same(shell.stdout, "%s %s\n" % (person.path(".config/converge/openssl.cnf"),
                                    installation.directory))
    if sanitized():
        raise Skip("a sanitized module does not load in unmodified programs")
    listed = subprocess.run(["sh", "-c", ". %s/.profile; openssl list -providers" % person.home],
                            stdout=subprocess.PIPE, text=True, check=True,
                            env=installation.environment())
    contains(listed.stdout, "  converge\n", "  default\n")


def a_bash_profile_is_not_forgotten(installation):
    person = Person(installation)
    person.write(".bash_profile", "")
    if os.geteuid() == 0:
        os.chown(person.path(".bash_profile"), PERSON, PERSON)
    before = person.files()
    person.good("enable", "--user")
    contains(person.read(".bash_profile"), "export OPENSSL_CONF")
    person.good("disable", "--user")
    same(person.files(), before)


def the_users_manager_keeps_the_socket(installation):
    person = Person(installation, manager=True)
    before = person.files()
    contains(person.good("enable", "--user"), "systemd keeps it ready")
    contains(person.read(".config/systemd/user/converge-agent.socket"),
             "ListenSequentialPacket=%s/run/agent.sock\n" % installation.directory)
    contains(person.read(".config/systemd/user/converge-agent.service"),
             'Environment="CONVERGE_CONFIG_DIR=%s"\n' % installation.directory)
    contains(person.read("systemctl.log"), "--user --no-ask-password daemon-reload\n",
             "--user --no-ask-password enable --now converge-agent.socket\n")
    person.good("disable", "--user")
    contains(person.read("systemctl.log"),
             "--user --no-ask-password disable --now converge-agent.socket\n")
    same(person.files(), before)


def a_machine_without_notaries(installation):
    """A directory of the user's own is made, and it is told how notaries come into it."""
    if os.path.exists("/usr/local/etc/converge"):
        raise Skip("this machine has an installation")
    own = installation.path("home", ".config", "converge")
    os.makedirs(own + "/replies")
    for directory in (own, own + "/replies"):
        os.chmod(directory, 0o700)
    with open(own + "/replies/notary-test", "w", encoding="ascii") as file:
        file.write('{"ok": true, "notaries": []}\n')
    person = Person(installation)
    result = person.run("enable", "--user", CONVERGE_CONFIG_DIR=None)
    os.kill(int(person.read(own + "/run/agent.pid")), signal.SIGTERM)
    same(result.returncode, UNDECIDED, result.stdout + result.stderr)
    contains(result.stderr, "CONVERGE_CONFIG_DIR=%s converge notary add"
             % person.path(".config/converge"))
    assert not os.path.exists(person.path(".config/converge/openssl.cnf"))


def a_dry_run_changes_nothing(installation):
    person = Person(installation)
    before = person.files()
    said = person.good("enable", "--user", "--dry-run")
    contains(said, "+++ %s" % person.path(".profile"), "+++ %s" % person.path(
        ".config/environment.d/60-converge.conf"), "would be enabled")
    same(person.files(), before)
    assert not os.path.exists(person.path(".config"))


def settings_that_were_made_are_kept(installation):
    person = Person(installation)
    person.good("enable", "--user")
    with open(installation.path("converge.conf"), "a", encoding="ascii") as file:
        file.write("quorum = 4\n")
    result = person.run("disable", "--user")
    same(result.returncode, OK, result.stderr)
    contains(result.stderr, "converge.conf: kept")
    contains(installation.read("converge.conf"), "mode = monitor\nquorum = 4\n")
    person.good("enable", "--user")
    contains(installation.read("converge.conf"), "quorum = 4\n")


def a_foreign_file_is_met_before_the_unit_is_on(installation):
    person = Person(installation, manager=True)
    for name in (".config/converge/openssl.cnf", ".config/systemd/user/converge-agent.service"):
        os.makedirs(os.path.dirname(person.path(name)), exist_ok=True)
        person.write(name, "A=b\n")
        subprocess.run(["chown", "-R", str(os.stat(person.home).st_uid), person.path(".config")],
                       check=True)
        before = {k: v for k, v in person.files().items() if "systemctl" not in k} \
            if isinstance(person.files(), dict) else None
        result = person.run("enable", "--user")
        same(result.returncode, FAULT, result.stdout)
        contains(result.stderr, "not of our making")
        if os.path.exists(person.path("systemctl.log")):
            assert "enable --now" not in person.read("systemctl.log")
        assert not os.path.exists(installation.path("converge.conf"))
        if before is not None:
            same({k: v for k, v in person.files().items() if "systemctl" not in k}, before)
        os.remove(person.path(name))


def what_is_not_ours_stays(installation):
    person = Person(installation)
    os.makedirs(person.path(".config/environment.d"))
    person.write(".config/environment.d/60-converge.conf", "A=b\n")
    subprocess.run(["chown", "-R", str(os.stat(person.home).st_uid), person.path(".config")],
                   check=True)
    result = person.run("enable", "--user")
    same(result.returncode, FAULT, result.stdout)
    contains(result.stderr, "not of our making")
    person.good("disable", "--user")
    same(person.read(".config/environment.d/60-converge.conf"), "A=b\n")
    other = person.path("other.cnf")
    shutil.copy("/etc/ssl/openssl.cnf", other)
    result = person.run("enable", "--user", OPENSSL_CONF=other)
    same(result.returncode, FAULT)
    contains(result.stderr, "--file " + other)


def a_name_that_a_shell_would_read_is_refused(installation):
    person = Person(installation)
    before = person.files()
    strange = installation.directory + "$(x)"
    shutil.copytree(installation.directory, strange, symlinks=True,
                    ignore=shutil.ignore_patterns("home", "*.sock"))
    owner = os.stat(installation.directory)
    subprocess.run(["chown", "-R", "%d:%d" % (owner.st_uid, owner.st_gid), strange], check=True)
    result = person.run("enable", "--user", "--anyway", CONVERGE_CONFIG_DIR=strange)
    shutil.rmtree(strange)
    same(result.returncode, FAULT, result.stdout)
    contains(result.stderr, "would need quoting")
    same(person.files(), before)


def root_is_refused(installation):
    if os.geteuid() != 0:
        raise Skip("not root")
    for command in ("enable", "disable"):
        result = installation.run(command, "--user")
        same(result.returncode, FAULT)
        contains(result.stderr, "root's programs", "converge %s openssl" % command)
    same(installation.run("enable", "--user", "--file", "/x").returncode, USAGE)


main(there_and_back_again, a_login_shell_has_programs_checked, a_bash_profile_is_not_forgotten,
     the_users_manager_keeps_the_socket, a_machine_without_notaries, a_dry_run_changes_nothing,
     settings_that_were_made_are_kept, a_foreign_file_is_met_before_the_unit_is_on,
     what_is_not_ours_stays, a_name_that_a_shell_would_read_is_refused, root_is_refused)
