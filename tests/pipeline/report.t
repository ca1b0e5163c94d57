#!/usr/bin/perl
# The whole report, made twice, for `make check-pipeline` (half an hour): once
# at a stretch, and once interrupted at random moments, without a network, in a
# folder with a blank in its name.  Both are the same, byte for byte, but for
# what was measured by a clock.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd qw(abs_path);
use MLP;
use POSIX qw(setpgid WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

my $INTERRUPTIONS = $ENV{INTERRUPTIONS} // 20;
my $work = folder();
# The commands here know nothing of what make was told outside.
delete @ENV{qw(OMP_NUM_THREADS MLP MLP_DOUBLE)};

sub copy {
    my ($name) = @_;
    my $tree = "$work/$name";
    mkdir $tree or die "$tree: $!";
    for (grep { !/^(\.git|generated)$/ } split ' ', listing($TOP)) {
        system('cp', '-a', "$TOP/$_", $tree) == 0 or die "$TOP/$_";
    }
    return $tree;
}

# Without a network, if that can be had: then only a loopback that is down.
my @apart = ('unshare', $> ? '-rn' : '-n');
my $cut_off = system("@apart true 2> /dev/null") == 0;
note($cut_off ? 'there is no network' : 'the network cannot be taken away');

# Makes the report in a process group of its own; with a signal, that is sent
# to all of the group after so many seconds.  The status; undef: interrupted.
sub make_report {
    my ($tree, $signal, $seconds) = @_;
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        setpgid(0, 0);
        local @SIG{qw(INT TERM)} = ('DEFAULT') x 2; # not ignored, as by nohup
        chdir $tree or die "$tree: $!";
        open STDOUT, '>', "$tree.out" or die;
        open STDERR, '>&', \*STDOUT or die;
        exec $cut_off ? @apart : (), qw(make -j8 report);
    }
    setpgid($pid, $pid); # whoever of the two comes first
    my $until = time + ($seconds // 1e9);
    while (time < $until) {
        return $? if waitpid($pid, WNOHANG) == $pid;
        sleep 0.1;
    }
    kill $signal, -$pid;
    waitpid $pid, 0;
    kill 'KILL', -$pid; # what has not heard of it
    return undef;
}

# All files that were made, by name.
sub made {
    my ($tree) = @_;
    my %text;
    for my $file (glob "'$tree/generated/'{mlp.pdf,results.tex,figures/*,"
        . 'results/*/*}') {
        $text{ substr $file, length "$tree/generated/" } = contents($file);
    }
    return \%text;
}

my $plain = copy('plain');
my $whole = -time;
sub give_up {
    my ($tree) = @_;
    my @lines = split /\n/, contents("$tree.out");
    diag join "\n", @lines[(@lines > 40 ? @lines - 40 : 0) .. $#lines];
    BAIL_OUT('without a report there is nothing to compare');
}
is make_report($plain), 0, 'make -j8 report, at a stretch'
    or give_up($plain);
$whole += time;

my $torn = copy('a folder');
srand 20;
my @signals = qw(INT TERM KILL);
my $interrupted = 0;
for (1 .. 10 * $INTERRUPTIONS) {
    last if $interrupted == $INTERRUPTIONS;
    # Most of them soon, to be many; some late, to hit figures and TeX too.
    my $signal = $signals[$interrupted % 3];
    my $status = make_report($torn, $signal, rand($_ % 4 ? 30 : $whole / 2));
    my ($last) = reverse split /\n/, contents("$torn.out");
    note(defined $status ? "status $status" : $signal, " at: $last");
    last if defined $status && $status != 0;
    if (!defined $status) {
        $interrupted++;
    } else { # it was finished: let there be something to do again
        unlink glob "'$torn/generated/'{mlp.pdf,woven.*,figures/*}";
        system('rm', '-rf', map { "$torn/generated/results/$_" }
            qw(circles-units circles-decay compare-10 resume));
    }
}
is $interrupted, $INTERRUPTIONS, "interrupted $INTERRUPTIONS times"
    or diag contents("$torn.out");
is make_report($torn), 0, 'and then left alone, it ends'
    or give_up($torn);

# The clock is not the same twice; so the second report is made once more, with
# the times of the first.
my @clock = qw(time products speed);
system('rm', '-r', map { "$torn/generated/results/$_" } @clock);
system('cp', '-a', (map { "$plain/generated/results/$_" } @clock),
    "$torn/generated/results") == 0 or die;
my $now = time; # the same for all: none is out of date
utime $now, $now, glob "'$torn/generated/results/'*/command";
is make_report($torn), 0, 'made again with the times of the first';
unlike contents("$torn.out"), qr/^experiment/m, 'without any experiment';

my ($one, $two) = map { made($_) } $plain, $torn;
cmp_ok scalar(keys %$one), '>', 100, 'there is something to compare: '
    . keys(%$one) . ' files';
is join(' ', grep { ($two->{$_} // '') ne ($one->{$_} // '') }
    sort keys %{{ %$one, %$two }}), '', 'and they are the same';
ok defined $one->{'mlp.pdf'} && $one->{'mlp.pdf'} =~ /\A%PDF/,
    'with the report among them';
ok !glob("'$torn/generated/results/'*.part*"), 'nothing unfinished is left';
figure('files of a report that are the same when made twice',
    scalar keys %$one);
figure('interruptions of the second', $interrupted);
figure('network while they were made', $cut_off ? 'none' : 'there');
done_testing;
