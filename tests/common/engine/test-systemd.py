#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The agent's units: systemd understands them, finds the sandbox tight, and an agent that got its
socket from a service manager answers a check with two notaries. Nothing of this machine's systemd is
touched: the units are copies, the installation a temporary directory."""
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../notary"))
from notarylab import BUILD, Certificate, Notary, Site, Tap, Unavailable, expect

UNITS = os.path.join(BUILD, "common/engine/systemd")
AGENT = os.path.abspath(os.path.join(BUILD, "converge-agent"))
CONVERGE = os.path.join(BUILD, "tools/converge")
EXPOSURE_MOST = 15  # tenths; an unprotected service has 96
HOST = "site.converge-lab.org"


def analyze(*arguments):
    if shutil.which("systemd-analyze") is None:
        raise Unavailable("systemd-analyze is not installed")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True,
                          timeout=60, check=False,
                          env={**os.environ, "XDG_RUNTIME_DIR": tempfile.gettempdir()})


def unit(name):
    with open(os.path.join(UNITS, name), encoding="ascii") as file:
        return file.read()


def copies(place):
    """The units as installed, but for the program, which is the one just built."""
    for kind in ("system", "user"):
        os.mkdir(os.path.join(place, kind))
        for name in ("converge-agent.service", "converge-agent.socket"):
            text = re.sub(r"^ExecStart=\S+", "ExecStart=" + AGENT, unit(f"{kind}/{name}"),
                          flags=re.MULTILINE)
            with open(os.path.join(place, kind, name), "w", encoding="ascii") as file:
                file.write(text)


def filled_in():
    for name in ("system/converge-agent.service", "system/converge-agent.socket",
                 "user/converge-agent.service", "user/converge-agent.socket",
                 "sysusers/converge-agent.conf", "tmpfiles/converge-agent.conf"):
        expect(re.findall(r"@\w+@", unit(name)), [], name)


def verified(place):
    for kind, option in (("system", "--system"), ("user", "--user")):
        folder = os.path.join(place, kind)
        result = analyze("verify", option, "--man=no",
                         *(os.path.join(folder, name) for name in os.listdir(folder)))
        expect("Failed to initialize manager" in result.stderr, False, result.stderr)
        # What else is wrong with the machine's units is not ours.
        expect([line for line in result.stderr.splitlines() if "converge-agent" in line], [])


def tight(place):
    result = analyze("security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE_MOST}",
                     os.path.join(place, "system/converge-agent.service"))
    expect(result.returncode, 0, result.stdout[-600:] + result.stderr)


def writable():
    """All that tmpfiles makes, and nothing else, can be written to."""
    paths = re.search("^ReadWritePaths=(.*)$", unit("system/converge-agent.service"), re.M)[1]
    made = re.findall(r"^d (\S+)", unit("tmpfiles/converge-agent.conf"), re.M)
    expect(paths.split(), made)


def agent_user():
    """As whom the unit's User= would run it; this user, where only root could choose."""
    if os.geteuid() != 0:
        return None
    for name in ("converge", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise Unavailable("there is neither a user converge nor nobody")


def made_directories(home, user):
    """What tmpfiles.d would make: the agent's own, where it is another user's than the socket."""
    for name in ("run", "cache", "state"):
        path = os.path.join(home, name)
        os.mkdir(path)
        os.chmod(path, 0o755 if user and name == "run" else 0o700)
        if user:
            os.chown(path, user.pw_uid, user.pw_gid)


def asked(command, environment):
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60,
                          check=False)


def in_containers(question, environment):
    """What a container's program gets that sees socket and configuration, and what it must: in a
    mount and pid namespace the answer; in a user namespace too if root is root there; where root is
    nobody, neither file nor socket is believed (4, a local fault)."""
    if shutil.which("unshare") is None:
        return []
    nobody = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
    cases = [(["unshare", "--mount", "--pid", "--fork", "--ipc", "--uts"], 0),
             (["unshare", "--user", "--map-root-user"], 0),
             ([*nobody, "unshare", "--user", "--map-root-user"], 4),
             ([*nobody, "unshare", "--user", "--map-current-user"], 4)]
    return [(asked([*words, *question], environment), wanted) for words, wanted in cases
            if asked([*words, "true"], environment).returncode == 0]


def activated(home):
    """By systemd's own tool, which keeps the socket and starts the agent at the first question."""
    for tool in ("systemd-socket-activate", "setpriv"):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not installed")
    user = agent_user()
    os.chmod(home, 0o755)
    made_directories(home, user)
    os.mkdir(os.path.join(home, "notaries.d"))
    certificate = Certificate(home, HOST)
    site = Site(certificate)
    environment = {**os.environ, "CONVERGE_CONFIG_DIR": home, "CONVERGE_AGENT": "/bin/false"}
    as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
               "--clear-groups"] if user else []
    with Notary("alpha", hosts=f"127.0.0.1 {HOST}\n") as alpha, \
            Notary("beta", hosts=f"127.0.0.1 {HOST}\n") as beta:
        for notary in (alpha, beta):
            shutil.copy(notary.bundle, os.path.join(home, "notaries.d"))
        agent = subprocess.Popen(
            ["systemd-socket-activate", "--seqpacket", "-l", os.path.join(home, "run/agent.sock"),
             "-E", "CONVERGE_CONFIG_DIR", *as_user, AGENT, "--foreground"],
            stderr=subprocess.PIPE, env=environment)
        line = agent.stderr.readline()
        while line and b"Listening on" not in line:
            line = agent.stderr.readline()
        os.chmod(os.path.join(home, "run/agent.sock"), 0o666)  # SocketMode=
        question = [CONVERGE, "check", f"{HOST}:{site.port}", "--file", certificate.crt]
        try:
            answer = asked(question, environment)
            contained = in_containers(question, environment) if user else []
            with open(f"/proc/{agent.pid}/status", encoding="ascii") as file:
                uids = set(re.search(r"^Uid:\s(.*)$", file.read(), re.M)[1].split())
        finally:
            agent.send_signal(signal.SIGTERM)
            _, said = agent.communicate(timeout=30)
            site.stop()
        expect(answer.returncode, 0, answer.stdout + answer.stderr + said.decode())
        for result, wanted in contained:
            expect(result.returncode, wanted, f"{result.args}: {result.stdout}{result.stderr}")
        expect(uids, {str(user.pw_uid if user else os.geteuid())}, "whose process it is")
        expect(agent.returncode, 0, said.decode())


def main():
    tap = Tap()
    place = tempfile.mkdtemp(prefix="converge-systemd-")
    home = tempfile.mkdtemp(prefix="converge-activated-")
    copies(place)
    tap.case("the units are complete", filled_in)
    tap.case("the agent's directories are what it may write to", writable)
    tap.case("systemd takes the units", lambda: verified(place))
    tap.case("the sandbox is tight", lambda: tight(place))
    tap.case("an agent over an activated socket answers a check", lambda: activated(home))
    shutil.rmtree(place)
    shutil.rmtree(home)
    tap.done()


main()
