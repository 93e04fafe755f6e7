# SPDX-License-Identifier: MIT
"""An HTTP proxy that knows CONNECT only, as a program of its own: `proxy.py ADDRESS PORT`.

Prints "ready" when it listens."""
import asyncio
import sys

from relay import pump


async def serve(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target = head.split(b" ")[:2]
        if method != b"CONNECT":
            raise ConnectionError("only CONNECT")
        host, port = target.decode("ascii").rsplit(":", 1)
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
    except (OSError, ValueError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main():
    await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]))
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
