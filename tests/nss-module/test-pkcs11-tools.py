# SPDX-License-Identifier: MIT
"""The module with the tools that look at PKCS#11 modules: OpenSC's, GnuTLS's, p11-kit's and NSS's,
beside the modules that such programs have already, and registered more than once. Nothing of the
machine is changed: databases of our own, and a mount namespace with p11-kit's modules as we say."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nsslab

from nsslab import MODULE, NAME

LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
P11_MODULES = "/usr/share/p11-kit/modules"
HOLDERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "holders.py")


def library(*names):
    """Where the machine has one of these, or None."""
    for folder in LIBRARIES:
        for name in names:
            if os.path.exists(os.path.join(folder, name)):
                return os.path.join(folder, name)
    return None


ROOTS = library("libnssckbi.so", "nss/libnssckbi.so")
TRUST = library("pkcs11/p11-kit-trust.so")
PROXY = library("p11-kit-proxy.so")
FIREFOX = os.path.dirname(library("firefox-esr/libnss3.so", "firefox/libnss3.so") or "") or None
NO_P11_KIT = "p11-kit is not installed, or there are no mount namespaces"


class Tools(nsslab.NssLab):
    """Runs tools, in a mount namespace of their own where p11-kit must know our module."""

    def __init__(self):
        super().__init__()
        self.write("converge.module",
                   f"module: {os.path.abspath(MODULE)}\nx-init-reserved: any thing\n")
        self.p11_kit_works = shutil.which("p11-kit") and self.in_p11_kit("true")[0] == 0

    def tool_says(self, *command, **options):
        """(status, both outputs)"""
        status, out, err = self.run(*command, **options)
        return status, out + err

    def in_p11_kit(self, *command):
        """The same with our module among p11-kit's, and no other than its trust module."""
        folder = self.path("p11")
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        for module in (os.path.join(P11_MODULES, "p11-kit-trust.module"),
                       self.path("converge.module")):
            if os.path.exists(module):
                shutil.copy(module, folder)
        privilege = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
        return self.tool_says(
            "unshare", *privilege, "--mount", "--", "sh", "-c",
            'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", folder, P11_MODULES, *command)

    def new_database(self, name, *modules):
        """With these files as modules, in this order; a name of its own for each."""
        self.database(name)
        with open(self.path(f"{name}/pkcs11.txt"), "a", encoding="ascii") as file:
            for number, module in enumerate(modules):
                file.write(f"library={os.path.abspath(module)}\nname=module{number}\n\n")
        return f"sql:{self.path(name)}"


def opensc(tap, here):
    if not shutil.which("pkcs11-tool"):
        tap.skip("pkcs11-tool", "opensc is not installed")
        return
    tool = ("pkcs11-tool", "--module", MODULE)
    for what, pattern in (("-I", r"Manufacturer +Converge\n.*Library +Converge"),
                          ("-L", r"token label +: Converge\n(.*\n)*.*token initialized, readonly"),
                          ("-O", r"^(Using slot 0 .*\n)?$"),
                          ("-M", r"^(Using slot .*\n)?Supported mechanisms:\n(Using slot .*\n)?$"),
                          ("--list-interfaces", r"'PKCS 11'\n *version: 3\.0\n(.*\n)*"
                           r".*'PKCS 11'\n *version: 2\.40\n")):
        status, out = here.tool_says(*tool, what)
        tap.case(f"pkcs11-tool {what}", status == 0 and re.search(pattern, out), (status, out))
    for what, code in ((["--test"], "CKR_TOKEN_WRITE_PROTECTED"),
                       (["--generate-random", "8"], "Could not generate random bytes"),
                       (["--login", "--pin", "1234", "-O"], "CKR_USER_PIN_NOT_INITIALIZED"),
                       (["--init-token", "--label", "x", "--so-pin", "1"],
                        "CKR_TOKEN_WRITE_PROTECTED"),
                       (["--keypairgen", "--key-type", "EC:prime256v1"],
                        "CKR_TOKEN_WRITE_PROTECTED")):
        status, out = here.tool_says(*tool, *what)
        tap.case(f"pkcs11-tool {' '.join(what)} says {code}", status == 1 and code in out,
                 (status, out))
    status, out = here.tool_says(*tool, "--test-fork")
    tap.case("pkcs11-tool --test-fork", status == 0 and "CKR_" not in out, (status, out))


def gnutls(tap, here):
    if not shutil.which("p11tool"):
        tap.skip("p11tool", "gnutls-bin is not installed")
        return
    for what, pattern in (("--list-tokens", r"Label: Converge\n"),
                          ("--list-all", r"No matching objects found"),
                          ("--list-all-trusted", r"No matching objects found"),
                          ("--list-all-certs", r"No matching objects found")):
        status, out = here.tool_says("p11tool", "--provider", MODULE, what)
        tap.case(f"p11tool {what}", status >= 0 and re.search(pattern, out), (status, out))
    status, out = here.tool_says("p11tool", "--provider", MODULE, "--list-mechanisms",
                                 "pkcs11:token=Converge")
    tap.case("p11tool --list-mechanisms", status == 0 and "CKM_" not in out, (status, out))


def p11_kit(tap, here):
    if not here.p11_kit_works:
        tap.skip("p11-kit", NO_P11_KIT)
        return
    status, out = here.in_p11_kit("p11-kit", "list-modules")
    tap.case("p11-kit list-modules", status == 0 and "token: Converge" in out and
             "token: System Trust" in out, (status, out))
    if shutil.which("trust") and TRUST:
        with_us, without = here.in_p11_kit("trust", "list"), here.tool_says("trust", "list")
        tap.case("p11-kit's trust is what it is without the module",
                 with_us == without and without[0] == 0, (with_us, without))
    if shutil.which("p11tool"):
        status, out = here.in_p11_kit("p11tool", "--list-tokens")
        tap.case("p11tool over p11-kit", status == 0 and "Label: Converge\n" in out and
                 re.search(r"Label: Converge\n\s*Type: Generic token", out), (status, out))
    if PROXY and shutil.which("modutil"):
        database = here.new_database("proxy", PROXY)
        status, out = here.in_p11_kit("modutil", "-list", "-dbdir", database)
        tap.case("NSS sees it through p11-kit's proxy", status == 0 and
                 re.search(r"token: Converge\n", out), (status, out))
        status, out = here.in_p11_kit("certutil", "-L", "-h", "all", "-d", database)
        tap.case("certutil -L -h all through p11-kit's proxy", status == 0 and
                 "Converge:" not in out, (status, out))


def modutil(tap, here):
    database = here.new_database("tools")
    before = here.read("tools/pkcs11.txt")
    add = ("modutil", "-force", "-dbdir", database, "-add", "Converge", "-libfile", MODULE)
    status, out = here.tool_says(*add)
    tap.case("modutil -add", status == 0 and 'Module "Converge" added' in out, (status, out))
    status, out = here.tool_says("modutil", "-dbdir", database, "-list")
    tap.case("modutil -list", status == 0 and re.search(
        r"Converge\n.*library name: .*libconverge-nss.so\n(.*\n)*.*slots: 1 slot attached\n"
        r".*status: loaded\n(.*\n)*.*token: Converge\n", out), (status, out))
    status, out = here.tool_says("modutil", "-dbdir", database, "-list", "Converge")
    tap.case("modutil -list Converge", status == 0 and "Token Name: Converge" in out and
             "Default Mechanism Flags: None" in out and
             "Access: Write Protected" in out and
             "Login Type: Public (no login required)" in out, (status, out))
    status, out = here.tool_says("modutil", "-dbdir", database, "-rawlist")
    entry = [line for line in out.splitlines() if 'name="Converge"' in line]
    tap.case("modutil -rawlist: no roots", status == 0 and len(entry) == 1 and
             "hasRootCerts" not in out, (status, out))
    status, out = here.tool_says("modutil", "-force", "-dbdir", database, "-delete", "Converge")
    tap.case("modutil -delete", status == 0 and here.read("tools/pkcs11.txt") == before,
             (status, out, here.read("tools/pkcs11.txt"), before))


def beside(tap, here):
    """What certutil lists is the same with the module as without, whatever else there is."""
    number = 0
    for name, modules in (("softoken", []), ("libnssckbi", [ROOTS]), ("p11-kit-trust", [TRUST]),
                          ("both", [ROOTS, TRUST])):
        if None in modules:
            tap.skip(f"beside {name}", "it is not installed")
            continue
        number += 1
        plain = here.new_database(f"plain{number}", *modules)
        listed = here.tool_says("certutil", "-L", "-h", "all", "-d", plain)
        for order, all_modules in (("first", [MODULE, *modules]), ("last", [*modules, MODULE])):
            database = here.new_database(f"{order}{number}", *all_modules)
            status, out = here.tool_says("certutil", "-L", "-h", "all", "-d", database)
            tap.case(f"certutil -L -h all beside {name}, the module {order}",
                     (status, out) == listed and status == 0, (status, out, listed))
            status, out = here.tool_says("certutil", "-L", "-h", "Converge", "-d", database)
            tap.case(f"certutil -L -h Converge beside {name}, the module {order}",
                     status == 0 and not re.search(r"\S+ +[CTcpPuw]*,", out), (status, out))
            status, out = here.tool_says("modutil", "-dbdir", database, "-rawlist")
            tap.case(f"roots beside {name}, the module {order}",
                     status == 0 and not any("converge" in line and "hasRootCerts" in line
                                             for line in out.splitlines()), (status, out))


def settings(tap, here, site):
    """What users do to a module in a database takes none of its checks away."""
    database = here.new_database("settings", MODULE)
    status, out = here.tool_says("certutil", "-A", "-d", database, "-h", "Converge", "-n", "x",
                                 "-t", "C,,", "-i", here.path("self.pem"))
    tap.case("certutil -A -h Converge is refused", status == 255 and "could not add" in out,
             (status, out))
    self_made = here.new_database("parameters")
    with open(here.path("parameters/pkcs11.txt"), "a", encoding="ascii") as file:
        file.write(f"library={os.path.abspath(MODULE)}\nname=x\nparameters=any thing\n\n")
    status, out = here.tool_says("modutil", "-dbdir", self_made, "-list", "x")
    tap.case("a module with parameters is loaded", status == 0 and "Token Name: Converge" in out,
             (status, out))
    for what in (("-disable", "module0"), ("-enable", "module0"), ("-fips", "true")):
        status, out = here.tool_says("modutil", "-force", "-dbdir", database, *what)
        tap.case(f"modutil {' '.join(what)}", status == 0, (status, out))
        answered, asked, out = talk(here, site, database, here.tool_says)
        tap.case(f"one question after modutil {' '.join(what)}", answered and
                 asked == [f"{NAME}:{site.port}"], (asked, out))


def talk(here, site, database, run, *rules):
    """tstclnt over this database: whether it was answered, and what was asked. It says that it
    succeeded when it could not yet send anything, so only the answer counts."""
    here.start_agent(*rules)
    here.write("request", "GET / HTTP/1.0\r\n\r\n")
    _, out = run("tstclnt", "-h", "127.0.0.1", "-a", NAME, "-p", site.port, "-d", database, "-4",
                 "-A", here.path("request"))
    return "200 OK" in out, here.asked(), out


def switched_off(tap, here, site):
    """CONVERGE=off for one command."""
    database = here.new_database("off", MODULE)
    asked = [f"{NAME}:{site.port}"]
    for value, config, expected in (("off", "", (True, [])), ("on", "", (False, asked)),
                                    ("off", "allow_off = no\n", (False, asked))):
        def run(*words, value=value):
            return here.tool_says(*words, env=here.environment(CONVERGE=value))

        here.configure(config)
        got = talk(here, site, database, run, "*=refuse")
        tap.case(f"tstclnt with CONVERGE={value} {config.strip()}", got[:2] == expected, got)
    here.configure("")


def registered(tap, here, site, self_signed):
    """One question a handshake, however often the module is registered."""
    os.mkdir(here.path("copy"))
    copy = shutil.copy(MODULE, here.path("copy"))
    plain = here.tool_says
    cases = [("once", [MODULE], plain), ("beside libnssckbi", [ROOTS, MODULE], plain),
             ("beside p11-kit-trust", [TRUST, MODULE], plain),
             ("and a copy of it", [MODULE, copy], plain)]
    if here.p11_kit_works:
        cases += [("through p11-kit", [PROXY], here.in_p11_kit),
                  ("and through p11-kit", [MODULE, PROXY], here.in_p11_kit),
                  ("after p11-kit", [PROXY, MODULE], here.in_p11_kit),
                  ("and a copy through p11-kit", [copy, PROXY], here.in_p11_kit)]
    for number, (what, modules, run) in enumerate(cases):
        if None in modules:
            tap.skip(f"registered {what}", "there is no such module here")
            continue
        database = here.new_database(f"registered{number}", *modules)
        for where, mode, name in ((site, "augment", "site"),
                                  (self_signed, "replace", "self-signed site")):
            here.configure(f"mode = {mode}\n")
            for rule in ("accept", "refuse"):
                answered, asked, out = talk(here, where, database, run, f"*={rule}")
                tap.case(f"registered {what}, a {name}, {rule}: one question",
                         answered == (rule == "accept") and
                         asked == [f"{NAME}:{where.port}"], (answered, asked, out))
        here.configure("")


def holders(tap, here):
    """Who initialised keeps the gate, see holders.py."""
    database, bare = here.new_database("holders", MODULE), here.new_database("bare")
    scenes = [("nss", False), ("copy-goes", False), ("child-of-nss", False),
              ("child-starts-anew", False), ("nss-then-p11-kit", True), ("p11-kit-then-nss", True),
              ("p11-kit-before-nss-is-there", True), ("again-and-again", True),
              ("child-with-p11-kit", True)]
    for whose, environment in (("the machine's", {}), ("Firefox's", {"LD_LIBRARY_PATH": FIREFOX})):
        for scene, needs_p11_kit in scenes:
            what = f"holders over {whose} NSS: {scene}"
            if None in environment.values():
                tap.skip(what, "it is not installed")
                continue
            if needs_p11_kit and not here.p11_kit_works:
                tap.skip(what, NO_P11_KIT)
                continue
            run = here.in_p11_kit if needs_p11_kit else here.tool_says
            status, out = run("env", *(f"{name}={value}" for name, value in environment.items()),
                              sys.executable, "-B", HOLDERS, MODULE, database, bare, scene)
            if status == 77:
                tap.skip(what, out.strip())
            else:
                tap.case(what, status == 0, (status, out))


def main():
    tap = nsslab.lab.Tap()
    if nsslab.sanitized():
        print("1..0 # SKIP the module needs a sanitizer's runtime, which these tools have not")
        return
    if not all(shutil.which(tool) for tool in ("certutil", "modutil", "tstclnt")):
        print("1..0 # SKIP libnss3-tools is not installed")
        return
    with Tools() as here:
        site = here.serve()
        opensc(tap, here)
        gnutls(tap, here)
        p11_kit(tap, here)
        modutil(tap, here)
        beside(tap, here)
        settings(tap, here, site)
        switched_off(tap, here, site)
        registered(tap, here, site, here.serve("self"))
        holders(tap, here)
    tap.done()


main()
