#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The systemd units: systemd understands them, finds the sandbox tight, and their sockets have the
names that the notary knows."""
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import BUILD, NOTARYD, Tap, expect

UNITS = os.path.join(BUILD, "notary/systemd")
NAMES = ["converge-notaryd.service", "converge-notaryd.socket", "converge-notaryd-bounce.socket",
         "converge-notaryd-relay.socket"]
AGENT_UNITS = [os.path.join(BUILD, "common/engine/systemd", whose, "converge-agent.service")
               for whose in ("system", "user")]
EXPOSURE_MOST = 15  # tenths; systemd calls this SAFE or OK, an unprotected service has 96


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True,
                          timeout=60, check=False)


def main():
    tap = Tap()
    place = tempfile.mkdtemp(prefix="converge-systemd-")

    def copied():
        """The units as installed, but for the program, which is the one just built."""
        for name in NAMES:
            with open(os.path.join(UNITS, name), encoding="ascii") as file:
                text = file.read()
            expect("@" in re.sub(r"@(system-service|privileged|resources|mount|debug)", "", text),
                   False, f"{name}: something was not filled in")
            text = re.sub(r"^ExecStart=\S+", "ExecStart=" + os.path.abspath(NOTARYD), text,
                          flags=re.MULTILINE)
            with open(os.path.join(place, name), "w", encoding="ascii") as file:
                file.write(text)

    def verified():
        result = analyze("verify", "--man=no", *(os.path.join(place, name) for name in NAMES))
        # What else is wrong with the machine's units is not ours.
        ours = [line for line in result.stderr.splitlines() if "converge-notary" in line]
        expect(ours, [])

    def tight():
        result = analyze("security", "--offline=yes", "--no-pager",
                         f"--threshold={EXPOSURE_MOST}", os.path.join(place, NAMES[0]))
        expect(result.returncode, 0, result.stdout[-600:] + result.stderr)

    def named():
        found = {}
        for name in NAMES[1:]:
            with open(os.path.join(UNITS, name), encoding="ascii") as file:
                text = file.read()
            found[re.search("^FileDescriptorName=(.*)$", text, re.MULTILINE)[1]] = \
                re.search("^ListenStream=(.*)$", text, re.MULTILINE)[1]
        expect(found, {"ssl": "443", "bounce": "4242", "relay": "80"})

    def reloads():
        """As systemd runs it: $$ is a dollar sign, and the process's number is in the environment."""
        for unit in (os.path.join(UNITS, NAMES[0]), *AGENT_UNITS):
            with open(unit, encoding="ascii") as file:
                line = re.search("^ExecReload=(.*)$", file.read(), re.MULTILINE)[1]
            child = subprocess.Popen(["sleep", "1000"])
            subprocess.run(shlex.split(line.replace("$$", "$")), check=True, timeout=30,
                           env={"PATH": "/nonexistent", "MAINPID": str(child.pid)})
            expect(child.wait(timeout=30), -signal.SIGHUP, unit)

    tap.case("the units are complete", copied)
    tap.case("a reload needs no program but the shell", reloads)
    tap.case("each socket has a name that the notary knows", named)
    if shutil.which("systemd-analyze") is None:
        tap.skip("systemd takes them", "systemd-analyze is not installed")
        tap.skip("the sandbox is tight", "systemd-analyze is not installed")
    else:
        tap.case("systemd takes them", verified)
        tap.case("the sandbox is tight", tight)
    shutil.rmtree(place)
    tap.done()


main()
