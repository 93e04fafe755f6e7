# SPDX-License-Identifier: MIT
"""For sphinx: the documentation is in the package itself."""
project = "converge"
author = "the Converge project"
release = "0.1.0"
extensions = ["sphinx.ext.autodoc"]
autodoc_typehints = "none"
html_theme = "alabaster"
