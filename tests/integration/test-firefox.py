# SPDX-License-Identifier: MIT
"""Firefox, unmodified, with Converge's module in its profile."""
from lab import browser, isolation, tap
from lab.lab import Lab, standard_sites

NAMES = {"bare": "https"}


def bare(lab, result):
    """Without Converge: the tests below could fail."""
    profile = browser.Profile(lab, "firefox")
    firefox = browser.Browser(lab, profile)
    for site, wanted in (("clean", "genuine"), ("hijacked", "fooled"), ("own", "warning")):
        page = browser.visit(firefox.remote, "https://%s/" % lab.sites[site].host("bare"))
        result.check("without Converge: %s: %s" % (site, wanted),
                     "" if getattr(page, wanted) else str(page))
    firefox.stop()
    if firefox.process.returncode != 0:
        result.check("Firefox ends by itself", firefox.log())


def main():
    lack = browser.missing("firefox")
    if lack:
        tap.skip_all(lack + " is not installed")
    isolation.enter_or_skip()
    result = tap.Tap()
    lab = Lab(standard_sites(), NAMES)
    try:
        bare(lab, result)
    finally:
        lab.stop()
    result.done()


main()
