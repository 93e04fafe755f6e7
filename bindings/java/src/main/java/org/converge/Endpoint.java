// SPDX-License-Identifier: MIT
// Whom a handshake is with: the name that the server was told, else the one that the connection was
// made with, else the address. Of a socket laid over another one, Java tells the other one's port.
package org.converge;

import java.net.InetAddress;
import java.net.Socket;
import java.security.cert.CertificateException;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/** A host and a port to ask about. */
record Endpoint(String host, int port) {
    static Endpoint of(Socket socket) throws CertificateException {
        if (!(socket instanceof SSLSocket)) {
            throw new CertificateException("notaries cannot be asked: this is no TLS socket");
        }
        SSLSession session = ((SSLSocket) socket).getHandshakeSession();
        InetAddress address = socket.getInetAddress();
        String host = name(session);
        int port = session == null ? -1 : session.getPeerPort();

        if (host == null && address != null) {
            host = address.getHostAddress();
        }
        return checked(host, port > 0 ? port : socket.getPort());
    }

    static Endpoint of(SSLEngine engine) throws CertificateException {
        String host = engine == null ? null : name(engine.getHandshakeSession());

        if (engine == null) {
            throw new CertificateException("notaries cannot be asked: there is no TLS engine");
        }
        return checked(host != null ? host : engine.getPeerHost(), engine.getPeerPort());
    }

    /** The name sent to the server, which it chose its certificate by; else the peer's. */
    private static String name(SSLSession session) {
        if (session instanceof ExtendedSSLSession) {
            for (SNIServerName one : ((ExtendedSSLSession) session).getRequestedServerNames()) {
                if (one instanceof SNIHostName) {
                    return ((SNIHostName) one).getAsciiName();
                }
            }
        }
        return session == null ? null : session.getPeerHost();
    }

    private static Endpoint checked(String host, int port) throws CertificateException {
        if (host == null || host.isEmpty() || port <= 0) {
            throw new CertificateException("notaries cannot be asked: host or port of the server is"
                    + " not known (make sockets and engines with host and port)");
        }
        return new Endpoint(plain(host), port);
    }

    /** An IPv6 address without its brackets and its zone. */
    private static String plain(String host) {
        String text = host.startsWith("[") && host.endsWith("]")
                ? host.substring(1, host.length() - 1) : host;
        int zone = text.indexOf('%');

        return zone > 0 && text.indexOf(':') >= 0 ? text.substring(0, zone) : text;
    }
}
