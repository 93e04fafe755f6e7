# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# What programs call.
require_relative 'converge/version'
require_relative 'converge/result'
require_relative 'converge/refused'
require_relative 'converge/library'
require_relative 'converge/question'

# Asks notaries, which the user has chosen, whether they see the same certificate for a site.
#
# Which notaries, how many, and what happens when they cannot be reached is the user's configuration
# (`converge.conf`); cache and network are the agent's, which is started if none is running. Other
# threads run on while a question waits for its answer; after `fork` parent and child may go on asking.
module Converge
  module_function

  # The drop-in for `OpenSSL::SSL::SSLSocket#verify_result`.
  #
  # Never raises for what a server or a notary did. A malformed host, port (one out of range) or
  # fingerprint (none, one with a NUL in it) is 1.
  #
  # @param host [String] a name or an IP address, also an international name
  # @param port [Integer] 1 to 65535
  # @param sha1sum [String, nil] SHA-1 or SHA-256 of the DER certificate in hexadecimal, with or
  #   without colons
  # @return [Integer] 0 if the notaries agree that the server shows this certificate, or the
  #   configuration accepts without; 28 if they see another one; 50 if they could not decide, or
  #   nobody vouches for it; 1 for a malformed argument
  # @raise [TypeError] for arguments of another class
  def converge(host, port, sha1sum)
    Question.new(host, port, sha1sum).ask.code
  end

  # Like {converge}, and tells who said what.
  #
  # @param host [String] as for {converge}
  # @param port [Integer] as for {converge}
  # @param fingerprint [String, nil] as for {converge}; may be nil if there is a certificate
  # @param timeout [Numeric, nil] seconds to wait at most, 0.1 to 60; the configuration's deadline is
  #   the default
  # @param certificate [String, nil] a whole certificate, the octets of its DER (at most 65,536)
  # @param pki_result [Integer, nil] what PKI said: 0 or an X509_V_ERR_* value. Unless given, the
  #   notaries alone decide. Once given, it is also the code where no notary is asked (an exempt
  #   endpoint) or PKI keeps its say (a wrong name; any failure outside `mode = replace`)
  # @param start_agent [Boolean] whether to start an agent if there is none
  # @return [Result]
  # @raise [TypeError] for arguments of another class
  # @raise [ArgumentError] for an option out of range
  def check(host, port, fingerprint = nil, timeout: nil, certificate: nil, pki_result: nil,
            start_agent: true)
    Question.new(host, port, fingerprint, timeout: timeout, certificate: certificate,
                                          pki_result: pki_result, start_agent: start_agent).ask
  end

  # Like {check}, but raises for any code other than 0.
  #
  # @param host [String] as for {converge}
  # @param port [Integer] as for {converge}
  # @param fingerprint [String, nil] as for {check}
  # @param options [Hash] as for {check}
  # @return [Result] whose code is 0
  # @raise [Refused] with the result
  # @raise [TypeError, ArgumentError] as {check}
  def verify!(host, port, fingerprint = nil, **options)
    result = check(host, port, fingerprint, **options)
    raise Refused.new(result, host, port) unless result.good?

    result
  end

  # @param code [Integer] what {converge} returned
  # @return [String] a phrase for it
  def strerror(code)
    raise TypeError, "a result is an Integer, not #{code.class}" unless code.is_a?(Integer)
    raise RangeError, 'no result is so large' unless code.abs <= Question::INT_MAX

    Library.text(Library::STRERROR.call(code))
  end

  # @return [String] the version of libconverge
  def version
    Library.text(Library::VERSION.call)
  end
end
