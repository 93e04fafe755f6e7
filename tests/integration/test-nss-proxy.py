# SPDX-License-Identifier: MIT
"""NSS programs behind proxies. Where CONNECT goes through NSPR, it tells the port; a library that
speaks with the proxy by itself leaves port 443 and the configured tunnel_ports to ask for."""
from lab import expect
from lab.drive import drive
from lab.lab import DOMAIN, HERE, PROXY, PYTHON
from lab.network import ATTACKER
from lab.nss_programs import libcurl, python_nss
from lab.session import session

HONEST = "proxy.%s:%d" % (DOMAIN, PROXY[1])
EVIL = "evil-proxy.%s:%d" % (DOMAIN, PROXY[1])


def through(prefix, proxy):
    """Whether the row's port is known, and the row."""
    return [(False, libcurl(prefix + "curl", "PROXY=http://" + proxy)),
            (False, libcurl(prefix + "curl-socks", "PROXY=socks5h://" + proxy)),
            (True, python_nss(prefix + "python", proxy))]


def visit(lab, installation, row, site, port, **wanted):
    known, program = row
    host = lab.sites[site].host("%s-%d" % (program.name, port))
    outcome = drive(lab, program, host, port, installation)
    came = expect.allowed(outcome) if site == "clean" else expect.refused(lab, outcome, host)
    if known:
        wanted.update(port=str(port), ports=str(port))
    return expect.together(came, expect.tunnelled(installation, host, program.process, **wanted))


def main():
    honest, evil = through("", HONEST), through("evil-", EVIL)
    names = {"%s-%d" % (program.name, port): "https"
             for _, program in honest + evil for port in (443, 8443)}
    with session(names) as (lab, result):
        lab.start_ready("attacker", PYTHON + [HERE + "/proxy.py", ATTACKER, str(PROXY[1])])
        plain = lab.installation("plain")
        wider = lab.installation("wider", tunnel_ports="443 8443")
        for row in honest:
            result.check("%s: clean site behind a proxy, port 443" % row[1].name,
                         visit(lab, plain, row, "clean", 443, ports="443",
                               verdict="agree", action="accept"))
            result.check("%s: clean site behind a proxy, a configured port" % row[1].name,
                         visit(lab, wider, row, "clean", 8443, ports="443,8443",
                               verdict="agree", action="accept"))
        for row in evil:
            for port in (443, 8443):
                result.check("%s: man in the middle behind a proxy, port %d" % (row[1].name, port),
                             visit(lab, wider, row, "hijacked", port, ports="443,8443",
                                   verdict="disagree", action="refuse"))


main()
