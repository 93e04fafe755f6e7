#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Shell completion, in the shells themselves: commands, subcommands, options, modes."""
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(os.environ.get("top_srcdir", "."))
TOOLS = os.path.abspath(os.path.join(os.environ.get("top_builddir", "."), "tools"))
SCRIPTS = f"{SOURCE}/tools/completion"

BASH = """
source "$1/converge.bash"
shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_converge
printf '%s\\n' "${COMPREPLY[@]}"
"""
# zsh completes only in its line editor: here the function runs without one, and what it would hand
# to the editor is printed; the editor's own part, dropping what does not begin alike, is the test's.
ZSH = """
compadd() { print -rl -- ${@:#--} }
_describe() { print -rl -- ${${(P)2}%%:*} }
_files() { print -rl -- *(N) }
_command_names() { print -rl -- ${(k)commands} }
file=$1/_converge; shift
words=("$@"); CURRENT=$#
complete() { eval "$(< $file)" }
complete
"""


def complete(shell, *words):
    """What the shell offers for the last of the words."""
    if shell == "bash":
        argv = ["bash", "--norc", "-c", BASH, "bash", SCRIPTS, *words]
    elif shell == "zsh":
        argv = ["zsh", "-f", "-c", ZSH, "zsh", SCRIPTS, *words]
    else:
        argv = ["fish", "--no-config", "-c",
                f"source {SCRIPTS}/converge.fish; complete -C '{' '.join(words)}'"]
    # fish makes its folders in whatever is its home.
    with tempfile.TemporaryDirectory() as home:
        environment = dict(os.environ, PATH=TOOLS + ":" + os.environ["PATH"], HOME=home,
                           XDG_CONFIG_HOME=home, XDG_DATA_HOME=home, XDG_CACHE_HOME=home,
                           TERM="xterm", COLUMNS="200", LINES="60")
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=environment, timeout=60, check=False)
    return [word for word in done.stdout.split() if word.startswith(words[-1])]


CASES = (
    ("commands", ("converge", "wh"), {"why"}, {"check"}),
    ("subcommands", ("converge", "cache", ""), {"list", "forget", "clear"}, {"openssl"}),
    ("targets", ("converge", "enable", ""), {"openssl", "nss"}, {"forget"}),
    ("options", ("converge", "check", "--f"), {"--file", "--fingerprint"}, {"--json"}),
    ("modes", ("converge", "mode", "m"), {"monitor"}, {"replace"}),
)


def main():
    print(f"1..{3 * len(CASES)}")
    number, failed = 0, False
    for shell in ("bash", "zsh", "fish"):
        for title, words, wanted, unwanted in CASES:
            number += 1
            if shutil.which(shell) is None:
                print(f"ok {number} - {shell}: {title} # SKIP there is no {shell}")
                continue
            offered = set(complete(shell, *words))
            good = wanted <= offered and not unwanted & offered
            failed = failed or not good
            print(f"{'ok' if good else 'not ok'} {number} - {shell}: {title}")
            if not good:
                print(f"# offered: {sorted(offered)}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
