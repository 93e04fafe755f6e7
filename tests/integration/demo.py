# SPDX-License-Identifier: MIT
"""The demo: tells in plain text what happens to programs without and with Converge. It runs the
programs of the integration table in the lab's network; scripts/demo builds and starts it."""
import re
import statistics
import sys

from lab import browser, isolation
from lab.drive import drive
from lab.lab import Lab, Site
from lab.session import find

PROGRAMS = ["curl", "python-urllib", "python-requests", "node-debian", "node-official", "ruby",
            "php-curl", "perl", "lua", "w3m", "psql"]
NSS_PROGRAMS = ["tstclnt", "python3-nss", "libcurl-nss"]
TELLING = re.compile("self-signed certificate|certificate rejected|certificate verify failed|"
                     "SEC_ERROR_UNTRUSTED_CERT|peer certificate [^\n]*was not OK|"
                     "failed sending data to the peer|failure when receiving data from the peer|"
                     "SSL connect error",
                     re.IGNORECASE)
BANK = "www"  # the first label of every name the demo visits


def say(text=""):
    print(text, flush=True)


def title(text):
    say()
    say(text)
    say("-" * len(text))


def visits(lab, table, site, installation=None):
    """Sends every program to a site and prints what came of it, one line each."""
    for program in table:
        port = 5432 if program.kind == "postgres" else 443
        name = BANK if program.kind == "https" else "db"
        seen = len(lab.caught("postgres"))
        outcome = drive(lab, program, site.host(name), port, installation)
        caught = lab.caught("postgres") if program.kind == "postgres" else []
        if outcome.fooled or len(caught) > seen:
            came = "FOOLED: talked to the attacker"
        elif outcome.genuine:
            came = "reached the genuine site"
        else:
            came = "refused " + complaint(outcome)
        say("  %-16s %s" % (program.name, came))


def complaint(outcome):
    """What the program says of a refusal, in its own words."""
    found = TELLING.search(outcome.errors + outcome.text)
    return '("%s")' % found.group(0) if found else ""


def browse(lab, site, installation=None):
    """The same with Firefox, without a window."""
    if browser.missing("firefox"):
        return
    profile = browser.Profile(lab)
    if installation:
        profile.database.add_module()
    firefox = browser.Browser(lab, profile, installation=installation)
    try:
        page = browser.visit(firefox.remote, "https://%s/" % site.host(BANK))
    finally:
        firefox.stop()
    if page.fooled:
        came = "FOOLED: shows the attacker's page"
    elif page.genuine:
        came = "shows the genuine page"
    else:
        came = "shows its own warning page (%s)" % page.code
    say("  %-16s %s" % ("firefox", came))


def over_nss(lab, installation):
    """The attacker is there; at the end, too."""
    bank, table = lab.sites["bank"], present(NSS_PROGRAMS)
    say("""  Firefox and others verify with NSS. `converge run` does not reach them: their database lists
  libconverge-nss.so (converge enable nss ...), and every program that reads it is covered.
""")
    say("  Without Converge, the attacker steps in:")
    visits(lab, table, bank)
    browse(lab, bank)
    say("  With the module in the database:")
    visits(lab, table, bank, installation)
    browse(lab, bank, installation)
    for address in bank.addresses.values():
        lab.network.release(address)
    say("  With the module, the attacker steps aside:")
    visits(lab, table, bank, installation)
    browse(lab, bank, installation)
    for address in bank.addresses.values():
        lab.network.hijack(address)


def who_said_what(installation, host):
    refusals = [fields for fields in installation.verdicts(host=host)
                if fields["verdict"] == "disagree"]
    for fields in refusals[:1]:
        say()
        say("  What the agent's log says of it:")
        for key in ("verdict", "action", "reason", "host", "port", "program", "ms", "votes"):
            say("    %-8s %s" % (key, fields[key].replace(",", "\n             ")))


def times(lab, installation, site):
    curl = find("curl")
    say("  The same curl, to a name it has not visited yet and again; milliseconds:")
    bare, first, second = [], [], []
    for number in range(5):
        host = site.host("visit%d" % number)
        bare.append(drive(lab, curl, host, 443).seconds * 1000)
        first.append(drive(lab, curl, host, 443, installation).seconds * 1000)
        second.append(drive(lab, curl, host, 443, installation).seconds * 1000)
    fields = [installation.verdicts(host=site.host("visit%d" % number)) for number in range(5)]
    asked = statistics.median(int(lines[0]["ms"]) for lines in fields)
    cached = statistics.median(int(lines[-1]["ms"]) for lines in fields)
    say("    without Converge               %5.0f" % statistics.median(bare))
    say("    first visit: notaries asked    %5.0f   (the check itself: %d)"
        % (statistics.median(first), asked))
    say("    second visit: remembered       %5.0f   (the check itself: %d)"
        % (statistics.median(second), cached))
    say("  (Medians of five, the whole program run and `converge run` counted; links without delay.)")


def tell(lab, table):
    bank, own = lab.sites["bank"], lab.sites["own"]
    say("""
A small internet, only in this process's own network namespaces:

    client --- attacker --- core --- sites (www.bank.converge-lab.net, ...)
                              |----- notary1, notary2, notary3, each at its own place

All the client's packets pass the attacker, who has got a certificate for the bank from an authority
that every program here believes. The programs are the system's own, unmodified.""")

    title("1. Without Converge, the attacker steps in")
    visits(lab, table, bank)

    title("2. With Converge (converge run -- PROGRAM ...), the attacker steps aside")
    normal = lab.installation("normal")
    for address in bank.addresses.values():
        lab.network.release(address)
    visits(lab, table, bank, normal)

    title("3. With Converge, the attacker steps in again")
    for address in bank.addresses.values():
        lab.network.hijack(address)
    visits(lab, table, bank, normal)
    who_said_what(normal, bank.host(BANK))

    title("4. A site with a certificate of its own making, which no authority signed")
    say("  Without Converge:")
    visits(lab, table[:4], own)
    say("  With Converge and `mode = replace`: the notaries see the same certificate from everywhere.")
    visits(lab, table, own, lab.installation("replace", mode="replace"))

    if present(NSS_PROGRAMS):
        title("5. Programs over NSS, and Firefox")
        over_nss(lab, normal)

    title("6. First and second visit")
    times(lab, normal, lab.sites["shop"])

    title("7. The attacker cuts the notaries off: no way in either (on_unreachable = deny)")
    lab.network.cut_off_notaries()
    visits(lab, table[:4], bank, normal)
    say()
    say("That is all. The namespaces and everything in them are gone now.")


def present(names):
    return [find(name) for name in names if not find(name).missing()]


def main():
    try:
        isolation.enter()
    except isolation.Unavailable as reason:
        sys.exit("demo: %s" % reason)
    table = present(PROGRAMS)
    names = {BANK: "https", "db": "postgres"}
    names.update({"visit%d" % number: "https" for number in range(5)})
    sites = [Site("bank", 10, hijacked=True), Site("own", 20, trusted=False), Site("shop", 30)]
    lab = Lab(sites, names, want_postgres=any(row.kind == "postgres" for row in table))
    try:
        lab.start_notaries()
        tell(lab, table)
    finally:
        lab.stop()


main()
