# Sizes at the edges of what is allowed: one feature, two classes or ten
# thousand, many hidden units, minibatches of one example and of all.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MLP;
use Test::More;

my $dir = folder();
my $trained = 0;

# Trains for an epoch; the loss is a number, and the model can be read back.
sub learns {
    my ($name, $file, @options) = @_;
    for my $program ($MLP, $DOUBLE) {
        my ($status, $out, $err) = run($program, 'train', '--train', $file,
            qw(--epochs 1 --quiet --save), "$dir/model.onnx",
            '--log', "$dir/log.tsv", @options);
        is $status, 0, "$name: trains" or diag $err;
        my ($loss) = column('train_loss', table(contents("$dir/log.tsv")));
        like $loss, qr/^[0-9.]+(e[-+]\d+)?$/, 'with a finite loss';
        ($status, $out, $err) = run($program, 'info', "$dir/model.onnx");
        is $status, 0, 'and what it saves can be read' or diag $err;
        $trained++;
    }
}

my $line = write_file("$dir/line.csv", join '', "x,class\n",
    map { sprintf "%g,%s\n", $_ / 10, $_ < 20 ? 'low' : 'high' } 1 .. 40);
subtest 'one feature and two classes' => sub {
    learns("K = $_", $line, '--hidden', 3, '--batch', $_) for 1, 7, 40;
    learns('one hidden unit', $line, qw(--hidden 1 --batch 10));
};

subtest '4096 hidden units' => sub {
    learns('4096', $line, qw(--hidden 4096 --batch 10 --rate 0.001));
};

my $wide = write_file("$dir/wide.csv", join '', map { my $j = $_;
    join(',', (map { ($_ * 7 + $j * $_ % 5) % 10 } 1 .. 10000), $j % 2) . "\n" }
    1 .. 12);
subtest '10000 features' => sub {
    learns('d = 10000', $wide, qw(--hidden 3 --batch 4));
};

# As many rows: what 60000 pictures would take, but for the pixels.
my $many = write_file("$dir/many.csv", join '', "x,y,class\n",
    map { sprintf "%d,%d,%d\n", $_ % 7, $_ % 11, $_ % 3 } 1 .. 60000);
subtest 'minibatches of 60000 examples' => sub {
    learns('K = 60000', $many, qw(--hidden 8 --batch 60000));
};

my $classes = write_file("$dir/classes.csv", join '', "x,class\n",
    map { "$_,c" . $_ % 10000 . "\n" }
    1 .. 20000);
subtest '10000 classes' => sub {
    learns('m = 10000', $classes, qw(--hidden 2 --batch 100 --rate 0.1));
};

subtest 'a model that no ONNX file can hold is not trained' => sub {
    for ([ $MLP, 60000 ], [ $DOUBLE, 30000 ]) {
        my ($program, $hidden) = @$_;
        refused("--hidden $hidden", 2, qr/--hidden is $hidden, with 10000 inputs /
            . qr/and 2 classes a model of 2\.24 GiB, expected less than the 2 GiB/,
            $program, qw(train --batch 4 --train), $wide, '--hidden',
            $hidden);
    }
};

figure('trainings at the edges of sizes', $trained);
done_testing;
