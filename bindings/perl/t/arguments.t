# SPDX-License-Identifier: MIT
# Malformed values are code 1, wrong types croak; never is anything cut down to something good. Where
# there is an agent, it agrees to whatever it is asked.
use strict;
use warnings;
use lib 't/lib';
use utf8;
use Test::More;
use Installation;
use Converge qw(converge check verify);

my $SHA1 = 'AABBCCDDEEFF00112233445566778899AABBCCDD';
my $HOST = 'site.converge.example';
my $here = Installation->new;
$here->answer('59 41 1');

my @malformed = (
    [ 'empty host',            '',                443, $SHA1 ],
    [ 'NUL in host',           "$HOST\0.evil",    443, $SHA1 ],
    [ 'host is a NUL',         "\0",              443, $SHA1 ],
    [ 'wide, not a name',      "\x{202e}.example", 443, $SHA1 ],
    [ 'surrogate',             "\x{d800}.example", 443, $SHA1 ],
    [ 'undecoded octets',      "a\xff\x80",       443, $SHA1 ],
    [ 'port 0',                $HOST,             0,   $SHA1 ],
    [ 'negative port',         $HOST,             -1,  $SHA1 ],
    [ 'port that wraps to 443', $HOST,            65_536 + 443, $SHA1 ],
    [ 'port of 33 bits',       $HOST,             4_294_967_296 + 443, $SHA1 ],
    [ 'port of 65 bits',       $HOST,             '18446744073709552059', $SHA1 ],
    [ 'huge port',             $HOST,             1e300, $SHA1 ],
    [ 'infinite port',         $HOST,             9**9**9, $SHA1 ],
    [ 'port that is no number', $HOST,            -sin(9**9**9), $SHA1 ],
    [ 'port with a fraction',  $HOST,             443.5, $SHA1 ],
    [ 'port with a tiny one',  $HOST,             443.0000000000001, $SHA1 ],
    [ 'port is a word',        $HOST,             'https', $SHA1 ],
    [ 'port and more',         $HOST,             '443x', $SHA1 ],
    [ 'port and a newline',    $HOST,             "443\n", $SHA1 ],
    [ 'port, NUL and more',    $HOST,             "443\0", $SHA1 ],
    [ 'port in other digits',  $HOST,             "\x{664}\x{664}\x{663}", $SHA1 ],
    [ 'port is empty',         $HOST,             '',  $SHA1 ],
    [ 'no fingerprint',        $HOST,             443, undef ],
    [ 'empty fingerprint',     $HOST,             443, '' ],
    [ 'short fingerprint',     $HOST,             443, substr($SHA1, 2) ],
    [ 'long fingerprint',      $HOST,             443, "${SHA1}0" ],
    [ 'NUL behind it',         $HOST,             443, "$SHA1\0" ],
    [ 'wide fingerprint',      $HOST,             443, "\x{ff21}" x 40 ],
);
for my $case (@malformed) {
    my ($what, @arguments) = @{$case};
    no warnings qw(utf8 nonchar surrogate);
    is(converge(@arguments), 1, $what);
}
is(check($HOST, 443, "$SHA1\0", certificate => 'der')->code, 1, 'NUL in a superfluous fingerprint');
is(check($HOST, 443)->code, 1, 'neither fingerprint nor certificate');
is(check($HOST, 0, $SHA1)->reason, 'bad-question', 'the result says so');
is($here->read_file('questions'), '', 'nobody was asked');

my @croaks = (
    [ 'too few',               sub { converge($HOST, 443) } ],
    [ 'too many',              sub { converge($HOST, 443, $SHA1, timeout => 1) } ],
    [ 'host undefined',        sub { converge(undef, 443, $SHA1) } ],
    [ 'host is a reference',   sub { converge([], 443, $SHA1) } ],
    [ 'port undefined',        sub { converge($HOST, undef, $SHA1) } ],
    [ 'port is a reference',   sub { converge($HOST, {}, $SHA1) } ],
    [ 'fingerprint is one',    sub { converge($HOST, 443, \$SHA1) } ],
    [ 'odd options',           sub { check($HOST, 443, $SHA1, 'timeout') } ],
    [ 'unknown option',        sub { check($HOST, 443, $SHA1, time_out => 1) } ],
    [ 'option is a reference', sub { check($HOST, 443, $SHA1, timeout => []) } ],
    [ 'timeout too short',     sub { check($HOST, 443, $SHA1, timeout => 0.099) } ],
    [ 'timeout too long',      sub { check($HOST, 443, $SHA1, timeout => 60.001) } ],
    [ 'timeout negative',      sub { check($HOST, 443, $SHA1, timeout => -1) } ],
    [ 'timeout wraps',         sub { check($HOST, 443, $SHA1, timeout => 4_294_968.296) } ],
    [ 'timeout is no number',  sub { check($HOST, 443, $SHA1, timeout => 'nan') } ],
    [ 'timeout is a word',     sub { check($HOST, 443, $SHA1, timeout => 'soon') } ],
    [ 'empty certificate',     sub { check($HOST, 443, undef, certificate => '') } ],
    [ 'long certificate',      sub { check($HOST, 443, undef, certificate => 'x' x 65_537) } ],
    [ 'wide certificate',      sub { check($HOST, 443, undef, certificate => "\x{100}") } ],
    [ 'negative pki_result',   sub { check($HOST, 443, $SHA1, pki_result => -1) } ],
    [ 'pki_result wraps to 0', sub { check($HOST, 443, $SHA1, pki_result => 4_294_967_296) } ],
    [ 'half a pki_result',     sub { check($HOST, 443, $SHA1, pki_result => 0.5) } ],
    [ 'verify, too',           sub { verify($HOST, 443, []) } ],
);
for my $case (@croaks) {
    my ($what, $code) = @{$case};
    my $lived = eval { $code->(); 1 };
    ok(!$lived && !ref $@ && $@ =~ /arguments\.t line/, "croaks: $what") or diag($@);
}

SKIP: {
    skip 'CONVERGE_TEST_AGENT names no agent', 1 if !$ENV{CONVERGE_TEST_AGENT};
    is(converge($HOST, 443, $SHA1), 0, 'the agent agrees indeed');
}

done_testing;
