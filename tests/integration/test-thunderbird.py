# SPDX-License-Identifier: MIT
"""Thunderbird, unmodified, with Converge's module in its profile: what it fetches over HTTPS, and
to whom it gives a person's password over IMAPS."""
import contextlib
import json
import os

from lab import browser, expect, isolation, tap
from lab.guarded import AGREE, DISAGREE, UNDECIDED, url
from lab.lab import HERE, Lab, PORTS, PYTHON, standard_sites

PROGRAM = "thunderbird"  # the log's word begins with it: there is a -bin, too
IMAPS = 993
PASSWORD = "correct-horse"
NAMES = dict.fromkeys(["bare", "port443", "port8443", "mail"], "https")
FETCH = """
const [address, done] = arguments;
fetch(address).then(answer => answer.text()).then(done, error => done(String(error)));
"""
LOGIN = """
const [host, port, password, done] = arguments;
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.createIncomingServer("person", host, "imap");
server.port = port;
server.socketType = Ci.nsMsgSocketType.SSL;
server.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
server.password = password;
const account = MailServices.accounts.createAccount();
account.addIdentity(MailServices.accounts.createIdentity());
account.incomingServer = server;
server.verifyLogon({OnStartRunningUrl() {}, OnStopRunningUrl(url, code) { done(code); }}, null);
"""


class Mail:
    """The sites' mail servers, and the attacker's; what they have been told."""

    def __init__(self, lab):
        self.start(lab, "sites", ["clean", "hijacked", "cutoff"], "genuine")
        self.start(lab, "attacker", ["hijacked"], "attacker")

    @staticmethod
    def log(place):
        return os.path.join(isolation.SCRATCH, "imap-%s.log" % place)

    def start(self, lab, place, labels, text):
        listen = []
        for label in labels:
            site = lab.sites[label]
            certificate = lab.authority.issue("mail-%s-%s" % (place, label), site.names)
            listen.append({"address": site.addresses["https"], "port": IMAPS, "text": text,
                           "certificate": certificate.certificate, "key": certificate.key})
        path = os.path.join(isolation.SCRATCH, "imap-%s.json" % place)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"log": self.log(place), "listen": listen}, file)
        lab.start_ready(place, PYTHON + [HERE + "/imap.py", path])

    def told(self, place):
        with open(self.log(place), encoding="utf-8") as file:
            return file.read()


@contextlib.contextmanager
def thunderbird(lab, installation=None):
    profile = browser.Profile(lab, "thunderbird")
    if installation:
        profile.database.add_module()
    run = browser.Browser(lab, profile, "thunderbird", installation)
    try:
        yield run.remote
    finally:
        run.stop()


def fetch(remote, address):
    return remote.async_script(FETCH, address, context="chrome")


def log_in(remote, host):
    return remote.async_script(LOGIN, host, IMAPS, PASSWORD, context="chrome")


def bare(lab, result, mail):
    """Without Converge: the attacker gets all there is to get."""
    with thunderbird(lab) as remote:
        for site, wanted in (("clean", "genuine"), ("hijacked", "attacker")):
            got = fetch(remote, url(lab.sites[site].host("bare")))
            result.check("without Converge: %s: fetched" % site, "" if wanted in got else got)
        for site, place in (("clean", "sites"), ("hijacked", "attacker")):
            code = log_in(remote, lab.sites[site].host("bare"))
            result.check("without Converge: %s: the password is told" % site,
                         "" if PASSWORD in mail.told(place) else
                         "ended with %#x\n%s" % (code, mail.told(place)))


def visit(lab, remote, installation, site, port, **wanted):
    host = lab.sites[site].host("port%d" % port)
    got = fetch(remote, url(host, port))
    good = "genuine" in got if site == "clean" else "NetworkError" in got
    return expect.together("" if good else got, "".join(lab.caught(host)),
                           expect.logged(installation, host, port, PROGRAM, **wanted))


def guarded(lab, remote, installation, result, mail):
    for port in PORTS["https"]:
        result.check("clean site, port %d" % port,
                     visit(lab, remote, installation, "clean", port, **AGREE))
        result.check("man in the middle with a public authority's certificate, port %d" % port,
                     visit(lab, remote, installation, "hijacked", port, **DISAGREE))
    before = {place: len(mail.told(place)) for place in ("sites", "attacker")}
    for site, place, wanted in (("clean", "sites", AGREE), ("hijacked", "attacker", DISAGREE)):
        host = lab.sites[site].host("mail")
        code = log_in(remote, host)
        told = mail.told(place)[before[place]:]
        good = (PASSWORD in told and code == 0) if site == "clean" else (not told and code != 0)
        result.check("IMAPS: %s" % site, expect.together(
            "" if good else "ended with %#x\n%s" % (code, told),
            expect.logged(installation, host, IMAPS, PROGRAM, **wanted)))
    lab.network.cut_off_notaries()
    for port in PORTS["https"]:
        result.check("notaries unreachable, port %d" % port,
                     visit(lab, remote, installation, "cutoff", port, **UNDECIDED))


def main():
    lack = browser.missing("thunderbird")
    if lack:
        tap.skip_all(lack + " is not installed")
    isolation.enter_or_skip()
    result = tap.Tap()
    lab = Lab(standard_sites(), NAMES)
    try:
        lab.start_notaries()
        mail = Mail(lab)
        bare(lab, result, mail)
        installation = lab.installation("thunderbird")
        with thunderbird(lab, installation) as remote:
            guarded(lab, remote, installation, result, mail)
    finally:
        lab.stop()
    result.done()


main()
