# SPDX-License-Identifier: MIT
# Certificates behind STARTTLS, seen by converge-notaryd: real servers, as Debian has them.
import os
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import serverlab
from notarylab import Certificate, Notary, SEEN, Tap, current, expect

(SMTP, IMAP, POP3, FTP, LDAP, XMPP, POSTGRESQL, MYSQL, SIEVE, _NNTP, IRC,
 XMPP_SERVER) = range(2, 14)

# How each is started, and what is asked for at each of its ports.
SERVERS = {
    "PostgreSQL": (serverlab.postgresql, [POSTGRESQL]),
    "MariaDB": (serverlab.mariadb, [MYSQL]),
    "Dovecot (IMAP, POP3, ManageSieve)": (serverlab.dovecot, [IMAP, POP3, SIEVE]),
    "OpenLDAP": (serverlab.slapd, [LDAP]),
    "Prosody (clients, servers)": (serverlab.prosody, [XMPP, XMPP_SERVER]),
    "vsftpd": (serverlab.vsftpd, [FTP]),
    "InspIRCd": (serverlab.inspircd, [IRC]),
    "Postfix": (serverlab.postfix, [SMTP]),
}


def look(notary, home, start, hints, certificate):
    try:
        targets = [(serverlab.HOST, port, certificate.sha256, hint)
                   for port, hint in zip(start(home), hints)]
        for statement, hint in zip(notary.v2(*targets), hints):
            expect((statement["status"], current(statement)), (SEEN, [certificate.sha256]),
                   f"hint {hint}")
    finally:
        home.stop()


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="converge-servers-") as directory, \
            Notary(settings="probe_timeout = 9s\n", hosts=f"127.0.0.1 {serverlab.HOST}\n") as notary:
        os.chmod(directory, 0o755)
        certificate = Certificate(directory, serverlab.HOST)
        for name, (start, hints) in SERVERS.items():
            home = serverlab.Home(directory, start.__name__, certificate)
            tap.case(name, lambda h=home, s=start, k=hints: look(notary, h, s, k, certificate))
        expect(notary.stop(), 0)
    tap.done()


main()
