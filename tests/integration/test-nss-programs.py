# SPDX-License-Identifier: MIT
"""The integration table of programs over NSS."""
from lab import nss_programs
from lab.table import run_table

run_table(nss_programs.COVERED)
