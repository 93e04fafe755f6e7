#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds a client library against bindings/cases.txt. The library brings a runner, a program that
reads cases and writes what the library made of them; this reads the table, makes its worlds, runs
the runner in each and compares.

    conformance.run([PROGRAM, ARGUMENT...], {"VARIABLE": "value"})     from a test in Python
    conformance.py [--world NAME] [VARIABLE=VALUE...] PROGRAM [ARGUMENT...]
    conformance.run_example(cast, tap, [PROGRAM, ARGUMENT...])         its worked example

The first two print TAP, a line for each case, and exit with 1 if one is missing or differs. With tap=,
a notarylab.Tap, run() adds its cases to those of another test and returns; run_in() does so with a
conformance_world.Cast that serves several runs."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import conformance_world
from notarylab import Tap

SOURCE = os.environ.get("top_srcdir") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../..")
TABLE = os.path.join(SOURCE, "bindings", "cases.txt")
INPUTS, OUTPUTS = 9, 5
RUNNER_S = 300


class Section:
    """A world of the table and its cases: (name and inputs, expected outputs)."""

    def __init__(self, name, notaries):
        self.name = name
        self.notaries = notaries
        self.settings = {}
        self.agent = True
        self.cases = []


def _read_case(line):
    given, separator, expected = line.partition(" => ")
    given, expected = given.split(), expected.split()
    if not separator or len(given) != INPUTS or len(expected) != OUTPUTS:
        raise ValueError(f"{TABLE}: {line!r} is not {INPUTS} fields, =>, {OUTPUTS} fields")
    return given, expected


def read_table(path=TABLE):
    sections, names = [], set()
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            word, _, rest = line.partition(" ")
            if word == "world":
                name, *notaries = rest.split()
                sections.append(Section(name, notaries))
            elif word == "set":
                key, _, value = rest.partition("=")
                sections[-1].settings[key.strip()] = value.strip()
            elif line == "no agent":
                sections[-1].agent = False
            else:
                case = _read_case(line)
                if case[0][0] in names:
                    raise ValueError(f"{path}: {case[0][0]} stands there twice")
                names.add(case[0][0])
                sections[-1].cases.append(case)
    return sections


def _fill(field, words):
    """Replaces {NAME}; what the rig does not know is an error in the table."""
    return re.sub(r"\{([^}]*)\}", lambda found: words[found.group(1)], field)


def _question(given, words):
    return "\t".join(_fill(field, words) for field in given) + "\n"


def _run(section, words, argv, environment):
    """The runner's lines by the case's name; what is wrong with them as a whole."""
    questions = "".join(_question(given, words) for given, _ in section.cases)
    try:
        result = subprocess.run(argv, input=questions.encode(), env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=RUNNER_S,
                                check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return {}, repr(problem)
    lines, wrong = {}, []
    known = {given[0] for given, _ in section.cases}
    for line in result.stdout.decode("utf-8", "replace").splitlines():
        name, *answer = line.split("\t")
        if name not in known or name in lines:
            wrong.append(f"a line that nobody asked for: {line!r}")
        lines[name] = answer
    if result.returncode != 0 or wrong:
        wrong.append(f"exit status {result.returncode}; standard error: "
                     + result.stderr.decode("utf-8", "replace")[-2000:])
    return lines, "; ".join(wrong)


def _same_votes(wanted, got):
    """wanted: votes joined by commas, those in brackets may be missing, but not all."""
    if wanted == "-":
        return got == "-"
    needed = {one for one in wanted.split(",") if not one.startswith("[")}
    allowed = {one.strip("[]") for one in wanted.split(",")}
    votes = got.split(",")
    return got != "-" and votes == sorted(set(votes)) and needed <= set(votes) <= allowed


def compare(expected, answer):
    """Raises where they differ. The table's "-" is the runner's "-", or nothing said."""
    if answer is None:
        raise AssertionError("the runner said nothing")
    if len(answer) != OUTPUTS or answer[:-1] != expected[:-1] or \
            not _same_votes(expected[-1], answer[-1]):
        raise AssertionError(f"got {' '.join(answer)!r}, wanted {' '.join(expected)!r}")


def _section(tap, cast, section, argv, extra):
    try:
        world = conformance_world.World(cast, section.notaries, section.settings, section.agent)
    except Exception as problem:  # then none of its cases can pass
        lines, wrong = {}, f"the world could not be made: {problem!r}"
    else:
        try:
            lines, wrong = _run(section, cast.placeholders(), argv, world.environment(extra))
        finally:
            world.close()

    def ran_well():
        assert not wrong, wrong
    for given, expected in section.cases:
        tap.case(f"{section.name}: {given[0]}",
                 lambda e=expected, n=given[0]: compare(e, lines.get(n)))
    tap.case(f"{section.name}: the runner ended well, and said no more", ran_well)


def run_in(cast, tap, runner_argv, env_extra=None, only=None):
    """Runs the whole table, or the world `only`, with notaries that are there already."""
    for section in read_table():
        if only in (None, section.name):
            _section(tap, cast, section, list(runner_argv), env_extra)


def run(runner_argv, env_extra=None, tap=None, only=None):
    """The same with notaries of its own. Without a tap of the caller's it exits."""
    own = tap or Tap()
    cast = conformance_world.Cast()
    try:
        run_in(cast, own, runner_argv, env_extra, only)
    finally:
        cast.close()
    if tap is None:
        own.done()


def run_example(cast, tap, argv):
    """A language's worked example, a program that is called with HOST PORT CAFILE: it fetches
    https://HOST:PORT/ and prints the page where the notaries agree. Where they do not, it must end
    with an exit status that is not 0, and must not have sent its request."""
    def fetch(*notaries):
        world = conformance_world.World(cast, notaries, {"exempt_special_names": "no"}, True)
        try:
            return subprocess.run([*argv, "127.0.0.1", str(cast.server.port), cast.site.pem],
                                  env=world.environment(None), timeout=RUNNER_S, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
        finally:
            world.close()

    def agreed():
        before = cast.server.requests
        result = fetch("alpha", "beta")
        assert result.returncode == 0, result.stdout.decode()
        assert conformance_world.PAGE in result.stdout, result.stdout.decode()
        assert cast.server.requests == before + 1, cast.server.requests

    def refused():
        before = cast.server.requests
        result = fetch("liar", "perjurer")
        assert result.returncode not in (0, 126, 127), result.stdout.decode()
        assert conformance_world.PAGE not in result.stdout, result.stdout.decode()
        assert b"liar" in result.stdout or b"perjurer" in result.stdout, result.stdout.decode()
        assert cast.server.requests == before, "it sent its request all the same"
    tap.case("the example fetches what the notaries confirm", agreed)
    tap.case("the example sends nothing to a site that they do not confirm", refused)


def main(arguments):
    only, extra = None, {}
    if arguments[:1] == ["--world"]:
        only, arguments = arguments[1], arguments[2:]
    while arguments and re.match(r"[A-Z_]+=", arguments[0]):
        key, _, value = arguments.pop(0).partition("=")
        extra[key] = value
    if not arguments:
        sys.exit(__doc__)
    run(arguments, extra, only=only)


if __name__ == "__main__":
    main(sys.argv[1:])
