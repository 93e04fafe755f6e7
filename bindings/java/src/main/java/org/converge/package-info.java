// SPDX-License-Identifier: MIT
/**
 * Asks the user's notaries whether they see the same certificate for a site as this program does.
 *
 * <p>{@link org.converge.Converge} asks about one certificate; {@link org.converge.ConvergeTrustManager}
 * asks for every TLS connection of an {@link javax.net.ssl.SSLContext}.
 */
package org.converge;
