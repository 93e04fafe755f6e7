# SPDX-License-Identifier: MIT
"""A resumed session shows no certificate anew, but NSS keeps the one it had: every connection is
judged, resumed or not, and an attacker who steps in later is refused."""
from lab import expect
from lab.drive import Outcome, drive, start
from lab.network import NOTARY_ADDRESSES
from lab.nss_programs import python_nss_twice
from lab.session import find, session

TWICE = [python_nss_twice("tls12", "tls1.2"), python_nss_twice("tls13", "tls1.3")]
STRSCLNT = ("strsclnt-resumed-tls12", "strsclnt-resumed-tls13")


def twice(lab, installation, program, host, between):
    """Fetches, lets between() happen, and fetches again in the same process."""
    child = start(lab, program, host, 443, installation)
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


def only_first(lab, host):
    """Of the second connection not even the handshake was ended: nothing beside the first one's
    handshake and request."""
    reached = lab.reached(host)
    return "" if len(reached) == 2 else "not withheld: %s" % "".join(reached)


def unchanged(lab, installation, program, host):
    first, second = twice(lab, installation, program, host, lambda: None)
    return expect.together(expect.allowed(first), expect.allowed(second),
                           "" if resumed(lab, host) else "the second was not resumed",
                           verdicts(installation, host, "accept", "accept"))


def hijacked(lab, installation, program, host):
    address = lab.sites["hijacked"].addresses["https"]
    first, second = twice(lab, installation, program, host,
                          lambda: lab.network.hijack(address))
    lab.network.release(address)
    return expect.together(expect.allowed(first), expect.refused(lab, second, host),
                           only_first(lab, host),
                           verdicts(installation, host, "accept", "refuse"))


def forgotten(lab, installation, program, host):
    """What was believed is so no longer, while NSS would still resume the session."""
    def between():
        installation.tool("cache", "forget", host)
        lab.network.cut_off_notaries()
    first, second = twice(lab, installation, program, host, between)
    for address in NOTARY_ADDRESSES:
        lab.network.release(address)
    return expect.together(expect.allowed(first), expect.refused(lab, second, host),
                           only_first(lab, host),
                           verdicts(installation, host, "accept", "refuse"))


def many(lab, installation, name):
    """The table says that every one of them is judged; here is that they really are resumed."""
    outcome = drive(lab, find(name), lab.sites["clean"].host(name), 443, installation)
    return "" if outcome.text.count(" resumed\n") == 2 else str(outcome)


def main():
    runs = {"%s-%s" % (case.__name__, program.name): (case, program)
            for program in TWICE for case in (unchanged, hijacked, forgotten)}
    with session(dict.fromkeys([*runs, *STRSCLNT], "https")) as (lab, result):
        installation = lab.installation("many")
        for name in STRSCLNT:
            if find(name).missing():
                result.skip(name, find(name).missing() + " is not installed")
                continue
            result.check("%s: is resumed" % name, many(lab, installation, name))
        if TWICE[0].missing():
            result.skip("resumed sessions", TWICE[0].missing() + " is not installed")
            return
        lab.network.release(lab.sites["hijacked"].addresses["https"])
        for name, (case, program) in runs.items():
            result.check("a resumed session: %s" % name,
                         case(lab, lab.installation(name), program,
                              lab.sites["hijacked"].host(name)))


main()
