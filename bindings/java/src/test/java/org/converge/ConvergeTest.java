// SPDX-License-Identifier: MIT
// What needs no notaries: malformed questions, options, phrases, and that C gets back what it gave.
package org.converge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Pointer;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

class ConvergeTest {
    private static final String HOST = "site.example.org";
    private static final String SHA1 = "00".repeat(20);

    @ParameterizedTest
    @NullAndEmptySource
    @ValueSource(strings = {"\0", HOST + "\0", "\0" + HOST, HOST + "\0.evil.example", "\ud800",
        "a\udc00.example.org", "\udc00\ud800.example.org", "a b", "a..b", "\u202e.example.org"})
    void malformedHostsAreCodeOne(String host) {
        Result result = Converge.check(host, 443, SHA1);

        assertEquals(1, Converge.converge(host, 443, SHA1));
        assertEquals(1, result.code());
        assertEquals("none", result.verdict());
        assertEquals("refuse", result.action());
        assertEquals("bad-question", result.reason());
        assertFalse(result.text().isEmpty());
        assertFalse(result.isGood());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 65536, 65536 + 443, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void malformedPortsAreCodeOne(int port) {
        assertEquals(1, Converge.converge(HOST, port, SHA1));
        assertEquals(1, Converge.check(HOST, port, SHA1).code());
    }

    @ParameterizedTest
    @NullAndEmptySource
    @ValueSource(strings = {"0", "zz", "\0", "\ud800", "0000000000000000000000000000000000000000\0",
        "0000000000000000000000000000000000000000\ud800"})
    void malformedFingerprintsAreCodeOne(String fingerprint) {
        assertEquals(1, Converge.converge(HOST, 443, fingerprint));
        assertEquals(1, Converge.check(HOST, 443, fingerprint).code());
    }

    @Test
    void malformedStringsAreNotMadeGoodByACertificate() {
        CheckOptions options = CheckOptions.DEFAULTS.withCertificate(new byte[] {1}).withPkiResult(0);

        assertEquals(1, Converge.check(HOST + "\0", 443, null, options).code());
        assertEquals(1, Converge.check(HOST, 443, SHA1 + "\0", options).code());
        assertTrue(Converge.check(HOST + "\0", 443, null, options).text().contains("NUL"));
    }

    @Test
    void verifyThrowsWhatUsersOfTlsCatchWithTheResult() {
        SSLPeerUnverifiedException thrown = assertThrows(SSLPeerUnverifiedException.class,
                () -> Converge.verify("a\nb", 443, SHA1, CheckOptions.DEFAULTS));

        assertEquals(1, ((NotConfirmedException) thrown).result().code());
        assertTrue(thrown.getMessage().startsWith("a?b port 443: "), thrown.getMessage());
    }

    @Test
    void optionsOutOfRangeAreArgumentErrors() {
        CheckOptions options = CheckOptions.DEFAULTS;

        for (Duration wrong : List.of(Duration.ZERO, Duration.ofMillis(-1), Duration.ofNanos(99_999_999),
                Duration.ofMillis(60_001), Duration.ofSeconds(Long.MAX_VALUE),
                Duration.ofMillis(100 + (1L << 32)))) {
            assertThrows(IllegalArgumentException.class, () -> options.withTimeout(wrong));
        }
        assertThrows(IllegalArgumentException.class, () -> options.withPkiResult(-1));
        assertThrows(IllegalArgumentException.class, () -> options.withCertificate(new byte[0]));
        assertThrows(IllegalArgumentException.class, () -> options.withCertificate(new byte[65537]));
        assertNotNull(options.withTimeout(Duration.ofMillis(100)).withTimeout(Duration.ofMinutes(1)));
    }

    @Test
    void optionsDoNotChangeWithTheOctetsTheyWereMadeFrom() {
        byte[] der = {1, 2, 3};
        CheckOptions options = CheckOptions.DEFAULTS.withCertificate(der);

        der[0] = 9;
        assertEquals(1, options.certificate()[0]);
    }

    @Test
    void resultsKeepTheirVotes() {
        List<Vote> votes = new ArrayList<>(List.of(new Vote("alpha", "yes", 1, "", false)));
        Result result = new Result(0, "agree", "accept", "vote", "", 1, votes);

        votes.clear();
        assertEquals(1, result.votes().size());
        assertThrows(UnsupportedOperationException.class, () -> result.votes().clear());
    }

    @Test
    void phrasesAndVersion() {
        assertEquals("the notaries agree", Converge.strerror(0));
        assertFalse(Converge.strerror(28).equals(Converge.strerror(0)));
        assertFalse(Converge.strerror(Integer.MIN_VALUE).isEmpty());
        assertTrue(Converge.version().matches("\\d+\\.\\d+\\.\\d+"));
    }

    @Test
    void manyThreadsAskAtOnce() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        int[] wrong = new int[8];

        for (int i = 0; i < wrong.length; i++) {
            int own = i;
            threads.add(new Thread(() -> {
                for (int n = 0; n < 500; n++) {
                    wrong[own] += Converge.check("a..b" + n, own, SHA1).code() == 1 ? 0 : 1;
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread one : threads) {
            one.join();
        }
        assertEquals(0, java.util.Arrays.stream(wrong).sum());
    }

    /** Counts what C gave and got back, while one function after the other fails. */
    @Test
    void whateverFailsBothHandlesAreGivenBack() {
        for (String failing : List.of("converge_options_set_timeout_ms", "converge_check",
                "converge_result_text", "converge_result_vote_notary", "none")) {
            int[] balance = new int[2];
            LibConverge lib = counting(failing, balance);
            CheckOptions options = CheckOptions.DEFAULTS.withTimeout(Duration.ofSeconds(1));

            try {
                new NativeCheck(lib).run(new byte[1], 1, new byte[1], options);
            } catch (IllegalStateException e) {
                assertEquals(failing, e.getMessage());
            }
            assertEquals(0, balance[0], "options after " + failing);
            assertEquals(0, balance[1], "results after " + failing);
        }
    }

    private static LibConverge counting(String failing, int[] balance) {
        LibConverge real = LibConverge.get();

        return (LibConverge) Proxy.newProxyInstance(ConvergeTest.class.getClassLoader(),
                new Class<?>[] {LibConverge.class}, (proxy, method, arguments) -> {
                    String name = method.getName();
                    if (name.equals(failing)) {
                        throw new IllegalStateException(failing);
                    }
                    Object value = method.invoke(real, arguments);
                    balance[0] += name.equals("converge_options_new") ? 1
                            : name.equals("converge_options_free") ? -1 : 0;
                    balance[1] += name.equals("converge_check") ? 1
                            : name.equals("converge_result_free") ? -1 : 0;
                    return name.equals("converge_result_vote_count")
                            ? new com.sun.jna.NativeLong(1) : value;
                });
    }

    @Test
    void noStringOfCIsAnEmptyOne() {
        assertEquals("", NativeCheck.string(Pointer.NULL));
    }
}
