# SPDX-License-Identifier: MIT
"""Two hosts that show the same certificate are judged apart, in one process: one is the site whose
certificate it is; in the other's place an attacker shows it, who has got its key. NSS keeps what it
thinks of a certificate, and must not keep it for the other host."""
from lab import expect
from lab.drive import drive
from lab.lab import Site
from lab.nss_programs import libcurl
from lab.session import session

SITES = [Site("shared", 50, also=["twin"]),
         Site("twin", 60, hijacked=True, shows="shared"),
         Site("own-shared", 70, trusted=False, also=["own-twin"]),
         Site("own-twin", 80, trusted=False, hijacked=True, shows="own-shared")]


def both(name, first, second):
    """One process that visits both sites, in this order."""
    program = libcurl(name)
    program.command[3] = " ".join("https://%s:443/" % site.host(name) for site in (first, second))
    return program


def apart(lab, installation, name, genuine, twin, twin_first):
    order = (twin, genuine) if twin_first else (genuine, twin)
    outcome = drive(lab, both(name, *order), genuine.host(name), 443, installation)
    came = "" if outcome.genuine and not outcome.fooled and not lab.caught(twin.host(name)) \
        else str(outcome)
    return expect.together(
        came,
        expect.logged(installation, genuine.host(name), 443, "python3",
                      verdict="agree", action="accept"),
        expect.logged(installation, twin.host(name), 443, "python3",
                      verdict="disagree", action="refuse"))


def main():
    cases = [(mode, twin_first) for mode in ("augment", "replace") for twin_first in (False, True)]
    names = ["%s-%d" % case for case in cases]
    with session(dict.fromkeys(names, "https"), sites=SITES) as (lab, result):
        for name, (mode, twin_first) in zip(names, cases):
            if libcurl(name).missing():
                result.skip(name, libcurl(name).missing() + " is not installed")
                continue
            own = "own-" if mode == "replace" else ""
            result.check("%s: the attacker's site %s" % (mode, "first" if twin_first else "last"),
                         apart(lab, lab.installation(name, mode=mode), name,
                               lab.sites[own + "shared"], lab.sites[own + "twin"], twin_first))


main()
