# SPDX-License-Identifier: MIT
"""Firefox and Thunderbird switched on for everyone by our own command, and off again: what the real
programs make of the files that it writes."""
import os

from lab import browser, expect, isolation, tap
from lab.guarded import unguarded, url
from lab.lab import Lab, standard_sites

HTTP3 = "network.http.http3.enable"
WEBTRANSPORT = "network.webtransport.enabled"
COALESCE = "network.http.http2.coalesce-hostnames"
UTILITY = "security.utility_pkcs11_module_process.enabled"
LOCKED = [(False, True)] * 4


def run(result, installation, name, *arguments, code=0):
    done = installation.tool(*arguments, timeout=120)
    words = (done.stdout + done.stderr).decode()
    result.check(name, "" if done.returncode == code else "exit %d: %s" % (done.returncode, words))
    return words


def preferences(remote):
    return [browser.preference(remote, name) for name in (HTTP3, WEBTRANSPORT, COALESCE, UTILITY)]


def on(lab, installation, result, name, profile):
    """A profile that nobody touched: the policies alone do it."""
    program = browser.Browser(lab, profile, name, installation)
    try:
        got = preferences(program.remote)
        result.check("%s: HTTP/3, shared connections and the utility process are locked off" % name,
                     "" if got == LOCKED else str(got))
        library = browser.modules(program.remote).get("Converge")
        result.check("%s loads the module" % name,
                     "" if library == lab.prefix + "/lib/pkcs11/libconverge-nss.so" else
                     "it has %s" % library)
        if name == "firefox":
            visit(lab, installation, result, program.remote)
    finally:
        program.stop()


def visit(lab, installation, result, remote):
    for site, wanted, verdict in (("clean", "genuine", "agree"), ("hijacked", "warning", "disagree")):
        host = lab.sites[site].host("enabled")
        page = browser.visit(remote, url(host))
        result.check("firefox, enabled for all: %s: %s" % (site, wanted),
                     "" if getattr(page, wanted) else str(page))
        result.check("the agent was asked about %s" % site,
                     expect.logged(installation, host, 443, "firefox-esr", verdict=verdict))


def off(lab, installation, result, profile):
    """The module stays in the profile until it is taken out there, as the command says."""
    program = browser.Browser(lab, profile, "firefox", installation)
    try:
        got = preferences(program.remote)
        result.check("nothing is locked any more", "" if [lock for _, lock in got] == [False] * 4
                     else str(got))
        result.check("the profile still has the module",
                     "" if "Converge" in browser.modules(program.remote) else "it has not")
    finally:
        program.stop()
    run(result, installation, "it is taken out of the profile", "disable", "nss",
        profile.directory)
    program = browser.Browser(lab, profile, "firefox", installation)
    try:
        unguarded(result, lab, program.remote, "disabled")
    finally:
        program.stop()


def check(lab, result):
    lab.start_notaries()
    installation = lab.installation("everyone")
    firefox = browser.Profile(lab, "firefox")
    for name in ("firefox", "thunderbird"):
        run(result, installation, "%s is enabled for all" % name, "enable", "nss", "--" + name)
    on(lab, installation, result, "firefox", firefox)
    on(lab, installation, result, "thunderbird", browser.Profile(lab, "thunderbird"))
    words = run(result, installation, "the profile is protected", "enable", "nss", firefox.directory)
    result.check("that is said", "" if "HTTP/3 is off and locked" in words else words)
    for name in ("firefox", "thunderbird"):
        run(result, installation, "%s is disabled for all" % name, "disable", "nss", "--" + name)
    result.check("nothing is left in /etc", "" if not os.path.exists("/etc/firefox") else
                 str(os.listdir("/etc/firefox")))
    off(lab, installation, result, firefox)


def main():
    lack = browser.missing("firefox", "thunderbird")
    if lack:
        tap.skip_all(lack + " is not installed")
    isolation.enter_or_skip()
    if isolation.identity()[0] != 0:
        tap.skip_all("only root has a system to switch on")
    result = tap.Tap()
    lab = Lab(standard_sites(), dict.fromkeys(["enabled", "disabled"], "https"),
              covered=("/etc", "/usr/lib/firefox-esr", "/usr/lib/thunderbird"))
    try:
        check(lab, result)
    finally:
        lab.stop()
    result.done()


main()
