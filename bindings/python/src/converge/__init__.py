# SPDX-License-Identifier: MIT
"""Ask notaries of your choice whether they see the same TLS certificate as you do.

A man in the middle near you can obtain a certificate that your program believes; he cannot be near
all your notaries as well. :func:`verify_socket` checks a connection of the :mod:`ssl` module,
:func:`check` and :func:`verify` any certificate, :func:`converge` in one number; with ``_async``
for :mod:`asyncio`. Every call may be made from any thread, and lets other threads go on meanwhile.
"""
from ._check import (check, check_async, converge, strerror, verify, verify_async, version)
from ._result import CertificateRefused, Result, Vote
from ._socket import verify_socket

__version__ = "0.1.0"
__all__ = ["CertificateRefused", "Result", "Vote", "check", "check_async", "converge", "strerror",
           "verify", "verify_async", "verify_socket", "version"]
