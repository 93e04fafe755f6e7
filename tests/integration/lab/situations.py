# SPDX-License-Identifier: MIT
"""The situations every program of the table is put into, and what must come of each."""


class Situation:
    """site: which of the standard sites. settings: of converge.conf. verdict, action, pki: what
    the agent's log must say; passes: whether the program must get the site's answer."""

    def __init__(self, name, site, passes, settings, **logged):
        self.name = name
        self.site = site
        self.passes = passes
        self.settings = settings
        self.logged = logged


SITUATIONS = [
    Situation("clean site", "clean", True, {},
              verdict="agree", action="accept", pki="ok"),
    Situation("man in the middle with a public authority's certificate", "hijacked", False, {},
              verdict="disagree", action="refuse", pki="ok"),
    Situation("self-signed site that the notaries confirm, replace mode", "own", True,
              {"mode": "replace"}, verdict="agree", action="accept"),
    Situation("notaries unreachable", "cutoff", False, {},
              verdict="undecided", action="refuse", pki="ok"),
]
