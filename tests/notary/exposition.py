# SPDX-License-Identifier: MIT
"""A strict reader of Prometheus' text format, version 0.0.4: what it does not know is an error.

parse(text) gives {family: Family}; a family's samples are {(name, labels): value}."""
import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\Z)')
SAMPLE = re.compile(r"([^ {]+)(?:\{(.*)\})? (\S+)\Z")
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|Inf)\Z|NaN\Z")
TYPES = ("counter", "gauge", "histogram")


class Family:
    def __init__(self, name, text):
        self.name = name
        self.help = text
        self.type = None
        self.samples = {}


def labels_of(text):
    labels = []
    while text:
        found = LABEL.match(text)
        if not found:
            raise ValueError(f"labels: {text!r}")
        labels.append((found.group(1),
                       re.sub(r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1),
                              found.group(2))))
        text = text[found.end():]
        if found.group(3) == "," and not text:
            raise ValueError("a comma at the end")
    if len({name for name, _ in labels}) != len(labels):
        raise ValueError(f"a label twice: {labels}")
    return tuple(labels)


def belongs(name, family):
    if family.type == "histogram":
        return name in [family.name + end for end in ("_bucket", "_sum", "_count")]
    return name == family.name


def take_sample(line, family):
    found = SAMPLE.match(line)
    if not found or not NAME.match(found.group(1)) or not NUMBER.match(found.group(3)):
        raise ValueError(f"not a sample: {line!r}")
    key = (found.group(1), labels_of(found.group(2) or ""))
    if family is None or family.type is None or not belongs(key[0], family):
        raise ValueError(f"outside its family: {line!r}")
    if key in family.samples:
        raise ValueError(f"twice: {line!r}")
    family.samples[key] = float(found.group(3))


def check_histogram(family):
    series = {}
    for (name, labels), value in family.samples.items():
        rest = tuple(one for one in labels if one[0] != "le")
        kind = name[len(family.name):]
        if (kind == "_bucket") != (rest != labels):
            raise ValueError(f"le in the wrong place: {name}{labels}")
        bound = float(dict(labels).get("le", "nan"))
        series.setdefault(rest, []).append((kind, bound, value))
    for rest, found in series.items():
        buckets = [(bound, value) for kind, bound, value in found if kind == "_bucket"]
        if buckets != sorted(buckets) or [v for _, v in buckets] != sorted(v for _, v in buckets):
            raise ValueError(f"not cumulative: {family.name}{rest}")
        ends = {kind: value for kind, _, value in found if kind != "_bucket"}
        if buckets[-1] != (math.inf, ends["_count"]) or "_sum" not in ends:
            raise ValueError(f"the last bucket is not all: {family.name}{rest}")


def check(family):
    if family.type is None or not family.samples or not family.help:
        raise ValueError(f"incomplete: {family.name}")
    if (family.type == "counter") != family.name.endswith("_total"):
        raise ValueError(f"the name of a {family.type}: {family.name}")
    if family.type == "counter" and any(not value >= 0 for value in family.samples.values()):
        raise ValueError(f"negative: {family.name}")
    if family.type == "histogram":
        check_histogram(family)


def parse(text):
    families = {}
    family = None
    if not text.endswith("\n") or "\r" in text:
        raise ValueError("lines do not end with a newline")
    for line in text[:-1].split("\n"):
        if not line.startswith("# "):
            take_sample(line, family)
            continue
        _, word, name, rest = line.split(" ", 3)
        if word == "HELP":
            if not NAME.match(name) or name in families:
                raise ValueError(f"HELP: {line!r}")
            family = families[name] = Family(name, rest)
        elif word == "TYPE" and family is not None and name == family.name and \
                family.type is None and not family.samples and rest in TYPES:
            family.type = rest
        else:
            raise ValueError(f"not known: {line!r}")
    for family in families.values():
        check(family)
    return families


def value(families, name, **labels):
    """The one sample of that name with those labels."""
    for family in families.values():
        for (found, with_labels), number in family.samples.items():
            if found == name and dict(with_labels) == labels:
                return number
    raise KeyError(f"{name} {labels}")
