# SPDX-License-Identifier: MIT
# The status page in a browser: its content, with and without its script, in light and dark, on a phone,
# by keyboard; and that it asks for nothing from elsewhere.
import os
import sys
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tempfile

import chromium
from notarylab import Certificate, Site, Tap, expect
from statuslab import Watched, version

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
HOSTS = "127.0.0.1 secret-site.example\n"

# Contrast as WCAG 2 reckons it, of every text on what is behind it.
CONTRAST = """(() => {
  const rgb = text => text.match(/[0-9.]+/g).map(Number);
  const light = colour => { const [r, g, b] = colour.slice(0, 3).map(v => {
    v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = node => { for (; node; node = node.parentElement) {
    const colour = rgb(getComputedStyle(node).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour; } return [255, 255, 255]; };
  let worst = 21;
  for (const node of document.querySelectorAll("body *")) {
    if (![...node.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    if (node.closest("script, [hidden]")) continue;
    const a = light(rgb(getComputedStyle(node).color)), b = light(behind(node));
    worst = Math.min(worst, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return worst; })()"""
STRUCTURE = """(() => {
  const all = query => [...document.querySelectorAll(query)];
  return {
    lang: document.documentElement.lang,
    h1: all("h1").map(n => n.textContent),
    tables: all("table").length,
    captions: all("table > caption").length,
    bare: all("th:not([scope])").length,
    unlabelled: all("svg:not([role=img][aria-label])").length,
    links: all("a").map(n => n.getAttribute("href")),
    text: document.body.innerText,
  }; })()"""
BUNDLE_LINKS = ["/bundle.notary", "/bundle-v1.notary"]


def in_a_browser():
    site = Site(one)
    with Watched(hosts=HOSTS) as notary, chromium.Page() as page:
        here = f"http://127.0.0.1:{notary.status_port}/"
        notary.v1("secret-site.example", site.port, one.sha1)

        def content():
            page.size(1200, 900)
            page.open(here)
            found = page.run(STRUCTURE)
            expect((found["lang"], found["h1"]), ("en", ["alpha"]))
            expect((found["tables"], found["bare"], found["unlabelled"]),
                   (found["captions"], 0, 0))
            for word in ("ok", "Requests a second", "Latency", "Probes", "Fingerprint",
                         "days left", "Connections", version()):
                expect(word in found["text"], True, word)
            expect([link in found["links"] for link in BUNDLE_LINKS], [True, True])

        def refreshed():
            """By its own script, once the browser's clock says so; a browser of its own."""
            with chromium.Page() as watched:
                def row():
                    return watched.run("[...document.querySelectorAll('th')].find(n => "
                                       "n.textContent == 'version 1 requests').parentElement"
                                       ".lastElementChild.textContent")

                watched.open(here)
                expect(row(), "1")
                notary.v1("secret-site.example", site.port, one.sha1)
                watched.call("Emulation.setVirtualTimePolicy", policy="advance", budget=15000)
                end = time.monotonic() + 60
                while row() != "2":
                    expect(time.monotonic() < end, True, "it is never refreshed")
                    time.sleep(0.05)
                quiet(watched)

        def quiet(page):
            """It asks for nothing else and complains of nothing."""
            expect(page.problems, [])
            expect({url for url in page.requests if not url.startswith(("data:", "about:"))},
                   {here})

        def foreign_script():
            """The policy holds: what is put into the page does not run."""
            page.run("document.body.append(Object.assign(document.createElement('script'),"
                     " {textContent: 'window.evil = 1'}))")
            expect(page.run("window.evil"), None)
            page.problems.clear()

        def schemes():
            shots = []
            for name in ("light", "dark"):
                page.scheme(name)
                worst = page.run(CONTRAST)
                expect(worst >= 4.5, True, f"{name}: contrast {worst}")
                shots.append(page.screenshot())
            expect(shots[0] != shots[1], True, "light and dark look the same")

        def small():
            page.size(360, 740)
            page.open(here)
            expect(page.run("document.documentElement.scrollWidth") <= 360, True,
                   page.run("document.documentElement.scrollWidth"))

        def keyboard():
            """Tab reaches every link and the button."""
            page.run("document.activeElement.blur()")
            reached = set()
            for _ in range(12):
                for kind in ("rawKeyDown", "keyUp"):
                    page.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab",
                              windowsVirtualKeyCode=9)
                reached.add(page.run("document.activeElement.getAttribute('href') || "
                                     "document.activeElement.localName"))
            expect({"button", "/metrics", "/healthz", *BUNDLE_LINKS} <= reached, True, reached)

        def without_script():
            page.scripts(False)
            page.open(here)
            page.scripts(True)
            found = page.run(STRUCTURE)
            expect("Fingerprint" in found["text"], True)
            expect(page.run("document.querySelector('button') === null"), True)

        tap.case("Chromium: content, headings, tables, links", content)
        tap.case("Chromium: refreshed by its script", refreshed)
        tap.case("Chromium: no complaint, no request to elsewhere", lambda: quiet(page))
        tap.case("Chromium: no script but the page's own runs", foreign_script)
        tap.case("Chromium: light and dark differ, both with contrast", schemes)
        tap.case("Chromium: nothing is wider than a phone", small)
        tap.case("Chromium: all can be reached by keyboard", keyboard)
        tap.case("Chromium: complete without its script", without_script)
    site.stop()


if chromium.find():
    in_a_browser()
else:
    tap.skip("the status page in Chromium", "no chromium")
tap.done()
