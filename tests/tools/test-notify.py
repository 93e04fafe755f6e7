# SPDX-License-Identifier: MIT
"""converge watch --notify on a session bus of the test's own, with a notification service of its own."""
import os
import queue
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *
from watched import Agent, entry

try:
    import dbus
    import dbus.mainloop.glib
    import dbus.service
    from gi.repository import GLib
except ImportError as missing:
    print("1..0 # SKIP %s" % missing)
    sys.exit(0)
if not have("dbus-daemon"):
    print("1..0 # SKIP dbus is not installed")
    sys.exit(0)

NAME = "org.freedesktop.Notifications"


class Service(dbus.service.Object):
    """What a desktop has; remembers what it was told."""

    def __init__(self, bus):
        super().__init__(dbus.service.BusName(NAME, bus), "/org/freedesktop/Notifications")
        self.told = queue.Queue()

    @dbus.service.method(NAME, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, program, _replaces, _icon, summary, body, _actions, _hints, _expire):
        self.told.put((str(program), str(summary), str(body)))
        return dbus.UInt32(1)


class Desktop:
    def __init__(self):
        self.daemon = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE,
            text=True)
        self.address = self.daemon.stdout.readline().strip()
        loop = dbus.mainloop.glib.DBusGMainLoop()
        bus = dbus.bus.BusConnection(self.address, mainloop=loop)
        bus.set_exit_on_disconnect(False)
        self.service = Service(bus)
        self.loop = GLib.MainLoop()
        threading.Thread(target=self.loop.run, daemon=True).start()

    def next(self):
        return self.service.told.get(timeout=20)

    def close(self):
        self.loop.quit()
        self.daemon.terminate()
        self.daemon.wait()


class Watcher:
    def __init__(self, installation, address, *words):
        self.agent = Agent(installation)
        self.process = subprocess.Popen(
            [CONVERGE, "watch", "--notify", *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=installation.environment(DBUS_SESSION_BUS_ADDRESS=address))
        self.agent.accept()

    def end(self):
        self.process.terminate()
        out, err = self.process.communicate(timeout=20)
        self.agent.close()
        return self.process.returncode, out, err


def built_without():
    result = subprocess.run([CONVERGE, "watch", "--notify"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, check=False,
                            env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent"))
    return "built without D-Bus" in result.stderr


def refusals_are_told(installation):
    if built_without():
        raise Skip("built without D-Bus")
    desktop = Desktop()
    watcher = Watcher(installation, desktop.address)
    try:
        refused = entry("two.example", "refuse", "disagree", "<b>curl</b>")
        watcher.agent.say(entry("one.example"), refused, refused,
                          entry("three.example", "refuse", "disagree"))
        same(desktop.next(), ("Converge", "Refused: two.example",
                              "&lt;b&gt;curl&lt;/b&gt; was not connected: vote. "
                              "See: converge why two.example"))
        same(desktop.next()[1], "Refused: three.example")
        portal = dict(entry("four.example", "refuse", "undecided"), reason="captive-portal",
                      text="log in at http://portal.example/?a=1&b=2")
        watcher.agent.say(portal, portal, entry("five.example", "refuse", "disagree"))
        contains(desktop.next()[2], "http://portal.example/?a=1&amp;b=2")
        same(desktop.next()[1], "Refused: five.example")
        # It waits for the next agent.
        watcher.agent.close()
        watcher.agent = Agent(installation)
        watcher.agent.accept()
        watcher.agent.say(entry("six.example", "refuse", "disagree"))
        same(desktop.next()[1], "Refused: six.example")
        assert desktop.service.told.empty()
        same(watcher.end(), (-signal.SIGTERM, "", ""))
    finally:
        watcher.process.kill()
        desktop.close()


def without_a_bus(installation):
    if built_without():
        raise Skip("built without D-Bus")
    result = installation.run("watch", "--notify",
                              DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent")
    same(result.returncode, FAULT)
    contains(result.stderr, "no session bus")


main(refusals_are_told, without_a_bus)
