# SPDX-License-Identifier: MIT
"""What processes do to the NSS module: thousands of handshakes, threads, forks, NSS that ends and
begins again, the module removed, the agent killed, descriptors and rights taken away. No crash, no
growth, no deadlock, and nothing trusted that was not confirmed. --long: `make soak-nss`; --handshakes:
only 10,000 of them in one process, which is what scripts/check has the time for."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nsslab

from nsslab import NAME

UNTRUSTED = -8171  # SEC_ERROR_UNTRUSTED_CERT
HANDSHAKES = "--handshakes" in sys.argv
LONG = "--long" in sys.argv or HANDSHAKES


def accepted(out):
    return out.count("ok=1 error=0 ")


def refused(out):
    return out.count(f"ok=0 error={UNTRUSTED} ")


def said(out, *words):
    """Whether these words are among the scene's own lines."""
    return all(re.search(rf"(^|\s){re.escape(word)}(\s|$)", out) for word in words)


def options(kind):
    return "".join(f" {option}" for option in kind)


def simple(tap, here, site, what, args, handshakes, words=("agents=0", "stopped=1"), env=None):
    """All succeed, each is asked about once; with an agent that refuses, none does."""
    here.configure("deadline = 30s\n")
    here.start_agent()
    got = here.endure(site, *args, env=env)
    tap.case(what, got[0] == 0 and got[2] == "" and accepted(got[1]) == handshakes and
             said(got[1], *words) and here.asked() == [f"{NAME}:{site.port}"] * handshakes,
             (got, len(here.asked())))
    here.start_agent("*=refuse")
    got = here.endure(site, *args, env=env)
    tap.case(f"{what}, refused", refused(got[1]) == handshakes and accepted(got[1]) == 0 and
             got[0] == 0 and got[2] == "" and said(got[1], "agents=0"), got)


def grown(here, site, count, kind, rule, database):
    """What the handshakes of one process left behind: memory in octets, descriptors."""
    here.start_agent(f"*={rule}")
    got = here.endure(site, "--count", count, *kind, "growth", database=database, timeout=600)
    found = re.search(r"growth=(-?\d+) descriptors=(-?\d+)", got[1])
    if not found or got[1].count("ok=") != count + 50:
        raise RuntimeError((got[0], got[1][-500:], got[2][-2000:]))
    return int(found[1]), int(found[2]), accepted(got[1])


def growth_of(tap, here, site, count, *kinds):
    """NSS itself keeps some memory, more of it with a session cache, and never twice the same; with
    the module it must not be more. A loss at each handshake shows from 330 octets on, in the long
    form from 13."""
    here.configure("deadline = 30s\n")
    for kind in kinds:
        without = grown(here, site, count, kind, "accept", "without")
        got = grown(here, site, count, kind, "accept", "with")
        slack = 65536 if LONG or "--resume" in kind else 32768
        tap.case(f"{count} handshakes{options(kind)}: no growth, no descriptor left",
                 got[0] - without[0] < slack and got[1:] == (0, count + 50) and
                 len(here.asked()) == count + 50, (got, without, len(here.asked())))


def growth(tap, here, site, self_signed):
    count = 10000 if LONG else 200
    kinds = [[], ["--nonblocking"], ["--resume"], ["--nonblocking", "--resume"]]
    if LONG:
        kinds += [["--tls12"], ["--tls12", "--resume"]]
    growth_of(tap, here, site, count, *kinds)
    for mode, rule, server, good in (("augment", "refuse", site, 0),
                                     ("replace", "accept", self_signed, count + 50),
                                     ("replace", "refuse", self_signed, 0)):
        here.configure(f"mode = {mode}\ndeadline = 30s\n")
        got = grown(here, server, count, [], rule, "with")
        tap.case(f"{count} handshakes in {mode} mode, agent {rule}: no growth, no descriptor left",
                 got[0] < (131072 if LONG else 32768) and got[1:] == (0, good), got)


def memory(tap, here, site, self_signed):
    for server, mode in ((site, "augment"), (self_signed, "replace")):
        for kind in ([], ["--nonblocking"]):
            here.configure(f"mode = {mode}\ndeadline = 30s\n")
            here.start_agent("*=refuse")
            got = here.endure(server, *kind, "memory")
            if got[0] == 77:
                tap.skip("memory that runs out", "sanitizers have allocators of their own")
                return
            tap.case(f"memory runs out at every place in {mode} mode{options(kind)}, refused: "
                     "nothing is accepted", got[0] == 0 and got[2] == "" and
                     re.search(r"tried=\d{2,} accepted=0\n", got[1]) and accepted(got[1]) == 0 and
                     said(got[1], "left=0", "agents=0", "stopped=1"), got)
            here.start_agent()
            got = here.endure(server, *kind, "memory")
            tap.case(f"memory runs out at every place in {mode} mode{options(kind)}: nothing is "
                     "left", got[0] == 0 and got[2] == "" and accepted(got[1]) >= 1 and
                     said(got[1], "left=0", "agents=0", "stopped=1"), got)


def many(tap, here, site):
    for _ in range(20 if LONG else 1):
        simple(tap, here, site, "64 threads", ["--count", 64, "threads"], 64)
        simple(tap, here, site, "100 connections of one loop", ["--count", 100, "many"], 100,
               ("left=0", "agents=0", "stopped=1"))
    if nsslab.sanitized():
        tap.skip("threads with 64 KiB of stack", "a sanitizer's own functions need more")
    else:
        simple(tap, here, site, "threads with 64 KiB of stack",
               ["--count", 16, "--stack", 64, "threads"], 16)


def processes(tap, here, site):
    rounds = 200 if LONG else 5
    if nsslab.sanitized():
        tap.skip("forks in the middle of checks", "a sanitizer's own locks do not survive them")
    else:
        here.configure("deadline = 15s\n")
        here.start_agent("stuck.site.example=silent")
        got = here.endure(site, "--count", rounds, "fork", timeout=600)
        tap.case("forks in the middle of checks: parents and children go on with what they have",
                 got[0] == 0 and got[2] == "" and accepted(got[1]) == 4 * rounds and
                 said(got[1], "failed=0"), got)
        here.start_agent("stuck.site.example=silent", "*=refuse")
        got = here.endure(site, "--count", rounds, "fork", timeout=600)
        tap.case("forks in the middle of checks, refused", accepted(got[1]) == 0 and
                 refused(got[1]) >= 4 * rounds and got[0] == 0 and got[2] == "", got)
    if not nsslab.sanitized():
        simple(tap, here, site, "children that begin again with NSS",
               ["--count", rounds, "children"], 2 * rounds + 1,
               ("failed=0", "left=0", "agents=0", "stopped=1"),
               here.environment(NSS_STRICT_NOFORK="1"))  # softoken aborts where one did not
    simple(tap, here, site, "programs started in the middle of checks",
           ["--count", rounds, "spawn"], rounds)


def restarts(tap, here, site):
    count = 500 if LONG else 20
    simple(tap, here, site, "NSS ends and begins again", ["--count", count, "restart"], count,
           ("agents=0", f"stopped={count}"))
    simple(tap, here, site, "contexts of NSS that overlap", ["--count", count, "contexts"],
           count + 1, ("agents=0", f"stopped={count + 1}"))
    here.configure("deadline = 30s\n")
    without = here.endure(site, "stop-alive", database="without")
    for rule in ("slow", "silent", "refuse"):
        here.start_agent(f"*={rule}")
        got = here.endure(site, "stop-alive", env=here.without_error_stack())
        tap.case(f"NSS ends while connections live, agent {rule}",
                 got[0] == 0 and got[2] == "" and said(got[1], "agents=0") and
                 said(without[1], "stopped=0") == said(got[1], "stopped=0"), (got, without))


def removals(tap, here, site):
    here.configure("deadline = 30s\n")
    for rule in ("accept", "slow", "silent"):
        here.database("removing")
        here.add_module("removing")
        here.start_agent(f"*={rule}")
        got = here.endure(site, "delete", database="removing")
        tap.case(f"the module removed from within, agent {rule}: what lives goes on",
                 got[0] == 0 and got[2] == "" and accepted(got[1]) >= 2 and
                 said(got[1], "deleted=1", "agents=0", "stopped=1"), got)
        here.remove_database("removing")
    if nsslab.sanitized():
        tap.skip("the module removed from the database meanwhile", "modutil has no sanitizer's runtime")
        return
    here.database("removing")
    here.add_module("removing")
    here.start_agent()
    with subprocess.Popen(here.command(site, "pause", database="removing"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env=here.environment()) as process:
        here.wait_for_questions(1, process)
        here.tool("modutil", "-force", "-dbdir", f"sql:{here.path('removing')}",
                  "-delete", "converge")
        process.stdin.close()
        out = process.stdout.read().decode()
    tap.case("the module removed from the database meanwhile: this program goes on with it",
             process.returncode == 0 and accepted(out) == 2 and len(here.asked()) == 2 and
             said(out, "agents=0", "stopped=1"), (process.returncode, out, here.asked()))
    here.remove_database("removing")


def kills(tap, here, site):
    """The agent dies by SIGKILL while 100 questions wait: that ends them, not their deadline."""
    for scene in (["--count", 100, "many"], ["--count", 100, "threads"]):
        for policy in ("deny", "known", "allow"):
            here.configure(f"deadline = 60s\non_unreachable = {policy}\n")
            here.start_agent("*=silent")
            with subprocess.Popen(here.command(site, *scene), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=here.environment()) as process:
                here.wait_for_questions(100, process)
                here.kill_agent()
                killed = time.monotonic()
                out, err = (data.decode() for data in process.communicate())
            ended = (accepted if policy == "allow" else refused)(out)
            tap.case(f"the agent killed in the middle of 100 checks, {scene[-1]}, {policy}",
                     process.returncode == 0 and err == "" and ended == 100 and
                     out.count("ok=") == 100 and said(out, "left=0", "agents=0", "stopped=1") and
                     time.monotonic() - killed < 50, (process.returncode, out, err))


def descriptors(tap, here, site):
    here.configure("deadline = 30s\n")
    here.start_agent("*=slow")
    got = here.endure(site, "close-sockets")
    tap.case("a descriptor that became the host's is left alone, and the question asked again",
             got[0] == 0 and got[2] == "" and accepted(got[1]) == 1 and len(here.asked()) == 2 and
             said(got[1], "taken=1", "theirs=6", "agents=0"), (got, here.asked()))
    got = here.endure(site, "--count", 20, "close-all", env=here.without_leak_check())
    tap.case("all descriptors closed in the middle of checks",
             got[0] == 0 and accepted(got[1]) == 0 and said(got[1], "agents=0"), got)
    here.start_agent()
    got = here.endure(site, "no-descriptors")
    tap.case("no descriptor to be had", got[0] == 0 and got[2] == "" and accepted(got[1]) == 2 and
             refused(got[1]) == 1 and said(got[1], "agents=0", "stopped=1"), got)
    here.start_agent("*=slow")
    got = here.endure(site, "closed-standard", env=here.without_error_stack())
    tap.case("standard descriptors closed by the program are not used by us",
             got[0] == 0 and accepted(got[1]) == 1 and said(got[1], "low=0", "agents=0"), got)


def signals(tap, here, site):
    here.configure("deadline = 30s\n")
    for kind in ([], ["--nonblocking"]):
        here.start_agent("*=slow")
        got = here.endure(site, "--count", 5, *kind, "signals")
        tap.case(f"a thousand signals a second{options(kind)}", got[0] == 0 and got[2] == "" and
                 accepted(got[1]) == 5 and len(here.asked()) == 5 and said(got[1], "agents=0"),
                 (got, here.asked()))
        here.start_agent("*=close")
        got = here.endure(site, "--count", 5, *kind, "signals")
        tap.case(f"an agent that hangs up kills nobody{options(kind)}", got[0] == 0 and
                 refused(got[1]) == 5 and said(got[1], "agents=0", "stopped=1"), got)


def ends(tap, here, site):
    """Threads wait for their answers; the main thread ends the process, or the threads."""
    here.configure("deadline = 20s\n")
    for rule in ("silent", "slow"):
        here.start_agent(f"*={rule}")
        with subprocess.Popen(here.command(site, "--count", 8, "exit"), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE,
                              env=here.without_leak_check()) as process:
            here.wait_for_questions(8, process)
            process.stdin.close()
            out = process.stdout.read().decode()
        tap.case(f"exit in the middle of checks, agent {rule}", process.returncode == 0 and
                 (rule == "slow" or accepted(out) == 0), (process.returncode, out))
    here.start_agent("*=silent")
    with subprocess.Popen(here.command(site, "--count", 8, "cancel"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE,
                          env=here.with_cancelled_threads()) as process:
        here.wait_for_questions(8, process)
        process.stdin.close()
        out = process.stdout.readline().decode()
        here.kill_agent()
        out += process.stdout.read().decode()
    tap.case("threads cancelled in the middle of checks leave nothing of ours",
             process.returncode == 0 and accepted(out) == 0 and refused(out) >= 1 and
             said(out, "cancelled", "agents=0"), (process.returncode, out))


def surroundings(tap, here, site):
    here.configure("deadline = 30s\n")
    for scene, what, handshakes in (("other-user", "rights dropped", 2), ("chroot", "chroot", 2),
                                    ("no-proc", "without /proc", 1)):
        here.start_agent()
        got = here.endure(site, scene, env=here.without_leak_check())
        if got[0] == 77:
            tap.skip(what, "needs root or a user name space")
            continue
        # What of the installation is out of reach afterwards cannot confirm anything.
        tap.case(f"{what}: checked as far as it goes, else refused",
                 got[0] == 0 and got[2] == "" and accepted(got[1]) == 1 and
                 refused(got[1]) == handshakes - 1 and said(got[1], "agents=0"), got)
    got = here.endure(site, "--count", 2, "connect", env={"PATH": "/nonexistent"})
    tap.case("an empty environment", got[0] == 0 and got[2] == "" and got[1].count("ok=") == 2 and
             said(got[1], "agents=0", "stopped=1"), got)


def main():
    tap = nsslab.lab.Tap()
    with nsslab.NssLab() as here:
        site, self_signed = here.serve(), here.serve("self")
        if HANDSHAKES:
            growth_of(tap, here, site, 10000, ["--nonblocking"])
            tap.done()
        growth(tap, here, site, self_signed)
        memory(tap, here, site, self_signed)
        for part in (many, processes, restarts, removals, kills, descriptors, signals, ends,
                     surroundings):
            part(tap, here, site)
    tap.done()


main()
