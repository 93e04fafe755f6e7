# SPDX-License-Identifier: MIT
"""The frame of an integration test: enter the namespaces or skip, build the lab, report, end."""
import contextlib

from . import isolation, nss_programs, programs, tap
from .lab import Lab, standard_sites


def find(name):
    """The table's row of that name."""
    table = programs.COVERED + nss_programs.COVERED + programs.NOT_COVERED
    return next(program for program in table if program.name == name)


@contextlib.contextmanager
def session(visitors, want_postgres=False, covered=(), sites=None):
    """Yields (lab, tap), with the standard sites, or others, and the notaries running. Arguments: as
    Lab's."""
    isolation.enter_or_skip()
    result = tap.Tap()
    lab = Lab(sites or standard_sites(), visitors, want_postgres, covered)
    try:
        lab.start_notaries()
        yield lab, result
    finally:
        lab.stop()
    result.done()
