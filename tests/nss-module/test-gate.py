# SPDX-License-Identifier: MIT
"""The gate in programs over NSS: what is asked and when, and what becomes of the answer."""
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gatelab
import nsslab
from gatelab import HOST, NAME, REFUSED, passed, refused
from nsslab import lab

TLS12 = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)


def answers(case):
    for more in [], ["--nonblocking"], ["--tls12"], ["--nonblocking", "--tls12"], ["--import"]:
        wait = r"\d+" if "--nonblocking" in more else "0"
        words = " ".join(more) or "blocking"
        case.expect(f"{words}: accept", case.scene("connect", *more), [passed(wait)], 1)
        case.expect(f"{words}: unchanged", case.scene("connect", *more, rule="unchanged"),
                    [passed(wait)], 1)
        case.expect(f"{words}: refuse, now and later", case.scene("connect", *more, rule="refuse"),
                    [refused(wait)], 1)
        case.tap.case(f"{words}: nothing was said to a server that is refused",
                      not any(case.sink.heard), case.sink.heard)
        case.expect(f"{words}: slow", case.scene("connect", *more, rule="slow"), [passed(wait)], 1)
        case.expect(f"{words}: silent, until the deadline",
                    case.scene("connect", *more, rule="silent", config="deadline = 300ms\n"),
                    [refused(wait)], 1)
        case.expect(f"{words}: an agent that hangs up",
                    case.scene("connect", *more, rule="close"), [refused(wait)], 1)
        case.expect(f"{words}: no agent",
                    case.scene("connect", *more, rule=None), [refused(wait)])
        case.expect(f"{words}: monitor does not wait",
                    case.scene("connect", *more, rule="silent", config="mode = monitor\n"),
                    [passed(wait)], 1)


def configurations(case):
    case.expect("no agent and on_unreachable = allow", case.scene(
        "connect", rule=None, config="on_unreachable = allow\n"), [passed()])
    case.expect("a broken configuration refuses", case.scene("connect", config="mode = perhaps\n"),
                [refused()], 0)
    case.expect("an excluded program is not asked about",
                case.scene("connect", rule="refuse", config="exclude_programs = host\n"),
                [passed()], 0)
    case.expect("nor is one of the shipped list, also with a broken configuration",
                case.scene("connect", config="mode = perhaps\n",
                           program=shutil.copy(HOST, case.here.path("unbound"))), [passed()], 0)
    got = case.scene("connect", "--overrule", rule="refuse")
    case.expect("a program that lets bad certificates pass is refused all the same", got,
                [refused()], 1)


def pki(case):
    here = case.here
    for name in "self", "expired":
        site = here.serve(name, then=case.sink)
        case.expect(f"{name}: PKI refuses, without a question", case.scene("connect", site=site), [
            r"port=PORT ok=0 error=SEC_ERROR_\w+ later=- waits=0 reused=0"], 0, site)


def alerts(case):
    """PKI's refusal is told to the server, whom nobody was asked about."""
    told, told_in_time = [], threading.Event()

    def shake(connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(case.here.path("self.pem"), case.here.path("self.key"))
        try:
            context.wrap_socket(connection, server_side=True).recv(1)
        except ssl.SSLError as error:
            told.append(str(error))
        told_in_time.set()
        raise OSError("told")

    site = case.here.serve(preamble=shake)
    for more in [], ["--tls12"], ["--nonblocking"]:
        told.clear()
        told_in_time.clear()
        case.scene("connect", *more, site=site, rule="silent")
        told_in_time.wait(10)
        site_told = told and "alert" in told[0].lower()
        case.tap.case(f"an alert passes without a question {' '.join(more)}",
                      site_told and case.here.asked() == [], (told, case.here.asked()))


def resumption(case):
    for more in [], ["--tls12"]:
        args = ["--count", "3", *more]
        words = " ".join(more) or "TLS 1.3"
        lines = case.scene("connect", *args)
        case.expect(f"{words}: a resumed session is asked about like any other", lines,
                    [passed(), passed(reused=1), passed(reused=1)], 3)


def endpoints(case):
    here = case.here
    v6 = here.serve(address="::1", then=case.sink)
    case.expect("IPv6", case.scene("connect", "--address", "::1", site=v6), [passed()], 1, v6)
    case.expect("IPv6: refuse", case.scene("connect", "--address", "::1", site=v6, rule="refuse"),
                [refused()], 1, v6)

    def answer(connection):
        lab.read_until(connection, b"STARTTLS\r\n")
        connection.sendall(b"220 go\n")

    site = here.serve(preamble=answer, then=case.sink)
    for more in [], ["--import"]:
        case.expect(f"TLS that begins later {' '.join(more)}",
                    case.scene("connect", "--before", "starttls", *more, site=site), [passed()],
                    1, site)
    proxy = lab.Proxy(case.site.port)
    case.expect("CONNECT: its target is asked about",
                case.scene("connect", "--before", "connect", site=proxy), [passed()],
                [f"{NAME}:9443"])
    case.expect("CONNECT: refused",
                case.scene("connect", "--before", "connect", site=proxy, rule="refuse"),
                [refused()], [f"{NAME}:9443"])
    proxy.stop()
    case.expect("a layer that knows whom the proxy is for",
                case.scene("connect", "--before", "socks"), [passed()], [f"{NAME}:8443"])


def loops(case):
    some = r"\d+"
    for rule, expected in ("slow", passed(some, r"\d")), ("accept", passed(some, r"\d")), \
            ("refuse", refused(r"\d+")), ("silent", refused(r"\d+")):
        config = "deadline = 1s\n" if rule == "silent" else "deadline = 20s\n"
        lines = case.scene("loop", "--count", "50", rule=rule, config=config)
        numbers = re.fullmatch(r"passes=(\d+) sleeps=(\d+) typical=([\d.]+)", lines.pop())
        case.expect(f"50 connections in a thread's loop: {rule}", lines, [expected] * 50, 50)
    # The last loop has done nothing but wait.
    case.tap.case("a pass sleeps once, not for each connection", numbers[2] == "1", numbers)
    case.tap.case("a pass costs the thread little", nsslab.sanitized() or float(numbers[3]) < 2,
                  numbers)
    case.tap.case("and the loop does not spin", int(numbers[1]) < 1500, numbers)
    case.expect("64 threads", case.scene("threads", "--count", "3"),
                [passed("0", r"\d")] * 192, 192)
    case.expect("64 threads: refused", case.scene("threads", "--nonblocking", rule="refuse"),
                [refused(r"\d+")] * 64, 64)


def errors(case):
    case.expect("errors of before are there after", case.scene("errors"),
                ["sent=1 error=PR_FILE_NOT_FOUND_ERROR os=77 errno=78"])
    case.expect("no way out for a refused connection", case.scene("ways", rule="refuse"),
                [f"-1/{REFUSED} " * 4])
    case.expect("every way out for one that is not", case.scene("ways"), ["1/- " * 4])


def listeners(case):
    """A server that speaks before the client's last word in the handshake."""
    here = case.here

    def hurry(connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(here.path("site.pem"), here.path("site.key"))
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(heard, said, server_side=True)
        heard.write(connection.recv(65536))
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            connection.sendall(said.read() + b"\x17\x03\x03\x00\x20" * 1000)
        connection.recv(1)
        raise OSError("done")

    site = here.serve(preamble=hurry)
    case.expect("what a server says is not read before it has been judged, nor after a refusal",
                case.scene("listen", site=site, rule="silent", config="deadline = 500ms\n"),
                [f"before=-1/PR_WOULD_BLOCK_ERROR after=-1/{REFUSED} "], 1, site)


def hooks(case):
    here = case.here
    module = ["--module", os.path.abspath(nsslab.MODULE)]
    without = {"database": "without"}
    case.expect("another was in the table before us", case.scene(
        "hook-before", *module, **without),
        [passed(), "loaded: other=1", passed(reused=1), "unloaded: other=1", "restored=1"], 1)
    case.expect("another came after us", case.scene("hook-after", *module, **without),
                [passed(), "loaded: other=1", "restored=1"], 1)
    case.expect("another came after us: refused",
                case.scene("hook-after", *module, rule="refuse", **without),
                [refused(), "loaded: other=[01]", "restored=1"], 1)
    again = [passed(reused=1), "loaded: other=1"]
    case.expect("another stays when we go, and we come back", case.scene(
        "bury", *module, **without),
        [passed(), "unloaded: other=1", *again * 12, passed(reused=1), "unhooked: other=0"], 13)
    copy = here.path("copy/libconverge-nss.so")
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    shutil.copy(nsslab.MODULE, copy)
    case.expect("another copy of us stays out of the way", case.scene(
        "copy", *module, "--before", copy, **without), [passed(), "both: other=0"], 1)
    case.expect("NSS ends and begins again", case.scene("restart"),
                [passed(), passed(), passed()], 3)
    case.expect("NSS ends after a refusal", case.scene("restart", rule="refuse"),
                [refused()] * 3, 3)


def forks(case):
    case.expect("a forked child asks again, and goes on", case.scene("fork", rule="slow"),
                [passed(r"\d+")], 2)


def renegotiation(case):
    """With another leaf in the second handshake."""
    here = case.here
    here.sign("other", "subjectAltName=DNS:site.example", "30",
              ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other.load_cert_chain(here.path("other.pem"), here.path("other.key"))
    count = []

    def second(tls, _name, _context):
        count.append(1)
        if len(count) == 2:
            tls.context = other

    def twice(tls):
        for _ in range(2):
            tls.recv(65536)
            tls.sendall(b"ok\n")

    site = here.serve(versions=TLS12, then=twice)
    site.context.options |= 1 << 8  # SSL_OP_ALLOW_CLIENT_RENEGOTIATION
    site.context.options &= ~ssl.OP_NO_RENEGOTIATION
    site.context.sni_callback = second
    lines = case.scene("renegotiate", site=site)
    case.expect("a new leaf is a new question", lines, [passed(), "again=1", passed()], 2, site)


def greet(here, port, versions):
    """As a client with a certificate."""
    context = ssl.create_default_context(cafile=here.path("ca.pem"))
    context.load_cert_chain(here.path("client.pem"), here.path("client.key"))
    if versions:
        context.minimum_version, context.maximum_version = versions
    with socket.create_connection(("127.0.0.1", port)) as plain, \
            context.wrap_socket(plain, server_hostname=NAME) as tls:
        tls.sendall(b"hello")
        tls.recv(100)


def servers(case):
    here = case.here
    here.configure("")
    here.start_agent("*=refuse")
    server = subprocess.Popen(
        [HOST, "--db", here.path("with"), "--cert", here.path("site.pem"), "--count", "2",
         "serve"], stdout=subprocess.PIPE, text=True, env=here.environment())
    try:
        port = int(server.stdout.readline().split("=")[1])
        for versions in (None, TLS12):
            greet(here, port, versions)
        out = server.communicate(timeout=30)[0]
    finally:
        server.kill()
        server.wait()
    case.tap.case("a server's clients are not asked about",
                  server.returncode == 0 and here.asked() == [] and
                  out.count("client=1 port=0 ok=1 ") == 2, (out, here.questions()))


def main():
    tap = lab.Tap()
    with nsslab.NssLab() as here:
        case = gatelab.Cases(tap, here)
        for part in (answers, configurations, pki, alerts, resumption, endpoints, loops, errors,
                     listeners, hooks, forks, renegotiation, servers):
            part(case)
    tap.done()


main()
