# SPDX-License-Identifier: MIT
"""Self-signed certificates in replace mode: accepted where the notaries confirm them, one endpoint
at a time, and by nobody else's word."""
import os
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gatelab
import nsslab
from gatelab import HOST, NAME, passed, refused
from nsslab import lab

REPLACE = "mode = replace\n"
TRUST_ERROR, OK = "2/0", "1/0"
OTHER = "www.site.example"
WAYS = [], ["--tls12"], ["--nonblocking"]

PKI = r"port=PORT ok=0 error=S\w+_ERROR_\w+ later=- waits=\d+ reused=0"


def pki_of(case):
    return [question["pki"] for question in case.here.questions()]


def one_endpoint(case, site):
    for more in WAYS:
        words = " ".join(more) or "TLS 1.3"
        case.expect(f"{words}: agreed: accepted, with one question",
                    case.scene("connect", *more, site=site, config=REPLACE), [passed(r"\d+")], 1,
                    site)
        case.tap.case(f"{words}: asked about as a trust error", pki_of(case) == [TRUST_ERROR],
                      case.here.questions())
        for rule in "refuse", "unchanged", "none", "close":
            case.expect(f"{words}: {rule}: PKI's error, with one question",
                        case.scene("connect", *more, site=site, rule=rule, config=REPLACE), [PKI],
                        1, site)
        case.expect(f"{words}: no agent: PKI's error",
                    case.scene("connect", *more, site=site, rule=None, config=REPLACE), [PKI])
        case.expect(f"{words}: silent: PKI's error at the deadline", case.scene(
            "connect", *more, site=site, rule="silent", config=REPLACE + "deadline = 300ms\n"),
            [PKI], 1, site)
        for mode in "augment", "monitor":
            case.expect(f"{words}: {mode}: PKI's error, without a question",
                        case.scene("connect", *more, site=site, config=f"mode = {mode}\n"), [PKI],
                        0, site)


def other_errors(case):
    """What no notary may overrule."""
    for name in "expired-self", "wrong-self":
        site = case.here.serve(name, then=case.sink)
        lines = case.scene("connect", site=site, config=REPLACE)
        case.expect(f"{name}: PKI's error", lines, [PKI])
    case.expect("a good chain: asked about once, as one", case.scene("connect", config=REPLACE),
                [passed()], 1)
    case.tap.case("and not as a trust error", pki_of(case) == [OK], case.here.questions())
    case.expect("a good chain: refused", case.scene("connect", rule="refuse", config=REPLACE),
                [refused()], 1)


def overruled(case, site):
    """By programs that let bad certificates pass."""
    got = case.scene("connect", "--overrule", site=site, rule="unchanged", config=REPLACE)
    case.expect("unchanged leaves it to the program", got, [passed()],
                [f"{NAME}:{site.port}"] * 2, site)
    got = case.scene("connect", "--overrule", site=site, rule="refuse", config=REPLACE)
    case.expect("refused is refused whatever the program thinks", got, [refused()], 1, site)


class Steps:
    """A host program that connects once for each line it is given."""

    def __init__(self, case, *targets):
        args = [arg for name, port in targets for arg in ("--name", name, "--port", str(port))]
        self.process = subprocess.Popen(
            [HOST, "--db", case.here.path("with"), *args, "--step", "connect"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=case.here.environment())

    def step(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        """The exit status: NSS must not find itself busy."""
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()


def good(line):
    return " ok=1 " in line


def second_endpoint(case, site):
    """NSS remembers that it trusts the leaf; we remember whose word that was."""
    here = case.here
    here.configure(REPLACE)
    here.start_agent(f"{OTHER}=refuse", "*=accept")
    steps = Steps(case, (NAME, site.port), (OTHER, site.port), (NAME, site.port))
    lines = [steps.step() for _ in range(3)]
    status = steps.end()
    case.tap.case("the same leaf elsewhere is judged by itself",
                  [good(line) for line in lines] == [True, False, True] and status == 0,
                  (lines, status, here.questions()))
    case.tap.case("as a trust error, each time",
                  here.asked() == [f"{name}:{site.port}" for name in (NAME, OTHER, NAME)] and
                  pki_of(case) == [TRUST_ERROR] * 3, here.questions())
    here.start_agent(f"{OTHER}=unchanged", "*=accept")
    steps = Steps(case, (NAME, site.port), (OTHER, site.port))
    lines = [steps.step() for _ in range(2)]
    case.tap.case("for a leaf we vouched for, unchanged does not mean PKI's word",
                  [good(line) for line in lines] == [True, False] and steps.end() == 0, lines)


def changed_mode(case, site):
    """The trust that NSS remembers is not trust in another mode."""
    here = case.here
    for mode in "augment", "monitor":
        here.configure(REPLACE)
        here.start_agent()
        steps = Steps(case, (NAME, site.port), (NAME, site.port))
        first = steps.step()
        here.configure(f"mode = {mode}\n")
        time.sleep(1.1)  # for so long a configuration may be believed without a look
        second = steps.step()
        case.tap.case(f"the mode becomes {mode}: trusted no longer",
                      good(first) and not good(second) and steps.end() == 0,
                      (first, second, here.questions()))


def told(case):
    """The handshake that ends says so to the server."""
    heard = []

    def shake(connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(case.here.path("self.pem"), case.here.path("self.key"))
        try:
            context.wrap_socket(connection, server_side=True).recv(1)
        except ssl.SSLError as error:
            heard.append(str(error))
        raise OSError("told")

    site = case.here.serve(preamble=shake)
    for more in WAYS:
        heard.clear()
        case.scene("connect", *more, site=site, rule="refuse", config=REPLACE)
        give_up = time.monotonic() + 10
        while not heard and time.monotonic() < give_up:
            time.sleep(0.01)
        case.tap.case(f"a refusal during the handshake is told {' '.join(more)}",
                      len(heard) == 1 and "alert" in heard[0].lower() and
                      case.here.asked() == [f"{NAME}:{site.port}"], (heard, case.here.questions()))


def make_certificates(here):
    for name, days, host in ("leaf-self", "30", NAME), ("expired-self", "-1", NAME), \
            ("wrong-self", "30", "a.example"):
        here.write(f"{name}.ext", f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n")
        here.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                     "-subj", f"/CN={name}.example")
        here.openssl("x509", "-req", "-in", f"{name}.csr", "-signkey", f"{name}.key",
                     "-out", f"{name}.pem", "-days", days, "-extfile", f"{name}.ext")


def main():
    tap = lab.Tap()
    with nsslab.NssLab() as here:
        make_certificates(here)
        case = gatelab.Cases(tap, here)
        for name in "self", "leaf-self":
            one_endpoint(case, here.serve(name, then=case.sink))
        other_errors(case)
        site = here.serve("self", then=case.sink)
        for part in overruled, second_endpoint, changed_mode:
            part(case, site)
        told(case)
    tap.done()


main()
