# SPDX-License-Identifier: MIT
"""The C library: the conformance table, and that the rig notices a runner that drifts; the worked
example; converge.h in C++ and Objective-C."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import conformance
import snippets
from conformance_world import LIBRARIES, Cast, sanitized
from notarylab import BUILD, Tap, Unavailable, expect

RUNNER = os.path.abspath(os.path.join(BUILD, "bindings", "c", "conformance"))
EXAMPLE = os.path.abspath(os.path.join(BUILD, "bindings", "c", "examples", "fetch"))
SOURCES = os.path.join(conformance.SOURCE, "bindings", "c", "tests")
HEADERS = os.path.join(conformance.SOURCE, "common", "libconverge")
WHOLE = "the runner ended well, and said no more"


class Failures(Tap):
    """Says nothing, and remembers the cases that failed."""

    def __init__(self):
        super().__init__()
        self.names = []

    def case(self, name, function):
        try:
            function()
        except AssertionError:
            self.names.append(name.partition(": ")[2])


def notices(tap, cast, what, change, *wanted):
    """The rig, of the C runner whose lines are changed on their way."""
    def case():
        told = Failures()
        runner = ["sh", "-c", f"'{RUNNER}' | {change}"]
        conformance.run_in(cast, told, runner, only="starting")
        expect(told.names, list(wanted))
    tap.case(f"the rig notices {what}", case)


def drift(tap, cast):
    def case(what, change, *wanted):
        notices(tap, cast, what, change, *wanted)
    case("nothing where nothing changed", "cat")
    case("another code", "sed 's/^started\t0/started\t28/'", "started")
    case("a code that is good where it must not be", "sed 's/^not-started\t50/not-started\t0/'",
         "not-started")
    case("another verdict", "sed 's/agree/disagree/'", "started", "runs-now")
    case("another reason", "sed 's/no-agent/vote/'", "not-started", "not-started-pki")
    case("a vote that is missing", "sed '/^started/s/,friend:yes//'", "started")
    case("a vote too many", "sed '/^started/s/$/,zeta:yes/'", "started")
    case("votes without order", "sed '/^started/s/buddy:yes,friend:yes/friend:yes,buddy:yes/'",
         "started")
    case("a missing case", "sed '/^started/d'", "started")
    case("a missing field", "sed '/^started/s/\tvote//'", "started")
    case("a case said twice", "sed '/^started/p'", WHOLE)
    case("a word that nobody asked for", "sed '1iHello'", WHOLE)
    case("silence", "true", "not-started", "not-started-pki", "started", "runs-now")
    case("a failure", "(cat; exit 3)", WHOLE)


def compiles(compiler, source, *flags):
    """Without a warning; and runs."""
    if sanitized():
        raise Unavailable("a sanitized library needs a sanitized program")
    if shutil.which(compiler) is None:
        raise Unavailable(f"no {compiler}")
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "program")
        if source.endswith(".m"):
            needs_objective_c(compiler, directory)
        result = subprocess.run(
            [compiler, *flags, "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{HEADERS}",
             os.path.join(SOURCES, source), "-o", program,
             os.path.join(LIBRARIES, "libconverge.so"),
             *(["-lobjc"] if source.endswith(".m") else ["-pthread"])],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        expect(result.returncode, 0, result.stdout)
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("CONVERGE")}
        expect(subprocess.run([program], check=False, env={
            **environment, "LD_LIBRARY_PATH": LIBRARIES}).returncode, 0)


def needs_objective_c(compiler, directory):
    """Compiler and runtime are packages of their own."""
    probe = subprocess.run([compiler, "-x", "objective-c", "-", "-o",
                            os.path.join(directory, "probe"), "-lobjc"], check=False,
                           input=b"@class Probe;\nint main(void) { return 0; }\n",
                           stderr=subprocess.DEVNULL)
    if probe.returncode != 0:
        raise Unavailable(f"{compiler} here has no Objective-C, or no runtime for it")


def documents(tap, directory):
    """In C: with the library for the shortest call, without for the test that has its own."""
    path, program = os.path.join(directory, "order.c"), os.path.join(directory, "order")

    def language(*libraries):
        build = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{HEADERS}", path, "-o",
                 program, *libraries]
        return snippets.Snippets(tap, "c", path, [
            "sh", "-c", 'program=$1; shift; "$@" && exec "$program"', "sh", program, *build],
            {**os.environ, "LD_LIBRARY_PATH": LIBRARIES})
    if sanitized():
        tap.skip("the code in documents", "a sanitized library needs a sanitized program")
        return
    language(os.path.join(LIBRARIES, "libconverge.so")).shortest(
        f'#include <converge.h>\nint main(void)\n{{\nconst char *fingerprint = '
        f'"{snippets.FINGERPRINT}";\n%s\nreturn code;\n}}\n')
    language().faked()


def main():
    tap = Tap()
    cast = Cast()
    try:
        conformance.run_in(cast, tap, [RUNNER])
        drift(tap, cast)
        conformance.run_example(cast, tap, [EXAMPLE])
    finally:
        cast.close()
    for compiler in ("g++", "clang++"):
        for standard in ("c++11", "c++20"):
            tap.case(f"a program in C++: {compiler}, {standard}",
                     lambda c=compiler, s=standard: compiles(c, "use.cc", "-std=" + s))
    for compiler in ("gcc", "clang"):
        tap.case(f"a program in Objective-C: {compiler}",
                 lambda c=compiler: compiles(c, "use.m"))
    with tempfile.TemporaryDirectory() as directory:
        documents(tap, directory)
    tap.done()


main()
