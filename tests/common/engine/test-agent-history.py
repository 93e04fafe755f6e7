# SPDX-License-Identifier: MIT
"""The agent's history: what was decided is told after a restart, in order, to whom it concerns, and
whatever happened to the files meanwhile."""
import json
import os
import shutil
import signal
import struct
import tempfile

import agentlab
from agentlab import Installation, Leaf, Notary

directory = tempfile.mkdtemp(prefix="converge-notaries-")
good, other = Leaf(directory, "good"), Leaf(directory, "other")
trio = [Notary(directory, name) for name in ("alpha", "beta", "gamma")]
QUIET = "budget_per_minute = 100000\nnegative_ttl = 0\n"


class Case:
    """An installation that is gone afterwards."""

    def __init__(self, settings=""):
        self.installation = Installation(QUIET + settings, trio).start()

    def __enter__(self):
        return self.installation

    def __exit__(self, *_):
        self.installation.remove()


def log(installation, **members):
    replies = installation.command("log", **members)
    assert all(reply["ok"] for reply in replies), replies
    return [entry for reply in replies for entry in reply["entries"]]


def hosts(installation, **members):
    return [entry["host"] for entry in log(installation, **members)]


def files(installation):
    folder = os.path.join(installation.config, "state", "history")
    return {name: os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)} \
        if os.path.isdir(folder) else {}


def kill(installation):
    installation.process.send_signal(signal.SIGKILL)
    installation.process.wait(20)
    installation.process = None


def restart():
    """what was decided before a restart is told after it, in order and with everything"""
    with Case() as installation:
        installation.ask("one.example.org", 443, good)
        installation.ask("two.example.org", 8443, other)
        installation.ask("pki.example.org", 443, good, pki=agentlab.PKI_TRUST_ERROR)
        installation.ask("one.example.org", 443, good)
        before = log(installation)
        installation.stop()
        installation.start()
        installation.ask("three.example.org", 443, other)
        entries = log(installation)
        assert [(entry["host"], entry["verdict"]) for entry in entries] == [
            ("one.example.org", "agree"), ("two.example.org", "disagree"),
            ("pki.example.org", "undecided"), ("one.example.org", "agree"), ("three.example.org", "disagree")], entries
        assert entries[:4] == before
        assert [entry["reason"] for entry in entries] == ["vote", "vote", "pki-failed", "cache",
                                                         "vote"]
        first, second = entries[0], entries[1]
        assert first["source"] == "history" and first["pki"] == "ok" and first["uid"] == os.getuid()
        assert first["pid"] == os.getpid() and first["program"] == "test" and first["sha256"]
        assert first["text"].startswith("enough notaries see this certificate there: ")
        assert entries[2]["pki"] == "trust-error" and second["action"] == "refuse"
        assert {vote["answer"] for vote in second["votes"]} == {"no"}, second
        assert all(mode == 0o600 for mode in modes(installation)), modes(installation)


def modes(installation):
    folder = os.path.join(installation.config, "state", "history")
    return [os.stat(os.path.join(folder, name)).st_mode & 0o777 for name in os.listdir(folder)]


def selections():
    """host, port, time and limit select"""
    with Case() as installation:
        for name in ("a", "b", "a", "c"):
            installation.ask(name + ".example.org", 443, good)
        installation.ask("a.example.org", 993, good)
        assert len(log(installation, host="A.example.org.")) == 3
        assert len(log(installation, host="a.example.org", port=993)) == 1
        assert hosts(installation, limit=2) == ["c.example.org", "a.example.org"]
        assert len(log(installation, limit=100)) == 5
        now = log(installation)[-1]["time_s"]
        assert log(installation, until_s=now - 100) == log(installation, since_s=now + 100) == []
        assert len(log(installation, since_s=now - 100, until_s=now + 1)) == 5
        for wrong in ({"limit": -1}, {"since_s": "x"}, {"host": "a/b"}, {"port": 1, "host": 7}):
            assert installation.command("log", **wrong)[0]["error"] == "argument", wrong


def damaged():
    """torn ends and strange octets are passed over, and writing goes on behind them"""
    with Case() as installation:
        installation.ask("before.example.org", 443, good)
        installation.ask("between.example.org", 443, good)
        log(installation)
        kill(installation)
        path = os.path.join(installation.config, "state", "history", "everyday")
        with open(path, "rb") as file:
            whole = file.read()
        with open(path, "ab") as file:
            file.write(b"CVH\x01\x0f\xff" + whole[6:len(whole) // 2 - 20])
        installation.start()
        installation.ask("after.example.org", 443, good)
        assert hosts(installation) == ["before.example.org", "between.example.org",
                                       "after.example.org"], hosts(installation)
        with open(path, "r+b") as file:
            file.seek(20)
            file.write(b"\xff")
        assert hosts(installation) == ["between.example.org", "after.example.org"]
        os.truncate(path, os.path.getsize(path) - 3)
        assert hosts(installation) == ["between.example.org"]
        kill(installation)
        os.truncate(path, 0)
        installation.start()
        assert hosts(installation) == []


def within_a_second():
    """an entry is on the disk soon, without anybody asking for it"""
    with Case() as installation:
        installation.ask("soon.example.org", 443, good)
        assert agentlab.until(lambda: files(installation).get("everyday", 0) > 0)
        kill(installation)
        installation.start()
        assert hosts(installation) == ["soon.example.org"]


def bounded():
    """everyday agreements displace each other, never a refusal, and never take more than allowed"""
    with Case("history = 1M\n") as installation:
        installation.ask("refused.example.org", 443, other)
        for number in range(6000):
            installation.ask(f"{number % 40}.example.org", 443, good)
        entries = log(installation)
        assert entries[0]["host"] == "refused.example.org"
        assert entries[-1]["host"] == "39.example.org"
        assert 1000 < len(entries) < 6000, len(entries)
        assert set(files(installation)) == {"everyday", "everyday.old", "refused"}
        assert sum(files(installation).values()) <= 1 << 20, files(installation)
        numbers = [int(entry["host"].split(".")[0]) for entry in entries[1:]]
        assert all((first + 1) % 40 == second for first, second in zip(numbers, numbers[1:]))


def slow_reader():
    """a log longer than a socket's buffer waits for who reads it late, and holds up nobody"""
    with Case() as installation:
        for number in range(3000):
            installation.ask(f"{number % 10}.example.org", 443, good)
        with installation.connect() as sock:
            sock.send(b"CVGA\x01\x03" + struct.pack(">Q", 1) + b"\0{\"command\": \"log\"}")
            for _ in range(50):
                installation.ask("0.example.org", 443, good)
            count, more = 0, True
            while more:
                data = sock.recv(agentlab.MESSAGE_MAX)
                more = data[14] != 0
                count += len(json.loads(data[15:])["entries"])
            assert count >= 3000, count


def too_many():
    """who reads nothing of two logs gets no third, and others do"""
    with Case() as installation:
        for number in range(3000):
            installation.ask(f"{number % 10}.example.org", 443, good)
        held = [installation.connect() for _ in range(2)]
        for sock in held:
            sock.send(b"CVGA\x01\x03" + struct.pack(">Q", 1) + b"\0{\"command\": \"log\"}")
        assert agentlab.until(lambda: installation.command("log")[0].get("error") == "busy")
        for sock in held:
            sock.close()
        assert agentlab.until(lambda: "error" not in installation.command("log", limit=1)[0])


def none():
    """history = 0 keeps nothing, and removes what was kept"""
    with Case() as installation:
        installation.ask("one.example.org", 443, good)
        assert len(log(installation)) == 1 and files(installation)
        installation.write_config(QUIET + "history = 0")
        assert agentlab.until(lambda: not files(installation))
        installation.ask("one.example.org", 443, good)
        assert installation.command("log")[0]["error"] == "config"
        installation.stop()
        assert not files(installation)


def other_user():
    """a user sees only what that user's programs asked"""
    if os.geteuid() != 0:
        raise agentlab.Skip("only root can ask as another user")
    with Case() as installation:
        installation.ask("private.example.org", 443, good)
        said = agentlab.as_user(54321, lambda: [
            installation.ask("own.example.org", 443, good).verdict, hosts(installation)])
        assert said == [agentlab.AGREE, ["own.example.org"]], said
        assert hosts(installation) == ["private.example.org", "own.example.org"]


def main():
    os.chmod(directory, 0o755)
    for notary in trio:
        notary.see(good)
    try:
        agentlab.run([restart, selections, damaged, within_a_second, bounded, slow_reader,
                      too_many, none, other_user])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


main()
