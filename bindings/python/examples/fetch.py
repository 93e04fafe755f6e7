#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fetches a page over HTTPS with urllib.request, the connection held against the notaries before
anything is sent: fetch.py HOST [PORT [CAFILE]]

Exit status: 0 if it was fetched, 1 if not, as where PKI or the notaries refuse the certificate."""
import argparse
import http.client
import ssl
import sys
import urllib.error
import urllib.request
from typing import Any

import converge


def tell(result: converge.Result) -> None:
    """Who said what."""
    said = ", ".join(f"{vote.notary} {vote.answer}" for vote in result.votes)
    print(f"{result.verdict} ({said or result.reason})", file=sys.stderr)


class CheckedConnection(http.client.HTTPSConnection):
    """An HTTPS connection that the notaries have confirmed, or none."""

    def connect(self) -> None:
        super().connect()
        try:
            tell(converge.verify_socket(self.sock))
        except converge.CertificateRefused as refused:
            tell(refused.result)
            self.close()
            raise


class CheckedHandler(urllib.request.HTTPSHandler):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self.context = context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        def connection(host: str, **options: Any) -> CheckedConnection:
            return CheckedConnection(host, context=self.context, **options)
        return self.do_open(connection, req)  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(description="Fetch a page that notaries have confirmed.")
    parser.add_argument("host")
    parser.add_argument("port", nargs="?", type=int, default=443)
    parser.add_argument("cafile", nargs="?", help="authorities to trust, not the system's")
    arguments = parser.parse_args()
    context = ssl.create_default_context(cafile=arguments.cafile)
    # No proxies: through one, verify_socket() must be given the port that is asked for.
    opener = urllib.request.build_opener(CheckedHandler(context), urllib.request.ProxyHandler({}))
    url = f"https://{arguments.host}:{arguments.port}/"
    try:
        with opener.open(url) as page:
            sys.stdout.buffer.write(page.read())
    except urllib.error.URLError as problem:
        print(f"{url}: {problem.reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
