// SPDX-License-Identifier: MIT
package org.converge;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * Asks the user's notaries about a certificate.
 *
 * <p>Every method may be called from any thread, starts the user's agent if none is running, and
 * returns within the configured deadline (2 seconds unless set). Without libconverge.so.0 each throws
 * {@link UnsatisfiedLinkError}. Nothing native outlives a call, so there is nothing to close.
 */
public final class Converge {
    private Converge() {}

    /**
     * The drop-in for SSL_get_verify_result(): whether the notaries agree that a server shows the
     * certificate with this fingerprint. Throws nothing for what a server, a notary or the agent did.
     *
     * @param host a name, also an international one, or an IP address
     * @param port 1 to 65535
     * @param sha1sum SHA-1 or SHA-256 of the certificate in hexadecimal, with or without colons
     * @return 0 if they do; 28 where they disagree, 50 where too few could be asked or nobody vouches
     *     for that endpoint, 1 if host, port or fingerprint is malformed
     */
    public static int converge(String host, int port, String sha1sum) {
        return LibConverge.get().converge(octets(host), port, octets(sha1sum));
    }

    /**
     * The fuller call: tells who said what.
     *
     * @param host a name, also an international one, or an IP address
     * @param port 1 to 65535
     * @param fingerprint SHA-1 or SHA-256 in hexadecimal; null where the options have a certificate
     * @param options how to ask
     * @return what they said; its code is what {@link #converge} returns
     */
    public static Result check(String host, int port, String fingerprint, CheckOptions options) {
        byte[] name = octets(host);
        byte[] text = octets(fingerprint);
        NativeCheck check = new NativeCheck(LibConverge.get());

        if (host != null && name == null) {
            return malformed(check, "host");
        }
        if (fingerprint != null && text == null) {
            return malformed(check, "fingerprint");
        }
        return check.run(name, port, text, options);
    }

    /**
     * The fuller call with default options.
     *
     * @param host a name or an IP address
     * @param port 1 to 65535
     * @param fingerprint SHA-1 or SHA-256 in hexadecimal
     * @return what the notaries said
     */
    public static Result check(String host, int port, String fingerprint) {
        return check(host, port, fingerprint, CheckOptions.DEFAULTS);
    }

    /**
     * The fuller call for a certificate that a server showed.
     *
     * @param host a name or an IP address
     * @param port 1 to 65535
     * @param leaf the server's own certificate
     * @return what the notaries said
     */
    public static Result check(String host, int port, X509Certificate leaf) {
        return check(host, port, null, CheckOptions.DEFAULTS.withCertificate(leaf));
    }

    /**
     * Like {@link #check(String, int, String, CheckOptions)}, but returns only if all is well.
     *
     * @param host a name or an IP address
     * @param port 1 to 65535
     * @param fingerprint SHA-1 or SHA-256 in hexadecimal; null where the options have a certificate
     * @param options how to ask
     * @return what the notaries said, with code 0
     * @throws NotConfirmedException if the code is anything else
     */
    public static Result verify(String host, int port, String fingerprint, CheckOptions options)
            throws NotConfirmedException {
        Result result = check(host, port, fingerprint, options);

        if (!result.isGood()) {
            throw new NotConfirmedException(host, port, result);
        }
        return result;
    }

    /**
     * Like {@link #check(String, int, X509Certificate)}, but returns only if all is well.
     *
     * @param host a name or an IP address
     * @param port 1 to 65535
     * @param leaf the server's own certificate
     * @return what the notaries said, with code 0
     * @throws NotConfirmedException (an {@link SSLPeerUnverifiedException}) if the code is anything else
     */
    public static Result verify(String host, int port, X509Certificate leaf)
            throws NotConfirmedException {
        return verify(host, port, null, CheckOptions.DEFAULTS.withCertificate(leaf));
    }

    /**
     * A phrase for a code.
     *
     * @param code what {@link #converge} returned
     * @return what it means, in English
     */
    public static String strerror(int code) {
        return NativeCheck.string(LibConverge.get().converge_strerror(code));
    }

    /**
     * The version of libconverge that is in use.
     *
     * @return MAJOR.MINOR.PATCH
     */
    public static String version() {
        return NativeCheck.string(LibConverge.get().converge_version());
    }

    /** UTF-8 that ends with a NUL; null, which C calls malformed, where there is no text, or one with a
     * NUL, which C would stop at, or with a surrogate without its other half, which has no UTF-8. */
    private static byte[] octets(String text) {
        if (text == null || text.indexOf('\0') >= 0) {
            return null;
        }
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] octets = new byte[encoded.remaining() + 1];

            encoded.get(octets, 0, octets.length - 1);
            return octets;
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /** What libconverge answers to no host at all, with the true reason. */
    private static Result malformed(NativeCheck check, String what) {
        Result result = check.run(null, 0, null, CheckOptions.DEFAULTS);

        return new Result(result.code(), result.verdict(), result.action(), result.reason(),
                "the " + what + " holds a NUL or half a surrogate pair", result.elapsedMs(),
                result.votes());
    }
}
