# SPDX-License-Identifier: MIT
"""What the settings of converge.conf do to an unmodified program, where they differ from the
defaults that the other tests use."""
import os

from lab import expect
from lab.drive import drive
from lab.session import find, session

CURL = find("curl")


def visit(lab, installation, host, passes, **wanted):
    """passes: "genuine", "fooled" or "refused"."""
    outcome = drive(lab, CURL, host, 443, installation)
    came = {"genuine": outcome.genuine, "fooled": outcome.fooled,
            "refused": not (outcome.genuine or outcome.fooled)}
    problem = "" if came[passes] else "not %s\n%s" % (passes, outcome)
    return expect.together(problem, expect.logged(installation, host, 443, "curl", **wanted)
                           if wanted else "")


def settled(installation, pattern):
    """Lines that a test expects in the log beside the port, for a vote that never took place."""
    return [fields for fields in installation.verdicts() if pattern in fields["reason"]]


def monitor(lab, result):
    installation = lab.installation("monitor", mode="monitor")
    host = lab.sites["hijacked"].host("monitor")
    result.check("monitor: the attacker gets through",
                 visit(lab, installation, host, "fooled"))
    # In this mode nobody waits for the vote: the next command comes after it in the agent.
    installation.tool("check", host, timeout=30)
    warned = [fields for fields in installation.verdicts(host=host, program="curl")
              if (fields["verdict"], fields["action"]) == ("disagree", "accept")]
    result.check("monitor: and is written down", "" if warned else installation.log())


def exempt(lab, result):
    installation = lab.installation("exempt", exempt_names="*.hijacked.converge-lab.net")
    host = lab.sites["hijacked"].host("exempt")
    result.check("exempt_names: nobody is asked", expect.together(
        visit(lab, installation, host, "fooled"),
        "" if settled(installation, "name") else installation.log()))


def broken(lab, result):
    installation = lab.installation("broken")
    with open(os.path.join(installation.directory, "converge.conf"), "a",
              encoding="ascii") as config:
        config.write("on_unreachable = maybe\n")
    outcome = drive(lab, CURL, lab.sites["clean"].host("broken"), 443, installation)
    told = all(word in outcome.errors for word in ("converge.conf:", "maybe", "deny"))
    result.check("a configuration that is wrong: told where and how, and nothing is run",
                 "" if outcome.status == 4 and told and not outcome.genuine else str(outcome))


def unreachable(lab, result):
    lab.network.cut_off_notaries()
    result.check("on_unreachable = allow: accepted without a vote",
                 visit(lab, lab.installation("allow", on_unreachable="allow"),
                       lab.sites["cutoff"].host("allow"), "genuine",
                       verdict="undecided", action="accept"))
    result.check("on_unreachable = known: refused, if the key was never seen",
                 visit(lab, lab.installation("known", on_unreachable="known"),
                       lab.sites["cutoff"].host("known"), "refused",
                       verdict="undecided", action="refuse"))


def main():
    names = ["monitor", "exempt", "broken", "allow", "known"]
    with session(dict.fromkeys(names, "https")) as (lab, result):
        for case in (monitor, exempt, broken, unreachable):
            case(lab, result)


main()
