#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The PHP library: its Composer package and its own tests, with FFI on, preloaded and off, the
conformance table, and the example against a site that is confirmed and one that is not."""
import os
import re
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import conformance
import packagelab
import snippets
from notarylab import Unavailable, expect, free_ports
from toolbox import wait_for

PAGE = """<?php
require %r;
try { echo Converge\\Converge::version(); }
catch (Converge\\UnavailableException $e) { echo $e->getMessage(); }
"""


def composer(php):
    if packagelab.shutil.which("composer") is None:
        raise Unavailable("no composer")
    text = php.run("composer", "--no-interaction", "--no-plugins", "validate", "--strict",
                   COMPOSER_ALLOW_SUPERUSER="1", COMPOSER_DISABLE_NETWORK="1")
    assert "is valid" in text, text


def phpunit(php):
    if packagelab.shutil.which("phpunit") is None:
        raise Unavailable("no phpunit")
    text = php.run("phpunit", "--configuration", "phpunit.xml")
    assert re.search(r"OK \(\d+ tests", text), text


def syntax(php):
    for directory, _, files in os.walk(php.directory):
        for name in files:
            if name.endswith(".php"):
                php.run("php", "-l", os.path.join(directory, name))


def served(php, *settings):
    """What a page says in PHP's web server, which is not the command line to FFI."""
    page = php.path("page.php")
    with open(page, "w", encoding="ascii") as file:
        file.write(PAGE % php.path("autoload.php"))
    port = free_ports(1)[0]
    words = [word for one in settings for word in ("-d", one)]
    with subprocess.Popen(["php", *words, "-S", f"127.0.0.1:{port}", page], cwd=php.directory,
                          env=php.environment(), stderr=subprocess.DEVNULL) as server:
        said = []

        def answers():
            assert server.poll() is None, "the server has ended"
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as reply:
                    said.append(reply.read().decode())
            except OSError:
                pass
            return said
        try:
            wait_for(answers)
        finally:
            server.terminate()
    return said[0]


def switched_off(php):
    for setting in ("ffi.enable=preload", "ffi.enable=false"):
        text = served(php, setting)
        assert "FFI is switched off here" in text and "opcache.preload" in text, text


def switched_on(php):
    expect(served(php, "ffi.enable=true"), "0.1.0")


def preloaded(php):
    if "Zend OPcache" not in php.run("php", "-m"):
        raise Unavailable("no opcache")
    user = ["opcache.preload_user=root"] if os.geteuid() == 0 else []
    expect(served(php, "ffi.enable=preload", "opcache.enable_cli=1",
                  "opcache.preload=" + php.path("preload.php"), *user), "0.1.0")


def without_library(php):
    text = php.run("php", "-r", f"require '{php.path('autoload.php')}';"
                   "try { echo Converge\\Converge::version(); }"
                   "catch (Converge\\UnavailableException $e) { echo $e->getMessage(); }",
                   LD_LIBRARY_PATH=php.parent)
    if "cannot be loaded" not in text:
        raise Unavailable("libconverge is installed here")


def documents(php, tap):
    path = php.path("order.php")
    opening = f"<?php require '{php.path('autoload.php')}';\n"
    language = snippets.Snippets(tap, "php", path, ["php", path], php.environment())
    language.shortest(opening + "use Converge\\Converge; $der = 'DER';\n%s")
    language.faked(opening, "disagree")


def steps(php, tap):
    tap.case("every file is PHP", lambda: syntax(php))
    tap.case("composer.json is valid", lambda: composer(php))
    tap.case("its own tests pass", lambda: phpunit(php))
    tap.case("where FFI is off it says so, and what to do", lambda: switched_off(php))
    tap.case("a web server with FFI on", lambda: switched_on(php))
    tap.case("a web server that preloads", lambda: preloaded(php))
    tap.case("without the library it says so", lambda: without_library(php))
    tap.case("the example protects a connection", lambda: packagelab.example_protects(
        php, ["php", php.path("examples", "fetch.php")]))
    documents(php, tap)
    conformance.run(["php", php.path("conformance", "runner.php")], tap=tap)


packagelab.require("php")
if "FFI" not in subprocess.run(["php", "-m"], stdout=subprocess.PIPE, text=True, check=True).stdout:
    packagelab.skip_all("no FFI in PHP")
packagelab.run("php", steps)
