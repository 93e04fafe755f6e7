# SPDX-License-Identifier: MIT
"""What a check tells: immutable objects that own nothing of the C library."""
import ssl
from dataclasses import dataclass
from typing import Tuple

from ._library import library


@dataclass(frozen=True)
class Vote:
    """What one notary said.

    ``answer`` is ``"yes"``, ``"no"``, ``"aside"`` or ``"silent"``; ``error`` tells why a silent
    notary gave none (``"timeout"``, ``"pin"``, ``"unreachable"`` ...) and is empty for the others;
    ``bounced`` is true where the notary was asked through another one.
    """

    notary: str
    answer: str
    elapsed_ms: int
    error: str = ""
    bounced: bool = False


@dataclass(frozen=True)
class Result:
    """The outcome of a check. It is true exactly if ``code`` is 0.

    ``code`` is what :func:`converge` returns; ``verdict`` is ``"agree"``, ``"disagree"``,
    ``"undecided"``, ``"exempt"`` or ``"none"``; ``action`` what the configuration makes of it:
    ``"accept"``, ``"refuse"`` or ``"unchanged"``; ``reason`` why, in a word; ``text`` in a sentence.
    Notaries whose answers were not needed any more are not among the ``votes``.
    """

    code: int
    verdict: str
    action: str
    reason: str
    text: str
    elapsed_ms: int
    votes: Tuple[Vote, ...] = ()

    @property
    def ok(self):
        """Whether the certificate may be relied on: ``code == 0``."""
        return self.code == 0

    def __bool__(self):
        return self.ok


def _sentence(result, message):
    """What is shown to people: the text, unless the code's own phrase is needed to understand it."""
    if not result.text:
        return message
    if result.verdict == "exempt":
        return f"nobody vouches for this certificate: {result.text}, and pki_result is not 0"
    return result.text if result.text.startswith(message) else f"{message}: {result.text}"


class CertificateRefused(ssl.SSLCertVerificationError):
    """Raised by the ``verify`` functions for every code but 0; ``result`` has it all.

    It is an :class:`ssl.SSLCertVerificationError`, so programs that handle a certificate that PKI
    refused handle this one in the same way. ``verify_code`` and ``verify_message`` are set as there.
    """

    def __init__(self, result):
        message = library.converge_strerror(result.code).decode()
        super().__init__(1, _sentence(result, message))
        self.result = result
        self.verify_code = result.code
        self.verify_message = message
        self.library = "CONVERGE"
        self.reason = "CERTIFICATE_VERIFY_FAILED"

    def __reduce__(self):
        return type(self), (self.result,)
