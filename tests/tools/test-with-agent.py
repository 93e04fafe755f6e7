# SPDX-License-Identifier: MIT
"""The command line with the real agent and three real notaries on the loopback: both ends of
doc/commands.md, and a whole day of a user's."""
import json
import os
import select
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

HOST = "site.converge-lab.org"


def free_ports(count):
    """Ports that are free now; all are held until all are known."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Notary:
    def __init__(self, directory, name):
        self.directory = os.path.join(directory, name)
        ports = [str(port) for port in free_ports(2)]
        subprocess.run([NOTARYD, "--init", self.directory, "--name", name, "--host", "127.0.0.1",
                        "--ssl-port", ports[0], "--bounce-port", ports[1], "--relay-port", "0"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(os.path.join(self.directory, "notary.conf"), "a", encoding="ascii") as file:
            file.write("listen = 127.0.0.1\nallow_targets = 127.0.0.0/8\nhosts = hosts\n")
        with open(os.path.join(self.directory, "hosts"), "w", encoding="ascii") as file:
            file.write("127.0.0.1 %s\n" % HOST)
        self.bundle = os.path.join(self.directory, name + ".notary")
        self.start()

    def start(self):
        reader, writer = os.pipe()
        self.process = subprocess.Popen(
            [NOTARYD, "--config", os.path.join(self.directory, "notary.conf"), "--ready-fd",
             str(writer)], pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader, "rb") as ready:
            same(ready.read(6), b"ready\n")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Day:
    """Three notaries, a site, and an installation whose agent is the real one."""

    def __init__(self, installation):
        self.installation = installation
        self.notaries = []
        self.site = Site(installation.directory, HOST)
        self.target = "%s:%d" % (HOST, self.site.port)

    def __enter__(self):
        for name in ("alpha", "beta", "gamma"):
            self.notaries.append(Notary(self.installation.directory, name))
            self.run("notary", "add", self.notaries[-1].bundle, "--yes")
        return self

    def __exit__(self, *_):
        told = self.installation.run("status", "--json", CONVERGE_AGENT=AGENT)
        for notary in self.notaries:
            notary.stop()
        if told.returncode != UNDECIDED or "pid" in told.stdout:
            os.kill(json.loads(told.stdout)["pid"], signal.SIGTERM)
            wait_for(lambda: self.installation.run("status").returncode == UNDECIDED)

    def run(self, *arguments, code=OK, **extra):
        result = self.installation.run(*arguments, CONVERGE_AGENT=AGENT, **extra)
        same(result.returncode, code, "%r\n%s%s" % (arguments, result.stdout, result.stderr))
        return result

    def json(self, *arguments, code=OK, **extra):
        return json.loads(self.run(*arguments, "--json", code=code, **extra).stdout)


def keys(told, wanted):
    missing = [key for key in wanted.split() if key not in told]
    assert not missing, "%s missing in %s" % (missing, told)


def a_whole_day(installation):
    with Day(installation) as day:
        told = day.json("notary", "test", "--target", day.target)
        same([n["answered"] for n in told["notaries"]], [True] * 3, str(told))
        keys(told["notaries"][0], "name host protocol elapsed_ms error message")
        same(len(day.json("notary", "test", "beta")["notaries"]), 1)
        # The notaries are on this machine, so their clock is the agent's.
        for notary in told["notaries"]:
            assert abs(notary["clock_offset_s"]) <= 5, told
            keys(notary["timing"], "kept name_us connect_us tls_us answer_us")
            assert notary["timing"]["answer_us"] > 0, told
        told = day.json("notary", "test", "--fresh", "--count", "2")
        for notary in told["notaries"]:
            same((notary["tries"], notary["answers"], notary["timing"]["kept"]), (2, 2, False))
            assert notary["timing"]["connect_us"] > 0 and notary["timing"]["tls_us"] > 0, told
            assert notary["min_ms"] <= notary["median_ms"] <= notary["max_ms"], told
        day.run("notary", "test", "nobody", code=REFUSED)

        told = day.json("check", day.target, "--file", day.site.certificate)
        same((told["verdict"], told["reason"]), ("agree", "vote"))
        told = day.json("check", day.target, "--file", day.site.certificate)
        same((told["verdict"], told["reason"]), ("agree", "cache"))
        told = day.json("check", day.target, "--fingerprint", "00" * 32, code=REFUSED)
        same(told["verdict"], "disagree")
        assert all(vote["answer"] in ("no", "silent") for vote in told["votes"]), told

        entries = day.json("why", HOST, code=REFUSED)["entries"]
        same(entries[0]["verdict"], "disagree")
        same(entries[-1]["source"], "cache")
        keys(entries[0], "source time_s host port sha256 verdict action reason text program pid "
                         "uid elapsed_ms votes")
        keys(entries[0]["votes"][0], "notary answer elapsed_ms bounced error")
        same(day.json("why", HOST + ":1", code=REFUSED)["entries"], [])

        records = day.json("cache", "list")["records"]
        same([(r["host"], r["port"]) for r in records], [(HOST, day.site.port)])
        keys(records[0], "sha256 sha1 spki_sha256 verified_s expires_s voters")

        told = day.json("status")
        keys(told, "ok version pid uptime_s kind config_dir mode on_unreachable match threshold "
                   "quorum min_votes deadline_ms bounce config_error notaries cache checks")
        keys(told["checks"], "agree disagree undecided exempt cached")
        same((told["checks"]["disagree"], told["checks"]["cached"]), (1, 1))
        keys(told["notaries"][0], "name region protocol hosts state last_ms last_error")
        keys(told["cache"], "records octets writing")
        same(told["cache"]["records"], 1)
        contains(day.run("doctor", code=REFUSED).stdout, "3 of 3 answer")

        same(day.json("cache", "forget", day.target)["forgotten"], 1)
        day.run("cache", "forget", day.target, code=REFUSED)
        same(day.json("cache", "clear")["forgotten"], 0)


def a_removed_notarys_verdicts_go_with_it(installation):
    with Day(installation) as day:
        day.run("check", day.target, "--file", day.site.certificate)
        voter = day.json("cache", "list")["records"][0]["voters"][0]
        day.run("notary", "remove", voter)
        same(day.json("cache", "list")["records"], [])
        same(len(day.json("status")["notaries"]), 2)


def notaries_that_are_gone(installation):
    with Day(installation) as day:
        for notary in day.notaries[1:]:
            notary.stop()
        told = day.json("notary", "test", code=UNDECIDED)
        same(sorted(n["answered"] for n in told["notaries"]), [False, False, True])
        day.run("check", day.target, "--file", day.site.certificate, code=UNDECIDED)
        path = installation.path("openssl.cnf")
        installation.write("openssl.cnf", "# empty\n")
        contains(day.run("enable", "openssl", "--file", path, code=UNDECIDED).stderr, "1 of 3")
        for notary in day.notaries[1:]:
            notary.start()


def a_notary_of_version_1(installation):
    with Day(installation) as day:
        day.run("notary", "remove", "alpha")
        day.run("notary", "add", day.notaries[0].bundle.replace(".notary", ".v1.notary"), "--yes")
        told = day.json("notary", "test", "alpha")["notaries"]
        same([(n["protocol"], n["answered"]) for n in told], [(1, True)], str(told))
        told = day.json("check", day.target, "--file", day.site.certificate)
        same(told["verdict"], "agree")


def watched_as_it_happens(installation):
    with Day(installation) as day:
        day.run("check", day.target, "--file", day.site.certificate)
        watcher = subprocess.Popen([CONVERGE, "watch", "--json"], stdout=subprocess.PIPE, text=True,
                                   env=installation.environment(CONVERGE_AGENT=AGENT))
        try:
            # The watcher is there once it has seen one of many.
            def seen():
                day.run("check", day.target, "--file", day.site.certificate)
                return select.select([watcher.stdout], [], [], 0.05)[0]
            wait_for(seen)
            entry = json.loads(watcher.stdout.readline())
            same((entry["host"], entry["verdict"], entry["program"]), (HOST, "agree", "converge"))
        finally:
            watcher.kill()
            watcher.communicate()


def what_was_is_shown_and_reported(installation):
    with Day(installation) as day:
        installation.write("converge.conf", "mode = monitor\n")
        day.run("check", day.target, "--file", day.site.certificate)
        same(day.json("report")["safe"], True)
        # In monitor mode a program is let through; what would have been is told by the report.
        day.run("check", day.target, "--fingerprint", "00" * 32, code=REFUSED)
        told = day.json("report", code=REFUSED)
        same([(h["host"], h["refused"], h["checks"], h["programs"]) for h in told["hosts"]],
             [(HOST, 1, 2, ["converge"])])
        same(len(day.run("log").stdout.splitlines()), 2)
        contains(day.run("log", "--refused", "--since", "1h").stdout, "would refuse", day.target)
        day.run("log", "--until", "1h", code=REFUSED)


def an_unmodified_curl(installation):
    if sanitized():
        raise Skip("a sanitized module does not load in unmodified programs")
    # Both certificates' anchors are nobody's; as a private PKI they would be exempt.
    installation.write("converge.conf", "exempt_private_pki = no\n")
    with Day(installation) as day:
        command = ["run", "curl", "-sSf", "--cacert", day.site.certificate, "--resolve",
                   day.target + ":127.0.0.1", day.site.url]
        same(day.run(*command).stdout, "hello\n")
        entry = day.json("why", HOST)["entries"][0]
        same((entry["verdict"], entry["action"], entry["program"]), ("agree", "accept", "curl"))
        # Another certificate, as good in PKI's eyes: somebody on this client's way has it.
        os.mkdir(installation.path("attacker"))
        attacker = Site(installation.path("attacker"), HOST, ("127.0.0.2", day.site.port))
        result = installation.run(
            "run", "curl", "-sSf", "--cacert", attacker.certificate, "--resolve",
            day.target + ":127.0.0.2", day.site.url, CONVERGE_AGENT=AGENT)
        assert result.returncode != 0, result.stdout
        entry = day.json("why", HOST, code=REFUSED)["entries"][0]
        same((entry["verdict"], entry["action"], entry["program"]), ("disagree", "refuse", "curl"))


def agents_of(installation):
    """The processes that serve this installation. Only root can see them: they are not dumpable."""
    wanted = b"CONVERGE_CONFIG_DIR=" + installation.directory.encode()
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as file:
                name = file.read().split(b"\0")[0]
            with open("/proc/%s/environ" % pid, "rb") as file:
                if name == b"converge-agent" and wanted in file.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            pass  # it ended meanwhile
    return found


def end_agent(installation, how=signal.SIGTERM):
    """Ends the agent that answers now, and returns its pid."""
    pid = installation.json("status", "--json", code=UNDECIDED)["pid"]  # without a notary
    os.kill(pid, how)
    wait_for(lambda: "no agent" in installation.run("status").stderr)
    return pid


def fifty_starters_end_with_one_agent(installation):
    starters = [subprocess.Popen([CONVERGE, "run", "true"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True,
                                 env=installation.environment(CONVERGE_AGENT=AGENT))
                for _ in range(50)]
    ended = [(starter.communicate(timeout=60)[1], starter.returncode) for starter in starters]
    try:
        same(ended, [("", OK)] * 50)
        if os.geteuid() == 0:
            wait_for(lambda: len(agents_of(installation)) == 1)
    finally:
        end_agent(installation)
    wait_for(lambda: not agents_of(installation))


def an_agent_without_notaries(installation):
    """None is too few, not a fault: a script sees the same exit code as with silent ones."""
    installation.write("converge.conf", "mode = monitor\n")
    same(installation.run("run", "true", CONVERGE_AGENT=AGENT).returncode, OK)
    try:
        told = installation.run("notary", "test", "--json")
        same((told.returncode, json.loads(told.stdout)["notaries"]), (UNDECIDED, []))
        contains(installation.run("notary", "test").stdout, "There is no notary", "notary add")
        told = installation.run("mode", "augment")
        same(told.returncode, UNDECIDED, told.stderr)
        contains(told.stderr, "0 of 0")
        contains(installation.run("doctor", "--section", "notaries").stdout, "BAD", "notary add")
    finally:
        end_agent(installation)


def an_agent_that_was_killed(installation):
    """kill -9 leaves its socket and its lock's file; the next command starts another."""
    pids = []
    for how in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM):
        same(installation.run("run", "true", CONVERGE_AGENT=AGENT).returncode, OK)
        pids.append(end_agent(installation, how))
    same(len(set(pids)), 3)


main(fifty_starters_end_with_one_agent, an_agent_that_was_killed, an_agent_without_notaries,
     a_whole_day, a_removed_notarys_verdicts_go_with_it, notaries_that_are_gone, a_notary_of_version_1,
     watched_as_it_happens, what_was_is_shown_and_reported, an_unmodified_curl)
