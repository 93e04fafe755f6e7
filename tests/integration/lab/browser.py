# SPDX-License-Identifier: MIT
"""Firefox and Thunderbird in the lab: without a screen, each run with a profile of its own, told
what to do through Marionette."""
import itertools
import os
import signal
import subprocess
import time

from . import isolation
from .marionette import Error, Marionette
from .nss import Database

START_S = 60  # a cold start on a busy machine
STOP_S = 20

# Silence: what it asks and fetches of its own would be in the agent's log and in the way.
# Marionette turns off the greater part by itself.
QUIET = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutConfig.showWarning": False,
    "browser.aboutwelcome.enabled": False,
    "browser.chrome.site_icons": False,
    "browser.newtabpage.enabled": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.firstRunURL": "",
    "doh-rollout.disable-heuristics": True,
    "dom.push.enabled": False,
    "extensions.blocklist.enabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.spotlight.firstRunDone": True,
    "mail.winsearch.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "marionette.port": 0,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-provider.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.native_https_query": False,  # the lab has a hosts file only
    "network.http.speculative-parallel-limit": 0,
    "network.prefetch-next": False,
    "network.trr.mode": 5,
    "security.OCSP.enabled": 0,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "data:,",
}

PATHS = {"firefox": "/usr/lib/firefox-esr/firefox-esr",
         "thunderbird": "/usr/lib/thunderbird/thunderbird-bin",
         "nginx": "/usr/sbin/nginx"}

_counter = itertools.count(1)


def missing(*names):
    """Which of these (names as in PATHS), or of what profiles are made with, is not installed; or
    None."""
    for path in [PATHS[name] for name in names] + ["/usr/bin/certutil", "/usr/bin/modutil"]:
        if not os.path.exists(path):
            return os.path.basename(path)
    return None


class Profile:
    """A new profile that trusts the lab's authority. preferences: besides the quiet ones.
    directory: where it is to be. Converge's module: database.add_module()."""

    def __init__(self, lab, name="firefox", preferences=None, directory=None):
        self.directory = directory or os.path.join(isolation.SCRATCH,
                                                   "%s-%d" % (name, next(_counter)))
        self.database = Database(lab, self.directory)
        with open(os.path.join(self.directory, "user.js"), "w", encoding="ascii") as file:
            for key, value in {**QUIET, **(preferences or {})}.items():
                file.write("user_pref(%s, %s);\n" % (_js(key), _js(value)))


def _js(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else '"%s"' % value


class Browser:
    """One that runs, until stop(). remote: the Marionette that controls it. installation: the
    Converge that a module in the profile is to ask."""

    def __init__(self, lab, profile, name="firefox", installation=None):
        if installation:
            installation.start_agent()
        self.profile = profile
        self.place = lab.network.place("client")
        self.log_path = profile.directory + ".log"
        with open(self.log_path, "wb") as log:
            # A session of its own, so that stop() can end it together with all its children.
            self.process = self.place.start(
                [PATHS[name], "--headless", "--no-remote", "--marionette",
                 "--remote-allow-system-access",  # for scripts in the chrome context
                 "--profile", profile.directory],
                env={**(installation or lab).environment(), "MOZ_CRASHREPORTER_DISABLE": "1"},
                stdout=log, stderr=log, start_new_session=True)
        try:
            self.remote = Marionette(self.place.connect(("127.0.0.1", self._port())))
        except BaseException:
            self.stop()
            raise

    def _port(self):
        """Of Marionette, which writes it down once it listens."""
        path = os.path.join(self.profile.directory, "MarionetteActivePort")
        deadline = time.monotonic() + START_S
        while True:
            try:
                with open(path, encoding="ascii") as file:
                    return int(file.read())
            except (FileNotFoundError, ValueError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("it does not start: " + self.log())
                time.sleep(0.05)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """Lets it end by itself, or ends it; its children too."""
        try:
            self.remote.quit()
            self.process.wait(STOP_S)
        except (AttributeError, OSError, subprocess.TimeoutExpired):
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


# What a person reads: an error page keeps its words in shadow trees.
_WORDS = """
const words = [];
const walk = node => {
  if (node.shadowRoot) walk(node.shadowRoot);
  for (const child of node.childNodes) {
    if (child.nodeType == child.TEXT_NODE && !["STYLE", "SCRIPT"].includes(node.nodeName))
      words.push(child.data.trim());
    walk(child);
  }
};
walk(document.documentElement);
return [document.documentURI, words.filter(Boolean).join(" ")];
"""
_CODE = """
try { return document.getFailedCertSecurityInfo().errorCodeString; } catch (e) { return ""; }
"""


class Page:
    """What the browser shows now; genuine, fooled and text as drive.Outcome has them. warning: that
    it is the browser's own page about a bad certificate. code: the error's name in NSS."""

    def __init__(self, remote):
        # A page that is just giving way to another one has neither.
        self.address, self.text = remote.script(_WORDS) or ("", "")
        self.warning = self.address.startswith("about:certerror")
        self.code = remote.script(_CODE) if self.warning else ""

    @property
    def genuine(self):
        return "genuine" in self.text

    @property
    def fooled(self):
        return "attacker" in self.text

    def __str__(self):
        return "at %s %s\nshown: %s" % (self.address, self.code, self.text[:600])


def visit(remote, url):
    """Goes there in the current tab; returns the Page that comes of it."""
    try:
        remote.navigate(url)
    except Error:
        pass  # its own error page, which tells more
    return Page(remote)


def set_preference(remote, name, value):
    """At once, until it ends."""
    kind = {bool: "Bool", int: "Int", str: "String"}[type(value)]
    remote.script("Services.prefs.set%sPref(arguments[0], arguments[1]);" % kind, name, value,
                  context="chrome")


def preference(remote, name):
    """(value, locked) of a boolean one."""
    return tuple(remote.script(
        "const name = arguments[0];"
        "return [Services.prefs.getBoolPref(name), Services.prefs.prefIsLocked(name)];",
        name, context="chrome"))


def modules(remote):
    """{name: library} of the PKCS#11 modules that run; those of Firefox's own have no library."""
    return dict(remote.async_script(
        "const done = arguments[arguments.length - 1];"
        "Cc['@mozilla.org/security/pkcs11moduledb;1'].getService(Ci.nsIPKCS11ModuleDB)"
        ".listModules().then(list => done(Array.from(list, m => [m.name, m.libName])));",
        context="chrome"))
