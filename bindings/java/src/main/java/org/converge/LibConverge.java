// SPDX-License-Identifier: MIT
// converge.h as JNA sees it, and nothing else. Strings go in as octets that end with a NUL, so that
// no encoding of the platform has a say.
package org.converge;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;

/** The functions of libconverge.so.0, under their C names. */
interface LibConverge extends Library {
    int converge(byte[] host, int port, byte[] sha1sum);

    Pointer converge_options_new();

    void converge_options_free(Pointer options);

    int converge_options_set_timeout_ms(Pointer options, int timeoutMs);

    /** The length is a size_t, which on Linux is as wide as a C long. */
    int converge_options_set_certificate(Pointer options, byte[] der, NativeLong length);

    int converge_options_set_pki_result(Pointer options, int result);

    int converge_options_set_start_agent(Pointer options, int start);

    int converge_check(byte[] host, int port, byte[] fingerprint, Pointer options,
            PointerByReference result);

    void converge_result_free(Pointer result);

    Pointer converge_result_verdict(Pointer result);

    Pointer converge_result_action(Pointer result);

    Pointer converge_result_reason(Pointer result);

    Pointer converge_result_text(Pointer result);

    int converge_result_elapsed_ms(Pointer result);

    NativeLong converge_result_vote_count(Pointer result);

    Pointer converge_result_vote_notary(Pointer result, NativeLong index);

    Pointer converge_result_vote_answer(Pointer result, NativeLong index);

    int converge_result_vote_elapsed_ms(Pointer result, NativeLong index);

    Pointer converge_result_vote_error(Pointer result, NativeLong index);

    int converge_result_vote_bounced(Pointer result, NativeLong index);

    Pointer converge_strerror(int result);

    Pointer converge_version();

    /** Loaded when it is first needed; a failure is told anew, in full, to whoever comes next. */
    static LibConverge get() {
        if (Loaded.INSTANCE == null) {
            throw new UnsatisfiedLinkError(Loaded.PROBLEM);
        }
        return Loaded.INSTANCE;
    }

    /** What loading gave: one of the two is null. */
    final class Loaded {
        static final LibConverge INSTANCE;
        static final String PROBLEM;

        static {
            LibConverge instance = null;
            String problem = null;
            try {
                instance = Native.load("libconverge.so.0", LibConverge.class);
            } catch (UnsatisfiedLinkError e) {
                problem = "libconverge.so.0 cannot be loaded (is Converge installed? else name its"
                        + " directory in jna.library.path): " + e.getMessage();
            }
            INSTANCE = instance;
            PROBLEM = problem;
        }

        private Loaded() {}
    }
}
