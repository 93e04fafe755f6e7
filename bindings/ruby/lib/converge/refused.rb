# frozen_string_literal: true

# SPDX-License-Identifier: MIT
module Converge
  # A certificate was not confirmed: the notaries disagree, cannot tell, or the question was malformed.
  class Refused < StandardError
    # @return [Result] who said what
    attr_reader :result

    # @param result [Result]
    # @param host [String]
    # @param port [Integer]
    def initialize(result, host, port)
      @result = result
      super("#{host.inspect}, port #{port}: #{result.text}")
    end

    # @return [Integer] never 0
    def code
      result.code
    end
  end
end
