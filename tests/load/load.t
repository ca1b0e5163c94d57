#!/usr/bin/perl
# A million pictures take the memory of a million pictures, and ten times as
# long as a hundred thousand.  For `make check-load`: it writes 784 MB.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Path qw(make_path remove_tree);
use MLP;
use Test::More;

my $D = 28 * 28;
my @N = (100_000, 1_000_000);
my $TRIALS = $ENV{TRIALS} // 3;
my $dir = "$TOP/generated/load";
make_path($dir);
# On a signal, too, nothing of this size is to be left behind.
$SIG{$_} = sub { exit 1 } for qw(INT TERM);
END { remove_tree($dir) if defined $dir }

# n pictures with a tenth of their bytes set, the same thousand in turn; the
# class is the place of a bright row.
sub write_pictures {
    my ($n) = @_;
    srand 1;
    my ($pictures, $labels) = ('', '');
    for (1 .. 1000) {
        my $class = int rand 10;
        my $picture = "\0" x $D;
        substr $picture, int rand $D, 1, chr int rand 256 for 1 .. $D / 10;
        substr $picture, 28 * (2 * $class + 3), 28, "\xc0" x 28;
        $pictures .= $picture;
        $labels .= chr $class;
    }
    for (['images', pack('N4', 0x803, $n, 28, 28), $pictures],
         ['labels', pack('N2', 0x801, $n), $labels]) {
        my ($kind, $header, $block) = @$_;
        open my $out, '>:raw', "$dir/$kind-$n" or die "$dir/$kind-$n: $!";
        print $out $header;
        print $out $block for 1 .. $n / 1000;
        close $out or die "$dir/$kind-$n: $!";
    }
}

sub time_epochs {
    my ($n) = @_;
    my $before = (times)[2] + (times)[3];
    my ($status, $out, $err) = mlp('time', '--train', "$dir/images-$n",
        '--train-labels', "$dir/labels-$n", qw(--gradient matrix --hidden 64
        --epochs 2 --threads 1));
    my $seconds = (times)[2] + (times)[3] - $before;
    is $status, 0, "an epoch of $n pictures" or diag $err;
    my ($times) = table($out);
    $times->{processor} = $seconds / $n;
    return $times;
}

write_pictures($_) for @N;

# The machine may be busy: processor time is counted, not what the clock says,
# and of several trials, in turns, the best.
my (%memory, %speed);
for (1 .. $TRIALS) {
    for my $n (@N) {
        my $t = time_epochs($n);
        my $speed = 1 / $t->{processor};
        $speed{$n} = $speed if $speed > ($speed{$n} // 0);
        $memory{$n} = $t->{peak_mib};
    }
}
for my $n (@N) {
    note sprintf '%7d pictures: %.0f examples/s of the processor, peak %.1f MiB, beyond the '
        . 'file %.1f MiB', $n, $speed{$n}, $memory{$n},
        $memory{$n} - $n * $D / 2**20;
}
# A class of 4 bytes and a place in the order of 8.
my $each = ($memory{$N[1]} - $memory{$N[0]}) * 2**20 / ($N[1] - $N[0]);
figure("memory for each further picture of $D bytes, in bytes",
    sprintf '%.1f', $each);
figure('time per picture, 1000000 against 100000',
    sprintf '%.3f', $speed{$N[0]} / $speed{$N[1]});
cmp_ok abs($each - $D - 12), '<', 1, 'each further picture takes its bytes, '
    . 'and 12 for its class and its place in the order';
cmp_ok abs($speed{$N[1]} / $speed{$N[0]} - 1), '<=', 0.1,
    sprintf 'the time is linear within 10 %% (rates differ by %.1f %%)',
    100 * ($speed{$N[1]} / $speed{$N[0]} - 1);

for my $precision (qw(single double)) {
    my ($status, $out, $err) = run(
        "$TOP/generated/tests/peers/bench_subnormal-$precision");
    my ($worst) = sort { $b <=> $a } column('ratio', table($out));
    cmp_ok $worst // 'inf', '<=', 1.1, "$precision: subnormal numbers slow "
        . 'descent by 10 % at most' or diag $out . $err;
    figure("$precision: time with subnormal numbers, of that without",
        $worst);
}

my ($status, $out, $err) = mlp('train', '--train', "$dir/images-$N[1]",
    '--train-labels', "$dir/labels-$N[1]", qw(--hidden 16 --epochs 1
    --validation 10000 --rate 0.1 --threads 1 --quiet --log), "$dir/log.tsv");
is $status, 0, "mlp train learns from $N[1] pictures" or diag $err;
my ($error) = column('valid_error',
    table(contents("$dir/log.tsv") // ''));
cmp_ok $error // 1, '<', 0.01, 'and tells their classes apart';

done_testing;
