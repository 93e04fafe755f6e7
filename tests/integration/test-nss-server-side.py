# SPDX-License-Identifier: MIT
"""A server over NSS that has the module in its database and asks its clients for certificates
checks them itself: notaries cannot know them and are never asked."""
import os
import shutil

from lab import isolation
from lab.nss import Database
from lab.session import session

HOST = "server.clean.converge-lab.net"
PORT = "8443"
REQUEST = "GET / HTTP/1.0\r\n\r\n"


def start_selfserv(lab, installation):
    """selfserv, as its own database knows it; returns the process once it listens."""
    database = Database(lab, os.path.join(isolation.SCRATCH, "selfserv"))
    database.trust("authority for clients", lab.authority.root.certificate, "CT,,")
    database.add_key("server", lab.authority.issue("server", [HOST]))
    database.enable(installation)
    installation.start_agent()
    errors = open(os.path.join(database.directory, "errors"), "wb")
    client = lab.network.place("client")
    child = client.start(["selfserv", "-n", "server", "-p", PORT, "-d", database.name, "-r", "-r",
                          "-v"], env=installation.environment(), stdout=errors, stderr=errors)
    client.run(["sh", "-c", "until ss -Hltn 'sport = %s' | grep -q .; do :; done" % PORT])
    return child, errors.name


def visit(lab, name, certificate):
    """tstclnt without Converge, with a certificate of its own."""
    database = Database(lab, os.path.join(isolation.SCRATCH, name))
    database.add_key("me", certificate)
    request = os.path.join(database.directory, "request")
    with open(request, "w", encoding="ascii") as file:
        file.write(REQUEST)
    answer = lab.network.place("client").run(
        ["tstclnt", "-4", "-h", "127.0.0.1", "-a", HOST, "-p", PORT, "-d", database.name, "-n", "me",
         "-A", request], env=lab.environment())
    return answer.stdout + answer.stderr


def loads(child):
    with open("/proc/%d/maps" % child.pid, encoding="utf-8") as maps:
        return "" if "libconverge-nss.so" in maps.read() else "it is not"


def main():
    with session({"server": "https"}) as (lab, result):
        if not shutil.which("selfserv"):
            result.skip("selfserv", "selfserv is not installed")
            return
        installation = lab.installation("server-side")
        child, errors = start_selfserv(lab, installation)
        good = visit(lab, "visitor",
                     lab.authority.issue("visitor", ["visitor.converge-lab.net"]))
        bad = visit(lab, "stranger",
                    lab.authority.self_signed("stranger", ["stranger.converge-lab.net"]))
        with open(errors, encoding="utf-8", errors="replace") as file:
            said = "%s\n%s\nselfserv: %s" % (good, bad, file.read())
        result.check("selfserv accepts a client's certificate by itself",
                     "" if b"200 OK" in good and "Certificate Validated" in said else said)
        result.check("selfserv refuses a client's self-signed certificate by itself",
                     said if b"200 OK" in bad or "Certificate Invalid" not in said else "")
        result.check("libconverge-nss.so is loaded in that selfserv", loads(child))
        result.check("the agent was never asked", installation.log() if
                     installation.verdicts() else "")


main()
