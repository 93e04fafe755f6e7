# SPDX-License-Identifier: MIT
"""The lab itself, without Converge: every program of the table is really as exposed as we say. It
fetches from the genuine sites, refuses the self-signed one, and is fooled by the attacker."""
import concurrent.futures
import os

from lab import isolation, nss_programs, programs, tap
from lab.drive import drive
from lab.lab import Lab, PORTS, standard_sites

# What each site does to a program that checks certificates but has no Converge.
EXPECTED = {"clean": "genuine", "cutoff": "genuine", "own": "refused", "hijacked": "fooled"}


def visit(lab, program, site, port):
    outcome = drive(lab, program, site.host(program.name), port)
    if EXPECTED[site.label] == "genuine":
        good = outcome.genuine
    elif EXPECTED[site.label] == "refused":
        good = not outcome.genuine
    else:
        good = outcome.fooled or bool(lab.caught(site.host(program.name)
                                                 if program.kind != "postgres" else "postgres"))
    return "" if good else str(outcome)


def main():
    isolation.enter_or_skip()
    table = programs.COVERED + nss_programs.COVERED + programs.NOT_COVERED
    present = [program for program in table if not program.missing()]
    lab = Lab(standard_sites(), {program.name: program.kind for program in table},
              want_postgres=any(program.kind == "postgres" for program in present))
    result = tap.Tap()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() + 1) as pool:
        runs = [(program, site, pool.submit(visit, lab, program, site,
                                            PORTS[program.kind][index % 2]))
                for index, program in enumerate(present) for site in lab.sites.values()]
    for program in table:
        if program.missing():
            result.skip(program.name, program.missing() + " is not installed")
    for program, site, run in runs:
        result.check("without Converge: %s, %s: %s" % (program.name, site.label,
                                                       EXPECTED[site.label]), run.result())
    lab.stop()
    result.done()


main()
