# SPDX-License-Identifier: MIT
"""The question that an ssl.SSLSocket or ssl.SSLObject answers by itself: host, port, certificate."""
import ssl

from ._check import verify


def _port_of(connection):
    """The peer's; an SSLObject has none, and neither has a socket that is no TCP."""
    try:
        address = connection.getpeername()
    except AttributeError:
        address = None
    if not isinstance(address, tuple) or len(address) < 2:
        raise TypeError("this connection does not tell its peer's port: give port=")
    return address[1]


def _certificate_of(connection):
    certificate = connection.getpeercert(binary_form=True)
    if certificate is None:
        raise ssl.SSLCertVerificationError(1, "the server has shown no certificate")
    return certificate


def _pki_result_of(connection, host):
    """0 where the handshake could not have come to its end otherwise; else it is not known, as where
    PKI was asked about another name than the notaries will be."""
    context = connection.context
    checked = context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
    return 0 if checked and host == connection.server_hostname else None


def verify_socket(connection, host=None, port=None, *, timeout=None, pki_result=None,
                  start_agent=True):
    """Hold the certificate that a server has just shown against what the notaries see.

    ``connection``: an :class:`ssl.SSLSocket` or :class:`ssl.SSLObject` of the client's side, after
    its handshake and before anything is sent. ``host`` and ``port`` are its own unless given; give
    them where it goes through a proxy, and ``port`` for an SSLObject. Where its context checks
    chain and name (``ssl.create_default_context()`` does), and ``host`` is that name, this counts as
    ``pki_result=0``: hosts that are exempt from notaries are accepted then.

    Returns the :class:`Result`; raises :class:`CertificateRefused`, and closes nothing.
    """
    if not isinstance(connection, (ssl.SSLSocket, ssl.SSLObject)):
        raise TypeError("connection must be an ssl.SSLSocket or ssl.SSLObject, not "
                        f"{type(connection).__name__}")
    if connection.server_side:
        raise ValueError("this is the server's side of a connection: it has no server to check")
    if host is None:
        host = connection.server_hostname
    if host is None:
        raise TypeError("this connection does not tell its server's name: give host=")
    if port is None:
        port = _port_of(connection)
    if pki_result is None:
        pki_result = _pki_result_of(connection, host)
    return verify(host, port, certificate=_certificate_of(connection), timeout=timeout,
                  pki_result=pki_result, start_agent=start_agent)
