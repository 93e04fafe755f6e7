# SPDX-License-Identifier: MIT
"""Converge switched on for the whole system: programs are started as ever, by root and by others,
and one agent without root's rights answers them all. And switched off again."""
import os

from lab import expect, isolation
from lab import system as systems
from lab.drive import drive
from lab.nss import Database
from lab.programs import Program, REQUEST
from lab.session import find, session

PERSON = 4711  # an ordinary user's uid
NSSDB = os.path.join(isolation.SCRATCH, "nssdb")  # one for everybody


def as_person(program):
    return Program("person-" + program.name,
                   ["setpriv", "--reuid=%d" % PERSON, "--regid=%d" % PERSON, "--clear-groups",
                    "--"] + program.command, process=program.process, files=program.files)


CURL = find("curl")
TSTCLNT = Program("tstclnt", ["tstclnt", "-h", "{host}", "-p", "{port}", "-d", "sql:" + NSSDB,
                              "-A", "{scratch}/request"], files={"request": REQUEST})
OPENSSL = [(CURL, 0), (as_person(CURL), PERSON)]
NSS = [(TSTCLNT, 0), (as_person(TSTCLNT), PERSON)]
AGREE = {"verdict": "agree", "action": "accept"}
DISAGREE = {"verdict": "disagree", "action": "refuse"}


def visit(lab, system, program, uid, site, **wanted):
    """As anybody would: the program's own command line, nothing else."""
    host = lab.sites[site].host(program.name)
    outcome = drive(lab, program, host, 443)
    came = expect.allowed(outcome) if site == "clean" else expect.refused(lab, outcome, host)
    return expect.together(came, expect.logged(system, host, 443, program.process, uid=str(uid), **wanted))


def privileges(system):
    """The agent is not root, and its files are nobody else's to write."""
    with open("/proc/%d/status" % system.agent_pid(), encoding="ascii") as file:
        uids = next(line for line in file if line.startswith("Uid:")).split()[1:]
    return "the agent runs as %s" % uids if "0" in uids else ""


def why(lab, system):
    """A person learns what the person's own programs asked, root learns all."""
    client = lab.network.place("client")
    host = lab.sites["hijacked"].host(CURL.name)
    roots = system.tool("why", host)
    persons = client.run(["setpriv", "--reuid=%d" % PERSON, "--regid=%d" % PERSON,
                          "--clear-groups", "--"] + system.command("why", host),
                         env=system.environment())
    if b"notary" not in roots.stdout:
        return "root does not learn who said no:\n" + systems.said(roots)
    return "a stranger learns it:\n" + systems.said(persons) if b"notary" in persons.stdout else ""


def protected(lab, system, result, programs):
    for program, uid in programs:
        result.check("%s, uid %d: the genuine site" % (program.process, uid),
                     visit(lab, system, program, uid, "clean", **AGREE))
        result.check("%s, uid %d: the attacker is refused" % (program.process, uid),
                     visit(lab, system, program, uid, "hijacked", **DISAGREE))


def nss(lab, system, result):
    """A database that everybody reads, with the module in it, and without it again."""
    if TSTCLNT.missing():
        result.skip("nss", TSTCLNT.missing() + " is not installed")
        return
    Database(lab, NSSDB)
    for name in os.listdir(NSSDB):
        os.chmod(os.path.join(NSSDB, name), 0o644)
    answer = system.tool("enable", "nss", NSSDB, timeout=60)
    result.check("enable nss", systems.failed(answer))
    protected(lab, system, result, NSS)
    answer = system.tool("disable", "nss", NSSDB)
    result.check("disable nss", systems.failed(answer))
    host = lab.sites["hijacked"].host("off")
    result.check("NSS programs are on their own again",
                 "" if drive(lab, TSTCLNT, host, 443).fooled else "the attacker is still refused")


def switched_on(lab, system, result):
    answer = system.tool("enable", "openssl", timeout=60)
    result.check("enable openssl", systems.failed(answer))
    protected(lab, system, result, OPENSSL)
    result.check("the agent has dropped root's rights", privileges(system))
    result.check("why tells each their own", why(lab, system))
    # The notaries of the lab share one network of documentation's addresses, which doctor warns of.
    answer = system.tool("doctor", timeout=60)
    result.check("doctor: nothing is bad",
                 "" if answer.returncode in (0, 1) else systems.said(answer))


def switched_off(lab, system, result, before):
    answer = system.tool("disable", "openssl")
    result.check("disable openssl", systems.failed(answer))
    result.check("openssl.cnf is what it was",
                 "" if systems.openssl_cnf() == before else "changed")
    host = lab.sites["hijacked"].host("off")
    result.check("programs are on their own again",
                 "" if drive(lab, CURL, host, 443).fooled else "the attacker is still refused")


def main():
    systems.enter_as_root()
    names = [program.name for program, _ in OPENSSL + NSS] + ["off"]
    with session(dict.fromkeys(names, "https"), covered=systems.COVERED) as (lab, result):
        before = systems.openssl_cnf()
        system = systems.install(lab, result)
        switched_on(lab, system, result)
        nss(lab, system, result)
        switched_off(lab, system, result, before)


main()
