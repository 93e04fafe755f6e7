// SPDX-License-Identifier: MIT
package org.converge;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** An HTTPS server for "localhost" that says hello, with a certificate made by keytool. */
final class LoopbackServer implements AutoCloseable {
    private static final char[] PASSWORD = "password".toCharArray();
    private final HttpsServer server;
    private final ExecutorService workers = Executors.newCachedThreadPool();
    private final X509Certificate certificate;

    LoopbackServer() throws Exception {
        KeyStore keys = makeKey();
        KeyManagerFactory factory =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        SSLContext context = SSLContext.getInstance("TLS");

        certificate = (X509Certificate) keys.getCertificate("server");
        factory.init(keys, PASSWORD);
        context.init(factory.getKeyManagers(), null, null);
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        server.setExecutor(workers);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 6);
            exchange.getResponseBody().write("hello\n".getBytes("US-ASCII"));
            exchange.close();
        });
        server.start();
    }

    private static KeyStore makeKey() throws Exception {
        Path directory = Files.createTempDirectory("converge-java");
        Path file = directory.resolve("server.p12");
        KeyStore keys = KeyStore.getInstance("PKCS12");
        Process keytool = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                "-keystore", file.toString(), "-storetype", "PKCS12", "-storepass", "password",
                "-alias", "server", "-keyalg", "EC", "-groupname", "secp256r1", "-dname",
                "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1")
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();

        if (keytool.waitFor() != 0) {
            throw new IOException("keytool failed");
        }
        try (InputStream in = Files.newInputStream(file)) {
            keys.load(in, PASSWORD);
        }
        Files.delete(file);
        Files.delete(directory);
        return keys;
    }

    int port() {
        return server.getAddress().getPort();
    }

    X509Certificate certificate() {
        return certificate;
    }

    /** What trusts this server. */
    KeyStore roots() throws Exception {
        KeyStore roots = KeyStore.getInstance("PKCS12");

        roots.load(null, null);
        roots.setCertificateEntry("server", certificate);
        return roots;
    }

    @Override
    public void close() {
        server.stop(0);
        workers.shutdown();
    }
}
