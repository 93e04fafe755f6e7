# SPDX-License-Identifier: MIT
"""The integration table: unmodified programs as TLS clients, one row each.

A row says how the program is told to fetch https://HOST:PORT/ and check the certificate, as its
manual tells. What it printed decides: the site's own text came through, or nothing did. To add a
program, add a row (CONTRIBUTING.md)."""
import glob
import os
import shutil

from .network import IPV6

ANCHORS = "/etc/ssl/certs/ca-certificates.crt"
HERE = os.path.dirname(os.path.abspath(__file__))
REQUEST = "GET / HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n"


class Program:
    """name: also the first label of the host it is sent to, so that every row finds its own lines
    in the agent's log. In command, stdin (which stays open after it) and files {host}, {port},
    {url} and {scratch}, a directory of this run, are filled in. needs: files, or programs on
    PATH. process: what the log calls it. local: the program is a relay, listening on port
    {local}, through which a plain request is sent. kind: what the site speaks. handshakes:
    how many a run makes; over OpenSSL at most, as a session that is resumed is not checked again.
    nss: it takes certificates from the NSS database {nss}, which is made for each run. silent:
    it does not print what it gets; that the site answered it decides."""

    def __init__(self, name, command, process=None, stdin=None, needs=None, environment=None,
                 kind="https", local=False, files=None, handshakes=1, nss=False, silent=False):
        self.name = name
        self.command = command
        self.process = process or os.path.basename(command[0])
        self.stdin = stdin
        self.needs = needs or [command[0]]
        self.environment = environment or {}
        self.kind = kind
        self.local = local
        self.files = files or {}
        self.handshakes = handshakes
        self.nss = nss
        self.silent = silent

    def missing(self):
        """What is not installed here, or None."""
        for need in self.needs:
            if not (os.path.exists(need) if need.startswith("/") else shutil.which(need)):
                return need
        return None

    def may_ask(self, questions):
        """Whether that many belong to a whole run: over NSS resumed sessions are checked, too."""
        return questions == self.handshakes if self.nss else questions <= self.handshakes

    @staticmethod
    def fill(text, values):
        for key, value in values.items():
            text = text.replace("{%s}" % key, str(value))
        return text


def _node(which):
    """Debian's node links the system's OpenSSL, the official build carries its own."""
    for path in ("/opt/converge-lab/node-" + which, "/usr/bin/node"):
        if os.path.exists(path):
            shared = os.popen("'%s' -p process.config.variables.node_shared_openssl 2>/dev/null"
                              % path).read().strip() == "true"
            if shared == (which == "debian"):
                return path
    return "/opt/converge-lab/node-" + which


URLLIB = """
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())
"""
_PYTHON_REQUESTS = """
import sys, requests
print(requests.get(sys.argv[1], timeout=20).text)
"""
_PYTHON_ASYNCIO = """
import asyncio, ssl, sys
async def fetch(host, port):
    reader, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    writer.write(sys.argv[3].encode())
    print((await reader.read()).decode())
    writer.close()
asyncio.run(fetch(sys.argv[1], int(sys.argv[2])))
"""
_PYTHON_AIOHTTP = """
import asyncio, sys, aiohttp
async def fetch(url):
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            print(await answer.text())
asyncio.run(fetch(sys.argv[1]))
"""
_NODE = """
const r = require('https').get(process.argv[1], a => a.on('data', d => process.stdout.write(d)));
r.on('error', e => { console.error(e.code + ' ' + e.message); process.exitCode = 1; });
"""
_RUBY = "require 'net/http'; puts Net::HTTP.get(URI(ARGV[0]))"
_PHP_STREAM = "$t = file_get_contents($argv[1]); if ($t === false) exit(1); echo $t;"
_PHP_CURL = ("$c = curl_init($argv[1]); if (!curl_exec($c)) { fwrite(STDERR, curl_error($c)); "
             "exit(1); }")
_PERL = ("use LWP::UserAgent; my $r = LWP::UserAgent->new->get($ARGV[0]); "
         "print $r->decoded_content; exit($r->is_success ? 0 : 1);")
_LUA = """
local socket, ssl = require('socket'), require('ssl')
local tcp = assert(socket.connect(arg[1], tonumber(arg[2])))
local tls = assert(ssl.wrap(tcp, {mode = 'client', protocol = 'any', verify = 'peer',
                                  cafile = '/etc/ssl/certs/ca-certificates.crt'}))
tls:sni(arg[1])
assert(tls:dohandshake())
tls:send(arg[3])
print(tls:receive('*a'))
"""
_NGINX = """
daemon off; master_process off; pid {scratch}/nginx.pid; error_log stderr;
env CONVERGE_CONFIG_DIR;  # nginx clears its environment
events {}
http {
    access_log off;
    client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi; uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
    server {
        listen 127.0.0.1:{local};
        location / {
            proxy_pass https://{host}:{port};
            proxy_ssl_verify on;
            proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
            proxy_ssl_server_name on;
            proxy_ssl_name {host};
        }
    }
}
"""
_HAPROXY = """
global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
    retries 0
listen relay
    bind 127.0.0.1:{local}
    server site {host}:{port} ssl verify required ca-file /etc/ssl/certs/ca-certificates.crt sni str({host}) verifyhost {host}
"""
_STUNNEL = """
foreground = yes
pid =
[relay]
client = yes
accept = 127.0.0.1:{local}
connect = {host}:{port}
verifyChain = yes
CAfile = /etc/ssl/certs/ca-certificates.crt
checkHost = {host}
"""

PYTHON = "/usr/bin/python3"


def _python(name, source, *arguments):
    return Program(name, [PYTHON, "-c", source] + list(arguments), process="python3")


COVERED = [
    Program("curl", ["curl", "-sS", "{url}"]),
    Program("curl-ipv6", ["curl", "-sS", "{url}"], kind="https6", needs=["curl", IPV6]),
    Program("curl-parallel", ["curl", "-sS", "--parallel", "--parallel-immediate",
                              "{url}a", "{url}b", "{url}c"],
            process="curl", handshakes=3),
    _python("python-urllib", URLLIB, "{url}"),
    _python("python-requests", _PYTHON_REQUESTS, "{url}"),
    _python("python-asyncio", _PYTHON_ASYNCIO, "{host}", "{port}", REQUEST),
    _python("python-aiohttp", _PYTHON_AIOHTTP, "{url}"),
    Program("node-official", [_node("official"), "-e", _NODE, "{url}"], process="node",
            environment={"NODE_EXTRA_CA_CERTS": ANCHORS}),
    Program("node-debian", [_node("debian"), "-e", _NODE, "{url}"], process="node",
            environment={"NODE_EXTRA_CA_CERTS": ANCHORS}),
    Program("ruby", ["ruby", "-e", _RUBY, "{url}"]),
    Program("php-stream", ["php", "-r", _PHP_STREAM, "{url}"]),
    Program("php-curl", ["php", "-r", _PHP_CURL, "{url}"]),
    Program("perl", ["perl", "-e", _PERL, "{url}"]),
    Program("lua", ["lua5.4", "{scratch}/get.lua", "{host}", "{port}", REQUEST],
            files={"get.lua": _LUA}),
    Program("w3m", ["w3m", "-dump_source", "-o", "ssl_verify_server=1", "{url}"],
            stdin="n\n"),  # asked whether to accept a bad certificate, the person says no
    Program("s-client", ["openssl", "s_client", "-connect", "{host}:{port}", "-quiet",
                         "-verify_return_error"], stdin=REQUEST),
    Program("psql", ["psql", "-X", "-Atc", "select 'genuine'",
                     "host={host} port={port} user=lab dbname=postgres sslmode=verify-full "
                     "sslrootcert=" + ANCHORS], kind="postgres"),
    Program("socat", ["socat", "-t0.2", "-", "OPENSSL:{host}:{port},verify=1,snihost={host},"
                      "cafile=" + ANCHORS], stdin=REQUEST),
    Program("stunnel", ["stunnel4", "{scratch}/stunnel.conf"], local=True,
            files={"stunnel.conf": _STUNNEL}),
    Program("nginx", ["nginx", "-p", "{scratch}", "-c", "{scratch}/nginx.conf"], local=True,
            files={"nginx.conf": _NGINX}),
    Program("haproxy", ["haproxy", "-db", "-f", "{scratch}/haproxy.cfg"], local=True,
            files={"haproxy.cfg": _HAPROXY}),
]

_CARGO_CONFIG = """
[registries.lab]
index = "sparse+https://{host}:{port}/index/"
[unstable]
sparse-registry = true
"""


def _cargo():
    """Rust's own installer keeps the real program below the home directory."""
    found = glob.glob(os.path.expanduser("~/.rustup/toolchains/*/bin/cargo"))
    return "/usr/bin/cargo" if os.path.exists("/usr/bin/cargo") or not found else found[0]


_FINCH_ACCOUNTS = """<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account>
<protocol>prpl-irc</protocol><name>me@{host}</name><password>octets-of-the-password</password>
<settings><setting name='port' type='int'>{port}</setting>
<setting name='ssl' type='bool'>1</setting></settings>
<settings ui='gnt-purple'><setting name='auto-login' type='bool'>1</setting></settings>
</account></account>
"""
_JAVA = """
import java.io.*; import java.net.*; import java.security.*; import java.security.cert.*;
import javax.net.ssl.*;
class Get {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("lab", CertificateFactory.getInstance("X.509")
            .generateCertificate(new FileInputStream(args[0])));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        HttpsURLConnection site = (HttpsURLConnection)new URL(args[1]).openConnection();
        site.setSSLSocketFactory(context.getSocketFactory());
        System.out.write(site.getInputStream().readAllBytes());
        System.out.flush();
    }
}
"""

# Programs with another TLS library, with an OpenSSL of their own inside, or that open NSS without a
# database (libpurple's): nobody asks for them, and `converge doctor -- PROGRAM` must say so.
NOT_COVERED = [
    Program("git", ["git", "ls-remote", "{url}"]),
    Program("wget", ["wget", "-qO-", "--tries=1", "{url}"]),
    Program("gnutls-cli", ["gnutls-cli", "--port={port}", "--x509cafile=" + ANCHORS, "{host}"],
            stdin=REQUEST),
    Program("cargo", [_cargo(), "search", "--registry", "lab", "genuine"],
            environment={"CARGO_HOME": "{scratch}", "RUSTC_BOOTSTRAP": "1"},
            files={"config.toml": _CARGO_CONFIG}),
    Program("java", ["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "{scratch}/Get.java",
                     ANCHORS, "{url}"], files={"Get.java": _JAVA}),
    Program("finch", [PYTHON, "-B", HERE + "/finch.py", "{scratch}"], process="finch",
            needs=["finch"], files={"accounts.xml": _FINCH_ACCOUNTS}),
]
