# SPDX-License-Identifier: MIT
"""Unmodified curl and python3 with the module loaded: each check is asked about once, with the
right host and port, and the answer is obeyed."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab

FETCH = """
import ssl, sys, urllib.request, http.client, socket
host, port, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=ca)
raw = socket.create_connection(("127.0.0.1", port))
try:
    tls = context.wrap_socket(raw, server_hostname=host)
except ssl.SSLCertVerificationError as error:
    print("refused", error.verify_code)
    sys.exit(60)
tls.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
print(tls.recv(100)[-3:].decode().strip())
"""

ASYNCIO = """
import asyncio, ssl, sys
host, ca, ports = sys.argv[1], sys.argv[2], sys.argv[3:]
context = ssl.create_default_context(cafile=ca)
async def one(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port), ssl=context,
                                                   server_hostname=host)
    writer.write(b"GET / HTTP/1.1\\r\\n\\r\\n")
    data = await reader.read(200)
    writer.close()
    return data[-3:]
async def main():
    results = await asyncio.gather(*(one(port) for port in ports))
    print(sum(r == b"ok\\n" for r in results))
asyncio.run(main())
"""


def curl(here, port, *more, host="site.example"):
    return here.run("curl", "-sS", "--noproxy", "*", "--resolve", f"{host}:{port}:127.0.0.1",
                    "--cacert", here.path("ca.pem"), *more, f"https://{host}:{port}/")


def python(here, port, host="site.example"):
    return here.run("/usr/bin/python3", "-c", FETCH, host, port, here.path("ca.pem"))


def check_program(tap, here, name, run, site, self_signed):
    expected = [f"site.example:{site.port}"]
    here.configure("")
    here.start_agent()
    got = run(here, site.port)
    tap.case(f"{name}: a good chain the agent agrees to is accepted",
             got[:2] == (0, "ok\n") and here.asked() == expected, (got, here.asked()))
    here.start_agent("*=refuse")
    got = run(here, site.port)
    tap.case(f"{name}: a good chain the agent refuses is refused",
             got[0] == 60 and here.asked() == expected, (got, here.asked()))
    here.stop_agent()
    got = run(here, site.port)
    tap.case(f"{name}: without an agent it is refused", got[0] == 60, got)
    here.start_agent()
    got = run(here, self_signed.port)
    tap.case(f"{name}: in augment mode a self-signed certificate stays refused, unasked",
             got[0] == 60 and here.asked() == [], (got, here.asked()))
    here.configure("mode = replace\n")
    got = run(here, self_signed.port)
    tap.case(f"{name}: in replace mode it is asked about and accepted",
             got[:2] == (0, "ok\n") and here.asked() == [f"site.example:{self_signed.port}"] and
             here.questions()[0]["pki"] == "2/18", (got, here.questions()))
    here.start_agent("*=refuse")
    got = run(here, self_signed.port)
    tap.case(f"{name}: in replace mode it is refused when the agent refuses",
             got[0] == 60 and len(here.asked()) == 1, (got, here.asked()))


def check_curl(tap, here, site, self_signed):
    here.configure("mode = replace\n")
    here.start_agent("*=refuse")
    got = curl(here, site.port, "-k")
    tap.case("curl -k, replace mode: the program's wish stands, and it is asked all the same",
             got[:2] == (0, "ok\n") and len(here.asked()) == 1, (got, here.asked()))
    here.configure("")
    here.start_agent()
    proxy = lab.Proxy(site.port)
    got = here.run("curl", "-sS", "--noproxy", "", "-x", f"http://127.0.0.1:{proxy.port}",
                   "--cacert", here.path("ca.pem"), "https://site.example/")
    proxy.stop()
    tap.case("curl through a proxy: the tunnel's port comes first",
             got[:2] == (0, "ok\n") and here.asked() == [f"site.example:443,{proxy.port}"],
             (got, here.asked()))


def check_off(tap, here, site):
    def run(value, config=""):
        here.configure(config)
        here.start_agent("*=refuse")
        code, _, _ = here.run("curl", "-sS", "--noproxy", "*", "--cacert", here.path("ca.pem"),
                              "--resolve", f"site.example:{site.port}:127.0.0.1",
                              f"https://site.example:{site.port}/",
                              env=here.environment(CONVERGE=value))
        return code, here.asked()

    asked = [f"site.example:{site.port}"]
    tap.case("curl with CONVERGE=off: nobody is asked", run("off") == (0, []))
    for value in "", "OFF", "on", "0":
        tap.case(f"curl with CONVERGE={value}: as without", run(value) == (60, asked))
    tap.case("curl with CONVERGE=off where allow_off = no: it is asked about and refused",
             run("off", "allow_off = no\n") == (60, asked))
    tap.case("curl with CONVERGE=off and a broken configuration: refused",
             run("off", "mode = perhaps\n") == (60, []))


def check_tls_proxy(tap, here, site):
    here.configure("")
    here.start_agent()
    proxy = lab.Proxy(site.port, context=here.serve().context)
    got = here.run("curl", "-sS", "--noproxy", "", "-x", f"https://localhost:{proxy.port}",
                   "--proxy-cacert", here.path("ca.pem"), "--cacert", here.path("ca.pem"),
                   "https://site.example/")
    proxy.stop()
    tap.case("curl through a proxy that speaks TLS: the proxy is asked about, and the site",
             got[:2] == (0, "ok\n") and
             here.asked() == [f"localhost:{proxy.port}", f"site.example:443,{proxy.port}"],
             (got, here.asked()))


def check_asyncio(tap, here):
    sites = [here.serve() for _ in range(16)]
    here.configure("")
    here.start_agent()
    got = here.run("/usr/bin/python3", "-c", ASYNCIO, "site.example", here.path("ca.pem"),
                   *(site.port for site in sites))
    tap.case("asyncio, 16 ports at once: each is asked about once, with its own port",
             got[1] == "16\n" and
             sorted(here.asked()) == sorted(f"site.example:{s.port}" for s in sites),
             (got, here.asked()))


def main():
    tap = lab.Tap()
    if lab.sanitized() or not shutil.which("curl"):
        tap.skip("unmodified programs", "a sanitizer's module loads in our own programs only")
        tap.done()
    with lab.Lab() as here:
        site, self_signed = here.serve(), here.serve("self")
        check_program(tap, here, "curl", curl, site, self_signed)
        check_program(tap, here, "python3", python, site, self_signed)
        check_curl(tap, here, site, self_signed)
        check_off(tap, here, site)
        check_tls_proxy(tap, here, site)
        check_asyncio(tap, here)
    tap.done()


main()
