# SPDX-License-Identifier: MIT
"""What the lab's TLS servers have in common: `PROGRAM CONFIG.json`, with CONFIG {"log": path, "listen":
[{"address", "port", "certificate", "key", "text", ...}]}. Prints "ready" when all listeners listen."""
import asyncio
import json
import ssl
import sys


class TlsSite:
    """One listener. log: where it notes what comes, lines that begin with its text."""

    def __init__(self, spec, log):
        self.spec = spec
        self.log = log
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(spec["certificate"], spec["key"])
        self.context.sni_callback = self.remember_name

    @staticmethod
    def remember_name(tls, name, context):
        tls.asked_for = name

    @staticmethod
    def name(writer):
        """Whom the handshake was for."""
        return getattr(writer.get_extra_info("ssl_object"), "asked_for", None) or "-"

    def note(self, what):
        self.log.write("%s: %s\n" % (self.spec["text"], what))
        self.log.flush()


async def _serve(kind):
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    with open(config["log"], "a", encoding="utf-8") as log:
        for spec in config["listen"]:
            await kind(spec, log).start()
        print("ready", flush=True)
        await asyncio.Event().wait()


def serve(kind):
    """Runs a program's listeners, each a TlsSite of this kind, until the program is ended."""
    asyncio.run(_serve(kind))
