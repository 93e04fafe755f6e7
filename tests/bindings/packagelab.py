# SPDX-License-Identifier: MIT
"""What the tests of the client libraries share: a copy of a package's sources in the build directory,
commands run there against the library that was built, and its example against a real TLS site."""
import os
import shutil
import subprocess
import sys
import tempfile

_TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(_TESTS, "bindings"), os.path.join(_TESTS, "tools"),
                os.path.join(_TESTS, "notary")]
import conformance
import toolbox
from notarylab import Tap, Unavailable

BUILD = os.path.abspath(toolbox.BUILD)
SOURCE = os.path.abspath(toolbox.SOURCE)
LIBRARIES = os.path.join(BUILD, ".libs")
HEADERS = os.path.join(SOURCE, "common", "libconverge")
COMMAND_S = 300

SECRET = "GET /"  # what a program sends only to a site that it believes


def skip_all(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def require(*programs):
    for program in programs:
        if shutil.which(program) is None:
            skip_all("no " + program)
    if toolbox.sanitized():
        skip_all("a sanitized library does not load in programs that are not")


class Package:
    """A copy of bindings/LANGUAGE, as somebody unpacks it who wants to build it."""

    def __init__(self, language):
        self.parent = tempfile.mkdtemp(prefix=language + "-", dir=BUILD)
        self.directory = os.path.join(self.parent, language)
        shutil.copytree(os.path.join(SOURCE, "bindings", language), self.directory)
        for directory, _, files in os.walk(self.directory):  # the sources may be read-only
            for path in [directory, *(os.path.join(directory, name) for name in files)]:
                os.chmod(path, os.stat(path).st_mode | 0o200)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def environment(self, **extra):
        clean = {key: value for key, value in os.environ.items()
                 if not key.startswith(("CONVERGE", "OPENSSL_", "MAKE", "MFLAGS"))}
        clean.update(LD_LIBRARY_PATH=LIBRARIES, LC_ALL="C.UTF-8", HOME=self.parent,
                     CONVERGE_TEST_AGENT=os.path.abspath(toolbox.FAKE_AGENT))
        clean.update(extra)
        return clean

    def run(self, *argv, **extra):
        """The command's output, of a command that ends well."""
        result = subprocess.run(argv, cwd=self.directory, env=self.environment(**extra),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=COMMAND_S, check=False)
        output = result.stdout.decode("utf-8", "replace")
        if result.returncode != 0:
            for line in output.splitlines()[-60:]:
                print("#   " + line)
            raise AssertionError(f"{' '.join(argv)}: exit status {result.returncode}")
        return output

    def status(self, *argv, **extra):
        """Only how it ends, whatever it says."""
        return subprocess.run(argv, cwd=self.directory, env=self.environment(**extra),
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=COMMAND_S, check=False).returncode

    def remove(self):
        shutil.rmtree(self.parent)


def _visit(package, argv, answer, **extra):
    """The example's exit status and output, and what reached the site."""
    installation = toolbox.Installation()
    received = []
    try:
        site = ListeningSite(installation.directory, received)
        installation.write("answer", answer)
        result = subprocess.run(
            [*argv, "localhost", str(site.port), site.certificate], cwd=package.directory,
            env=package.environment(CONVERGE_CONFIG_DIR=installation.directory,
                                    CONVERGE_AGENT=os.path.abspath(toolbox.FAKE_AGENT), **extra),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=60, check=False)
        asked = installation.read("questions")
        toolbox.contains(asked, f"host=localhost port={site.port} ")
        return result.returncode, result.stdout, b"".join(received).decode()
    finally:
        installation.close()


class ListeningSite(toolbox.Site):
    """Keeps what was sent to it, one entry or more for each connection that has ended."""

    def __init__(self, directory, received, name="localhost"):
        self.received = received
        super().__init__(directory, name, body=b"hello from the site\n")

    def talk(self, connection):
        try:
            connection.settimeout(5)
            with self.context.wrap_socket(connection, server_side=True) as tls:
                self.received.append(tls.recv(4096))
                tls.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body) +
                            self.body)
        except OSError:
            self.received.append(b"")


def example_protects(package, argv, **extra):
    """ARGV HOST PORT CA-FILE fetches a page from a site that the notaries confirm, and sends nothing
    to one that they do not, nor where they are silent."""
    status, output, received = _visit(package, argv, "59 41 1 alpha=yes beta=yes", **extra)
    toolbox.same(status, 0, output)
    toolbox.contains(output, "hello from the site")
    toolbox.contains(received, SECRET)
    for answer in ("4e 52 1 alpha=no beta=no", "55 52 3 alpha=silent beta=silent"):
        status, output, received = _visit(package, argv, answer, **extra)
        assert status != 0, output
        toolbox.contains(output, "the fake agent says so")
        toolbox.same(received, "", output)


def run(language, *steps):
    """Each of STEPS takes a Package and a Tap, and adds its cases."""
    tap = Tap()
    package = Package(language)
    try:
        for step in steps:
            step(package, tap)
    finally:
        package.remove()
    tap.done()
