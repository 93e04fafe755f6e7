# SPDX-License-Identifier: MIT
"""Mail servers that speak as much IMAP as a login takes, as a program of its own:
`imap.py CONFIG.json`.

Configured as sites.py says. Whatever a client says is noted in the log, passwords above all: "TEXT:
HOST LINE"."""
import asyncio
import base64
import ssl

from sites import TlsSite, serve

CAPABILITY = b"CAPABILITY IMAP4rev1 AUTH=PLAIN"


class Server(TlsSite):
    async def start(self):
        await asyncio.start_server(self.serve, self.spec["address"], self.spec["port"],
                                   ssl=self.context)

    async def line(self, reader, writer):
        text = (await reader.readuntil(b"\r\n")).strip()
        self.note("%s %s" % (self.name(writer), text.decode("ascii", "replace")))
        return text

    async def answer(self, reader, writer, tag, command):
        if command == b"AUTHENTICATE":
            writer.write(b"+ \r\n")
            words = base64.b64decode(await self.line(reader, writer)).split(b"\0")
            self.note("password %s" % words[-1].decode())
        elif command == b"CAPABILITY":
            writer.write(b"* " + CAPABILITY + b"\r\n")
        elif command == b"LOGOUT":
            writer.write(b"* BYE\r\n")
        writer.write(tag + b" OK done\r\n")
        await writer.drain()
        return command != b"LOGOUT"

    async def serve(self, reader, writer):
        try:
            writer.write(b"* OK [" + CAPABILITY + b"] " + self.spec["text"].encode() + b"\r\n")
            going_on = True
            while going_on:
                words = (await self.line(reader, writer)).upper().split(b" ") + [b""]
                going_on = await self.answer(reader, writer, words[0], words[1])
        except (OSError, ValueError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()


serve(Server)
