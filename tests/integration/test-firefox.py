# SPDX-License-Identifier: MIT
"""Firefox, unmodified, with Converge's module in its profile: what it loads, what it refuses with
its own warning page, and that nothing else of it waits for a check."""
from lab import browser, expect, isolation, tap
from lab.guarded import AGREE, DISAGREE, PROGRAM, UNDECIDED, Guarded, firefox, until, url, warning
from lab.lab import Lab, PORTS, standard_sites
from lab.nginx import Nginx, server
from lab.network import NOTARIES

NAMES = dict.fromkeys(["bare", "port443", "port8443", "exception", "pair", "start", "fetch",
                       "websocket", "known", "waiting", "private"], "https")
PAIR = 9443  # the port where two sites have one certificate


def bare(lab, result):
    """Without Converge: the tests below could fail."""
    with firefox(lab) as remote:
        for site, wanted in (("clean", "genuine"), ("hijacked", "fooled"), ("own", "warning")):
            page = browser.visit(remote, url(lab.sites[site].host("bare")))
            result.check("without Converge: %s: %s" % (site, wanted),
                         "" if getattr(page, wanted) else str(page))


def situations(guarded, result):
    sites = guarded.lab.sites
    for port in PORTS["https"]:
        name = "port%d" % port
        result.check("clean site, port %d" % port,
                     guarded.loads(sites["clean"].host(name), port))
        result.check("man in the middle with a public authority's certificate, port %d" % port,
                     guarded.warns(sites["hijacked"].host(name), port, **DISAGREE))


def exception(guarded):
    """The person clicks "Accept the Risk and Continue", which overrules PKI, not the notaries."""
    host = guarded.lab.sites["hijacked"].host("exception")
    with open(guarded.lab.authority.directory + "/hijacked-forged.crt", encoding="ascii") as file:
        base64 = "".join(line for line in file.read().split("\n") if "-" not in line)
    guarded.remote.script("""
        const [host, base64] = arguments;
        const db = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
        Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService)
          .rememberValidityOverride(host, 443, {}, db.constructX509FromBase64(base64), true);
        """, host, base64, context="chrome")
    return guarded.warns(host, **DISAGREE)


def start_pair(lab):
    """One certificate for two sites; only one of them really has it, the attacker shows it for the
    other: a key that was stolen, or an authority that did not look well."""
    clean, hijacked = lab.sites["clean"], lab.sites["hijacked"]
    both = lab.authority.issue("both", clean.names + hijacked.names)
    other = lab.authority.issue("other", hijacked.names)
    Nginx(lab, "sites", [server(clean.addresses["https"], PAIR, both, "genuine"),
                         server(hijacked.addresses["https"], PAIR, other, "genuine")])
    return Nginx(lab, "attacker", [server(hijacked.addresses["https"], PAIR, both, "attacker")])


def pair(guarded, result, attacker):
    good, bad = [guarded.lab.sites[site].host("pair") for site in ("clean", "hijacked")]
    result.check("two sites with the same certificate: the one that has it",
                 guarded.loads(good, PAIR))
    result.check("two sites with the same certificate: the one that has not",
                 expect.together(guarded.warns(bad, PAIR, **DISAGREE),
                                 "".join(attacker.served(bad))))
    result.check("two sites with the same certificate: the one that has it, again",
                 guarded.loads(good, PAIR))


FETCH = """
const [address, done] = arguments;
fetch(address, {mode: "no-cors", method: "POST", body: "secret"})
  .then(() => done("fetched"), error => done(String(error)));
"""
WEBSOCKET = """
const [address, done] = arguments;
const socket = new WebSocket(address.replace("https:", "wss:"));
socket.onopen = () => done("opened");
socket.onclose = event => done("closed " + event.code);
"""
FAILED = ("TypeError: NetworkError when attempting to fetch resource.",
          "closed 1015")  # the TLS handshake failed, RFC 6455


def from_page(guarded, result):
    """What a page fetches from other hosts is judged as pages are."""
    sites = guarded.lab.sites
    result.check("a page that fetches more", guarded.loads(sites["clean"].host("start")))
    for name, script in (("fetch", FETCH), ("websocket", WEBSOCKET)):
        host = sites["clean"].host(name)
        guarded.remote.async_script(script, url(host, 8443))
        result.check("%s in a page: clean site" % name, expect.together(
            guarded.logged(host, 8443, **AGREE),
            "" if guarded.lab.served(host) else "the site got no request"))
        host = sites["hijacked"].host(name)
        came = guarded.remote.async_script(script, url(host, 8443))
        result.check("%s in a page: man in the middle" % name, expect.together(
            guarded.logged(host, 8443, **DISAGREE),
            "" if came in FAILED else came,
            "".join(guarded.lab.caught(host))))


def asking(lab):
    """Whether the agent is waiting for notaries that do not answer: on connections that it kept or
    that it tries to make, they have not acknowledged what it sent."""
    for network in NOTARIES.split():
        lines = lab.network.place("client").run(["ss", "-Hnt", "dst", network]).stdout.splitlines()
        if any(line.split()[2] != b"0" for line in lines):
            return True
    return False


def second_tab(guarded, result):
    """A check that hangs holds up nothing but its own page."""
    lab, remote = guarded.lab, guarded.remote
    known, waiting = lab.sites["clean"].host("known"), lab.sites["cutoff"].host("waiting")
    result.check("a site to be known", guarded.loads(known))
    lab.network.cut_off_notaries(silently=True)
    first = remote.tab()
    remote.script("gBrowser.selectedBrowser.loadURI(Services.io.newURI(arguments[0]), {"
                  "triggeringPrincipal: Services.scriptSecurityManager.getSystemPrincipal()});",
                  url(waiting), context="chrome")
    until(lambda: asking(lab))
    remote.new_tab()
    page = browser.visit(remote, url(known))
    still = not guarded.installation.verdicts(host=waiting)
    result.check("a second tab loads while a check in the first one waits", expect.together(
        expect.allowed(page), "" if still else "the first one did not wait"))
    until(lambda: guarded.installation.verdicts(host=waiting))
    remote.switch(first)
    until(lambda: not warning(browser.Page(remote)))
    result.check("notaries cut off: the first tab shows the warning",
                 guarded.logged(waiting, 443, **UNDECIDED))
    lab.network.restore_notaries()


def private_pki(lab, result):
    """An authority that the administrator added, and that is none of the public ones."""
    others = lab.authority.self_signed("other-authority", ["authority.converge-lab.net"])
    installation = lab.installation("private", public_anchors=others.certificate)
    with firefox(lab, installation) as remote:
        host = lab.sites["clean"].host("private")
        page = browser.visit(remote, url(host, 8443))
        result.check("a private authority is exempt, and logged as such", expect.together(
            expect.allowed(page), expect.tunnelled(installation, host, PROGRAM, ports="8443",
                                                   verdict="exempt", reason="private-pki")))


def cut_off(guarded, result):
    lab = guarded.lab
    lab.network.cut_off_notaries()
    for port in PORTS["https"]:
        host = lab.sites["cutoff"].host("port%d" % port)
        result.check("notaries unreachable, port %d" % port,
                     guarded.warns(host, port, **UNDECIDED))


def main():
    lack = browser.missing("firefox", "nginx")
    if lack:
        tap.skip_all(lack + " is not installed")
    isolation.enter_or_skip()
    result = tap.Tap()
    lab = Lab(standard_sites(), NAMES)
    try:
        lab.start_notaries()
        bare(lab, result)
        private_pki(lab, result)
        attacker = start_pair(lab)
        installation = lab.installation("firefox")
        with firefox(lab, installation) as remote:
            guarded = Guarded(lab, remote, installation)
            situations(guarded, result)
            result.check("a person's exception does not overrule the notaries",
                         exception(guarded))
            pair(guarded, result, attacker)
            from_page(guarded, result)
            second_tab(guarded, result)
            cut_off(guarded, result)
    finally:
        lab.stop()
    result.done()


main()
