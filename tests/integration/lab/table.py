# SPDX-License-Identifier: MIT
"""Runs a table of programs: each in every situation, on port 443 and on another one."""
import concurrent.futures
import os

from . import expect
from .drive import drive
from .lab import PORTS
from .session import session
from .situations import SITUATIONS


def _visit(lab, program, situation, port, installation):
    host = lab.sites[situation.site].host("%s-%d" % (program.name, port))
    outcome = drive(lab, program, host, port, installation)
    came = expect.allowed(outcome) if situation.passes else expect.refused(lab, outcome, host)
    if program.nss and not situation.passes:
        came = expect.together(came, expect.withheld(lab, host))
    said = expect.logged(installation, host, port, program.process, **situation.logged)
    questions = len(installation.verdicts(host=host))
    if situation.passes and not program.may_ask(questions):
        said += "\n%d questions for %d handshakes" % (questions, program.handshakes)
    return expect.together(came, said and "%s\n%s" % (said, outcome))


def _run_situation(lab, situation, present, pool):
    """Starts all programs in a situation; yields (program, port, future of the problem)."""
    installation = lab.installation(situation.site, **situation.settings)
    for program in present:
        for port in PORTS[program.kind]:
            yield program, port, pool.submit(_visit, lab, program, situation, port, installation)


def run_table(programs, want_postgres=False):
    """The whole test: reports on each row and ends the program."""
    present = [program for program in programs if not program.missing()]
    visitors = {"%s-%d" % (program.name, port): program.kind
                for program in present for port in PORTS[program.kind]}
    with session(visitors, want_postgres) as (lab, result):
        for program in programs:
            if program.missing():
                result.skip(program.name, program.missing() + " is not installed")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() + 1) as pool:
            for situation in SITUATIONS:
                if situation.site == "cutoff":
                    lab.network.cut_off_notaries()
                for program, port, run in list(_run_situation(lab, situation, present, pool)):
                    result.check("%s: %s, port %d" % (situation.name, program.name, port),
                                 run.result())
