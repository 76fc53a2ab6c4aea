#!/usr/bin/perl
# Net::SMPP at either end of a link, driven from outside (tests/peers/perl_peer.py): a JSON object a line, on standard
# input and output, as node/peer.js has them. What is different here:
#
#   - one peer a process; it ends when its standard input does
#   - short_message and optional parameters are octets, {"hex": "2a31303023"}, both ways
#   - no "octets" of a PDU: Net::SMPP keeps those of the body only ("data")
#
# It does nothing by itself, not even answer enquire_link: what happens is for the test to say.
use strict;
use warnings;
use IO::Select;
use JSON::PP;
use Net::SMPP;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

my $json = JSON::PP->new->canonical->utf8;
my %own = map { $_ => 1 } qw(cmd status seq data reserved known_pdu);
my $select = IO::Select->new(\*STDIN);
my ($listener, @links, $lines);
$| = 1;

sub report { print $json->encode({@_}), "\n" }

sub to_line {
    my ($pdu) = @_;
    my %seen = (data => { hex => unpack 'H*', $pdu->{data} });
    for my $name (grep { !$own{$_} && !/^\d+$/ } keys %$pdu) {
        my $tag = $Net::SMPP::param_by_name{$name};    # query_sm_resp has a message_state that is no TLV
        my $octets = $name eq 'short_message' || $tag && exists $pdu->{$tag};
        $seen{$name} = $octets ? { hex => unpack 'H*', $pdu->{$name} } : $pdu->{$name};
    }
    return %seen;
}

# Net::SMPP takes its optional parameters in the order in which they are given.
sub from_line {
    my ($fields) = @_;
    return map { $_ => ref $fields->{$_} eq 'HASH' ? pack('H*', $fields->{$_}{hex}) : $fields->{$_} } sort keys %$fields;
}

sub name_of {
    my ($command_id) = @_;
    my $row = Net::SMPP::pdu_tab->{$command_id};
    return $row ? $row->{cmd} : sprintf 'command 0x%08X', $command_id;
}

sub watch {
    my ($smpp) = @_;
    setsockopt $smpp, IPPROTO_TCP, TCP_NODELAY, 1;
    push @links, { smpp => $smpp, requests => {} };
    $select->add($smpp);
    report(event => 'open', link => scalar @links);
}

sub take {
    my ($smpp) = @_;
    my ($number) = grep { $links[$_ - 1]{smpp} == $smpp } 1 .. @links;
    my $pdu = do { local $SIG{__WARN__} = sub { }; $smpp->read_pdu };    # it warns of every end of a connection
    if (!defined $pdu) {
        $select->remove($smpp);
        close $smpp;
        return report(event => 'close', link => $number);
    }
    my $command = name_of($pdu->{cmd});
    $links[$number - 1]{requests}{ $pdu->{seq} } = $command unless $command =~ /_resp$/;
    report(
        event => 'pdu', link => $number, command => $command,
        command_status => $pdu->{status}, sequence_number => $pdu->{seq}, to_line($pdu),
    );
}

sub call {
    my ($smpp, $command, @fields) = @_;
    my $method = Net::SMPP->can($command) or die "Net::SMPP has no $command\n";
    $smpp->$method(async => 1, @fields);
}

sub obey {
    my ($order) = @_;
    if ($order->{listen}) {
        $listener = Net::SMPP->new_listen('127.0.0.1', port => 0) or die "cannot listen: $!\n";
        $select->add($listener);
        return report(event => 'listening', port => $listener->sockport);
    }
    if ($order->{connect}) {
        return watch(Net::SMPP->new_connect('127.0.0.1', port => $order->{connect}) || die "cannot connect: $!\n");
    }
    my $link = $links[$order->{link} - 1];
    my %fields = from_line($order->{fields});
    return call($link->{smpp}, $order->{send}, %fields{ sort keys %fields }) if $order->{send};
    my $request = $link->{requests}{ $order->{respond} } or die "no request $order->{respond}\n";
    my $status = delete $fields{command_status};
    # It insists on a message_id, of which a deliver_sm_resp has none, and an error need not have one.
    $fields{message_id} //= '' if $request =~ /^(submit|deliver|data)_sm$/;
    call($link->{smpp}, "${request}_resp", seq => $order->{respond}, status => $status || 0, %fields);
}

sub read_orders {
    sysread(STDIN, $lines, 1 << 16, length($lines // '')) or exit 0;
    while ($lines =~ s/^(.*)\n//) {
        my $line = $1;
        eval { obey($json->decode($line)); 1 } or report(event => 'failed', message => "$@");
    }
}

$lines = '';
while (my @ready = $select->can_read) {
    for my $handle (@ready) {
        if ($handle == \*STDIN) { read_orders() }
        elsif ($listener && $handle == $listener) { watch(scalar $listener->accept) }
        else { take($handle) }
    }
}
