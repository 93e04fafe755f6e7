# SPDX-License-Identifier: MIT
"""What must be true after a program ran under Converge: of what it printed, and of the agent's
log. A page that loads proves nothing; the log shows that we were asked, and about what."""


def _fields(verdicts):
    return "\n".join("logged: " + " ".join("%s=%s" % item for item in fields.items())
                     for fields in verdicts) or "logged: nothing"


def _verdicts(installation, host, program, wanted):
    verdicts = installation.verdicts(host=host)
    problems = [] if verdicts else ["the agent was not asked"]
    for fields in verdicts:
        if not fields["program"].startswith(program):
            problems.append("wrong program: not " + program)
        for key, value in wanted.items():
            if fields.get(key) != value:
                problems.append("wrong %s: not %s" % (key, value))
    return "\n".join(problems + [_fields(verdicts)]) if problems else ""


def logged(installation, host, port, program, **wanted):
    """Verdicts about a host at this very port; what is wrong with them, or ""."""
    return _verdicts(installation, host, program, {"port": str(port), "ports": str(port), **wanted})


def tunnelled(installation, host, program, **wanted):
    """As logged(), inside a proxy's tunnel, where the port is one of several candidates."""
    return _verdicts(installation, host, program, wanted)


def allowed(outcome):
    return "" if outcome.genuine else "the site's answer did not arrive\n%s" % outcome


def refused(lab, outcome, host):
    """Nothing came through in either direction: the attacker has not even seen a request."""
    if outcome.genuine or outcome.fooled:
        return "it was let through\n%s" % outcome
    caught = lab.caught(host)
    return "the attacker got: %s" % "".join(caught) if caught else ""


def withheld(lab, host):
    """Not even the handshake was ended: NSS sends nothing once the certificate is there."""
    reached = lab.reached(host)
    return "not withheld: %s" % "".join(reached) if reached else ""


def together(*problems):
    return "\n".join(problem for problem in problems if problem)
