# SPDX-License-Identifier: MIT
"""What the tests of enable nss and disable nss share: databases made with NSS's own tools, and the
two commands run on them."""
import os
import subprocess

from toolbox import *


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
