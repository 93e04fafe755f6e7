# SPDX-License-Identifier: MIT
"""The Lua module: for each Lua that is here its rock, its tests, its example and the conformance table;
then its memory and its documentation."""
import contextlib
import os
import shutil

import packagelab
import snippets
from conformance_world import Cast
from packagelab import HEADERS, LIBRARIES, conformance, toolbox

# The interpreter, LuaRocks' name of its version (none for LuaJIT: a compiler's call by hand), headers.
LUAS = [("lua5.4", "5.4", "/usr/include/lua5.4"), ("lua5.3", "5.3", "/usr/include/lua5.3"),
        ("lua5.2", "5.2", "/usr/include/lua5.2"), ("lua5.1", "5.1", "/usr/include/lua5.1"),
        ("luajit", None, "/usr/include/luajit-2.1")]
FLAGS = ["-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]

packagelab.require("cc")
HERE = [one for one in LUAS if shutil.which(one[0])]
if not HERE:
    packagelab.skip_all("no Lua")


class Installation(toolbox.Installation):
    """As test/test.lua wants it: its directory and its agent are those of the environment."""

    def variables(self):
        return {"CONVERGE_TEST_DIR": self.directory, "CONVERGE_CONFIG_DIR": self.directory,
                "CONVERGE_AGENT": os.path.abspath(toolbox.FAKE_AGENT)}


def run_tests(package, *argv, **extra):
    installation = Installation()
    try:
        output = package.run(*argv, "test/test.lua", **installation.variables(), **extra)
    finally:
        installation.close()
    assert "SKIP" not in output, output


def modules(package, lua):
    """Where this Lua finds the module; the rest as it always does."""
    return {"LUA_CPATH": package.path("built", lua, "?.so") + ";;"}


def by_hand(package, lua, headers, *flags):
    if not os.path.exists(os.path.join(headers, "lua.h")):
        raise packagelab.Unavailable("no " + headers)
    os.makedirs(package.path("built", lua), exist_ok=True)
    package.run("cc", *FLAGS, *flags, "-I" + headers, "-I" + HEADERS, "-o",
                package.path("built", lua, "converge.so"), "src/converge.c", "-L" + LIBRARIES,
                "-lconverge")


def rocks(package, tap):
    def lint():
        if shutil.which("luarocks") is None:
            raise packagelab.Unavailable("no luarocks")
        package.run("luarocks", "lint", "converge-0.1.0-1.rockspec")
    tap.case("luarocks lint", lint)

    def make(version, headers):
        if shutil.which("luarocks") is None:
            raise packagelab.Unavailable("no luarocks")
        if not os.path.exists(os.path.join(headers, "lua.h")):
            raise packagelab.Unavailable("no " + headers)
        tree = package.path("tree")
        package.run("luarocks", "--lua-version", version, "--tree", tree, "make", "--no-manifest",
                    "CONVERGE_INCDIR=" + HEADERS, "CONVERGE_LIBDIR=" + LIBRARIES)
        rock = package.path("tree", "lib", "lua", version, "?.so")
        toolbox.same(package.run("lua" + version, "-e",
                                 "io.write(require 'converge'.version())", LUA_CPATH=rock), "0.1.0")
    for lua, version, headers in HERE:
        if version is not None:
            tap.case(f"luarocks make for {lua}", lambda v=version, h=headers: make(v, h))


def interpreters(package, tap):
    for lua, _, headers in HERE:
        tap.case(f"{lua}: built without a warning",
                 lambda lua=lua, headers=headers: by_hand(package, lua, headers))
        tap.case(f"{lua}: the module's tests",
                 lambda lua=lua: run_tests(package, lua, **modules(package, lua)))

        def example(lua=lua):
            if package.status(lua, "-e", "require 'ssl'") != 0:
                raise packagelab.Unavailable("no LuaSec for " + lua)
            packagelab.example_protects(package, [lua, "examples/https-get.lua"],
                                        **modules(package, lua))
        tap.case(f"{lua}: the example protects a connection", example)


def exports(package, tap):
    def one_symbol():
        lua, _, headers = HERE[0]
        by_hand(package, lua, headers, "-fvisibility=hidden")
        symbols = package.run("nm", "-D", "--defined-only", f"built/{lua}/converge.so").split()
        toolbox.same(symbols[2::3], ["luaopen_converge"])
    tap.case("it exports one symbol", one_symbol)


def memory(package, tap):
    def valgrind():
        if shutil.which("valgrind") is None:
            raise packagelab.Unavailable("no valgrind")
        lua = HERE[0][0]
        if lua == "luajit":
            raise packagelab.Unavailable("LuaJIT's own tricks are not for valgrind")
        run_tests(package, "valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite",
                  "--errors-for-leak-kinds=definite", "--error-exitcode=9", lua,
                  CONVERGE_TEST_TIMES="20", **modules(package, lua))
    tap.case("no wrong access to memory, and no leak", valgrind)


def documentation(package, tap):
    def ldoc():
        if shutil.which("ldoc") is None:
            raise packagelab.Unavailable("no ldoc")
        package.run("ldoc", "--fatalwarnings", ".")
        with open(package.path("doc", "index.html"), encoding="utf-8") as file:
            text = file.read()
        for name in ("converge", "check", "verify", "strerror", "version", "options", "result", "vote"):
            toolbox.contains(text, f'<a name = "{name}"></a>')
    tap.case("ldoc documents all of it", ldoc)


def documents(package, tap):
    lua, path = HERE[0][0], package.path("order.lua")
    language = snippets.Snippets(tap, "lua", path, [lua, path],
                                 package.environment(**modules(package, lua)))
    language.shortest("local converge, der = require 'converge', 'DER'\n%s")
    language.faked()


def table(package, tap):
    with contextlib.closing(Cast()) as cast:
        for lua, _, _ in HERE:
            section = None if lua == HERE[0][0] else "two"  # the others have the same source
            conformance.run_in(cast, tap, [lua, package.path("examples", "conformance.lua")],
                               {"LUA_CPATH": package.path("built", lua, "?.so")}, only=section)


packagelab.run("lua", rocks, interpreters, exports, memory, documentation, documents, table)
