# SPDX-License-Identifier: MIT
"""A server that asks its clients for certificates checks them itself: notaries cannot know them
and are never asked."""
import os

from lab import isolation
from lab.programs import ANCHORS
from lab.session import session

NGINX = """
daemon off; master_process off; pid %(dir)s/nginx.pid; error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path %(dir)s/body; proxy_temp_path %(dir)s/proxy;
    fastcgi_temp_path %(dir)s/fastcgi; uwsgi_temp_path %(dir)s/uwsgi;
    scgi_temp_path %(dir)s/scgi;
    server {
        listen 198.51.100.2:8443 ssl;
        ssl_certificate %(server)s.crt;
        ssl_certificate_key %(server)s.key;
        ssl_client_certificate %(anchors)s;
        ssl_verify_client on;
        location / { return 200 "genuine $ssl_client_verify\\n"; }
    }
}
"""


def start_nginx(lab, installation):
    directory = os.path.join(isolation.SCRATCH, "nginx")
    os.mkdir(directory, 0o755)
    host = "server.clean.converge-lab.net"
    lab.authority.issue("server", [host])
    config = os.path.join(directory, "nginx.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(NGINX % {"dir": directory, "anchors": ANCHORS,
                            "server": os.path.join(lab.authority.directory, "server")})
    client = lab.network.place("client")
    log = open(os.path.join(directory, "errors"), "wb")
    client.start(installation.command("run", "--", "nginx", "-p", directory, "-c", config),
                 env=installation.environment(), stdout=log, stderr=log)
    return host, os.path.join(directory, "errors")


def main():
    with session({"server": "https"}) as (lab, result):
        installation = lab.installation("server-side")
        host, errors = start_nginx(lab, installation)
        wanted = lab.authority.issue("visitor", ["visitor.converge-lab.net"])
        stranger = lab.authority.self_signed("stranger", ["stranger.converge-lab.net"])
        client = lab.network.place("client")

        def visit(certificate):
            return client.run(["curl", "-sS", "--retry", "20", "--retry-connrefused",
                               "--retry-delay", "1", "--resolve", host + ":8443:198.51.100.2",
                               "--cert", certificate.certificate, "--key", certificate.key,
                               "https://%s:8443/" % host], env=lab.environment())

        answer = visit(wanted)
        with open(errors, encoding="utf-8", errors="replace") as file:
            said = "%s %s nginx: %s" % (answer.stdout, answer.stderr, file.read())
        result.check("nginx accepts a client's certificate by itself",
                     "" if b"genuine SUCCESS" in answer.stdout else said)
        result.check("nginx refuses a client's self-signed certificate by itself",
                     "genuine" if b"genuine" in visit(stranger).stdout else "")
        # nsenter and converge run keep the pid of what was started.
        with open("/proc/%d/maps" % client.children[-1].pid, encoding="utf-8") as maps:
            result.check("converge.so is loaded in that nginx",
                         "" if "converge.so" in maps.read() else "it is not")
        result.check("the agent was never asked", installation.log() if
                     installation.verdicts() else "")


main()
