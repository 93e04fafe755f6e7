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


def reasons():
    """Every reason of a verdict is explained, in the manual and in doc/agent.md."""
    table = read(f"{SOURCE}/common/base/verdict.c").split("CVG_REASON_NONE] =")[1].split("};")[0]
    there = set(re.findall(r'\] = "([a-z-]+)"', table))
    told = set(re.findall(r"[a-z-]+", " ".join(re.findall(
        r"^\.It Cm (.*)$", page("converge-agent.8").split(".Ss Log")[1].split(".Ss ")[0], re.M))))
    row = re.search(r"^\| `reason` \|.*$", read(f"{SOURCE}/doc/agent.md"), re.M).group(0)
    inside = {"no-agent", "excluded-program"}  # which the agent never says
    return (differ("converge-agent.8", told, there) +
            differ("doc/agent.md", set(re.findall(r"`([a-z-]+)`", row)) - {"reason"},
                   there - inside))


def plain(setting):
    """A default's value without the unit: 256M, 24h, 7d ..."""
    number, unit = re.fullmatch(r"(\d+)(\w*)", setting).groups()
    return int(number) * {"": 1, "M": 1 << 20, "s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def number_in(code):
    value = 1
    for factor in re.sub(r"UINT64_C\((\d+)\)", r"\1", code).split(" * "):
        shift = re.fullmatch(r"(\d+) << (\d+)", factor)
        value *= int(shift.group(1)) << int(shift.group(2)) if shift else int(factor)
    return value


def notary_defaults():
    """The numbers that notary.conf(5) tells as defaults are those of the code."""
    text = page("notary.conf.5")
    told = {key: plain(value) for key, value in re.findall(
        r"^\.It Cm (\w+)\n(?:(?!\.It ).*\n)*?Default: (?:\\fB)?(\d+[a-zA-Z]?)(?:\\fR)?\.$",
        text, re.M)}
    code = read(f"{SOURCE}/notary/settings.c").split("void cvg_settings_init")[1]
    code = code[:code.index("};")]
    there = {}
    for field, value in re.findall(r"^ {8}\.(\w+) = ([\w() <*]+),", code, re.M):
        if re.fullmatch(r"[\dUINT_C64()<* ]+", value):
            name = re.sub(r"_m?s$", "", field)  # the unit, which the key has in its value
            there[name] = number_in(value) // (1000 if field.endswith("_ms") else 1)
    there["relay_ports"] = 4242
    faults = [f"{key}: the page has {value}, the code {there.get(key, 0)}"
              for key, value in told.items() if there.get(key, 0) != value]
    return faults + [f"{key} has no default in the page" for key in set(there) - set(told)]


CASES = (
    ("every page is installed, and names only pages that there are", every_page),
    ("mandoc has nothing to say", lint),
    ("every command has a page", every_command),
    ("a command's page has the options of its --help", command_options),
    ("a command's page has the exit codes of its --help", exit_codes),
    ("the daemons' pages have the options of their --help", daemons),
    ("converge(3) declares what converge.h declares", library),
    ("notary.conf(5) has every key", notary_keys),
    ("notary.conf(5) has the code's defaults", notary_defaults),
    ("every reason of a verdict is explained", reasons),
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
