# SPDX-License-Identifier: MIT
"""TLS sites, as a program of its own: `serve.py CONFIG.json`.

Configured as sites.py says; besides, "starttls": null, "postgres" or "nut", and "direct": where those
go that begin with TLS at once. Every request is answered with the listener's text and noted in the
log, one line each, as is the end of each handshake: what the attacker has in its log has reached it."""
import asyncio
import json
import ssl

from relay import pump
from sites import TlsSite, serve

TLS_HANDSHAKE = b"\x16"
POSTGRES_SSL_REQUEST = bytes.fromhex("0000000804d2162f")


def body_for(text, host, path):
    name = text.replace(" ", "-")
    if "/info/refs" in path:  # what git wants to see of a repository
        return "%s\trefs/heads/%s" % ("1" * 40, name)
    if path.endswith("/config.json"):  # what cargo wants to see of a registry
        return json.dumps({"dl": "https://%s/dl" % host, "api": "https://%s" % host})
    if "/api/v1/crates" in path:
        return json.dumps({"crates": [{"name": name, "max_version": "1.0.0",
                                       "description": text}], "meta": {"total": 1}})
    return text


def reply(text, host, path):
    body = (body_for(text, host, path) + "\n").encode()
    return (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n" % len(body)) + body


class Site(TlsSite):
    async def start(self):
        handler = {"postgres": self.postgres, "nut": self.nut}.get(self.spec["starttls"], self.https)
        await asyncio.start_server(handler, self.spec["address"], self.spec["port"],
                                   ssl=None if self.spec["starttls"] else self.context)

    def note(self, what):
        super().note("%s %d %s" % (self.spec["address"], self.spec["port"], what))

    def host(self, head, writer):
        """Of the request, or where that has none, of the handshake."""
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"host:"):
                return line.split(b":", 1)[1].strip().decode("ascii", "replace")
        return self.name(writer)

    def note_handshake(self, writer):
        """That it is complete: the client has gone on after it saw the certificate."""
        self.note("%s handshake" % self.host(b"", writer))

    async def page(self, head, reader, writer):
        while not head.endswith(b"\r\n\r\n"):
            head += await asyncio.wait_for(reader.readuntil(b"\n"), 10)
        path = head.split(b" ")[1].decode("ascii", "replace")
        host = self.host(head, writer)
        resumed = writer.get_extra_info("ssl_object").session_reused
        self.note("%s %s%s" % (host, path, " resumed" if resumed else ""))
        return reply(self.spec["text"], host, path)

    def chat(self, line, writer):
        """IRC, and its end."""
        self.note("%s %s" % (self.host(b"", writer), line.split(b" ")[0].decode("ascii", "replace")))
        return b"ERROR :%s\r\n" % self.spec["text"].encode()

    async def https(self, reader, writer):
        self.note_handshake(writer)
        try:
            line = await asyncio.wait_for(reader.readuntil(b"\n"), 10)
            writer.write(await self.page(line, reader, writer) if b" HTTP/" in line
                         else self.chat(line, writer))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, IndexError,
                ssl.SSLError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def nut(self, reader, writer):
        """What a UPS's server says, until it says that there is no more power: then the client ends.
        Notaries, which do not know this protocol, see the certificate of the site's direct TLS."""
        try:
            first = await asyncio.wait_for(reader.readexactly(1), 10)
            if first == TLS_HANDSHAKE:
                far_reader, far_writer = await asyncio.open_connection(*self.spec["direct"])
                far_writer.write(first)
                await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
            elif await reader.readline() == b"TARTTLS\n":
                writer.write(b"OK STARTTLS\n")
                await writer.start_tls(self.context)
                self.note_handshake(writer)
                while line := await asyncio.wait_for(reader.readline(), 10):
                    self.note("%s %s" % (self.host(b"", writer), line.decode("ascii", "replace")[:-1]))
                    writer.write(b'VAR ups ups.status "FSD OB LB"\n' if line.startswith(b"GET")
                                 else b"OK\n")
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def postgres(self, reader, writer):
        """A man in the middle for PostgreSQL: agrees to TLS, then takes the first message."""
        try:
            if await asyncio.wait_for(reader.readexactly(8), 10) == POSTGRES_SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self.context)
                startup = await asyncio.wait_for(reader.read(1024), 10)
                if startup:
                    self.note("postgres %d" % len(startup))
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ssl.SSLError):
            pass
        finally:
            writer.close()


serve(Site)
