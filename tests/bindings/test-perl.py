# SPDX-License-Identifier: MIT
"""The Perl distribution: built, tested, packed, documented, and held against the conformance table."""
import glob
import os
import shutil

import packagelab
import snippets
from packagelab import HEADERS, LIBRARIES, conformance, toolbox

packagelab.require("perl", "make", "cc")
if not glob.glob("/usr/lib/*/perl/*/CORE/perl.h") + glob.glob("/usr/lib*/perl5/CORE/perl.h"):
    packagelab.skip_all("no headers of perl")

SUPPRESSIONS = "--suppressions=" + os.path.join(packagelab.SOURCE, "tests", "bindings", "perl.supp")
HAVE_SSL = os.system("perl -MIO::Socket::SSL -e 1 2>/dev/null") == 0


def built(package):
    return ["perl", "-I" + package.path("blib", "lib"), "-I" + package.path("blib", "arch")]


def build(package, tap):
    tap.case("perl Makefile.PL", lambda: package.run(
        "perl", "Makefile.PL", "INC=-I" + HEADERS, f"LIBS=-L{LIBRARIES} -lconverge"))
    tap.case("make, without a warning",
             lambda: package.run("make", "OPTIMIZE=-O2 -g -Wall -Wextra -Werror "
                                 "-Wno-unused-parameter -Wno-missing-field-initializers"))
    tap.case("its own tests", lambda: package.run("make", "test"))


def memory(package, tap):
    def valgrind():
        if shutil.which("valgrind") is None:
            raise packagelab.Unavailable("no valgrind")
        for test in ("t/answers.t", "t/arguments.t"):
            package.run("valgrind", "-q", "--error-exitcode=9", SUPPRESSIONS, *built(package), test,
                        PERL_DESTRUCT_LEVEL="2")
    tap.case("no wrong access to memory", valgrind)


def pack(package, tap):
    def manifest():
        package.run("make", "distcheck")
        package.run("make", "dist")
        listed = package.run("tar", "tf", "Converge-0.1.0.tar.gz")
        toolbox.contains(listed, "/META.json", "/META.yml", "/lib/Converge.pm", "/LICENSE")
    tap.case("the distribution is complete", manifest)

    def installs():
        package.run("make", "install", "DESTDIR=" + package.path("root"))
        installed = package.run("find", "root", "-name", "Converge*")
        toolbox.contains(installed, "/Converge.pm", "/Converge.so", "/Converge.3pm",
                         "/Converge::Result.3pm", "/Converge::Error.3pm")
        toolbox.contains(package.run("perldoc", "-T", "lib/Converge.pm"), "start_agent")
    tap.case("it installs, with its manual", installs)


def example(package, tap):
    if not HAVE_SSL:
        tap.skip("the example protects a connection", "no IO::Socket::SSL")
        return
    tap.case("the example protects a connection", lambda: packagelab.example_protects(
        package, [*built(package), "examples/https-get.pl"]))


def documents(package, tap):
    path = package.path("order.pl")
    language = snippets.Snippets(tap, "perl", path, [*built(package), path], package.environment())
    language.shortest("use Converge 'verify'; my $der = 'DER';\n%s")
    language.faked(said="ok 2 - and tells why")


def table(package, tap):
    conformance.run([*built(package), package.path("examples", "conformance.pl")], tap=tap)


packagelab.run("perl", build, memory, pack, example, documents, table)
