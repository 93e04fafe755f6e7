# SPDX-License-Identifier: MIT
# What a notary's verifiers say reaches the person who asks why: a real agent with a real notary,
# its log, and converge why. It does not count in the vote.
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree may be read-only
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../common/engine")]
import agentlab
from notarylab import BUILD, Notary, Site, Tap, expect

CONVERGE = os.path.join(BUILD, "tools/converge")
ZERO = "00" * 32


def voted(client, site, leaf, host, said):
    answer = client.ask(host, site.port, leaf)
    expect((answer.verdict, answer.action), (agentlab.AGREE, agentlab.ACCEPT), answer.text)
    line, = client.lines(f"host={host} ")
    if f"votes=alpha:yes{said}:" not in line:
        raise AssertionError(line)


def why(client, site, host, *arguments):
    return subprocess.run([CONVERGE, "why", f"{host}:{site.port}", *arguments], text=True,
                          capture_output=True, check=False, env=client.environment()).stdout


def told(client, site, host, said):
    output = why(client, site, host)
    if said not in output:
        raise AssertionError(output)


def cases(tap, client, site, leaf):
    for host, word in (("yes.example.org", "yes"), ("no.example.org", "no"),
                       ("unlisted.example.org", "aside")):
        tap.case(f"a verifier's {word} is in the log and does not count",
                 lambda host=host, word=word: voted(client, site, leaf, host, f"(pins-{word})"))
        tap.case(f"converge why tells of {word}",
                 lambda host=host, word=word: told(client, site, host, f"(pins {word})\n"))


def main():
    tap = Tap()
    client = agentlab.Installation()
    with tempfile.TemporaryDirectory(prefix="converge-why-") as directory:
        leaf = agentlab.Leaf(directory, "site")
        leaf.crt = leaf.pem
        site = Site(leaf)
        pins = os.path.join(directory, "pins")
        with open(pins, "w", encoding="ascii") as file:
            file.write(f"yes.example.org:{site.port} {leaf.sha256.hex()}\n"
                       f"no.example.org:{site.port} {ZERO}\n")
        hosts = "".join(f"127.0.0.1 {name}.example.org\n" for name in ("yes", "no", "unlisted"))
        try:
            with Notary(hosts=hosts, settings=f"verifiers = pins\npins = {pins}\n") as notary:
                with open(notary.bundle, encoding="ascii") as file:
                    agentlab.write(os.path.join(client.config, "notaries.d", "alpha.notary"),
                                   file.read())
                client.start()
                cases(tap, client, site, leaf)
        finally:
            client.remove()
            site.stop()
    tap.done()


main()
