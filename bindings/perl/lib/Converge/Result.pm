# SPDX-License-Identifier: MIT
# What came out of a question: plain data with accessors.
package Converge::Result;

use 5.014;
use strict;
use warnings;

our $VERSION = '0.1.0';

sub new {
    my ($class, %members) = @_;
    return bless { text => '', elapsed_ms => 0, votes => [], %members }, $class;
}

sub code       { return $_[0]{code} }
sub verdict    { return $_[0]{verdict} }
sub action     { return $_[0]{action} }
sub reason     { return $_[0]{reason} }
sub text       { return $_[0]{text} }
sub elapsed_ms { return $_[0]{elapsed_ms} }
sub votes      { return $_[0]{votes} }
sub is_good    { return $_[0]{code} == 0 }

1;

__END__

=encoding utf8

=head1 NAME

Converge::Result - what the notaries said

=head1 SYNOPSIS

    my $result = Converge::check($host, $port, $fingerprint);
    print $result->text, "\n" if !$result->is_good;

=head1 DESCRIPTION

What L<Converge/check> and L<Converge/verify> return. An object is always true: ask for its C<code>, or
C<is_good>.

=head1 METHODS

=over

=item new

    Converge::Result->new(code => 28, verdict => 'disagree', action => 'refuse', reason => 'vote');

One of your own, for the tests of a program. C<text>, C<elapsed_ms> and C<votes> may be left out.

=item code

0, or an C<X509_V_ERR_*> value as described at L<Converge/converge>.

=item is_good

Whether the code is 0.

=item verdict

What the vote came to: C<agree>, C<disagree>, C<undecided>, C<exempt> or C<none>.

=item action

What follows from it: C<accept>, C<refuse> or C<unchanged>.

=item reason

C<vote>, C<cache>, C<unreachable>, C<bad-question>, C<no-agent> and others.

=item text

One sentence for people.

=item elapsed_ms

Milliseconds from question to answer.

=item votes

A reference to an array with a hash for each notary: C<notary> (its name), C<answer> (C<yes>, C<no>,
C<aside>, C<silent>), C<elapsed_ms>, C<error> (why it was silent, else empty) and C<bounced> (1 if it was
asked through another notary, else 0).

=back

=head1 SEE ALSO

L<Converge>

=cut
