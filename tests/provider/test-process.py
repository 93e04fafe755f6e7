# SPDX-License-Identifier: MIT
"""What processes do to a module: threads, forks, closed descriptors, exit, contexts that come and
go, OpenSSL inside the program, memory that runs out. No crash, no growth, no deadlock."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab

NAME = "site.example"
WITHOUT = lab.OPENSSL_CNF.replace("converge = converge_provider\n", "")


def simple(tap, here, site, what, count, *args, handshakes=None, env=None):
    """A scene whose handshakes all succeed, each asked about once."""
    handshakes = handshakes or count
    here.configure("")
    here.start_agent()
    status, out, err = here.host("--port", site.port, "--param", NAME, "--count", count, *args,
                                 env=env)
    asked = here.asked()
    tap.case(what, status == 0 and err == "" and out.count(" ok=1 result=0 queue=0 ") == handshakes and
             asked == [f"{NAME}:{site.port}"] * handshakes, (status, out, err, len(asked)))


def refused(tap, here, site, what, count, *args, handshakes=None):
    """The same scene with an agent that refuses: none succeeds."""
    here.configure("")
    here.start_agent("*=refuse")
    status, out, err = here.host("--port", site.port, "--param", NAME, "--count", count, *args)
    tap.case(f"{what}, refused", out.count(" ok=0 result=28 ") == (handshakes or count) and
             " ok=1 " not in out and status >= 0, (status, out, err))


def scenes(tap, here, site):
    simple(tap, here, site, "64 threads at once", 64, "threads")
    refused(tap, here, site, "64 threads at once", 64, "threads")
    if lab.sanitized():
        tap.skip("forks in the middle of checks", "a sanitizer's own locks do not survive them")
    else:
        simple(tap, here, site, "forks in the middle of checks", 20, "fork", handshakes=41)
        refused(tap, here, site, "forks in the middle of checks", 5, "fork", handshakes=11)
    simple(tap, here, site, "all descriptors closed between checks", 20, "close-fds")
    simple(tap, here, site, "library contexts of the program's own", 10, "contexts")
    refused(tap, here, site, "library contexts of the program's own", 10, "contexts")
    simple(tap, here, site, "as the thread's default, too", 5, "default-context", handshakes=15)
    refused(tap, here, site, "as the thread's default, too", 5, "default-context", handshakes=15)
    simple(tap, here, site, "the configuration loaded again and again", 10, "reload")
    refused(tap, here, site, "the configuration loaded again and again", 10, "reload")


def unload(tap, here, site):
    """OpenSSL keeps an unloaded provider initialised until its library context ends, so checks go
    on: what must not happen is a crash."""
    here.configure("")
    here.start_agent()
    got = here.host("--port", site.port, "--param", NAME, "--count", 5, "unload",
                    env=here.environment(OPENSSL_CONF=here.path("without.cnf")))
    tap.case("loaded and unloaded by hand", got[0] == 0 and got[1].count(" ok=1 ") == 10 and
             len(here.asked()) >= 5, (got, here.asked()))
    here.start_agent("*=refuse")
    got = here.host("--port", site.port, "--param", NAME, "late",
                    env=here.environment(OPENSSL_CONF=here.path("without.cnf")))
    tap.case("an SSL_CTX that is older than the module is checked all the same",
             " ok=0 result=28 " in got[1] and len(here.asked()) == 1, (got, here.asked()))


def exits(tap, here, site):
    """The main thread calls exit() once eight others wait for their answers."""
    here.configure("deadline = 20s\n")
    for rule in ("silent", "slow"):
        here.start_agent(f"*={rule}")
        with subprocess.Popen([lab.HOST, "--ca", here.path("ca.pem"), "--port", str(site.port),
                               "--param", NAME, "--count", "8", "exit"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env=here.environment(
                                  ASAN_OPTIONS="detect_leaks=0")) as process:
            while len(here.asked()) < 8 and process.poll() is None:
                time.sleep(0.01)
            process.stdin.close()
            output = process.stdout.read()
        tap.case(f"exit in the middle of checks, agent {rule}",
                 process.returncode == 0 and b" ok=1 " not in output, (process.returncode, output))


def grown(here, site, count, env):
    """What the handshakes of one process left behind: memory in octets, descriptors."""
    status, out, err = here.host("--port", site.port, "--param", NAME, "--count", count, "growth",
                                 env=env)
    last = out.splitlines()[-1] if out else ""
    if status or err or not last.startswith("growth="):
        raise RuntimeError((status, last, err))
    memory, descriptors = last.split()
    return int(memory.split("=")[1]), descriptors


def growth(tap, here, site):
    """OpenSSL itself keeps some memory; with the module it must not be more."""
    count = 300 if lab.sanitized() else 2000
    here.configure("")
    here.start_agent()
    with_module = grown(here, site, count, None)
    without = grown(here, site, count, here.environment(OPENSSL_CONF=here.path("without.cnf")))
    tap.case(f"no growth over {count} handshakes, no descriptor left",
             with_module[0] - without[0] < 8 * count and with_module[1] == "fds=0" and
             len(here.asked()) == count + 50, (with_module, without))


def allocations(tap, here, site, self_signed):
    for server, mode, what in ((site, "augment", "a good chain"),
                               (self_signed, "replace", "a self-signed one")):
        here.configure(f"mode = {mode}\n")
        here.start_agent("*=refuse")
        got = here.host("--port", server.port, "--param", NAME, "allocations")
        if got[0] == 77:
            tap.skip("memory that runs out", "sanitizers have allocators of their own")
            return
        tap.case(f"memory runs out at every place: {what} that is refused is never accepted",
                 got[0] == 0 and re.search(r"tried=\d{3,} accepted=0\n$", got[1]), got)


def inside(tap, here, site):
    for name, exporting in (("host-static", False), ("host-exporting", True)):
        program = os.path.join(lab.BUILD, "tests/provider", name)
        if not os.path.exists(program):
            tap.skip(name, "no archives of OpenSSL here")
            continue
        here.configure("")
        here.start_agent("*=refuse")
        got = here.run(program, "--ca", here.path("ca.pem"), "--port", site.port, "--param", NAME,
                       "--count", 5, "connect")
        watched = got[1].count(" ok=0 result=28 ") == 5 and len(here.asked()) == 5
        inert = got[1].count(" ok=1 result=0 ") == 5 and here.asked() == []
        tap.case(f"OpenSSL inside the program, {'' if exporting else 'not '}exported: "
                 f"{'watched or left alone' if exporting else 'left alone'}",
                 got[0] == 0 and (inert or exporting and watched), (got, here.asked()))


def second(tap, here, site):
    program = os.path.join(lab.BUILD, "tests/provider/host-static")
    if not os.path.exists(program):
        tap.skip("two OpenSSLs", "no archives of OpenSSL here")
        return
    here.configure("")
    here.start_agent("*=refuse")
    got = here.run(program, "--ca", here.path("ca.pem"), "--port", site.port, "--param", NAME,
                   "second")
    tap.case("two OpenSSLs in one process: one is left alone, the other is checked",
             got[0] == 0 and " ok=1 result=0 " in got[1] and " ok=0 result=28\n" in got[1] and
             len(here.asked()) == 1, (got, here.asked()))


def copy_openssl(here):
    """The system's OpenSSL once more, under names of its own as in a Python wheel. Returns the path
    of its libssl, or None."""
    loaded = subprocess.run(["ldd", lab.HOST], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = dict(re.findall(r"(lib(?:ssl|crypto)\.so\.3) => (\S+)", loaded))
    if len(found) != 2:
        return None
    for name, path in found.items():
        with open(path, "rb") as file:
            data = file.read()
        for old in found:
            data = data.replace(old.encode() + b"\0", old.replace("so.3", "so.9").encode() + b"\0")
        with open(here.path(name.replace("so.3", "so.9")), "wb") as file:
            file.write(data)
    return here.path("libssl.so.9")


def opened(tap, here, site):
    program = os.path.join(lab.BUILD, "tests/provider/host-dl")
    here.configure("")
    copy = copy_openssl(here)
    for libraries, what in ((["libssl.so.3"], "libssl"), (["libssl.so.3", copy], "two libssls")):
        if not libraries[-1]:
            tap.skip(what, "the host's OpenSSL was not found")
            continue
        here.start_agent("*=refuse")
        got = here.run(program, here.path("ca.pem"), NAME, site.port, 5, *libraries,
                       env=here.environment(LD_LIBRARY_PATH=here.dir))
        count = 5 * len(libraries)
        tap.case(f"{what} opened and closed: each handshake is refused, each is asked about once",
                 got[0] == 0 and got[1].count(" ok=0 result=28\n") == count and
                 len(here.asked()) == count, (got, here.asked()))


def main():
    tap = lab.Tap()
    with lab.Lab() as here:
        here.write("without.cnf", WITHOUT)
        site, self_signed = here.serve(), here.serve("self")
        scenes(tap, here, site)
        unload(tap, here, site)
        exits(tap, here, site)
        growth(tap, here, site)
        allocations(tap, here, site, self_signed)
        inside(tap, here, site)
        opened(tap, here, site)
        second(tap, here, site)
    tap.done()


main()
