# SPDX-License-Identifier: MIT
"""Askers that misbehave: silent ones by the thousand, floods, messages of every wrong size. Others
are served all the same, and nothing malformed is ever answered with agreement."""
import json
import os
import resource
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time

import agentlab
from agentlab import ACCEPT, AGREE, REFUSE, UNDECIDED, Installation, Leaf, Notary, question

directory = tempfile.mkdtemp(prefix="converge-notaries-")
good = Leaf(directory, "good")
trio = [Notary(directory, name) for name in ("alpha", "beta", "gamma")]
shared = None
OTHER_UID = 54321


def agrees(host):
    answer = shared.ask(host, 443, good)
    assert (answer.verdict, answer.action) == (AGREE, ACCEPT), answer.__dict__


def silent_thousand():
    """1,000 connections that never speak: others are served, and the silent are let go"""
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    silent = [shared.connect() for _ in range(1000)]
    before = time.monotonic()
    agrees("silent.example.org")
    assert time.monotonic() - before < 1
    for sock in silent:
        sock.settimeout(15)
    assert all(sock.recv(10) == b"" for sock in silent), "a silent connection was kept"
    for sock in silent:
        sock.close()


def cold_flood():
    """a user's flood of new questions ends at the budget; another user's is answered"""
    if os.geteuid() != 0:
        raise agentlab.Skip("only root can ask as another user")
    installation = Installation("budget_per_minute = 20\n", trio).start()
    try:
        said = agentlab.as_user(OTHER_UID, lambda: [
            installation.ask(f"flood-{n}.example.org", 443, good).reason for n in range(40)])
        assert said.count("vote") >= 20 and said.count("budget") >= 15, said
        answer = installation.ask("after-the-flood.example.org", 443, good)
        assert (answer.verdict, answer.action) == (AGREE, ACCEPT), answer.__dict__
    finally:
        installation.remove()


def warm_flood():
    """a flood of remembered questions leaves others their turn"""
    agrees("warm.example.org")
    over = threading.Event()

    def flood():
        while not over.is_set():
            shared.ask("warm.example.org", 443, good)
    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        before = time.monotonic()
        agrees("beside-the-flood.example.org")
        assert time.monotonic() - before < 1.5
    finally:
        over.set()
        for thread in threads:
            thread.join()


def send_raw(data):
    with shared.connect() as sock:
        try:
            sock.send(data)
            return sock.recv(agentlab.MESSAGE_MAX)
        except (BrokenPipeError, ConnectionResetError):
            return b""


def wrong_sizes():
    """every length of a message but the right one (x is no release's length): no agreement, and the agent lives"""
    _, data = question("site.example.org", [443], good, release="")
    for length in [0, 1, 5, 6, 13, 14, 15, *range(16, len(data), 7), len(data) - 1]:
        said = send_raw(data[:length]) if length else b""
        assert said == b"" or said[14] != AGREE, (length, said)
        assert said == b"" or said[15] == REFUSE, (length, said)
    for extra in (1, 1000, agentlab.MESSAGE_MAX - len(data), 120000):
        said = send_raw(data + b"x" * extra)
        assert said == b"" or said[15] == REFUSE, (extra, said)
    agrees("after-sizes.example.org")


def wrong_octets():
    """other versions, types and enumerations: no agreement"""
    request_id, data = question("site.example.org", [443], good, release="")
    host = 16 + len("site.example.org")
    # Magic, version and type; the flags and the host's length; how it was found, the ports' count;
    # how they were found, the peer's family: nothing else is allowed in their places.
    closed = {*range(6), 14, 15, host, host + 1, host + 4, host + 5}
    for place in range(len(data) - len(good.der)):
        said = send_raw(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1:])
        assert place not in closed or said == b"" or said[15] == REFUSE, (place, said)
        if 6 <= place < 14 or said == b"":
            continue
        # The host's letters, the port and the like make other questions; they may be answered.
        agentlab.Answer(said, request_id)
    huge_name = "a" * 300 + ".example.org"
    body = b"CVGA\x01\x01" + struct.pack(">Q", 1) + b"\x01\xff" + huge_name.encode()
    said = send_raw(body)
    assert said == b"" or said[15] == REFUSE
    agrees("after-octets.example.org")


def big_certificate():
    """a certificate of 64 KB that is none: refused"""
    junk = type("Leaf", (), {"der": os.urandom(65536)})
    answer = shared.ask("big.example.org", 443, junk)
    assert (answer.verdict, answer.action) == (UNDECIDED, REFUSE), answer.__dict__
    assert answer.reason == "bad-question"


def command_raw(text):
    with shared.connect() as sock:
        sock.send(b"CVGA\x01\x03" + struct.pack(">Q", 1) + b"\0" + text)
        data = sock.recv(agentlab.MESSAGE_MAX)
        return json.loads(data[15:]) if data else None


def bad_commands():
    """non-JSON, deep JSON, duplicate keys, unknown commands: an error each"""
    for text in (b"nonsense", b"[" * 5000 + b"]" * 5000, b"{}", b"[]", b"1", b"{\"command\": 1}",
                 b"{\"command\": \"status\", \"command\": \"reload\"}",
                 b"{\"command\": \"\xff\"}", b"{\"command\": \"halt\"}",
                 b"{\"command\": \"why\"}", b"{\"command\": \"why\", \"host\": \"a/b\"}",
                 b"{\"command\": \"why\", \"host\": \"a.b\", \"port\": 70000}",
                 b"{\"command\": \"notary-test\", \"name\": \"nobody\"}"):
        said = command_raw(text)
        assert said is None or (said["ok"] is False and said["error"] and said["message"]), said


def commands():
    """status, why, cache-list, cache-forget, notary-test, watch"""
    agrees("commands.example.org")
    status = shared.command("status")[0]
    assert status["ok"] and len(status["notaries"]) == 3 and status["checks"]["agree"] > 0
    entries = shared.command("why", host="COMMANDS.example.org.")[0]["entries"]
    assert [entry["source"] for entry in entries] == ["recent", "cache"], entries
    assert entries[0]["votes"] and entries[0]["verdict"] == "agree"
    assert shared.command("why", host="commands.example.org", port=8443)[0]["entries"] == []
    records = [record for reply in shared.command("cache-list") for record in reply["records"]]
    assert "commands.example.org" in [record["host"] for record in records]
    assert shared.command("cache-forget", host="commands.example.org")[0]["forgotten"] == 1
    assert shared.command("why", host="commands.example.org")[0]["entries"][-1]["source"] != "cache"
    tested = shared.command("notary-test")[0]["notaries"]
    assert [one["answered"] for one in tested] == [True] * 3, tested
    with shared.connect() as watcher:
        watcher.send(b"CVGA\x01\x03" + struct.pack(">Q", 1) + b"\0{\"command\": \"watch\"}")
        assert agentlab.until(lambda: watching(watcher))


def watching(watcher):
    shared.ask("watched.example.org", 443, good)
    watcher.settimeout(0.2)
    try:
        return json.loads(watcher.recv(agentlab.MESSAGE_MAX)[15:])["entry"]["host"] == \
            "watched.example.org"
    except socket.timeout:
        return False


def long_list():
    """a list longer than a message comes in several"""
    for number in range(150):
        agrees(f"list-{number}.example.org")
    replies = shared.command("cache-list")
    assert len(replies) > 1
    listed = [(record["host"], record["port"]) for reply in replies for record in reply["records"]]
    assert len(listed) == len(set(listed))
    assert all((f"list-{number}.example.org", 443) in listed for number in range(150))


def slow_reader():
    """a list longer than a socket's buffer waits for who reads it late"""
    for number in range(600):
        agrees(f"slow-{number}.example.org")
    listed = []
    with shared.connect() as sock:
        sock.settimeout(10)
        sock.send(b"CVGA\x01\x03" + struct.pack(">Q", 1) + b"\0{\"command\": \"cache-list\"}")
        shared.command("status")  # by now the agent has sent what the buffer takes
        more = True
        while more:
            data = sock.recv(agentlab.MESSAGE_MAX)
            more = data[14] != 0
            listed += [(record["host"], record["port"])
                       for record in json.loads(data[15:])["records"]]
    assert len(listed) == len(set(listed))
    assert {(f"slow-{number}.example.org", 443) for number in range(600)} <= set(listed)


def other_user():
    """a user sees and forgets only what that user's programs asked, and may not reload"""
    if os.geteuid() != 0:
        raise agentlab.Skip("only root can ask as another user")
    agrees("private.example.org")
    said = agentlab.as_user(OTHER_UID, lambda: [
        shared.command("why", host="private.example.org")[0]["entries"],
        shared.command("cache-list")[0]["records"],
        shared.command("cache-clear")[0]["forgotten"], shared.command("reload")[0]["ok"]])
    assert said == [[], [], 0, False], said
    assert shared.command("why", host="private.example.org")[0]["entries"]


def main():
    global shared
    for notary in trio:
        notary.see(good)
    # Readable for the other users that take part.
    os.chmod(directory, 0o755)
    shared = Installation("budget_per_minute = 100000\n", trio).start()
    try:
        agentlab.run([wrong_sizes, wrong_octets, big_certificate, bad_commands, commands,
                      long_list, slow_reader, other_user, cold_flood, warm_flood, silent_thousand])
    finally:
        shared.remove()
        shutil.rmtree(directory, ignore_errors=True)


main()
