# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# Answers the conformance table of all client libraries: a case a line from standard input, 9 fields
# separated by tabs, an outcome of 6 fields for each on standard output.
require 'converge'

$stdin.set_encoding(Encoding::UTF_8)
$stdout.sync = true

def check(host, port, fingerprint, timeout_ms, pki, certificate, start_agent)
  options = {
    timeout: timeout_ms && Rational(Integer(timeout_ms), 1000),
    pki_result: pki && Integer(pki),
    certificate: certificate && File.binread(certificate),
    start_agent: start_agent != '0'
  }
  result = Converge.check(host, port, fingerprint, **options)
  votes = result.votes.map(&:to_s).sort.join(',')
  [result.code, result.verdict, result.action, result.reason, votes.empty? ? '-' : votes]
end

$stdin.each_line(chomp: true) do |line|
  name, call, *fields = line.split("\t", -1)
  host, port, *rest = fields.map { |field| field == '-' ? nil : field }
  port = Integer(port)
  outcome = call == 'check' ? check(host, port, *rest) : [Converge.converge(host, port, rest[0]), *['-'] * 4]
  puts [name, *outcome].join("\t")
end
