# SPDX-License-Identifier: MIT
"""doctor --programs: samples of every kind, made here, and what is said of them."""
import os
import shutil
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


def library(installation, soname, *options, under=""):
    """A library of that name with nothing in it."""
    os.makedirs(installation.path(under), exist_ok=True)
    path = installation.path(under, soname)
    installation.write("f.c", "int f(void) { return 1; }\n")
    subprocess.run([compiler(), "-shared", "-fPIC", "-nostdlib", "-Wl,-soname," + soname, "-o",
                    path, installation.path("f.c"), "-Wl,--no-as-needed", *options], check=True,
                   stderr=subprocess.DEVNULL)
    return path


def program(installation, name, *libraries, inside=b"", text="int main(void) { return 0; }\n"):
    """One that links these, and has those octets in it."""
    os.makedirs(installation.path("bin"), exist_ok=True)
    path = installation.path("bin", name)
    installation.write("p.c", text)
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


def a_copy_of_ones_own(installation):
    """OpenSSL 3 beside the program, by each of the loader's ways, is not the system's."""
    own = library(installation, "libssl.so.3", under="lib")
    other = library(installation, "libother.so", own, "-Wl,-rpath,$ORIGIN", under="deep")
    old, new = "-Wl,--disable-new-dtags", "-Wl,--enable-new-dtags"
    origin, braces = "-Wl,-rpath,$ORIGIN/../lib", "-Wl,-rpath,/nonexistent:${ORIGIN}/../lib"
    plain = library(installation, "libplain.so", own, under="lib")
    wanted = {
        program(installation, "a", own, origin, new): "openssl-bundled",
        program(installation, "b", own, braces, old): "openssl-bundled",
        program(installation, "c", own, "-Wl,-rpath," + installation.path("lib")):
            "openssl-bundled",
        # A DT_RPATH counts for the libraries below, a DT_RUNPATH does not.
        program(installation, "d", plain, origin, old): "openssl-bundled",
        program(installation, "e", plain, origin, new): "openssl-3",
        program(installation, "f", other, "-Wl,-rpath,$ORIGIN/../deep", new): "openssl-3",
        program(installation, "g", own): "openssl-3",
        program(installation, "h", library(installation, "libssl-3abc.so.3"), origin):
            "openssl-bundled",
        program(installation, "i", library(installation, "libssl.so.3.99")): "openssl-bundled"}
    programs = scan(installation)[1]
    same({path: programs[path]["kind"] for path in wanted}, wanted)


def a_link_to_the_systems(installation):
    system = [line.split()[-1] for line in subprocess.run(
        ["ldd", sys.executable if have("openssl") is None else shutil.which("openssl")],
        stdout=subprocess.PIPE, text=True, check=True).stdout.replace(" (", "\n(").splitlines()
        if "libssl.so.3 =>" in line]
    if not system:
        raise Skip("no OpenSSL 3 of the system's")
    own = library(installation, "libssl.so.3", under="lib")
    path = program(installation, "a", own, "-Wl,-rpath,$ORIGIN/../lib")
    os.unlink(own)
    os.symlink(system[0], own)
    same(scan(installation)[1][path]["kind"], "openssl-3")


def several_libraries(installation):
    """The watched one counts where it is nearer, and only there."""
    tls, gnutls, nss = (library(installation, name) for name in
                        ("libssl.so.3", "libgnutls.so.30", "libssl3.so"))
    rpath = "-Wl,--disable-new-dtags,-rpath," + installation.path("way")
    over_gnutls = library(installation, "libldap.so", gnutls, under="way")
    over_openssl = library(installation, "libcurl.so", tls, under="way")
    wanted = {
        program(installation, "both", tls, gnutls): "several",
        program(installation, "nss", nss, gnutls): "several",
        program(installation, "near", tls, over_gnutls, rpath): "openssl-3",
        program(installation, "far", gnutls, over_openssl, rpath): "several",
        program(installation, "two", tls, nss): "openssl-3",
        program(installation, "curl", tls, library(installation, "libcurl-gnutls.so.4")): "gnutls"}
    told, programs = scan(installation)
    same({path: programs[path]["kind"] for path in wanted}, wanted)
    same(programs[installation.path("bin", "both")]["covered"], "unknown")
    contains([f for f in told["findings"] if f["id"] == "several"][0]["text"], "in part")


def of_32_bits(installation):
    """Read as others are; our module of 64 bits does not load there."""
    if subprocess.run([compiler(), "-dumpmachine"], stdout=subprocess.PIPE, text=True,
                      check=True).stdout.split("-")[0] != "x86_64":
        raise Skip("not on amd64")
    bare = ("-m32", "-nostdlib", "-fPIC", "-shared")
    gnutls = library(installation, "libgnutls.so.30", "-m32")
    own = library(installation, "libssl.so.3", "-m32", under="lib")
    wanted = {}
    for name, linked, kind in (("a", (gnutls,), "gnutls"), ("b", (), "none"),
                               ("c", (own, "-Wl,-rpath,$ORIGIN/../lib"), "openssl-bundled")):
        wanted[program(installation, name, *bare, *linked, text="int f;\n")] = kind
    programs = scan(installation)[1]
    same({path: programs[path]["kind"] for path in wanted}, wanted)


def one_program_by_itself(installation):
    """`doctor -- PROGRAM` says the same without a run: a name is not enough for the system's."""
    own = library(installation, "libssl.so.3", under="lib")
    origin = "-Wl,-rpath,$ORIGIN/../lib"
    wanted = {
        program(installation, "own", own, origin): ("no", "copy of OpenSSL", "OPENSSL_CONF"),
        program(installation, "wheel", library(installation, "libssl-3abc.so.3", under="lib"),
                origin): ("no", "copy of OpenSSL", "OPENSSL_CONF"),
        program(installation, "gopher", own, origin, inside=b"Go buildinf:"):
            ("no", "inside it", "converge check"),
        program(installation, "electron", inside=b"third_party/boringssl"):
            ("no", "BoringSSL", ""),
        program(installation, "node", inside=b"statem_clnt.c"): ("unknown", "", "connects")}
    for path, (covered, reason, remedy) in wanted.items():
        told = installation.json("doctor", "--json", "--", path,
                                 code=REFUSED if covered == "no" else UNDECIDED)
        same(told["covered"], covered, path)
        contains(told["reason"], reason)
        contains(told["do"], remedy)
    path = program(installation, "system", own)
    told = installation.json("doctor", "--json", "--", path, code=UNDECIDED)
    same(told["library"], "OpenSSL 3", str(told))


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
        order = b"\x02" if sys.byteorder == "little" else b"\x01"
        file.write(b"\x7fELF\x02" + order + b"\x01" + b"\0" * 9 + b"\0" * 48)
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


main(every_kind, what_is_inside_counts_before_what_is_linked, across_the_border_of_a_chunk,
     a_copy_of_ones_own, a_link_to_the_systems, several_libraries, of_32_bits,
     one_program_by_itself, http3, what_is_no_program, programs_of_this_system, one_way_at_a_time)
