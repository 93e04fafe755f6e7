# SPDX-License-Identifier: MIT
"""The scenes of test-stability once more, few of each, under valgrind: no error in memory, nothing
leaked. What NSS does wrong by itself is in nss.supp."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nsslab

ERRORS = 9  # valgrind's exit status if it found any

SCENES = [ # handshakes, the agent's rule, arguments
    (3, "accept", ["--count", 3, "connect"]),
    (3, "refuse", ["--count", 3, "connect"]),
    (3, "accept", ["--count", 3, "--nonblocking", "--resume", "connect"]),
    (3, "refuse", ["--count", 3, "--nonblocking", "connect"]),
    (3, "close", ["--count", 3, "--nonblocking", "connect"]),
    (3, "accept", ["--count", 3, "--tls12", "--resume", "connect"]),
    (10, "slow", ["--count", 10, "many"]),
    (8, "slow", ["--count", 8, "threads"]),
    (3, "accept", ["--count", 3, "restart"]),
    (2, "accept", ["--count", 2, "spawn"]),
    (4, "slow", ["delete"]),
    (1, "slow", ["close-sockets"]),
    (1, "accept", ["other-user"]),
]

# Here NSS leaks by itself, because of what lives when it ends, or because it does not end.
LEAKING = [
    (4, "accept", ["--count", 1, "fork"]),
    (0, "slow", ["stop-alive"]),
]


def checked(here, site, leaks, args):
    command = here.command(site, *args)
    return here.run("valgrind", "--quiet", f"--leak-check={'full' if leaks else 'no'}",
                    "--errors-for-leak-kinds=definite,indirect,possible", "--num-callers=30",
                    f"--error-exitcode={ERRORS}", f"--suppressions={nsslab.SUPPRESSIONS}/nss.supp",
                    "--vgdb=no", *command, timeout=300)


def main():
    tap = nsslab.lab.Tap()
    if not shutil.which("valgrind"):
        print("1..0 # SKIP valgrind is not installed")
        return
    if nsslab.sanitized():
        print("1..0 # SKIP the sanitizers look at the same")
        return
    with nsslab.NssLab() as here:
        site = here.serve()
        here.configure("deadline = 60s\n")
        for leaks, scenes in ((True, SCENES), (False, LEAKING)):
            for handshakes, rule, args in scenes:
                if args == ["other-user"] and os.geteuid() != 0:
                    tap.skip("other-user", "only root can become another user")
                    continue
                here.start_agent("stuck.site.example=silent", f"*={rule}")
                got = checked(here, site, leaks, args)
                ended = got[1].count("ok=0 " if rule in ("refuse", "close") else "ok=1 ")
                tap.case(f"{' '.join(str(arg) for arg in args)}, agent {rule}",
                         got[0] == 0 and got[2] == "" and ended == handshakes, got)
    tap.done()


main()
