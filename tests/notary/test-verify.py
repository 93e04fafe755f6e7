# SPDX-License-Identifier: MIT
# Verifiers of a real converge-notaryd: DANE with a signed zone of a real authoritative server,
# Certificate Transparency with a certificate and logs of our own, pins; told in version 2, combined
# in version 1, kept with the target.
import hashlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nsdlab
from dnslab import A, AAAA, Dns, SILENT, address
from notarylab import (BUILD, CT, Certificate, DANE, NOTARYD, Notary, PINS, SEEN, Site, Tap, UNREACHABLE,
                       colons, expect, opinions)

MINT_CT = os.path.join(BUILD, "tests/notary/mint-ct")
OTHER = "00" * 32
TLSA = 52


class Logged:
    """A certificate with SCTs and its issuer behind it; .logs is the list of who gave them."""

    def __init__(self, directory, host, count):
        subprocess.run([MINT_CT, directory, host, str(count)], check=True)
        self.key, self.crt, self.logs = (os.path.join(directory, f"{host}.{kind}")
                                         for kind in ("key", "crt", "logs"))
        with open(self.crt, encoding="ascii") as file:
            leaf = file.read().partition("-----END CERTIFICATE-----")
        der = ssl.PEM_cert_to_DER_cert(leaf[0] + leaf[1])
        self.sha1 = colons(hashlib.sha1(der).hexdigest())
        self.sha256 = colons(hashlib.sha256(der).hexdigest())


def ask(notary, host, site, certificate):
    """What the verifiers say of the certificate, as version 2 tells it."""
    statement, = notary.v2((host, site.port, certificate.sha256))
    expect(statement["status"], SEEN)
    return opinions(statement)


def v1(notary, host, site, certificate):
    return notary.v1(host, site.port, certificate.sha1)[0]


def hosts(*names):
    return "".join(f"127.0.0.1 {name}\n" for name in names)


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def pins(directory):
    certificate, site, path = Certificate(directory, "p"), None, os.path.join(directory, "pins")
    site = Site(certificate)
    listed = (f"yes.example:{site.port} {certificate.sha256}\n"
              f"no.example:{site.port} {OTHER} spki:{OTHER} # of long ago\n")
    write(path, listed)
    names = hosts("yes.example", "no.example", "unlisted.example")
    try:
        with Notary(hosts=names, settings=f"verifiers = network pins\npins = {path}\n"
                    "v1_verdict = all\nprobe_interval = 100ms\n") as notary:
            tap.case("pins say yes, no, or nothing", lambda: expect(
                [ask(notary, name, site, certificate) for name in
                 ("yes.example", "no.example", "unlisted.example")],
                [{PINS: "yes"}, {PINS: "no"}, {PINS: "aside"}]))
            tap.case("version 1 goes by all of them", lambda: expect(
                [v1(notary, name, site, certificate) for name in
                 ("yes.example", "no.example", "unlisted.example")], [200, 409, 200]))
            tap.case("and by the newest observation, whatever they say", lambda: expect(
                notary.v1("yes.example", site.port, colons("11" * 20))[0], 409))
            tap.case("what is kept has the opinions with it",
                     lambda: kept(notary, site, certificate))
            tap.case("SIGHUP reads the file again", lambda: reread(notary, path, site, certificate))
            tap.case("a file that is none changes nothing",
                     lambda: refuse(notary, path, site, certificate))
            tap.case("a verifier that is switched off is silent",
                     lambda: switch_off(notary, site, certificate))
    finally:
        site.stop()


def kept(notary, site, certificate):
    before = site.connections
    notary.stop()
    notary.start()
    expect(ask(notary, "no.example", site, certificate), {PINS: "no"})
    expect(v1(notary, "no.example", site, certificate), 409)
    expect(site.connections, before, "connections")


def reload(notary, said):
    notary.process.send_signal(signal.SIGHUP)
    notary.wait_for_log(said)


def reread(notary, path, site, certificate):
    write(path, f"new.example:{site.port} {certificate.sha256}\n")
    notary.write_hosts(hosts("new.example"))
    reload(notary, "reloaded")
    expect(ask(notary, "new.example", site, certificate), {PINS: "yes"})


def refuse(notary, path, site, certificate):
    write(path, "new.example no-pin\n")
    reload(notary, "not reloaded: " + path + ":1: ")
    expect(ask(notary, "new.example", site, certificate), {PINS: "yes"})


def switch_off(notary, site, certificate):
    with open(notary.config, encoding="ascii") as file:
        text = file.read()
    write(notary.config, text.replace("verifiers = network pins", "verifiers = network"))
    notary.log += "-2"
    notary.stop()
    notary.start()
    expect(ask(notary, "new.example", site, certificate), {})
    expect(v1(notary, "new.example", site, certificate), 200)


def transparency(directory):
    two, bare = Logged(directory, "two.example", 2), Certificate(directory, "bare.example")
    other = Logged(directory, "other.example", 3)
    site = Site(bare, by_name={"two.example": two, "other.example": other})
    names = hosts("two.example", "other.example", "bare.example")
    try:
        with Notary(hosts=names, settings=f"verifiers = ct\nct_logs = {two.logs}\n"
                    "v1_verdict = majority\n") as notary:
            tap.case("SCTs of known logs say yes, of others no, none nothing", lambda: expect(
                [ask(notary, name, site, certificate) for name, certificate in
                 (("two.example", two), ("other.example", other), ("bare.example", bare))],
                [{CT: "yes"}, {CT: "no"}, {CT: "aside"}]))
            tap.case("version 1 goes by the majority, and a tie is a no", lambda: expect(
                [v1(notary, name, site, certificate) for name, certificate in
                 (("two.example", two), ("other.example", other), ("bare.example", bare))],
                [200, 409, 200]))
        with Notary(hosts=names, settings=f"verifiers = ct\nct_logs = {two.logs}\n"
                    "ct_min = 3\n") as notary:
            tap.case("fewer than ct_min say no", lambda: expect(
                ask(notary, "two.example", site, two), {CT: "no"}))
            tap.case("version 1 goes by the network's perspective alone", lambda: expect(
                v1(notary, "two.example", site, two), 200))
    finally:
        site.stop()


def dane(directory):
    why = nsdlab.missing()
    if why is not None:
        tap.skip("DANE", why)
        return
    certificate = Certificate(directory, "d")
    site = Site(certificate)
    digest = certificate.sha256.replace(":", "").lower()
    tlsa = f"_{site.port}._tcp"
    nsd = nsdlab.Nsd(directory, more=(
        f"{tlsa}.good IN TLSA 3 0 1 {digest}\n"
        f"wrong IN A 127.0.0.1\n{tlsa}.wrong IN TLSA 3 0 1 {OTHER}\n"
        f"forged IN A 127.0.0.1\n{tlsa}.forged IN TLSA 3 0 1 {OTHER}\n"
        f"bare IN A 127.0.0.1\n"
        f"odd IN A 127.0.0.1\n{tlsa}.odd IN TLSA 3 0 9 {OTHER}\n"), lies=(
            (f"{tlsa}.forged.signed.example.\t60\tIN\tTLSA\t3 0 1 {OTHER}",
             f"{tlsa}.forged.signed.example.\t60\tIN\tTLSA\t3 0 1 {digest}"),))
    try:
        with_records(nsd, site, certificate)
    finally:
        nsd.stop()
        site.stop()


def with_records(nsd, site, certificate):
    settings = (f"verifiers = network dane\ndns_servers = {nsd.server}\n"
                f"dns_anchor = {nsd.anchor}\nv1_verdict = all\n")
    with Notary(settings=settings) as notary:
        def says(name, wanted):
            expect(ask(notary, name, site, certificate), {DANE: wanted}, name)

        tap.case("a record that matches says yes", lambda: says("good.signed.example", "yes"))
        tap.case("records that do not match say no", lambda: says("wrong.signed.example", "no"))
        tap.case("CNAMEs are followed", lambda: says("alias.signed.example", "yes"))
        tap.case("without records it stands aside", lambda: says("bare.signed.example", "aside"))
        tap.case("records of an unknown kind are none", lambda: says("odd.signed.example", "aside"))
        tap.case("so are those of a zone that is not signed",
                 lambda: says("good.plain.example", "aside"))
        tap.case("and those that were forged", lambda: says("forged.signed.example", "aside"))
        tap.case("a forged address is none at all", lambda: expect(
            notary.v2(("bad.signed.example", site.port, certificate.sha256))[0]["status"],
            UNREACHABLE))
        tap.case("version 1 goes by all of them", lambda: expect(
            [v1(notary, f"{name}.signed.example", site, certificate) for name in
             ("good", "wrong", "bare", "forged", "bad")], [200, 409, 200, 200, 503]))


def checked(settings):
    """What --check says of a notary with these settings."""
    notary = Notary(settings=settings)
    try:
        result = subprocess.run([NOTARYD, "--config", notary.config, "--check"], text=True,
                                capture_output=True, check=False)
        return result.returncode, result.stderr
    finally:
        shutil.rmtree(notary.directory)


def files(directory):
    """Files that are none, or not ours alone, are told of before anything is served."""
    bad, open_to_all = os.path.join(directory, "bad"), os.path.join(directory, "open")
    write(bad, "neither a pin nor a list\n")
    write(open_to_all, "site.example " + OTHER + "\n")
    os.chmod(open_to_all, 0o666)

    def refused(settings, word):
        status, said = checked(settings)
        expect(status, 1, said)
        if word not in said:
            raise AssertionError(said)

    tap.case("--check reads pins", lambda: refused(f"verifiers = pins\npins = {bad}\n",
                                                   f"{bad}:1: "))
    tap.case("--check reads the list of logs", lambda: refused(
        f"verifiers = ct\nct_logs = {bad}\n", bad))
    tap.case("pins that anybody could have written are refused", lambda: refused(
        f"verifiers = pins\npins = {open_to_all}\n", open_to_all))
    tap.case("a verifier without its file is refused", lambda: refused(
        "verifiers = ct\n", "ct_logs"))


def late(directory):
    """A DNS server that never says whether there are TLSA records."""
    certificate = Certificate(directory, "l")
    site = Site(certificate)
    dns = Dns(lambda name, kind: [address(name, "127.0.0.1")] if kind == A else
              [] if kind == AAAA else SILENT)
    listed = "".join(f"{name}.example:{site.port} {certificate.sha256}\n" for name in
                     ("silent", "reloaded", "ended"))
    anchor, pinned = os.path.join(directory, "anchor"), os.path.join(directory, "pins")
    write(anchor, "elsewhere.example. IN DS 1 13 2 " + "ab" * 32 + "\n")
    write(pinned, listed)
    settings = (f"verifiers = dane pins\npins = {pinned}\ndns_servers = {dns.server}\n"
                f"dns_anchor = {anchor}\n")
    try:
        with Notary(settings=settings + "probe_timeout = 700ms\n") as notary:
            tap.case("who is late stands aside, and the others are heard", lambda: expect(
                ask(notary, "silent.example", site, certificate), {DANE: "aside", PINS: "yes"}))
        with Notary(settings=settings + "probe_timeout = 10s\n") as notary:
            tap.case("a reload waits for nobody", lambda: expect(
                meanwhile(notary, dns, "reloaded.example", site, certificate,
                          lambda: reload(notary, "reloaded ")),
                [{DANE: "aside", PINS: "yes"}]))
            tap.case("a notary that ends meanwhile invents nothing", lambda: ended(
                meanwhile(notary, dns, "ended.example", site, certificate, notary.stop)))
    finally:
        site.stop()
        dns.stop()


def ended(said):
    if said not in ([], [{DANE: "aside", PINS: "yes"}]):
        raise AssertionError(said)


def meanwhile(notary, dns, host, site, certificate, happens):
    """Asks, and while the verifiers are being heard something happens: what they say then."""
    said = []

    def asker():
        try:
            said.append(ask(notary, host, site, certificate))
        except AssertionError:
            pass  # no answer

    thread = threading.Thread(target=asker)
    thread.start()
    end = time.monotonic() + 20
    while (f"_{site.port}._tcp.{host}", TLSA) not in dns.asked and time.monotonic() < end:
        time.sleep(0.01)
    happens()
    thread.join()
    return said


tap = Tap()
with tempfile.TemporaryDirectory(prefix="converge-verifiers-") as made:
    for group in (pins, transparency, dane, files, late):
        where = os.path.join(made, group.__name__)
        os.mkdir(where)
        group(where)
tap.done()
