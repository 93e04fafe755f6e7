# SPDX-License-Identifier: MIT
"""What the conformance table's cases meet: notaries (real ones, and some that lie, are silent or
cannot be recognised), a site, and for each world of the table an installation with its agent."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

_TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(_TESTS, "common", "engine"), os.path.join(_TESTS, "notary")]
import agentlab
import notarylab

LIBRARIES = os.path.join(os.path.abspath(agentlab.BUILD), ".libs")
HOST = "site.converge-lab.org"
SAME_SITE = (HOST, "xn--bcher-kva.converge-lab.org")  # also asked for as it is written in UTF-8

PAGE = b"hello from the site\n"

# A world's settings, where it does not say otherwise: nothing is remembered from case to case, and
# a busy machine changes no verdict.
SETTINGS = {"deadline": "20s", "cache_ttl": "0", "negative_ttl": "0", "bundle_update": "no",
            "idle_exit": "1m", "bounce": "off"}


def sanitized():
    """A sanitized library does not load in a language's interpreter, which is not."""
    symbols = subprocess.run(["nm", "-D", os.path.join(LIBRARIES, "libconverge.so")], check=True,
                             stdout=subprocess.PIPE, text=True)
    return any(word in symbols.stdout for word in ("__asan_", "__tsan_", "__ubsan_"))


class Real:
    """A converge-notaryd on loopback that may look at the site there."""

    def __init__(self, name):
        self.name = name
        hosts = "".join(f"127.0.0.1 {host}\n" for host in SAME_SITE)
        self.process = notarylab.Notary(name, hosts=hosts)
        self.process.start()

    def bundle(self):
        with open(self.process.bundle, encoding="ascii") as file:
            return file.read()

    def stop(self):
        self.process.__exit__()


class Fake:
    """A notary of tests/common/engine, told how to behave for good."""

    def __init__(self, directory, name, *leaves, pin=None, protocol=2, **behaviour):
        self.name = name
        self.notary = agentlab.Notary(directory, name, protocol=protocol)
        self.notary.see(*leaves, **behaviour)
        self.pin = pin

    def bundle(self):
        return self.notary.bundle(pin=self.pin)

    def release(self):
        """Lets go of whom it keeps waiting, for an agent that is to end waits for them as well."""
        self.notary.gate.set()

    def keep(self):
        """From now on it keeps those who ask waiting again, if that is its behaviour."""
        self.notary.gate = threading.Event()

    def stop(self):
        self.release()
        self.notary.listener.stop()


class WebSite(notarylab.Site):
    """Answers any request with PAGE, and counts them: a notary's look is none."""

    requests = 0

    def serve(self, connection):
        try:
            with self.context.wrap_socket(connection, server_side=True) as tls:
                if tls.recv(65536):
                    self.requests += 1
                    tls.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAGE) +
                                PAGE)
        except OSError:
            pass
        finally:
            connection.close()


class Cast:
    """Everything outside an installation: made once, for all worlds."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="converge-bindings-")
        self.site, self.other = (self._leaf(name) for name in ("site", "other"))
        self.server = WebSite(self.site)
        self.notaries = {notary.name: notary for notary in self._notaries()}

    def _leaf(self, name):
        leaf = agentlab.Leaf(self.directory, name, f"DNS:{HOST},IP:127.0.0.1")
        leaf.crt = leaf.pem
        leaf.path = os.path.join(self.directory, name + ".der")
        with open(leaf.path, "wb") as file:
            file.write(leaf.der)
        return leaf

    def _notaries(self):
        """The names that `world` lines of the table use."""
        def fake(name, *leaves, **how):
            return Fake(self.directory, name, *leaves, **how)
        site, other = self.site, self.other
        yield Real("alpha")
        yield Real("beta")
        yield fake("friend", site)
        yield fake("buddy", site)
        yield fake("liar", other)       # no to the truth, yes to another certificate
        yield fake("perjurer", other)
        yield fake("veteran", site, protocol=1)
        yield fake("mute", site, mode="hang")
        yield fake("dumb", site, mode="hang")
        yield fake("impostor", site, pin=other)
        yield fake("forger", site, mode="bad-signature")
        yield fake("babbler", site, mode="junk")
        yield fake("shy", status=agentlab.ASIDE)
        yield fake("timid", status=agentlab.ASIDE)
        yield fake("blind", status=agentlab.UNREACHABLE)
        yield fake("insider", status=agentlab.NOT_PUBLIC)
        yield fake("local", status=agentlab.NOT_PUBLIC)
        absent = fake("absent", site)
        absent.stop()                   # its bundle names a port that nobody listens on ...
        kept = socket.socket()
        kept.bind(("127.0.0.1", absent.notary.port))   # ... nor will
        absent.stop = kept.close
        yield absent

    def placeholders(self):
        """What {NAME} stands for in the table."""
        words = {"host": HOST, "port": str(self.server.port), "empty": "", "space": " ",
                 "label63": "a" * 63, "label64": "a" * 64, "host254": "a." * 126 + "ab"}
        for name in ("site", "other"):
            leaf = getattr(self, name)
            words[name + ".der"] = leaf.path
            for kind in ("sha1", "sha256"):
                plain, colons = getattr(leaf, kind).hex(), getattr(leaf, kind).hex(":")
                words.update({f"{name}.{kind}": plain, f"{name}.{kind}:": colons,
                              f"{name}.{kind.upper()}": plain.upper(),
                              f"{name}.{kind.upper()}:": colons.upper()})
        return words

    def close(self):
        for notary in self.notaries.values():
            notary.stop()
        self.server.stop()
        shutil.rmtree(self.directory)


class World:
    """An installation as a section of the table describes it."""

    def __init__(self, cast, notaries, settings, agent):
        text = "".join(f"{key} = {value}\n" for key, value in {**SETTINGS, **settings}.items())
        members = [cast.notaries[name] for name in notaries]
        self.fakes = [one for one in members if isinstance(one, Fake)]
        self.installation = agentlab.Installation(text, members)
        if agent:
            self.installation.start()

    def environment(self, extra):
        clean = {key: value for key, value in os.environ.items()
                 if not key.startswith("CONVERGE")}
        return {**clean, "CONVERGE_CONFIG_DIR": self.installation.config,
                "CONVERGE_AGENT": os.path.abspath(agentlab.AGENT), "LD_LIBRARY_PATH": LIBRARIES,
                **(extra or {})}

    def close(self):
        """Ends the agent, also one that a case has started."""
        for fake in self.fakes:
            fake.release()
        if self.installation.process is None and os.path.exists(self.installation.socket):
            pid = self.installation.command("status")[0]["pid"]
            os.kill(pid, signal.SIGTERM)
            assert agentlab.until(lambda: agentlab.gone(pid)), f"the agent {pid} does not end"
        self.installation.remove()
        for fake in self.fakes:
            fake.keep()
