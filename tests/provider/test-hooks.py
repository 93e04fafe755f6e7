# SPDX-License-Identifier: MIT
"""When a question is asked, and what becomes of the answer: callbacks of every kind, verification
that nobody enforces, resumption, and everything that is not a client's handshake."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab

OK, REJECTED, SELF_SIGNED, EXPIRED, WRONG_NAME = 0, 28, 18, 10, 62
NAME = "site.example"


class Cases:
    def __init__(self, tap, here):
        self.tap = tap
        self.here = here
        self.site = here.serve()
        self.ports = {"site": self.site.port, "self": here.serve("self").port,
                      "expired": here.serve("expired").port}

    def expect(self, what, ok, result, *args, server="site", asked=1, rule="accept", config="",
               name=NAME, scene="connect"):
        """Runs one scene and compares: did the handshake succeed, what does the program read as the
        result, how many questions were asked."""
        here = self.here
        here.configure(config)
        if rule is None:
            here.stop_agent()
        else:
            here.start_agent(f"*={rule}")
        port = self.ports[server]
        status, out, err = here.host("--port", port, "--param", name, *args, scene)
        good = (status == 0 and err == "" and
                out.startswith(f"port={port} ok={ok} result={result} ") and
                (rule is None or here.asked(asked) == [f"{name}:{port}"] * asked))
        self.tap.case(what, good, (status, out, err, here.asked()))


def answers(case):
    case.expect("accept is obeyed", 1, OK)
    case.expect("refuse is obeyed", 0, REJECTED, rule="refuse")
    case.expect("unchanged leaves PKI's result", 1, OK, rule="unchanged")
    case.expect("no action in the answer means on_unreachable", 0, REJECTED, rule="none")
    for rule in ("close", "foreign", "short", "junk"):
        case.expect(f"an answer that is {rule} refuses", 0, REJECTED, rule=rule)
    case.expect("an answer that does not come refuses at the deadline", 0, REJECTED, rule="silent",
                config="deadline = 200ms\n")
    case.expect("without an agent it is refused", 0, REJECTED, rule=None)
    case.expect("without an agent and on_unreachable = allow it is accepted", 1, OK, rule=None,
                config="on_unreachable = allow\n")
    case.expect("without an agent known means deny", 0, REJECTED, rule=None,
                config="on_unreachable = known\n")
    case.expect("a configuration error refuses, silently", 0, REJECTED, asked=0,
                config="mode = perhaps\n")
    case.expect("monitor asks and does not wait", 1, OK, rule="silent", config="mode = monitor\n")
    case.expect("an excluded program is not asked about", 1, OK, asked=0,
                config="exclude_programs = host\n")


def shipped_exclusions(case):
    """They do not come from the configuration, and hold whatever became of it."""
    here = case.here
    here.configure("mode = perhaps\n")
    got = here.host("--port", case.site.port, "--param", NAME, "connect",
                    program=shutil.copy(lab.HOST, here.path("unbound")))
    case.tap.case("a resolver is let go, also with a broken configuration",
                  f"ok=1 result={OK} " in got[1] and here.asked(0) == [], got)


def config_rights(case):
    here = case.here
    here.configure("on_unreachable = allow\n")
    os.chmod(here.path("converge.conf"), 0o666)
    here.stop_agent()
    got = here.host("--port", case.site.port, "--param", NAME, "connect")
    case.tap.case("a configuration that others may write refuses", "ok=0 result=28" in got[1], got)
    os.chmod(here.path("converge.conf"), 0o600)


def callbacks(case):
    for callback in ("strict", "pass", "forget"):
        ok = int(callback != "strict")
        result = OK if callback == "forget" else REJECTED
        case.expect(f"a refusal goes through the program's callback: {callback}", ok, result,
                    "--callback", callback, rule="refuse")
        case.expect(f"an acceptance leaves it alone: {callback}", 1, OK, "--callback", callback)
    case.expect("a trust error the program lets pass is not asked about", 1, SELF_SIGNED,
                "--callback", "pass", server="self", asked=0)
    case.expect("an expired certificate the program lets pass is asked about", 1, EXPIRED,
                "--callback", "pass", server="expired")
    case.expect("and when it is refused the program still has its say", 1, REJECTED,
                "--callback", "pass", server="expired", rule="refuse")


def nobody_enforces(case):
    case.expect("SSL_VERIFY_NONE: asked, and the result is good", 1, OK, "--verify-none")
    case.expect("SSL_VERIFY_NONE: a refusal is the result, the handshake goes on", 1, REJECTED,
                "--verify-none", rule="refuse")
    case.expect("SSL_VERIFY_NONE: without an agent, the same", 1, REJECTED, "--verify-none",
                rule=None)


def pki_errors(case):
    for name, result in (("self", SELF_SIGNED), ("expired", EXPIRED)):
        case.expect(f"augment: {name}: refused without a question", 0, result, server=name, asked=0)
        case.expect(f"monitor: {name}: refused without a question", 0, result, server=name, asked=0,
                    config="mode = monitor\n")
    case.expect("augment: a wrong name is refused without a question", 0, WRONG_NAME,
                name="other.example", asked=0)


def replace_mode(case):
    def expect(*args, **options):
        case.expect(*args, config="mode = replace\n", **options)

    expect("replace: self-signed, agreed: accepted", 1, OK, server="self")
    expect("replace: self-signed, refused: PKI's error", 0, SELF_SIGNED, server="self",
           rule="refuse")
    expect("replace: self-signed, unchanged: PKI's error", 0, SELF_SIGNED, server="self",
           rule="unchanged")
    expect("replace: self-signed, no agent: PKI's error", 0, SELF_SIGNED, server="self", rule=None)
    expect("replace: self-signed, SSL_VERIFY_NONE, agreed: the result is good", 1, OK,
           "--verify-none", server="self")
    expect("replace: self-signed, SSL_VERIFY_NONE, refused: the result is PKI's", 1, SELF_SIGNED,
           "--verify-none", server="self", rule="refuse")
    expect("replace: a callback that passes everything does not see what the notaries vouch for",
           1, OK, "--callback", "pass", server="self")
    expect("replace: and sees PKI's error when they do not", 1, SELF_SIGNED, "--callback", "pass",
           server="self", rule="refuse")
    expect("replace: expired is refused without a question", 0, EXPIRED, server="expired", asked=0)
    expect("replace: self-signed for another name is refused without a question", 0, WRONG_NAME,
           server="self", name="other.example", asked=0)
    expect("replace: self-signed for another name stays an error where all errors pass", 1,
           SELF_SIGNED, "--callback", "pass", server="self", name="other.example", asked=0)
    expect("replace: a good chain, refused", 0, REJECTED, rule="refuse")


def own_verification(case):
    case.expect("a program with a cert_verify_callback: asked once", 1, OK, "--own", "plain")
    case.expect("a program with a cert_verify_callback: refused", 0, REJECTED, "--own", "plain",
                rule="refuse")
    case.expect("a program with a cert_verify_callback and a callback: refused through it", 1,
                REJECTED, "--own", "plain", "--callback", "pass", rule="refuse")
    case.expect("a program with a cert_verify_callback: PKI's refusal is not asked about", 0,
                SELF_SIGNED, "--own", "plain", server="self", asked=0)
    case.expect("a program that verifies nothing is not asked about", 1, OK, "--own", "blind",
                asked=0)


def jumps(case):
    """OpenSSL itself leaks what it was working on; we have nothing to leak then."""
    here = case.here
    here.configure("")
    here.start_agent("*=refuse")
    status, out, err = here.host("--port", case.site.port, "--param", NAME, "--callback", "jump",
                                 "--count", "40", "connect",
                                 env=here.environment(ASAN_OPTIONS="detect_leaks=0"))
    case.tap.case("callbacks that leave by longjmp: no crash, nothing accepted",
                  status == 0 and out.count(" ok=0 ") == 40, (status, out, err))


def resumption(case):
    here, site = case.here, case.site
    here.configure("")
    for more in ([], ["--tls12"]):
        here.start_agent()
        status, out, err = here.host("--port", site.port, "--param", NAME, *more, "resume")
        case.tap.case(f"a resumed session is not verified again {' '.join(more)}",
                      status == 0 and " reused=0\n" in out and " reused=1\n" in out and
                      len(here.asked()) == 1, (status, out, err, here.asked()))


def not_ours(case):
    here, tap = case.here, case.tap
    here.configure("tunnel_ports = 443\n")
    pair = ["--cert", here.path("site.pem")]
    here.start_agent("*=refuse")
    got = here.host("--param", NAME, *pair, "verify")
    tap.case("a certificate verified by hand is not asked about",
             got[1] == "ok=1 result=0\n" and here.asked() == [], (got, here.asked()))
    got = here.run("openssl", "verify", "-CAfile", here.path("ca.pem"), here.path("site.pem")) \
        if not lab.sanitized() else (0, ": OK\n")
    tap.case("openssl verify is not asked about", ": OK\n" in got[1] and here.asked() == [], got)
    here.start_agent()
    got = here.host("--param", NAME, "--sni", NAME, *pair, "pair")
    tap.case("no socket at all: asked with the tunnel's ports; the server side is not asked about",
             got[1].startswith("port=0 ok=1 result=0") and here.asked() == [f"{NAME}:443"],
             (got, here.asked()))
    here.start_agent("*=refuse")
    got = here.host(*pair, "pair")
    tap.case("neither name nor socket: not applicable",
             got[1].startswith("port=0 ok=1 result=0") and here.asked() == [], (got, here.asked()))
    here.start_agent()
    got = here.host("--param", NAME, *pair, "--tls12", "--count", "3", "pair")
    tap.case("renegotiation is verified, and asked about, again",
             got[1].count(" ok=1 ") == 3 and here.asked() == [f"{NAME}:443"] * 3,
             (got, here.asked()))
    here.start_agent("*=refuse")
    got = here.host("--param", NAME, "--cert", here.path("client.pem"), "--port",
                    here.serve(client_ca=True).port, "connect")
    tap.case("a client certificate of one's own does not matter",
             " ok=0 result=28 " in got[1] and len(here.asked()) == 1, (got, here.asked()))


def main():
    tap = lab.Tap()
    with lab.Lab() as here:
        case = Cases(tap, here)
        for part in (answers, shipped_exclusions, config_rights, callbacks, nobody_enforces, pki_errors, replace_mode,
                     own_verification, jumps, resumption, not_ours):
            part(case)
    tap.done()


main()
