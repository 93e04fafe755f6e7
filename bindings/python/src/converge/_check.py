# SPDX-License-Identifier: MIT
"""The questions: Python's arguments made into C's, without loss, and the answer made an object."""
import asyncio
import functools
import operator

from ._library import library, new_result
from ._result import CertificateRefused, Result, Vote

_INT_MIN, _INT_MAX = -2**31, 2**31 - 1
_TIMEOUT_MIN, _TIMEOUT_MAX = 0.1, 60.0
_CERTIFICATE_MAX = 65536


def _octets(text, what):
    """For a char *, which would end at a NUL."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be str, not {type(text).__name__}")
    if "\0" in text:
        raise ValueError(f"embedded null character in {what}")
    return text.encode("utf-8")


def _fingerprint(text):
    return None if text is None else _octets(text, "fingerprint")


def _int(number):
    """An int of C. What does not fit becomes the nearest that does: no port, no code either."""
    return max(_INT_MIN, min(operator.index(number), _INT_MAX))


def _taken(status, what):
    """A setter's status: what the library does not take must not be left at its default."""
    if status != 0:
        raise ValueError(f"libconverge does not take this {what}")


def _set_timeout(options, timeout):
    if not _TIMEOUT_MIN <= timeout <= _TIMEOUT_MAX:
        raise ValueError(f"timeout must be {_TIMEOUT_MIN} to {_TIMEOUT_MAX} seconds, "
                         f"not {timeout!r}")
    _taken(library.converge_options_set_timeout_ms(options, round(timeout * 1000)), "timeout")


def _set_certificate(options, certificate):
    if not isinstance(certificate, (bytes, bytearray, memoryview)):
        raise TypeError("certificate must be octets in DER, not "
                        f"{type(certificate).__name__}")
    octets = bytes(certificate)
    if not 0 < len(octets) <= _CERTIFICATE_MAX:
        raise ValueError(f"certificate must have 1 to {_CERTIFICATE_MAX} octets")
    if octets.startswith(b"-----BEGIN"):
        raise ValueError("certificate must be octets in DER, not PEM: "
                         "ssl.PEM_cert_to_DER_cert() converts its text")
    if library.converge_options_set_certificate(options, octets, len(octets)) != 0:
        raise MemoryError


def _set_pki_result(options, pki_result):
    value = operator.index(pki_result)
    if not 0 <= value <= _INT_MAX:
        raise ValueError(f"pki_result must be 0 or an X509_V_ERR_* number, not {value}")
    _taken(library.converge_options_set_pki_result(options, value), "pki_result")


def _fill(options, timeout, certificate, pki_result, start_agent):
    if timeout is not None:
        _set_timeout(options, timeout)
    if certificate is not None:
        _set_certificate(options, certificate)
    if pki_result is not None:
        _set_pki_result(options, pki_result)
    _taken(library.converge_options_set_start_agent(options, 1 if start_agent else 0),
           "start_agent")


def _text(octets):
    return octets.decode("utf-8", "replace")


def _vote(handle, index):
    return Vote(notary=_text(library.converge_result_vote_notary(handle, index)),
                answer=_text(library.converge_result_vote_answer(handle, index)),
                elapsed_ms=library.converge_result_vote_elapsed_ms(handle, index),
                error=_text(library.converge_result_vote_error(handle, index)),
                bounced=library.converge_result_vote_bounced(handle, index) != 0)


def _result(code, handle):
    count = library.converge_result_vote_count(handle)
    return Result(code=code, verdict=_text(library.converge_result_verdict(handle)),
                  action=_text(library.converge_result_action(handle)),
                  reason=_text(library.converge_result_reason(handle)),
                  text=_text(library.converge_result_text(handle)),
                  elapsed_ms=library.converge_result_elapsed_ms(handle),
                  votes=tuple(_vote(handle, index) for index in range(count)))


def _ask(host, port, fingerprint, options):
    handle, reference = new_result()
    code = library.converge_check(host, port, fingerprint, options, reference)
    if not handle:
        raise MemoryError
    try:
        return _result(code, handle)
    finally:
        library.converge_result_free(handle)


def converge(host, port, sha1sum):
    """Ask the notaries whether a server at ``host``:``port`` shows the certificate with this
    fingerprint: usable where a program would look at ``SSL_get_verify_result()``.

    Returns 0 (``X509_V_OK``) if it can be relied on, 28 if the notaries see another one, 50 if it
    cannot be decided or nobody vouches for this endpoint, 1 if an argument is malformed.
    ``sha1sum``: SHA-1 or SHA-256 of the DER certificate in hexadecimal, with or without colons.
    """
    return library.converge(_octets(host, "host"), _int(port), _fingerprint(sha1sum))


def check(host, port, fingerprint=None, *, timeout=None, certificate=None, pki_result=None,
          start_agent=True):
    """Like :func:`converge`, but tells who said what, as a :class:`Result`.

    ``timeout``: seconds, 0.1 to 60 (the configuration's ``deadline`` unless given).
    ``certificate``: the whole certificate in DER; it then needs no fingerprint, and counts before one.
    ``pki_result``: what the program's own check said, 0 or an ``X509_V_ERR_*`` number: this is also
    the code where the notaries are not asked (an exempt host), or where PKI keeps its say.
    ``start_agent``: whether to start the agent if there is none.

    Raises TypeError or ValueError for arguments that no call could take; never for what a server
    or a notary did.
    """
    words = _octets(host, "host"), _int(port), _fingerprint(fingerprint)
    options = library.converge_options_new()
    if not options:
        raise MemoryError
    try:
        _fill(options, timeout, certificate, pki_result, start_agent)
        return _ask(*words, options)
    finally:
        library.converge_options_free(options)


def verify(host, port, fingerprint=None, *, timeout=None, certificate=None, pki_result=None,
           start_agent=True):
    """Like :func:`check`, but raises :class:`CertificateRefused` for every code but 0."""
    result = check(host, port, fingerprint, timeout=timeout, certificate=certificate,
                   pki_result=pki_result, start_agent=start_agent)
    if not result.ok:
        raise CertificateRefused(result)
    return result


async def check_async(host, port, fingerprint=None, *, timeout=None, certificate=None,
                      pki_result=None, start_agent=True, executor=None):
    """:func:`check` for asyncio: the event loop goes on while a thread waits.

    ``executor``: where that thread comes from; the loop's default one unless given. A task that
    is cancelled is so at once; the thread ends by itself within the timeout.
    """
    call = functools.partial(check, host, port, fingerprint, timeout=timeout,
                             certificate=certificate, pki_result=pki_result,
                             start_agent=start_agent)
    return await asyncio.get_running_loop().run_in_executor(executor, call)


async def verify_async(host, port, fingerprint=None, *, timeout=None, certificate=None,
                       pki_result=None, start_agent=True, executor=None):
    """:func:`verify` for asyncio, as :func:`check_async` is for :func:`check`."""
    result = await check_async(host, port, fingerprint, timeout=timeout, certificate=certificate,
                               pki_result=pki_result, start_agent=start_agent, executor=executor)
    if not result.ok:
        raise CertificateRefused(result)
    return result


def strerror(code):
    """A phrase for a code of :func:`converge`."""
    return library.converge_strerror(_int(code)).decode()


def version():
    """The version of the C library, ``"MAJOR.MINOR.PATCH"``."""
    return library.converge_version().decode()
