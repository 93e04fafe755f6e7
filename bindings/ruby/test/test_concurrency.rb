# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# Threads and children of fork ask at the same time; a question lets other threads run.
require_relative 'helper'
require_relative 'relay'

class TestConcurrency < InstallationTest
  def test_a_question_lets_other_threads_run
    answer AGREE
    assert_equal 0, Converge.converge(HOST, 443, SHA1) # starts the agent
    Dir.mktmpdir('converge-') do |directory|
      Dir.mkdir(File.join(directory, 'run'), 0o700)
      relay = Relay.new(File.join(directory, 'run/agent.sock'), File.join(@directory, 'run/agent.sock'))
      ENV['CONVERGE_CONFIG_DIR'] = directory
      result = Converge.check(HOST, 443, SHA1, timeout: 10, start_agent: false)
      assert_equal [0, 'vote'], [result.code, result.reason]
    ensure
      relay&.stop
    end
  end

  def test_threads
    answer DISAGREE
    threads = Array.new(8) do |number|
      Thread.new { Array.new(20) { Converge.check("site#{number}.converge.example", 443, SHA1).votes.size } }
    end
    assert_equal [2], threads.flat_map(&:value).uniq
  end

  def test_threads_that_are_ended_meanwhile
    answer DISAGREE
    Converge.converge(HOST, 443, SHA1)
    threads = Array.new(20) { Thread.new { loop { Converge.check(HOST, 443, SHA1, certificate: 'x' * 1000) } } }
    threads.each(&:kill).each(&:join)
    assert_equal 28, Converge.converge(HOST, 443, SHA1)
  end

  def test_fork
    answer DISAGREE
    before = Converge.check(HOST, 443, SHA1)
    children = Array.new(4) do
      fork do
        codes = Array.new(20) { Converge.converge(HOST, 443, SHA1) }
        exit!(codes.uniq == [28] && before.votes.size == 2 ? 0 : 1)
      end
    end
    assert(children.all? { |pid| Process.wait2(pid).last.success? })
    assert_equal 28, Converge.converge(HOST, 443, SHA1)
  end
end
