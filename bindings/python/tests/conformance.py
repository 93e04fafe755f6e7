# SPDX-License-Identifier: MIT
"""The runner of Converge's conformance table for Python: cases on standard input, what the package
made of them on standard output."""
import sys

import converge


def given(field, convert=str):
    return None if field == "-" else convert(field)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def vote_text(vote):
    return f"{vote.notary}:{vote.answer}" + (f"({vote.error})" if vote.error else "")


def answer(call, host, port, fingerprint, timeout, pki, certificate, start):
    if call == "converge":
        return [str(converge.converge(host, int(port), given(fingerprint))), *"----"]
    options = {"timeout": given(timeout, lambda text: int(text) / 1000),
               "pki_result": given(pki, int), "certificate": given(certificate, read)}
    if start != "-":
        options["start_agent"] = start != "0"
    result = converge.check(host, int(port), given(fingerprint), **options)
    votes = sorted(map(vote_text, result.votes), key=str.encode)
    return [str(result.code), result.verdict, result.action, result.reason,
            ",".join(votes) or "-"]


def main():
    for octets in sys.stdin.buffer:
        name, *fields = octets.decode("utf-8").rstrip("\n").split("\t")
        line = "\t".join([name, *answer(*fields)]) + "\n"
        sys.stdout.buffer.write(line.encode("utf-8"))


main()
