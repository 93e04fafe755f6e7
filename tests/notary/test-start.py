# SPDX-License-Identifier: MIT
# How converge-notaryd is made and started: --init, options, keys, directories, privileges.
import grp
import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from notarylab import Certificate, NOTARYD, Notary, Site, Tap, expect

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")


def run(*arguments):
    return subprocess.run([NOTARYD, *arguments], capture_output=True, text=True, timeout=30,
                          check=False)


def command_line():
    with tempfile.TemporaryDirectory(prefix="converge-notary-") as place:
        home = os.path.join(place, "n")

        def init():
            made = run("--init", home, "--name", "n", "--host", "Notary.Example.", "--region", "CH",
                       "--operator", "Grün & Söhne", "--address", "192.0.2.1", "--address",
                       "2001:db8::1")
            expect(made.returncode, 0)
            expect(f"{home}/n.notary\n" in made.stdout, True, made.stdout)
            public = subprocess.run(["openssl", "pkey", "-in", os.path.join(home, "signing.key"),
                                     "-pubout", "-outform", "DER"], capture_output=True, check=True)
            digest = hashlib.sha256(public.stdout).hexdigest().upper()
            expect(":".join(re.findall("..", digest)) in made.stdout, True, made.stdout)
            expect(sorted(os.listdir(home)), ["n.notary", "n.v1.notary", "notary.conf",
                                              "signing.key", "tls.crt", "tls.key"])
            for name in ("tls.key", "signing.key"):
                mode = os.stat(os.path.join(home, name)).st_mode
                expect(stat.S_IMODE(mode), 0o600, name)
            expect(run("--config", os.path.join(home, "notary.conf"), "--check").returncode, 0)

        def for_a_service():
            group = grp.getgrgid(os.getgroups()[-1] if os.geteuid() else 1)
            other = os.path.join(place, "service")
            made = run("--init", other, "--name", "n", "--host", "h.example", "--group",
                       group.gr_name, "--database", "/var/lib/n/o.gdbm")
            expect(made.returncode, 0, made.stderr)
            for name, mode, owner in (("tls.key", 0o640, group.gr_gid), ("n.notary", 0o644, None),
                                      ("signing.key", 0o640, group.gr_gid)):
                status = os.stat(os.path.join(other, name))
                expect(stat.S_IMODE(status.st_mode), mode, name)
                expect(owner in (None, status.st_gid), True, name)
            with open(os.path.join(other, "notary.conf"), encoding="ascii") as file:
                expect("\ndatabase = /var/lib/n/o.gdbm\n" in file.read(), True)
            expect(run("--config", os.path.join(other, "notary.conf"), "--check").returncode, 0)
            expect(f"--config {other}/notary.conf" in made.stdout, True, made.stdout)
            for more in (["--group", "no such group"], ["--database", "a\nuser = root"],
                         ["--database", ""], ["--database", "a#b"]):
                wrong = run("--init", other + "2", "--name", "n", "--host", "h.example", *more)
                expect((wrong.returncode, more[0] in wrong.stderr), (1, True), wrong.stderr)
            expect(os.path.exists(other + "2"), False, "nothing is written")

        def sample():
            """The example that the package has, with its notary's keys."""
            with tempfile.TemporaryDirectory(prefix="converge-notary-") as other:
                run("--init", other, "--name", "alpha", "--host", "h.example")
                shutil.copy(os.path.join(HERE, "../../doc/examples/notary.conf"), other)
                checked = run("--config", os.path.join(other, "notary.conf"), "--check")
                expect((checked.returncode, checked.stderr), (0, ""))

        def no_overwrite():
            before = {name: open(os.path.join(home, name), "rb").read()
                      for name in os.listdir(home)}
            for name in ("n", "other"):
                result = run("--init", home, "--name", name, "--host", "notary.example")
                expect((result.returncode, "exists already" in result.stderr), (1, True))
            after = {name: open(os.path.join(home, name), "rb").read()
                     for name in os.listdir(home)}
            expect(after == before, True)

        def bad_arguments():
            for arguments in ([], ["--nonsense"], ["--init", home], ["--config"], ["surplus"],
                              ["--init", home, "--name", "n", "--host", "h", "--ssl-port", "0"],
                              ["--init", home, "--name", "n", "--host", "h", "--ssl-port", "1x"],
                              ["--init", home, "--name", "n", "--host", "h", "--address", "h"],
                              ["--config", "c", "--init", home, "--name", "n", "--host", "h"]):
                expect(run(*arguments).returncode, 2, arguments)
            for name, host, region in (("../n", "h", "CH"), ("", "h", "CH"), ("m", "a..b", "CH"),
                                       ("m", "h", "Switzerland")):
                result = run("--init", home, "--name", name, "--host", host, "--region", region)
                expect((result.returncode, result.stderr != ""), (1, True), name)
            expect(os.path.exists(os.path.join(home, "m.notary")), False)

        def bad_configuration():
            config = os.path.join(home, "notary.conf")
            with open(config, encoding="ascii") as file:
                good = file.read()
            for line, what in (("sslport = 1", "unknown key"), ("relay_ports = 0", "relay_ports"),
                               ("name = again", "second time"), ("hosts = missing", "missing"),
                               ("max_observation_age = 24", "max_observation_age")):
                bad = os.path.join(home, "bad.conf")
                with open(bad, "w", encoding="ascii") as file:
                    file.write(good + line + "\n")
                result = run("--config", bad, "--check")
                expect((result.returncode, what in result.stderr), (1, True), result.stderr)

        def help_and_version():
            result = run("--help")
            expect((result.returncode, result.stderr), (0, ""))
            for option in ("--init", "--config", "--check", "--ready-fd", "--version", "--address"):
                expect(option in result.stdout, True, option)
            expect(run("--version").stdout.startswith("converge-notaryd "), True)

        tap.case("--init writes keys, certificate, bundles, configuration; --check is content",
                 init)
        tap.case("--init --group --database is ready for a service's user", for_a_service)
        tap.case("the sample notary.conf is good", sample)
        tap.case("--init overwrites nothing", no_overwrite)
        tap.case("wrong arguments: a sentence, exit status 1 or 2, nothing written", bad_arguments)
        tap.case("a bad configuration: a sentence that names it", bad_configuration)
        tap.case("--help and --version", help_and_version)

    def bundle():
        with Notary() as notary:
            for path, name in (("/bundle.notary", "alpha.notary"),
                               ("/bundle-v1.notary", "alpha.v1.notary")):
                answer = notary.raw(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                with open(os.path.join(notary.home, name), "rb") as file:
                    expect(answer.partition(b"\r\n\r\n")[2], file.read(), path)

    def told():
        """What an operator looks for first, with --verbose or without, and on one line."""
        notary = Notary(settings="workers = 2\n")
        with notary:
            lines = [line for line in notary.log_text().splitlines() if "ready: " in line]
            expect(len(lines), 1, notary.log_text())
            for key in ("signing.key", "tls.crt"):
                path = os.path.join(notary.home, key)
                octets = subprocess.run(
                    ["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"] if key == "signing.key" else
                    ["openssl", "x509", "-in", path, "-outform", "DER"],
                    capture_output=True, check=True).stdout
                digest = hashlib.sha256(octets).hexdigest().upper()
                expect(":".join(re.findall("..", digest)) in lines[0], True, (key, lines))
            user = pwd.getpwuid(os.geteuid()).pw_name
            expect(lines[0].startswith(f"notice: ready: notary alpha, user {user}, "), True, lines)
            expect(lines[0].partition(", at")[2].split(","),
                   [f" ssl 127.0.0.1:{notary.ssl_port}", f" bounce 127.0.0.1:{notary.bounce_port}",
                    f" relay 127.0.0.1:{notary.relay_port}"], lines)

    def reload_again(notary):
        before, end = notary.log_text().count("reloaded "), time.monotonic() + 20
        notary.process.send_signal(signal.SIGHUP)
        while notary.log_text().count("reloaded ") == before:
            expect(time.monotonic() < end, True, "not reloaded")
            time.sleep(0.02)

    def drops():
        notary = Notary()
        os.chmod(notary.directory, 0o755)
        with open(notary.config, encoding="ascii") as file:
            text = file.read().replace("user = root", "user = nobody")
        with open(notary.config, "w", encoding="ascii") as file:
            file.write(text)
        site = Site(one)
        with notary:
            with open(f"/proc/{notary.process.pid}/status", encoding="ascii") as file:
                status = file.read()
            uids = [line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")][0]
            expect("0" in uids, False, uids)
            expect(notary.v1("127.0.0.1", site.port, one.sha1)[0], 200)
            with open(notary.bundle, "a", encoding="ascii") as file:
                file.write("\n")
            notary.process.send_signal(signal.SIGHUP)
            notary.wait_for_log("keys are those of the start, as user nobody")
            expect(notary.v1("127.0.0.1", site.port, one.sha1)[0], 200)
            reload_again(notary)
            expect(notary.log_text().count("keys are those of the start"), 1, "told once")
            with open(notary.bundle, "rb") as file:
                expect(notary.raw(b"GET /bundle.notary HTTP/1.0\r\n\r\n").partition(
                    b"\r\n\r\n")[2], file.read(), "the bundle after SIGHUP")
            notary.stop()
            notary.start()
            expect(notary.v1("127.0.0.1", site.port, one.sha1)[0], 200)
        site.stop()

    def not_its_directory():
        """A directory with files of root's in it is not given away."""
        notary = Notary()
        os.chmod(notary.directory, 0o755)
        with open(notary.config, encoding="ascii") as file:
            text = file.read().replace("user = root", "user = nobody")
        with open(notary.config, "w", encoding="ascii") as file:
            file.write(text.replace("database = data/", "database = "))
        told = run("--config", notary.config)
        expect(told.returncode, 1, told.stderr)
        expect("need a directory of their own" in told.stderr, True, told.stderr)
        expect(os.stat(notary.home).st_uid, 0, "owner")
        shutil.rmtree(notary.directory)

    def out_of_reach():
        """A database that the user cannot get to: the directory above is root's alone."""
        notary = Notary()
        with open(notary.config, encoding="ascii") as file:
            text = file.read().replace("user = root", "user = nobody")
        with open(notary.config, "w", encoding="ascii") as file:
            file.write(text)
        told = run("--config", notary.config)
        expect(told.returncode, 1, told.stderr)
        expect("cannot get there: Permission denied" in told.stderr, True, told.stderr)
        shutil.rmtree(notary.directory)

    def foreign_key():
        """A key of another kind than the certificate's, which OpenSSL takes without a word."""
        notary = Notary()
        shutil.copy(Certificate(directory.name, "other", "rsa").key,
                    os.path.join(notary.home, "tls.key"))
        told = run("--config", notary.config, "--check")
        expect(told.returncode, 1, told.stderr)
        expect("not the private key of tls_certificate" in told.stderr, True, told.stderr)
        shutil.rmtree(notary.directory)

    def no_configuration():
        """A provider that OpenSSL's configuration activates must not get into the notary."""
        modules = subprocess.run(["openssl", "version", "-m"], capture_output=True, text=True,
                                 check=True).stdout.split('"')[1]
        module = os.path.join(modules, "legacy.so")
        if not os.path.exists(module):
            return
        config = os.path.join(directory.name, "openssl.cnf")
        with open(config, "w", encoding="ascii") as file:
            file.write("openssl_conf = a\n[a]\nproviders = b\n[b]\nlegacy = c\ndefault = c\n"
                       "[c]\nactivate = 1\n")
        os.environ["OPENSSL_CONF"] = config
        try:
            notary = Notary()
            with notary:
                site = Site(one)
                expect(notary.v1("127.0.0.1", site.port, one.sha1)[0], 200)
                with open(f"/proc/{notary.process.pid}/maps", encoding="utf-8") as file:
                    expect("legacy.so" in file.read(), False)
                site.stop()
        finally:
            del os.environ["OPENSSL_CONF"]

    tap.case("a key that is not the certificate's is an error", foreign_key)
    tap.case("OpenSSL's configuration is not read", no_configuration)
    tap.case("both bundles are handed out", bundle)
    tap.case("ready, it logs who it is and where it listens", told)
    namespace = ["unshare", "--user", "--map-root-user"]

    def alone():
        """Root of a namespace in which there is nobody else to become."""
        notary = Notary(prefix=namespace)
        with open(notary.config, encoding="ascii") as file:
            text = file.read().replace("user = root\n", "")
        with open(notary.config, "w", encoding="ascii") as file:
            file.write(text)
        site = Site(one)
        with notary:
            expect(notary.v1("127.0.0.1", site.port, one.sha1)[0], 200)
        site.stop()

    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0:
        tap.case("as root of a user namespace of its own it starts all the same", alone)
    else:
        tap.skip("as root of a user namespace of its own", "no user namespaces here")
    if os.geteuid() == 0:
        tap.case("started by root it becomes the user, for good; SIGHUP works all the same", drops)
        tap.case("root's own directory does not become the user's", not_its_directory)
        tap.case("a database out of the user's reach is an error that says so", out_of_reach)
    else:
        tap.skip("started by root it becomes the user", "not root")
        tap.skip("root's own directory does not become the user's", "not root")
        tap.skip("a database out of the user's reach", "not root")


command_line()
tap.done()
