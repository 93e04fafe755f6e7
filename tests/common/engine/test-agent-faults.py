# SPDX-License-Identifier: MIT
"""Notaries that hang, lie, flood or forge, asked by a real agent: their slots are silent or no, the
others decide, in time, and no fault ever yields agreement."""
import tempfile
import shutil
import socket
import time

import agentlab
from agentlab import (ACCEPT, AGREE, DISAGREE, EXEMPT, NOT_PUBLIC, REFUSE, UNCHANGED, UNDECIDED,
                      UNREACHABLE, Installation, Leaf, Notary, Relay)

directory = tempfile.mkdtemp(prefix="converge-notaries-")
good, evil = Leaf(directory, "good"), Leaf(directory, "evil")
alpha, beta, gamma = (Notary(directory, name) for name in ("alpha", "beta", "gamma"))
old = [Notary(directory, name, protocol=1) for name in ("old-a", "old-b", "old-c")]
TRIO = [alpha, beta, gamma]
site = 0


def fresh():
    """A host that nothing is known about yet."""
    global site
    site += 1
    return f"site-{site}.example.org"


def reset():
    for notary in TRIO + old:
        notary.see(good)


def with_agent(check, settings="deadline = 1s", notaries=None):
    reset()
    installation = Installation(settings, TRIO if notaries is None else notaries).start()
    try:
        check(installation)
    finally:
        installation.remove()


def expect(answer, verdict, action, reason=None):
    got = (answer.verdict, answer.action)
    assert got == (verdict, action), f"{answer.__dict__}"
    assert reason is None or answer.reason == reason, f"{answer.__dict__}"


shared = None


def one_faulty(mode):
    """One faulty notary of three costs nothing but its own vote."""
    def case():
        reset()
        gamma.see(good, mode=mode)
        before = time.monotonic()
        answer = shared.ask(fresh(), 443, good)
        expect(answer, AGREE, ACCEPT, "vote")
        assert time.monotonic() - before < 1.5
        answer = shared.ask(fresh(), 443, evil)
        expect(answer, DISAGREE, REFUSE, "vote")
    case.__doc__ = f"one notary of three: {mode}"
    return case


def most_faulty(mode, words):
    """Two faulty notaries of three leave it undecided, which refuses; also for a true certificate."""
    def case():
        reset()
        beta.see(good, mode=mode)
        gamma.see(good, mode=mode)
        host = fresh()
        before = time.monotonic()
        answer = shared.ask(host, 443, good, timeout_ms=1000)
        expect(answer, UNDECIDED, REFUSE)
        assert time.monotonic() - before < 1.2, "later than the asker waits"
        line = shared.lines("host=" + host)[0]
        assert any(f":silent({word}):" in line for word in words), line
    case.__doc__ = f"two notaries of three: {mode}"
    return case


def honest():
    """three honest notaries: agreement, disagreement, and a line in the log for each"""
    reset()
    host = fresh()
    expect(shared.ask(host, 443, good), AGREE, ACCEPT, "vote")
    expect(shared.ask(host, 443, good), AGREE, ACCEPT, "cache")
    answer = shared.ask(host, 443, evil)
    expect(answer, DISAGREE, REFUSE, "vote")
    lines = shared.lines("host=" + host)
    assert len(lines) == 3, lines
    assert lines[0].startswith("verdict=agree action=accept reason=vote host=" + host +
                               " port=443 ports=443 found=sni/fd program=test pid="), lines[0]
    assert lines[2].startswith("verdict=disagree action=refuse reason=vote"), lines[2]


def liars():
    """two lying notaries of three: no agreement for the truth, none for the lie beyond them"""
    reset()
    alpha.see(evil)
    host = fresh()
    expect(shared.ask(host, 443, good), AGREE, ACCEPT, "vote")
    answer = shared.ask(host, 443, evil)
    expect(answer, DISAGREE, REFUSE, "vote")


def unreachable_target():
    """notaries that cannot reach the site are silent, not against it"""
    reset()
    for notary in TRIO:
        notary.see(status=UNREACHABLE)
    answer = shared.ask(fresh(), 443, good)
    expect(answer, UNDECIDED, REFUSE, "unreachable")
    assert answer.said("silent") == 3


def not_public():
    """two notaries that sign "not public" exempt"""
    reset()
    for notary in TRIO:
        notary.see(status=NOT_PUBLIC)
    expect(shared.ask(fresh(), 443, good), EXEMPT, UNCHANGED, "not-public")


def wrong_pin():
    """a notary whose certificate is not the bundle's is asked nothing"""
    def check(installation):
        installation.add(beta, pin=evil)
        installation.add(gamma, pin=good)
        installation.start()
        beta.requests = gamma.requests = 0
        answer = installation.ask(fresh(), 443, good)
        expect(answer, UNDECIDED, REFUSE)
        assert installation.lines("silent(pin)"), installation.lines()
        assert beta.requests == 0 and gamma.requests == 0
    reset()
    installation = Installation("deadline = 1s", [alpha])
    try:
        check(installation)
    finally:
        installation.remove()


def version_1():
    """version 1: among the newest of the list is yes, else no; 303 aside, 503 silent, 409 no"""
    def check(installation):
        for notary in old:
            notary.see(good, evil)
        host = fresh()
        expect(installation.ask(host, 443, good), AGREE, ACCEPT, "vote")
        expect(installation.ask(host, 443, evil), DISAGREE, REFUSE, "vote")
        for notary in old:
            notary.see(status=agentlab.ASIDE)
        answer = installation.ask(fresh(), 443, good)
        expect(answer, UNDECIDED, REFUSE)
        assert answer.said("aside") == 3
        for notary in old:
            notary.see(good, mode="status-409")
        expect(installation.ask(fresh(), 443, good), DISAGREE, REFUSE)
        for notary in old:
            notary.see(status=UNREACHABLE)
        expect(installation.ask(fresh(), 443, good), UNDECIDED, REFUSE)
        for mode in ("junk", "half", "redirect", "status-500", "status-204"):
            for notary in old:
                notary.see(good, mode=mode)
            expect(installation.ask(fresh(), 443, good), UNDECIDED, REFUSE)
    with_agent(check, notaries=old)


def warm_connections():
    """one connection per notary, opened ahead and kept; at most 1 KB a query"""
    def check(installation):
        assert agentlab.until(lambda: all(notary.visits > 0 for notary in own))
        for count in range(1, 11):
            expect(installation.ask(fresh(), 443, good), AGREE, ACCEPT, "vote")
            # The third answer is not waited for by the agent, but it is read.
            assert agentlab.until(lambda: all(len(notary.sizes) == count for notary in own))
        opened = [notary.connections for notary in own]
        assert opened == [1, 1, 1], opened
        assert max(sum(size) for notary in own for size in notary.sizes) <= 1024
    own = [Notary(directory, name) for name in ("eta", "theta", "iota")]
    for notary in own:
        notary.see(good)
    with_agent(check, notaries=own)


def several_ports():
    """several port candidates: one that the notaries confirm is enough, and is told"""
    reset()
    answer = shared.ask(fresh(), [443, 8443], good)
    expect(answer, AGREE, ACCEPT, "vote")
    assert answer.port in (443, 8443)
    expect(shared.ask(fresh(), [443, 8443], evil), DISAGREE, REFUSE, "vote")


def closed_connections():
    """notaries that hang up after every answer are asked again all the same"""
    reset()
    for notary in TRIO:
        notary.see(good, mode="close")
    for _ in range(4):
        expect(shared.ask(fresh(), 443, good), AGREE, ACCEPT, "vote")


def high_availability():
    """a notary of two hosts, the first one dead or mute: the second answers, and is remembered"""
    mute = socket.socket()
    mute.bind(("127.0.0.1", 0))
    mute.listen(16)
    dead = socket.socket()
    dead.bind(("127.0.0.1", 0))
    for before in (dead, mute):
        reset()
        installation = Installation("deadline = 2s")
        try:
            for notary in TRIO:
                installation.add(notary, before=before.getsockname()[1])
            installation.start()
            expect(installation.ask(fresh(), 443, good), AGREE, ACCEPT, "vote")
            began = time.monotonic()
            expect(installation.ask(fresh(), 443, good), AGREE, ACCEPT, "vote")
            assert time.monotonic() - began < 0.7
        finally:
            installation.remove()


def ipv6():
    """notaries at an IPv6 address, as their name or behind it"""
    try:
        own = [Notary(directory, name, address="::1") for name in ("kappa", "lambda", "mu")]
    except OSError:
        raise agentlab.Skip("no IPv6 here")

    def check(installation):
        for notary, host in zip(own, ("::1", "notary.example", "::1")):
            notary.see(good)
            installation.add(notary, host=host)
        installation.start()
        expect(installation.ask(fresh(), 443, good), AGREE, ACCEPT, "vote")
    installation = Installation("deadline = 1s\nthreshold = consensus")
    try:
        check(installation)
    finally:
        installation.remove()


def bounce():
    """through a relay: who asks is known to the relay only; a failing relay is replaced"""
    relay, refusing = Relay(), Relay(allow=False)

    def check(installation):
        installation.add(alpha, relay_port=relay.port)
        installation.add(beta, relay_port=refusing.port)
        installation.start()
        for _ in range(4):
            answer = installation.ask(fresh(), 443, good)
            expect(answer, AGREE, ACCEPT, "vote")
            assert all(vote[4] == 1 for vote in answer.votes), answer.votes
        assert relay.seen and all(head.startswith(b"CONNECT notary.example:")
                                  for head in relay.seen), relay.seen
        assert "alpha:" not in installation.lines("bounced=yes")[-1]
    reset()
    others = [Notary(directory, name) for name in ("delta", "epsilon")]
    for notary in others:
        notary.see(good)
    installation = Installation("deadline = 2s\nbounce = on", [gamma, *others])
    try:
        check(installation)
    finally:
        installation.remove()


def main():
    global shared
    reset()
    shared = Installation("deadline = 1s", TRIO).start()
    try:
        agentlab.run([
            honest, liars, unreachable_target, not_public, several_ports,
            one_faulty("hang"), one_faulty("huge"), one_faulty("half"), one_faulty("junk"),
            one_faulty("no-signature"), one_faulty("bad-signature"),
            most_faulty("hang", ["timeout"]),
            most_faulty("huge", ["too-large"]),
            most_faulty("huge-head", ["too-large"]),
            most_faulty("half", ["protocol", "unreachable"]),
            most_faulty("junk", ["protocol"]),
            most_faulty("no-signature", ["protocol", "signature"]),
            most_faulty("bad-signature", ["signature"]),
            most_faulty("foreign-key", ["signature"]),
            most_faulty("other-host", ["protocol"]),
            most_faulty("other-port", ["protocol"]),
            most_faulty("v1", ["protocol"]),
            most_faulty("redirect", ["protocol"]),
            most_faulty("status-303", ["protocol"]),
            most_faulty("status-409", ["protocol"]),
            most_faulty("status-429", ["busy"]),
            wrong_pin, version_1, warm_connections, closed_connections, high_availability,
            ipv6, bounce,
        ])
    finally:
        shared.remove()
        shutil.rmtree(directory, ignore_errors=True)


main()
