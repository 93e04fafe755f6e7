// SPDX-License-Identifier: MIT
package org.converge;

/**
 * What one notary said.
 *
 * @param notary the notary's name
 * @param answer {@code "yes"}, {@code "no"}, {@code "aside"} or {@code "silent"}
 * @param elapsedMs how long it took, in milliseconds
 * @param error why a silent one gave no answer ({@code "timeout"}, {@code "pin"} ...); empty for others
 * @param bounced whether it was asked through another notary
 */
public record Vote(String notary, String answer, long elapsedMs, String error, boolean bounced) {}
