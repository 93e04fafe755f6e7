#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The manual pages against what they are about: --help, the header, the tables of keys."""
import glob
import os
import re
import shutil
import subprocess
import sys

SOURCE = os.environ.get("top_srcdir", ".")
BUILD = os.environ.get("top_builddir", ".")
PAGES = {os.path.basename(path): path
         for pattern in (f"{SOURCE}/doc/man/*.[1-8]", f"{BUILD}/doc/man/converge.conf.5")
         for path in glob.glob(pattern)}
OWN = re.compile(r"^(converge|notary)")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def page(name):
    return read(PAGES[name]).replace("\\-", "-")


def section(text, title):
    found = re.search(rf"^\.Sh {re.escape(title)}\n(.*?)(?=^\.Sh |\Z)", text, re.M | re.S)
    return found.group(1) if found else ""


def help_of(*argv):
    return subprocess.run([*argv, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout


def commands():
    return re.findall(r"^  (\w+) +\S", help_of(f"{BUILD}/tools/converge"), re.M)


def differ(what, told, there):
    return ([f"{what}: {item} is not in the page" for item in sorted(there - told)] +
            [f"{what}: {item} is only in the page" for item in sorted(told - there)])


def options_of_page(text):
    return {"--" + name for name in re.findall(r"\bFl -([a-z][a-z-]*)", text)}


def options_of_help(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def every_page():
    faults = [] if set(PAGES) else ["there are no pages"]
    listed = read(f"{SOURCE}/doc/man/Makefile.am")
    for name, path in sorted(PAGES.items()):
        faults += [f"{name} is not installed"] if f"/{name}" not in listed else []
        for target, number in re.findall(r"Xr ([\w.-]+) (\d)", read(path)):
            if OWN.match(target) and f"{target}.{number}" not in PAGES:
                faults.append(f"{name}: there is no {target}({number})")
    return faults


def lint():
    if shutil.which("mandoc") is None:
        return None
    told = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *PAGES.values()],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    # What stands in other packages, or is installed as a page of its own, is no fault.
    return [line for line in told.stdout.splitlines() if "referenced manual not found" not in line]


def every_command():
    front = page("converge.1")
    return [fault for name in commands()
            for fault in ([] if f"converge-{name}.1" in PAGES else [f"no page converge-{name}.1"]) +
            ([] if f"Xr converge-{name} 1" in front else [f"{name} is not in converge.1"])]


def command_options():
    faults = []
    for name in commands():
        if f"converge-{name}.1" not in PAGES:
            continue
        text, told = page(f"converge-{name}.1"), help_of(f"{BUILD}/tools/converge", name)
        examples = section(text, "EXAMPLES")
        faults += differ(name, options_of_page(text.replace(examples, "")), options_of_help(told))
    return faults


def exit_codes():
    faults = []
    for name in commands():
        told = help_of(f"{BUILD}/tools/converge", name)
        codes = re.search(r"Exit codes.*", told, re.S)
        if codes and f"converge-{name}.1" in PAGES:
            there = set(re.findall(r"(?<![\d:.])(\d{1,3})(?=\s)", codes.group(0)))
            page_has = set(re.findall(r"^\.It (\d+)$",
                                      section(page(f"converge-{name}.1"), "EXIT STATUS"), re.M))
            faults += differ(f"{name}'s exit codes", page_has, there)
    return faults


def daemons():
    faults = []
    for program, name in ((f"{BUILD}/converge-agent", "converge-agent.8"),
                          (f"{BUILD}/converge-notaryd", "converge-notaryd.8")):
        if name not in PAGES:
            faults.append(f"no page {name}")
            continue
        text = page(name)
        text = text.replace(section(text, "EXAMPLES"), "")
        faults += differ(name, options_of_page(text), options_of_help(help_of(program)))
    return faults


def prototypes(text):
    """{name: the declaration with single blanks, without names' line breaks}"""
    text = re.sub(r"/\*.*?\*/|^#.*?$", "", text, flags=re.S | re.M)
    found = re.findall(r"^((?:const )?\w+ \*?)(converge\w*)\((.*?)\);", text, re.M | re.S)
    return {name: f"{kind.strip()} {name}({' '.join(args.split())})" for kind, name, args in found}


def library():
    text = page("converge.3")
    synopsis = section(text, "SYNOPSIS")
    declared = {}
    for kind, name, args in re.findall(r'^\.Ft "?(.*?)"?\n\.Fn (\w+) (.*)$', synopsis, re.M):
        arguments = ", ".join(re.findall(r'"([^"]*)"', args))
        declared[name] = f"{kind} {name}({arguments})"
    header = prototypes(read(f"{SOURCE}/common/libconverge/converge.h"))
    exported = set(re.findall(r"^    (converge\w*);",
                              read(f"{SOURCE}/common/libconverge/libconverge.map"), re.M))
    named = set(re.findall(r"^\.Nm (\w+)", section(text, "NAME"), re.M))
    return (differ("NAME", named, exported) + differ("the map", set(header), exported) +
            differ("SYNOPSIS", set(declared.values()), set(header.values())))


def notary_keys():
    told = set(re.findall(r"\bCm (\w+)", " ".join(
        re.findall(r"^\.It .*$", page("notary.conf.5"), re.M))))
    table = read(f"{SOURCE}/notary/settings.c").split("struct cvg_key keys[]")[1]
    return differ("notary.conf", told, set(re.findall(r'^    \{"([a-z_0-9]+)",', table, re.M)))


def client_keys():
    told = set(re.findall(r"\bCm (\w+)", " ".join(
        re.findall(r"^\.It .*$", section(page("converge.conf.5"), "KEYS"), re.M))))
    table = read(f"{SOURCE}/common/base/config.c").split("struct cvg_key keys[]")[1]
    return differ("converge.conf", told, set(re.findall(r'^    \{"([a-z_0-9]+)",', table, re.M)))


CASES = (
    ("every page is installed, and names only pages that there are", every_page),
    ("mandoc has nothing to say", lint),
    ("every command has a page", every_command),
    ("a command's page has the options of its --help", command_options),
    ("a command's page has the exit codes of its --help", exit_codes),
    ("the daemons' pages have the options of their --help", daemons),
    ("converge(3) declares what converge.h declares", library),
    ("notary.conf(5) has every key", notary_keys),
    ("converge.conf(5) has every key", client_keys),
)


def main():
    print(f"1..{len(CASES)}")
    failed = False
    for number, (title, case) in enumerate(CASES, 1):
        faults = case()
        failed = failed or bool(faults)
        if faults is None:
            print(f"ok {number} - {title} # SKIP a program that it needs is not here")
            continue
        print(f"{'not ok' if faults else 'ok'} {number} - {title}")
        for fault in faults:
            print(f"# {fault}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
