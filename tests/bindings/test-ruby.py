# SPDX-License-Identifier: MIT
"""The gem: tested, built, installed, documented, and held against the conformance table."""
import shutil

import packagelab
import snippets
from packagelab import conformance, toolbox

packagelab.require("ruby", "gem")


def own_tests(package, tap):
    def run():
        if shutil.which("rake") is None:
            raise packagelab.Unavailable("no rake")
        output = package.run("rake", "test")
        toolbox.contains(output, " 0 failures, 0 errors, 0 skips")
        assert "warning:" not in output, output
    tap.case("its own tests", run)

    def signatures():
        validate = "Gem.use_paths(nil, [*Gem.path]); gem 'rbs'; require 'rbs'; require 'rbs/cli'; " \
                   "RBS::CLI.new(stdout: $stdout, stderr: $stderr).run(%w[-I sig validate --silent])"
        if package.status("ruby", "-e", "require 'rbs'") != 0:
            raise packagelab.Unavailable("no rbs")
        package.run("ruby", "-e", validate)
    tap.case("its signatures are valid", signatures)


def gem(package, tap):
    def build():
        output = package.run("gem", "build", "converge.gemspec")
        toolbox.contains(output, "File: converge-0.1.0.gem")
    tap.case("gem build", build)

    def install():
        package.run("gem", "install", "--local", "--no-user-install", "--install-dir",
                    package.path("gems"), "converge-0.1.0.gem")
        toolbox.same(package.run("ruby", "-rconverge", "-e", "print Converge.version",
                                 GEM_PATH=package.path("gems")), "0.1.0")
    tap.case("gem install", install)

    def without_library():
        status = package.status("ruby", "-rconverge", "-e", "1", GEM_PATH=package.path("gems"),
                                LD_LIBRARY_PATH="/nonexistent")
        if status == 0:
            raise packagelab.Unavailable("libconverge is installed here")
    tap.case("without libconverge it does not load", without_library)

    def documentation():
        if shutil.which("yard") is None:
            raise packagelab.Unavailable("no yard")
        package.run("yard", "doc", "--no-cache", "--fail-on-warning")
        toolbox.contains(package.run("yard", "stats", "--list-undoc"),
                         "100.00% documented")
    tap.case("all is documented", documentation)


def example(package, tap):
    tap.case("the example protects a connection", lambda: packagelab.example_protects(
        package, ["ruby", "examples/https_get.rb"], GEM_PATH=package.path("gems")))


def documents(package, tap):
    path = package.path("order_test.rb")
    language = snippets.Snippets(tap, "ruby", path, ["ruby", "-w", path],
                                 package.environment(RUBYLIB=package.path("lib")))
    language.shortest("require 'converge'\nPeer = Struct.new(:to_der)\n"
                      "socket = Struct.new(:peer_cert).new(Peer.new('DER'))\n%s")
    if package.status("ruby", "-e", "require 'minitest/mock'") != 0:
        tap.skip("an answer faked in a test", "no minitest")
        return
    language.faked(said="1 runs, 2 assertions, 0 failures, 0 errors")


def table(package, tap):
    conformance.run(["ruby", package.path("examples", "conformance.rb")],
                    {"GEM_PATH": package.path("gems")}, tap=tap)


packagelab.run("ruby", own_tests, gem, example, documents, table)
