# SPDX-License-Identifier: MIT
# What the tests of the operator's listener share: a notary that has one.
import http.client
import os
import re

import exposition
from notarylab import Notary, expect, free_ports


class Watched(Notary):
    """A notary with a status port."""

    def __init__(self, settings="", **named):
        self.status_port = free_ports(1)[0]
        super().__init__(settings=f"status_port = {self.status_port}\n"
                                  f"status_listen = 127.0.0.1\n{settings}", **named)

    def get(self, path, method="GET", **headers):
        """Status, header fields and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.status_port, timeout=20)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, body

    def metrics(self):
        status, headers, body = self.get("/metrics")
        expect(status, 200)
        expect(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        return exposition.parse(body)


def counted(notary, name, **labels):
    return exposition.value(notary.metrics(), f"converge_notary_{name}", **labels)


def version():
    with open(os.path.join(os.environ.get("top_builddir", "."), "config.h"),
              encoding="ascii") as file:
        return re.search('#define VERSION "(.*)"', file.read()).group(1)
