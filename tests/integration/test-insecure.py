# SPDX-License-Identifier: MIT
"""A program told not to check certificates keeps its say: that is the person's own decision. Not so
over NSS, which does not tell us whether its check or a switch let the certificate pass: there the
notaries' refusal stands, and only what they agree to is left to the switch."""
from lab import expect
from lab.drive import drive
from lab.nss_programs import tstclnt
from lab.programs import Program, PYTHON
from lab.session import find, session

CERT_NONE = """
import ssl, sys, urllib.request
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
print(urllib.request.urlopen(sys.argv[1], timeout=20, context=context).read().decode())
"""
REQUESTS = """
import sys, requests
print(requests.get(sys.argv[1], timeout=20, verify=False).text)
"""
NODE = """
const r = require('https').get(process.argv[1], {rejectUnauthorized: false},
    a => a.on('data', d => process.stdout.write(d)));
r.on('error', e => { console.error(e.message); process.exitCode = 1; });
"""

PROGRAMS = [
    Program("curl", ["curl", "-sSk", "{url}"]),
    Program("python-urllib", [PYTHON, "-c", CERT_NONE, "{url}"]),
    Program("python-requests", [PYTHON, "-W", "ignore", "-c", REQUESTS, "{url}"]),
    Program("ruby", ["ruby", "-e", "require 'net/http'; require 'openssl'; u = URI(ARGV[0]); "
                     "puts Net::HTTP.start(u.host, u.port, use_ssl: true, verify_mode: "
                     "OpenSSL::SSL::VERIFY_NONE) { |h| h.get('/').body }", "{url}"]),
    Program("s-client", ["openssl", "s_client", "-connect", "{host}:{port}", "-quiet"],
            stdin="GET / HTTP/1.0\r\nHost: {host}\r\n\r\n"),
] + [Program(name, [find(name).command[0], "-e", NODE, "{url}"], process="node",
             environment=find(name).environment) for name in ("node-official", "node-debian")]

OVERRIDE = tstclnt("tstclnt-override", "-o")
AGREE = {"verdict": "agree", "action": "accept"}
DISAGREE = {"verdict": "disagree", "action": "refuse"}

# They load no authorities when told so: to them the certificate is one of nobody's, and outside
# `replace` mode that is no question.
NOT_ASKED = ("curl", "ruby")


def logged(installation, host, program):
    """The notaries were asked and said no: that the program went on was its own wish."""
    if program.name in NOT_ASKED:
        return installation.log() if installation.verdicts(host=host) else ""
    return expect.logged(installation, host, 443, program.process, verdict="disagree",
                         action="refuse")


def over_nss(lab, result, installation):
    if OVERRIDE.missing():
        result.skip("over NSS", OVERRIDE.missing() + " is not installed")
        return
    for site, verdict in (("hijacked", DISAGREE), ("own", AGREE)):
        host = lab.sites[site].host(OVERRIDE.name)
        outcome = drive(lab, OVERRIDE, host, 443, installation)
        came = expect.allowed(outcome) if verdict is AGREE else expect.refused(lab, outcome, host)
        result.check("tstclnt: its insecure switch, site %s: %s" % (site, verdict["action"]),
                     expect.together(came, expect.logged(installation, host, 443, "tstclnt",
                                                         **verdict)))


def main():
    names = [program.name for program in PROGRAMS + [OVERRIDE]]
    with session(dict.fromkeys(names, "https")) as (lab, result):
        installation = lab.installation("insecure")
        over_nss(lab, result, installation)
        for program in PROGRAMS:
            if program.missing():
                result.skip(program.name, program.missing() + " is not installed")
                continue
            host = lab.sites["hijacked"].host(program.name)
            outcome = drive(lab, program, host, 443, installation)
            passed = "" if outcome.fooled else "not let through\n%s" % outcome
            result.check("%s: its own insecure switch stands" % program.name,
                         expect.together(passed, logged(installation, host, program)))


main()
