# SPDX-License-Identifier: MIT
"""What the tests of doctor over NSS share: databases with our module in them, and what doctor says of
a program or of the machine."""
import json
import os
import subprocess

from databases import *

NSS_MODULE = os.path.join(BUILD, ".libs", "libconverge-nss.so")
MODULE_LIST = "pkcs11.txt"


def unsanitized():
    if sanitized():
        raise Skip("a sanitized module does not load in unmodified programs")


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


def write_program(installation, name, text):
    os.makedirs(os.path.dirname(installation.path(name)), exist_ok=True)
    installation.write(name, text)
    os.chmod(installation.path(name), 0o755)
    return installation.path(name)


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
