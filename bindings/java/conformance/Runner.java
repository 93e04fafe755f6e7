// SPDX-License-Identifier: MIT
// The conformance table's runner: cases on standard input, what the library says on standard output.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Collectors;
import org.converge.CheckOptions;
import org.converge.Converge;
import org.converge.Result;
import org.converge.Vote;

/** java -cp converge.jar:jna.jar Runner.java */
public final class Runner {
    private static final int NAME = 0, CALL = 1, HOST = 2, PORT = 3, FINGERPRINT = 4, TIMEOUT = 5,
            PKI = 6, CERTIFICATE = 7, START = 8;

    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;

        while ((line = in.readLine()) != null) {
            out.println(answer(line.split("\t", -1)));
        }
    }

    private static String answer(String[] field) throws IOException {
        String fingerprint = field[FINGERPRINT].equals("-") ? null : field[FINGERPRINT];
        int port = Integer.parseInt(field[PORT]);

        if (field[CALL].equals("converge")) {
            int code = Converge.converge(field[HOST], port, fingerprint);
            return field[NAME] + "\t" + code + "\t-\t-\t-\t-";
        }
        Result result = Converge.check(field[HOST], port, fingerprint, options(field));
        return String.join("\t", field[NAME], Integer.toString(result.code()), result.verdict(),
                result.action(), result.reason(), votes(result));
    }

    private static CheckOptions options(String[] field) throws IOException {
        CheckOptions options = CheckOptions.DEFAULTS;

        if (!field[TIMEOUT].equals("-")) {
            options = options.withTimeout(Duration.ofMillis(Long.parseLong(field[TIMEOUT])));
        }
        if (!field[PKI].equals("-")) {
            options = options.withPkiResult(Integer.parseInt(field[PKI]));
        }
        if (!field[CERTIFICATE].equals("-")) {
            options = options.withCertificate(Files.readAllBytes(Path.of(field[CERTIFICATE])));
        }
        return field[START].equals("-") ? options : options.withStartAgent(field[START].equals("1"));
    }

    private static String votes(Result result) {
        return result.votes().isEmpty() ? "-"
                : result.votes().stream().map(Runner::vote).sorted()
                        .collect(Collectors.joining(","));
    }

    private static String vote(Vote vote) {
        String error = vote.error().isEmpty() ? "" : "(" + vote.error() + ")";
        return vote.notary() + ":" + vote.answer() + error;
    }
}
