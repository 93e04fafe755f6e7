# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# Nothing grows, whether questions are answered, malformed, or raise.
require_relative 'helper'

class TestMemory < InstallationTest
  def resident_kib
    GC.start
    Integer(File.read('/proc/self/status')[/^VmRSS:\s+(\d+)/, 1])
  end

  def ask(times)
    times.times do
      Converge.check(HOST, 443, SHA1, certificate: 'x' * 10_000)
      Converge.converge("#{HOST}\0", 443, SHA1)
      assert_raises(Converge::Refused) { Converge.verify!(HOST, 443, SHA1) }
    end
  end

  def test_nothing_grows
    skip 'no /proc' unless File.exist?('/proc/self/status')
    answer DISAGREE
    ask(300)
    before = resident_kib
    ask(1000)
    assert_operator resident_kib - before, :<, 4096
  end
end
