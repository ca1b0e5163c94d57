#!/usr/bin/perl
# What gcov found about mlp.nw, by chapters; then, by chunks, what was not run,
# and why.  Fails if a line was not run, or a branch not taken, for no reason.
#   coverage.pl mlp.nw REASONS FOLDER
# (gcovr 5.2 does not allow two static functions of one name in one file, which
# to it mlp.nw is.)  A line of both precisions counts as run if either ran.
use strict;
use warnings;
use JSON::PP;

my ($nw, $reasons, $folder) = @ARGV;
open my $in, '<', $nw or die "$nw: $!\n";
my (@text, @chapter, @chunk);
my ($chapter, $chunk) = ('', '');
while (<$in>) {
    chomp;
    $chapter = $1 if /^\\chapter\{([^}]*)/;
    $chunk = $1 if /^<<(.*)>>=\s*$/;
    ($text[$.], $chapter[$.], $chunk[$.]) = ($_, $chapter, $chunk);
}

# The runs of each line, and of each of its branches.
my (%runs, %branches);
open my $gcov, '-|', "find '$folder' -name '*.gcda' -print0 | "
    . "xargs -0 gcov --json-format --stdout --branch-probabilities"
    or die "gcov: $!\n";
while (<$gcov>) {
    for my $file (grep { $_->{file} eq $nw } @{decode_json($_)->{files}}) {
        my %seen; # a line may belong to several functions
        for my $line (@{$file->{lines}}) {
            my $n = $line->{line_number};
            my $nth = $seen{$n}++;
            $runs{$n} += $line->{count};
            my $i = 0;
            $branches{$n}{$nth . '.' . $i++} += $_->{count}
                for @{$line->{branches}};
        }
    }
}
close $gcov or die "gcov failed\n";

# A paragraph of REASONS is a reason, in lines that begin with #, and the
# places for which it holds: a chunk, and below it lines of its code.
# "2: code" are two branches of the line that are not taken, "code" alone is
# a line that is not run.
my (%excused, @complaints);
close $in;
open $in, '<', $reasons or die "$reasons: $!\n";
my ($reason, $where) = ('', '');
while (<$in>) {
    chomp;
    if ($_ eq '') {
        ($reason, $where) = ('', '');
    } elsif (/^#\s*(.*)/) {
        $reason = $where eq '' ? "$reason $1" : " $1";
        $where = '';
    } elsif (/^<<(.*)>>$/) {
        $where = $1;
    } elsif (/^\s+(?:(\d+): )?(.*)/) {
        my ($n_branches, $code) = ($1, $2);
        my @lines = grep { ($chunk[$_] // '') eq $where
            && $text[$_] =~ /^\s*\Q$code\E\s*$/ } 1 .. $#text;
        push @complaints, "$reasons:$.: <<$where>> has no such line"
            unless @lines;
        my $entry = { place => "$reasons:$.", reason => $reason,
            branches => $n_branches };
        $excused{$_} = $entry for @lines;
    }
}

die "$0: gcov has not heard of $nw\n" unless %runs;
my (%count, @missed, @half);
for my $n (sort { $a <=> $b } keys %runs) {
    my @taken = values %{$branches{$n} // {}};
    my $untaken = grep { !$_ } @taken;
    for my $of ($count{$chapter[$n]} //= {}, $count{''} //= {}) {
        $of->{lines}++;
        $of->{run} += $runs{$n} > 0;
        $of->{branches} += @taken;
        $of->{taken} += @taken - $untaken;
    }
    push @missed, $n unless $runs{$n};
    push @half, [ $n, $untaken ] if $runs{$n} && $untaken;
}

sub part {
    my ($some, $all) = map { $_ // 0 } @_;
    return $all ? sprintf '%5d of %5d %5.1f %%', $some, $all,
        100 * $some / $all : ' ' x 22;
}

printf "%-55s %-22s  %s\n", '', 'lines run', 'branches taken';
for ((sort { $a cmp $b } grep { $_ ne '' } keys %count), '') {
    printf "%-55.55s %s  %s\n", $_ eq '' ? 'all' : $_,
        part(@{$count{$_}}{qw(run lines)}),
        part(@{$count{$_}}{qw(taken branches)});
}

# What was not run has a reason, or is a fault.
my (%with, @faults);
for (map({ [ $_ ] } @missed), @half) {
    my ($n, $untaken) = @$_;
    my $because = $excused{$n};
    my $fits = $because && ($untaken // 0) <= ($because->{branches} // 0)
        && defined $untaken == defined $because->{branches};
    push @{$with{$because->{reason}}}, [ $n, $untaken ] if $fits;
    push @faults, [ $n, $untaken ] unless $fits;
    $because->{needed} = 1 if $because;
}
my %idle = map { $_->{place} => 1 } grep { !$_->{needed} } values %excused;
push @complaints, map { "$_: no reason is needed any more" } keys %idle;

sub sum { my $sum = 0; $sum += $_ for @_; return $sum }
sub list {
    my $last = '';
    for (@_) {
        my ($n, $untaken) = @$_;
        print "<<$chunk[$n]>>\n" if $chunk[$n] ne $last;
        $last = $chunk[$n];
        printf "  mlp.nw:%d: %s%s\n", $n, $untaken ? "$untaken: " : '',
            $text[$n];
    }
}
sub lines_in { return scalar grep { !defined $_->[1] } @_ }
sub branches_in { return sum(map { $_->[1] // 0 } @_) }

my @excused = map { @$_ } values %with;
printf "not run for a reason that is told: %d lines, %d branches\n",
    lines_in(@excused), branches_in(@excused);
printf "not run, and no reason is told: %d lines, %d branches\n",
    lines_in(@faults), branches_in(@faults);
for (sort keys %with) {
    print "\nNot run, because$_\n";
    list(@{$with{$_}});
}
print "\nNot run:\n";
list(sort { $a->[0] <=> $b->[0] } @faults);
print "\n", map { "$_\n" } sort @complaints;

# Lines need a run or a reason, all of them; of the branches, 95 in 100 a run,
# and the others a reason.
my $all = $count{''};
exit(@faults > 0 || @complaints > 0 || $all->{taken} < 0.95 * $all->{branches});
