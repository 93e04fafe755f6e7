# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# Fetches https://HOST:PORT/ after PKI and the notaries have accepted the certificate: the handshake
# fails before anything is sent where either does not.
#
#   ruby https_get.rb HOST [PORT [CA-FILE]]
require 'converge'
require 'net/http'

host, port, ca_file = ARGV
abort "usage: #{$PROGRAM_NAME} HOST [PORT [CA-FILE]]" unless host
port = Integer(port || 443)

http = Net::HTTP.new(host, port)
http.use_ssl = true
http.ca_file = ca_file if ca_file

# OpenSSL calls this for each certificate of the chain, on every new connection; the site's own is at
# depth 0. pki_result: 0, for PKI is content by then, so that an endpoint which no notary is asked about (an
# address of the local network, an authority of your own) stays as good as it was without Converge.
refused = nil
http.verify_callback = lambda do |good, chain|
  next good unless good && chain.error_depth.zero?

  result = Converge.check(host, port, certificate: chain.current_cert.to_der, pki_result: 0)
  refused = result unless result.good?
  result.good?
end

begin
  puts http.get('/').body
rescue OpenSSL::SSL::SSLError => e
  abort "#{host}:#{port}: #{refused || e.message}"
end
