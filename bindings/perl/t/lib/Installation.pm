# SPDX-License-Identifier: MIT
# A configuration directory of a test's own. CONVERGE_TEST_AGENT names an agent that reads its answers
# from there; tests that need one are skipped without.
package Installation;

use strict;
use warnings;

use File::Temp ();
use Test::More;

sub new {
    my ($class) = @_;
    my $self = bless { dir => File::Temp->newdir, owner => $$ }, $class;
    $ENV{CONVERGE_CONFIG_DIR} = $self->{dir}->dirname;
    $ENV{CONVERGE_AGENT}      = $ENV{CONVERGE_TEST_AGENT} // '/nonexistent/converge-agent';
    return $self;
}

sub with_agent {
    my ($class) = @_;
    plan skip_all => 'CONVERGE_TEST_AGENT names no agent' if !$ENV{CONVERGE_TEST_AGENT};
    return $class->new;
}

sub write_file {
    my ($self, $name, $text) = @_;
    open my $file, '>', "$self->{dir}/$name" or die "$name: $!";
    print {$file} $text;
    close $file or die "$name: $!";
    return;
}

sub read_file {
    my ($self, $name) = @_;
    open my $file, '<', "$self->{dir}/$name" or return '';
    local $/ = undef;
    return scalar <$file>;
}

# Verdict, action and reason as octets, then NOTARY=ANSWER.
sub answer {
    my ($self, @words) = @_;
    return $self->write_file('answer', "@words\n");
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;    # a child of fork
    kill 'TERM', $1 if $self->read_file('run/agent.pid') =~ /(\d+)/;
    return;
}

# A thread's clone owns nothing.
sub CLONE_SKIP { return 1 }

1;
