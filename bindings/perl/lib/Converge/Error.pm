# SPDX-License-Identifier: MIT
# What verify() dies with.
package Converge::Error;

use 5.014;
use strict;
use warnings;

use Carp ();
use overload
    '""'     => sub { $_[0]{message} },
    'bool'   => sub { 1 },
    fallback => 1;

our $VERSION  = '0.1.0';
our @CARP_NOT = qw(Converge);

sub throw {
    my ($class, $result, $host, $port) = @_;
    my $message = Carp::shortmess(sprintf '%s:%s: %s', $host, $port, $result->text);
    die bless { message => $message, result => $result }, $class;
}

sub message { return $_[0]{message} }
sub result  { return $_[0]{result} }
sub code    { return $_[0]{result}->code }

1;

__END__

=encoding utf8

=head1 NAME

Converge::Error - a certificate was not confirmed

=head1 SYNOPSIS

    if (!eval { Converge::verify($host, $port, $fingerprint); 1 }) {
        my $error = $@;
        die $error if !ref $error || !$error->isa('Converge::Error');
        warn $error;                     # host, port, reason, file and line
        print $error->result->verdict, "\n";
    }

=head1 DESCRIPTION

What L<Converge/verify> dies with for any code other than 0. As a string it is its message.

=head1 METHODS

=over

=item message

What happened and where, as C<croak> would say it.

=item code

The code, never 0.

=item result

The L<Converge::Result>.

=item throw

    Converge::Error->throw($result, $host, $port);

Dies with one.

=back

=head1 SEE ALSO

L<Converge>

=cut
