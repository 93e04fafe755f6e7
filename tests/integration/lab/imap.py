# SPDX-License-Identifier: MIT
"""Mail servers that speak as much IMAP as a login takes, as a program of its own:
`imap.py CONFIG.json`.

CONFIG is {"log": path, "listen": [{"address", "port", "certificate", "key", "text"}]}. Whatever a
client says is noted in the log, passwords above all: "TEXT: HOST LINE". Prints "ready" when all
listeners listen."""
import asyncio
import base64
import json
import ssl
import sys

CAPABILITY = b"CAPABILITY IMAP4rev1 AUTH=PLAIN"


class Server:
    def __init__(self, spec, log):
        self.spec = spec
        self.log = log
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(spec["certificate"], spec["key"])
        self.context.sni_callback = self.remember_name

    @staticmethod
    def remember_name(tls, name, context):
        tls.asked_for = name

    async def start(self):
        await asyncio.start_server(self.serve, self.spec["address"], self.spec["port"],
                                   ssl=self.context)

    async def line(self, reader, writer):
        text = (await reader.readuntil(b"\r\n")).strip()
        host = getattr(writer.get_extra_info("ssl_object"), "asked_for", None) or "-"
        self.log.write("%s: %s %s\n" % (self.spec["text"], host, text.decode("ascii", "replace")))
        self.log.flush()
        return text

    async def answer(self, reader, writer, tag, command):
        if command == b"AUTHENTICATE":
            writer.write(b"+ \r\n")
            words = base64.b64decode(await self.line(reader, writer)).split(b"\0")
            self.log.write("%s: password %s\n" % (self.spec["text"], words[-1].decode()))
            self.log.flush()
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


async def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    with open(config["log"], "a", encoding="utf-8") as log:
        for spec in config["listen"]:
            await Server(spec, log).start()
        print("ready", flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
