# SPDX-License-Identifier: MIT
"""enable and disable for the whole machine: its openssl.cnf, its agent's socket unit, its memory of
what is enabled. In mount namespaces, where /etc, /run and the installation's directory are copies,
and systemctl is one that only takes notes."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

FAKE_SYSTEMCTL = """#!/bin/sh
# Remembers which units are on, as a file each; BROKEN makes it fail.
state=$(dirname "$0")
echo "$*" >>"%(log)s"
for unit; do :; done
case " $* " in
*" is-enabled "*) test -e "%(state)s/$unit" ;;
*" enable "*) test ! -e "%(state)s/BROKEN" || { echo "Job failed."; exit 1; }; : >"%(state)s/$unit" ;;
*" disable "*) rm -f "%(state)s/$unit" ;;
esac
"""

FAKE_SYSUSERS = """#!/bin/sh
echo "sysusers $*" >>"%(log)s"
test ! -e "%(state)s/NOUSER" || { echo "Read-only."; exit 1; }
"""

# As `make install` has it.
BRING_SYSUSERS = 'mkdir -p %(dir)s && echo "u converge" >%(dir)s/converge-agent.conf; '


def sysusers():
    lines = makefile()
    return lines["cvg_sysusersdir"].replace("$(prefix)", lines["prefix"])


def openssl_directory():
    directory = subprocess.run(["openssl", "version", "-d"], stdout=subprocess.PIPE, text=True,
                               check=True).stdout.split('"')[1]
    return os.path.dirname(os.path.realpath(os.path.join(directory, "openssl.cnf")))


def makefile():
    with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(" = ", 1) for line in file if " = " in line)


def configured_directory():
    """The installation's own, by what the binary says of its agent."""
    lines = makefile()
    prefix = lines["prefix"]
    return lines["sysconfdir"].replace("${prefix}", prefix) + "/converge"


class Machine:
    """A namespace whose system directories are the test's. systemd: whether one is there."""

    def __init__(self, installation, systemd=True, conf="mode = monitor\n"):
        self.installation = installation
        self.words = mount_namespace()
        self.state = installation.path("units")
        self.log = installation.path("systemctl.log")
        self.ssl = installation.path("ssl")
        self.etc = installation.path("etc")
        self.systemd = systemd
        for name in (self.state, self.ssl, self.etc, installation.path("run-tree")):
            os.mkdir(name)
        subprocess.run(["cp", os.path.join(openssl_directory(), "openssl.cnf"), self.ssl],
                       check=True)
        with open(self.path("converge.conf"), "w", encoding="ascii") as file:
            file.write(conf)
        if systemd:
            os.makedirs(installation.path("run-tree", "systemd", "system"))
        with open(installation.path("systemctl"), "w", encoding="ascii") as file:
            file.write(FAKE_SYSTEMCTL % {"log": self.log, "state": self.state})
        with open(installation.path("systemd-sysusers"), "w", encoding="ascii") as file:
            file.write(FAKE_SYSUSERS % {"log": self.log, "state": self.state})
        for name in ("systemctl", "systemd-sysusers"):
            os.chmod(installation.path(name), 0o755)
        with open(installation.path("nothing"), "w", encoding="ascii"):
            pass

    def path(self, name):
        return os.path.join(self.etc, name)

    def conf(self):
        with open(os.path.join(self.ssl, "openssl.cnf"), "rb") as file:
            return file.read()

    def script(self, script, **extra):
        """Runs the shell's lines; $CONVERGE is the command."""
        where = configured_directory()
        base = os.path.dirname(os.path.dirname(where))
        setup = """
            set -e
            mount -t tmpfs none %s
            mkdir -p %s
            mount --bind %s %s
            mount --bind %s %s
            mount --bind %s /run
            %s
        """ % (base, where, self.etc, where, self.ssl, openssl_directory(),
               self.installation.path("run-tree"), self.systemctl())
        environment = self.installation.environment(CONVERGE_CONFIG_DIR=None, CONVERGE=CONVERGE,
                                                    **extra)
        return subprocess.run([*self.words, "sh", "-c", setup + "set +e\n" + script], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=120, check=False)

    def systemctl(self):
        for name in ("systemctl", "systemd-sysusers"):
            if not os.path.exists("/usr/bin/" + name):
                raise Skip("no %s to put another in the place of" % name)
        return "; ".join("mount --bind %s /usr/bin/%s" % (self.installation.path(name), name)
                         for name in ("systemctl", "systemd-sysusers"))

    def called(self):
        return self.installation.read("systemctl.log").splitlines()

    def enabled(self):
        try:
            with open(self.path("enabled"), encoding="ascii") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []


def the_unit_is_switched_on_and_off_again(installation):
    machine = Machine(installation)
    before = machine.conf()
    result = machine.script('"$CONVERGE" enable openssl --anyway')
    same(result.returncode, OK, result.stdout + result.stderr)
    contains(result.stdout, "systemd keeps it ready (converge-agent.socket, switched on now)",
             "Mode: monitor", "converge report", "converge mode augment",
             "Back: converge disable openssl")
    contains("\n".join(machine.called()), "enable --now converge-agent.socket")
    assert before != machine.conf()
    same([line for line in machine.enabled() if line.startswith("unit ")],
         ["unit converge-agent.socket"])
    result = machine.script('"$CONVERGE" enable openssl --anyway')
    contains(result.stdout, "enabled already")
    same(sum("enable --now" in line for line in machine.called()), 1)
    result = machine.script('"$CONVERGE" disable openssl')
    same(result.returncode, OK, result.stdout + result.stderr)
    same(machine.conf(), before)
    contains("\n".join(machine.called()), "disable --now converge-agent.socket")
    contains(result.stderr, "users who enabled it for themselves", "nss --profiles")
    same(machine.enabled(), [])
    same(sorted(os.listdir(machine.etc)), ["converge.conf"])
    same(os.listdir(machine.ssl), ["openssl.cnf"])


def a_unit_that_was_on_before_stays_on(installation):
    machine = Machine(installation)
    with open(os.path.join(machine.state, "converge-agent.socket"), "w", encoding="ascii"):
        pass
    same(machine.script('"$CONVERGE" enable openssl --anyway').returncode, OK)
    same(machine.script('"$CONVERGE" disable openssl').returncode, OK)
    assert not any("able --now" in line for line in machine.called()), machine.called()


def a_unit_that_another_target_needs_stays_on(installation):
    machine = Machine(installation)
    other = installation.path("other.cnf")
    with open(other, "w", encoding="ascii"):
        pass
    script = '"$CONVERGE" enable openssl --anyway && "$CONVERGE" enable openssl --anyway --file %s'
    result = machine.script(script % other)
    same(result.returncode, OK, result.stderr)
    same(machine.script('"$CONVERGE" disable openssl').returncode, OK)
    assert not any("disable" in line for line in machine.called()), machine.called()
    same(machine.script('"$CONVERGE" disable openssl --file %s' % other).returncode, OK)
    contains("\n".join(machine.called()), "disable --now converge-agent.socket")


def a_unit_that_profiles_need_stays_on(installation):
    """Every profile that a browser was started with keeps the module when root takes it back."""
    machine = Machine(installation)
    own_etc = 'cp -a /etc %s && mount --bind %s /etc && ' % ((installation.path("whole-etc"),) * 2)
    result = machine.script(own_etc + '"$CONVERGE" enable nss --firefox --anyway')
    assert result.returncode in (OK, REFUSED), result.stdout + result.stderr
    contains("\n".join(machine.enabled()), "nss --firefox", "unit converge-agent.socket")
    own_etc = 'mount --bind %s /etc && ' % installation.path("whole-etc")
    result = machine.script(own_etc + '"$CONVERGE" disable nss --firefox')
    same(result.returncode, OK, result.stdout + result.stderr)
    contains(result.stderr, "stays on", "systemctl disable --now converge-agent.socket")
    assert not any("disable" in line for line in machine.called()), machine.called()
    same(machine.enabled(), [])


def a_unit_that_does_not_start_changes_nothing(installation):
    machine = Machine(installation)
    before = machine.conf()
    with open(os.path.join(machine.state, "BROKEN"), "w", encoding="ascii"):
        pass
    result = machine.script('"$CONVERGE" enable openssl --anyway')
    same(result.returncode, FAULT, result.stdout)
    contains(result.stderr, "nothing was changed", "Job failed.", "--no-agent")
    same(machine.conf(), before)
    same(machine.enabled(), [])


def the_agents_user_is_made_before_its_unit(installation):
    """Only where `make install` brought along who that is; in a rehearsal it is told."""
    machine = Machine(installation)
    bring = BRING_SYSUSERS % {"dir": sysusers()}
    result = machine.script(bring + '"$CONVERGE" enable openssl --dry-run')
    same(result.returncode, OK, result.stdout + result.stderr)
    contains(result.stdout, "Would run systemd-sysusers %s/converge-agent.conf" % sysusers())
    assert not any(line.startswith("sysusers") for line in machine.called()), machine.called()
    result = machine.script(bring + '"$CONVERGE" enable openssl --anyway')
    same(result.returncode, OK, result.stdout + result.stderr)
    changes = [line for line in machine.called() if "is-enabled" not in line]
    same(changes[0], "sysusers %s/converge-agent.conf" % sysusers())
    contains(changes[1], "enable --now converge-agent.socket")


def without_the_agents_user_nothing_is_changed(installation):
    machine = Machine(installation)
    before = machine.conf()
    with open(os.path.join(machine.state, "NOUSER"), "w", encoding="ascii"):
        pass
    result = machine.script(BRING_SYSUSERS % {"dir": sysusers()} + '"$CONVERGE" enable openssl --anyway')
    same(result.returncode, FAULT, result.stdout)
    contains(result.stderr, "nothing was changed", "systemd-sysusers", "Read-only.")
    same(machine.conf(), before)
    assert not any("enable --now" in line for line in machine.called()), machine.called()


def the_agent_can_be_left_alone(installation):
    machine = Machine(installation)
    result = machine.script('"$CONVERGE" enable openssl --anyway --no-agent')
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "left to you")
    assert not any("enable --now" in line for line in machine.called()), machine.called()
    same(machine.script('"$CONVERGE" disable openssl').returncode, OK)


def without_systemd_it_is_told_how_to_start_it(installation):
    machine = Machine(installation, systemd=False)
    result = machine.script('"$CONVERGE" enable openssl --anyway')
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "idle_exit = 0", "libexec/converge-agent", "/etc/inittab")
    same(machine.called(), [])
    same(machine.script('"$CONVERGE" disable openssl').returncode, OK)


def a_dry_run_tells_the_unit_too(installation):
    machine = Machine(installation)
    before = machine.conf()
    result = machine.script('"$CONVERGE" enable openssl --dry-run')
    same(result.returncode, OK, result.stdout + result.stderr)
    contains(result.stdout, "Would run systemctl enable --now converge-agent.socket",
             "+unit converge-agent.socket", "+[", "--- /dev/null")
    same(machine.conf(), before)
    same(machine.enabled(), [])
    assert not any("enable --now" in line for line in machine.called()), machine.called()


def off_again_whatever_is_broken(installation):
    """No agent, no notaries, no module, a configuration that cannot be read, OPENSSL_CONF anywhere."""
    machine = Machine(installation)
    before = machine.conf()
    same(machine.script('"$CONVERGE" enable openssl --anyway').returncode, OK)
    with open(machine.path("converge.conf"), "w", encoding="ascii") as file:
        file.write("this is = no configuration\n")
    result = machine.script('OPENSSL_CONF=/nonexistent/x.cnf CONVERGE_MODULE=/nonexistent.so '
                            'CONVERGE_AGENT=/nonexistent OPENSSL_MODULES=/nonexistent '
                            '"$CONVERGE" disable openssl')
    same(result.returncode, OK, result.stdout + result.stderr)
    same(machine.conf(), before)


def a_machine_without_openssl_cnf_gets_one_and_loses_it(installation):
    """As one has it where only the library is installed."""
    machine = Machine(installation)
    named = os.path.dirname(subprocess.run(["openssl", "version", "-d"], stdout=subprocess.PIPE,
                                           text=True, check=True).stdout.split('"')[1] + "/x")
    result = machine.script("""
        mount -t tmpfs none %(named)s
        "$CONVERGE" enable openssl --anyway && cat %(named)s/openssl.cnf
        "$CONVERGE" disable openssl && ls -A %(named)s
    """ % {"named": named})
    same(result.returncode, OK, result.stdout + result.stderr)
    contains(result.stdout, "converge = converge_module", "%s/openssl.cnf: disabled\n" % named)
    assert result.stdout.endswith("disabled\n"), result.stdout


def another_openssl_conf_is_told(installation):
    machine = Machine(installation)
    result = machine.script('OPENSSL_CONF=/etc/hostname "$CONVERGE" enable openssl --anyway')
    same(result.returncode, OK, result.stderr)
    contains(result.stderr, 'OPENSSL_CONF is "/etc/hostname" here')


def the_mode_in_the_same_step(installation):
    machine = Machine(installation, conf="# before\nmode = monitor # so far\nquorum = 2\n")
    result = machine.script('"$CONVERGE" enable openssl --anyway --mode augment --dry-run')
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "-mode = monitor # so far", "+mode = augment")
    result = machine.script('"$CONVERGE" enable openssl --anyway --mode augment')
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "Mode: augment.")
    with open(machine.path("converge.conf"), encoding="ascii") as file:
        contains(file.read(), "# before\nmode = augment", "quorum = 2\n")
    same(machine.script('"$CONVERGE" enable openssl --anyway --mode strict').returncode, USAGE)


main(the_mode_in_the_same_step, the_unit_is_switched_on_and_off_again, a_unit_that_was_on_before_stays_on,
     a_unit_that_another_target_needs_stays_on, a_unit_that_profiles_need_stays_on,
     a_unit_that_does_not_start_changes_nothing, the_agents_user_is_made_before_its_unit,
     without_the_agents_user_nothing_is_changed,
     the_agent_can_be_left_alone, without_systemd_it_is_told_how_to_start_it,
     a_dry_run_tells_the_unit_too, off_again_whatever_is_broken,
     a_machine_without_openssl_cnf_gets_one_and_loses_it, another_openssl_conf_is_told)
