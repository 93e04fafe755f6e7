# SPDX-License-Identifier: MIT
"""What Firefox makes of the files that switch Converge on for all its users, and of their going:
the facts that `converge enable nss` rests on.

Firefox reads one policies.json: /etc/firefox/policies/ (also where it is called firefox-esr), else
distribution/ beside the program. A module that SecurityDevices adds is written into every profile
that is started, and stays there when the policy goes; "Delete" takes it out at the next start.
Preferences can lock HTTP/3 off, but may not touch the PKCS#11 utility process (off by default):
only a .js file of the system's can lock that one, and may lock both: here below /etc/firefox-esr, as
Debian has it; what `enable` writes below /etc/firefox is test-enable-browsers.py's."""
import glob
import json
import os

from lab import browser, isolation, tap
from lab.lab import Lab, standard_sites

SYSTEM = "/etc/firefox/policies/policies.json"
BESIDE = os.path.realpath("/usr/lib/firefox-esr/distribution") + "/policies.json"
DEBIAN = "/etc/firefox-esr/converge.js"
MODULE = (glob.glob("/usr/lib/*/pkcs11/p11-kit-trust.so") + [""])[0]  # any will do
HTTP3 = "network.http.http3.enable"
UTILITY = "security.utility_pkcs11_module_process.enabled"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def policies(devices):
    locked = {"Value": False, "Status": "locked"}
    return json.dumps({"policies": {"Preferences": {HTTP3: locked, UTILITY: locked},
                                    "SecurityDevices": devices}})


def started(lab, profile):
    """(modules, HTTP/3, utility process), as Firefox has them once it runs."""
    firefox = browser.Browser(lab, profile)
    state = (set(browser.modules(firefox.remote)), browser.preference(firefox.remote, HTTP3),
             browser.preference(firefox.remote, UTILITY))
    firefox.stop()
    return state


def expect(result, name, state, added, http3, utility):
    names = {"NSS Internal PKCS #11 Module", "Builtin Roots Module"} | set(added)
    result.check(name, "" if state == (names, http3, utility) else "it has %s, %s, %s" % state)


def check(lab, result):
    profile = browser.Profile(lab, "firefox")
    write(SYSTEM, policies({"Add": {"System": MODULE}}))
    write(BESIDE, policies({"Add": {"Beside": MODULE}}))
    expect(result, "the system's policies.json goes before the one beside the program",
           started(lab, profile), ["System"], (False, True), (False, False))
    os.unlink(SYSTEM)
    os.unlink(BESIDE)
    write(DEBIAN, "".join('pref("%s", false, locked);\n' % name for name in (HTTP3, UTILITY)))
    expect(result, "a module stays when its policy is gone; a .js file locks both preferences",
           started(lab, profile), ["System"], (False, True), (False, True))
    os.unlink(DEBIAN)
    write(BESIDE, policies({"Delete": ["System"]}))
    expect(result, "a policy takes the module out again", started(lab, profile), [],
           (False, True), (False, False))


def main():
    lack = browser.missing("firefox")
    if lack or not MODULE:
        tap.skip_all("%s is not installed" % (lack or "p11-kit-modules"))
    isolation.enter_or_skip()
    if isolation.identity()[0] != 0:
        tap.skip_all("only root has a system to switch on")
    result = tap.Tap()
    lab = Lab(standard_sites(), {}, covered=("/etc", os.path.dirname(BESIDE)))
    try:
        check(lab, result)
    finally:
        lab.stop()
    result.done()


main()
