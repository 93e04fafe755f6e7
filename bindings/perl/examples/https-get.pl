#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Fetches https://HOST:PORT/ after PKI and the notaries have accepted the certificate: nothing is sent
# to the server before both have.
#
#   perl https-get.pl HOST [PORT [CA-FILE]]
use strict;
use warnings;

use Converge;
use IO::Socket::SSL;

my ($host, $port, $ca_file) = @ARGV;
die "usage: $0 HOST [PORT [CA-FILE]]\n" if !defined $host;
$port //= 443;

my $socket = IO::Socket::SSL->new(
    PeerHost            => $host,
    PeerPort            => $port,
    Timeout             => 10,
    SSL_verify_mode     => SSL_VERIFY_PEER,
    SSL_verifycn_scheme => 'http',
    (defined $ca_file ? (SSL_ca_file => $ca_file) : ()),
) or die "$host:$port: ", $SSL_ERROR || $!, "\n";

# The handshake is over, and no octet of the program has been sent: "sha256$HEX" of what was shown.
my (undef, $fingerprint) = split /\$/, $socket->get_fingerprint('sha256');

# pki_result: what PKI said above, so that an endpoint which no notary is asked about (an address of the
# local network, an authority of your own) stays as good as it was without Converge.
my $result = Converge::check($host, $port, $fingerprint, pki_result => 0);
die "$host:$port: ", $result->text, "\n" if !$result->is_good;

print {$socket} "GET / HTTP/1.0\r\nHost: $host\r\n\r\n";
print while <$socket>;
