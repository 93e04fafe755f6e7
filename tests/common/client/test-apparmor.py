#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The AppArmor abstraction: complete, and AppArmor's parser takes it in a profile. Nothing is loaded
into the kernel."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("top_builddir", ".")
ABSTRACTION = os.path.abspath(os.path.join(BUILD, "common/client/apparmor/converge"))
PROFILE = """abi <abi/3.0>,
include <tunables/global>
profile converge-trial /usr/bin/converge-trial {
  include <abstractions/base>
  include "%s"
}
"""


def parser():
    found = shutil.which("apparmor_parser", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return found if os.path.isdir("/etc/apparmor.d/abstractions") else None


def main():
    with open(ABSTRACTION, encoding="ascii") as file:
        text = file.read()
    left = re.findall(r"@\w+@", text)
    missing = [each for each in ("/converge.so mr,", "/libconverge-nss.so mr,", "/agent.sock rw,",
                                 "/converge.conf r,") if each not in text]
    failed = bool(left or missing)
    print("1..2")
    print("%sok 1 - it is complete # %s" % ("not " if failed else "", left + missing))
    if parser() is None:
        print("ok 2 - AppArmor takes it # SKIP AppArmor's parser and abstractions are not installed")
        sys.exit(failed)
    with tempfile.NamedTemporaryFile("w", prefix="converge-apparmor-") as profile:
        profile.write(PROFILE % ABSTRACTION)
        profile.flush()
        result = subprocess.run([parser(), "-Q", "-K", profile.name], capture_output=True,
                                text=True, timeout=60, check=False)
    for line in result.stderr.splitlines():
        print("# " + line)
    print("%sok 2 - AppArmor takes it" % ("not " if result.returncode else ""))
    sys.exit(failed or result.returncode != 0)


main()
