# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# What each answer of an agent becomes.
require_relative 'helper'

class TestAnswers < InstallationTest
  def test_each_verdict_has_its_code
    answer AGREE
    assert_equal 0, Converge.converge(HOST, 443, SHA1)
    answer DISAGREE
    assert_equal 28, Converge.converge(HOST, 443, SHA1)
    answer '55 52 3'
    assert_equal 50, Converge.converge(HOST, 443, SHA1)
    answer '45 2d 6'
    assert_equal 50, Converge.converge(HOST, 443, SHA1)
  end

  def test_where_nobody_is_asked_pki_has_its_say
    answer '45 2d 6'
    assert_equal 0, Converge.check(HOST, 443, SHA1, pki_result: 0).code
    assert_equal 20, Converge.check(HOST, 443, SHA1, pki_result: 20).code
  end

  def test_the_result_says_who_said_what
    answer '4e 52 1 alpha=yes beta=no gamma=silent delta=aside'
    result = Converge.check(HOST, 443, SHA1, timeout: 5)
    assert_equal [28, 'disagree', 'refuse', 'vote', 'the fake agent says so', 7],
                 [result.code, result.verdict, result.action, result.reason, result.text, result.elapsed_ms]
    refute_predicate result, :good?
    assert_equal %w[alpha:yes beta:no gamma:silent(timeout) delta:aside], result.votes.map(&:to_s)
    assert_equal [11, 12, 13, 14], result.votes.map(&:elapsed_ms)
    assert(result.votes.none?(&:bounced?))
    assert_equal [Encoding::UTF_8], [result.text, *result.votes.map(&:notary)].map(&:encoding).uniq
    assert_predicate result.votes, :frozen?
  end

  def test_verify_raises_what_is_not_good
    answer DISAGREE
    refused = assert_raises(Converge::Refused) { Converge.verify!(HOST, 443, SHA1) }
    assert_equal 28, refused.code
    assert_equal 'disagree', refused.result.verdict
    assert_match(/#{HOST}.*443.*the fake agent says so/, refused.message)
    assert_equal 1, assert_raises(Converge::Refused) { Converge.verify!("\xff", 443, SHA1) }.code
    answer AGREE
    assert_equal 0, Converge.verify!(HOST, 443, SHA1, timeout: 2).code
  end

  def test_a_certificate_goes_whole
    answer AGREE
    der = "\x30\x00\xff".b * 100
    assert_equal 0, Converge.check(HOST, 8443, certificate: der, timeout: 2.5).code
    assert_match(/port=8443.*leaf=300 fingerprint= .*timeout_ms=2[0-9]{3} /, read('questions'))
  end

  def test_a_name_is_the_same_in_every_encoding
    answer AGREE
    name = 'bücher.converge.example'
    [name, name.encode('ISO-8859-1'), name.encode('UTF-16LE'), name.b].each do |host|
      write('questions', '')
      assert_equal 0, Converge.converge(host, 443, SHA1), host.encoding.to_s
      assert_match(/host=xn--bcher-kva\.converge\.example /, read('questions'))
    end
  end

  def test_the_functions_can_be_included
    answer DISAGREE
    program = Object.new.extend(Converge)
    assert_equal 28, program.send(:converge, HOST, 443, SHA1)
  end

  def test_without_an_agent_nothing_is_good
    result = Converge.check(HOST, 443, SHA1, start_agent: false)
    assert_equal [50, 'no-agent', []], [result.code, result.reason, result.votes]
    refute_predicate result, :good?
  end

  def test_phrases_and_version
    assert_match(/another certificate/, Converge.strerror(28))
    refute_equal Converge.strerror(0), Converge.strerror(50)
    assert_equal Converge::VERSION, Converge.version
    assert_raises(RangeError) { Converge.strerror(1 << 32) }
    assert_raises(TypeError) { Converge.strerror(0.0) }
  end
end
