#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The numbers and names in the documents against the code."""
import os
import re
import sys

SOURCE = os.environ.get("top_srcdir", ".")


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def constants(path):
    """Every `#define NAME number` of a header."""
    found = re.findall(r"^#define\s+(\w+)\s+(\d+)\b", read(path), re.M)
    return {name: int(value) for name, value in found}


def members(path, prefix, name=r"\w+"):
    """The members of the first enumeration (of that name) that begin with prefix: {name: value}."""
    text = re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
    for body in re.findall(rf"\benum\s+{name}\s*\{{(.*?)\}}", text, re.S):
        if not body.strip().startswith(prefix):
            continue
        value, found = -1, {}
        for member, given in re.findall(r"(\w+)\s*(?:=\s*(\w+))?", body):
            value = int(given, 0) if given else value + 1
            found[member[len(prefix):].lower()] = value
        return found
    raise LookupError(f"{path} has no enumeration {prefix}")


def section(text, title):
    return re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", text, re.M | re.S).group(1)


PROTOCOL = read("doc/protocol.md")
MESSAGE = constants("common/protocol/message.h")
V1 = constants("common/protocol/v1.h")
V2 = constants("common/protocol/v2.h")
SIGNATURE_MAX = constants("common/protocol/sign.h")["CVG_SIGNATURE_MAX"]


def says(text, *phrases):
    text = " ".join(text.split())
    return [f"missing: {phrase}" for phrase in phrases if phrase not in text]


def differs(got, wanted):
    return [] if got == wanted else [f"the document has {got}, the code {wanted}"]


def hints():
    rows = re.findall(r"^\| (\d+) \| (\w+)", section(PROTOCOL, "Hints"), re.M)
    document = {int(number): word.lower() for number, word in rows}
    code = members("common/protocol/v2.h", "CVG_STARTTLS_")
    code = {value: name for name, value in code.items() if name != "count"}
    short = {0: "automatic", 13: "xmpp"}
    return differs(document, {n: short.get(n, name) for n, name in code.items()})


def limits():
    answer = V2["CVG_V2_TARGETS_MAX"] * (V2["CVG_V2_STATEMENT_MAX"] + 1024)
    return says(section(PROTOCOL, "Limits"),
                f"{V2['CVG_V2_REQUEST_MAX']:,} octets, {V2['CVG_V2_TARGETS_MAX']} targets",
                f"{V2['CVG_V2_STATEMENT_MAX']:,} octets, {V2['CVG_V2_RECORDS_MAX']} records",
                f"{SIGNATURE_MAX} octets", f"{answer:,} octets")


def version_1():
    return says(PROTOCOL, f"at most {V1['CVG_V1_ANSWER_MAX']:,} octets",
                f"at most {V1['CVG_V1_RECORDS_MAX']} records",
                f"at most {V1['CVG_V1_BODY_MAX']:,} octets")


def statuses():
    rows = re.findall(r"^\| (\d) ([a-z ]+) \|", section(PROTOCOL, "Statement"), re.M)
    document = {word.strip().replace(" ", "_"): int(number) for number, word in rows}
    return differs(document, members("common/protocol/v2.h", "CVG_V2_", "cvg_v2_status"))


def verdicts():
    text = section(PROTOCOL, "VERDICT")
    faults = []
    for path, prefix in (("common/base/verdict.h", "CVG_VERDICT_"),
                         ("common/base/verdict.h", "CVG_ACTION_"),
                         ("common/protocol/message.h", "CVG_VOTE_")):
        for name, value in members(path, prefix).items():
            spelled = f"0x{value:02x} {name}" if value else f"0 {name}"
            faults += says(text, spelled)
    return faults


def messages():
    return says(PROTOCOL, f"A message has at most {MESSAGE['CVG_MESSAGE_MAX']:,} octets",
                f"1 to {MESSAGE['CVG_MESSAGE_MAX'] - 15:,} octets",
                f"u8 port count, 0 to {MESSAGE['CVG_MESSAGE_PORTS_MAX']}",
                f"u32 leaf length, 1 to {MESSAGE['CVG_MESSAGE_LEAF_MAX']:,}",
                f"u8 vote count, 0 to {MESSAGE['CVG_MESSAGE_VOTES_MAX']}",
                f"u16 text length, 0 to {MESSAGE['CVG_MESSAGE_TEXT_MAX'] - 1}")


def found():
    words = {"given": "given", "param": "verify parameter", "sni": "SNI", "bio": "connect BIO",
             "peer": "peer's address", "fd": "descriptor's peer", "counters": "byte counters",
             "tunnel": "inside a CONNECT tunnel", "several": "several sockets match",
             "connect": "CONNECT request seen"}
    code = members("common/protocol/message.h", "CVG_FOUND_")
    code.pop("count")
    return differs(sorted(words), sorted(code)) + says(
        section(PROTOCOL, "CHECK"), *(f"{value} {words[name]}" for name, value in code.items()))


def commands():
    table = section(read("doc/commands.md"), "Every command, every reply")
    document = re.findall(r"^\| `([a-z-]+)`", table, re.M)
    code = re.findall(r'\{"([a-z-]+)", (?:cvg_)?command_\w+', read("common/engine/commands.c"))
    return differs(sorted(document), sorted(code))


def distributed():
    """Each document is distributed."""
    listed = read("Makefile.am")
    return [f"{name} is not in Makefile.am" for name in sorted(os.listdir(
        os.path.join(SOURCE, "doc"))) if "doc/" + name not in listed]


def documents():
    """The names of all documents that a reader may come from."""
    found = ["README.md", "SECURITY.md", "CONTRIBUTING.md"]
    found += ["doc/" + name for name in sorted(os.listdir(os.path.join(SOURCE, "doc")))
              if name.endswith(".md")]
    return found + [f"bindings/{name}/README.md"
                    for name in sorted(os.listdir(os.path.join(SOURCE, "bindings")))
                    if os.path.exists(os.path.join(SOURCE, "bindings", name, "README.md"))]


def prose(name):
    return re.sub(r"^```.*?^```", "", read(name), flags=re.M | re.S)


def titles(name):
    return re.findall(r"^#+ (.*?)$", prose(name), re.M)


def anchor(title):
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def links():
    """What a document links to in this repository is there, the place within it too."""
    faults = []
    for name in documents():
        for target, place in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)", prose(name)):
            path = os.path.normpath(os.path.join(os.path.dirname(name), target)) if target else name
            if not os.path.exists(os.path.join(SOURCE, path)):
                faults.append(f"{name} links to {target}")
            elif place and place not in map(anchor, titles(path)):
                faults.append(f"{name}: {path} has no place {place}")
    return faults


def sections():
    """A section that a document names in quotation marks, behind a document's name, is there."""
    faults = []
    for name in documents():
        text = " ".join(prose(name).split())
        for target, title in re.findall(r'\b([\w./-]+\.md)\)?,? "([^"]+)"', text):
            where = [path for path in (target, f"doc/{target}", os.path.normpath(os.path.join(
                os.path.dirname(name), target))) if path in documents()]
            if not where or title not in titles(where[0]):
                faults.append(f'{name}: {target} has no section "{title}"')
    page = read("doc/man/notary.conf.5") + read("doc/man/converge-notaryd.8")
    faults += [f'a page: doc/notary.md has no section "{title}"' for title in re.findall(
        r"\(\\\(lq(.*?)\\\(rq\)", page) if title not in titles("doc/notary.md")]
    return faults


def mentioned():
    """A file of this repository that a document names in passing is there, but for built ones."""
    faults, built = [], ("bench/bench.csv", "bench/notary/notary.csv", "tools/converge")
    for name in documents():
        for path in re.findall(r"(?<![\w/.-])((?:doc|tests|scripts|bench|bindings|tools|common)/"
                               r"[\w./-]*\w)", prose(name)):
            base = os.path.dirname(name)
            there = [os.path.join(SOURCE, place, path + ending)
                     for place in ("", base) for ending in ("", ".c")]
            if path not in built and not any(map(os.path.exists, there)):
                faults.append(f"{name} names {path}")
    return faults


def main():
    cases = [hints, limits, version_1, statuses, verdicts, messages, found, commands,
             distributed, links, sections, mentioned]
    failed = 0
    print(f"1..{len(cases)}")
    for number, case in enumerate(cases, 1):
        faults = case()
        failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {case.__name__.replace('_', ' ')}")
        for fault in faults:
            print(f"# {fault}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
