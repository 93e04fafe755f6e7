# SPDX-License-Identifier: MIT
# Without an agent nothing is good.
use strict;
use warnings;
use lib 't/lib';
use Test::More tests => 3;
use Installation;
use Converge qw(check);

my $here   = Installation->new;
my $result = check('site.converge.example', 443, 'ab' x 20, start_agent => 0);

is($result->code, 50, 'the code');
is($result->reason, 'no-agent', 'the reason');
is_deeply($result->votes, [], 'no votes');
