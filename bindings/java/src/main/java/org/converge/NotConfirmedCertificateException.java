// SPDX-License-Identifier: MIT
package org.converge;

import java.security.cert.CertificateException;

/**
 * What {@link ConvergeTrustManager} throws inside a handshake where the notaries do not confirm the
 * certificate. TLS wraps it in an {@link javax.net.ssl.SSLHandshakeException}, as its cause.
 */
public class NotConfirmedCertificateException extends CertificateException {
    private static final long serialVersionUID = 1L;

    /** Not kept where the exception itself is written out; its message is. */
    private final transient Result result;

    /**
     * Tells of a result that is not good.
     *
     * @param host who was asked about
     * @param port its port
     * @param result what the notaries said
     */
    public NotConfirmedCertificateException(String host, int port, Result result) {
        super(NotConfirmedException.message(host, port, result));
        this.result = result;
    }

    /**
     * What the notaries said.
     *
     * @return the result; null after deserialisation
     */
    public Result result() {
        return result;
    }
}
