# SPDX-License-Identifier: MIT
"""run: unmodified programs are watched, and nothing else about them changes."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *


def need_module():
    if sanitized():
        raise Skip("a sanitized module does not load in unmodified programs")


def watched(installation, site, command, fails=None, **extra):
    """The command goes through when the notaries agree and fails when they do not; both times
    exactly one question names the site."""
    need_module()
    installation.write("answer", "59 41 1")
    result = installation.run("run", "--", *command, **extra)
    same(result.returncode, 0, result.stdout + result.stderr)
    installation.write("answer", "4e 52 1")
    result = installation.run("run", "--", *command, **extra)
    assert result.returncode not in (0, 126, 127), "it went on:\n" + result.stdout + result.stderr
    questions = [line for line in installation.read("questions").splitlines()
                 if "host=localhost port=%d " % site.port in line]
    same(len(questions), 2, installation.read("questions"))


def curl(installation):
    site = Site(installation.directory)
    watched(installation, site, ["curl", "-sSf", "--cacert", site.certificate, site.url])


def python3(installation):
    site = Site(installation.directory)
    watched(installation, site, ["/usr/bin/python3", "-c",
                                 "import ssl, sys, urllib.request\n"
                                 "context = ssl.create_default_context(cafile=sys.argv[1])\n"
                                 "urllib.request.urlopen(sys.argv[2], context=context).read()",
                                 site.certificate, site.url])


def node(installation):
    if not have("node"):
        raise Skip("no node")
    site = Site(installation.directory)
    watched(installation, site, ["node", "-e",
                                 "require('https').get(process.argv[1], {family: 4, ca: "
                                 "require('fs').readFileSync(process.argv[2])}, "
                                 "r => r.resume()).on('error', () => process.exit(1))",
                                 site.url, site.certificate])


def the_environment_is_the_callers_but_for_openssl_conf(installation):
    result = installation.run("run", "env", "-0", SSL_CERT_FILE="/x", ODD="a b\nc")
    same(result.returncode, OK, result.stderr)
    got = dict(item.split("=", 1) for item in result.stdout.split("\0") if item)
    wanted = installation.environment(SSL_CERT_FILE="/x", ODD="a b\nc")
    conf = got.pop("OPENSSL_CONF")
    got.pop("_", None)
    wanted.pop("_", None)
    same(got, wanted)
    contains(open(conf, encoding="utf-8").read(), "module = " + MODULE)


def descriptors_pid_and_status_are_the_commands(installation):
    same(installation.run("run", "sh", "-c", "exit 42").returncode, 42)
    same(installation.run("run", "sh", "-c", "kill -TERM $$").returncode, -15)
    process = subprocess.Popen([CONVERGE, "run", "sh", "-c", "echo $$; ls /proc/self/fd"],
                               env=installation.environment(), stdout=subprocess.PIPE, text=True)
    output = process.communicate(timeout=30)[0].split()
    same(int(output[0]), process.pid)
    same(output[1:], ["0", "1", "2", "3"])  # the last is ls's own


def commands_that_cannot_be_run(installation):
    same(installation.run("run", "/nonexistent/program").returncode, 127)
    same(installation.run("run", "no-such-program-anywhere", PATH="/usr/bin:/bin").returncode, 127)
    same(installation.run("run", installation.directory).returncode, 126)


def without_an_agent_the_command_is_not_run(installation):
    installation.write("fail", "out of order\n")
    result = installation.run("run", "touch", installation.path("ran"))
    same(result.returncode, FAULT)
    contains(result.stderr, "out of order")
    assert not os.path.exists(installation.path("ran"))


def without_a_module_the_command_is_not_run(installation):
    installation.write("text.so", "not a module\n")
    for module in ("/nonexistent/converge.so", "converge.so", installation.path("text.so"),
                   "/lib/x86_64-linux-gnu/libc.so.6"):
        result = installation.run("run", "touch", installation.path("ran"), CONVERGE_MODULE=module)
        same(result.returncode, FAULT, result.stderr)
    assert not os.path.exists(installation.path("ran"))


def a_configuration_that_keeps_the_module_out_is_told(installation):
    """A provider's name that is taken by another identity, and the like: what counts is whether the
    module is loaded in the end."""
    need_module()
    installation.write("odd.cnf", "openssl_conf = a\n[a]\nnonsense_module = x\nproviders = p\n"
                       "[p]\nmissing = gone\n")
    result = installation.run("run", "touch", installation.path("ran"),
                              OPENSSL_CONF=installation.path("odd.cnf"))
    same(result.returncode == OK, os.path.exists(installation.path("ran")), result.stderr)
    listed = installation.run("run", "openssl", "list", "-providers",
                              OPENSSL_CONF=installation.path("odd.cnf"))
    same("  converge\n" in listed.stdout, result.returncode == OK, listed.stdout)


def with_a_configuration_that_cannot_be_read_the_command_is_not_run(installation):
    installation.write("converge.conf", "mode = whatever\n")
    same(installation.run("run", "touch", installation.path("ran")).returncode, FAULT)
    installation.write("converge.conf", "")
    installation.write("broken.cnf", "openssl_conf = x\n[broken\n")
    result = installation.run("run", "touch", installation.path("ran"),
                              OPENSSL_CONF=installation.path("broken.cnf"))
    same(result.returncode, FAULT, result.stderr)
    contains(result.stderr, "broken.cnf", "line 2")
    assert not os.path.exists(installation.path("ran"))


def a_path_with_a_line_break(installation):
    installation.write("a\nb.cnf", "")
    result = installation.run("run", "touch", installation.path("ran"),
                              OPENSSL_CONF=installation.path("a\nb.cnf"))
    same(result.returncode, FAULT, result.stderr)
    assert not os.path.exists(installation.path("ran"))


def the_callers_openssl_cnf_stays_in_force(installation):
    need_module()
    odd = installation.path("a b")
    os.mkdir(odd)
    with open(os.path.join(odd, "my #1.cnf"), "w", encoding="utf-8") as file:
        file.write("openssl_conf = here\n[here]\nproviders = p\n[p]\ndefault = d\nlegacy = d\n"
                   "[d]\nactivate = 1")
    for path in ("my #1.cnf", os.path.join(odd, "my #1.cnf")):
        result = subprocess.run([CONVERGE, "run", "openssl", "list", "-providers"], cwd=odd,
                                env=installation.environment(OPENSSL_CONF=path),
                                stdout=subprocess.PIPE, text=True, check=True)
        contains(result.stdout, "  converge\n", "  legacy\n", "  default\n")


def no_openssl_cnf_at_all(installation):
    need_module()
    for path in ("", "/nonexistent/openssl.cnf"):
        result = installation.run("run", "openssl", "list", "-providers", OPENSSL_CONF=path)
        same(result.returncode, OK, result.stderr)
        contains(result.stdout, "  converge\n", "  default\n")


def run_within_run(installation):
    need_module()
    result = installation.run("run", CONVERGE, "run", "openssl", "list", "-providers")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "  converge\n", "  default\n")


def a_thousand_commands_leave_one_file(installation):
    directory = installation.path("run-tools" if os.geteuid() == 0 else "run")
    for _ in range(5):
        same(installation.run("run", "true").returncode, OK)
    files = [name for name in os.listdir(directory) if name.endswith(".cnf")]
    same(len(files), 1, str(files))
    path = os.path.join(directory, files[0])
    same(os.stat(path).st_mode & 0o777, 0o644)
    with open(path, "a", encoding="utf-8") as file:
        file.write("# somebody's\n")
    same(installation.run("run", "true").returncode, OK)
    assert "somebody" not in open(path, encoding="utf-8").read()


def an_ordinary_user(installation):
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    if not have("setpriv"):
        raise Skip("no setpriv")
    own = Installation()
    try:
        for name in ("", "replies", "replies/notary-test", "replies/reload"):
            os.chown(own.path(name), 65534, 65534)
        own.write("answer", "59 41 1")
        os.chmod(own.path("answer"), 0o644)
        reachable = installation.path("bin")
        os.mkdir(reachable)
        for source in (CONVERGE, FAKE_AGENT, MODULE):
            shutil.copy(source, reachable)
        environment = own.environment(
            CONVERGE_AGENT=os.path.join(reachable, "fake-agent"),
            CONVERGE_MODULE=os.path.join(reachable, "converge.so"), HOME=own.directory)
        result = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             os.path.join(reachable, "converge"), "run", "sh", "-c", "id -u; cat $OPENSSL_CONF"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
            check=False)
        same(result.returncode, OK, result.stdout + result.stderr)
        contains(result.stdout, "65534\n", "module = " + reachable)
        same(os.stat(own.path("run")).st_mode & 0o777, 0o700)
    finally:
        own.close()


def an_excluded_program_is_told(installation):
    installation.write("converge.conf", "exclude_programs = true\n")
    result = installation.run("run", "true")
    same(result.returncode, OK)
    contains(result.stderr, "not checked")


def what_is_not_checked_is_told(installation):
    result = installation.run("run", "true", CONVERGE="off")
    same(result.returncode, OK)
    contains(result.stderr, "CONVERGE=off", "are not checked")
    for value in "", "on", "OFF":
        same(installation.run("run", "true", CONVERGE=value).stderr, "")
    installation.write("converge.conf", "allow_off = no\n")
    contains(installation.run("run", "true", CONVERGE="off").stderr, "checked all the same")
    installation.write("converge.conf", "mode = monitor\n")
    contains(installation.run("run", "true").stderr, "nothing is refused")


def wrong_usage(installation):
    same(installation.run("run").returncode, USAGE)
    same(installation.run("run", "--").returncode, USAGE)
    same(installation.run("run", "--bogus", "true").returncode, USAGE)
    # What follows the command's name is the command's.
    same(installation.run("run", "sh", "-c", "exit 7").returncode, 7)
    same(installation.run("run", "echo", "--json").stdout, "--json\n")


main(curl, python3, node, the_environment_is_the_callers_but_for_openssl_conf,
     descriptors_pid_and_status_are_the_commands, commands_that_cannot_be_run,
     a_configuration_that_keeps_the_module_out_is_told, without_an_agent_the_command_is_not_run,
     without_a_module_the_command_is_not_run,
     with_a_configuration_that_cannot_be_read_the_command_is_not_run, a_path_with_a_line_break,
     the_callers_openssl_cnf_stays_in_force, no_openssl_cnf_at_all, run_within_run,
     a_thousand_commands_leave_one_file, an_ordinary_user, an_excluded_program_is_told,
     what_is_not_checked_is_told, wrong_usage)
