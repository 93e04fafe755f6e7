# SPDX-License-Identifier: MIT
"""Sites that need what serve.py has not: HTTP/2, one version of TLS, sessions that are resumed,
connections that are kept. Each page says how it was fetched: "genuine TLSv1.3 r HTTP/2.0"; r: in a
resumed session."""
import os
import time

from . import isolation

READY_S = 10

_CONFIG = """
daemon off; master_process off; pid {scratch}/nginx.pid; error_log stderr;
events {{}}
http {{
    log_format seen '$hostname: $server_addr $server_port $http_host $uri $upgrade';
    access_log {log} seen;
    map $http_upgrade $upgrade {{ default $http_upgrade; }}
    client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi; uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
    default_type text/html;
{servers}
}}
"""
_SERVER = """
    server {{
        listen {address}:{port} ssl{http2};
        ssl_certificate {certificate}; ssl_certificate_key {key};
        ssl_protocols {protocol};
        ssl_session_cache shared:s{number}:1m;
        {more}
        location / {{ return 200 "{text} $ssl_protocol $ssl_session_reused $server_protocol"; }}
    }}
"""


def server(address, port, certificate, text, protocol="TLSv1.2 TLSv1.3", http2=False, more=""):
    """more: of its configuration. Connections are kept open, unless that says otherwise."""
    return {"address": address, "port": port, "certificate": certificate.certificate,
            "key": certificate.key, "text": text, "protocol": protocol,
            "http2": " http2" if http2 else "", "more": more}


class Nginx:
    """One that serves these servers in a place, until the lab ends."""

    def __init__(self, lab, place, servers):
        self.scratch = os.path.join(isolation.SCRATCH, "nginx-" + place)
        self.log_path = os.path.join(self.scratch, "access.log")
        os.mkdir(self.scratch, 0o755)
        text = "".join(_SERVER.format(number=number, **values)
                       for number, values in enumerate(servers))
        config = os.path.join(self.scratch, "nginx.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(_CONFIG.format(scratch=self.scratch, log=self.log_path, servers=text))
        with open(os.path.join(self.scratch, "errors"), "wb") as errors:
            self.process = lab.network.place(place).start(
                ["nginx", "-p", self.scratch, "-c", config], env=lab.environment(), stderr=errors)
        self._wait(lab.network.place(place), servers)

    def _wait(self, place, servers):
        """All listen or none does: nginx takes one after the other, the last one last."""
        last = "src %s:%d" % (servers[-1]["address"], servers[-1]["port"])
        deadline = time.monotonic() + READY_S
        while not place.run(["ss", "-Hltn", last]).stdout.strip():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(os.path.join(self.scratch, "errors"), encoding="utf-8") as file:
                    raise RuntimeError("nginx does not start: " + file.read())
            time.sleep(0.02)

    def served(self, host):
        """The requests for a host, one line each."""
        with open(self.log_path, encoding="utf-8") as file:
            return [line for line in file if " %s" % host in line]
