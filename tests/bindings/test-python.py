# SPDX-License-Identifier: MIT
"""The client library for Python, as a user gets it: built as a wheel, installed in an environment
of its own, its tests, types and documentation, the conformance table, and threads, asyncio, fork and
multiprocessing in tests/bindings/python_situations.py; what its documents show."""
import contextlib
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import conformance
import snippets
from conformance_world import LIBRARIES, Cast, sanitized
from notarylab import Tap, Unavailable, expect

PYTHON = "/usr/bin/python3"


class Package:
    """A copy of bindings/python, since building writes beside the sources."""

    def __init__(self, directory):
        self.source = os.path.join(directory, "python")
        shutil.copytree(os.path.join(conformance.SOURCE, "bindings/python"), self.source)
        subprocess.run(["chmod", "-R", "u+w", self.source], check=True)
        self.scratch = directory
        self.home = os.path.join(directory, "venv")
        self.python = os.path.join(self.home, "bin", "python")

    def environment(self, **extra):
        clean = {key: value for key, value in os.environ.items()
                 if not key.startswith(("PYTHON", "CONVERGE", "PIP_"))}
        return {**clean, "LD_LIBRARY_PATH": LIBRARIES, "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": self.scratch, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "LC_ALL": "C.UTF-8", **extra}

    def run(self, *command, code=0, cwd=None, **extra):
        environment = {key: value for key, value in self.environment(**extra).items()
                       if value is not None}
        result = subprocess.run(command, cwd=cwd or self.scratch, env=environment, timeout=300,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        expect(result.returncode, code, f"{command[:4]}: {result.stdout}")
        return result.stdout

    # Cases, in the order in which they need each other.

    def wheel(self):
        if subprocess.run([PYTHON, "-c", "import build, ensurepip, setuptools, wheel"], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            raise Unavailable("python3-build, -setuptools, -wheel or -venv is missing")
        self.run(PYTHON, "-m", "build", "--no-isolation", "--wheel", cwd=self.source)
        one, = glob.glob(os.path.join(self.source, "dist", "*.whl"))
        expect(os.path.basename(one), "converge-0.1.0-py3-none-any.whl")
        with zipfile.ZipFile(one) as file:
            names = [name for name in file.namelist() if "dist-info" not in name]
        expect(sorted(names), ["converge/" + name for name in (
            "__init__.py", "__init__.pyi", "_check.py", "_library.py", "_result.py", "_socket.py",
            "py.typed")])
        self.run(PYTHON, "-m", "venv", self.home)
        self.run(self.python, "-m", "pip", "install", "-q", "--no-index", "--no-deps", one)

    def own_tests(self):
        self.run(self.python, os.path.join(self.source, "tests/test_package.py"),
                 CONVERGE_AGENT="/nonexistent")

    def isolated(self):
        self.run(self.python, "-I", "-c", "import converge; assert converge.version()")

    def missing_library(self):
        said = self.run(self.python, "-c", "import converge", code=1, LD_LIBRARY_PATH=None)
        if "libconverge0" not in said:
            raise AssertionError(said)
        expect(said.splitlines()[-1].split(":")[0], "ImportError")

    def another_library(self):
        """Of that name, but without the functions."""
        directory = os.path.join(self.scratch, "other")
        os.makedirs(directory)
        subprocess.run(["gcc", "-shared", "-o", os.path.join(directory, "libconverge.so.0"),
                        "-x", "c", os.devnull], check=True)
        said = self.run(self.python, "-c", "import converge", code=1, LD_LIBRARY_PATH=directory)
        expect(said.splitlines()[-1].split(":")[0], "ImportError")

    def types(self):
        if not os.path.exists("/usr/bin/mypy"):
            raise Unavailable("no mypy")
        package = os.path.join(self.source, "src")
        for version in ("3.9", "3.11"):
            self.run(PYTHON, "-m", "mypy", "--cache-dir", os.devnull, "--strict",
                     "--python-version", version, "converge/__init__.pyi", "../examples/fetch.py",
                     cwd=package)
        self.run(PYTHON, "-m", "mypy.stubtest", "converge", cwd=package, PYTHONPATH=package)

    def syntax(self):
        self.run(PYTHON, "-c", "import ast, sys\nfor path in sys.argv[1:]: "
                 "ast.parse(open(path, encoding='utf-8').read(), feature_version=(3, 9))",
                 *glob.glob(os.path.join(self.source, "*/*.py")),
                 *glob.glob(os.path.join(self.source, "src/converge/*.py")))

    def documentation(self):
        said = self.run(self.python, "-m", "pydoc", "converge")
        for word in ("verify_socket", "CertificateRefused", "X509_V_OK"):
            assert word in said, word
        if not os.path.exists("/usr/bin/sphinx-build"):
            raise Unavailable("no sphinx; pydoc is well")
        html = os.path.join(self.scratch, "html")
        self.run("/usr/bin/sphinx-build", "-q", "-W", "-b", "html", "docs", html, cwd=self.source,
                 PYTHONPATH=os.path.join(self.source, "src"))
        with open(os.path.join(html, "index.html"), encoding="utf-8") as file:
            text = file.read()
        for name in self.run(self.python, "-c",
                             "import converge; print(*converge.__all__)").split():
            assert f'id="converge.{name}"' in text, f"{name} is not documented"

    def taken_over(self, tap, python, script, **extra):
        """A script's own TAP, as cases of ours."""
        result = subprocess.run([python, "-B", os.path.join(HERE, script)],
                                env=self.environment(**extra), stdout=subprocess.PIPE, text=True,
                                timeout=300, check=False)
        told = re.findall(r"^(ok|not ok) \d+ - (.*)\n((?:#.*\n)*)", result.stdout, re.MULTILINE)

        def case(word, skipped, why):
            if skipped:
                raise Unavailable(skipped)
            assert word == "ok", why
        for word, name, why in told:
            name, _, skipped = name.partition(" # SKIP ")
            tap.case(name, lambda word=word, skipped=skipped, why=why: case(word, skipped, why))
        tap.case(f"{script} came to its end", lambda: expect(
            (result.returncode, f"1..{len(told)}\n" in result.stdout and len(told) > 0), (0, True)))


def main():
    if sanitized():
        print("1..0 # SKIP a sanitized library does not load in Python")
        return
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="converge-python-") as directory:
        package = Package(directory)
        tap.case("a wheel is built and installed, offline", package.wheel)
        if not os.path.exists(package.python):
            tap.done()
        tap.case("the package's own tests", package.own_tests)
        tap.case("python -I", package.isolated)
        tap.case("without libconverge.so.0, ImportError says so", package.missing_library)
        tap.case("a library without the functions is an ImportError", package.another_library)
        tap.case("types: mypy --strict, stubs like the code", package.types)
        tap.case("syntax of Python 3.9", package.syntax)
        tap.case("documentation, of all that is public", package.documentation)
        runner = os.path.join(package.source, "tests/conformance.py")
        example = os.path.join(package.source, "examples/fetch.py")
        with contextlib.closing(Cast()) as cast:
            conformance.run_in(cast, tap, [package.python, runner])
            conformance.run_example(cast, tap, [package.python, example])
        package.taken_over(tap, package.python, "python_situations.py")
        # Debian's Python, which may have urllib3.
        package.taken_over(tap, PYTHON, "python_documents.py",
                           PYTHONPATH=os.path.join(package.source, "src"))
        language = snippets.Snippets(tap, "python", os.path.join(directory, "test_orders.py"),
                                     [package.python, os.path.join(directory, "test_orders.py")],
                                     package.environment())
        language.faked(said="OK")
    tap.done()


main()
