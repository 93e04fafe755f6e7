# SPDX-License-Identifier: MIT
"""The integration table's rows of programs over NSS. `converge run` does not reach them: each gets
an NSS database of its own in {nss}, and Converge's module is in that."""
import glob

from .network import IPV6
from .programs import ANCHORS, PYTHON, REQUEST, Program

_PYTHON_NSS = """
import sys
import nss.io as io, nss.nss as nss, nss.ssl as ssl

def authenticate(sock, check_sig, is_server, certdb):
    cert = sock.get_peer_certificate()
    usage = nss.certificateUsageSSLServer
    passed = cert.verify_now(certdb, check_sig, usage, *(sock.get_pkcs11_pin_arg() or ()))
    return bool(passed & usage) and cert.verify_hostname(sock.get_hostname())

def fetch(host, port, request, proxy):
    near, near_port = proxy.split(":") if proxy else (host, port)
    address = next(iter(io.AddrInfo(near)))
    address.port = int(near_port)
    sock = ssl.SSLSocket(address.family)
    sock.set_ssl_option(ssl.SSL_SECURITY, not proxy)
    sock.set_ssl_option(ssl.SSL_HANDSHAKE_AS_CLIENT, True)
    sock.set_hostname(host)
    sock.set_auth_certificate_callback(authenticate, nss.get_default_certdb())
    sock.connect(address, timeout=io.seconds_to_interval(20))
    if proxy:
        sock.send(b"CONNECT %s:%s HTTP/1.1\\r\\n\\r\\n" % (host.encode(), port.encode()))
        if b" 200 " not in sock.recv(4096):
            sys.exit("the proxy refuses")
        sock.set_ssl_option(ssl.SSL_SECURITY, True)
        sock.reset_handshake(False)
    sock.send(request.encode())
    text = b""
    while data := sock.recv(4096):
        text += data
    print(text.decode())
    sock.close()

nss.nss_init(sys.argv[1])
"""
_ONCE = "fetch(*sys.argv[2:6])"
_TWICE = """
ssl.set_default_ssl_version_range("%s", "%s")
fetch(*sys.argv[2:6])
print("fetched", flush=True)
sys.stdin.readline()
fetch(*sys.argv[2:6])
"""

# A program over libcurl3-nss, as small as that library allows: Debian has only plug-ins over it.
_LIBCURL = """
import ctypes, sys

URL, OPTIONS = 10002, {"CAINFO": 10065, "PROXY": 10004}
curl = ctypes.CDLL("libcurl-nss.so.4")
curl.curl_easy_init.restype = ctypes.c_void_p
curl.curl_easy_strerror.restype = ctypes.c_char_p
handle = ctypes.c_void_p(curl.curl_easy_init())
for name, value in [word.split("=", 1) for word in sys.argv[2:]]:
    curl.curl_easy_setopt(handle, OPTIONS[name], value.encode())
status = 0
for url in sys.argv[1].split():
    curl.curl_easy_setopt(handle, URL, url.encode())
    status = curl.curl_easy_perform(handle)
    if status:
        print(curl.curl_easy_strerror(status).decode(), file=sys.stderr)
curl.curl_easy_cleanup(handle)
sys.exit(status)
"""
# Many connections in one thread, none of which may wait for another's check.
_LIBCURL_MULTI = """
import ctypes, sys

curl = ctypes.CDLL("libcurl-nss.so.4")
curl.curl_easy_init.restype = curl.curl_multi_init.restype = ctypes.c_void_p
multi, running = ctypes.c_void_p(curl.curl_multi_init()), ctypes.c_int(1)
for url in sys.argv[1:]:
    handle = ctypes.c_void_p(curl.curl_easy_init())
    curl.curl_easy_setopt(handle, 10002, url.encode())
    curl.curl_multi_add_handle(multi, handle)
while running.value:
    curl.curl_multi_perform(multi, ctypes.byref(running))
    curl.curl_multi_poll(multi, None, 0, 1000, None)
"""


def _first(pattern):
    """The file of that pattern, or the pattern itself, which is the name of nothing."""
    return (glob.glob(pattern) + [pattern])[0]


def nss(name, command, needs=None, **options):
    return Program(name, command, nss=True,
                   needs=(needs or [command[0]]) + ["certutil", "modutil", "pk12util"], **options)


def tstclnt(name, *options, **more):
    return nss(name, ["tstclnt", "-h", "{host}", "-p", "{port}", "-d", "sql:{nss}",
                      "-A", "{scratch}/request", *options],
               files={"request": REQUEST}, **more)


def _strsclnt(name, *options, **more):
    return nss(name, ["strsclnt", "-p", "{port}", "-d", "sql:{nss}", "-q", *options, "{host}"],
               silent=True, **more)


def python_nss(name, proxy="", source=_ONCE):
    return nss(name, [PYTHON, "-c", _PYTHON_NSS + source, "sql:{nss}", "{host}", "{port}", REQUEST,
                      proxy],
               process="python3", needs=[_first("/usr/lib/python3/dist-packages/nss/ssl.*.so")])


def python_nss_twice(name, version):
    """Prints "fetched" in between, and goes on at a line of its standard input."""
    return python_nss(name, source=_TWICE % (version, version))


def libcurl(name, *options, source=_LIBCURL, **more):
    return nss(name, [PYTHON, "-c", source, "{url}", *options], process="python3",
               environment={"SSL_DIR": "{nss}"}, needs=[_first("/usr/lib/*/libcurl-nss.so.4")],
               **more)


# STARTTLS, with a password for the server. It goes on for ever unless the server says that there is
# no more power; and would tell all terminals, if it found `wall`.
_UPSMON = """
MONITOR ups@{host}:{port} 1 lab octets-of-the-password slave
CERTPATH {nss}
CERTVERIFY 1
FORCESSL 1
SHUTDOWNCMD true
FINALDELAY 0
"""

COVERED = [
    tstclnt("tstclnt"),
    tstclnt("tstclnt-tls12", "-V", "tls1.2:tls1.2"),
    tstclnt("tstclnt-tls13", "-V", "tls1.3:tls1.3"),
    tstclnt("tstclnt-ipv6", kind="https6", needs=["tstclnt", IPV6]),
    nss("vfyserv", ["vfyserv", "-p", "{port}", "-d", "sql:{nss}", "{host}"], silent=True),
    _strsclnt("strsclnt", "-c", "1"),
    _strsclnt("strsclnt-resumed-tls12", "-c", "3", "-t", "1", "-V", "tls1.2:tls1.2", handshakes=3),
    _strsclnt("strsclnt-resumed-tls13", "-c", "3", "-t", "1", "-V", "tls1.3:tls1.3", handshakes=3),
    _strsclnt("strsclnt-many", "-c", "8", "-t", "4", "-N", handshakes=8),
    python_nss("python3-nss"),
    nss("upsmon", ["env", "PATH={scratch}", "/usr/bin/timeout", "-s", "KILL", "4",
                   "/lib/nut/upsmon", "-F", "-p"], process="upsmon", silent=True, kind="nut",
        needs=["/lib/nut/upsmon"], environment={"NUT_CONFPATH": "{scratch}"},
        files={"upsmon.conf": _UPSMON}),
    libcurl("libcurl-nss"),
    libcurl("libcurl-nss-parallel", *["{url}%d" % number for number in range(7)],
            source=_LIBCURL_MULTI, handshakes=8),
    libcurl("libcurl-nss-pem", "CAINFO=" + ANCHORS),
]
