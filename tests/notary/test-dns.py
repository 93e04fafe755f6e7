# SPDX-License-Identifier: MIT
# How a notary finds a target's addresses: DNS that answers, errs, lies or keeps silent; hostile
# names; DNSSEC, with a real authoritative server.
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nsdlab
from dnslab import A, AAAA, Dns, Later, NXDOMAIN, SERVFAIL, SILENT, address, alias, record
from notarylab import (BUILD, NOT_PUBLIC, Certificate, Notary, SEEN, Site, Tap, UNREACHABLE, ZERO,
                       connect, current, expect)

ASK_DNS = os.path.join(BUILD, "tests/notary/ask-dns")
LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 53, "example"])  # 253 octets
assert len(LONGEST) == 253

HERE, NOWHERE = "127.0.0.1", "10.0.0.1"
rebinding = iter([HERE] + [NOWHERE] * 100)


def chain(name, *more):
    """name -> ... -> the last of more, an address."""
    names = [name, *more[:-1]]
    return [alias(a, b) for a, b in zip(names, names[1:])] + [address(names[-1], more[-1])]


ZONE = {
    ("four.example", A): lambda name: [address(name, HERE)],
    ("four.example", AAAA): lambda name: [],
    ("six.example", AAAA): lambda name: [address(name, "::1")],
    ("six.example", A): lambda name: [],
    ("servfail.example", A): lambda name: SERVFAIL,
    ("servfail.example", AAAA): lambda name: SERVFAIL,
    ("silent.example", A): lambda name: SILENT,
    ("silent.example", AAAA): lambda name: SILENT,
    ("half-silent.example", A): lambda name: [address(name, HERE)],
    ("half-silent.example", AAAA): lambda name: SILENT,
    ("half-broken.example", A): lambda name: [address(name, HERE)],
    ("half-broken.example", AAAA): lambda name: SERVFAIL,
    ("nodata.example", A): lambda name: [],
    ("nodata.example", AAAA): lambda name: [],
    ("truncated.example", A): lambda name: [address(name, HERE)],
    ("truncated.example", AAAA): lambda name: [],
    ("twisted.example", A): lambda name: [address(name, HERE)],
    ("chain.example", A): lambda name: chain(name, "b.example", "c.example", HERE),
    ("chain.example", AAAA): lambda name: [alias(name, "b.example"), alias("b.example", "c.example")],
    ("b.example", A): lambda name: [alias(name, "c.example"), address("c.example", HERE)],
    ("b.example", AAAA): lambda name: [alias(name, "c.example")],
    ("c.example", A): lambda name: [address(name, HERE)],
    ("c.example", AAAA): lambda name: [],
    ("loop.example", A): lambda name: [alias(name, "pool.example"), alias("pool.example", name)],
    ("loop.example", AAAA): lambda name: [alias(name, "pool.example"), alias("pool.example", name)],
    ("self.example", A): lambda name: [alias(name, name)],
    ("self.example", AAAA): lambda name: [alias(name, name)],
    ("huge.example", A): lambda name: [address(name, f"127.0.1.{i}") for i in range(250)],
    ("huge.example", AAAA): lambda name: [],
    ("strange.example", A): lambda name: [record(name, A, b"\x7f\0\0\1\0")],
    ("strange.example", AAAA): lambda name: [],
    ("private.example", A): lambda name: [address(name, NOWHERE)],
    ("private.example", AAAA): lambda name: [address(name, "fd00::1")],
    ("late-private.example", A): lambda name: [address(name, NOWHERE)],
    ("many-private.example", A): lambda name: [address(name, f"10.0.0.{i}") for i in range(17)],
    ("many-private.example", AAAA): lambda name: [],
    ("half-private.example", A): lambda name: [address(name, NOWHERE)],
    ("half-private.example", AAAA): lambda name: SERVFAIL,
    ("mixed.example", A): lambda name: [address(name, NOWHERE), address(name, HERE)],
    ("mixed.example", AAAA): lambda name: [],
    ("rebinding.example", A): lambda name: [address(name, next(rebinding), ttl=0)],
    ("rebinding.example", AAAA): lambda name: [],
    (LONGEST, A): lambda name: [address(name, HERE)],
    (LONGEST, AAAA): lambda name: [],
    ("_under.score.example", A): lambda name: [address(name, HERE)],
    ("_under.score.example", AAAA): lambda name: [],
}


slow = {}


def says(name, kind):
    if name == "late-private.example" and kind == AAAA:
        return slow.setdefault(name, Later(0.8, [address(name, "fd00::1")]))
    if name.startswith("slow"):
        return slow.setdefault((name, kind), Later(1, [address(name, HERE)] if kind == A else []))
    return ZONE[name, kind](name) if (name, kind) in ZONE else NXDOMAIN


def answers(tap, notary, dns, certificate, six):
    site = Site(certificate)
    number = iter(range(1000))

    def status(name, port=None):
        return notary.v2((name, port or site.port, certificate.sha256))[0]["status"]

    def seen(name):
        expect(current(notary.v2((name, site.port, certificate.sha256))[0]), [certificate.sha256])

    def truncated():
        seen("truncated.example")
        expect(dns.asked.count(("truncated.example", A)) >= 2, True, "asked again over TCP")

    def both_families():
        seen("four.example")
        expect({("four.example", A), ("four.example", AAAA)} <= set(dns.asked), True, "asked for")

    def over_ipv6():
        site_v6 = Site(certificate, address="::1")
        expect(status("six.example", site_v6.port), SEEN)
        site_v6.stop()

    def silent():
        start = time.monotonic()
        expect(status("silent.example"), UNREACHABLE)
        expect(time.monotonic() - start < 4, True, "the probe's own deadline")

    def half_silent():
        start = time.monotonic()
        seen("half-silent.example")
        expect(time.monotonic() - start < 1.5, True, "it waited for the other family")

    def slowly():
        """A server that knows most names at once is not lost when it has to find one out."""
        for _ in range(8):
            notary.v2(*[(f"quick{next(number)}.example", 1, certificate.sha256)
                        for _ in range(16)])
        for i in range(3):
            seen(f"slow{i}.example")

    def no_second_lookup():
        """What the filter let through is what is connected to, whatever DNS says afterwards."""
        seen("rebinding.example")
        expect(dns.asked.count(("rebinding.example", A)), 1)
        statement = notary.v2(("rebinding.example", site.port, "11" * 32))[0]
        expect((statement["status"], current(statement)), (NOT_PUBLIC, []))
        expect(dns.asked.count(("rebinding.example", A)), 2)

    def hostile_names():
        for path in ("a%00b.example+443", "a\\000b.example+443", "a%2eb..example+443",
                     ".example+443", "%2a.example+443", "a%20b.example+443", "a..b+443",
                     "a" * 64 + ".example+443", "a" + "." + LONGEST + "+443", "%C3%A4.example+443",
                     "a%0d%0a.example+443", "x'; DROP.example+443"):
            request = b"GET /target/" + path.encode() + b" HTTP/1.0\r\n\r\n"
            expect(notary.raw(request).split(b" ")[1], b"400", path)

    tap.case("A and AAAA are asked for together", both_families)
    if six:
        tap.case("a name with an IPv6 address alone", over_ipv6)
    else:
        tap.skip("a name with an IPv6 address alone", "no IPv6 here")
    tap.case("no such name", lambda: expect(status("nowhere.example"), UNREACHABLE))
    tap.case("a name without addresses", lambda: expect(status("nodata.example"), UNREACHABLE))
    tap.case("SERVFAIL", lambda: expect(status("servfail.example"), UNREACHABLE))
    tap.case("silence", silent)
    tap.case("silence about one family", half_silent)
    tap.case("SERVFAIL about one family", lambda: seen("half-broken.example"))
    tap.case("an answer that takes a second", slowly)
    tap.case("an answer that UDP truncates", truncated)
    tap.case("an answer to another question", lambda: expect(status("twisted.example"), UNREACHABLE))
    tap.case("a chain of aliases", lambda: seen("chain.example"))
    tap.case("a loop of aliases", lambda: expect(status("loop.example"), UNREACHABLE))
    tap.case("an alias for itself", lambda: expect(status("self.example"), UNREACHABLE))
    tap.case("250 addresses", lambda: expect(status("huge.example"), UNREACHABLE))
    tap.case("an address of five octets", lambda: expect(status("strange.example"), UNREACHABLE))
    tap.case("private addresses alone are signed as such",
             lambda: expect(status("private.example"), NOT_PUBLIC))
    tap.case("... once both kinds are known",
             lambda: expect(status("late-private.example"), NOT_PUBLIC))
    tap.case("... but not on half an answer",
             lambda: expect(status("half-private.example"), UNREACHABLE))
    tap.case("... nor where there are more than are looked at",
             lambda: expect(status("many-private.example"), UNREACHABLE))
    tap.case("a private address beside a good one", lambda: seen("mixed.example"))
    tap.case("one lookup a probe: no rebinding", no_second_lookup)
    tap.case("a name of 253 octets, with labels of 63", lambda: seen(LONGEST))
    tap.case("underscores", lambda: seen("_under.score.example"))
    tap.case("hostile names are no names", hostile_names)
    tap.case("after all that, a good name", lambda: expect(status("four.example"), SEEN))
    site.stop()


def special_names(tap, dns):
    """Names that the public DNS does not have are nobody's business there."""
    def not_asked():
        before = len(dns.asked)
        with Notary(settings=f"dns_servers = {dns.server}\ndns_anchor = none\n", allow="") as notary:
            for name in ("printer.local", "wiki.internal", "intranet"):
                expect(notary.v2((name, 443, ZERO))[0]["status"], NOT_PUBLIC, name)
                connection, head = connect(notary, f"CONNECT {name}:4242 HTTP/1.0")
                connection.close()
                expect(head.split(" ")[1], "404", name)
            expect(notary.stop(), 0)
        expect(dns.asked[before:], [])

    tap.case("names of special use are not asked for, by probes or by the relay", not_asked)


def ask(dns, anchor, how, *questions):
    result = subprocess.run([ASK_DNS, dns.server, anchor, how, *questions], capture_output=True,
                            text=True, timeout=60, check=False)
    expect(result.returncode, 0, result.stderr[-2000:])
    return result.stdout.splitlines()


def ending(tap, dns):
    many = [f"silent.example/{kind}" for kind in ("A", "AAAA")] + \
           [f"silent{i}.example/A" for i in range(500)]

    def leaving():
        expect(set(ask(dns, "none", "leave", *many)), {"unreachable insecure"})

    def cancelled():
        lines = ask(dns, "none", "cancel", *["four.example/A", "servfail.example/A"] * 50)
        expect(lines, ["ok insecure 7f000001", "taken back"] * 50)

    tap.case("ending with 500 questions under way", leaving)
    tap.case("questions that are taken back", cancelled)


TLSA = "030101"


def dnssec(tap, certificate):
    why = nsdlab.missing()
    if why is not None:
        tap.skip("DNSSEC", why)
        return
    with tempfile.TemporaryDirectory(prefix="converge-nsd-") as directory:
        nsd = nsdlab.Nsd(directory)
        try:
            validated(tap, nsd, certificate)
        finally:
            nsd.stop()


def validated(tap, nsd, certificate):
    def statuses(anchor):
        site = Site(certificate)
        settings = f"dns_servers = {nsd.server}\ndns_anchor = {anchor}\n"
        with Notary(settings=settings) as notary:
            got = [statement["status"] for statement in notary.v2(
                *[(name + ".example", site.port, certificate.sha256)
                  for name in ("good.signed", "alias.signed", "bad.signed", "good.plain")])]
            expect(notary.stop(), 0)
        site.stop()
        return got

    def addresses():
        expect(ask(nsd, nsd.anchor, "ask", "good.signed.example/A", "bad.signed.example/A",
                   "nowhere.signed.example/A", "good.signed.example/AAAA", "good.plain.example/A",
                   "nowhere.plain.example/A", "alias.signed.example/A"),
               ["ok secure 7f000001", "unreachable bogus", "not-found secure", "not-found secure",
                "ok insecure 7f000001", "not-found insecure", "ok secure 7f000001"])

    def tlsa():
        expect(ask(nsd, nsd.anchor, "ask", "_443._tcp.good.signed.example/TLSA",
                   "_443._tcp.bad.signed.example/TLSA", "_443._tcp.alias.signed.example/TLSA",
                   "_443._tcp.good.plain.example/TLSA"),
               [f"ok secure {TLSA}{nsdlab.DIGEST}", "unreachable bogus", "not-found secure",
                f"ok insecure {TLSA}{nsdlab.DIGEST}"])

    tap.case("DNSSEC: addresses", addresses)
    tap.case("DNSSEC: TLSA records", tlsa)
    tap.case("a forged address is none",
             lambda: expect(statuses(nsd.anchor), [SEEN, SEEN, UNREACHABLE, SEEN]))
    tap.case("with dns_anchor = none nothing is validated",
             lambda: expect(statuses("none"), [SEEN] * 4))


def main():
    tap = Tap()
    dns = Dns(says, truncated=("truncated.example",), twisted=("twisted.example",))
    with tempfile.TemporaryDirectory(prefix="converge-dns-") as directory:
        certificate = Certificate(directory, "one")
        try:
            Site(certificate, address="::1").stop()
            six = True
        except OSError:
            six = False
        settings = f"dns_servers = {dns.server}\ndns_anchor = none\nprobe_interval = 100ms\n"
        with Notary(settings=settings) as notary:
            answers(tap, notary, dns, certificate, six)
            tap.case("the notary ends well", lambda: expect(notary.stop(), 0))
        special_names(tap, dns)
        dnssec(tap, certificate)
    ending(tap, dns)
    dns.stop()
    tap.done()


main()
