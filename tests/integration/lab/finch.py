# SPDX-License-Identifier: MIT
"""Runs finch on a terminal until something came of its account, as a program of its own:
`finch.py DIRECTORY`. DIRECTORY is finch's own, with an IRC account in it. Prints the line that told."""
import os
import pty
import re
import select
import signal
import sys
import time

TELLING = re.compile(b"(genuine|attacker)( [a-z]+)?|ERROR -[0-9]+")


def watch(terminal):
    """What finch says of its connection, or "" if that takes too long."""
    said = b""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            said += os.read(terminal, 65536)
            if found := TELLING.search(said):
                return found.group().decode()
    return ""


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execvp("finch", ["finch", "-d", "-c", sys.argv[1]])
    try:
        print(watch(terminal))
    except OSError:
        print("finch has ended", file=sys.stderr)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


main()
