# SPDX-License-Identifier: MIT
# Real servers whose TLS begins with a STARTTLS, each in a directory of its own on loopback, with a
# given certificate. Each is a function that starts one and returns where it can be looked at.
import glob
import os
import shutil
import socket
import subprocess
import time

from notarylab import Unavailable, free_ports

HOST = "real.example"  # as the servers are called
PATH = os.environ["PATH"] + ":/usr/sbin:/usr/lib/postfix/sbin"


def program(name):
    found = shutil.which(name, path=PATH)
    if found is None:
        versions = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
        if not versions:
            raise Unavailable(f"{name} is not installed")
        found = versions[-1]
    return found


def as_user(name):
    """What runs a command as that user: the server refuses to be root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups", "--"]


def need_root():
    if os.geteuid() != 0:
        raise Unavailable("only root can start it")


class Home:
    """One server's directory and process."""

    def __init__(self, directory, name, certificate):
        self.path = os.path.join(directory, name)
        os.mkdir(self.path, 0o755)
        self.key = shutil.copy(certificate.key, self.path)
        self.crt = shutil.copy(certificate.crt, self.path)
        self.process = None

    def give_to(self, user):
        if os.geteuid() == 0:
            for one in (self.path, self.key, self.crt):
                shutil.chown(one, user, user)

    def write(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text.format(home=self.path, key=self.key, crt=self.crt, host=HOST))
        return path

    def run(self, *command):
        result = subprocess.run(command, cwd=self.path, capture_output=True, text=True,
                                timeout=60, check=False)
        if result.returncode != 0:
            raise AssertionError(f"{command}: {result.stdout}{result.stderr}"[-2000:])

    def start(self, ports, *command):
        log = os.path.join(self.path, "output")
        with open(log, "w", encoding="ascii") as output:
            # A session of its own: Postfix ends its whole process group.
            self.process = subprocess.Popen(
                command, cwd=self.path, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, "PATH": PATH})
        for port in ports:
            self.wait_for(port, log)

    def wait_for(self, port, log):
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        with open(log, encoding="utf-8", errors="replace") as file:
            raise AssertionError(f"it does not listen: {file.read()[-2000:]}")

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def postgresql(home):
    port, = free_ports(1)
    initdb, server = program("initdb"), program("postgres")
    home.give_to("postgres")
    home.run(*as_user("postgres"), initdb, "-D", os.path.join(home.path, "data"), "-A", "trust",
             "--no-sync")
    home.start([port], *as_user("postgres"), server, "-D", os.path.join(home.path, "data"),
               "-h", "127.0.0.1", "-p", str(port), "-k", home.path, "-c", "ssl=on",
               "-c", f"ssl_cert_file={home.crt}", "-c", f"ssl_key_file={home.key}")
    return [port]


def mariadb(home):
    port, = free_ports(1)
    install, server = program("mariadb-install-db"), program("mariadbd")
    home.give_to("mysql")
    data = os.path.join(home.path, "data")
    home.run(*as_user("mysql"), install, "--no-defaults", f"--datadir={data}",
             "--skip-test-db", "--auth-root-authentication-method=normal")
    home.start([port], *as_user("mysql"), server, "--no-defaults", f"--datadir={data}",
               "--bind-address=127.0.0.1", f"--port={port}", f"--socket={home.path}/socket",
               f"--pid-file={home.path}/pid", f"--ssl-cert={home.crt}", f"--ssl-key={home.key}")
    return [port]


DOVECOT = """base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap pop3 sieve
ssl = yes
ssl_cert = <{crt}
ssl_key = <{key}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}
}}
"""
DOVECOT_SERVICE = """service %s-login {{
  chroot =
  inet_listener %s {{
    address = 127.0.0.1
    port = %d
  }}
%s}}
"""


def dovecot(home):
    need_root()
    server = program("dovecot")
    ports = free_ports(3)
    text = DOVECOT
    for (service, listener, other), port in zip(
            (("imap", "imap", "imaps"), ("pop3", "pop3", "pop3s"), ("managesieve", "sieve", "")),
            ports):
        none = f"  inet_listener {other} {{{{\n    port = 0\n  }}}}\n" if other else ""
        text += DOVECOT_SERVICE % (service, listener, port, none)
    home.start(ports, server, "-F", "-c", home.write("dovecot.conf", text))
    return ports


def slapd(home):
    port, = free_ports(1)
    config = home.write("slapd.conf", "pidfile {home}/pid\nTLSCertificateFile {crt}\n"
                                      "TLSCertificateKeyFile {key}\ndatabase config\n")
    home.start([port], program("slapd"), "-d", "0", "-f", config, "-h", f"ldap://127.0.0.1:{port}/")
    return [port]


PROSODY = """run_as_root = true
pidfile = "{home}/pid"
data_path = "{home}"
interfaces = {{ "127.0.0.1" }}
modules_enabled = {{ "tls", "saslauth", "dialback" }}
modules_disabled = {{ "offline", "http", "admin_shell" }}
ssl = {{ key = "{key}", certificate = "{crt}" }}
VirtualHost "{host}"
"""


def prosody(home):
    server = program("prosody")
    client, between = free_ports(2)
    config = home.write("prosody.cfg.lua", f"c2s_ports = {{{{ {client} }}}}\n"
                                           f"s2s_ports = {{{{ {between} }}}}\n" + PROSODY)
    home.start([client, between], server, "-F", "--config", config)
    return [client, between]


def vsftpd(home):
    need_root()
    port, = free_ports(1)
    os.mkdir(os.path.join(home.path, "empty"))
    config = home.write("vsftpd.conf", f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\n"
                        "background=NO\nanonymous_enable=YES\nsecure_chroot_dir={home}/empty\n"
                        "ssl_enable=YES\nssl_ciphers=HIGH\nrsa_cert_file={crt}\n"
                        "rsa_private_key_file={key}\n")
    home.start([port], program("vsftpd"), config)
    return [port]


INSPIRCD = """<server name="{host}" description="x" network="x">
<admin name="x" description="x" email="x@{host}">
<pid file="{home}/pid">
<path configdir="{home}" datadir="{home}" logdir="{home}" runtimedir="{home}">
<module name="ssl_gnutls">
<module name="starttls">
<sslprofile name="Clients" provider="gnutls" certfile="{crt}" keyfile="{key}">
<starttls sslprofile="Clients">
<connect allow="*">
<log method="file" type="*" level="default" target="{home}/log">
<bind address="127.0.0.1" port="%d" type="clients">
"""


def inspircd(home):
    port, = free_ports(1)
    root = ["--runasroot"] if os.geteuid() == 0 else []
    home.start([port], program("inspircd"), *root, "--nofork", "--config",
               home.write("inspircd.conf", INSPIRCD % port))
    return [port]


POSTFIX = """compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
inet_interfaces = 127.0.0.1
myhostname = {host}
mydestination =
maillog_file = {home}/log
maillog_file_prefixes = {home}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {crt}
smtpd_tls_key_file = {key}
"""
POSTFIX_SERVICES = """127.0.0.1:%d inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
proxymap unix - - n - - proxymap
rewrite unix - - n - - trivial-rewrite
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
"""


def postfix(home):
    need_root()
    program("postfix")
    port, = free_ports(1)
    config = os.path.dirname(home.write("etc/main.cf", POSTFIX))
    home.write("etc/master.cf", POSTFIX_SERVICES % port)
    os.mkdir(os.path.join(home.path, "spool"))
    os.mkdir(os.path.join(home.path, "data"))
    shutil.chown(os.path.join(home.path, "data"), "postfix")
    home.run(program("postfix"), "-c", config, "check")
    home.start([port], program("master"), "-c", config, "-d")
    return [port]
