# SPDX-License-Identifier: MIT
"""A person's own Firefox profiles switched on by our own command, and off again, without root."""
import os
import pwd

from lab import browser, isolation, tap
from lab.guarded import DISAGREE, Guarded, unguarded
from lab.lab import Lab, standard_sites

HOME = pwd.getpwuid(os.getuid()).pw_dir  # where the command looks, whatever $HOME says
OFF = ["network.http.http3.enable", "network.webtransport.enabled",
       "network.http.http2.coalesce-hostnames"]
INI = """[Profile0]
Name=lab
IsRelative=1
Path=lab.default
Default=1
"""


def run(result, installation, word, code, *arguments):
    done = installation.tool(word, "nss", "--profiles", timeout=120)
    told = (done.stdout + done.stderr).decode()
    good = done.returncode == code and all(part in told for part in arguments)
    result.check("%s nss --profiles" % word,
                 "" if good else "exit %d: %s" % (done.returncode, told))


def files(profile):
    """What it consists of, of all that the command may touch."""
    found = {}
    for name in ("user.js", "pkcs11.txt"):
        with open(os.path.join(profile.directory, name), "rb") as file:
            found[name] = file.read()
    return found


def on(lab, installation, result, profile):
    firefox = browser.Browser(lab, profile, installation=installation)
    try:
        values = [browser.preference(firefox.remote, name)[0] for name in OFF]
        result.check("what goes round the module is off", "" if not any(values) else str(values))
        guarded = Guarded(lab, firefox.remote, installation)
        result.check("clean site", guarded.loads(lab.sites["clean"].host("mine")))
        result.check("man in the middle",
                     guarded.warns(lab.sites["hijacked"].host("mine"), **DISAGREE))
    finally:
        firefox.stop()


def off(lab, installation, result, profile):
    firefox = browser.Browser(lab, profile, installation=installation)
    try:
        values = [browser.preference(firefox.remote, name)[0] for name in OFF]
        result.check("what was off is on again", "" if all(values) else str(values))
        unguarded(result, lab, firefox.remote, "after")
    finally:
        firefox.stop()


def check(lab, result):
    lab.start_notaries()
    installation = lab.installation("mine")
    home = os.path.join(HOME, ".mozilla", "firefox")
    os.makedirs(home, exist_ok=True)
    profile = browser.Profile(lab, directory=os.path.join(home, "lab.default"))
    with open(os.path.join(home, "profiles.ini"), "w", encoding="ascii") as file:
        file.write(INI)
    before = files(profile)
    run(result, installation, "enable", 1, "NOT PROTECTED against HTTP/3", "not locked")
    on(lab, installation, result, profile)
    run(result, installation, "disable", 0)
    after = files(profile)
    result.check("user.js is what it was", "" if before["user.js"] == after["user.js"] else
                 after["user.js"].decode())
    result.check("the list of modules names ours no more", "" if b"onverge" not in
                 after["pkcs11.txt"] else after["pkcs11.txt"].decode())
    off(lab, installation, result, profile)


def main():
    lack = browser.missing("firefox")
    if lack:
        tap.skip_all(lack + " is not installed")
    isolation.enter_or_skip()
    if isolation.identity()[0] != 0:
        tap.skip_all("only root's home can be another one here")
    lab = Lab(standard_sites(), dict.fromkeys(["mine", "after"], "https"), covered=(HOME,))
    result = tap.Tap()
    try:
        check(lab, result)
    finally:
        lab.stop()
    result.done()


main()
