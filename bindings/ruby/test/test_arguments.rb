# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# Malformed values are code 1, wrong classes raise; never is anything cut down to something good. Where
# there is an agent, it agrees to whatever it is asked.
require_relative 'helper'

class TestArguments < InstallationTest
  HEX = 'AABBCCDDEEFF00112233445566778899AABBCCDD'

  MALFORMED = {
    'empty host' => ['', 443, HEX],
    'NUL in the host' => ["#{HOST}\0.evil", 443, HEX],
    'NUL in a host of UTF-16' => ["#{HOST}\0.evil".encode('UTF-16LE'), 443, HEX],
    'host is a NUL' => ["\0", 443, HEX],
    'not UTF-8' => ["a\xff", 443, HEX],
    'not UTF-8, binary' => ["a\xff".b, 443, HEX],
    'not ASCII' => ["a\xff".dup.force_encoding('US-ASCII'), 443, HEX],
    'half of a UTF-16 character' => ["a\0b".dup.force_encoding('UTF-16LE'), 443, HEX],
    'an encoding nobody converts' => [HOST.dup.force_encoding('UTF-7'), 443, HEX],
    'not a name' => ["\u202e.example", 443, HEX],
    'port 0' => [HOST, 0, HEX],
    'negative port' => [HOST, -1, HEX],
    'port that wraps' => [HOST, 65_536 + 443, HEX],
    'port of 33 bits' => [HOST, (1 << 32) + 443, HEX],
    'port of 65 bits' => [HOST, (1 << 64) + 443, HEX],
    'no fingerprint' => [HOST, 443, nil],
    'empty fingerprint' => [HOST, 443, ''],
    'NUL behind the fingerprint' => [HOST, 443, "#{HEX}\0"],
    'wide fingerprint' => [HOST, 443, "\uff21" * 40],
    'fingerprint not UTF-8' => [HOST, 443, "#{HEX}\xff"]
  }.freeze

  WRONG = {
    'host nil' => [nil, 443, HEX],
    'host a symbol' => [:'site.converge.example', 443, HEX],
    'host a number' => [9_999, 443, HEX],
    'port nil' => [HOST, nil, HEX],
    'port a float' => [HOST, 443.0, HEX],
    'port a fraction' => [HOST, 443.5, HEX],
    'port a rational' => [HOST, Rational(443), HEX],
    'port a string' => [HOST, '443', HEX],
    'fingerprint a number' => [HOST, 443, 0],
    'fingerprint false' => [HOST, 443, false]
  }.freeze

  RANGES = [
    { timeout: 0.099 }, { timeout: 60.001 }, { timeout: -1 }, { timeout: 4_294_968.296 },
    { timeout: Float::NAN }, { timeout: Float::INFINITY }, { timeout: 1 << 80 },
    { certificate: '' }, { certificate: 'x' * 65_537 }, { certificate: 'ü' * 32_769 },
    { pki_result: -1 }, { pki_result: 1 << 31 }, { pki_result: 1 << 32 }, { pki_result: 1 << 64 },
    { time_out: 1 }
  ].freeze

  TYPES = [
    { timeout: '1' }, { timeout: Complex(1, 1) }, { certificate: 1 }, { certificate: [48] },
    { pki_result: 0.0 }, { pki_result: '0' }
  ].freeze

  def setup
    super
    write('answer', AGREE)
  end

  def test_malformed_is_code_one_and_nobody_is_asked
    MALFORMED.each do |what, arguments|
      assert_equal 1, Converge.converge(*arguments), what
      result = Converge.check(*arguments)
      assert_equal [1, 'none', 'bad-question'], [result.code, result.verdict, result.reason], what
    end
    assert_equal 1, Converge.check(HOST, 443, "#{HEX}\0", certificate: 'der').code
    assert_equal 1, Converge.check(HOST, 443).code
    assert_equal '', read('questions')
  end

  def test_wrong_classes_raise
    WRONG.each do |what, arguments|
      assert_raises(TypeError, what) { Converge.converge(*arguments) }
      assert_raises(TypeError, what) { Converge.verify!(*arguments) }
    end
    TYPES.each { |options| assert_raises(TypeError, options) { Converge.check(HOST, 443, HEX, **options) } }
    assert_equal '', read('questions')
  end

  def test_options_out_of_range_raise
    RANGES.each do |options|
      assert_raises(ArgumentError, options) { Converge.check(HOST, 443, HEX, **options) }
    end
    assert_equal '', read('questions')
  end

  def test_arguments_stay_as_they_are
    host = "#{HOST}\0"
    Converge.converge(host, 443, HEX)
    refute_predicate host, :frozen?
    assert_equal "#{HOST}\0", host
  end
end
