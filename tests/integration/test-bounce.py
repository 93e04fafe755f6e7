# SPDX-License-Identifier: MIT
"""Bounced queries: one notary passes the question on to the others and casts no vote, so that who
answers does not learn who asks. Two of the three are left to vote: both must say yes."""
from lab import expect
from lab.drive import drive
from lab.session import find, session

CURL = find("curl")


def bounced(installation, host, kind, enough):
    for fields in installation.verdicts(host=host):
        if fields["bounced"] != "yes":
            return "not bounced: %s" % fields
        if fields["votes"].count(":%s:" % kind) < enough:
            return "not %d notaries that say %s: %s" % (enough, kind, fields["votes"])
    return ""


def visit(lab, installation, site, port, kind, enough, **wanted):
    host = lab.sites[site].host(CURL.name)
    outcome = drive(lab, CURL, host, port, installation)
    came = expect.allowed(outcome) if site == "clean" else expect.refused(lab, outcome, host)
    return expect.together(came, expect.logged(installation, host, port, "curl", **wanted),
                           bounced(installation, host, kind, enough))


def main():
    with session({CURL.name: "https"}) as (lab, result):
        for version in (1, 2):
            installation = lab.installation("bounce%d" % version, version=version, bounce="on")
            result.check("version %d: bounced notaries confirm the genuine site" % version,
                         visit(lab, installation, "clean", 443, "yes", 2,
                               verdict="agree", action="accept"))
            result.check("version %d: bounced: the attacker is refused" % version,
                         visit(lab, installation, "hijacked", 8443, "no", 1,
                               verdict="disagree", action="refuse"))


main()
