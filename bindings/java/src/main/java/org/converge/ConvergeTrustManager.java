// SPDX-License-Identifier: MIT
package org.converge;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyManagementException;
import java.security.KeyStore;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Asks the notaries about each server that PKI has accepted.
 *
 * <p>For everything that takes an {@link SSLContext}: SSLSocket, SSLEngine, HttpsURLConnection and
 * java.net.http.HttpClient. What PKI refuses stays refused, the server's name included, and nobody is
 * asked about it. A refusal by the notaries ends the handshake with a
 * {@link NotConfirmedCertificateException}; so does a server whose host or port is not known, with a
 * {@link CertificateException}. TLS does not ask again for a resumed session. Of an SSLSocket laid over
 * a proxy's tunnel, as HttpsURLConnection has it, Java tells the proxy's port only, which the notaries
 * cannot confirm; HttpClient tells the target's.
 *
 * <pre>{@code
 * HttpClient client = HttpClient.newBuilder()
 *         .sslContext(ConvergeTrustManager.ofPlatform().sslContext())
 *         .build();
 * }</pre>
 */
public final class ConvergeTrustManager extends X509ExtendedTrustManager {
    /** What is asked of the notaries; tests put another in its place. */
    interface Question {
        Result ask(String host, int port, CheckOptions options);
    }

    private final X509ExtendedTrustManager pki;
    private final CheckOptions options;
    private final Question question;

    /**
     * Asks after the given manager, with the given options; a certificate in them does not count.
     *
     * @param pki what decides first, and about names
     * @param options how to ask
     */
    public ConvergeTrustManager(X509ExtendedTrustManager pki, CheckOptions options) {
        this(pki, options, (host, port, asked) -> Converge.check(host, port, null, asked));
    }

    /**
     * Asks after the given manager.
     *
     * @param pki what decides first, and about names
     */
    public ConvergeTrustManager(X509ExtendedTrustManager pki) {
        this(pki, CheckOptions.DEFAULTS);
    }

    ConvergeTrustManager(X509ExtendedTrustManager pki, CheckOptions options, Question question) {
        this.pki = Objects.requireNonNull(pki);
        this.options = Objects.requireNonNull(options);
        this.question = question;
    }

    /**
     * Asks after the platform's own trust manager, with the platform's roots.
     *
     * @return a manager
     * @throws GeneralSecurityException if the platform has none
     */
    public static ConvergeTrustManager ofPlatform() throws GeneralSecurityException {
        return of(null);
    }

    /**
     * Asks after the platform's own trust manager, with these roots.
     *
     * @param roots the authorities that PKI shall trust; null: the platform's
     * @return a manager
     * @throws GeneralSecurityException if the platform has none, or cannot read the roots
     */
    public static ConvergeTrustManager of(KeyStore roots) throws GeneralSecurityException {
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());

        factory.init(roots);
        for (TrustManager one : factory.getTrustManagers()) {
            if (one instanceof X509ExtendedTrustManager) {
                return new ConvergeTrustManager((X509ExtendedTrustManager) one);
            }
        }
        throw new NoSuchAlgorithmException("no X509ExtendedTrustManager on this platform");
    }

    /**
     * A context whose connections this manager guards, without a client certificate.
     *
     * @return a new context
     * @throws NoSuchAlgorithmException if there is no TLS
     * @throws KeyManagementException if it cannot be initialised
     */
    public SSLContext sslContext() throws NoSuchAlgorithmException, KeyManagementException {
        SSLContext context = SSLContext.getInstance("TLS");

        context.init(null, new TrustManager[] {this}, null);
        return context;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        pki.checkServerTrusted(chain, authType, socket);
        ask(chain[0], Endpoint.of(socket));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        pki.checkServerTrusted(chain, authType, engine);
        ask(chain[0], Endpoint.of(engine));
    }

    /** Always refuses: it is not told who the server is, so nobody can be asked. */
    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType)
            throws CertificateException {
        throw new CertificateException("notaries cannot be asked: the server is not known here");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        pki.checkClientTrusted(chain, authType, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        pki.checkClientTrusted(chain, authType, engine);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType)
            throws CertificateException {
        pki.checkClientTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return pki.getAcceptedIssuers();
    }

    private void ask(X509Certificate leaf, Endpoint server) throws CertificateException {
        Result result = question.ask(server.host(), server.port(),
                options.withCertificate(leaf).withPkiResult(0));

        if (!result.isGood()) {
            throw new NotConfirmedCertificateException(server.host(), server.port(), result);
        }
    }
}
