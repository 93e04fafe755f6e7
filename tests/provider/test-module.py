# SPDX-License-Identifier: MIT
"""What the module is as a file: one exported symbol, libc and nothing else, never unloaded."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def main():
    tap = lab.Tap()
    exported = [line.split()[-1] for line in output("nm", "-D", "--defined-only",
                                                    lab.MODULE).splitlines()]
    tap.case("it exports OSSL_provider_init, and nothing else", exported == ["OSSL_provider_init"],
             exported)
    dynamic = output("readelf", "-dW", lab.MODULE)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    if lab.sanitized():
        tap.skip("it needs libc only", "a sanitizer's runtime is no part of what is shipped")
    else:
        tap.case("it needs libc only", needed == ["libc.so.6"], needed)
        loaded = re.findall(r"^\s*(\S+)", output("ldd", lab.MODULE), re.M)
        strange = [name for name in loaded
                   if not re.match(r"(linux-vdso|libc|/lib.*/ld-linux)", name)]
        tap.case("and ldd finds nothing more", strange == [], loaded)
    tap.case("it is never unloaded", "NODELETE" in dynamic, dynamic)
    undefined = output("nm", "-D", "--undefined-only", lab.MODULE)
    for word in ("printf", "puts", "fork", "exec", "system", "popen", "sigaction", "signal",
                 "pthread_atfork", "pthread_create", "syslog", "abort", "exit"):
        used = re.findall(rf"\b{word}@", undefined)
        tap.case(f"it does not use {word}", not used or lab.sanitized(), used)
    tap.done()


main()
