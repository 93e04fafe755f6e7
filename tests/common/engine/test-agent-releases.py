# SPDX-License-Identifier: MIT
"""Programs and agents of different releases: the first release's octets to today's agent, and to
today's client; another version of the protocol is refused, and told."""
import os
import shutil
import socket
import subprocess
import tempfile
import threading

import agentlab
from agentlab import AGREE, REFUSE, UNDECIDED, Answer, Installation, Leaf, Notary

directory = tempfile.mkdtemp(prefix="converge-notaries-")
good = Leaf(directory, "good")
trio = [Notary(directory, name) for name in ("alpha", "beta", "gamma")]
GOLDEN = os.path.join(os.environ.get("top_srcdir", "."), "tests/common/protocol/first-release")
ID = 0x0102030405060708
shared = None


def golden(name):
    with open(os.path.join(GOLDEN, name + ".hex"), encoding="ascii") as file:
        return bytes.fromhex("".join(line.split("#")[0] for line in file))


def say(octets):
    with shared.connect() as sock:
        sock.send(octets)
        return sock.recv(agentlab.MESSAGE_MAX)


def first_release_asks():
    """questions of the first release are answered in octets that it can read"""
    for name in ("check-fingerprint", "check-leaf"):
        data = say(golden(name))
        Answer(data, ID)  # which takes nothing but what the first release knew
        assert data[16] <= 18
    heard = shared.command("status")[0]["releases"]["heard"]
    assert {"release": "", "questions": 2} in heard, heard


def newer_release_asks():
    """a newer release's appended fields are passed over, its name is cleaned and told"""
    octets = golden("check-fingerprint")
    Answer(say(octets + b"\x079.8.7\n6" + b"more"), ID)
    heard = shared.command("status")[0]["releases"]["heard"]
    assert "9.8.7?6" in [one["release"] for one in heard], heard
    for number in range(20):
        say(octets + b"\x02" + b"%02d" % number)
    releases = shared.command("status")[0]["releases"]
    assert len(releases["heard"]) == 8 and releases["others"] > 0, releases
    assert [line for line in shared.lines("release 9.8.7?6")]


def another_version():
    """another version of the protocol gets an answer that no such asker takes, told once"""
    for _ in range(3):
        octets = bytearray(golden("check-fingerprint"))
        octets[4] = 2
        data = say(bytes(octets))
        answer = Answer(data, ID)
        assert data[4] == 1 and (answer.verdict, answer.action) == (UNDECIDED, REFUSE)
        assert answer.reason == "bad-question"
    assert len(shared.lines("another version")) == 1
    status = shared.command("status")[0]
    assert status["releases"]["foreign"] and status["protocol"] == 1


def ask_stub(answer):
    """What today's client makes of an agent that gives this answer to whatever it is asked."""
    installation = Installation("", trio)
    try:
        os.mkdir(os.path.join(installation.config, "run"), 0o700)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(installation.socket)
        listener.listen()
        listener.settimeout(20)

        def serve():
            conn, _ = listener.accept()
            with conn:
                question = conn.recv(agentlab.MESSAGE_MAX)
                conn.send(answer[:6] + question[6:14] + answer[14:])

        thread = threading.Thread(target=serve)
        thread.start()
        said = subprocess.run([os.path.join(agentlab.BUILD, "tests/common/engine/ask-agent"),
                               "site.example.org"], env=installation.environment(), timeout=20,
                              stdout=subprocess.PIPE, check=True).stdout.decode().split()
        thread.join()
        listener.close()
        return said[:2]
    finally:
        installation.remove()


def first_release_answers():
    """answers of the first release are understood, as are reasons and fields of newer ones"""
    verdict = golden("verdict")
    action = {0x41: "accept", 0x52: "refuse", 0x2D: "unchanged"}[verdict[15]]
    assert ask_stub(verdict) == [action, agentlab.REASONS[verdict[16]]]
    assert ask_stub(verdict + b"appended") == [action, agentlab.REASONS[verdict[16]]]
    assert ask_stub(verdict[:16] + b"\xc8" + verdict[17:]) == [action, "unknown"]


def strange_answers():
    """an unknown verdict, action or version is never tolerated"""
    verdict = golden("verdict")
    for at, value in ((14, 1), (15, 1), (4, 2), (4, 0), (5, 9)):
        octets = bytearray(verdict)
        octets[at] = value
        assert ask_stub(bytes(octets))[0] == "refuse", (at, value)


def main():
    global shared
    for notary in trio:
        notary.see(good)
    shared = Installation("negative_ttl = 0\n", trio).start()
    try:
        assert shared.ask("site.example.org", 443, good).verdict == AGREE
        agentlab.run([first_release_asks, newer_release_asks, another_version,
                      first_release_answers, strange_answers])
    finally:
        shared.remove()
        shutil.rmtree(directory, ignore_errors=True)


main()
