# SPDX-License-Identifier: MIT
"""The main job in its thinnest form: programs over OpenSSL and over NSS ask three notaries, an
attacker with a public authority's certificate is refused, and neither a lost agent nor false
notaries open a way in.

scripts/mutate holds this test to its word: it must fail when hook, vote or pin is broken."""
import copy

from lab import expect
from lab.drive import drive
from lab.session import find, session

PROGRAMS = [find("curl"), find("python-urllib"), find("tstclnt"), find("libcurl-nss")]
AGREE = {"verdict": "agree", "action": "accept", "reason": "vote", "pki": "ok"}
DISAGREE = {"verdict": "disagree", "action": "refuse", "reason": "vote", "pki": "ok"}


def clean(lab, installation, program):
    host = lab.sites["clean"].host(program.name)
    outcome = drive(lab, program, host, 443, installation)
    return expect.together(expect.allowed(outcome),
                           expect.logged(installation, host, 443, program.process, **AGREE),
                           enough_votes(installation, host, "yes"))


def hijacked(lab, installation, program):
    host = lab.sites["hijacked"].host(program.name)
    outcome = drive(lab, program, host, 8443, installation)
    return expect.together(expect.refused(lab, outcome, host),
                           expect.logged(installation, host, 8443, program.process, **DISAGREE),
                           enough_votes(installation, host, "no"))


def enough_votes(installation, host, kind):
    """Two of three notaries decide; the third may be cut short."""
    for fields in installation.verdicts(host=host):
        if fields["votes"].count(":%s:" % kind) < 2:
            return "not decided by two notaries that say %s: %s" % (kind, fields["votes"])
    return ""


def agent_gone(lab, installation, program):
    """The agent dies after the program has been set up: nothing may be accepted then."""
    host = lab.sites["clean"].host("gone-" + program.name)
    installation.tool("run", "--", "true")  # the agent runs from here on, if it did not
    killer = copy.copy(program)
    killer.command = ["sh", "-c", "kill -9 %d; exec \"$0\" \"$@\"" % installation.agent_pid(),
                      *program.command]
    outcome = drive(lab, killer, host, 443, installation)
    problem = "" if not outcome.genuine else "accepted without an agent\n%s" % outcome
    if installation.verdicts(host=host):
        problem += "\nthe agent was not gone"
    return problem


def impostors(lab, installation, program):
    """False notaries that confirm the attacker's certificate: their pins give them away."""
    host = lab.sites["hijacked"].host("impostor-" + program.name)
    outcome = drive(lab, program, host, 443, installation)
    problems = [expect.refused(lab, outcome, host),
                expect.logged(installation, host, 443, program.process, verdict="undecided",
                              action="refuse")]
    for fields in installation.verdicts(host=host):
        if fields["votes"].count(":silent(pin):") != 3:
            problems.append("not silenced by their pins: " + fields["votes"])
    return expect.together(*problems)


def remembered(lab, installation, program):
    """The notaries are out of reach, but what they confirmed before still holds."""
    host = lab.sites["clean"].host(program.name)
    before = len(installation.verdicts(host=host))
    outcome = drive(lab, program, host, 443, installation)
    problem = expect.allowed(outcome)
    for fields in installation.verdicts(host=host)[before:]:
        if (fields["verdict"], fields["reason"], fields["votes"]) != ("agree", "cache", "-"):
            problem += "\nnot from the cache: " + str(fields)
    return problem


def in_time(lab, installation, program):
    """Packets to the notaries vanish: nothing hangs longer than the deadline."""
    host = lab.sites["cutoff"].host(program.name)
    outcome = drive(lab, program, host, 443, installation)
    problem = expect.together(expect.refused(lab, outcome, host),
                              expect.logged(installation, host, 443, program.process,
                                            verdict="undecided", action="refuse"))
    if not 0.5 < outcome.seconds < 5:
        problem += "\nnot after the deadline of 1 s: %s" % outcome
    return problem


def private_pki(lab, installation, program):
    """An authority outside public_anchors is the administrator's own: no notary is asked."""
    host = lab.sites["clean"].host(program.name)
    outcome = drive(lab, program, host, 8443, installation)
    problem = expect.allowed(outcome)
    for fields in installation.verdicts(host=host):
        if (fields["verdict"], fields["reason"], fields["ports"]) != ("exempt", "private-pki",
                                                                      "8443"):
            problem += "\nnot exempt: " + str(fields)
    return problem if installation.verdicts(host=host) else problem + "\nthe agent was not asked"


def main():
    programs = [program for program in PROGRAMS if not program.missing()]
    names = [prefix + program.name for program in programs for prefix in ("", "gone-", "impostor-")]
    with session(dict.fromkeys(names, "https")) as (lab, result):
        for program in PROGRAMS:
            if program.missing():
                result.skip(program.name, program.missing() + " is not installed")

        def each(case, what, installation):
            for program in programs:
                result.check("%s: %s" % (program.name, what), case(lab, installation, program))

        installation = lab.installation("slice")
        each(clean, "three notaries confirm the genuine site", installation)
        each(hijacked, "the attacker is refused", installation)
        each(agent_gone, "the agent gone: refused", installation)
        older = lab.installation("version1", version=1)
        each(clean, "version 1 notaries confirm the genuine site", older)
        each(hijacked, "version 1 notaries: the attacker is refused", older)
        others = lab.authority.self_signed("other-authority", ["authority.converge-lab.net"])
        each(private_pki, "a private authority is exempt, and logged as such",
             lab.installation("private", public_anchors=others.certificate))
        lab.network.cut_off_notaries(silently=True)
        each(remembered, "no notary in reach: what they confirmed before holds", older)
        each(in_time, "packets to the notaries vanish: refused in time",
             lab.installation("in-time", deadline="1s"))
        lab.network.restore_notaries()
        lab.impersonate_notaries()
        each(impostors, "false notaries: refused", lab.installation("impostors"))


main()
