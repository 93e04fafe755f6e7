#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Who may know whom: the arrows between the rooms, held on the include lines, and what enters
strangers' processes, held on the objects that were built."""
import os
import re
import subprocess
import sys

SOURCE = os.environ.get("top_srcdir", ".")
BUILD = os.environ.get("top_builddir", ".")

# What each room may include besides itself. A room that is not here is a mistake in this table.
ARROWS = {
    "common/base": [],
    "common/protocol": ["common/base"],
    "common/client": ["common/base", "common/protocol/message.h"],
    "common/engine": ["common/base", "common/protocol"],
    "common/libconverge": ["common/base", "common/client", "common/protocol/message.h"],
    "provider": ["common/base", "common/client", "common/protocol/message.h"],
    "nss-module": ["common/base", "common/client", "common/protocol/message.h"],
    "notary": ["common/base", "common/protocol"],
    "tools": ["common/base", "common/client", "common/libconverge", "common/protocol"],
}

# Libraries whose headers only these rooms may include.
LIBRARIES = {
    "gdbm.h": ["common/engine", "notary"],
    "curl/": ["common/engine", "tools"],
    "uv.h": ["common/engine", "notary"],
    "jansson.h": ["common/engine", "common/protocol", "notary", "tools"],
    "openssl/": ["common/protocol", "common/engine", "provider", "notary", "tools"],
    "idn2.h": ["common/libconverge"],
    "llhttp.h": ["notary"],
}

# The agent's messages are a library of their own inside common/protocol: libc only.
MESSAGE_FILES = re.compile(r"^common/protocol/message")

# What strangers' processes carry: convenience libraries of objects that may use libc only.
STRANGERS = ["libcvg-base.a", "libcvg-message.a", "libcvg-client.a", "libcvg-provider.a",
             "libcvg-nss-gate.a", "libcvg-nss-pkcs11.a"]

# Shared objects, and every library that each may need.
NEEDED = {
    "converge.so": {"libc.so.6", "libdl.so.2"},
    "libconverge.so": {"libc.so.6", "libidn2.so.0"},
    "libconverge-nss.so": {"libc.so.6", "libdl.so.2"},
}

# And what each may export.
EXPORTS = {
    "converge.so": "OSSL_provider_init",
    "libconverge.so": "converge(_.*)?|CONVERGE_[0-9]+",
    "libconverge-nss.so": "C_GetFunctionList|C_GetInterface|C_GetInterfaceList",
}


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def case(self, name, faults):
        self.count += 1
        self.failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {self.count} - {name}")
        for fault in faults:
            print(f"# {fault}")

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}")


def room_of(path):
    """The room a path of the tree is in, or None."""
    rooms = [room for room in ARROWS if path.startswith(room + "/")]
    return max(rooms, key=len) if rooms else None


def sources(room):
    for folder, _, names in os.walk(os.path.join(SOURCE, room)):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), SOURCE)


def includes(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', file.read(), re.M)


def of_the_tree(path, name):
    """The included file's path in the tree, or None for a system's header."""
    beside = os.path.join(os.path.dirname(path), name)
    for candidate in (name, os.path.normpath(beside)):
        if os.path.exists(os.path.join(SOURCE, candidate)):
            return candidate
    return None


def allowed(room, target):
    return any(target == to or target.startswith(to + "/") for to in [room] + ARROWS[room])


def arrow_faults(room):
    faults = []
    for path in sources(room):
        for name in includes(path):
            target = of_the_tree(path, name)
            if target and room_of(target) and not allowed(room, target):
                faults.append(f"{path} includes {name}")
            if MESSAGE_FILES.match(path) and target:
                if room_of(target) != "common/base" and not MESSAGE_FILES.match(target):
                    faults.append(f"{path} includes {name}: the agent's messages use base only")
    return faults


def library_faults(header, rooms):
    faults = []
    for room in ARROWS:
        for path in sources(room):
            if room in rooms and not MESSAGE_FILES.match(path):
                continue
            faults += [f"{path} includes {name}" for name in includes(path)
                       if name == header or (header.endswith("/") and name.startswith(header))]
    return faults


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def built(name):
    path = os.path.join(BUILD, ".libs", name)
    return path if os.path.exists(path) else None


def symbols(path, *options):
    return {line.split()[-1].split("@")[0] for line in output("nm", *options, path).splitlines()
            if line and not line.endswith(":")}


def libc_symbols():
    """What libc, and the loader's part of it, export."""
    names = set()
    for line in output("ldd", sys.executable).splitlines():
        match = re.search(r"(/\S*/(?:libc\.so|libdl\.so|ld-linux|ld-)\S*)", line)
        if match:
            names |= symbols(match.group(1), "-D", "--defined-only")
    return names


# Made by the compiler and the linker themselves.
TOOLCHAIN = {"_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail", "__tls_get_addr", "__dso_handle"}


def undefined_faults(name):
    own = symbols(built(name), "--defined-only")
    foreign = symbols(built(name), "-u") - own - libc_symbols() - TOOLCHAIN
    return [f"{symbol} is not libc's" for symbol in sorted(foreign)
            if not symbol.startswith("cvg_")]


def needed_faults(name):
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", built(name))))
    loader = {library for library in needed if library.startswith("ld-linux")}
    return [f"needs {library}" for library in sorted(needed - NEEDED[name] - loader)]


def export_faults(name):
    exported = symbols(built(name), "-D", "--defined-only")
    return [f"exports {symbol}" for symbol in sorted(exported)
            if not re.fullmatch(EXPORTS[name], symbol)]


def instrumented():
    """A sanitizer's build calls its runtime everywhere: its objects say nothing about ours."""
    path = built("libcvg-base.a")
    return path and any(symbol.startswith(("__asan", "__tsan", "__ubsan", "__sanitizer"))
                        for symbol in symbols(path, "-u"))


def main():
    tap = Tap()
    for room in ARROWS:
        if os.path.isdir(os.path.join(SOURCE, room)):
            tap.case(f"{room} includes only what it may", arrow_faults(room))
    for header, rooms in LIBRARIES.items():
        tap.case(f"{header} is used only in {', '.join(rooms)}", library_faults(header, rooms))
    for name in STRANGERS:
        if instrumented() or not built(name):
            tap.skip(f"{name} uses libc only", "instrumented or not built")
        else:
            tap.case(f"{name} uses libc only", undefined_faults(name))
    for name in NEEDED:
        if instrumented() or not built(name):
            tap.skip(f"{name} needs and exports only what it may", "instrumented or not built")
        else:
            tap.case(f"{name} needs and exports only what it may", needed_faults(name) + export_faults(name))
    print(f"1..{tap.count}")
    return tap.failed > 0


if __name__ == "__main__":
    sys.exit(main())
