# SPDX-License-Identifier: MIT
# Certificates behind STARTTLS, seen by converge-notaryd: scripted servers of every protocol of the
# table, honest ones and such as decline, chatter or inject.
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, SEEN, Tap, UNREACHABLE, ZERO, current, expect
from loopback import Listener

SMTP, IMAP, POP3, FTP, LDAP, XMPP, POSTGRESQL, MYSQL, SIEVE, NNTP, IRC, XMPP_SERVER = range(2, 14)

XMPP_FEATURES = (b"<?xml version='1.0'?><stream:stream id='1' version='1.0'><stream:features>"
                 b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>")
MYSQL_GREETING = (b"\x1b\0\0\0\x0a8.0.1\0" b"\1\0\0\0" b"saltsalt\0" b"\xff\xff\x2d\2\0\xff\xc7")

# What the server says, and the end of what it then waits for; after the last it begins with TLS.
HONEST = {
    "SMTP": (SMTP, [(b"220 mx ESMTP\r\n", b"EHLO notary.invalid\r\n"),
                    (b"250-mx\r\n250 STARTTLS\r\n", b"STARTTLS\r\n"), (b"220 go\r\n", None)]),
    "IMAP": (IMAP, [(b"* OK ready\r\n", b"a STARTTLS\r\n"), (b"a OK go\r\n", None)]),
    "POP3": (POP3, [(b"+OK ready\r\n", b"STLS\r\n"), (b"+OK go\r\n", None)]),
    "FTP": (FTP, [(b"220-hi\r\nthere\r\n220 ready\r\n", b"AUTH TLS\r\n"), (b"234 go\r\n", None)]),
    "LDAP": (LDAP, [(b"", b"1.3.6.1.4.1.1466.20037"),
                    (b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00", None)]),
    "XMPP": (XMPP, [(b"", b"version='1.0'>"), (XMPP_FEATURES, b"xmpp-tls'/>"),
                    (b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", None)]),
    "XMPP between servers": (XMPP_SERVER, [(b"", b"version='1.0'>"),
                                           (XMPP_FEATURES, b"xmpp-tls'/>"), (b"<proceed/>", None)]),
    "PostgreSQL": (POSTGRESQL, [(b"", bytes.fromhex("0000000804d2162f")), (b"S", None)]),
    "MySQL": (MYSQL, [(MYSQL_GREETING, bytes(23)), (b"", None)]),
    "ManageSieve": (SIEVE, [(b'"IMPLEMENTATION" "x"\r\nOK\r\n', b"STARTTLS\r\n"),
                            (b'OK "go"\r\n', None)]),
    "NNTP": (NNTP, [(b"200 ready\r\n", b"STARTTLS\r\n"), (b"382 go\r\n", None)]),
    "IRC": (IRC, [(b":irc NOTICE * :wait\r\n", b"STARTTLS\r\n"), (b":irc 670 * :go\r\n", None)]),
}

# Where each is at home.
PORTS = {"SMTP": (25, 587), "IMAP": (143,), "POP3": (110,), "FTP": (21,), "LDAP": (389,),
         "XMPP": (5222,), "XMPP between servers": (5269,), "PostgreSQL": (5432,), "MySQL": (3306,),
         "ManageSieve": (4190,), "NNTP": (119,), "IRC": (6667,)}

# The same, but for the last thing said.
DECLINED = {"SMTP": b"454 no\r\n", "IMAP": b"a NO\r\n", "POP3": b"-ERR\r\n", "FTP": b"530 no\r\n",
            "LDAP": b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00",
            "XMPP": b"<failure/></stream:stream>", "XMPP between servers": b"<failure/>",
            "PostgreSQL": b"N", "ManageSieve": b"NO\r\n", "NNTP": b"580 no\r\n",
            "IRC": b":irc 691 * :no\r\n"}


class Scripted:
    """A server that keeps to a script, octet by octet if it is told to, then begins with TLS."""

    def __init__(self, script, certificate, last=None, slowly=False, port=0):
        self.script = script[:-1] + [(last, None)] if last is not None else script
        self.slowly = slowly
        self.problem = None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate.crt, certificate.key)
        self.listener = Listener(self.serve, port=port)
        self.port = self.listener.port

    def say(self, connection, octets):
        if not self.slowly:
            connection.sendall(octets)
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in octets:
            connection.sendall(bytes([octet]))

    def serve(self, connection):
        connection.settimeout(10)
        try:
            for says, wanted in self.script:
                self.say(connection, says)
                heard = b""
                while wanted is not None and not heard.endswith(wanted):
                    octet = connection.recv(1)
                    if not octet:
                        self.problem = f"hung up after {heard!r}, not {wanted!r}"
                        return
                    heard += octet
            with self.context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1)
        except OSError:
            pass
        finally:
            connection.close()

    def stop(self):
        self.listener.stop()


def look(notary, server, hint, sha256=ZERO):
    statement = notary.v2(("127.0.0.1", server.port, sha256, hint))[0]
    server.stop()
    return statement


def scripted(tap, notary, certificate):
    def honest(name, slowly):
        hint, script = HONEST[name]
        server = Scripted(script, certificate, slowly=slowly)
        statement = look(notary, server, hint, certificate.sha256)
        expect(server.problem, None)
        expect((statement["status"], statement["hint"], current(statement)),
               (SEEN, hint, [certificate.sha256]))

    def declined(name):
        hint, script = HONEST[name]
        server = Scripted(script, certificate, last=DECLINED[name])
        expect(look(notary, server, hint)["status"], UNREACHABLE)

    def injected(name):
        hint, script = HONEST[name]
        server = Scripted(script, certificate, last=script[-1][0] + b"\r\n250 injected\r\n")
        expect(look(notary, server, hint)["status"], UNREACHABLE)

    def endless():
        server = Scripted([(b"220-x\r\n" * 10000, b"\n")], certificate)
        expect(look(notary, server, SMTP)["status"], UNREACHABLE)

    def direct():
        """TLS from the first octet is none of those protocols, and the other way around."""
        server = Scripted([(b"", None)], certificate)
        statement = notary.v2(("127.0.0.1", server.port, certificate.sha256, 1))[0]
        expect((statement["status"], current(statement)), (SEEN, [certificate.sha256]))
        expect(look(notary, server, FTP)["status"], UNREACHABLE)

    for name in HONEST:
        tap.case(f"{name}: the very leaf behind it", lambda name=name: honest(name, False))
        tap.case(f"{name}: octet by octet", lambda name=name: honest(name, True))
    for name in DECLINED:
        tap.case(f"{name}: a server that declines is unreachable", lambda name=name: declined(name))
    for name in HONEST:
        if HONEST[name][1][-1][0]:
            tap.case(f"{name}: what comes before TLS is refused", lambda name=name: injected(name))
    tap.case("a server that never comes to an end is unreachable", endless)
    tap.case("hint 1 is TLS from the first octet", direct)


def by_port(tap, notary, certificate):
    """Without a hint, in both versions."""
    def found(name, port):
        server = Scripted(HONEST[name][1], certificate, port=port)
        status, _ = notary.v1("127.0.0.1", port, certificate.sha1)
        expect((server.problem, status), (None, 200))
        statement = look(notary, server, 0, certificate.sha256)
        expect((statement["hint"], current(statement)), (0, [certificate.sha256]))

    for name, ports in PORTS.items():
        for port in ports:
            tap.case(f"{name}: by its port {port}", lambda n=name, p=port: found(n, p))


INSIDE = "CONVERGE_TEST_INSIDE"  # this program runs in a network of its own
NAMESPACE = ["unshare", "--user", "--map-root-user", "--net", "--",
             "sh", "-c", 'ip link set lo up && exec "$@"', "-"]


def in_a_network_of_its_own(tap):
    """The registered ports are the machine's: they are used where nobody else is."""
    def run():
        result = subprocess.run([*NAMESPACE, sys.executable, "-B", os.path.abspath(__file__)],
                                env={**os.environ, INSIDE: "1"}, capture_output=True, text=True,
                                timeout=300, check=False)
        failed = [line for line in result.stdout.splitlines() if line.startswith("not ok")]
        expect((result.returncode, failed), (0, []), result.stdout + result.stderr[-2000:])

    missing = [name for name in ("unshare", "ip") if shutil.which(name) is None]
    if not missing and subprocess.run([*NAMESPACE, "true"], check=False,
                                      stderr=subprocess.DEVNULL).returncode != 0:
        missing = ["no namespaces here"]
    if missing:
        tap.skip("every protocol by its port", ", ".join(missing))
    else:
        tap.case("every protocol by its port", run)


def main():
    tap = Tap()
    inside = INSIDE in os.environ
    with tempfile.TemporaryDirectory(prefix="converge-starttls-") as directory:
        certificate = Certificate(directory, "one")
        with Notary(settings="probe_timeout = 3s\n") as notary:
            (by_port if inside else scripted)(tap, notary, certificate)
            expect(notary.stop(), 0)
    if not inside:
        in_a_network_of_its_own(tap)
    tap.done()


main()
