# SPDX-License-Identifier: MIT
"""Stands before a PostgreSQL server, as a program of its own: `postgres_front.py CONFIG.json`.

Passes connections on to the server. With "direct" it asks the server for TLS first where a client
begins with TLS at once, as PostgreSQL 17 offers by itself: on a port that is not PostgreSQL's own, a
notary cannot know how TLS begins there.
CONFIG is [{"address", "port", "server_port", "direct"}]. Prints "ready" when all listen."""
import asyncio
import json
import sys

from relay import pump

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
TLS_HANDSHAKE = b"\x16"


def front(server_port, direct):
    async def serve(reader, writer):
        try:
            first = await reader.readexactly(1)
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", server_port)
            if direct and first == TLS_HANDSHAKE:
                server_writer.write(SSL_REQUEST)
                if await server_reader.readexactly(1) != b"S":
                    raise ConnectionError("the server has no TLS")
            server_writer.write(first)
            await asyncio.gather(pump(reader, server_writer), pump(server_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
    return serve


async def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    for spec in config:
        await asyncio.start_server(front(spec["server_port"], spec["direct"]), spec["address"], spec["port"])
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
