# SPDX-License-Identifier: MIT
"""The integration table of programs over OpenSSL."""
from lab import programs
from lab.table import run_table

run_table(programs.COVERED, want_postgres=True)
