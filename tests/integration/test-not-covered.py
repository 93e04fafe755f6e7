# SPDX-License-Identifier: MIT
"""What Converge does not cover is not covered, and `converge doctor -- PROGRAM` says so: these
programs meet the attacker as if Converge were not there, and the agent is not asked."""
from lab import programs
from lab.drive import drive
from lab.session import find, session


def unprotected(lab, installation, program):
    host = lab.sites["hijacked"].host(program.name)
    outcome = drive(lab, program, host, 443, installation)
    if not lab.caught(host):
        return "the attacker got nothing: is it covered after all?\n%s" % outcome
    if installation.verdicts(host=host):
        return "the agent was asked:\n%s" % installation.log()
    return ""


def doctor(installation, program, status, words):
    answer = installation.tool("doctor", "--", program.needs[0], timeout=60)
    said = answer.stdout.decode("utf-8", "replace")
    if answer.returncode == status and words in said.splitlines()[0]:
        return ""
    return "exit status %d, not %d:\n%s%s" % (answer.returncode, status, said,
                                              answer.stderr.decode("utf-8", "replace"))


def main():
    with session({program.name: "https" for program in programs.NOT_COVERED}) as (lab, result):
        installation = lab.installation("not-covered")
        for program in programs.NOT_COVERED:
            if program.missing():
                result.skip(program.name, program.missing() + " is not installed")
                continue
            result.check("%s: not covered" % program.name,
                         unprotected(lab, installation, program))
            result.check("%s: doctor says so" % program.name,
                         doctor(installation, program, 1, "NOT covered"))
        result.check("curl: doctor says that it is covered",
                     doctor(installation, find("curl"), 0, "covered"))


main()
