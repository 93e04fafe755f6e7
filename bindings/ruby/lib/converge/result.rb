# frozen_string_literal: true

# SPDX-License-Identifier: MIT
module Converge
  # What one notary said.
  class Vote
    # @return [String] the notary's name
    attr_reader :notary
    # @return [String] `yes`, `no`, `aside` or `silent`
    attr_reader :answer
    # @return [Integer] milliseconds
    attr_reader :elapsed_ms
    # @return [String] why a silent notary gave no answer (`timeout`, `pin` ...); empty for all others
    attr_reader :error

    # Tests of programs make their own.
    def initialize(notary:, answer:, elapsed_ms: 0, error: '', bounced: false)
      @notary = notary
      @answer = answer
      @elapsed_ms = elapsed_ms
      @error = error
      @bounced = bounced
      freeze
    end

    # @return [Boolean] whether it was asked through another notary
    def bounced?
      @bounced
    end

    # @return [String] notary, answer, and why it was silent
    def to_s
      error.empty? ? "#{notary}:#{answer}" : "#{notary}:#{answer}(#{error})"
    end
  end

  # What came out of a question. Frozen.
  class Result
    # @return [Integer] 0, or an X509_V_ERR_* value as {Converge.converge} returns it
    attr_reader :code
    # @return [String] `agree`, `disagree`, `undecided`, `exempt` or `none`
    attr_reader :verdict
    # @return [String] what follows: `accept`, `refuse` or `unchanged`
    attr_reader :action
    # @return [String] `vote`, `cache`, `unreachable`, `bad-question`, `no-agent` and others
    attr_reader :reason
    # @return [String] one sentence for people
    attr_reader :text
    # @return [Integer] milliseconds from question to answer
    attr_reader :elapsed_ms
    # @return [Array<Vote>] who said what
    attr_reader :votes

    # Tests of programs make their own.
    def initialize(code:, verdict:, action:, reason:, text: '', elapsed_ms: 0, votes: [])
      @code = code
      @verdict = verdict
      @action = action
      @reason = reason
      @text = text
      @elapsed_ms = elapsed_ms
      @votes = votes.freeze
      freeze
    end

    # @return [Boolean] whether the code is 0
    def good?
      code.zero?
    end

    # @return [String] the sentence
    def to_s
      text
    end
  end
end
