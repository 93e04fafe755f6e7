# SPDX-License-Identifier: MIT
"""Puts this process where it can build an internet of its own and leave nothing behind.

Its own mount, process and network namespaces: nothing leaves the machine, every process and mount
ends with the lab even after kill -9, and neither name nor port can clash with anything outside.
Root does it directly, an ordinary user through a user namespace."""
import ctypes
import os
import signal
import subprocess
import sys

from . import tap

INSIDE = "CONVERGE_LAB_INSIDE"
SCRATCH = "/mnt"  # a tmpfs of the lab's own; exists on every system that follows the FHS


class Unavailable(Exception):
    """This machine does not allow what the lab needs; the message says what."""


def _unshare_command():
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        command += ["--user", "--map-root-user"]
    return command


def check_available():
    """Raises Unavailable if namespaces cannot be made here."""
    probe = "mount -t tmpfs lab %s && ip link add lab0 type veth peer name lab1" % SCRATCH
    try:
        result = subprocess.run(_unshare_command() + ["sh", "-c", probe], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True)
    except OSError as error:
        raise Unavailable("%s: scripts/deps installs it" % error)
    if result.returncode != 0:
        raise Unavailable("no namespaces here: %s" % " ".join(result.stderr.split()))


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def enter():
    """Starts this program anew inside the namespaces; returns only there. Outside, it waits for the
    program's end, and ends it when it is told to end itself."""
    if os.environ.get(INSIDE):
        _prepare()
        return
    check_available()
    environment = dict(os.environ)
    environment[INSIDE] = "%d:%d" % (os.geteuid(), os.getegid())
    environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    sys.stdout.flush()
    child = subprocess.Popen(_unshare_command() + ["/usr/bin/python3", "-B"] + sys.argv,
                             env=environment, preexec_fn=_die_with_parent)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        # unshare itself ignores them; with it the first process inside goes, and all the others.
        signal.signal(number, lambda *_: child.kill())
    status = child.wait()
    sys.exit(status if status >= 0 else 128 - status)


def enter_or_skip():
    """For tests: as enter(), or the test says why it cannot run here, and ends."""
    try:
        enter()
    except Unavailable as reason:
        tap.skip_all(str(reason))


def identity():
    """(uid, gid) of the person who started the lab: (0, 0) for root."""
    uid, gid = os.environ[INSIDE].split(":")
    return int(uid), int(gid)


def _prepare():
    _die_with_parent()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "lab", SCRATCH], check=True)


def person():
    """Command prefix that makes a program run as the person outside, with that person's rights.

    In a user namespace the lab itself is root of its own little world; the programs under test
    are not: they see their ordinary uid, so that Converge takes them for what they are."""
    uid, gid = identity()
    if uid == 0:
        return []
    return ["unshare", "--user", "--map-user=%d" % uid, "--map-group=%d" % gid, "--"]


def bind(source, target):
    """Shows source in target's place, in the lab only."""
    subprocess.run(["mount", "--bind", source, target], check=True)


def close(path):
    """In the lab, nobody finds or leaves anything in this directory, if it is there at all."""
    if os.path.isdir(path):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "lab", path], check=True)


def cover(path):
    """Lets the lab change what is below a directory; the machine's own files stay as they are."""
    layers = os.path.join(SCRATCH, "layers", path.replace("/", "_"))
    upper, work = os.path.join(layers, "upper"), os.path.join(layers, "work")
    os.makedirs(upper)
    os.makedirs(work)
    subprocess.run(["mount", "-t", "overlay", "-o", "lowerdir=%s,upperdir=%s,workdir=%s"
                    % (path, upper, work), "lab", path], check=True)
