# SPDX-License-Identifier: MIT
"""The way that cannot lock anybody out: a system is switched on in monitor mode, is told what would
have been refused, goes over to refusing it, and is switched off again without a trace. curl is
started as ever all along, and nothing but its command line is given to it."""
import json

from lab import expect
from lab import system as systems
from lab.drive import drive
from lab.guarded import until
from lab.session import find, session

CURL = find("curl")


def attacked(lab, name):
    host = lab.sites["hijacked"].host(name)
    return host, drive(lab, CURL, host, 443)


def genuine(lab, name):
    host = lab.sites["clean"].host(name)
    return expect.allowed(drive(lab, CURL, host, 443))


def entry(system, host, action):
    """The agent was asked by curl, the notaries said no, and this is what came of it."""
    asked = system.verdicts(host=host, program=CURL.process)
    right = [fields for fields in asked if (fields["verdict"], fields["action"], fields["port"]) ==
             ("disagree", action, "443")]
    return "" if asked and right == asked else "logged: %s" % asked


def reported(system, host):
    """`converge report` names the host among what augment would have refused."""
    answer = system.tool("report", "--json")
    if answer.returncode != 1:
        return systems.said(answer)
    named = [one["programs"] for one in json.loads(answer.stdout)["hosts"] if one["host"] == host]
    return "" if len(named) == 1 and CURL.process in named[0] else systems.said(answer)


def switched_on(system, before):
    answer = system.tool("enable", "openssl", timeout=60)
    if answer.returncode != 0 or b"Mode: monitor" not in answer.stdout:
        return systems.said(answer)
    return "openssl.cnf is as it was" if systems.openssl_cnf()[0] == before[0] else ""


def watched(lab, system, result):
    host, outcome = attacked(lab, "monitor")
    result.check("monitor: the attacker is accepted", "" if outcome.fooled else str(outcome))
    until(lambda: system.verdicts(host=host, program=CURL.process))  # nobody waits for the vote
    result.check("monitor: and is logged", entry(system, host, "accept"))
    result.check("monitor: the genuine site", genuine(lab, "monitor"))
    result.check("monitor: the report tells what augment would refuse", reported(system, host))


def refused(lab, system, result):
    result.check("mode augment", systems.failed(system.tool("mode", "augment")))
    host, outcome = attacked(lab, "augment")
    result.check("augment: the attacker is refused", expect.refused(lab, outcome, host))
    result.check("augment: and that is logged", entry(system, host, "refuse"))
    host, outcome = attacked(lab, "monitor")
    result.check("augment: what was accepted before is refused now",
                 str(outcome) if outcome.fooled or outcome.genuine else "")
    result.check("augment: the genuine site", genuine(lab, "augment"))


def switched_off(lab, system, result, before):
    result.check("disable openssl", systems.failed(system.tool("disable", "openssl")))
    after = systems.openssl_cnf()
    result.check("disable: openssl.cnf is the same, octet for octet",
                 "" if after[0] == before[0] else "changed")
    result.check("disable: nothing is left beside it", "" if after[1] == before[1] else
                 "before: %s\nafter: %s" % (before[1], after[1]))
    host, outcome = attacked(lab, "off")
    result.check("disable: the attacker is accepted as before",
                 "" if outcome.fooled else str(outcome))
    result.check("disable: nobody is asked",
                 "\n".join(map(str, system.verdicts(host=host))))


def main():
    systems.enter_as_root()
    names = dict.fromkeys(("monitor", "augment", "off"), "https")
    with session(names, covered=systems.COVERED) as (lab, result):
        before = systems.openssl_cnf()
        system = systems.install(lab, result, mode="monitor")
        result.check("enable openssl", switched_on(system, before))
        watched(lab, system, result)
        refused(lab, system, result)
        switched_off(lab, system, result, before)


main()
