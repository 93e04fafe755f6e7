// SPDX-License-Identifier: MIT
package org.converge;

import java.util.List;

/**
 * What the notaries said of a certificate, and what follows from it.
 *
 * @param code 0 (X509_V_OK) is good; all else is an X509_V_ERR_* value, see {@link Converge#strerror}
 * @param verdict {@code "agree"}, {@code "disagree"}, {@code "undecided"}, {@code "exempt"} or
 *     {@code "none"}
 * @param action {@code "accept"}, {@code "refuse"}, {@code "unchanged"} or {@code "none"}
 * @param reason one word: {@code "vote"}, {@code "cache"}, {@code "unreachable"} ...
 * @param text one sentence for people
 * @param elapsedMs how long it took, in milliseconds
 * @param votes who said what; empty where nobody was asked
 */
public record Result(int code, String verdict, String action, String reason, String text,
        long elapsedMs, List<Vote> votes) {
    /**
     * Keeps the votes as they are now.
     *
     * @param code 0 is good
     * @param verdict a word
     * @param action a word
     * @param reason a word
     * @param text a sentence
     * @param elapsedMs milliseconds
     * @param votes copied
     */
    public Result {
        votes = List.copyOf(votes);
    }

    /**
     * Whether the connection may go on.
     *
     * @return whether the code is 0
     */
    public boolean isGood() {
        return code == 0;
    }
}
