# frozen_string_literal: true

# SPDX-License-Identifier: MIT
module Converge
  # The arguments of a question, checked so that nothing is truncated on its way to C.
  #
  # @private
  class Question
    INT_MAX = (1 << 31) - 1
    CERTIFICATE_MAX = 65_536
    TIMEOUT = (0.1..60)

    def initialize(host, port, fingerprint, timeout: nil, certificate: nil, pki_result: nil,
                   start_agent: true)
      @host = whole_text(host, 'host')
      @port = port_of(port)
      @fingerprint = fingerprint.nil? ? nil : whole_text(fingerprint, 'fingerprint')
      # Malformed, also where a certificate makes it superfluous.
      @host = nil if @fingerprint.nil? && !fingerprint.nil?
      @settings = [[Library::SET_START_AGENT, [start_agent ? 1 : 0]]]
      @settings << [Library::SET_TIMEOUT_MS, [milliseconds(timeout)]] unless timeout.nil?
      @settings << [Library::SET_CERTIFICATE, octets(certificate)] unless certificate.nil?
      @settings << [Library::SET_PKI_RESULT, [x509_value(pki_result)]] unless pki_result.nil?
    end

    def ask
      Library.check(@host, @port, @fingerprint, @settings)
    end

    private

    def string(value, what)
      String.try_convert(value) or raise TypeError, "the #{what} is a String, not #{value.class}"
    end

    # The text in UTF-8; nil, which is malformed, for one that C would see less of, or none in UTF-8.
    # A copy: nobody else changes it while C reads it.
    def whole_text(value, what)
      text = String.new(string(value, what))
      text.force_encoding(Encoding::UTF_8) if text.encoding == Encoding::BINARY
      text = text.encode(Encoding::UTF_8)
      text.freeze if text.valid_encoding? && !text.include?("\0")
    rescue EncodingError
      nil
    end

    # The library says no to port 0, and so to whatever is out of range.
    def port_of(port)
      raise TypeError, "the port is an Integer, not #{port.class}" unless port.is_a?(Integer)

      port.between?(1, 65_535) ? port : 0
    end

    def milliseconds(seconds)
      raise TypeError, "timeout is a number, not #{seconds.class}" unless
        seconds.is_a?(Numeric) && seconds.real?
      raise ArgumentError, 'timeout is 0.1 to 60 seconds' unless TIMEOUT.cover?(seconds)

      (seconds * 1000).round
    end

    def octets(certificate)
      der = String.new(string(certificate, 'certificate')).freeze
      raise ArgumentError, "certificate is 1 to #{CERTIFICATE_MAX} octets of DER" unless
        der.bytesize.between?(1, CERTIFICATE_MAX)

      [der, der.bytesize]
    end

    def x509_value(value)
      raise TypeError, "pki_result is an Integer, not #{value.class}" unless value.is_a?(Integer)
      raise ArgumentError, 'pki_result is an X509_V_* value' unless value.between?(0, INT_MAX)

      value
    end
  end
  private_constant :Question
end
