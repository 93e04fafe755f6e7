# SPDX-License-Identifier: MIT
# A real authoritative server (NSD) on loopback, with one zone that is signed and one that is not.
import glob
import os
import shutil
import socket
import struct
import subprocess
import time

from dnslab import wire_name
from notarylab import free_ports

TOOLS = ("nsd", "ldns-keygen", "ldns-signzone")
SOA = 6

HEAD = """$ORIGIN {zone}.
$TTL 60
@ IN SOA ns.{zone}. root.{zone}. 1 3600 600 86400 60
@ IN NS ns.{zone}.
ns IN A 127.0.0.1
good IN A 127.0.0.1
bad IN A 127.0.0.2
alias IN CNAME good
_443._tcp.good IN TLSA 3 1 1 {digest}
_443._tcp.bad IN TLSA 3 1 1 {digest}
"""
DIGEST = "ab" * 32

CONFIG = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  zonesdir: "{directory}"
  database: ""
  pidfile: ""
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  logfile: "{directory}/nsd.log"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: signed.example
  zonefile: signed.zone
zone:
  name: plain.example
  zonefile: plain.zone
"""


def missing():
    """Why there can be no such server here, or None."""
    for tool in TOOLS:
        if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin") is None:
            return f"{tool} is not installed"
    return None


class Nsd:
    """.server for dns_servers, .anchor for dns_anchor. In signed.example the records of "bad" are
    others than those that were signed. more: further lines of both zones; lies: which records, as
    ldns-signzone writes them, are replaced by what after signing."""

    def __init__(self, directory, more="", lies=()):
        self.directory = directory
        self.more = more
        self.lies = lies
        self.port = free_ports(1)[0]
        self.server = f"127.0.0.1@{self.port}"
        self.anchor = os.path.join(directory, "anchor")
        self.write("plain.zone", self.zone("plain.example"))
        self.write("signed.unsigned", self.zone("signed.example"))
        self.sign()
        self.write("nsd.conf", CONFIG.format(port=self.port, directory=directory))
        self.process = subprocess.Popen(
            ["nsd", "-d", "-c", os.path.join(directory, "nsd.conf")],
            env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_until_ready()

    def zone(self, name):
        return HEAD.format(zone=name, digest=DIGEST) + self.more

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="ascii") as file:
            file.write(text)

    def read(self, name):
        with open(os.path.join(self.directory, name), encoding="ascii") as file:
            return file.read()

    def run(self, *command):
        return subprocess.run(command, cwd=self.directory, check=True, capture_output=True,
                              text=True).stdout.strip()

    def sign(self):
        key = self.run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "signed.example")
        shutil.copy(glob.glob(os.path.join(self.directory, key + ".key"))[0], self.anchor)
        self.run("ldns-signzone", "-f", "signed.zone", "signed.unsigned", key)
        signed = self.read("signed.zone")
        for record, lie in (("bad.signed.example.\t60\tIN\tA\t127.0.0.2",
                             "bad.signed.example.\t60\tIN\tA\t127.0.0.1"),
                            (f"_443._tcp.bad.signed.example.\t60\tIN\tTLSA\t3 1 1 {DIGEST}",
                             f"_443._tcp.bad.signed.example.\t60\tIN\tTLSA\t3 1 1 {'cd' * 32}"),
                            *self.lies):
            if record not in signed:
                raise AssertionError(f"ldns-signzone writes it otherwise: {record}")
            signed = signed.replace(record, lie)
        self.write("signed.zone", signed)

    def wait_until_ready(self):
        question = (struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + wire_name("signed.example") +
                    struct.pack("!HH", SOA, 1))
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                one.settimeout(0.2)
                try:
                    one.connect(("127.0.0.1", self.port))
                    one.send(question)
                    if one.recv(512)[:2] == question[:2]:
                        return
                except OSError:
                    pass
        self.stop()
        raise AssertionError("nsd does not answer: " + self.read("nsd.log"))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
