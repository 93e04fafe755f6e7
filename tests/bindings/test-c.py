# SPDX-License-Identifier: MIT
"""The C library: the conformance table, and that the rig notices a runner that drifts."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import conformance
from notarylab import BUILD, Tap, expect

RUNNER = os.path.join(BUILD, "bindings", "c", "conformance")
RIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "conformance.py")
tap = Tap()

# The C runner, and what becomes of its lines on their way.
DRIFT = """#!/bin/sh
'%s' | %s
"""


def failures(change):
    """What the rig says is wrong in the world `starting` when lines are changed so."""
    with tempfile.TemporaryDirectory() as directory:
        runner = os.path.join(directory, "runner")
        with open(runner, "w", encoding="ascii") as file:
            file.write(DRIFT % (os.path.abspath(RUNNER), change))
        os.chmod(runner, 0o755)
        result = subprocess.run([sys.executable, "-B", RIG, "--world", "starting", runner],
                                stdout=subprocess.PIPE, text=True, check=False, timeout=300)
    wrong = [line.split(": ")[1] for line in result.stdout.splitlines()
             if line.startswith("not ok")]
    expect(result.returncode, 1 if wrong else 0, result.stdout)
    return wrong


def notices(what, change, *wanted):
    tap.case(f"the rig notices {what}", lambda: expect(failures(change), list(wanted)))


WHOLE = "the runner ended well, and said no more"
conformance.run([RUNNER], tap=tap)
notices("nothing where nothing changed", "cat")
notices("another code", "sed 's/^started\t0/started\t28/'", "started")
notices("a code that is good where it must not be", "sed 's/^not-started\t50/not-started\t0/'",
        "not-started")
notices("another verdict", "sed 's/agree/disagree/'", "started", "runs-now")
notices("another reason", "sed 's/no-agent/vote/'", "not-started", "not-started-pki")
notices("a vote that is missing", "sed '/^started/s/,friend:yes//'", "started")
notices("a vote too many", "sed '/^started/s/$/,zeta:yes/'", "started")
notices("votes without order", "sed '/^started/s/buddy:yes,friend:yes/friend:yes,buddy:yes/'",
        "started")
notices("a missing case", "sed '/^started/d'", "started")
notices("a missing field", "sed '/^started/s/\tvote//'", "started")
notices("a case said twice", "sed '/^started/p'", WHOLE)
notices("a word that nobody asked for", "sed '1iHello'", WHOLE)
notices("silence", "true", "not-started", "not-started-pki", "started", "runs-now")
notices("a failure", "(cat; exit 3)", WHOLE)
tap.done()
