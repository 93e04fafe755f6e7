# SPDX-License-Identifier: MIT
"""converge mode: shown, and changed in one line of converge.conf."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from toolbox import *

CONF = "# mine\nmode = monitor # until Friday\nquorum = 4\nexempt_names = a.example\n"


def it_is_shown(installation):
    result = installation.run("mode")
    same(result.returncode, OK)
    contains(result.stdout, installation.path("converge.conf"), "mode = augment")
    installation.write("converge.conf", CONF)
    contains(installation.run("mode").stdout, "monitor", "nothing is refused", "converge report")
    told = installation.json("mode", "--json")
    same((told["mode"], told["file"], told["changed"], told["locked"]),
         ("monitor", installation.path("converge.conf"), False, False))
    same(installation.read("converge.conf"), CONF)


def one_line_changes(installation):
    installation.write("converge.conf", CONF)
    os.chmod(installation.path("converge.conf"), 0o640)
    installation.start_agent()
    result = installation.run("mode", "augment")
    same(result.returncode, OK, result.stderr)
    same(installation.read("converge.conf"), CONF.replace("monitor", "augment"))
    same(os.stat(installation.path("converge.conf")).st_mode & 0o777, 0o640)
    same([c["command"] for c in installation.commands()], ["notary-test", "reload"])
    same(installation.json("mode", "monitor", "--json")["changed"], True)
    same(installation.read("converge.conf"), CONF)
    same(installation.json("mode", "monitor", "--json")["changed"], False)
    same(sorted(n for n in os.listdir(installation.directory) if n.startswith("converge.conf")),
         ["converge.conf"])


def a_file_is_made_where_there_is_none(installation):
    same(installation.run("mode", "monitor").returncode, OK)
    same(installation.read("converge.conf"), "mode = monitor\n")


def not_into_a_mode_in_which_all_is_refused(installation):
    installation.write("converge.conf", CONF)
    one = {"ok": True, "notaries": [dict(TWO_ANSWER["notaries"][0]),
                                    dict(TWO_ANSWER["notaries"][1], answered=False)]}
    installation.reply("notary-test", one)
    result = installation.run("mode", "replace")
    same(result.returncode, UNDECIDED)
    contains(result.stderr, "1 of 2", "--anyway")
    same(installation.read("converge.conf"), CONF)
    same(installation.run("mode", "replace", "--anyway").returncode, OK)
    same(installation.read("converge.conf"), CONF.replace("monitor", "replace"))
    # From one that refuses to another nothing gets worse.
    same(installation.run("mode", "augment").returncode, OK)


def a_file_that_is_wrong_stays(installation):
    for text in ("mode = monitor\nnonsense\n", "mode = monitor\nmode = monitor\n"):
        installation.write("converge.conf", text)
        result = installation.run("mode", "augment", "--anyway")
        same(result.returncode, FAULT)
        contains(result.stderr, "converge.conf:2")
        same(installation.read("converge.conf"), text)


def who_may_not_is_told(installation):
    if os.geteuid() != 0 or not have("setpriv"):
        raise Skip("only root can become another user")
    installation.write("converge.conf", CONF)
    reachable = shutil.copy(CONVERGE, installation.path("converge"))
    result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                             reachable, "mode", "augment", "--anyway"],
                            env=installation.environment(), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, check=False)
    same(result.returncode, FAULT, result.stdout)
    contains(result.stderr, "may not change it", "sudo")
    same(installation.read("converge.conf"), CONF)


def wrong_usage(installation):
    for words in (["off"], ["monitor", "augment"], ["--mode", "augment"]):
        same(installation.run("mode", *words).returncode, USAGE)
    same(installation.read("converge.conf"), "")


main(it_is_shown, one_line_changes, a_file_is_made_where_there_is_none,
     not_into_a_mode_in_which_all_is_refused, a_file_that_is_wrong_stays, who_may_not_is_told,
     wrong_usage)
