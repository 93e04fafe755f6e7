# SPDX-License-Identifier: MIT
"""The bench's section on pages in Firefox: with and without the PKCS#11 module, agent warm.

Both run side by side and load the same page in turn; every load makes new connections to all of the
page's hosts, with full handshakes."""
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

from installation import RUNNING, Installation, Site, cpu_ns, start

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "tests",
                                "integration"))
from lab.browser import PATHS, QUIET
from lab.marionette import Marionette

HOST = "pages.bench-converge.net"
IMAGES = 8
START_S = 120
NAMES = [HOST] + [f"{i}.{HOST}" for i in range(1, IMAGES + 1)]
TIME = "return performance.getEntriesByType('navigation')[0].loadEventEnd;"
PIXEL = (b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
         b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")


class Handler(http.server.BaseHTTPRequestHandler):
    """One page, with an image of each of its hosts; nothing may be kept."""

    def do_GET(self):
        page = self.path == "/"
        body = PIXEL
        if page:
            port = self.server.server_address[1]
            body = "".join(f"<img src='https://{name}:{port}/pixel.gif'>"
                           for name in NAMES[1:]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if page else "image/gif")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """It has a thread for each connection, which is closed after one answer; no resumption."""

    request_queue_size = 128

    def __init__(self, certificate):
        super().__init__(("127.0.0.1", 0), Handler)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate + ".pem", certificate + ".key")
        self.context.num_tickets = 0
        self.context.options |= ssl.OP_NO_TICKET
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_request(self):
        connection, address = super().get_request()
        return self.context.wrap_socket(connection, server_side=True,
                                        do_handshake_on_connect=False), address

    def handle_error(self, *_):
        """Notaries hang up after the handshake."""


class Firefox:
    """One that runs without a screen, with a profile made from an NSS database."""

    def __init__(self, place, database, name, env):
        self.profile = os.path.join(place.directory, "firefox-" + name)
        shutil.copytree(database, self.profile)
        preferences = {**QUIET, "network.dns.localDomains": ",".join(NAMES)}
        with open(os.path.join(self.profile, "user.js"), "w", encoding="ascii") as file:
            for key, value in preferences.items():
                shown = str(value).lower() if isinstance(value, (bool, int)) else f'"{value}"'
                file.write(f'user_pref("{key}", {shown});\n')
        home = os.path.join(place.directory, "home-" + name)
        os.mkdir(home)
        self.process = start(
            [PATHS["firefox"], "--headless", "--no-remote", "--marionette", "--profile",
             self.profile], env={**env, "HOME": home, "MOZ_CRASHREPORTER_DISABLE": "1"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.remote = Marionette(socket.create_connection(("127.0.0.1", self.port())))

    def port(self):
        """Of Marionette, which writes it down once it listens."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with open(os.path.join(self.profile, "MarionetteActivePort"),
                          encoding="ascii") as file:
                    return int(file.read())
            except (FileNotFoundError, ValueError):
                time.sleep(0.05)
        raise SystemExit("bench: Firefox does not start")

    def load(self, url):
        """Milliseconds from the beginning of the navigation to the end of the page's load event, and
        the CPU's in the process that has the sockets."""
        self.remote.navigate("about:blank")
        before = cpu_ns(self.process.pid)
        self.remote.navigate(url)
        spent = cpu_ns(self.process.pid) - before
        took = self.remote.script(TIME)
        while not took:
            took = self.remote.script(TIME)
        return took, spent / 1e6

    def close(self):
        self.remote.quit()
        self.process.wait(timeout=60)
        RUNNING.remove(self.process)


def section(place, report, databases, rounds):
    if not os.path.exists(PATHS["firefox"]):
        print("\nFirefox is not there: its pages are not measured")
        return
    site = Site(place, HOST)
    server = Server(os.path.join(place.directory, HOST))
    install = Installation(place, "pages", [place.notary(n, NAMES) for n in ("a", "b", "c")])
    install.start_agent()
    env = install.environment(provider=False)
    url = f"https://{HOST}:{server.server_address[1]}/"
    browsers = {"without": Firefox(place, databases.without, "without", env),
                "with": Firefox(place, databases.with_module, "with", env)}
    took, spent = ({name: [] for name in browsers} for _ in range(2))
    for number in range(rounds + 2):  # the first ones fill the agent's cache and the browsers' own
        for name in sorted(browsers, reverse=number % 2 == 0):
            wall_ms, cpu_ms = browsers[name].load(url)
            if number >= 2:
                took[name].append(wall_ms)
                spent[name].append(cpu_ms)
    checks = install.count("reason=cache") / rounds
    for browser in browsers.values():
        browser.close()
    if checks < len(NAMES):
        sys.exit(f"bench: {checks:.1f} checks a page where there are {len(NAMES)} hosts")
    report.heading(f"Firefox: a page of {len(NAMES)} hosts, agent warm (reference: without module)")
    report.row("pages", "page load, wall", took["with"], "ms", took["without"], "without module")
    report.row("pages", "page load, CPU of the main process", spent["with"], "ms",
               spent["without"], "without module")
    report.row("pages", "added to a page load, wall",
               [b - a for a, b in zip(took["without"], took["with"])], "ms")
    server.shutdown()
    install.close()
    site.close()
