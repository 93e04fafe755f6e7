# SPDX-License-Identifier: MIT
"""converge-agent as a process: one at a time however many start it, what it keeps of its starter,
kill -9, being stopped, idle exit, changed files, socket activation."""
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import agentlab
from agentlab import ACCEPT, AGREE, Installation, Leaf, Notary

directory = tempfile.mkdtemp(prefix="converge-notaries-")
good = Leaf(directory, "good")
trio = [Notary(directory, name) for name in ("alpha", "beta", "gamma")]
ASK = os.path.join(agentlab.BUILD, "tests/common/engine/ask-agent")


def agrees(installation, host="site.example.org"):
    answer = installation.ask(host, 443, good)
    assert (answer.verdict, answer.action) == (AGREE, ACCEPT), answer.__dict__
    return answer


def installed(settings="", start=True):
    """For `with`: an installation that is removed whatever happens."""
    class Scope:
        def __enter__(self):
            for notary in trio:
                notary.see(good)
                notary.requests = 0
            self.installation = Installation(settings, trio)
            try:
                return self.installation.start() if start else self.installation
            except BaseException:
                self.installation.remove()
                raise

        def __exit__(self, *_):
            self.installation.remove()
    return Scope()


def fifty_starters():
    """fifty starters at once end with one agent, and each is told that it is ready"""
    with installed(start=False) as installation:
        starters = []
        for _ in range(50):
            ready, end = os.pipe()
            starters.append((subprocess.Popen(
                [agentlab.AGENT, "--foreground", "--ready-fd", str(end)], pass_fds=[end],
                env=installation.environment()), os.fdopen(ready, "rb")))
            os.close(end)
        assert all(ready.read() == b"ready\n" for _, ready in starters)
        pid = installation.command("status")[0]["pid"]
        for process, ready in starters:
            ready.close()
            if process.pid == pid:
                installation.process = process
            else:
                assert process.wait(20) == 0
        assert installation.process is not None and installation.process.poll() is None
        agrees(installation)


def keeps_nothing():
    """no descriptors, directory, environment or rights of its starter"""
    with installed(start=False) as installation:
        leak, leak_end = os.pipe()
        os.set_inheritable(leak_end, True)
        secret = dict(installation.environment(), OPENSSL_CONF="/nonexistent", https_proxy="x:1",
                      SSLKEYLOGFILE=os.path.join(installation.directory, "keys"), SECRET="1")
        installation.environment = lambda: secret
        installation.start(cwd=installation.directory)
        agrees(installation)
        os.close(leak_end)
        assert os.read(leak, 1) == b"", "a descriptor was inherited"
        proc = f"/proc/{installation.process.pid}"
        with open(proc + "/status", encoding="ascii") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        if os.geteuid() == 0:
            assert status["Uid"].split()[0] != "0" and status["Groups"].strip() == "", status
            assert os.readlink(proc + "/cwd") == "/"
        assert status["NoNewPrivs"] == "1" and int(status["CapEff"], 16) == 0
        assert status["Umask"].strip() == "0077"
        with open(proc + "/limits", encoding="ascii") as file:
            assert [line.split()[4] for line in file if line.startswith("Max core")] == ["0"]
        assert not os.path.exists(secret["SSLKEYLOGFILE"])
        mode = os.stat(os.path.join(installation.config, "cache")).st_mode & 0o777
        assert mode == 0o700, oct(mode)


def background():
    """without --foreground the starter returns when the agent listens, in a session of its own"""
    with installed(start=False) as installation:
        done = subprocess.run([agentlab.AGENT], env=installation.environment(), timeout=20,
                              stdin=subprocess.DEVNULL, check=True)
        assert done.returncode == 0
        agrees(installation)
        pid = installation.command("status")[0]["pid"]
        assert os.getsid(pid) != os.getsid(0)
        os.kill(pid, signal.SIGTERM)
        assert agentlab.until(lambda: agentlab.gone(pid))
        assert not os.path.exists(installation.socket)


def hung_up(sock):
    try:
        return sock.recv(100) == b""
    except ConnectionResetError:
        return True


def killed():
    """kill -9, also in the middle of a check: the next start works and remembers"""
    with installed() as installation:
        agrees(installation)
        installation.stop()
        installation.start()
        for _ in range(3):
            for notary in trio:
                notary.see(good, mode="hang")
            with installation.connect() as sock:
                sock.send(agentlab.question("hanging.example.org", [443], good)[1])
                installation.process.kill()
                installation.process.wait()
                assert hung_up(sock)
            for notary in trio:
                notary.see(good)
            installation.start()
            assert agrees(installation).reason == "cache"


def stopped():
    """a stopped agent costs an asker the deadline and no more, and is refused"""
    with installed("deadline = 500ms") as installation:
        installation.process.send_signal(signal.SIGSTOP)
        out = subprocess.run([ASK, "stopped.example.org"], env=installation.environment(),
                             stdout=subprocess.PIPE, check=True).stdout.split()
        assert out[0] == b"refuse" and 400 <= int(out[2]) < 900, out
        installation.process.send_signal(signal.SIGCONT)
        agrees(installation)


def terminated():
    """SIGTERM: watchers and silent askers do not hold it up, who waits for an answer gets it"""
    with installed() as installation:
        with installation.connect() as watcher, installation.connect(), \
                installation.connect() as asker:
            watcher.send(b"CVGA\x01\x03" + bytes(8) + b"\0{\"command\": \"watch\"}")
            for notary in trio:
                notary.see(good, delay=0.5)
            request_id, data = agentlab.question("late.example.org", [443], good)
            asker.send(data)
            assert agentlab.until(lambda: any(notary.requests for notary in trio))
            before = time.monotonic()
            installation.process.terminate()
            # Whoever is started meanwhile takes over; before the signal is seen there is an agent.
            assert agentlab.until(lambda: not os.path.exists(installation.socket))
            ending = installation.process
            installation.start()
            answer = agentlab.Answer(asker.recv(agentlab.MESSAGE_MAX), request_id)
            assert answer.verdict == AGREE, answer.__dict__
            assert ending.wait(10) == 0 and time.monotonic() - before < 4
        agrees(installation)


def idle():
    """idle exit: the socket's name goes, the next starter works"""
    with installed("idle_exit = 1s") as installation:
        agrees(installation)
        assert installation.process.wait(10) == 0
        assert not os.path.exists(installation.socket)
        installation.start()
        assert agrees(installation).reason == "cache"


def reloads():
    """changed files, SIGHUP and the command are taken; a wrong configuration changes nothing"""
    with installed() as installation:
        def mode():
            return installation.command("status")[0]["mode"]
        agrees(installation)
        opened = [notary.connections for notary in trio]
        installation.write_config("mode = monitor")
        assert agentlab.until(lambda: mode() == "monitor")
        assert [notary.connections for notary in trio] == opened, "connections were not kept"
        installation.write_config("mode = nonsense")
        assert agentlab.until(lambda: installation.command("status")[0]["config_error"])
        assert mode() == "monitor"
        assert installation.command("reload")[0]["error"] == "config"
        installation.write_config("mode = augment")
        assert agentlab.until(lambda: mode() == "augment")
        os.unlink(os.path.join(installation.config, "notaries.d", "gamma.notary"))
        assert agentlab.until(
            lambda: len(installation.command("status")[0]["notaries"]) == 2)
        agrees(installation)
        os.rename(installation.log, installation.log + ".1")
        if os.geteuid() != 0:
            installation.process.send_signal(signal.SIGHUP)
            assert agentlab.until(lambda: os.path.exists(installation.log))


def removed_notary():
    """what a removed notary confirmed is asked again"""
    with installed() as installation:
        voters = [vote[0] for vote in agrees(installation).votes]
        os.unlink(os.path.join(installation.config, "notaries.d", voters[0] + ".notary"))
        assert agentlab.until(
            lambda: len(installation.command("status")[0]["notaries"]) == 2)
        assert agrees(installation).reason == "vote"


def bad_start():
    """a wrong configuration: no agent, a sentence that names the file, exit status 1"""
    with installed(start=False) as installation:
        installation.write_config("colour = blue")
        for options in (["--foreground"], []):
            done = subprocess.run([agentlab.AGENT, *options], env=installation.environment(),
                                  stderr=subprocess.PIPE, timeout=20, check=False)
            assert done.returncode == 1 and b"converge.conf:2:" in done.stderr, done
        assert subprocess.run([agentlab.AGENT, "--nonsense"], stderr=subprocess.DEVNULL,
                              check=False).returncode == 2


def documented():
    """doc/agent.md knows every option of --help"""
    said = subprocess.run([agentlab.AGENT, "--help"], stdout=subprocess.PIPE, check=True).stdout
    with open(os.path.join(os.environ.get("top_srcdir", "."), "doc/agent.md"),
              encoding="utf-8") as file:
        text = file.read()
    options = [word for word in said.decode().split() if word.startswith("--")]
    assert len(options) >= 4 and all(f"`{option}" in text for option in options), options


def damaged_cache():
    """a damaged cache file is moved aside, and told"""
    with installed() as installation:
        agrees(installation)
        installation.stop()
        cache = os.path.join(installation.config, "cache", "cache.gdbm")
        with open(cache, "r+b") as file:
            file.write(b"nonsense" * 100)
        installation.start()
        assert agrees(installation).reason == "vote"
        assert any(name != "cache.gdbm" for name in os.listdir(os.path.dirname(cache)))
        assert installation.lines("warning: ") + installation.lines("error: ")


def full_disk():
    """a disk that takes no more is told, once; the agent goes on in memory"""
    with installed(start=False) as installation:
        room = (16384, resource.RLIM_INFINITY)
        installation.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, room))
        assert agrees(installation).reason == "vote"
        assert agentlab.until(lambda: installation.lines("going on without writing"))
        assert agrees(installation).reason == "cache"
        agrees(installation, "another.example.org")
        installation.stop()
        assert len(installation.lines("going on without writing")) == 1
        agrees(installation.start())


def updates():
    """bundles: a signed one with a higher serial is taken and kept; others are not"""
    with installed(start=False) as installation:
        for notary in trio:
            installation.add(notary, serial=5)
        trio[0].update = trio[0].bundle(serial=6)
        trio[1].update = trio[1].bundle(serial=4)
        trio[2].update = trio[2].bundle(serial=7, signer=trio[0])
        for notary in trio:
            notary.visits = 0
        installation.start()
        # One visit is the connection made ahead, the other one is for the update.
        assert agentlab.until(lambda: all(notary.visits >= 2 for notary in trio), 30)
        assert agentlab.until(lambda: installation.lines("alpha: bundle updated to serial 6"))
        assert agentlab.until(lambda: installation.lines("configuration read: 3 notaries"))
        assert agentlab.until(lambda: installation.lines("update of notary gamma not taken"))
        assert len(installation.lines("bundle updated")) == 1
        agrees(installation)
        installation.stop()
        kept = [name for name in os.listdir(os.path.join(installation.config, "state", "bundles"))
                if name.endswith(".notary")]
        assert len(kept) == 1, kept
        for notary in trio:
            notary.update = None
        agrees(installation.start(), "after-the-update.example.org")


def looked_now(installation, **which):
    """Past the round that an agent makes soon after its start."""
    replies = []

    def answered():
        replies.append(installation.command("notary-update", **which)[0])
        return replies[-1].get("error") != "busy"
    assert agentlab.until(answered, 30)
    return replies[-1]


def updates_when_told():
    """notary-update looks at once, also where updates are off, and tells what came of each"""
    with installed("bundle_update = no\n", start=False) as installation:
        for notary in trio:
            installation.add(notary, serial=5)
            notary.update = None
        installation.start()
        first = installation.command("status")[0]["notaries"]
        assert [(n["serial"], n["updates"], n["looked_s"], n["changed_s"]) for n in first] == \
            [(5, False, 0, 0)] * 3, first
        trio[0].update = trio[0].bundle(serial=6)
        trio[1].update = trio[1].bundle(serial=5)
        trio[2].update = trio[2].bundle(serial=7, signer=trio[0])
        told = looked_now(installation)["notaries"]
        assert [(n["name"], n["result"], n["serial"]) for n in told] == [
            ("alpha", "updated", 6), ("beta", "unchanged", 5), ("gamma", "not-taken", 5)], told
        assert told[2]["message"] and not told[0]["message"], told
        after = installation.command("status")[0]["notaries"]
        assert [(n["serial"], n["looked_s"] > 0, n["changed_s"] > 0) for n in after] == [
            (6, True, True), (5, True, False), (5, True, False)], after
        trio[0].update = trio[0].bundle(serial=5)
        told = looked_now(installation, name="alpha")["notaries"]
        assert [(n["name"], n["result"], n["serial"]) for n in told] == [("alpha", "older", 6)], told
        assert "serial 5 is not above 6" in told[0]["message"], told
        trio[0].update = trio[0].bundle(serial=6)
        for notary in trio:
            notary.update = None
        told = looked_now(installation, name="beta")["notaries"]
        assert [(n["name"], n["result"]) for n in told] == [("beta", "failed")], told
        assert installation.command("notary-update", name="nobody")[0]["error"] == "not-found"
        # One that hangs up while it waits harms nothing.
        with installation.connect() as sock:
            sock.send(b"CVGA\x01\x03" + struct.pack(">Q", 7) + b'\0{"command": "notary-update"}')
        assert looked_now(installation, name="alpha")["ok"]
        installation.stop()
        again = installation.start().command("status")[0]["notaries"]
        assert [(n["serial"], n["looked_s"] > 0) for n in again] == [
            (6, True), (5, True), (5, True)], again


ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], [sys.argv[2], "--foreground"])
"""


def activated():
    """socket activation: serves what waits at the socket, ends when idle, leaves the socket"""
    with installed("idle_exit = 1s", start=False) as installation:
        os.mkdir(os.path.dirname(installation.socket), 0o755)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(installation.socket)
        listener.listen(16)
        for reason in ("vote", "cache"):
            process = subprocess.Popen(
                [sys.executable, "-c", ACTIVATE, str(listener.fileno()), agentlab.AGENT],
                pass_fds=[listener.fileno()], env=installation.environment())
            assert agrees(installation).reason == reason
            assert process.wait(15) == 0
            assert os.path.exists(installation.socket)
        listener.close()


def hides_from_openssl_conf():
    """the agent never loads a provider, whatever the machine's openssl.cnf says"""
    if os.geteuid() != 0:
        raise agentlab.Skip("only root may look inside the agent")
    with installed() as installation:
        agrees(installation)
        with open(f"/proc/{installation.process.pid}/maps", encoding="ascii") as file:
            maps = file.read()
        assert "libssl" in maps and "ossl-modules" not in maps and "converge.so" not in maps


def main():
    try:
        agentlab.run([fifty_starters, keeps_nothing, background, killed, stopped, terminated,
                      idle, reloads, removed_notary, updates, updates_when_told, documented, bad_start,
                      damaged_cache, full_disk, activated,
                      hides_from_openssl_conf])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


main()
