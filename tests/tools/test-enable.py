# SPDX-License-Identifier: MIT
"""enable and disable, on many an openssl.cnf: what programs get out of the file, and that nothing
in it is lost."""
import contextlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

DEBIAN = """
HOME = .
openssl_conf = openssl_init
config_diagnostics = 1
oid_section = new_oids
[ new_oids ]
tsa_policy1 = 1.2.3.4.1
[openssl_init]
# providers = provider_sect
ssl_conf = ssl_sect
[ssl_sect]
system_default = system_default_sect
[system_default_sect]
MinProtocol = TLSv1.2
CipherString = DEFAULT:@SECLEVEL=2
"""

EXISTING = """
openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
legacy = legacy_sect
[default_sect]
activate = 1
[legacy_sect]
activate = 1
"""

INACTIVE_DEFAULT = """
openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
[default_sect]
# activate = 1
"""

NO_CONF = "# nothing but a comment\n[ req ]\nprompt = no\n"

NODE_OF_ITS_OWN = """
nodejs_conf = node_init
openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
[default_sect]
activate = 1
[node_init]
ssl_conf = ssl_sect
[ssl_sect]
system_default = x
[x]
MinProtocol = TLSv1.2
"""

TAKEN_NAMES = """
[converge_init]
secret = kept
[converge_module]
module = /nonexistent
[converge_default]
activate = 0
"""

NO_NEWLINE = "openssl_conf = openssl_init\n[openssl_init]"

CRLF = "openssl_conf = openssl_init\r\n[openssl_init]\r\nproviders = p\r\n[p]\r\ndefault = d\r\n" \
       "[d]\r\nactivate = 1\r\n"


def put(installation, text, name="openssl.cnf"):
    path = installation.path(name)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return path


def get(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def providers(installation, path):
    """Which providers a program with this file has: those of our own canary process, since a
    sanitized module loads nowhere else. The openssl command is asked too where it can be."""
    if sanitized():
        return None
    result = subprocess.run(["openssl", "list", "-providers"], stdout=subprocess.PIPE, text=True,
                            env=installation.environment(OPENSSL_CONF=path), check=True)
    return sorted(line.strip() for line in result.stdout.splitlines()
                  if line.startswith("  ") and not line.startswith("   "))


def round_trip(installation, text, wanted=("converge", "default")):
    path = put(installation, text)
    result = installation.run("enable", "openssl", "--file", path)
    same(result.returncode, OK, result.stdout + result.stderr)
    contains(result.stdout, "refused and accepted as told")
    enabled = get(path)
    assert enabled.startswith(text), "lines of the file were changed"
    same(get(path + ".before-converge"), text)
    got = providers(installation, path)
    if got is not None:
        same(got, sorted(wanted), enabled)
    again = installation.run("enable", "openssl", "--file", path)
    same(again.returncode, OK, again.stderr)
    contains(again.stdout, "enabled already")
    same(get(path), enabled)
    same(installation.run("disable", "openssl", "--file", path).returncode, OK)
    same(get(path), text)
    assert not os.path.exists(path + ".before-converge"), "the backup is of no use any more"
    same(installation.run("disable", "openssl", "--file", path).returncode, OK)
    same(get(path), text)


def debians_default(installation):
    round_trip(installation, DEBIAN)


def the_systems_own(installation):
    path = "/etc/ssl/openssl.cnf"
    if not os.path.exists(path):
        raise Skip("no " + path)
    round_trip(installation, get(path))


def providers_that_are_there_stay(installation):
    round_trip(installation, EXISTING, ("converge", "default", "legacy"))


def a_default_that_is_named_but_not_active(installation):
    round_trip(installation, INACTIVE_DEFAULT)


def no_openssl_conf_line(installation):
    round_trip(installation, NO_CONF)


def an_empty_file(installation):
    round_trip(installation, "")


def a_last_line_without_a_newline(installation):
    round_trip(installation, NO_NEWLINE)


def lines_that_end_with_carriage_return(installation):
    round_trip(installation, CRLF)


def section_names_of_ours_that_are_taken(installation):
    round_trip(installation, TAKEN_NAMES)


def an_include_is_followed(installation):
    inner = put(installation, EXISTING, "inner.cnf")
    round_trip(installation, ".include %s\n" % inner, ("converge", "default", "legacy"))
    same(get(inner), EXISTING)


def a_fips_setup_gets_no_default_provider(installation):
    """No FIPS module is installed here: the base provider stands in for it, as the one that is
    active. The default one must not be added to it."""
    path = put(installation, EXISTING.replace("default = default_sect", "base = default_sect")
               .replace("legacy = legacy_sect\n", ""))
    result = installation.run("enable", "openssl", "--file", path, "--anyway")
    # Without any algorithm the canary cannot shake hands: nothing may be changed then.
    same(result.returncode, FAULT, result.stdout)
    contains(result.stderr, "nothing was changed")
    assert "converge" not in get(path)
    # What run makes of it shows what would have been added.
    result = installation.run("run", "cat", "/dev/null", OPENSSL_CONF=path)
    same(result.returncode, OK, result.stderr)
    made = subprocess.run("cat %s/*.cnf" % installation.path(run_directory()), shell=True,
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    contains(made, "converge = converge_module")
    assert "default = " not in made, made


def run_directory():
    return "run-tools" if os.geteuid() == 0 else "run"


def node_is_pointed_to_the_same_section(installation):
    path = put(installation, DEBIAN)
    same(installation.run("enable", "openssl", "--file", path).returncode, OK)
    contains(get(path), "nodejs_conf = openssl_init\n")


def a_section_that_node_has_of_its_own_is_completed(installation):
    path = put(installation, NODE_OF_ITS_OWN)
    same(installation.run("enable", "openssl", "--file", path).returncode, OK)
    contains(get(path), "[node_init]\nproviders = converge_node_providers\n")
    same(get(path).count("nodejs_conf"), 1)
    got = providers(installation, path)
    if got is not None:
        same(got, ["converge", "default"])


def others_changes_in_between_stay(installation):
    path = put(installation, DEBIAN)
    same(installation.run("enable", "openssl", "--file", path).returncode, OK)
    changed = "# somebody was here\n" + get(path) + "[ tail ]\nx = y\n"
    put(installation, changed)
    same(installation.run("disable", "openssl", "--file", path).returncode, OK)
    same(get(path), "# somebody was here\n" + DEBIAN + "[ tail ]\nx = y\n")
    same(get(path + ".before-converge"), DEBIAN)


def a_lost_mark_is_told_and_nothing_changed(installation):
    path = put(installation, DEBIAN)
    same(installation.run("enable", "openssl", "--file", path).returncode, OK)
    for lost in ("# <<<", "# >>>"):
        text = "".join(line for line in get(path).splitlines(True) if not line.startswith(lost))
        broken = put(installation, text, "broken.cnf")
        for command in ("enable", "disable"):
            result = installation.run(command, "openssl", "--file", broken)
            same(result.returncode, FAULT)
            contains(result.stderr, "by hand")
            same(get(broken), text)


def a_changed_module_path_is_brought_up_to_date(installation):
    path = put(installation, DEBIAN)
    other = installation.path("odd name; #1.so")
    os.symlink(MODULE, other)
    same(installation.run("enable", "openssl", "--file", path, CONVERGE_MODULE=other).returncode, OK)
    contains(get(path), "odd\\ name\\;\\ \\#1.so")
    result = installation.run("enable", "openssl", "--file", path)
    same(result.returncode, OK, result.stderr)
    contains(get(path), "module = %s\n" % MODULE)
    same(installation.run("disable", "openssl", "--file", path).returncode, OK)
    same(get(path), DEBIAN)


def links_owners_and_modes_stay(installation):
    path = put(installation, DEBIAN)
    os.chmod(path, 0o640)
    if os.geteuid() == 0:
        os.chown(path, 0, 23456)
    with contextlib.suppress(OSError):
        os.setxattr(path, "user.converge-test", b"kept")
    before = os.stat(path)
    link = installation.path("link.cnf")
    os.symlink("openssl.cnf", link)
    same(installation.run("enable", "openssl", "--file", link).returncode, OK)
    assert os.path.islink(link)
    contains(get(path), "converge")
    after = os.stat(path)
    same((after.st_mode, after.st_uid, after.st_gid), (before.st_mode, before.st_uid, before.st_gid))
    with contextlib.suppress(OSError):
        if os.listxattr(path + ".before-converge"):
            same(os.getxattr(path, "user.converge-test"), b"kept")


ALPINE = """HOME\t\t\t= .
openssl_conf = openssl_init
.include /nonexistent/fips.cnf
[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
[default_sect]
activate = 1
"""

FEDORA = """openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
ssl_conf = ssl_module
alg_section = evp_properties
[ evp_properties ]
#This section is intentionally added empty here
[provider_sect]
default = default_sect
##legacy = legacy_sect
[default_sect]
activate = 1
.include /nonexistent/openssl.d
[ ssl_module ]
system_default = crypto_policy
[ crypto_policy ]
.include = /nonexistent/opensslcnf.config
"""


def every_octet_comes_back(installation):
    """Of many files, in each way of ending lines and the last one."""
    for text in (DEBIAN, EXISTING, INACTIVE_DEFAULT, NO_CONF, NODE_OF_ITS_OWN, ALPINE, FEDORA):
        for shape in (text, text.rstrip("\n"), text.replace("\n", "\r\n"), text + "\n\n# \u00fc\n"):
            path = put(installation, shape)
            result = installation.run("enable", "openssl", "--file", path)
            same(result.returncode, OK, shape + result.stderr)
            assert get(path).startswith(shape)
            same(installation.run("disable", "openssl", "--file", path).returncode, OK)
            same(get(path), shape)


def root_follows_nobodys_link(installation):
    """Nor does root load a file that somebody else could have written."""
    if os.geteuid() != 0:
        raise Skip("only root has others to beware of")
    path = put(installation, DEBIAN)
    theirs = installation.path("theirs")
    os.mkdir(theirs)
    os.chown(theirs, 12345, 12345)
    link = os.path.join(theirs, "openssl.cnf")
    os.symlink(path, link)
    own = put(installation, DEBIAN, "own.cnf")
    os.chown(own, 12345, 12345)
    for command in ("enable", "disable"):
        for wrong in (link, own):
            result = installation.run(command, "openssl", "--file", wrong)
            same(result.returncode, FAULT, result.stdout)
            contains(result.stderr, "belongs to uid 12345")
    same(get(path), DEBIAN)
    same(get(own), DEBIAN)


def a_dry_run_changes_nothing_and_shows_the_diff(installation):
    path = put(installation, DEBIAN)
    before = os.stat(path)
    files = sorted(os.listdir(installation.directory))
    result = installation.run("enable", "openssl", "--file", path, "--dry-run",
                              CONVERGE_AGENT="/nonexistent")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "--- %s\n+++ %s\n@@ " % (path, path), "+module = %s\n" % MODULE,
             "would be enabled")
    same(os.stat(path), before)
    same(sorted(os.listdir(installation.directory)), files)
    shown = installation.json("enable", "openssl", "--file", path, "--dry-run", "--json")
    same((shown["ok"], shown["dry_run"], shown["changes"][0]["file"]), (True, True, path))
    same(installation.run("enable", "openssl", "--file", path).returncode, OK)
    enabled = get(path)
    if have("patch"):
        put(installation, DEBIAN)
        subprocess.run(["patch", "-s", path], input=shown["changes"][0]["diff"], text=True,
                       check=True)
        same(get(path), enabled)
    result = installation.run("disable", "openssl", "--file", path, "--dry-run")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "-module = %s\n" % MODULE, "would be disabled")
    same(get(path), enabled)
    result = installation.run("enable", "openssl", "--file", path, "--dry-run")
    contains(result.stdout, "enabled already")
    assert "@@" not in result.stdout, result.stdout


def providers_in_an_included_directory(installation):
    os.mkdir(installation.path("openssl.d"))
    put(installation, "[provider_sect]\nlegacy = legacy_sect\n[legacy_sect]\nactivate = 1\n",
        "openssl.d/legacy.cnf")
    fedora = DEBIAN.replace("# providers", "providers") + """
[provider_sect]
default = default_sect
[default_sect]
activate = 1
.include %s
.include = /nonexistent/crypto-policies.config
""" % installation.path("openssl.d")
    round_trip(installation, fedora, ("converge", "default", "legacy"))


def a_provider_from_elsewhere_stays(installation):
    """As oqsprovider is set up; the legacy module stands in for it."""
    legacy = subprocess.run(["openssl", "version", "-m"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout.split('"')[1] + "/legacy.so"
    if not os.path.exists(legacy):
        raise Skip("no " + legacy)
    round_trip(installation, DEBIAN.replace("# providers", "providers") + """
[provider_sect]
default = default_sect
oqsprovider = oqsprovider_sect
[oqsprovider_sect]
activate = 1
module = %s
[default_sect]
activate = 1
""" % legacy, ("converge", "default", "oqsprovider"))


def the_machines_own_file_without_naming_it(installation):
    """In a mount namespace, where the machine's directory is a copy: unmodified curl is watched
    without any variable of OpenSSL's, and no longer after disable."""
    if sanitized():
        raise Skip("a sanitized module does not load in unmodified programs")
    directory = subprocess.run(["openssl", "version", "-d"], stdout=subprocess.PIPE, text=True,
                               check=True).stdout.split('"')[1]
    directory = os.path.dirname(os.path.realpath(os.path.join(directory, "openssl.cnf")))
    copy = installation.path("etc-ssl")
    os.mkdir(copy)
    subprocess.run(["cp", os.path.join(directory, "openssl.cnf"), copy], check=True)
    site = Site(installation.directory)
    installation.write("answer", "4e 52 1")
    script = """
        set -e
        mount --bind "$1" "$2"
        try() { curl -sS -o /dev/null --cacert "$4" "$3" && echo went on || echo stopped; }
        "$5" enable openssl >&2
        try "$@"
        "$5" disable openssl >&2
        try "$@"
    """
    result = subprocess.run([*mount_namespace(), "sh", "-c", script, "sh", copy, directory, site.url,
                             site.certificate, CONVERGE], env=installation.environment(),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                            check=False)
    same(result.stdout, "stopped\nwent on\n", result.stderr)
    contains(installation.read("questions"), "host=localhost port=%d " % site.port)
    same(get(os.path.join(copy, "openssl.cnf")), get(os.path.join(directory, "openssl.cnf")))


def fewer_than_two_notaries(installation):
    path = put(installation, DEBIAN)
    installation.reply("notary-test", {"ok": True, "notaries": [
        {"name": "alpha", "answered": True}, {"name": "beta", "answered": False}]})
    result = installation.run("enable", "openssl", "--file", path)
    same(result.returncode, UNDECIDED, result.stdout)
    contains(result.stderr, "1 of 2", "--anyway")
    same(get(path), DEBIAN)
    same(installation.run("enable", "openssl", "--file", path, "--anyway").returncode, OK)


def no_agent_no_change(installation):
    path = put(installation, DEBIAN)
    installation.write("fail", "no luck today\n")
    result = installation.run("enable", "openssl", "--file", path)
    same(result.returncode, UNDECIDED, result.stdout)
    contains(result.stderr, "no luck today")
    same(get(path), DEBIAN)


def a_module_that_does_not_load_changes_nothing(installation):
    path = put(installation, DEBIAN)
    for name, content in (("empty.so", ""), ("text.so", "not a module\n" * 100)):
        installation.write(name, content)
        result = installation.run("enable", "openssl", "--file", path,
                                  CONVERGE_MODULE=installation.path(name))
        same(result.returncode, FAULT, result.stdout)
        contains(result.stderr, "nothing was changed")
        same(get(path), DEBIAN)
    result = installation.run("enable", "openssl", "--file", path,
                              CONVERGE_MODULE="/nonexistent/converge.so")
    same(result.returncode, FAULT)
    same(sorted(os.listdir(installation.directory)).count("openssl.cnf.before-converge"), 0)


def another_provider_in_the_modules_place(installation):
    """A module that loads but does not hook must not pass for ours."""
    legacy = subprocess.run(["openssl", "version", "-m"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout.split('"')[1] + "/legacy.so"
    if not os.path.exists(legacy):
        raise Skip("no " + legacy)
    path = put(installation, DEBIAN)
    result = installation.run("enable", "openssl", "--file", path, CONVERGE_MODULE=legacy)
    same(result.returncode, FAULT, result.stdout)
    contains(result.stderr, "does not watch")
    same(get(path), DEBIAN)


def a_file_openssl_cannot_read(installation):
    path = put(installation, "openssl_conf = a\n[unclosed\n")
    result = installation.run("enable", "openssl", "--file", path)
    same(result.returncode, FAULT)
    contains(result.stderr, "line 2")
    same(get(path), "openssl_conf = a\n[unclosed\n")
    same(installation.run("enable", "openssl", "--file", "/nonexistent.cnf").returncode, FAULT)
    same(installation.run("enable", "openssl", "--file", "/tmp").returncode, FAULT)


def wrong_usage(installation):
    for arguments in ((), ("gnutls",), ("openssl", "x"), ("openssl", "--bogus"), ("openssl", "--file")):
        same(installation.run("enable", *arguments).returncode, USAGE)
    same(installation.run("disable").returncode, USAGE)


def the_answers_as_json(installation):
    path = put(installation, DEBIAN)
    answer = installation.json("enable", "openssl", "--file", path, "--json")
    same(answer, {"ok": True, "file": path, "changed": True, "watching": True, "handshake": True,
                  "agent": "manual", "mode": "augment"})
    same(installation.json("enable", "openssl", "--file", path, "--json")["changed"], False)
    same(installation.json("disable", "openssl", "--file", path, "--json"),
         {"ok": True, "file": path, "changed": True})
    same(installation.json("enable", "openssl", "--file", "/nonexistent", "--json", code=FAULT)["ok"],
         False)


def nothing_is_left_behind(installation):
    path = put(installation, DEBIAN)
    scratch = installation.path("scratch")
    os.mkdir(scratch)
    same(installation.run("enable", "openssl", "--file", path, TMPDIR=scratch).returncode, OK)
    same(os.listdir(scratch), [])


main(debians_default, the_systems_own, providers_that_are_there_stay,
     a_default_that_is_named_but_not_active, no_openssl_conf_line, an_empty_file,
     a_last_line_without_a_newline, lines_that_end_with_carriage_return,
     section_names_of_ours_that_are_taken, an_include_is_followed,
     a_fips_setup_gets_no_default_provider, node_is_pointed_to_the_same_section,
     a_section_that_node_has_of_its_own_is_completed, others_changes_in_between_stay,
     a_lost_mark_is_told_and_nothing_changed, a_changed_module_path_is_brought_up_to_date,
     links_owners_and_modes_stay, every_octet_comes_back, root_follows_nobodys_link,
     a_dry_run_changes_nothing_and_shows_the_diff, providers_in_an_included_directory,
     a_provider_from_elsewhere_stays, the_machines_own_file_without_naming_it, fewer_than_two_notaries,
     no_agent_no_change, a_module_that_does_not_load_changes_nothing,
     another_provider_in_the_modules_place, a_file_openssl_cannot_read, wrong_usage,
     the_answers_as_json, nothing_is_left_behind)
