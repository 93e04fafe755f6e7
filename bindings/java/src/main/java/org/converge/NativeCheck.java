// SPDX-License-Identifier: MIT
// One converge_check(): options in, a result out, and both given back to C whatever happens between.
package org.converge;

import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.util.ArrayList;
import java.util.List;

/** Turns options and results of C into those of Java. */
final class NativeCheck {
    private final LibConverge lib;

    NativeCheck(LibConverge lib) {
        this.lib = lib;
    }

    Result run(byte[] host, int port, byte[] fingerprint, CheckOptions options) {
        Pointer held = lib.converge_options_new();

        if (held == null) {
            throw new OutOfMemoryError("converge_options_new");
        }
        try {
            set(held, options);
            return ask(host, port, fingerprint, held);
        } finally {
            lib.converge_options_free(held);
        }
    }

    private void set(Pointer target, CheckOptions options) {
        byte[] der = options.certificate();

        if (options.timeoutMs() != null) {
            require(lib.converge_options_set_timeout_ms(target, options.timeoutMs()), "timeout");
        }
        if (der != null) {
            require(lib.converge_options_set_certificate(target, der, new NativeLong(der.length)),
                    "certificate");
        }
        if (options.pkiResult() != null) {
            require(lib.converge_options_set_pki_result(target, options.pkiResult()), "PKI result");
        }
        require(lib.converge_options_set_start_agent(target, options.startAgent() ? 1 : 0), "agent");
    }

    private static void require(int status, String what) {
        if (status != 0) {
            throw new IllegalArgumentException("libconverge does not take this " + what);
        }
    }

    private Result ask(byte[] host, int port, byte[] fingerprint, Pointer options) {
        PointerByReference reference = new PointerByReference();
        int code = lib.converge_check(host, port, fingerprint, options, reference);
        Pointer result = reference.getValue();

        if (result == null) {
            throw new OutOfMemoryError("converge_check");
        }
        try {
            return new Result(code, string(lib.converge_result_verdict(result)),
                    string(lib.converge_result_action(result)),
                    string(lib.converge_result_reason(result)),
                    string(lib.converge_result_text(result)),
                    Integer.toUnsignedLong(lib.converge_result_elapsed_ms(result)), votes(result));
        } finally {
            lib.converge_result_free(result);
        }
    }

    private List<Vote> votes(Pointer result) {
        long count = lib.converge_result_vote_count(result).longValue();
        List<Vote> votes = new ArrayList<>();

        for (long i = 0; i < count; i++) {
            NativeLong index = new NativeLong(i);
            votes.add(new Vote(string(lib.converge_result_vote_notary(result, index)),
                    string(lib.converge_result_vote_answer(result, index)),
                    Integer.toUnsignedLong(lib.converge_result_vote_elapsed_ms(result, index)),
                    string(lib.converge_result_vote_error(result, index)),
                    lib.converge_result_vote_bounced(result, index) != 0));
        }
        return votes;
    }

    static String string(Pointer text) {
        return text == null ? "" : text.getString(0, "UTF-8");
    }
}
