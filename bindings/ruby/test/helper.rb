# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# A configuration directory of a test's own. CONVERGE_TEST_AGENT names an agent that reads its answers
# from there; tests that need one are skipped without.
require 'minitest/autorun'
require 'tmpdir'
require 'fileutils'
require 'converge'

# What the tests of this folder share.
class InstallationTest < Minitest::Test
  SHA1 = 'AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD'
  HOST = 'site.converge.example'
  AGREE = '59 41 1'
  DISAGREE = '4e 52 1 alpha=no beta=no'

  def setup
    @directory = Dir.mktmpdir('converge-')
    ENV['CONVERGE_CONFIG_DIR'] = @directory
    ENV['CONVERGE_AGENT'] = ENV.fetch('CONVERGE_TEST_AGENT', '/nonexistent/converge-agent')
  end

  def teardown
    read('run/agent.pid').split.each { |pid| Process.kill('TERM', Integer(pid)) }
    FileUtils.remove_entry(@directory)
  end

  # Verdict, action and reason as octets, then NOTARY=ANSWER.
  def answer(words)
    skip 'CONVERGE_TEST_AGENT names no agent' unless ENV['CONVERGE_TEST_AGENT']
    write('answer', words)
  end

  def write(name, text)
    File.write(File.join(@directory, name), "#{text}\n")
  end

  def read(name)
    path = File.join(@directory, name)
    File.exist?(path) ? File.read(path) : ''
  end
end
