// SPDX-License-Identifier: MIT
package org.converge;

import javax.net.ssl.SSLPeerUnverifiedException;

/** The notaries do not confirm the certificate; {@link #result} tells who said what. */
public class NotConfirmedException extends SSLPeerUnverifiedException {
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
    public NotConfirmedException(String host, int port, Result result) {
        super(message(host, port, result));
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

    /** The same sentence for both exceptions, safe to print whatever the host is. */
    static String message(String host, int port, Result result) {
        return String.valueOf(host).replaceAll("\\p{C}", "?") + " port " + port + ": " + result.text() + " ("
                + result.verdict() + ", " + result.reason() + ", code " + result.code() + ")";
    }
}
