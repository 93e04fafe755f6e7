# SPDX-License-Identifier: MIT
"""What the module is as a file: one exported symbol, libc and nothing else, never unloaded."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab


# The C library's functions under all their names: a hardened build calls __printf_chk for printf,
# and pthread_atfork is __register_atfork in the object that calls it.
FORBIDDEN = {
    "print": r"_*(v?[fd]?printf|v?w?printf)(_chk)?|_*f?put[sc](_unlocked)?|putchar|fwrite|perror",
    "log": r"_*v?syslog(_chk)?|openlog",
    "start a process": r"_*v?fork|clone|posix_spawnp?|f?exec[lv]\w*|system|popen",
    "start a thread": r"pthread_create|thrd_create",
    "touch signals": r"_*sigaction|_*signal|sigprocmask|pthread_sigmask|raise|kill",
    "register handlers for fork or exit": r"pthread_atfork|__register_atfork|_*(cxa_)?atexit|on_exit",
    "end the program": r"abort|_*exit|__assert_fail|quick_exit",
    "change the environment": r"setenv|putenv|unsetenv|setlocale|chdir|umask|setrlimit",
}


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
    undefined = [line.split()[-1].partition("@")[0]
                 for line in output("nm", "-D", "--undefined-only", lab.MODULE).splitlines()]
    for what, names in FORBIDDEN.items():
        used = [name for name in undefined if re.fullmatch(names, name)]
        tap.case(f"it does not {what}", used == [] or lab.sanitized(), used)
    tap.done()


main()
