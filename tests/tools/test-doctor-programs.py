# SPDX-License-Identifier: MIT
"""doctor --programs: samples of every kind, made here, and what is said of them."""
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

LARGE = 300 * 1024


def compiler():
    for name in ("cc", "gcc", "clang"):
        if have(name):
            return name
    raise Skip("no compiler")


def library(installation, soname):
    """A library of that name with nothing in it."""
    path = installation.path(soname)
    installation.write("f.c", "int f(void) { return 1; }\n")
    subprocess.run([compiler(), "-shared", "-fPIC", "-nostdlib", "-Wl,-soname," + soname, "-o",
                    path, installation.path("f.c")], check=True)
    return path


def program(installation, name, *libraries, inside=b""):
    """One that links these, and has those octets in it."""
    os.makedirs(installation.path("bin"), exist_ok=True)
    path = installation.path("bin", name)
    installation.write("p.c", "int main(void) { return 0; }\n")
    subprocess.run([compiler(), "-o", path, installation.path("p.c"), "-Wl,--no-as-needed",
                    "-Wl,--allow-shlib-undefined", *libraries], check=True)
    if inside:
        with open(path, "ab") as file:
            file.write(b"\0" * LARGE + inside)
    return path


def scan(installation):
    told = installation.json("doctor", "--programs", "--json",
                             PATH=installation.path("bin") + ":" + os.environ["PATH"])
    return told, {p["path"]: p for p in told["programs"]}


def every_kind(installation):
    wanted = {}
    for name, soname, kind, covered in (
            ("a", "libssl.so.3", "openssl-3", "yes"), ("b", "libssl.so.1.1", "openssl-1", "no"),
            ("c", "libgnutls.so.30", "gnutls", "no"), ("d", "libssl3.so", "nss", "unknown"),
            ("e", "libmbedtls.so.14", "mbedtls", "no"), ("f", "libwolfssl.so.35", "wolfssl", "no"),
            ("g", "libjli.so", "java", "no")):
        wanted[program(installation, name, library(installation, soname))] = (kind, covered)
    for name, inside, kind, covered in (
            ("h", b"Go buildinf:", "go", "no"), ("i", b"ssl/statem/statem_clnt.c",
                                                 "openssl-inside", "unknown"),
            ("j", b"third_party/boringssl/src", "boringssl", "no"),
            ("k", b"rustls::client", "rustls", "no"), ("l", b"libssl.so", "later", "unknown")):
        wanted[program(installation, name, inside=inside)] = (kind, covered)
    wanted[program(installation, "m")] = ("none", "unknown")
    told, programs = scan(installation)
    for path, what in wanted.items():
        same((programs[path]["kind"], programs[path]["covered"]), what, path)
    for finding in told["findings"]:
        if finding["state"] not in ("good", "note") or (finding["state"] == "note" and
                                                        finding["id"] != "cut"):
            assert finding["do"], finding


def what_is_inside_counts_before_what_is_linked(installation):
    path = program(installation, "both", library(installation, "libssl.so.3"),
                   inside=b"Go buildinf:")
    same(scan(installation)[1][path]["kind"], "go")


def across_the_border_of_a_chunk(installation):
    path = program(installation, "border")
    size = os.path.getsize(path)
    with open(path, "ab") as file:
        file.write(b"\0" * (256 * 1024 - size - 4) + b"Go buildinf:" + b"\0" * LARGE)
    same(scan(installation)[1][path]["kind"], "go")


def http3(installation):
    path = program(installation, "quick", library(installation, "libssl.so.3"),
                   library(installation, "libnghttp3.so.9"))
    told, programs = scan(installation)
    same((programs[path]["kind"], programs[path]["http3"]), ("openssl-3", True))
    found = [f for f in told["findings"] if f["id"] == "http-3"]
    contains(found[0]["do"], "HTTP/3")


def what_is_no_program(installation):
    os.makedirs(installation.path("bin"))
    damaged = {"empty": b"", "text": b"hello", "cut": b"\x7fELF\x02\x01\x01" + b"\0" * 9,
               "wild": b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\xff" * 4096,
               "script": b"#!/bin/sh\n"}
    for name, octets in damaged.items():
        path = installation.path("bin", name)
        with open(path, "wb") as file:
            file.write(octets)
        os.chmod(path, 0o755)
    other = installation.path("bin", "other")
    with open(other, "wb") as file:
        bits = 1 if struct.calcsize("P") == 8 else 2
        file.write(b"\x7fELF" + bytes([bits]) + b"\x01\x01" + b"\0" * 9 + b"\0" * 48)
    os.chmod(other, 0o755)
    programs = scan(installation)[1]
    same(programs[other]["kind"], "foreign")
    for name in ("empty", "text", "cut", "script"):
        assert installation.path("bin", name) not in programs, name


def programs_of_this_system(installation):
    programs = scan(installation)[1]
    for path, kind in (("/usr/bin/curl", "openssl-3"), ("/usr/bin/wget", "gnutls"),
                       ("/usr/bin/openssl", "openssl-3")):
        if path in programs:
            same(programs[path]["kind"], kind)


def one_way_at_a_time(installation):
    for extra in (("--pid", "1"), ("--", "curl")):
        same(installation.run("doctor", "--programs", *extra).returncode, USAGE)


main(every_kind, what_is_inside_counts_before_what_is_linked, across_the_border_of_a_chunk, http3,
     what_is_no_program, programs_of_this_system, one_way_at_a_time)
