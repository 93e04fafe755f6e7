# SPDX-License-Identifier: MIT
"""Runs the host program of the gate's tests, and compares."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nsslab
from nsslab import lab

HOST = os.path.join(lab.BUILD, "tests/nss-module/host")
NAME = nsslab.NAME
REFUSED = "SEC_ERROR_UNTRUSTED_CERT"


class Sink:
    """Remembers what servers were told, and answers."""

    def __init__(self):
        self.heard = []

    def __call__(self, tls):
        data = tls.recv(65536)
        self.heard.append(data)
        if data:
            tls.sendall(b"HTTP/1.0 200 OK\r\n\r\nok\n")
            tls.recv(65536)


class Cases:
    def __init__(self, tap, here):
        self.tap = tap
        self.here = here
        self.sink = Sink()
        self.site = here.serve(then=self.sink)

    def host(self, *args, database="with", program=HOST, **options):
        return self.here.run(program, "--db", self.here.path(database), *args, **options)

    def scene(self, scene, *args, site=None, rule="accept", config="", **options):
        """Runs a scene against a site with an agent that follows this rule; returns its lines."""
        self.here.configure(config)
        self.sink.heard.clear()
        if rule is None:
            self.here.stop_agent()
        else:
            self.here.start_agent(f"*={rule}")
        port = (site or self.site).port
        status, out, err = self.host("--name", NAME, "--port", port, *args, scene, **options)
        if status or err:
            out += f"status={status} {err}"
        return [line.replace(str(port), "PORT") for line in out.splitlines()]

    def expect(self, what, lines, expected, asked=None, site=None):
        """The lines, each a pattern for the whole line, and whom was asked about."""
        port = (site or self.site).port
        questions = [f"{NAME}:{port}"] * asked if isinstance(asked, int) else asked
        good = len(lines) == len(expected) and all(map(re.fullmatch, expected, lines))
        if questions is not None:
            good = good and self.here.asked(len(questions)) == questions
        self.tap.case(what, good, (lines, expected, self.here.questions()))


def passed(waits="0", reused=0):
    return f"port=PORT ok=1 error=- later=- waits={waits} reused={reused}"


def refused(waits="0"):
    return f"port=PORT ok=0 error={REFUSED} later={REFUSED} waits={waits} reused=0"
