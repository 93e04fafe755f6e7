#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Answers the conformance table of all client libraries: a case a line from standard input, 9 fields
# separated by tabs, an outcome of 6 fields for each on standard output.
use strict;
use warnings;

use Converge;

binmode STDIN,  ':encoding(UTF-8)';
binmode STDOUT, ':encoding(UTF-8)';
$| = 1;

sub octets {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/ = undef;
    return scalar <$file>;
}

sub votes {
    my ($result) = @_;
    my @votes = map { "$_->{notary}:$_->{answer}" . ($_->{error} ne '' ? "($_->{error})" : '') }
        @{ $result->votes };
    return @votes ? join ',', sort @votes : '-';
}

while (my $line = <STDIN>) {
    chomp $line;
    my ($name, $call, @fields) = split /\t/, $line, -1;
    my ($host, $port, $fingerprint, $timeout_ms, $pki, $certificate, $start_agent) =
        map { defined && $_ eq '-' ? undef : $_ } @fields;
    if ($call eq 'converge') {
        print join("\t", $name, Converge::converge($host, $port, $fingerprint), ('-') x 4), "\n";
        next;
    }
    my $result = Converge::check(
        $host, $port, $fingerprint,
        timeout     => defined $timeout_ms  ? $timeout_ms / 1000   : undef,
        certificate => defined $certificate ? octets($certificate) : undef,
        pki_result  => $pki,
        start_agent => $start_agent,
    );
    print join("\t", $name, $result->code, $result->verdict, $result->action, $result->reason,
        votes($result)), "\n";
}
