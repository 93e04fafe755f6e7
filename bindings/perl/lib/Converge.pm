# SPDX-License-Identifier: MIT
# The functions that programs call: they check types and ranges, so that nothing is truncated on its
# way to C, and make objects of what comes back.
package Converge;

use 5.014;
use strict;
use warnings;

use Carp ();
use Exporter qw(import);
use Scalar::Util qw(looks_like_number);
use XSLoader;

use Converge::Error;
use Converge::Result;

our $VERSION   = '0.1.0';
our @EXPORT_OK = qw(converge check verify strerror version);

our @CARP_NOT = qw(Converge::Error Converge::Result);

XSLoader::load(__PACKAGE__, $VERSION);

my $INT_MAX         = 2147483647;
my $CERTIFICATE_MAX = 65_536;
my %SETTING         = (
    timeout     => \&_timeout_ms,
    certificate => \&_certificate,
    pki_result  => \&_pki_result,
    start_agent => sub { $_[0] ? 1 : 0 },
);

sub converge {
    Carp::croak('Usage: converge(HOST, PORT, SHA1SUM)') if @_ != 3;
    return _question(@_)->{code};
}

sub check {
    Carp::croak('Usage: check(HOST, PORT, FINGERPRINT, OPTION => VALUE ...)') if @_ < 2;
    return bless _question(@_), 'Converge::Result';
}

sub verify {
    Carp::croak('Usage: verify(HOST, PORT, FINGERPRINT, OPTION => VALUE ...)') if @_ < 2;
    my $result = bless _question(@_), 'Converge::Result';
    Converge::Error->throw($result, $_[0], $_[1]) if $result->code != 0;
    return $result;
}

sub strerror {
    my ($code) = @_;
    Carp::croak('a result is an integer')
        if !_is_integer($code) || abs $code > $INT_MAX;
    return _strerror($code);
}

sub _question {
    my ($host, $port, $fingerprint, @options) = @_;

    Carp::croak('the host must be a string') if !defined $host || ref $host;
    Carp::croak('the port must be a number') if !defined $port || ref $port;
    Carp::croak('the fingerprint must be a string') if ref $fingerprint;
    my $set = _settings(@options);
    return _ask($host, _port($port), $fingerprint,
        @{$set}{qw(timeout certificate pki_result start_agent)});
}

sub _settings {
    my @options = @_;
    Carp::croak('options are pairs of name and value') if @options % 2;
    my (%given, %set);
    %given = @options;
    for my $name (sort keys %given) {
        my $setting = $SETTING{$name} or Carp::croak("unknown option '$name'");
        Carp::croak("$name must not be a reference") if ref $given{$name};
        $set{$name} = $setting->($given{$name}) if defined $given{$name};
    }
    return \%set;
}

sub _is_integer {
    my ($value) = @_;
    return
           defined $value
        && !ref $value
        && $value =~ /\A[+-]?[0-9]+\z/a
        && $value == int $value;
}

# The library says no to port 0, and so to whatever is not a port.
sub _port {
    my ($port) = @_;
    return _is_integer($port) && $port >= 1 && $port <= 65_535 ? $port : 0;
}

sub _timeout_ms {
    my ($seconds) = @_;
    Carp::croak('timeout is 0.1 to 60 seconds')
        if !looks_like_number($seconds) || !($seconds >= 0.1 && $seconds <= 60);
    return int($seconds * 1000 + 0.5);
}

sub _certificate {
    my ($der) = @_;
    Carp::croak('certificate must be the octets of a DER certificate')
        if !utf8::downgrade($der, 1);
    Carp::croak("certificate is 1 to $CERTIFICATE_MAX octets of DER")
        if $der eq '' || length $der > $CERTIFICATE_MAX;
    return $der;
}

sub _pki_result {
    my ($value) = @_;
    Carp::croak('pki_result is an X509_V_* value')
        if !_is_integer($value) || $value < 0 || $value > $INT_MAX;
    return $value;
}

1;

__END__

=encoding utf8

=head1 NAME

Converge - ask notaries whether they see the same TLS certificate

=head1 SYNOPSIS

    use Converge qw(converge check verify);

    # Where a program would call SSL_get_verify_result(): 0 is good.
    die Converge::strerror($code)
        if my $code = converge('www.example.org', 443, $fingerprint);

    # Who said what.
    my $result = check('www.example.org', 443, $fingerprint, timeout => 5);
    print $result->verdict, ': ', $result->text, "\n";
    print $_->{notary}, ' ', $_->{answer}, "\n" for @{ $result->votes };

    # Or die of anything but 0.
    verify('www.example.org', 443, undef, certificate => $der);

=head1 DESCRIPTION

Converge asks several notaries, which the user has chosen, whether they see the same certificate
for a site. This module is a thin layer over libconverge: the notaries, their number and what
happens when they cannot be reached are the user's configuration (C<converge.conf>); the cache and
the network are the agent's, which is started if none is running.

Nothing is exported unless asked for.

=head1 FUNCTIONS

=head2 converge

    my $code = converge($host, $port, $sha1sum);

Returns 0 (C<X509_V_OK>) if the notaries agree that the server shows the certificate with this
fingerprint, or the configuration accepts without; else an C<X509_V_ERR_*> value:

=over

=item C<28>

The notaries see another certificate there.

=item C<50>

Undecided and C<on_unreachable> denies; no agent; or the endpoint is exempt, so that nobody vouches
for it.

=item C<1>

Host, port or fingerprint is malformed: also a port out of range or with a fraction, no fingerprint
(C<undef>), and a string with a NUL character in it.

=back

C<$host> is a name or an IP address, also an international name as a string of characters (decode
what you read: C<use utf8>, or L<Encode>). C<$sha1sum> is the SHA-1 or SHA-256 of the DER
certificate in hexadecimal, with or without colons.

It never dies for what a server or a notary did.

=head2 check

    my $result = check($host, $port, $fingerprint, %options);

Returns a L<Converge::Result>. The fingerprint may be C<undef> if there is a certificate. Options,
of which C<undef> means "not given":

=over

=item timeout

Seconds to wait at most, 0.1 to 60, also with a fraction. The configuration's deadline is the default.

=item certificate

A whole certificate, as a string of DER octets (at most 65,536).

=item pki_result

What PKI said: 0 or an C<X509_V_ERR_*> value, as C<Net::SSLeay::get_verify_result()> returns it. Unless
given, the notaries alone decide. Once given, it is also the code of an endpoint about which no notary
is asked, and where PKI keeps its say (a wrong name; any failure outside C<mode = replace>).

=item start_agent

Whether to start an agent if there is none (true).

=back

=head2 verify

    my $result = verify($host, $port, $fingerprint, %options);

Like C<check>, but for any code other than 0 it dies with a L<Converge::Error>, which has the result.

=head2 strerror

    my $phrase = strerror($code);

A phrase for a code.

=head2 version

    my $version = Converge::version();

The version of libconverge.

=head1 ERRORS

Arguments of the wrong type (references, an undefined host or port), unknown options, and option values
out of range C<croak>. Numbers may be strings, as everywhere in Perl.

=head1 FORK AND THREADS

No object of this module holds a descriptor, a lock or a pointer into C. Children of C<fork> and
threads (L<threads>) may go on with all of them, and ask at the same time.

=head1 ENVIRONMENT

C<CONVERGE_CONFIG_DIR> names another configuration, C<CONVERGE_AGENT> another agent.

=head1 SEE ALSO

L<Converge::Result>, L<Converge::Error>, L<IO::Socket::SSL>

=head1 LICENSE

MIT.

=cut
