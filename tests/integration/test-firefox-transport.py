# SPDX-License-Identifier: MIT
"""Firefox with Converge's module over every kind of transport it has: both versions of TLS, resumed
sessions, HTTP/2, proxies, IPv6; and none of it over HTTP/3, which the module cannot see."""
from lab import browser, expect, isolation, tap
from lab.guarded import AGREE, DISAGREE, Guarded, firefox, until, url
from lab.lab import DOMAIN, HERE, Lab, PROXY, PYTHON, standard_sites
from lab.network import ATTACKER, HAVE_IPV6
from lab.nginx import Nginx, server

VERSIONS = {2443: "TLSv1.2", 3443: "TLSv1.3"}  # by port
HTTP2 = 4443
ALT_SVC = "add_header Alt-Svc 'h3=\":%d\"; ma=86400';" % HTTP2
HTTP3 = "network.http.http3.enable"
COALESCE = "network.http.http2.coalesce-hostnames"
# What enabling for Firefox does, and what would keep HTTP/3 off in the lab anyway: an authority
# that is not Mozilla's.
PREFERENCES = {HTTP3: False, COALESCE: False,
               "network.http.http3.disable_when_third_party_roots_found": False}
NAMES = {**dict.fromkeys(["version", "two", "one", "three", "four", "http", "socks", "evil-http",
                          "evil-socks"], "https"), "six": "https6"}
VISITS = 6  # of which some will be in resumed sessions, whatever else wants the tickets


def serve(lab):
    """On ports of their own beside the lab's sites; returns the attacker."""
    genuine, evil = [], []
    for label, text, servers in (("clean", "genuine", genuine), ("hijacked", "genuine", genuine),
                                 ("hijacked", "attacker", evil)):
        site = lab.sites[label]
        certificate = lab.authority.issue("%s-%s" % (text, label), site.names)
        address = site.addresses["https"]
        for port, version in VERSIONS.items():
            servers.append(server(address, port, certificate, text, protocol=version,
                                  more="keepalive_timeout 0;"))
        servers.append(server(address, HTTP2, certificate, text, http2=True, more=ALT_SVC))
    Nginx(lab, "sites", genuine)
    return Nginx(lab, "attacker", evil)


def versions(guarded, result, attacker):
    """A resumed session shows no certificate on the wire, and is asked about like a full one."""
    host, bad = [guarded.lab.sites[site].host("version") for site in ("clean", "hijacked")]
    for port, version in VERSIONS.items():
        pages = [browser.visit(guarded.remote, url(host, port)) for _ in range(VISITS)]
        told = [fields for fields in guarded.installation.verdicts(host=host)
                if fields["port"] == str(port)]
        problem = "" if len(told) >= VISITS else "asked %d times only" % len(told)
        for word in (version + " . ", version + " r "):
            if not any(word in page.text for page in pages):
                problem += "\nnever %s" % word
        result.check("%s: clean site, full and resumed handshakes" % version, expect.together(
            problem, *[expect.allowed(page) for page in pages]))
        before = len(guarded.installation.verdicts(host=bad))
        browser.visit(guarded.remote, url(bad, port))
        last = guarded.installation.verdicts(host=bad)[before:]
        result.check("%s: man in the middle" % version, expect.together(
            "" if last and all(fields["verdict"] == "disagree" and fields["port"] == str(port)
                               for fields in last) else "logged: %s" % last,
            "".join(attacker.served(bad))))


def http2(guarded, result, attacker):
    """Names of one address and one certificate could share a connection, and then only the first
    of them would be asked about."""
    clean = guarded.lab.sites["clean"]
    for name in ("one", "two"):
        page = browser.visit(guarded.remote, url(clean.host(name), HTTP2))
        result.check("HTTP/2: clean site, host %s of one address" % name, expect.together(
            expect.allowed(page), "" if "HTTP/2.0" in page.text else str(page),
            guarded.logged(clean.host(name), HTTP2, **AGREE)))
    bad = guarded.lab.sites["hijacked"].host("two")
    page = browser.visit(guarded.remote, url(bad, HTTP2))
    result.check("HTTP/2: man in the middle", expect.together(
        failed(page), "".join(attacker.served(bad)), guarded.logged(bad, HTTP2, **DISAGREE)))
    result.check("HTTP/2: man in the middle, tried again", expect.together(
        guarded.warns(bad, HTTP2, **DISAGREE), "".join(attacker.served(bad))))


def failed(page):
    """A refusal that comes after the handshake is no error of the certificate any more: Firefox
    says "Secure Connection Failed", and offers no way around it."""
    late = page.address.startswith("about:neterror?e=nssFailure2&") \
        and "SSL_ERROR_HANDSHAKE_UNEXPECTED_ALERT" in page.text
    return "" if late or page.warning else "not an error page of Firefox's own\n%s" % page


def datagrams(lab):
    """How many reached the sites, whether or not anybody listens there."""
    lines = lab.network.place("sites").run(["cat", "/proc/net/snmp", "/proc/net/snmp6"]).stdout
    udp = [line.split() for line in lines.decode().splitlines() if line.startswith("Udp")]
    return int(udp[1][1]) + int(udp[1][2])


def http3(guarded, result):
    """The site offers HTTP/3 with each answer. That Firefox would take it shows the second part."""
    lab, host = guarded.lab, guarded.lab.sites["clean"].host("three")
    for _ in range(2):
        browser.visit(guarded.remote, url(host, HTTP2))
    result.check("HTTP/3 is switched off", "" if datagrams(lab) == 0 else "QUIC went out")
    browser.set_preference(guarded.remote, HTTP3, True)
    host = lab.sites["clean"].host("four")
    for _ in range(2):
        browser.visit(guarded.remote, url(host, HTTP2))
    until(lambda: datagrams(lab) > 0)
    browser.set_preference(guarded.remote, HTTP3, False)


def use_proxy(remote, kind, name):
    host = "%s.%s" % (name, DOMAIN)
    for key, value in ({"http": "", "http_port": 0, "ssl": "", "ssl_port": 0, "socks": "",
                        "socks_port": 0, "socks_remote_dns": True, "type": 1} |
                       {kind: host, kind + "_port": PROXY[1]}).items():
        browser.set_preference(remote, "network.proxy." + key, value)


def proxies(guarded, result):
    """Whom the proxy was asked for: the CONNECT line, or the layer that speaks SOCKS."""
    lab, remote = guarded.lab, guarded.remote
    lab.start_ready("attacker", PYTHON + [HERE + "/proxy.py", ATTACKER, str(PROXY[1])])
    for kind, name, found in (("ssl", "http", "sni/connect"), ("socks", "socks", "sni/fd")):
        use_proxy(remote, kind, "proxy")
        host = lab.sites["clean"].host(name)
        result.check("%s proxy: clean site, port 8443" % name, expect.together(
            guarded.loads(host, 8443), guarded.logged(host, 8443, found=found)))
        use_proxy(remote, kind, "evil-proxy")
        host = lab.sites["hijacked"].host("evil-" + name)
        result.check("%s proxy of the attacker: man in the middle, port 8443" % name,
                     guarded.warns(host, 8443, found=found, **DISAGREE))
    browser.set_preference(remote, "network.proxy.type", 0)


def ipv6(guarded, result):
    sites = guarded.lab.sites
    if not HAVE_IPV6:
        result.skip("IPv6", "this machine has none")
        return
    result.check("IPv6: clean site", guarded.loads(sites["clean"].host("six"), 8443))
    result.check("IPv6: man in the middle",
                 guarded.warns(sites["hijacked"].host("six"), 443, **DISAGREE))


def main():
    lack = browser.missing("firefox", "nginx")
    if lack:
        tap.skip_all(lack + " is not installed")
    isolation.enter_or_skip()
    result = tap.Tap()
    lab = Lab(standard_sites(), NAMES)
    try:
        lab.start_notaries()
        attacker = serve(lab)
        installation = lab.installation("transport")
        with firefox(lab, installation, PREFERENCES) as remote:
            guarded = Guarded(lab, remote, installation)
            versions(guarded, result, attacker)
            http2(guarded, result, attacker)
            http3(guarded, result)
            proxies(guarded, result)
            ipv6(guarded, result)
    finally:
        lab.stop()
    result.done()


main()
