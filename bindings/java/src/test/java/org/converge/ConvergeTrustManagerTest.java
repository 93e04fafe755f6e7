// SPDX-License-Identifier: MIT
// Whom the trust manager asks about, in each of Java's ways to make a TLS connection, and what
// becomes of the connection; over real handshakes with a server in this process.
package org.converge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConvergeTrustManagerTest {
    private static LoopbackServer server;
    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
    private int code;

    @BeforeAll
    static void start() throws Exception {
        server = new LoopbackServer();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void agree() {
        asked.clear();
        code = 0;
    }

    private Result answer(String host, int port, CheckOptions options) {
        asked.add(host + " " + port);
        assertEquals(0, options.pkiResult());
        assertTrue(options.certificate().length > 0);
        return new Result(code, "v", "a", "r", "the test says so", 1, List.of());
    }

    private SSLContext context(KeyStore roots) throws Exception {
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(roots);
        return new ConvergeTrustManager((X509ExtendedTrustManager) factory.getTrustManagers()[0],
                CheckOptions.DEFAULTS, this::answer).sslContext();
    }

    private SSLContext context() throws Exception {
        return context(server.roots());
    }

    private static String https(int port) {
        return "https://localhost:" + port + "/";
    }

    private String get(SSLContext context) throws Exception {
        HttpClient client = HttpClient.newBuilder().sslContext(context).build();
        return client.send(HttpRequest.newBuilder(URI.create(https(server.port()))).build(),
                HttpResponse.BodyHandlers.ofString()).body();
    }

    @Test
    void httpClientIsAskedAboutByNameAndPort() throws Exception {
        assertEquals("hello\n", get(context()));
        assertEquals(List.of("localhost " + server.port()), asked);
    }

    @Test
    void httpClientIsRefusedWithTheResult() throws Exception {
        code = 28;
        IOException thrown = assertThrows(IOException.class, () -> get(context()));
        Throwable cause = thrown;

        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        assertEquals(28, assertInstanceOf(NotConfirmedCertificateException.class, cause)
                .result().code());
    }

    @Test
    void httpsUrlConnection() throws Exception {
        HttpsURLConnection connection =
                (HttpsURLConnection) URI.create(https(server.port())).toURL().openConnection();
        connection.setSSLSocketFactory(context().getSocketFactory());
        assertEquals(200, connection.getResponseCode());
        assertEquals(List.of("localhost " + server.port()), asked);
        connection.disconnect();

        code = 50;
        HttpsURLConnection refused =
                (HttpsURLConnection) URI.create(https(server.port())).toURL().openConnection();
        refused.setSSLSocketFactory(context().getSocketFactory());
        assertThrows(SSLHandshakeException.class, refused::getResponseCode);
    }

    private void shake(Socket socket) throws IOException {
        try (SSLSocket tls = (SSLSocket) socket) {
            tls.startHandshake();
        }
    }

    @Test
    void socketsMadeWithHostAndPort() throws Exception {
        shake(context().getSocketFactory().createSocket("localhost", server.port()));
        assertEquals(List.of("localhost " + server.port()), asked);
    }

    @Test
    void socketsConnectedLater() throws Exception {
        Socket socket = context().getSocketFactory().createSocket();
        socket.connect(new InetSocketAddress("localhost", server.port()));
        shake(socket);
        assertEquals(1, asked.size());
        assertTrue(asked.get(0).matches("(localhost|127\\.0\\.0\\.1) " + server.port()), asked.get(0));
    }

    @Test
    void socketsToAnAddress() throws Exception {
        InetAddress address = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        shake(context().getSocketFactory().createSocket(address, server.port()));
        assertEquals(1, asked.size());
        assertTrue(asked.get(0).endsWith(" " + server.port()));
    }

    @Test
    void theNameThatTheServerWasToldComesFirst() throws Exception {
        SSLSocket socket =
                (SSLSocket) context().getSocketFactory().createSocket("127.0.0.1", server.port());
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName("told.example.org")));
        socket.setSSLParameters(parameters);
        shake(socket);
        assertEquals(List.of("told.example.org " + server.port()), asked);
    }

    @Test
    void socketsAreRefused() throws Exception {
        code = 1;
        Socket socket = context().getSocketFactory().createSocket("localhost", server.port());
        assertThrows(SSLHandshakeException.class, () -> shake(socket));
    }

    @Test
    void nobodyIsAskedAboutWhatPkiRefuses() throws Exception {
        assertThrows(IOException.class, () -> get(context(null)));
        assertEquals(List.of(), asked);
    }

    @Test
    void nobodyIsAskedAboutAWrongName() throws Exception {
        SSLSocket socket = (SSLSocket) context().getSocketFactory().createSocket(
                new Socket(InetAddress.getLoopbackAddress(), server.port()), "wrong.example.org",
                server.port(), true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        assertThrows(SSLHandshakeException.class, () -> shake(socket));
        assertEquals(List.of(), asked);
    }

    @Test
    void withoutHostOrPortNothingIsTrusted() throws Exception {
        ConvergeTrustManager manager = new ConvergeTrustManager(new Accepting(),
                CheckOptions.DEFAULTS, this::answer);
        X509Certificate[] chain = {server.certificate()};
        SSLEngine engine = SSLContext.getDefault().createSSLEngine();

        assertThrows(CertificateException.class, () -> manager.checkServerTrusted(chain, "RSA"));
        assertThrows(CertificateException.class,
                () -> manager.checkServerTrusted(chain, "RSA", engine));
        assertThrows(CertificateException.class,
                () -> manager.checkServerTrusted(chain, "RSA", (SSLEngine) null));
        assertThrows(CertificateException.class,
                () -> manager.checkServerTrusted(chain, "RSA", (Socket) null));
        assertThrows(CertificateException.class,
                () -> manager.checkServerTrusted(chain, "RSA", new Socket()));
        assertEquals(List.of(), asked);
    }

    @Test
    void addressesLoseBracketsAndZone() throws Exception {
        SSLContext context = SSLContext.getDefault();

        assertEquals(new Endpoint("2620:fe::fe", 443),
                Endpoint.of(context.createSSLEngine("[2620:fe::fe]", 443)));
        assertEquals(new Endpoint("fe80::1", 443),
                Endpoint.of(context.createSSLEngine("fe80::1%eth0", 443)));
        assertEquals(new Endpoint("a%b", 443), Endpoint.of(context.createSSLEngine("a%b", 443)));
    }

    @Test
    void clientsAreNoneOfOurBusiness() throws Exception {
        ConvergeTrustManager manager = new ConvergeTrustManager(new Accepting(),
                CheckOptions.DEFAULTS, this::answer);

        manager.checkClientTrusted(new X509Certificate[] {server.certificate()}, "RSA");
        assertEquals(List.of(), asked);
    }

    @Test
    void thePlatformHasAManager() throws Exception {
        assertTrue(ConvergeTrustManager.ofPlatform().getAcceptedIssuers().length >= 0);
        TrustManager one = ConvergeTrustManager.of(server.roots());
        assertEquals(1, ((ConvergeTrustManager) one).getAcceptedIssuers().length);
    }
}
