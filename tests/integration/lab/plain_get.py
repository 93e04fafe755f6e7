# SPDX-License-Identifier: MIT
"""Sends a plain HTTP request to a relay on this host, as a program of its own:
`plain_get.py PORT HOST`. Waits until the relay listens, at most ten seconds."""
import socket
import sys
import time


def connect(port):
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


connection = connect(int(sys.argv[1]))
connection.sendall(b"GET / HTTP/1.0\r\nHost: %s\r\n\r\n" % sys.argv[2].encode())
try:
    while data := connection.recv(65536):
        sys.stdout.buffer.write(data)
except OSError as error:
    sys.exit(str(error))
