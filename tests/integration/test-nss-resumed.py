# SPDX-License-Identifier: MIT
"""A resumed session shows no certificate anew, but NSS keeps the one it had: every connection is
judged, resumed or not, and an attacker who steps in later is refused."""
from lab import expect
from lab.drive import Outcome, drive, start
from lab.nss_programs import python_nss_twice
from lab.session import find, session

TWICE = python_nss_twice("python-twice")
STRSCLNT = ("strsclnt-resumed-tls12", "strsclnt-resumed-tls13")


def twice(lab, installation, host, between):
    """Fetches, lets between() happen, and fetches again in the same process."""
    child = start(lab, TWICE, host, 443, installation)
    first = b""
    while not first.endswith(b"fetched\n"):
        line = child.stdout.readline()
        if not line:
            break
        first += line
    between()
    out, errors = child.communicate(b"\n", timeout=40)
    return [Outcome(text.decode(), errors.decode(), child.returncode, 0) for text in (first, out)]


def resumed(lab, host):
    return [line for line in lab.served(host) if line.endswith(" resumed\n")]


def verdicts(installation, host, *actions):
    seen = [fields["action"] for fields in installation.verdicts(host=host)]
    return "" if seen == list(actions) else "wrong actions: not %s\n%s" % (
        ", ".join(actions), installation.log())


def unchanged(lab, installation, host):
    first, second = twice(lab, installation, host, lambda: None)
    return expect.together(expect.allowed(first), expect.allowed(second),
                           "" if resumed(lab, host) else "the second was not resumed",
                           verdicts(installation, host, "accept", "accept"))


def hijacked(lab, installation, host):
    address = lab.sites["hijacked"].addresses["https"]
    first, second = twice(lab, installation, host, lambda: lab.network.hijack(address))
    lab.network.release(address)
    return expect.together(expect.allowed(first), expect.refused(lab, second, host),
                           verdicts(installation, host, "accept", "refuse"))


def forgotten(lab, installation, host):
    """What was believed is so no longer, while NSS would still resume the session."""
    def between():
        installation.tool("cache", "forget", host)
        lab.network.cut_off_notaries()
    first, second = twice(lab, installation, host, between)
    return expect.together(expect.allowed(first), expect.refused(lab, second, host),
                           verdicts(installation, host, "accept", "refuse"))


def many(lab, installation, name):
    """The table says that every one of them is judged; here is that they really are resumed."""
    outcome = drive(lab, find(name), lab.sites["clean"].host(name), 443, installation)
    return "" if outcome.text.count(" resumed\n") == 2 else str(outcome)


def main():
    cases = (unchanged, hijacked, forgotten)
    names = [case.__name__ for case in cases] + list(STRSCLNT)
    with session(dict.fromkeys(names, "https")) as (lab, result):
        if TWICE.missing():
            result.skip("resumed sessions", TWICE.missing() + " is not installed")
            return
        installation = lab.installation("resumed")
        for name in STRSCLNT:
            result.check("%s: is resumed" % name, many(lab, installation, name))
        lab.network.release(lab.sites["hijacked"].addresses["https"])
        for case in cases:
            result.check("a resumed session: %s" % case.__name__,
                         case(lab, installation, lab.sites["hijacked"].host(case.__name__)))


main()
