#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The Java library: its Maven build with its own tests and documentation, the conformance table, and
the example with a site that real notaries see, and with one that they see otherwise."""
import contextlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import conformance
import packagelab
import snippets
from conformance_world import HOST, Cast
from guarded_site import Guarded
from notarylab import Tap, Unavailable, expect

MAVEN = ["mvn", "-q", "-B", "-o", "-s", "/etc/maven/settings-debian.xml", "-Pdebian"]
QUICK = ["-XX:TieredStopAtLevel=1"]  # for programs that end before it pays to compile them well
JNA = "/usr/share/java/jna.jar"
tap = Tap()


def build(java):
    java.run(*MAVEN, "package")
    tests = java.path("target", "surefire-reports")
    assert any("ConvergeTest" in name for name in os.listdir(tests)), "no test was run"


def document(java):
    java.run(*MAVEN, "javadoc:javadoc")
    page = java.path("target", "site", "apidocs", "org.converge", "org", "converge", "Converge.html")
    assert os.path.exists(page) or os.path.exists(page.replace("org.converge/", "", 1)), page


def example(java, cast, other, status, output):
    """Against the loopback: Java's own hosts file names the site, its own root is the site's."""
    guarded = Guarded(cast, other)
    try:
        hosts, roots = os.path.join(java.parent, "hosts"), os.path.join(java.parent, "roots.p12")
        with open(hosts, "w", encoding="ascii") as file:
            file.write(f"127.0.0.1 {HOST}\n")
        if os.path.exists(roots):
            os.remove(roots)
        java.run("keytool", "-importcert", "-noprompt", "-file", guarded.site.certificate,
                 "-keystore", roots, "-storetype", "PKCS12", "-storepass", "password")
        got, out, err = guarded.run(
            "java", "-cp", class_path(java), "-Djdk.net.hosts.file=" + hosts,
            "-Djavax.net.ssl.trustStore=" + roots, "-Djavax.net.ssl.trustStorePassword=password",
            java.path("examples", "Fetch.java"), guarded.site.url)
        expect((got, out), (status, output), err)
        return err
    finally:
        guarded.close()


def refused_example(java, cast):
    err = example(java, cast, True, 1, "")
    assert "code 28" in err, err  # whichever of the two was first decided it
    assert "liar: no" in err or "perjurer: no" in err, err


def class_path(java):
    return java.path("target", "converge-0.1.0.jar") + ":" + JNA


def runner(java):
    """Compiled once, not in each of the table's worlds."""
    classes = java.path("target", "runner")
    java.run("javac", "-cp", class_path(java), "-d", classes,
             java.path("conformance", "Runner.java"))
    return ["java", *QUICK, "-cp", class_path(java) + ":" + classes, "Runner"]


def without_library(java):
    out = os.path.join(java.parent, "empty")
    os.mkdir(out)
    source = os.path.join(java.parent, "Version.java")
    with open(source, "w", encoding="ascii") as file:
        file.write("class Version { public static void main(String[] a) { for (int i = 0; i < 2; i++)"
                   " try { System.out.println(org.converge.Converge.version()); }"
                   " catch (UnsatisfiedLinkError e) { System.out.println(e.getMessage()); } } }\n")
    text = java.run("java", "-cp", class_path(java), source, LD_LIBRARY_PATH=out)
    if "cannot be loaded" not in text:
        raise Unavailable("libconverge is installed here")
    expect(text.count("libconverge.so.0 cannot be loaded"), 2, text)


def documents(java):
    path = os.path.join(java.parent, "ShopTest.java")
    language = snippets.Snippets(tap, "java", path, ["java", "-cp", class_path(java), path],
                                 java.environment())
    language.runs("import javax.net.ssl.SSLContext;\nimport org.converge.ConvergeTrustManager;\n"
                  "class ShopTest { public static void main(String[] a) throws Exception {\n%s}}\n")
    language.faked(said="disagree")


def main():
    packagelab.require("mvn", "java", "javac", "keytool")
    if not os.path.exists(JNA) or not os.path.isdir("/usr/share/maven-repo/org/junit/jupiter"):
        packagelab.skip_all("no JNA or JUnit 5 of Debian here")
    java = packagelab.Package("java")
    try:
        tap.case("Maven builds it without network, and its own tests pass", lambda: build(java))
        tap.case("Javadoc has nothing to warn of", lambda: document(java))
        tap.case("without the library each call says so", lambda: without_library(java))
        documents(java)
        with contextlib.closing(Cast()) as cast:
            tap.case("the example reads what the notaries see",
                     lambda: example(java, cast, False, 0, "hello\n"))
            tap.case("the example refuses what they see otherwise",
                     lambda: refused_example(java, cast))
            conformance.run_in(cast, tap, runner(java))
    finally:
        java.remove()
    tap.done()


main()
