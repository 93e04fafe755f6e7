# SPDX-License-Identifier: MIT
"""The Test Anything Protocol, as far as the integration tests speak it."""
import sys


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def _line(self, ok, name, directive=""):
        self.count += 1
        self.failed += not ok
        print("%sok %d - %s%s" % ("" if ok else "not ", self.count, name.replace("#", ""),
                                  directive), flush=True)

    def check(self, name, problem):
        """problem: "" if all is well, else what is wrong, in any number of lines."""
        self._line(not problem, name)
        for line in problem.splitlines():
            print("#   " + line, flush=True)

    def skip(self, name, reason):
        self._line(True, name, " # SKIP " + reason)

    def done(self):
        """Prints the plan and ends the program."""
        print("1..%d" % self.count, flush=True)
        sys.exit(1 if self.failed else 0)


def skip_all(reason):
    print("1..0 # SKIP " + reason, flush=True)
    sys.exit(0)
