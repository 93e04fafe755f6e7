// SPDX-License-Identifier: MIT
package org.converge;

import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;

/**
 * How to ask. Immutable: each method returns another one, so options can be shared by threads.
 *
 * <pre>{@code CheckOptions.DEFAULTS.withTimeout(Duration.ofSeconds(1)).withPkiResult(0)}</pre>
 */
public final class CheckOptions {
    /** The configuration's deadline, no certificate, no result of PKI, an agent is started. */
    public static final CheckOptions DEFAULTS = new CheckOptions(null, null, null, true);

    private final Integer timeoutMs;
    private final byte[] certificate;
    private final Integer pkiResult;
    private final boolean startAgent;

    private CheckOptions(Integer timeoutMs, byte[] certificate, Integer pkiResult,
            boolean startAgent) {
        this.timeoutMs = timeoutMs;
        this.certificate = certificate;
        this.pkiResult = pkiResult;
        this.startAgent = startAgent;
    }

    /**
     * How long to wait at most, in place of the configuration's {@code deadline}.
     *
     * @param timeout 100 milliseconds to 60 seconds
     * @return these options with that timeout
     * @throws IllegalArgumentException if it is shorter or longer
     */
    public CheckOptions withTimeout(Duration timeout) {
        if (timeout.compareTo(Duration.ofMillis(100)) < 0
                || timeout.compareTo(Duration.ofSeconds(60)) > 0) {
            throw new IllegalArgumentException("a timeout is 100 ms to 60 s, not " + timeout);
        }
        return new CheckOptions((int) timeout.toMillis(), certificate, pkiResult, startAgent);
    }

    /**
     * Asks about a whole certificate; a fingerprint is not needed then.
     *
     * @param der the certificate's octets, 1 to 65536; copied
     * @return these options with that certificate
     * @throws IllegalArgumentException if there are none, or more
     */
    public CheckOptions withCertificate(byte[] der) {
        if (der.length == 0 || der.length > 65536) {
            throw new IllegalArgumentException(
                    "a certificate has 1 to 65536 octets, not " + der.length);
        }
        return new CheckOptions(timeoutMs, der.clone(), pkiResult, startAgent);
    }

    /**
     * Asks about a whole certificate; a fingerprint is not needed then.
     *
     * @param leaf the certificate that the server showed
     * @return these options with that certificate
     * @throws IllegalArgumentException if it has no encoding
     */
    public CheckOptions withCertificate(X509Certificate leaf) {
        try {
            return withCertificate(leaf.getEncoded());
        } catch (CertificateEncodingException e) {
            throw new IllegalArgumentException("the certificate has no encoding", e);
        }
    }

    /**
     * What PKI said of the chain. Unless told, the notaries alone decide; once told, it also is the
     * result where they are not asked (an exempt endpoint) or where PKI keeps its say.
     *
     * @param x509Result 0, or an X509_V_ERR_* value
     * @return these options with that result
     * @throws IllegalArgumentException if it is negative
     */
    public CheckOptions withPkiResult(int x509Result) {
        if (x509Result < 0) {
            throw new IllegalArgumentException("a result of PKI is 0 or more, not " + x509Result);
        }
        return new CheckOptions(timeoutMs, certificate, x509Result, startAgent);
    }

    /**
     * Whether to start an agent where none is running.
     *
     * @param start true unless told otherwise
     * @return these options with that choice
     */
    public CheckOptions withStartAgent(boolean start) {
        return new CheckOptions(timeoutMs, certificate, pkiResult, start);
    }

    Integer timeoutMs() {
        return timeoutMs;
    }

    byte[] certificate() {
        return certificate;
    }

    Integer pkiResult() {
        return pkiResult;
    }

    boolean startAgent() {
        return startAgent;
    }
}
