#!/usr/bin/perl
# What gcov found about mlp.nw, by chapters; and what was not run, by chunks.
#   coverage.pl mlp.nw FOLDER
# (gcovr 5.2 does not allow two static functions of one name in one file, which
# to it mlp.nw is.)  A line of both precisions counts as run if either ran.
use strict;
use warnings;
use JSON::PP;

my ($nw, $folder) = @ARGV;
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

my (%count, @missed, @half);
for my $n (sort { $a <=> $b } keys %runs) {
    my @taken = values %{$branches{$n} // {}};
    for my $of ($count{$chapter[$n]} //= {}, $count{''} //= {}) {
        $of->{lines}++;
        $of->{run} += $runs{$n} > 0;
        $of->{branches} += @taken;
        $of->{taken} += grep { $_ > 0 } @taken;
    }
    push @missed, $n unless $runs{$n};
    push @half, $n if $runs{$n} && grep { !$_ } @taken;
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
for (['Lines that were not run', @missed],
     ['Lines some of whose branches were not taken', @half]) {
    my ($title, @lines) = @$_;
    print "\n$title:\n";
    my $last = '';
    for my $n (sort { $a <=> $b } @lines) {
        print "<<$chunk[$n]>>\n" if $chunk[$n] ne $last;
        $last = $chunk[$n];
        print "  mlp.nw:$n: $text[$n]\n";
    }
}
