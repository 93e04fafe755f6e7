# SPDX-License-Identifier: MIT
"""converge watch on a terminal: keys, what they show, and the terminal as it was at any end."""
import contextlib
import os
import signal
import socket
import sys
import termios
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *
from watched import Agent, entry

try:
    import pexpect
except ImportError:
    print("1..0 # SKIP python3-pexpect is not installed")
    sys.exit(0)

def heed_signals():
    """What whoever runs the tests ignores (nohup, a shell's background job) is inherited."""
    for number in signal.SIGHUP, signal.SIGINT:
        signal.signal(number, signal.SIG_DFL)


def spawn(installation, *words):
    child = pexpect.spawn(CONVERGE, ["watch", *words], timeout=20, dimensions=(24, 100),
                          env=installation.environment(TERM="xterm", NO_COLOR="1"),
                          preexec_fn=heed_signals)
    return child


def settings(child):
    return termios.tcgetattr(child.child_fd)


class Watched:
    def __init__(self, installation, *words):
        self.agent = Agent(installation)
        self.child = spawn(installation, *words)
        self.before = None
        self.agent.accept()
        self.child.expect("quit")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)
        self.agent.close()

    def canonical(self):
        return bool(settings(self.child)[3] & termios.ICANON) and \
            bool(settings(self.child)[3] & termios.ECHO)


def shown_and_quit(installation):
    with Watched(installation) as watched:
        assert not watched.canonical()
        watched.agent.say(entry("one.example"))
        watched.child.expect("accept +agree +one.example:443 +curl.7. +vote +alpha yes 11 ms")
        watched.child.send("q")
        watched.child.expect(pexpect.EOF)
        watched.child.wait()
        same((watched.child.exitstatus, watched.child.signalstatus), (OK, None))


def paused_and_gone_on(installation):
    with Watched(installation) as watched:
        watched.child.send(" ")
        watched.child.expect("live, paused")
        watched.agent.say(entry("one.example"), entry("two.example"))
        watched.child.expect("live, paused")
        watched.child.expect("live, paused")
        assert b"one.example" not in watched.child.before
        watched.child.send(" ")
        watched.child.expect("one.example:443")
        watched.child.expect("two.example:443")


def filtered(installation):
    with Watched(installation) as watched:
        watched.agent.say(entry("one.example"), entry("two.example", "refuse", "disagree"))
        watched.child.expect("one.example:443")
        watched.child.expect("two.example:443")
        watched.child.send("/tww\x7fo\r")
        watched.child.expect("-- all, filter two --")
        watched.child.expect("two.example:443")
        assert b"one.example" not in watched.child.before
        watched.agent.say(entry("three.example"), entry("two.example", program="wget"))
        watched.child.expect("two.example:443 +wget")
        assert b"three.example" not in watched.child.before
        watched.child.send("/one\x1b")
        watched.child.expect("filter two")
        watched.child.send("c")
        watched.child.expect("-- all --")
        watched.child.expect("three.example:443")
        watched.child.send("r")
        watched.child.expect("-- refusals only --")
        watched.child.expect("refuse +disagree +two.example:443")
        assert b"three.example" not in watched.child.before


def narrowed(installation):
    with Watched(installation) as watched:
        watched.child.setwinsize(24, 30)
        watched.child.expect("\r\x1b\\[K\x1b\\[7m(.*?)\x1b\\[0m")
        same(len(watched.child.match.group(1)), 29)


def ends_that_give_the_terminal_back(installation):
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        with Watched(installation) as watched:
            watched.child.kill(number)
            wait_for(lambda: not watched.child.isalive())
            same(watched.child.signalstatus, number)
            assert watched.canonical(), number


def state_of(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


def stopped_and_continued(installation):
    with Watched(installation) as watched:
        watched.child.kill(signal.SIGTSTP)
        wait_for(lambda: state_of(watched.child.pid) == "T")
        assert watched.canonical()
        watched.child.kill(signal.SIGCONT)
        watched.child.expect("live")
        wait_for(lambda: not watched.canonical())
        watched.agent.say(entry("one.example"))
        watched.child.expect("one.example:443")


def an_agent_that_ends_is_waited_for(installation):
    with Watched(installation) as watched:
        watched.agent.close()
        watched.child.expect("no agent, waiting")
        watched.agent = Agent(installation)
        watched.agent.accept()
        watched.child.expect("live")
        watched.agent.say(entry("one.example"))
        watched.child.expect("one.example:443")


def keys_do_not_hasten_the_next_attempt(installation):
    """Each attempt may wake an agent that ends at once, and nobody's typing is to do so."""
    with Watched(installation) as watched:
        taken = []

        def end_at_once():
            with contextlib.suppress(OSError):
                while True:
                    taken.append(watched.agent.listener.accept()[0].close())
        woken = threading.Thread(target=end_at_once)
        woken.start()
        watched.agent.peer.close()
        watched.child.expect("no agent, waiting")
        for number in range(100):
            watched.child.send("r")
            watched.child.expect("-- all --" if number % 2 else "-- refusals only --")
        watched.agent.listener.shutdown(socket.SHUT_RDWR)
        woken.join()
        assert len(taken) < 50, f"{len(taken)} attempts within 100 keys"


def names_drive_no_terminal(installation):
    with Watched(installation) as watched:
        watched.agent.say(entry("a\x1b[2J\x07\x9bb", program="\x1b]0;x\x07"))
        watched.child.expect("a\\?\\[2J\\?[^\x1b]*b:443 +\\?\\]0;x\\?")


def plain_lines(installation):
    agent = Agent(installation)
    child = spawn(installation, "--plain", "--refused")
    agent.accept()
    agent.say(entry("one.example"), entry("two.example", "refuse", "disagree"))
    child.expect("two.example:443")
    assert b"one.example" not in child.before and b"\x1b" not in child.before
    agent.close()
    child.expect("the agent ended")
    child.expect(pexpect.EOF)
    child.wait()
    same(child.exitstatus, UNDECIDED)


def followed_without_a_terminal(installation):
    agent = Agent(installation)
    child = subprocess.Popen([CONVERGE, "watch", "--follow", "--program", "curl"],
                             env=installation.environment(), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        agent.accept()
        agent.close()
        agent = Agent(installation)
        agent.accept()
        agent.say(entry("one.example", program="wget"), entry("two.example"))
        contains(child.stdout.readline(), "two.example:443")
    finally:
        child.kill()
        child.communicate()
        agent.close()


main(shown_and_quit, paused_and_gone_on, filtered, narrowed, ends_that_give_the_terminal_back,
     stopped_and_continued, an_agent_that_ends_is_waited_for,
     keys_do_not_hasten_the_next_attempt, names_drive_no_terminal, plain_lines,
     followed_without_a_terminal)
