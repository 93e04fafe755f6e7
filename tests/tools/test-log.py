# SPDX-License-Identifier: MIT
"""converge log and converge report, over what an agent remembers."""
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

NOW = 1700000000  # 2023-11-14 22:13:20 UTC


def entry(number, host="site.example", verdict="agree", action="accept", reason="vote", **more):
    votes = [{"notary": "alpha", "answer": "no" if verdict == "disagree" else "yes",
              "elapsed_ms": 11, "bounced": False, "error": ""},
             {"notary": "beta", "answer": "silent", "elapsed_ms": 2000, "bounced": True,
              "error": "timeout"}]
    told = {"source": "history", "time_s": NOW + number, "host": host, "port": 443,
            "sha256": "AA:BB", "verdict": verdict, "action": action, "reason": reason,
            "pki": "ok", "text": "a sentence", "program": "curl", "pid": 7, "uid": 0,
            "elapsed_ms": 12, "votes": votes}
    told.update(more)
    return told


def remembers(installation, *entries, size=3):
    """In as many replies as it takes."""
    parts = [entries[i:i + size] for i in range(0, len(entries), size)] or [[]]
    installation.reply("log", *({"ok": True, "entries": list(part)} for part in parts))


def a_mixed_day(installation):
    remembers(installation, entry(0), entry(1, "bad.example", "disagree"),
              entry(2, "gone.example", "undecided", reason="unreachable", program="wget"),
              entry(3, "local.example", "exempt", "unchanged", "exempt-name"),
              entry(4, "bad.example", "disagree", "refuse", program="python3"),
              entry(5, "self.example", "disagree", "unchanged", pki="trust-error"))


def lines(installation, *words, code=OK, **extra):
    result = installation.run("log", *words, **extra)
    same(result.returncode, code, result.stdout + result.stderr)
    return result.stdout.splitlines()


def log_shows_a_line_each(installation):
    a_mixed_day(installation)
    shown = lines(installation)
    same(len(shown), 6)
    same(shown[0], "2023-11-14 22:13:20  accept        agree      site.example:443  curl(7)  vote  "
                   "alpha yes 11 ms  beta silent(timeout) 2000 ms relayed")
    contains(shown[1], "would refuse", "disagree", "alpha no")
    contains(shown[4], "  refuse  ", "python3(7)")
    assert "would" not in shown[5], shown[5]
    contains(lines(installation, TZ="UTC-2")[0], "2023-11-15 00:13:20")


def log_filters(installation):
    a_mixed_day(installation)
    same(len(lines(installation, "--refused")), 3)
    same(len(lines(installation, "--program", "wget")), 1)
    same(len(lines(installation, "--verdict", "exempt")), 1)
    same(len(lines(installation, "--host", "bad.example")), 2)
    same(len(lines(installation, "--host", "bad.example:444", code=REFUSED)), 0)
    same([line.split()[1] for line in lines(installation, "--limit", "2")],
         ["22:13:24", "22:13:25"])
    same([line.split()[1] for line in lines(installation, "--refused", "--limit", "1")],
         ["22:13:24"])
    same(lines(installation, "--program", "nobody", code=REFUSED), [])
    told = [json.loads(line) for line in lines(installation, "--json", "--refused")]
    same([t["host"] for t in told], ["bad.example", "gone.example", "bad.example"])


def the_agent_is_asked_for_what_is_wanted(installation):
    remembers(installation)
    lines(installation, "--since", "2023-11-14T22:00", "--until", "@1700000000", "--host",
          "A.Example:8443", code=REFUSED, TZ="UTC")
    same(installation.commands()[-1],
         {"command": "log", "since_s": NOW - 800, "until_s": NOW, "host": "a.example",
          "port": 8443})
    lines(installation, "--until", "@0", code=REFUSED)
    same(installation.commands()[-1], {"command": "log", "until_s": 0})
    lines(installation, "--since", "2d", code=REFUSED)
    assert abs(installation.commands()[-1]["since_s"] - (time.time() - 172800)) < 60


def log_wrong_usage(installation):
    for words in (["now"], ["--since", "soon"], ["--limit", "0"], ["--limit", "-1"],
                  ["--verdict", "good"], ["--host", "a b"]):
        same(installation.run("log", *words).returncode, USAGE, str(words))


def names_drive_no_terminal(installation):
    remembers(installation, entry(0, "a\x1b[2Jb", program="\x1b]0;x\x07", reason="\x9b1m"))
    shown = lines(installation)[0]
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown), repr(shown)


def an_agent_that_says_no_or_ends(installation):
    installation.reply("log", {"ok": False, "error": "config", "message": "history = 0"})
    for command in "log", "report":
        result = installation.run(command)
        same(result.returncode, FAULT)
        contains(result.stderr, "history = 0")


def a_history_that_breaks_off(installation):
    """log shows what came, and says that it is not all; a report of a part would be none."""
    part = json.dumps({"ok": True, "entries": [entry(0), entry(1)]})
    installation.write("replies/log", part + "\n" + part + "\n-\n")
    for words in ["log"], ["log", "--json"], ["log", "--program", "nobody"]:
        result = installation.run(*words)
        same(result.returncode, UNDECIDED, words)
        same(len([line for line in result.stdout.splitlines() if "site.example" in line]),
             0 if "nobody" in words else 4, result.stdout)
    contains(installation.run("log").stderr, "not read to its end")
    result = installation.run("report")
    same((result.returncode, result.stdout), (UNDECIDED, ""))
    contains(result.stderr, "not read to its end")
    told = installation.json("report", "--json", code=UNDECIDED)
    same(told["ok"], False)
    assert "safe" not in told and "hosts" not in told, told


def report_of_a_mixed_day(installation):
    installation.write("converge.conf", "mode = monitor\n")
    a_mixed_day(installation)
    result = installation.run("report")
    same(result.returncode, REFUSED, result.stderr)
    contains(result.stdout, "6 checks of 5 hosts", "would have refused 3, at 2 hosts",
             "bad.example:443", "2 of 2 checks", "curl, python3", "exempt_names", "gone.example:443",
             "notary test", "not safe", "converge mode augment")
    assert "self.example" not in result.stdout and "local.example" not in result.stdout
    told = installation.json("report", "--json", code=REFUSED)
    same([(h["host"], h["refused"], h["cause"]) for h in told["hosts"]],
         [("bad.example", 2, "disagree"), ("gone.example", 1, "unreachable")])
    same((told["safe"], told["checks"], told["refused"], told["hosts"][0]["first_s"],
          told["hosts"][0]["last_s"], told["hosts"][0]["programs"]),
         (False, 6, 3, NOW + 1, NOW + 4, ["curl", "python3"]))


def report_of_a_good_day(installation):
    installation.write("converge.conf", "mode = monitor\n")
    remembers(installation, entry(0), entry(1))
    result = installation.run("report")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "safe to switch", "converge mode augment")
    contains(installation.run("report", "--mode", "replace").stdout, "converge mode replace")
    same(installation.json("report", "--json")["safe"], True)


def report_of_nothing(installation):
    remembers(installation)
    result = installation.run("report")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "Nothing has been checked yet")
    assert "safe to switch" not in result.stdout
    same(installation.json("report", "--json")["safe"], False)


def report_of_rehearsals_only(installation):
    """What enable and doctor try by themselves is no use of the machine: nothing to call safe."""
    remembers(installation, entry(0, "canary.converge.example", "exempt", "unchanged",
                                  "exempt-name", program="converge"))
    contains(installation.run("report").stdout, "Nothing has been checked yet")
    same(installation.json("report", "--json")["safe"], False)


def report_knows_the_mode_in_force(installation):
    installation.write("converge.conf", "mode = augment\nallow_off = no\n")
    remembers(installation, entry(0, "bad.example", "disagree", "refuse"))
    said = installation.run("report").stdout
    contains(said, "1 check of 1 host;", "at 1 host.", "1 of 1 check,", "in force",
             "converge mode monitor")
    # No way is told that is not open.
    assert "CONVERGE=off" not in said, said
    installation.write("converge.conf", "mode = monitor\n")
    contains(installation.run("report").stdout, "not safe to switch yet", "CONVERGE=off")
    installation.write("converge.conf", "mode = augment\n")
    remembers(installation, entry(0))
    said = installation.run("report").stdout
    contains(said, "Nothing would have been refused", "in force")
    assert "safe to switch" not in said, said


def report_with_on_unreachable_allow(installation):
    installation.write("converge.conf", "on_unreachable = allow\n")
    remembers(installation, entry(0, verdict="undecided", reason="unreachable"))
    same(installation.run("report").returncode, OK)


def report_wrong_usage(installation):
    for words in (["x"], ["--mode", "monitor"], ["--mode", "x"], ["--since", "2023-02-30"]):
        same(installation.run("report", *words).returncode, USAGE, str(words))


def on_a_terminal(installation, *words):
    """What the command writes to a terminal of 80 columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen([CONVERGE, *words], env=installation.environment(TERM="dumb"),
                          stdin=subprocess.DEVNULL, stdout=slave) as process:
        os.close(slave)
        said = b""
        try:
            while part := os.read(master, 4096):
                said += part
        except OSError:
            pass  # the last writer has gone
    os.close(master)
    assert process.returncode in (OK, REFUSED), said
    return said.decode().replace("\r", "").splitlines()


def a_terminals_width_is_kept(installation):
    fingerprint = ":".join("%02X" % i for i in range(32))
    told = entry(1, "bad.example", "disagree", sha256=fingerprint, text="a sentence " * 20)
    remembers(installation, told)
    installation.reply("why", {"ok": True, "entries": [told]})
    for words in ["report"], ["why", "bad.example"]:
        shown = on_a_terminal(installation, *words)
        assert shown and all(len(line) <= 80 for line in shown), shown
        assert max(map(len, installation.run(*words).stdout.splitlines())) > 80
    contains("".join(line.strip() for line in shown), fingerprint)
    contains(installation.run("why", "bad.example").stdout, fingerprint)


main(log_shows_a_line_each, log_filters, the_agent_is_asked_for_what_is_wanted, log_wrong_usage,
     names_drive_no_terminal, an_agent_that_says_no_or_ends, a_history_that_breaks_off,
     report_of_a_mixed_day, report_of_a_good_day, report_of_nothing, report_of_rehearsals_only,
     report_knows_the_mode_in_force, report_with_on_unreachable_allow, report_wrong_usage,
     a_terminals_width_is_kept)
