# SPDX-License-Identifier: MIT
# What each answer of an agent becomes.
use strict;
use warnings;
use lib 't/lib';
use utf8;
use Test::More;
use Installation;
use Converge qw(converge check verify);

my $SHA1 = 'AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD';
my $HOST = 'site.converge.example';
my $here = Installation->with_agent;

$here->answer('59 41 1');
is(converge($HOST, 443, $SHA1), 0, 'they agree');
is(converge($HOST, '443', $SHA1), 0, 'a number may be a string');
$here->answer('4e 52 1');
is(converge($HOST, 443, $SHA1), 28, 'they disagree');
$here->answer('55 52 3');
is(converge($HOST, 443, $SHA1), 50, 'they are silent');
$here->answer('45 2d 6');
is(converge($HOST, 443, $SHA1), 50, 'exempt: nobody vouches for it');
is(check($HOST, 443, $SHA1, pki_result => 0)->code,  0,  'exempt: what PKI said');
is(check($HOST, 443, $SHA1, pki_result => 20)->code, 20, 'exempt: what PKI said against it');

$here->answer('4e 52 1 alpha=yes beta=no gamma=silent delta=aside');
my $result = check($HOST, 443, $SHA1, timeout => 5);
is_deeply(
    [ map { $result->$_ } qw(code verdict action reason text elapsed_ms) ],
    [ 28, 'disagree', 'refuse', 'vote', 'the fake agent says so', 7 ],
    'the result'
);
ok(!$result->is_good, 'is not good');
is_deeply(
    $result->votes,
    [
        { notary => 'alpha', answer => 'yes', elapsed_ms => 11, error => '', bounced => 0 },
        { notary => 'beta', answer => 'no', elapsed_ms => 12, error => '', bounced => 0 },
        { notary => 'gamma', answer => 'silent', elapsed_ms => 13, error => 'timeout', bounced => 0 },
        { notary => 'delta', answer => 'aside', elapsed_ms => 14, error => '', bounced => 0 },
    ],
    'who said what'
);

ok(!eval { verify($HOST, 443, $SHA1); 1 }, 'verify dies');
my $error = $@;
isa_ok($error, 'Converge::Error');
is($error->code, 28, 'with the code');
is($error->result->verdict, 'disagree', 'with the result');
like("$error", qr/\A\Q$HOST\E:443: the fake agent says so at \S*answers\.t line \d+/, 'at our line');
$here->answer('59 41 1 alpha=yes');
is(verify($HOST, 443, $SHA1)->code, 0, 'verify returns what is good');

$here->write_file('questions', '');
is(check('bücher.converge.example', 8443, undef, certificate => "\x30\xff" x 150, timeout => '2.5')->code,
    0, 'an international name, a certificate');
like($here->read_file('questions'),
    qr/host=xn--bcher-kva\.converge\.example port=8443.*leaf=300.*timeout_ms=2[0-9]{3} /,
    'as it reached the agent');
my $latin1 = "b\xfccher.converge.example";
utf8::downgrade($latin1);
$here->write_file('questions', '');
is(converge($latin1, 443, $SHA1), 0, 'characters count, not how Perl keeps them');
like($here->read_file('questions'), qr/host=xn--bcher-kva\.converge/, 'the same name');
ok(!utf8::is_utf8($latin1), 'the argument is as it was');

done_testing;
