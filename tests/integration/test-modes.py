# SPDX-License-Identifier: MIT
"""What the settings of converge.conf do to unmodified programs, one over OpenSSL and one over NSS,
where they differ from the defaults that the other tests use."""
import copy
import os

from lab import expect
from lab.drive import drive
from lab.session import find, session



def visit(lab, installation, program, host, passes, **wanted):
    """passes: "genuine", "fooled" or "refused"."""
    outcome = drive(lab, program, host, 443, installation)
    came = {"genuine": outcome.genuine, "fooled": outcome.fooled,
            "refused": not (outcome.genuine or outcome.fooled)}
    problem = "" if came[passes] else "not %s\n%s" % (passes, outcome)
    return expect.together(problem, expect.logged(installation, host, 443, program.process,
                                                  **wanted)
                           if wanted else "")


def settled(installation, pattern):
    """Lines that a test expects in the log beside the port, for a vote that never took place."""
    return [fields for fields in installation.verdicts() if pattern in fields["reason"]]


def name_of(program, case):
    return "%s-%s" % (case, program.name)


def monitor(lab, result, program):
    installation = lab.installation(name_of(program, "monitor"), mode="monitor")
    host = lab.sites["hijacked"].host(name_of(program, "monitor"))
    result.check("%s: monitor: the attacker gets through" % program.name,
                 visit(lab, installation, program, host, "fooled"))
    # In this mode nobody waits for the vote: the next command comes after it in the agent.
    installation.tool("check", host, timeout=30)
    warned = [fields for fields in installation.verdicts(host=host, program=program.process)
              if (fields["verdict"], fields["action"]) == ("disagree", "accept")]
    result.check("%s: monitor: and is written down" % program.name,
                 "" if warned else installation.log())


def exempt(lab, result, program):
    installation = lab.installation(name_of(program, "exempt"),
                                    exempt_names="*.hijacked.converge-lab.net")
    host = lab.sites["hijacked"].host(name_of(program, "exempt"))
    result.check("%s: exempt_names: nobody is asked" % program.name, expect.together(
        visit(lab, installation, program, host, "fooled"),
        "" if settled(installation, "name") else installation.log()))


def broken(lab, result, program):
    """Wrong only once the program is set up: nobody is there to tell it to, and nothing passes."""
    installation = lab.installation(name_of(program, "broken"))
    path = os.path.join(installation.directory, "converge.conf")
    breaking = copy.copy(program)
    breaking.command = ["sh", "-c", "echo on_unreachable = maybe >>%s; exec \"$0\" \"$@\"" % path,
                        *program.command]
    host = lab.sites["clean"].host(name_of(program, "broken"))
    outcome = drive(lab, breaking, host, 443, installation)
    result.check("%s: a configuration that became wrong: nothing passes" % program.name,
                 expect.together(str(outcome) if outcome.genuine else "",
                                 installation.log() if lab.served(host) else ""))


def told(lab, result):
    installation = lab.installation("told", on_unreachable="maybe")
    outcome = drive(lab, find("curl"), lab.sites["clean"].host("told"), 443, installation)
    words = all(word in outcome.errors for word in ("converge.conf:", "maybe", "deny"))
    result.check("a configuration that is wrong: told where and how, and nothing is run",
                 "" if outcome.status == 4 and words and not outcome.genuine else str(outcome))


def unreachable(lab, result, program):
    result.check("%s: on_unreachable = allow: accepted without a vote" % program.name,
                 visit(lab, lab.installation(name_of(program, "allow"), on_unreachable="allow"),
                       program, lab.sites["cutoff"].host(name_of(program, "allow")), "genuine",
                       verdict="undecided", action="accept"))
    result.check("%s: on_unreachable = known: refused, if the key was never seen" % program.name,
                 visit(lab, lab.installation(name_of(program, "known"), on_unreachable="known"),
                       program, lab.sites["cutoff"].host(name_of(program, "known")), "refused",
                       verdict="undecided", action="refuse"))


def main():
    programs = [find("curl"), find("tstclnt")]
    names = [name_of(program, case) for program in programs
             for case in ("monitor", "exempt", "broken", "allow", "known")]
    with session(dict.fromkeys(names + ["told"], "https")) as (lab, result):
        told(lab, result)
        for program in programs:
            for case in (monitor, exempt, broken):
                case(lab, result, program)
        lab.network.cut_off_notaries()
        for program in programs:
            unreachable(lab, result, program)


main()
