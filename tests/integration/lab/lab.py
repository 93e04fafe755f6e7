# SPDX-License-Identifier: MIT
"""The whole lab: a network, an authority, sites, an attacker, and Converge installed in it."""
import json
import os
import subprocess
import sys

from . import isolation, network
from .authority import Authority
from .converge import Installation, Notary
from .postgres import Postgres, start_fronts

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = ["/usr/bin/python3", "-B"]
DOMAIN = "converge-lab.net"
PORTS = {"https": (443, 8443), "https6": (443, 8443), "postgres": (443, 5432),
         "nut": (443, 3493)}
STARTTLS = ("postgres", "nut")
PROXY = ("203.0.113.5", 3128)


class Site:
    """A site of many names *.LABEL.converge-lab.net, one for every program that visits it; over
    HTTPS at one address, as a PostgreSQL server at the next, as a UPS's (NUT) at a third, over HTTPS
    and IPv6 at a fourth.
    also: labels of other sites that its certificate is good for. shows: the site whose genuine
    certificate the attacker has got, and shows in this one's place."""

    def __init__(self, label, number, trusted=True, hijacked=False, also=(), shows=None):
        self.label = label
        self.also = ["*.%s.%s" % (other, DOMAIN) for other in also]
        self.shows = shows
        self.names = ["*.%s.%s" % (label, DOMAIN), "%s.%s" % (label, DOMAIN)]
        self.addresses = {"https": "203.0.113.%d" % number,
                          "postgres": "203.0.113.%d" % (number + 1),
                          "nut": "203.0.113.%d" % (number + 2)}
        if network.HAVE_IPV6:
            self.addresses["https6"] = "2001:db8:4::%d" % number
        self.trusted = trusted
        self.hijacked = hijacked

    def host(self, name):
        return "%s.%s.%s" % (name, self.label, DOMAIN)


def standard_sites():
    return [Site("clean", 10), Site("hijacked", 20, hijacked=True),
            Site("own", 30, trusted=False), Site("cutoff", 40)]


class Lab:
    """sites: what there is to visit. visitors: {name: kind} of all that will visit it. covered:
    directories of the system that the test will change, in the lab only."""

    def __init__(self, sites, visitors, want_postgres=False, covered=()):
        for path in covered:
            isolation.cover(path)
        self.sites = {site.label: site for site in sites}
        self.visitors = visitors
        self.prefix = os.environ.get("CONVERGE_LAB_PREFIX", "/usr/local")
        self.network = network.Network()
        self._directories()
        self._install(covered)
        self._names()
        self.authority = Authority(os.path.join(isolation.SCRATCH, "authority"))
        self.authority.become_public()
        self.notaries = []
        self._serve(want_postgres)

    def _directories(self):
        for name in ("home", "scratch"):
            os.mkdir(os.path.join(isolation.SCRATCH, name), 0o755)
        isolation.close("/run/nut")  # upsmon would leave its pid there, and find that of another

    def _install(self, covered):
        """Shows what `make install DESTDIR=STAGE` made in its real place."""
        stage = os.environ.get("CONVERGE_LAB_STAGE")
        if stage:
            isolation.bind(stage + self.prefix, self.prefix)
            if covered:
                isolation.cover(self.prefix)
            cache = os.path.join(isolation.SCRATCH, "ld.so.cache")
            subprocess.run(["/sbin/ldconfig", "-X", "-i", "-C", cache], check=True,
                           stdin=subprocess.DEVNULL, capture_output=True)
            isolation.bind(cache, "/etc/ld.so.cache")

    def require_converge(self):
        """Ends the program where there is nothing to test."""
        if not os.path.exists(self.prefix + "/sbin/converge-notaryd"):
            sys.exit("Converge is not installed in %s, and CONVERGE_LAB_STAGE names no staged "
                     "installation: run `make check-integration`" % self.prefix)

    def _names(self):
        names = {"proxy." + DOMAIN: PROXY[0], "evil-proxy." + DOMAIN: network.ATTACKER}
        for site in self.sites.values():
            names["%s.%s" % (site.label, DOMAIN)] = site.addresses["https"]
            for visitor, kind in self.visitors.items():
                names[site.host(visitor)] = site.addresses[kind]
        path = os.path.join(isolation.SCRATCH, "hosts")
        network.write_hosts(path, names)
        isolation.bind(path, "/etc/hosts")

    def environment(self, **more):
        """A program's environment: nothing of the outside, above all no trust settings."""
        return {"PATH": self.prefix + "/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8",
                "HOME": os.path.join(isolation.SCRATCH, "home"), "TMPDIR": isolation.SCRATCH,
                **more}

    def _serve(self, want_postgres):
        genuine, evil, databases, certificates = [], [], [], {}
        for site in self.sites.values():
            make = self.authority.issue if site.trusted else self.authority.self_signed
            certificate = make(site.label, site.names + site.also)
            certificates[site.label] = certificate
            for address in site.addresses.values():
                self.network.add_site(address)
            for kind in site.addresses:
                if kind != "postgres":
                    genuine += self._listeners(site, kind, certificate, "genuine " + site.label)
            if want_postgres:
                databases += Postgres(self, certificate, site.label).fronts(
                    site.addresses["postgres"], PORTS["postgres"])
            if site.hijacked:
                evil += self._forge(site, certificates.get(site.shows))
        self.network.add_site(PROXY[0])
        self._serve_at("sites", genuine)
        self._serve_at("attacker", evil)
        self.start_ready("sites", PYTHON + [HERE + "/proxy.py", PROXY[0], str(PROXY[1])])
        if databases:
            start_fronts(self, databases)

    def _forge(self, site, got=None):
        """The attacker stands in for a site, with a certificate that every program believes."""
        forged = got or self.authority.issue(site.label + "-forged", site.names)
        listeners = []
        for kind, address in site.addresses.items():
            listeners += self._listeners(site, kind, forged, "attacker")
            self.network.hijack(address)
        return listeners

    @staticmethod
    def _listeners(site, kind, certificate, text):
        return [{"address": site.addresses[kind], "port": port, "text": text,
                 "certificate": certificate.certificate, "key": certificate.key,
                 "starttls": kind if kind in STARTTLS else None,
                 "direct": (site.addresses["https"], 443)} for port in PORTS[kind]]

    def _serve_at(self, place, listeners):
        config = {"log": os.path.join(isolation.SCRATCH, place + ".log"), "listen": listeners}
        path = os.path.join(isolation.SCRATCH, place + ".json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.start_ready(place, PYTHON + [HERE + "/serve.py", path])

    def start_ready(self, place, command, **options):
        """Starts a server that prints "ready" once it listens."""
        child = self.network.place(place).start(command, stdout=subprocess.PIPE,
                                                env=self.environment(), **options)
        if child.stdout.readline() != b"ready\n":
            raise RuntimeError("does not start: " + " ".join(command))
        return child

    @staticmethod
    def _noted(host, places):
        """What the sites or the attacker wrote down about a host, one line each."""
        found = []
        for place in places:
            with open(os.path.join(isolation.SCRATCH, place + ".log"), encoding="utf-8") as file:
                found += [line for line in file if " %s" % host in line]
        return found

    def served(self, host, places=("sites", "attacker")):
        """The requests that were answered in a host's name, one line each."""
        return [line for line in self._noted(host, places) if not line.endswith(" handshake\n")]

    def caught(self, host):
        """What the attacker got of a host: its requests, one line each."""
        return self.served(host, ["attacker"])

    def reached(self, host):
        """Everything that came from a client after it saw a certificate for this host."""
        return self._noted(host, ["sites", "attacker"])

    def start_notaries(self):
        self.require_converge()
        self.notaries = [Notary(self, number) for number in (1, 2, 3)]
        for notary in self.notaries:
            notary.start()

    def impersonate_notaries(self):
        """The attacker answers in the notaries' place, with keys of its own."""
        self.network.impersonate_notaries()
        for number in (1, 2, 3):
            Notary(self, number, impostor=True).start()

    def installation(self, name, **settings):
        return Installation(self, name, self.notaries, **settings)

    def stop(self):
        self.network.stop()
