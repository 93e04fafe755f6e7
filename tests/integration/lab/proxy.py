# SPDX-License-Identifier: MIT
"""A proxy that knows HTTP's CONNECT and SOCKS 5 with names, as a program of its own: `proxy.py ADDRESS PORT`.

Prints "ready" when it listens."""
import asyncio
import sys

from relay import pump

SOCKS5 = b"\x05"


async def http(reader):
    """Reads CONNECT; returns where to, and what to say once it is reached."""
    head = await reader.readuntil(b"\r\n\r\n")
    method, target = head.split(b" ")[:2]
    if method != b"ONNECT":  # the first octet is read already
        raise ConnectionError("only CONNECT")
    host, port = target.decode("ascii").rsplit(":", 1)
    return host, int(port), b"HTTP/1.1 200 Connection established\r\n\r\n"


async def socks(reader, writer):
    """As http(), after SOCKS 5 without a password, to a name."""
    await reader.readexactly((await reader.readexactly(1))[0])
    writer.write(b"\x05\x00")
    if await reader.readexactly(4) != b"\x05\x01\x00\x03":
        raise ConnectionError("only a connection to a name")
    host = await reader.readexactly((await reader.readexactly(1))[0])
    port = int.from_bytes(await reader.readexactly(2), "big")
    return host.decode("ascii"), port, b"\x05\x00\x00\x01" + bytes(6)


async def serve(reader, writer):
    try:
        first = await reader.readexactly(1)
        host, port, answer = await (socks(reader, writer) if first == SOCKS5 else http(reader))
        far_reader, far_writer = await asyncio.open_connection(host, port)
        writer.write(answer)
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
