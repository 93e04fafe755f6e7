# SPDX-License-Identifier: MIT
"""Namespaces, links and routes: who is where, and who is in between.

    client --- attacker --- core --- sites
                  |           |----- notary1, notary2, notary3, each at its own place
               impostor: where the attacker keeps notaries of its own

All addresses are the documentation ranges, which no notary outside a lab would look at. Cables carry
IPv6 as well, one network each, where this machine has it: the third notary is at such an address."""
import ctypes
import ipaddress
import os
import socket
import subprocess
import threading

from . import isolation

IPV6 = "/proc/sys/net/ipv6"
HAVE_IPV6 = os.path.exists(IPV6)
CLIENT = "198.51.100.2"
ATTACKER = "198.51.100.1"
IMPOSTOR = "198.51.100.130"
IMPOSTOR6 = "2001:db8:2::2"
SITES = "203.0.113.0/24 2001:db8:4::/64"
NOTARIES = "192.0.2.0/24 2001:db8:5::/64 2001:db8:6::/64 2001:db8:7::/64"
_NOTARIES4 = ["192.0.2.18", "192.0.2.34", "192.0.2.50"]
NOTARY_ADDRESSES = _NOTARIES4[:2] + ["2001:db8:7::2" if HAVE_IPV6 else _NOTARIES4[2]]

_SETUP = """
ip link set lo up
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
echo 1 > /proc/sys/net/ipv4/ip_forward
if [ -e /proc/sys/net/ipv6 ]; then
    cd /proc/sys/net/ipv6/conf
    echo 0 | tee all/disable_ipv6 default/disable_ipv6 all/accept_dad default/accept_dad
    echo 1 > all/forwarding
fi >/dev/null
echo ready
exec sleep infinity
"""


def alone(address):
    """The network of this address and no other."""
    return str(ipaddress.ip_network(address))


class Namespace:
    """One place. A process that only sleeps keeps it alive."""

    def __init__(self, name):
        self.name = name
        self.children = []
        self.anchor = subprocess.Popen(["unshare", "--net", "sh", "-e", "-c", _SETUP],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if self.anchor.stdout.readline() != b"ready\n":
            raise isolation.Unavailable("cannot set up a network namespace")

    def enter(self, command, as_person=True):
        """The command line that runs a command here; its pid is the command's own."""
        prefix = ["nsenter", "--net=/proc/%d/ns/net" % self.anchor.pid, "--"]
        return prefix + (isolation.person() if as_person else []) + command

    def ip(self, *lines):
        subprocess.run(self.enter(["ip", "-batch", "-"], as_person=False),
                       input="\n".join(lines) + "\n", text=True, check=True)

    def run(self, command, timeout=30, **options):
        """Runs to the end; returns the CompletedProcess with bytes captured."""
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        return subprocess.run(self.enter(command), capture_output=True, timeout=timeout, **options)

    def start(self, command, **options):
        """Starts something that goes on until stop()."""
        options.setdefault("stdin", subprocess.DEVNULL)
        child = subprocess.Popen(self.enter(command), **options)
        self.children.append(child)
        return child

    def connect(self, address):
        """A TCP connection of this process that is made from here. A socket stays in the namespace
        that its thread was in, so a thread that ends then goes there for it."""
        result = []

        def thread():
            try:
                with open("/proc/%d/ns/net" % self.anchor.pid, "rb") as namespace:
                    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                result.append(socket.create_connection(address))
            except OSError as error:
                result.append(error)

        worker = threading.Thread(target=thread)
        worker.start()
        worker.join()
        if isinstance(result[0], OSError):
            raise result[0]
        return result[0]

    def stop(self):
        for child in self.children + [self.anchor]:
            if child.poll() is None:
                child.kill()
            child.wait()


class Network:
    def __init__(self):
        self.places = {}
        for name in ("client", "attacker", "impostor", "core", "sites",
                     "notary1", "notary2", "notary3"):
            self.places[name] = Namespace(name)
        self.cables = 0
        self._link("attacker", ATTACKER + "/25", "client", CLIENT + "/25")
        self._link("attacker", "198.51.100.129/25", "impostor", IMPOSTOR + "/25")
        self._link("core", "192.0.2.1/28", "attacker", "192.0.2.2/28", "eth1")
        self._link("core", "203.0.113.1/24", "sites", "203.0.113.2/24")
        for number, address in enumerate(_NOTARIES4, 1):
            gateway = address.rsplit(".", 1)[0] + ".%d" % (int(address.rsplit(".", 1)[1]) - 1)
            self._link("core", gateway + "/28", "notary%d" % number, address + "/28")
        self.place("core").ip("route add 198.51.100.0/24 via 192.0.2.2")
        if HAVE_IPV6:
            self.place("core").ip("route add 2001:db8:1::/64 via 2001:db8:3::2",
                                  "route add 2001:db8:2::/64 via 2001:db8:3::2")

    def place(self, name):
        return self.places[name]

    def _link(self, near, near_address, far, far_address, device="eth0"):
        """A cable; the far end sends everything it does not know to the near end."""
        cable = "to-%s" % far
        self.cables += 1
        network = "2001:db8:%d::" % self.cables
        near_addresses, far_addresses = [near_address], [far_address]
        if HAVE_IPV6:
            near_addresses.append(network + "1/64")
            far_addresses.append(network + "2/64")
        self.place(near).ip(
            "link add %s type veth peer name %s netns %d" % (cable, device,
                                                             self.place(far).anchor.pid),
            *["addr add %s dev %s" % (address, cable) for address in near_addresses],
            "link set %s up" % cable)
        self.place(far).ip(
            *["addr add %s dev %s" % (address, device) for address in far_addresses],
            "link set %s up" % device)
        self.place(far).ip(
            *["route add default via %s" % address.split("/")[0] for address in near_addresses])

    def add_site(self, address):
        self.place("sites").ip("addr add %s dev eth0" % alone(address))

    # What the attacker can do to the client, being the only way out.

    def hijack(self, address):
        """The attacker answers for a site's address; the notaries still reach the site."""
        self.place("attacker").ip("addr add %s dev lo" % alone(address))

    def release(self, address):
        self.place("attacker").ip("addr del %s dev lo" % alone(address))

    def cut_off_notaries(self, silently=False):
        """The attacker refuses connections to notaries at once, or makes packets vanish silently."""
        for address in NOTARY_ADDRESSES:
            if silently:
                self.place("attacker").ip("route add blackhole %s" % alone(address))
            else:
                self.hijack(address)

    def restore_notaries(self):
        """After cut_off_notaries(silently=True)."""
        for address in NOTARY_ADDRESSES:
            self.place("attacker").ip("route del blackhole %s" % alone(address))

    def impersonate_notaries(self):
        """Who asks a notary reaches the attacker's notary of the same address instead."""
        for address in NOTARY_ADDRESSES:
            self.place("impostor").ip("addr add %s dev lo" % alone(address))
            self.place("attacker").ip("route add %s via %s" % (
                alone(address), IMPOSTOR6 if ":" in address else IMPOSTOR))

    def stop(self):
        for place in self.places.values():
            place.stop()


def write_hosts(path, names):
    """names: {host name: address}; shown to everybody in the lab as /etc/hosts."""
    with open(path, "w", encoding="ascii") as hosts:
        hosts.write("127.0.0.1 localhost\n")
        for name, address in names.items():
            hosts.write("%s %s\n" % (address, name))
    os.chmod(path, 0o644)
