# SPDX-License-Identifier: MIT
# A DNS server for the tests, over UDP and TCP, that says what it is told to: answers, errors, lies,
# nothing.
import ipaddress
import socket
import struct
import threading
import time

from notarylab import Listener, free_ports

A, CNAME, AAAA = 1, 5, 28
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
SILENT = object()  # no answer at all


def wire_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(name, kind, data, ttl=60):
    return wire_name(name) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def address(name, text, ttl=60):
    one = ipaddress.ip_address(text)
    return record(name, A if one.version == 4 else AAAA, one.packed, ttl)


def alias(name, to):
    return record(name, CNAME, wire_name(to))


def read_question(message):
    """The question's name in lower case and its type, and where it ends."""
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    kind = struct.unpack("!H", message[at + 1:at + 3])[0]
    return ".".join(labels).lower(), kind, at + 5


class Later:
    """Records that the server has to find out first, as a resolver does: whoever asks meanwhile gets
    them at the same time."""

    def __init__(self, seconds, records):
        self.at = time.monotonic() + seconds
        self.records = records

    def wait(self):
        time.sleep(max(0, self.at - time.monotonic()))
        return self.records


class Dns:
    """says(name, type) gives a list of records, Later, an error code or SILENT. .asked lists the questions. truncated: names whose answers only TCP gives.
    twisted: names for which the answer has another number, or answers another question."""

    def __init__(self, says, truncated=(), twisted=()):
        self.says = says
        self.truncated = truncated
        self.twisted = twisted
        self.asked = []
        while True:
            self.port = free_ports(1)[0]
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.udp.bind(("127.0.0.1", self.port))
                self.tcp = Listener(self.serve_tcp, port=self.port)
                break
            except OSError:
                self.udp.close()
        self.thread = threading.Thread(target=self.serve_udp, daemon=True)
        self.thread.start()

    @property
    def server(self):
        return f"127.0.0.1@{self.port}"

    def answer(self, message, over_tcp):
        name, kind, end = read_question(message)
        self.asked.append((name, kind))
        said = self.says(name, kind)
        if said is SILENT:
            return None
        if isinstance(said, Later):
            said = said.wait()
        records, code = (said, NOERROR) if isinstance(said, list) else ([], said)
        flags = 0x8180 | code
        if not over_tcp and name in self.truncated:
            flags, records = flags | 0x0200, []
        number, question = message[:2], message[12:end]
        if name in self.twisted:
            question = wire_name("other.example") + question[-4:]
        return (number + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + question +
                b"".join(records))

    def serve_udp(self):
        while True:
            try:
                message, client = self.udp.recvfrom(4096)
            except OSError:
                return
            threading.Thread(target=self.serve_one, args=(message, client), daemon=True).start()

    def serve_one(self, message, client):
        answer = self.answer(message, False)
        try:
            if answer is not None:
                self.udp.sendto(answer, client)
        except OSError:
            pass

    def serve_tcp(self, connection):
        connection.settimeout(10)
        try:
            with connection:
                while head := connection.recv(2, socket.MSG_WAITALL):
                    message = connection.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                    answer = self.answer(message, True)
                    if answer is None:
                        return
                    connection.sendall(struct.pack("!H", len(answer)) + answer)
        except OSError:
            pass

    def stop(self):
        self.udp.close()
        self.tcp.stop()
