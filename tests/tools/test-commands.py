# SPDX-License-Identifier: MIT
"""check, why, status, notary and cache: what they say, ask and end with; and that every command has
its help and its JSON."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

COMMANDS = ("run", "check", "why", "watch", "log", "report", "mode", "status", "notary", "cache", "enable", "disable", "doctor")
FINGERPRINT = "AA" * 32
VOTES = " alpha=yes beta=no gamma=silent delta=aside"

STATUS = {"ok": True, "version": "0.1.0", "pid": 4711, "uptime_s": 90, "kind": "user",
          "config_dir": "/somewhere", "mode": "augment", "on_unreachable": "deny",
          "match": "certificate", "threshold": "majority", "quorum": 3, "min_votes": 2,
          "deadline_ms": 2000, "bounce": False, "config_error": "",
          "notaries": [{"name": "alpha", "region": "", "protocol": 2, "hosts": ["a.example:443"],
                        "state": "ok", "last_ms": 11, "last_error": ""}],
          "cache": {"records": 3, "octets": 16384, "writing": True},
          "checks": {"agree": 5, "disagree": 6, "undecided": 7, "exempt": 8, "cached": 9}}

ENTRY = {"source": "recent", "time_s": 1700000000, "host": "site.converge.example", "port": 443,
         "sha256": "AA:BB", "verdict": "agree", "action": "accept", "reason": "vote",
         "text": "2 of 3", "program": "curl", "pid": 1234, "uid": 1000, "elapsed_ms": 12,
         "votes": [{"notary": "alpha", "answer": "yes", "elapsed_ms": 11, "bounced": True,
                    "error": "", "opinions": {"dane": "yes", "ct": "aside", "new": "no"}},
                   {"notary": "beta", "answer": "silent", "elapsed_ms": 2000, "bounced": False,
                    "error": "timeout"}]}


def help_and_version(installation):
    everything = installation.run("--help")
    same(everything.returncode, OK)
    same(installation.run("help").stdout, everything.stdout)
    for command in COMMANDS:
        contains(everything.stdout, "  %s " % command)
        result = installation.run(command, "--help")
        same(result.returncode, OK)
        contains(result.stdout, "Usage: converge " + command, "--json", "--help", "Exit codes")
        same(result.stderr, "")
        same(installation.run("help", command).stdout, result.stdout)
        for line in (everything.stdout + result.stdout).splitlines():
            assert len(line) <= 100, line
    version = installation.run("--version")
    same(version.returncode, OK)
    assert version.stdout.startswith("converge "), version.stdout


def every_option_in_the_help_is_taken(installation):
    for command in COMMANDS:
        text = installation.run(command, "--help").stdout
        options = {word.split("=")[0].rstrip(",.") for word in text.split()
                   if word.startswith("--") and len(word) > 2}
        for option in options - {"--help", "--json"}:
            result = installation.run(command, option, "", "operand")
            assert "there is no option" not in result.stderr, command + " " + option


def wrong_usage(installation):
    wrong = ([], ["nonsense"], ["--nonsense"], ["check"], ["check", "a", "b"], ["check", "a..b"],
             ["check", "host:0"], ["check", "host:65536"], ["check", "host", "--fingerprint", "xyz"],
             ["check", "host", "--fingerprint", "00" * 20, "--file", "x"], ["check", "--bogus"],
             ["why"], ["why", "a b"], ["status", "now"], ["watch", "x"], ["notary"], ["notary", "add"],
             ["notary", "list", "x"], ["notary", "remove"], ["notary", "frobnicate"], ["cache"],
             ["cache", "forget"], ["cache", "list", "x"], ["cache", "forget", "a/b"])
    for arguments in wrong:
        result = installation.run(*arguments)
        same(result.returncode, USAGE, str(arguments))
        same(result.stdout, "", str(arguments))
        assert result.stderr, arguments
    same(installation.read("starts"), "")
    answer = installation.json("check", "a..b", "--json", code=USAGE)
    same((answer["ok"], answer["error"]), (False, "usage"))


def check_ends_as_the_verdict_says(installation):
    table = (("59 41 1", OK, "agree", "accept"), ("4e 52 1", REFUSED, "disagree", "refuse"),
             ("55 52 3", UNDECIDED, "undecided", "refuse"),
             ("45 2d 6", UNDECIDED, "exempt", "unchanged"), ("59 52 5", REFUSED, "agree", "refuse"))
    for answer, code, verdict, action in table:
        installation.write("answer", answer + VOTES)
        arguments = ("check", "site.converge.example:8443", "--fingerprint", FINGERPRINT)
        result = installation.run(*arguments)
        same(result.returncode, code, result.stdout)
        contains(result.stdout, "site.converge.example:8443: %s -> %s" % (verdict, action), "alpha",
                 "AA:AA")
        told = installation.json(*arguments, "--json", code=code)
        same((told["verdict"], told["action"], told["host"], told["port"]),
             (verdict, action, "site.converge.example", 8443))
        same([(v["notary"], v["answer"]) for v in told["votes"]],
             [("alpha", "yes"), ("beta", "no"), ("gamma", "silent"), ("delta", "aside")])
    contains(installation.read("questions"), "fingerprint=AA:AA", "program=converge")


def check_in_monitor_mode_still_tells(installation):
    installation.write("converge.conf", "mode = monitor\n")
    installation.write("answer", "4e 41 1 alpha=no")
    result = installation.run("check", "site.converge.example", "--fingerprint", FINGERPRINT)
    same(result.returncode, REFUSED, result.stdout)
    contains(result.stdout, "disagree -> accept", "alpha")


def check_without_an_agent(installation):
    installation.write("fail", "no luck\n")
    told = installation.json("check", "site.converge.example", "--fingerprint", FINGERPRINT,
                             "--json", code=UNDECIDED)
    same((told["verdict"], told["action"], told["reason"]), ("none", "refuse", "no-agent"))
    contains(told["text"], "no luck")


def make_certificate(installation, *extra):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", installation.path("key.pem"),
                    "-out", installation.path("cert.pem"), "-days", "1", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", *extra], check=True,
                   stderr=subprocess.DEVNULL)
    return installation.path("cert.pem")


def check_with_a_file(installation):
    certificate = make_certificate(installation)
    installation.write("answer", "59 41 1")
    result = installation.run("check", "site.converge.example", "--file", certificate)
    same(result.returncode, OK, result.stderr)
    fingerprint = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-fingerprint",
                                  "-sha256"], stdout=subprocess.PIPE, text=True, check=True)
    contains(result.stdout, fingerprint.stdout.strip().split("=")[1])
    contains(installation.read("questions"), "fingerprint= ")
    for path in ("/nonexistent", "/dev/null", installation.path("key.pem")):
        same(installation.run("check", "site.converge.example", "--file", path).returncode, FAULT)


class Server:
    def __init__(self, installation):
        certificate = make_certificate(installation)
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key",
             installation.path("key.pem"), "-naccept", "20"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if line.startswith("ACCEPT"):
                self.port = int(line.split(":")[-1])
                break

    def close(self):
        self.process.kill()
        self.process.wait()


def check_that_looks_itself(installation):
    server = Server(installation)
    try:
        installation.write("answer", "59 52 5 alpha=yes")
        told = installation.json("check", "localhost:%d" % server.port, "--json", code=REFUSED)
        same(told["pki"]["result"], 18)
        contains(installation.read("questions"), "host=localhost port=%d " % server.port,
                 "pki=2 pki_error=18", "peer=4")
        installation.write("answer", "59 41 1 alpha=yes")
        told = installation.json("check", "localhost:%d" % server.port, "--json",
                                 SSL_CERT_FILE=installation.path("cert.pem"))
        same(told["pki"]["result"], 0)
        contains(installation.read("questions"), "pki=1 pki_error=0")
        # A name that is not in the certificate is PKI's to refuse, whatever the notaries say.
        told = installation.json("check", "127.0.0.1:%d" % server.port, "--json", code=REFUSED,
                                 SSL_CERT_FILE=installation.path("cert.pem"))
        same(told["pki"]["result"], 64)
        installation.write("answer", "45 2d 6")
        same(installation.run("check", "localhost:%d" % server.port,
                              SSL_CERT_FILE=installation.path("cert.pem")).returncode, OK)
        same(installation.run("check", "localhost:%d" % server.port).returncode, REFUSED)
    finally:
        server.close()
    result = installation.run("check", "localhost:%d" % server.port)
    same(result.returncode, UNDECIDED, result.stdout)


def check_of_a_server_that_does_not_speak_tls(installation):
    import socket
    import threading
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection = listener.accept()[0]
        connection.sendall(b"220 hello\r\n")
        while connection.recv(65536):  # or what was said is lost with a reset
            pass
        connection.close()
    threading.Thread(target=serve, daemon=True).start()
    result = installation.run("check", "127.0.0.1:%d" % listener.getsockname()[1])
    listener.close()
    same(result.returncode, UNDECIDED, result.stdout)
    contains(result.stderr, "no certificate")
    contains(result.stderr, "does not begin with TLS")
    contains(result.stderr, "--fingerprint")


def names_in_utf8(installation):
    installation.write("answer", "59 41 1")
    same(installation.run("check", "Bücher.converge.example:99", "--fingerprint",
                          FINGERPRINT).returncode, OK)
    contains(installation.read("questions"), "host=xn--bcher-kva.converge.example port=99 ")


def status(installation):
    same(installation.run("status").returncode, UNDECIDED)
    same(installation.read("starts"), "")
    installation.start_agent()
    installation.reply("status", STATUS)
    result = installation.run("status")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "4711", "augment", "majority of 1 (all there are)", "3 records", "5 agree", "alpha",
             "11 ms", "a.example:443")
    assert "\033" not in result.stdout and "nothing is refused" not in result.stdout
    same(installation.json("status", "--json"), STATUS)
    installation.reply("status", dict(STATUS, mode="monitor"))
    contains(installation.run("status").stdout, "nothing is refused", "converge report")
    installation.reply("status", dict(STATUS, notaries=[]))
    same(installation.run("status").returncode, UNDECIDED)
    failing = dict(STATUS["notaries"][0], state="failing", last_error="time\033out\u009b31m")
    installation.reply("status", dict(STATUS, notaries=[failing], config_error="line 3 is odd"))
    result = installation.run("status")
    same(result.returncode, UNDECIDED)
    contains(result.stdout, "time?out??31m", "line 3 is odd")


def colours_only_for_people(installation):
    import pty
    installation.start_agent()
    installation.reply("status", STATUS)
    for extra, wanted in (({"TERM": "xterm", "NO_COLOR": None}, True),
                          ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        leader, follower = pty.openpty()
        process = subprocess.Popen([CONVERGE, "status"], stdout=follower,
                                   env=installation.environment(**extra))
        os.close(follower)
        same(process.wait(30), OK)
        output = os.read(leader, 65536)
        os.close(leader)
        same(b"\033[32m" in output, wanted, output.decode())


def replies_that_are_none(installation):
    installation.start_agent()
    for text in ("", "not json", "[1]", '{"ok": true', '{"ok": 1}', '{"ok": true, "ok": true}',
                 '{"ok": false, "error": "internal", "message": "a bad day"}', "[" * 5000):
        installation.write("replies/status", text + "\n" if text else "")
        result = installation.run("status")
        same(result.returncode, FAULT, text[:50] + result.stdout)
    installation.write("replies/status",
                       '{"ok": false, "error": "internal", "message": "a bad day"}\n')
    contains(installation.run("status").stderr, "a bad day")
    # Members that are missing or of another kind are not read as anything.
    installation.write("replies/status", '{"ok": true, "notaries": 5, "pid": "x", "cache": []}\n')
    same(installation.run("status").returncode, UNDECIDED)


def why(installation):
    same(installation.run("why", "site.converge.example").returncode, UNDECIDED)
    installation.start_agent()
    cached = {"source": "cache", "time_s": 1700000000, "host": "site.converge.example", "port": 443,
              "sha256": "AA:BB", "verdict": "agree",
              "votes": [{"notary": "alpha", "answer": "yes", "elapsed_ms": 0, "bounced": False,
                         "error": ""}]}
    installation.reply("why", {"ok": True, "entries": [ENTRY, cached]})
    result = installation.run("why", "site.converge.example")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "2023-11-14 22:13:20", "curl (pid 1234, uid 1000)", "relayed", "timeout",
             "remembered", "(dane yes, ct aside)\n")
    same(installation.commands()[-1],
         {"command": "why", "host": "site.converge.example", "port": 0})
    same(len(installation.json("why", "SITE.converge.example:8443", "--json")["entries"]), 2)
    same(installation.commands()[-1],
         {"command": "why", "host": "site.converge.example", "port": 8443})
    installation.run("why", "site.converge.example:443")
    same(installation.commands()[-1]["port"], 443)
    for verdict, code in (("disagree", REFUSED), ("undecided", UNDECIDED), ("exempt", OK),
                          ("none", REFUSED)):
        installation.reply("why", {"ok": True, "entries": [dict(ENTRY, verdict=verdict), cached]})
        same(installation.run("why", "site.converge.example").returncode, code)
    installation.reply("why", {"ok": True, "entries": []})
    result = installation.run("why", "site.converge.example")
    same(result.returncode, REFUSED)
    contains(result.stdout, "Nothing is known")


def watch(installation):
    same(installation.run("watch").returncode, UNDECIDED)
    installation.start_agent()
    installation.reply("watch", {"ok": True, "entry": ENTRY},
                       {"ok": True, "entry": dict(ENTRY, action="refuse", host="two\u001b")})
    result = installation.run("watch")
    same(result.returncode, UNDECIDED, result.stderr)
    lines = result.stdout.splitlines()
    same(len(lines), 2)
    contains(lines[0], "22:13:20", "accept", "site.converge.example:443", "curl(1234)", "alpha yes 11 ms")
    contains(lines[1], "refuse", "two?:443")
    result = installation.run("watch", "--json")
    same([json.loads(line)["action"] for line in result.stdout.splitlines()[:2]],
         ["accept", "refuse"])


def cache(installation):
    same(installation.run("cache", "list").returncode, UNDECIDED)
    installation.start_agent()
    record = {"host": "site.converge.example", "port": 443, "sha256": "AA", "sha1": "BB",
              "spki_sha256": "CC", "verified_s": 1700000000, "expires_s": 1800000000,
              "voters": ["alpha", "beta"]}
    pages = [{"ok": True, "records": [record, dict(record, port=8443)]},
             {"ok": True, "records": [dict(record, host="other.converge.example")]}]
    installation.reply("cache-list", *pages)
    result = installation.run("cache", "list")
    same(result.returncode, OK, result.stderr)
    same(len(result.stdout.splitlines()), 3)
    contains(result.stdout, "site.converge.example:8443", "alpha beta", "2023-11-14")
    same(len(installation.json("cache", "list", "--json")["records"]), 3)
    installation.reply("cache-list", {"ok": True, "records": []})
    same(installation.run("cache", "list").stdout, "")
    installation.reply("cache-forget", {"ok": True, "forgotten": 2})
    result = installation.run("cache", "forget", "site.converge.example")
    same((result.returncode, result.stdout), (OK, "2 records forgotten\n"))
    same(installation.commands()[-1],
         {"command": "cache-forget", "host": "site.converge.example", "port": 0})
    installation.reply("cache-forget", {"ok": True, "forgotten": 0})
    same(installation.run("cache", "forget", "[2001:DB8::1]:443").returncode, REFUSED)
    same(installation.commands()[-1], {"command": "cache-forget", "host": "2001:db8::1", "port": 443})
    installation.reply("cache-clear", {"ok": True, "forgotten": 0})
    same(installation.run("cache", "clear").returncode, OK)
    installation.reply("cache-clear", {"ok": False, "error": "denied", "message": "only root may"})
    result = installation.run("cache", "clear")
    same(result.returncode, FAULT)
    contains(result.stderr, "only root may")


def make_notary(installation, name, *options):
    subprocess.run([NOTARYD, "--init", installation.path("keys-" + name), "--name", name, "--host",
                    name + ".converge.example", "--region", "CH", "--operator", "Op of " + name,
                    *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return installation.path("keys-" + name, name + ".notary")


def notary_add_list_remove(installation):
    same(installation.run("notary", "list").returncode, OK)
    alpha, beta = make_notary(installation, "alpha"), make_notary(installation, "beta")
    result = installation.run("notary", "add", alpha)
    same(result.returncode, USAGE, "nobody was there to ask")
    contains(result.stderr, "--yes")
    result = installation.run("notary", "add", alpha, "--yes")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "alpha", "Op of alpha", "CH", "alpha.converge.example:443",
             "fingerprint")
    with open(alpha, "rb") as given, open(installation.path("notaries.d/alpha.notary"), "rb") as put:
        same(put.read(), given.read())
    same(os.stat(installation.path("notaries.d/alpha.notary")).st_mode & 0o777, 0o644)
    told = installation.json("notary", "add", beta, "--yes", "--json")
    same((told["ok"], [one["name"] for one in told["added"]]), (True, ["beta"]))
    listed = installation.json("notary", "list", "--json")["notaries"]
    same([n["name"] for n in listed], ["alpha", "beta"])
    same((listed[0]["operator"], listed[0]["region"], listed[0]["protocol"]),
         ("Op of alpha", "CH", 2))
    same(listed[1]["fingerprint"], told["added"][0]["fingerprint"])
    result = installation.run("notary", "remove", "alpha")
    same(result.returncode, OK, result.stderr)
    contains(result.stderr, "1 left")
    same(os.listdir(installation.path("notaries.d")), ["beta.notary"])
    result = installation.run("notary", "remove", "alpha")
    same(result.returncode, REFUSED)


def folder_of(installation, *names):
    folder = installation.path("folder")
    os.mkdir(folder)
    for name in names:
        shutil.copy(make_notary(installation, name), folder)
    return folder


def several_at_once(installation):
    folder = folder_of(installation, "beta", "gamma")
    installation.write("folder/README", "no bundle")
    alpha = make_notary(installation, "alpha")
    result = installation.run("notary", "add", alpha, folder, "--yes")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, *("added: " + installation.path("notaries.d", name + ".notary")
                              for name in ("alpha", "beta", "gamma")))
    same(sorted(os.listdir(installation.path("notaries.d"))),
         ["alpha.notary", "beta.notary", "gamma.notary"])
    delta = make_notary(installation, "delta")
    result = installation.run("notary", "add", delta, folder, "--yes")
    same(result.returncode, REFUSED)
    contains(result.stderr, "beta.notary: ", "gamma.notary: ", "2 of 3", "nothing was added")
    assert not os.path.exists(installation.path("notaries.d/delta.notary"))
    told = installation.json("notary", "add", delta, make_notary(installation, "eps"), "--yes",
                             "--json")
    same([one["name"] for one in told["added"]], ["delta", "eps"])


def all_are_looked_at_before_any_is_added(installation):
    alpha, beta = make_notary(installation, "alpha"), make_notary(installation, "beta")
    installation.write("bad.notary", "{}")
    os.mkdir(installation.path("empty"))
    shutil.copy(alpha, installation.path("copy.notary"))
    for last, code, said in ((installation.path("bad.notary"), FAULT, "bad.notary"),
                             (installation.path("empty"), FAULT, "no *.notary"),
                             ("https://127.0.0.1:1/c.notary", UNDECIDED, "cannot fetch"),
                             (installation.path("copy.notary"), REFUSED, "twice")):
        result = installation.run("notary", "add", alpha, beta, last, "--yes")
        same(result.returncode, code, result.stdout)
        contains(result.stderr, said)
        assert not os.path.exists(installation.path("notaries.d")), last
    result = installation.run("notary", "add", alpha, beta)
    same(result.returncode, USAGE, "nobody was there to ask")
    assert not os.path.exists(installation.path("notaries.d"))


def what_fails_on_the_way_is_taken_back(installation):
    alpha, beta = make_notary(installation, "alpha"), make_notary(installation, "beta")
    os.makedirs(installation.path("notaries.d"))
    words = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh"]
    result = subprocess.run([*words, CONVERGE, "notary", "add", alpha, beta, "--yes"],
                            env=installation.environment(), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert result.returncode != OK, result.stdout
    same([name for name in os.listdir(installation.path("notaries.d"))
          if name.endswith(".notary")], [])


def the_fingerprint_is_the_signing_keys(installation):
    alpha = make_notary(installation, "alpha")
    installation.run("notary", "add", alpha, "--yes")
    der = subprocess.run(["openssl", "pkey", "-in", installation.path("keys-alpha/signing.key"),
                          "-pubout", "-outform", "DER"], stdout=subprocess.PIPE, check=True).stdout
    import hashlib
    wanted = hashlib.sha256(der).hexdigest().upper()
    got = installation.json("notary", "list", "--json")["notaries"][0]["fingerprint"]
    same(got.replace(":", ""), wanted)


def every_key_of_a_bundle_is_shown(installation):
    import hashlib
    alpha = make_notary(installation, "alpha")
    keys = installation.path("keys-alpha")
    subprocess.run([NOTARYD, "--next-keys", keys], check=True, stdout=subprocess.DEVNULL)
    installation.run("notary", "add", alpha, "--yes")
    shown = installation.run("notary", "list")
    told = json.loads(installation.run("notary", "list", "--json").stdout)["notaries"][0]
    wanted = []
    for name in ("signing.key", "signing.key.next"):
        der = subprocess.run(["openssl", "pkey", "-in", os.path.join(keys, name), "-pubout",
                              "-outform", "DER"], stdout=subprocess.PIPE, check=True).stdout
        wanted.append(hashlib.sha256(der).digest().hex(":").upper())
        contains(shown.stdout, wanted[-1])
    same([told["fingerprint"], *told["other_keys"]], wanted)


def a_person_is_asked(installation):
    import pty
    alpha = make_notary(installation, "alpha")
    for answer, code in (("n\n", REFUSED), ("\n", REFUSED), ("yes please\n", REFUSED),
                         ("y\n", OK)):
        leader, follower = pty.openpty()
        process = subprocess.Popen([CONVERGE, "notary", "add", alpha], stdin=follower,
                                   env=installation.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        os.close(follower)
        os.write(leader, answer.encode())
        output = process.communicate(timeout=30)[0]
        os.close(leader)
        same(process.returncode, code, output)
        contains(output, "fingerprint", "[y/N]")
    beta, gamma = make_notary(installation, "beta"), make_notary(installation, "gamma")
    leader, follower = pty.openpty()
    process = subprocess.Popen([CONVERGE, "notary", "add", beta, gamma], stdin=follower,
                               env=installation.environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    os.close(follower)
    os.write(leader, b"n\ny\n")
    output = process.communicate(timeout=30)[0]
    os.close(leader)
    same(process.returncode, REFUSED, output)
    contains(output, "not added: beta", "added: " + installation.path("notaries.d/gamma.notary"))
    same(sorted(os.listdir(installation.path("notaries.d"))), ["alpha.notary", "gamma.notary"])


def nobody_votes_twice(installation):
    alpha = make_notary(installation, "alpha")
    same(installation.run("notary", "add", alpha, "--yes").returncode, OK)
    result = installation.run("notary", "add", alpha, "--yes")
    same(result.returncode, REFUSED)
    contains(result.stderr, "alpha", "twice")
    v1 = installation.path("keys-alpha/alpha.v1.notary")
    with open(v1, encoding="utf-8") as file:
        other = json.load(file)
    other["name"] = "another"  # the same operator under another name
    installation.write("another.notary", json.dumps(other))
    result = installation.run("notary", "add", installation.path("another.notary"), "--yes")
    same(result.returncode, REFUSED, result.stdout)
    contains(result.stderr, "certificate")
    other["name"] = "ALPHA"  # the agent tells names apart without their letters' case
    other["hosts"][0]["host"] = "elsewhere.converge.example"
    installation.write("case.notary", json.dumps(other))
    result = installation.run("notary", "add", installation.path("case.notary"), "--yes")
    same(result.returncode, REFUSED, result.stdout)
    contains(result.stderr, "the name of this one")
    fresh = make_notary(installation, "fresh")  # another key and certificate on the same host
    with open(installation.path("keys-fresh/fresh.v1.notary"), encoding="utf-8") as file:
        other = json.load(file)
    other["hosts"][0]["host"] = "ALPHA.converge.example."
    installation.write("host.notary", json.dumps(other))
    result = installation.run("notary", "add", installation.path("host.notary"), "--yes")
    same(result.returncode, REFUSED, result.stdout)
    contains(result.stderr, "host")
    same(os.listdir(installation.path("notaries.d")), ["alpha.notary"])
    same(installation.run("notary", "add", fresh, "--yes").returncode, OK)


def notary_suggest(installation):
    alpha, beta = make_notary(installation, "alpha"), make_notary(installation, "beta")
    far = make_notary(installation, "far", "--region", "SE", "--address", "9.9.9.9")
    told = installation.json("notary", "suggest", "--json")
    same((told["notaries"], told["suggestions"]), (0, []))
    same(installation.run("notary", "add", alpha, "--yes").returncode, OK)
    result = installation.run("notary", "suggest", alpha, beta, far)
    same(result.returncode, OK, result.stderr)
    contains(result.stderr, alpha)
    lines = result.stdout.splitlines()[-2:]
    contains(lines[0], "far", "a network an operator a country", far)
    contains(lines[1], "beta", "an operator", beta)
    told = installation.json("notary", "suggest", beta, far, "--json")["suggestions"]
    same([(one["name"], one["network"], one["country"]) for one in told],
         [("far", True, True), ("beta", False, False)])
    same(len(installation.json("notary", "list", "--json")["notaries"]), 1)
    shutil.copy(beta, folder := folder_of(installation, "gamma"))
    told = installation.json("notary", "suggest", folder, far, "--json")
    same([one["name"] for one in told["suggestions"]], ["far", "beta", "gamma"])
    same((told["domain"]["shared"], told["suggestions"][0]["domain"]), ("converge.example", False))
    same(installation.run("notary", "add", beta, "--yes").returncode, OK)
    contains(installation.run("notary", "suggest").stdout, "2 of 2 are in CH: alone they decide")
    same(installation.run("notary", "suggest", "/nowhere").returncode, FAULT)


def bundles_that_are_none(installation):
    alpha = make_notary(installation, "alpha")
    with open(alpha, encoding="utf-8") as file:
        good = file.read()
    bad = {"empty": "", "text": "hello", "array": "[]", "cut": good[:-20],
           "signature": good.replace("Op of alpha", "Op of omega"), "large": " " * 300000 + good}
    for name, text in bad.items():
        installation.write(name, text)
        result = installation.run("notary", "add", installation.path(name), "--yes")
        same(result.returncode, FAULT, name + result.stdout)
        contains(result.stderr, name)
    same(installation.run("notary", "add", "/nonexistent", "--yes").returncode, FAULT)
    same(installation.run("notary", "add", "http://a.converge.example/a.notary", "--yes").returncode,
         FAULT)
    same(installation.run("notary", "add", "https://127.0.0.1:1/a.notary", "--yes").returncode,
         UNDECIDED)
    assert not os.path.exists(installation.path("notaries.d"))


def a_bundle_from_a_url(installation):
    """The site's certificate is made good in a mount namespace: libcurl reads the system's list."""
    authorities = "/etc/ssl/certs/ca-certificates.crt"
    if not os.path.exists(authorities):
        raise Skip("no " + authorities)
    with open(make_notary(installation, "alpha"), "rb") as file:
        site = Site(installation.directory, body=file.read())
    command = [CONVERGE, "notary", "add", site.url + "alpha.notary", "--yes"]
    result = subprocess.run(command, env=installation.environment(), stderr=subprocess.PIPE,
                            text=True, timeout=60, check=False)
    same(result.returncode, UNDECIDED)
    contains(result.stderr, "cannot fetch")
    assert not os.path.exists(installation.path("notaries.d"))

    def trusting():
        return subprocess.run([*mount_namespace(), "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && '
                               'exec "$@"', "sh", site.certificate, authorities, *command],
                              env=installation.environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    site.body, good = b" " * 300000, site.body
    result = trusting()
    same(result.returncode, FAULT)
    contains(result.stderr, "more than")
    site.body = good[:100]
    same(trusting().returncode, FAULT)
    site.body = good
    site.moved = {"/alpha.notary": "http://localhost:%d/here" % site.port}
    result = trusting()
    same(result.returncode, UNDECIDED, "it went on without TLS")
    site.moved = {"/alpha.notary": "/alpha.notary"}
    result = trusting()
    same(result.returncode, UNDECIDED)
    contains(result.stderr, "redirect")
    site.moved = {"/alpha.notary": "/1", "/1": "/2", "/2": "/3", "/3": "/4"}
    same(trusting().returncode, UNDECIDED, "one redirect too many")
    assert not os.path.exists(installation.path("notaries.d"))
    del site.moved["/3"]
    result = trusting()
    same(result.returncode, OK, result.stderr)
    with open(installation.path("notaries.d/alpha.notary"), "rb") as file:
        same(file.read(), good)
    same(installation.read("questions"), "")


def a_bad_file_in_notaries_d_is_named(installation):
    os.mkdir(installation.path("notaries.d"))
    installation.write("notaries.d/bad.notary", "{}")
    for arguments in (("list",), ("remove", "x"), ("add", make_notary(installation, "a"), "--yes")):
        result = installation.run("notary", *arguments)
        same(result.returncode, FAULT)
        contains(result.stderr, "bad.notary")


def names_become_file_names(installation):
    make_notary(installation, "alpha")
    with open(installation.path("keys-alpha/alpha.v1.notary"), encoding="utf-8") as file:
        bundle = json.load(file)
    bundle["name"] = "../Ö b/c"
    installation.write("odd.notary", json.dumps(bundle))
    result = installation.run("notary", "add", installation.path("odd.notary"), "--yes")
    same(result.returncode, OK, result.stderr)
    same(os.listdir(installation.path("notaries.d")), ["_.____b_c.notary"])
    same(installation.run("notary", "remove", "../Ö b/c").returncode, OK)


def a_running_agent_is_told(installation):
    installation.start_agent()
    same(installation.run("notary", "add", make_notary(installation, "alpha"),
                          "--yes").returncode, OK)
    same(installation.commands()[-1], {"command": "reload"})
    installation.reply("reload", {"ok": False, "error": "config", "message": "two of one name"})
    result = installation.run("notary", "remove", "alpha")
    same(result.returncode, FAULT)
    contains(result.stderr, "two of one name")


def notary_test(installation):
    result = installation.run("notary", "test")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "alpha", "answers", "11 ms")
    same(installation.commands()[-1], {"command": "notary-test"})
    same(installation.json("notary", "test", "--json"), TWO_ANSWER)
    installation.run("notary", "test", "beta", "--target", "Site.converge.example")
    same(installation.commands()[-1],
         {"command": "notary-test", "name": "beta", "target": "site.converge.example:443"})
    one = {"name": "alpha", "host": "a", "answered": True, "elapsed_ms": 5, "clock_offset_s": -90,
           "timing": {"kept": False, "name_us": 0, "connect_us": 310, "tls_us": 2200,
                      "answer_us": 900}}
    installation.reply("notary-test", {"ok": True, "notaries": [one]})
    contains(installation.run("notary", "test", "--fresh").stdout, "connect 0.3 ms", "TLS 2.2 ms",
             "answer 0.9 ms", "clock -90 s")
    same(installation.commands()[-1], {"command": "notary-test", "fresh": True})
    one["timing"] = {"kept": True, "answer_us": 900}
    installation.reply("notary-test", {"ok": True, "notaries": [one]})
    contains(installation.run("notary", "test").stdout, "(kept connection, answer 0.9 ms)")
    asked = len(installation.commands())
    told = installation.json("notary", "test", "--count", "3", "--json")["notaries"]
    same([(n["tries"], n["answers"], n["min_ms"], n["median_ms"], n["max_ms"]) for n in told],
         [(3, 3, 5, 5, 5)])
    same(len(installation.commands()) - asked, 3)
    contains(installation.run("notary", "test", "--count", "2").stdout, "2 of 2",
             "min 5, median 5, max 5 ms")
    for count in ("0", "101", "x", "", "-1"):
        same(installation.run("notary", "test", "--count", count).returncode, USAGE, count)
    installation.reply("notary-test", {"ok": True, "notaries": [
        {"name": "alpha", "host": "a", "answered": False, "elapsed_ms": 2000, "error": "timeout",
         "message": "no answer within 2000 ms"}]})
    result = installation.run("notary", "test")
    same(result.returncode, UNDECIDED)
    contains(result.stdout, "silent", "no answer within 2000 ms")
    result = installation.run("notary", "test", "--count", "2")
    same(result.returncode, UNDECIDED)
    contains(result.stdout, "silent", "0 of 2", "no answer within 2000 ms")
    installation.reply("notary-test", {"ok": True, "notaries": []})
    same(installation.run("notary", "test").returncode, UNDECIDED)
    installation.reply("notary-test", {"ok": False, "error": "not-found", "message": "no such"})
    same(installation.run("notary", "test", "x").returncode, REFUSED)


def notary_list_tells_of_updates(installation):
    alpha, beta = make_notary(installation, "alpha"), make_notary(installation, "beta")
    v1 = installation.path("keys-beta/beta.v1.notary")
    for bundle in (alpha, v1):
        same(installation.run("notary", "add", bundle, "--yes").returncode, OK)
    result = installation.run("notary", "list")
    contains(result.stderr, "no agent runs")
    contains(result.stdout, "none: it has no key")
    assert "looked for" not in result.stdout, result.stdout
    installation.start_agent()
    installation.reply("status", {"ok": True, "notaries": [
        {"name": "alpha", "serial": 7, "updates": True, "looked_s": 1700000000, "changed_s": 0}]})
    serial = installation.json("notary", "list", "--json")["notaries"][0]["serial"]
    result = installation.run("notary", "list")
    contains(result.stdout, "7 (%d in the file)" % serial, "2023-11-14 22:13", "never", "by itself")
    told = installation.json("notary", "list", "--json")["notaries"]
    same([(n["updates"], n.get("serial_in_force"), n.get("looked_s"), n.get("changed_s"))
          for n in told], [(True, 7, 1700000000, 0), (False, None, None, None)])
    installation.write("converge.conf", "bundle_update = no\n")
    contains(installation.run("notary", "list").stdout, "only when told to")
    installation.reply("status", {"ok": True, "notaries": [{"name": "alpha"}]})  # an older agent
    assert "looked for" not in installation.run("notary", "list").stdout


def notary_update(installation):
    def told(*results):
        installation.reply("notary-update", {"ok": True, "notaries": [
            {"name": "n%d" % number, "result": result, "serial": 6, "message": "the reason"}
            for number, result in enumerate(results)]})
        return installation.run("notary", "update")
    result = told("updated", "unchanged", "nowhere")
    same(result.returncode, OK, result.stderr)
    contains(result.stdout, "updated to serial 6", "unchanged, serial 6", "nothing to update from")
    assert "the reason" not in result.stdout
    result = told("updated", "failed")
    same(result.returncode, UNDECIDED)
    contains(result.stdout, "not reached: the reason")
    same(told("unheard-of").returncode, UNDECIDED)
    result = told("failed", "not-taken")
    same(result.returncode, REFUSED)
    contains(result.stdout, "not taken: the reason")
    result = told("updated", "older")
    same(result.returncode, REFUSED)
    contains(result.stdout, "older: the reason")
    same(len(installation.json("notary", "update", "--json", code=REFUSED)["notaries"]), 2)
    installation.run("notary", "update", "beta")
    same(installation.commands()[-1], {"command": "notary-update", "name": "beta"})
    installation.reply("notary-update", {"ok": False, "error": "denied", "message": "only root"})
    same(installation.run("notary", "update").returncode, FAULT)


def a_configuration_that_cannot_be_read(installation):
    installation.write("converge.conf", "\nquorum = many\n")
    for arguments in (("status",), ("why", "a.b"), ("cache", "list"), ("notary", "list"),
                      ("doctor", "--", "curl"), ("enable", "openssl", "--file", "/nonexistent")):
        result = installation.run(*arguments)
        same(result.returncode, FAULT, str(arguments))
        contains(result.stderr, "converge.conf:2")
        told = installation.json(arguments[0], "--json", *arguments[1:], code=FAULT)
        same((told["ok"], told["error"]), (False, "fault"))
    same(installation.run("check", "a.b", "--fingerprint", FINGERPRINT).returncode, FAULT)


main(help_and_version, every_option_in_the_help_is_taken, wrong_usage,
     check_ends_as_the_verdict_says, check_in_monitor_mode_still_tells, check_without_an_agent,
     check_with_a_file, check_that_looks_itself, check_of_a_server_that_does_not_speak_tls,
     names_in_utf8, status, colours_only_for_people, replies_that_are_none, why, watch, cache,
     notary_suggest, notary_add_list_remove, several_at_once, all_are_looked_at_before_any_is_added,
     what_fails_on_the_way_is_taken_back, the_fingerprint_is_the_signing_keys,
     every_key_of_a_bundle_is_shown, a_person_is_asked,
     nobody_votes_twice, bundles_that_are_none, a_bundle_from_a_url, a_bad_file_in_notaries_d_is_named,
     names_become_file_names, a_running_agent_is_told, notary_test, notary_list_tells_of_updates,
     notary_update,
     a_configuration_that_cannot_be_read)
