// SPDX-License-Identifier: MIT
// Reads a page over HTTPS from a server that PKI trusts and that the notaries see, too:
//     java -cp converge.jar:jna.jar examples/Fetch.java https://www.example.org/
// Exit status: 0 read, 1 the notaries do not confirm the certificate, 2 anything else.
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.converge.ConvergeTrustManager;
import org.converge.NotConfirmedCertificateException;
import org.converge.Vote;

/** One guarded request; an SSLContext like this one does for all of a program. */
public final class Fetch {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newBuilder()
                .sslContext(ConvergeTrustManager.ofPlatform().sslContext())
                .build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0])).build();

        try {
            System.out.print(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
        } catch (IOException e) {
            System.exit(explain(e));
        }
    }

    /** Who said what stands in the exception that the handshake ended with. */
    private static int explain(Throwable problem) {
        for (Throwable one = problem; one != null; one = one.getCause()) {
            if (one instanceof NotConfirmedCertificateException) {
                System.err.println(one.getMessage());
                for (Vote vote : ((NotConfirmedCertificateException) one).result().votes()) {
                    System.err.println("  " + vote.notary() + ": " + vote.answer());
                }
                return 1;
            }
        }
        System.err.println(problem);
        return 2;
    }
}
