# SPDX-License-Identifier: MIT
"""Through an HTTP CONNECT proxy the program knows the host's name, but nothing in its process knows
the port: port 443 and the configured tunnel_ports are asked for."""
from lab import expect
from lab.drive import drive
from lab.lab import DOMAIN, HERE, PROXY, PYTHON
from lab.network import ATTACKER
from lab.programs import Program, PYTHON as PYTHON3, URLLIB
from lab.session import session

HONEST = "http://proxy.%s:%d" % (DOMAIN, PROXY[1])
EVIL = "http://evil-proxy.%s:%d" % (DOMAIN, PROXY[1])


def through(proxy, prefix):
    return [Program(prefix + "curl", ["curl", "-sS", "--proxy", proxy, "{url}"], process="curl"),
            Program(prefix + "python", [PYTHON3, "-c", URLLIB, "{url}"], process="python3",
                    environment={"https_proxy": proxy})]


def visit(lab, installation, program, site, port, **wanted):
    host = lab.sites[site].host(program.name)
    outcome = drive(lab, program, host, port, installation)
    came = expect.allowed(outcome) if site == "clean" else expect.refused(lab, outcome, host)
    return expect.together(came, expect.tunnelled(installation, host, program.process,
                                                  **wanted))


def main():
    programs = through(HONEST, "") + through(HONEST, "other-") + through(EVIL, "evil-")
    with session({program.name: "https" for program in programs}) as (lab, result):
        lab.start_ready("attacker", PYTHON + [HERE + "/proxy.py", ATTACKER, str(PROXY[1])])
        plain = lab.installation("plain")
        wider = lab.installation("wider", tunnel_ports="443 8443")
        for program in programs[:2]:
            result.check("%s: clean site behind a proxy, port 443" % program.name,
                         visit(lab, plain, program, "clean", 443, ports="443",
                               verdict="agree", action="accept"))
        for program in programs[2:4]:
            result.check("%s: clean site behind a proxy, a configured port" % program.name,
                         visit(lab, wider, program, "clean", 8443, ports="443,8443",
                               verdict="agree", action="accept"))
        for program in programs[4:]:
            result.check("%s: man in the middle behind a proxy" % program.name,
                         visit(lab, plain, program, "hijacked", 443, ports="443",
                               verdict="disagree", action="refuse"))


main()
