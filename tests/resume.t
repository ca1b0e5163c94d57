# A run that is interrupted and resumed ends as the run that was left alone.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MLP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $circles = "$TOP/data/circles.csv";
my $dir = folder();
my @lines = split /^/, contents($circles);
write_file("$dir/train.csv", join '', @lines[0 .. 760]);
write_file("$dir/test.csv", join '', @lines[0, 761 .. 1060]);

# Everything that has a memory, and minibatches enough to stop between.
my @run = ('--train', "$dir/train.csv", '--test', "$dir/test.csv",
    qw(--validation 200 --hidden 60 --batch 5 --momentum 0.9 --rate 0.02
    --schedule cosine --patience 400 --epochs 400 --l1-hidden 1e-5));

# Starts a command with its streams in $dir/$name.out and .err.
sub start {
    my ($name, @command) = @_;
    unlink "$dir/$name.out";
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    local @SIG{qw(INT TERM HUP)} = $name eq 'nohup' ? ('IGNORE') x 3
        : ('DEFAULT') x 3; # whatever the caller of this test ignores
    open STDIN, '<', '/dev/null' or die;
    open STDOUT, '>', "$dir/$name.out" or die;
    open STDERR, '>', "$dir/$name.err" or die;
    chdir $dir or die;
    exec {$command[0]} @command or POSIX::_exit(127);
}

# Waits until that many epochs are in the table, or the command is over.
sub wait_for {
    my ($name, $epochs) = @_;
    my $end = time + 20;
    sleep 0.002 until time > $end || -e "$dir/$name.out"
        && (() = contents("$dir/$name.out") =~ /\n/g) > $epochs;
}

sub ended {
    my ($pid) = @_;
    waitpid $pid, 0;
    return $? & 127 ? 'signal ' . ($? & 127) : 'status ' . ($? >> 8);
}

sub same_files {
    my ($a, $b, $name) = @_;
    same(contents("$dir/$a"), contents("$dir/$b"), $name);
}

# Seconds for one epoch: a sanitizer or valgrind takes its time.
my $one = -time;
my ($status) = mlp('train', @run, qw(--epochs 1));
$one += time;
is $status, 0, 'a run of one epoch';

($status, my $table) = mlp('train', @run, '--save', "$dir/whole.onnx", '--log',
    "$dir/whole.tsv");
is $status, 0, 'a run that is left alone';

subtest 'a signal stops the run, and the sentence says how to go on' => sub {
    my @signals = ([ INT => 2, '--threads', 1 ], [ TERM => 15, '--threads', 2 ],
        [ HUP => 1 ]);
    my $inside = 0;
    for (@signals) {
        my ($signal, $number, @threads) = @$_;
        my $end;
        for (1 .. 5) { # a busy machine may bring the signal too late
            unlink "$dir/run.ckpt";
            write_file("$dir/$_", "earlier $_") for qw(parts.onnx parts.tsv);
            my $pid = start('stop', $MLP, 'train', @run, qw(--every 1000
                --checkpoint run.ckpt --save parts.onnx --log parts.tsv));
            wait_for('stop', 5);
            kill $signal, $pid;
            $end = ended($pid);
            last if $end ne 'status 0';
        }
        is $end, "signal $number", "SIG$signal ends it by that signal";
        is contents("$dir/$_"), "earlier $_", "and leaves an earlier $_ alone"
            for qw(parts.onnx parts.tsv);
        my $said = contents("$dir/stop.err");
        ok one_sentence($said), 'it says one sentence';
        my ($epoch, $more) = $said
            =~ /^mlp train: stopped in epoch (\d+) of 400; to go on: (.*)$/m;
        $inside++
            if contents("$dir/run.ckpt") !~ /^minibatch=(?:0|112)$/m;
        like contents("$dir/run.ckpt"), qr/^epoch=$epoch$/m,
            'the checkpoint is in that epoch';
        my ($status, $out, $err) = run_in($dir, 'bash', '-c',
            join ' ', $more, @threads);
        is "$status$err", '0', 'what it says to type goes on';
        like $out, qr/^ +$epoch .*\n(?:.*\n)* +400 /m, 'from there to the end';
        unlike $out, qr/^ +1 /m, 'and not from the beginning';
        same_files('whole.onnx', 'parts.onnx',
            'the model is that of the whole run');
        same_files('whole.tsv', 'parts.tsv', 'and so is the log');
    }
    cmp_ok $inside, '>', 0, 'at least one stopped inside an epoch';
};

subtest 'stopped again and again' => sub {
    my @resume = ($MLP, 'train', @run, qw(--checkpoint again.ckpt --every 1000
        --save parts.onnx --log parts.tsv));
    my $times = 0;
    unlink "$dir/parts.onnx";
    while ($times < 20) {
        my $pid = start('again', @resume);
        wait_for('again', 10);
        kill 'INT', $pid;
        last if ended($pid) eq 'status 0';
        $times++;
        @resume = ($MLP, 'train', '--resume', 'again.ckpt', '--threads',
            1 + $times % 2);
    }
    cmp_ok $times, '>', 4, "$times times";
    run_in($dir, @resume);
    same_files('whole.onnx', 'parts.onnx', 'the same model');
    same_files('whole.tsv', 'parts.tsv', 'the same log');
};

subtest 'a dozen times or more kill -9, at random moments' => sub {
    my @fresh = ($MLP, 'train', @run, qw(--checkpoint killed.ckpt --every 1
        --save parts.onnx --log parts.tsv));
    my ($kills, $over, $failed) = (0, 0, 0);
    srand 20;
    my $beyond = sub { (contents("$dir/killed.ckpt") // '') =~ /^epoch=\d\d/m };
    while (($kills < 12 || !$beyond->()) && $kills + $over < 200
        && !$failed) {
        my @command = -e "$dir/killed.ckpt"
            ? ($MLP, qw(train --resume killed.ckpt)) : @fresh;
        my $pid = start('killed', @command);
        sleep $one + rand(0.12 + 2 * $one);
        kill 'KILL', $pid;
        my $end = ended($pid);
        if ($end eq 'signal 9') {
            $kills++;
        } elsif ($end eq 'status 0') { # too late: begin again
            $over++;
            unlink "$dir/killed.ckpt";
        } else {
            $failed++;
        }
    }
    is $failed, 0, 'none found a checkpoint that it could not go on from';
    cmp_ok $kills, '>=', 12, 'and a dozen were killed';
    unlink "$dir/parts.onnx", "$dir/parts.tsv";
    ok $beyond->(), 'they came beyond the ninth epoch';
    my ($status, undef, $err) = run_in($dir, $MLP,
        qw(train --resume killed.ckpt));
    is "$status$err", '0', 'the last one is left alone';
    same_files('whole.onnx', 'parts.onnx', 'the same model');
    same_files('whole.tsv', 'parts.tsv', 'the same log');
    unlink glob "$dir/killed.ckpt.*"; # what a kill may leave
};

subtest 'without --checkpoint a signal says what is lost' => sub {
    write_file("$dir/$_", "earlier $_") for qw(lost.onnx lost.tsv);
    my $pid = start('lost', $MLP, 'train', @run, qw(--epochs 100000
        --patience 0 --save lost.onnx --log lost.tsv));
    wait_for('lost', 3);
    my $before = listing($dir);
    kill 'INT', $pid;
    is ended($pid), 'signal 2', 'it ends by the signal';
    ok one_sentence(contents("$dir/lost.err")), 'with one sentence';
    like contents("$dir/lost.err"),
        qr/stopped in epoch \d+ of 100000; nothing is saved.*--checkpoint/,
        'that names the option';
    is contents("$dir/$_"), "earlier $_", "an earlier $_ is as it was"
        for qw(lost.onnx lost.tsv);
    is listing($dir), $before, 'and no file is new';
};

subtest 'a second Ctrl-C ends at once, an ignored signal never' => sub {
    # A minibatch of about a second: two thousand inputs, by the loop.
    write_file("$dir/wide.csv", join '', map { join(',', (0, 1, $_, 2) x 500,
        $_ % 2) . "\n" } 1 .. 400);
    my @slow = ('train', '--train', "$dir/wide.csv", qw(--gradient loop
        --hidden 4000 --batch 400 --epochs 20 --checkpoint slow.ckpt));
    my $pid = start('slow', $MLP, @slow);
    wait_for('slow', 0);
    kill 'INT', $pid;
    sleep 0.05;
    is waitpid($pid, POSIX::WNOHANG()), 0, 'the first waits for the minibatch';
    kill 'INT', $pid;
    is ended($pid), 'signal 2', 'the second does not';
    ok !-e "$dir/slow.ckpt", 'nor does it write a checkpoint';
    my ($running, $end);
    for (1 .. 5) { # the signals may come when it is over
        $pid = start('nohup', $MLP, 'train', @run);
        wait_for('nohup', 3);
        kill $_, $pid for qw(HUP INT);
        $running = waitpid($pid, POSIX::WNOHANG()) == 0;
        next unless $running;
        $end = ended($pid);
        last;
    }
    ok $running, 'another was running when signals came';
    is $end, 'status 0', 'what nohup ignores stays ignored';
};

subtest 'a bar on the terminal is wiped before the sentence' => sub {
    local @ENV{qw(TERM SHELL)} = qw(xterm /bin/sh);
    plan skip_all => 'script(1) cannot make a terminal here'
        unless system('script -qec true /dev/null > /dev/null 2>&1') == 0;
    my $command = join ' ', map { "'$_'" } $MLP, 'train', @run,
        qw(--epochs 100000 --patience 0);
    my $seconds = 2 * $one + 0.5;
    my (undef, $screen) = run('script', '-qec', 'timeout --foreground -s INT '
        . "$seconds $command > /dev/null", '/dev/null');
    like $screen, qr/left *\r {79}\rmlp train: stopped in epoch \d+/,
        'by blanks';
};

my @short = ('--train', "$dir/train.csv", qw(--validation 200 --hidden 5
    --batch 20 --momentum 0.5 --quiet));

subtest 'a checkpoint after every N epochs and at the end' => sub {
    for ([ 1, 1 ], [ 2, 2 ], [ 3, 2 ], [ 7, 1 ]) {
        my ($every) = @$_;
        my $pid = start('every', $MLP, 'train', @run, qw(--epochs 7
            --checkpoint every.ckpt --every), $every);
        is ended($pid), 'status 0', "--every $every";
        like contents("$dir/every.ckpt"), qr/^epoch=8$/m, 'ends at the end';
        unlink "$dir/every.ckpt";
    }
    SKIP: {
        skip 'there is no strace', 1
            if system('strace true > /dev/null 2>&1') != 0;
        # (The leak checker of a sanitizer cannot work under strace.)
        local $ENV{ASAN_OPTIONS} = "$ENV{ASAN_OPTIONS}:detect_leaks=0"
            if $ENV{ASAN_OPTIONS};
        for ([ 1, 7 ], [ 2, 4 ], [ 3, 3 ], [ 7, 1 ], [ 9, 1 ]) {
            my ($every, $times) = @$_;
            my (undef, undef, $calls) = run_in($dir, 'strace', '-f', '-e',
                'trace=rename,fsync', $MLP, 'train', @short, qw(--epochs 7
                --checkpoint every.ckpt --every), $every);
            is scalar(() = $calls =~ /fsync\(\d+\)\s+= 0\n.*rename\("every.ckpt\.\w+", "every.ckpt"\)\s+= 0\n.*fsync\(\d+\)\s+= 0\n/g),
                $times, "--every $every: $times times written, pushed to "
                . 'the disk, renamed, and the folder pushed';
        }
    }
};

subtest 'options: recalled, compared, or free' => sub {
    my $odd = "$dir/it's \"odd\" \$HOME\n\xe9\xff.csv";
    write_file($odd, contents("$dir/train.csv"));
    mlp('train', @short, qw(--epochs 6 --save), "$dir/six.onnx", '--log',
        "$dir/six.tsv");
    run_in($dir, $MLP, 'train', @short, '--train', $odd, qw(--epochs 4
        --checkpoint o.ckpt --save), "$dir/o.onnx", '--log', "$dir/o.tsv");
    my $kept = contents("$dir/o.ckpt");
    my @free = ([ 'nothing else' ], [ 'the same' => @short ],
        [ 'another name of the data' => '--train', "$dir/train.csv" ],
        [ 'threads' => qw(--threads 2) ], [ '0.5 as .50' => qw(--momentum .50) ],
        [ 'the interval' => qw(--every 2) ],
        [ 'a default value' => qw(--seed 1 --schedule constant) ],
        [ 'the checkpoint' => qw(--checkpoint o.ckpt) ]);
    for (@free) {
        my ($name, @options) = @$_;
        write_file("$dir/o.ckpt", $kept);
        unlink "$dir/o.onnx", "$dir/o.tsv";
        my ($status, $out, $err) = run_in($dir, $MLP,
            qw(train --resume o.ckpt --epochs 6), @options);
        is "$status$err", '0', "prolonged with $name";
        same_files('six.onnx', 'o.onnx', 'the same model');
        same_files('six.tsv', 'o.tsv', 'the same log');
        like contents("$dir/o.ckpt"), qr/^epoch=7$/m,
            'the checkpoint goes along';
    }
    unlink "$dir/o.onnx", "$dir/o.tsv";
    my ($status) = run_in($dir, $MLP, qw(train --resume o.ckpt));
    is $status, 0, 'resumed where it ended';
    same_files('six.onnx', 'o.onnx', 'it writes the same model once more');
    same_files('six.tsv', 'o.tsv', 'and the same log');
    write_file("$dir/o.ckpt", $kept);
    run_in($dir, $MLP, qw(train --resume o.ckpt --epochs 5 --checkpoint
        other.ckpt));
    is contents("$dir/o.ckpt"), $kept,
        'with another --checkpoint the old one is left';
    like contents("$dir/other.ckpt"), qr/^epoch=6$/m, 'and the other written';

    is +(run_in($dir, $MLP, qw(train --resume o.ckpt --epochs 5 --checkpoint
        other.ckpt --l2-output -0)))[0], 0, '-0 is the same number as 0';

    my $resume = sub { ($MLP, 'train', '--resume', "$dir/o.ckpt", @_) };
    my %bound = (hidden => [ 6, 5 ], validation => [ 100, 200 ],
        momentum => [ 0.4, 0.5 ], batch => [ 10, 20 ], rate => [ 0.2, 0.1 ],
        seed => [ 2, 1 ], schedule => [ 'linear', 'constant' ],
        gradient => [ 'loop', 'matrix' ], patience => [ 3, 0 ],
        standardize => [ 'unit', 'feature' ], 'l2-output' => [ 1, 0 ],
        label => [ 'x', 'absent' ]);
    for (sort keys %bound) {
        my ($here, $there) = @{$bound{$_}};
        refused("another --$_ is refused", 2,
            qr/--$_ is $here, but it is $there in the run that .*o\.ckpt/,
            $resume->("--$_", $here));
    }
    refused('a flag that was not given is refused', 2,
        qr/--nesterov is on, but it is off in the run/,
        $resume->('--nesterov'));
    refused('fewer epochs than are done', 2,
        qr/--epochs is 3, but the run has come to epoch 4/,
        $resume->(qw(--epochs 3)));
    refused('a value that is none', 2, qr/--rate is 'x', but must/,
        $resume->(qw(--rate x)));
    refused('the checkpoint as another output', 2, qr/same file/,
        $resume->('--save', "$dir/o.ckpt"));
    refused('--every without a checkpoint', 2, qr/--every is 3.*--checkpoint/,
        $MLP, 'train', @short, qw(--every 3));
    is contents("$dir/o.ckpt"), $kept, 'none of these touched the checkpoint';
};

subtest 'a bare file is resumed as one' => sub {
    my $here = folder();
    my @rows = split /^/, contents("$TOP/data/circles.csv");
    write_file("$here/rings.csv", join '', @rows[0 .. 300]);
    my $run = sub { run_in($here, $MLP, 'train', @_, '--every', 7) };
    $run->(qw(rings.csv --checkpoint whole.ckpt --log whole.tsv));
    rename "$here/model.onnx", "$here/whole.onnx";
    $run->(qw(rings.csv --epochs 9 --checkpoint part.ckpt));
    unlink "$here/model.onnx";
    my ($status, undef, $err) = $run->(qw(--resume part.ckpt --epochs 500
        --log part.tsv));
    is $status, 0, 'the run succeeds';
    is contents("$here/part.tsv"), contents("$here/whole.tsv"), 'its log';
    ok contents("$here/model.onnx") eq contents("$here/whole.onnx"),
        'its model';
    my ($best) = sort { $a->{valid_loss} <=> $b->{valid_loss} }
        table(contents("$here/whole.tsv"));
    like $err, qr/^best epoch $best->{epoch} of/m, 'and its last line';
};

subtest 'moved pictures: a run cut in an epoch' => sub {
    my $images = write_file("$dir/images", "\0\0\10\3" . pack('N3', 60, 4, 4)
        . join '', map { chr($_ * 37 % 256) } 0 .. 959);
    my $labels = write_file("$dir/labels", "\0\0\10\1" . pack('N', 60)
        . join '', map { chr($_ % 3) } 0 .. 59);
    my @moved = ('--train', $images, '--train-labels', $labels, qw(--flip
        --shift 1 --batch 1 --hidden 5 --epochs 3000));
    mlp('train', @moved, '--quiet', '--save', "$dir/moved.onnx");
    my $inside;
    for (1 .. 5) {
        my $pid = start('moved', $MLP, 'train', @moved, '--checkpoint',
            "$dir/moved.ckpt", qw(--every 100000 --log), "$dir/moved.tsv");
        wait_for('moved', 20);
        kill INT => $pid;
        last if $inside = ended($pid) eq 'signal 2'
            && contents("$dir/moved.ckpt") !~ /^minibatch=(?:0|60)$/m;
    }
    ok $inside, 'it was stopped inside an epoch';
    mlp('train', '--resume', "$dir/moved.ckpt", '--save', "$dir/moved2.onnx");
    same_files('moved.onnx', 'moved2.onnx',
        'the model is that of the whole run');
};

subtest 'a run whose rate falls cannot be prolonged' => sub {
    my ($status) = mlp('train', @short, qw(--schedule linear --epochs 4
        --checkpoint), "$dir/fall.ckpt");
    is $status, 0, 'a run of four epochs';
    refused('goes on to the fourth only', 1,
        qr/epoch 4, as the rate falls to it, but here it is epoch 5/,
        $MLP, 'train', '--resume', "$dir/fall.ckpt", qw(--epochs 5));
};

subtest 'nor can one that warms up' => sub {
    mlp('train', @short, qw(--warmup 2 --epochs 4 --checkpoint),
        "$dir/warm.ckpt");
    refused('for its rate depends on the end', 1, qr/epoch 4, as the rate/,
        $MLP, 'train', '--resume', "$dir/warm.ckpt", qw(--epochs 5));
};

subtest 'patience: a run that it ended stays ended' => sub {
    my @patient = (@short, qw(--rate 0.5 --epochs 300 --patience 5 --save),
        "$dir/p.onnx", '--log', "$dir/p.tsv");
    my ($status) = mlp('train', @patient, '--checkpoint', "$dir/p.ckpt");
    is $status, 0, 'a patient run';
    my @once = map { contents("$dir/p.$_") } qw(onnx tsv);
    cmp_ok scalar(table($once[1])), '<', 300, 'it ended early';
    unlink "$dir/p.onnx", "$dir/p.tsv";
    mlp('train', '--resume', "$dir/p.ckpt");
    same(contents("$dir/p.onnx"), $once[0], 'the best model comes out again');
    same(contents("$dir/p.tsv"), $once[1], 'with the same log');
};

subtest 'a wrong file, other data, another precision: status 1' => sub {
    mlp('train', @short, qw(--epochs 2 --save), "$dir/w.onnx", '--checkpoint',
        "$dir/w.ckpt");
    my $good = contents("$dir/w.ckpt");
    my $file = sub { write_file("$dir/bad.ckpt", $_[0]) };
    my @files = (
        [ 'an empty file', qr/something else than a checkpoint/, '' ],
        [ 'a model', qr/something else than a checkpoint/,
            contents("$dir/w.onnx") ],
        [ 'data', qr/something else than a checkpoint/, contents($circles) ],
        [ 'half a file', qr/the checkpoint is not whole/,
            substr $good, 0, length($good) / 2 ],
        [ 'a file less a byte', qr/not whole/, substr $good, 0, -1 ],
        [ 'a file and a byte', qr/not whole/, "$good\0" ],
        [ 'a changed number', qr/CRC-32.*damaged/,
            $good =~ s/^errors=0/errors=1/mr ],
        [ 'another version', qr/version 7, expected version 1/,
            $good =~ s/checkpoint 1/checkpoint 7/r ],
    );
    refused("$_->[0] is refused", 1, $_->[1], $MLP, 'train', '--resume',
        $file->($_->[2])) for @files;
    refused('a file that is not there', 1, qr/No such file/, $MLP, 'train',
        '--resume', "$dir/nosuch.ckpt");
    refused('a checkpoint in a folder that is not there', 1,
        qr/--checkpoint.*No such file/, $MLP, 'train', @short, '--checkpoint',
        "$dir/no/such.ckpt");
    my @resume = ('train', '--resume', "$dir/w.ckpt");
    refused('another precision', 1, qr/single precision.*double precision/,
        $DOUBLE, @resume);
    my @rows = split /^/, contents("$dir/train.csv");
    $rows[7] =~ s/^(-?\d\.\d\d)\d/${1}0/ or die; # within the training part
    my $was = qr/was 560 examples of length 2 with CRC-32/;
    refused('another number in the data', 1,
        qr/the training set of its run $was (\w+), but here it is 560 examples of length 2 with CRC-32 (?!\1)\w+$/,
        $MLP, @resume, '--train', write_file("$dir/d.csv", join '', @rows));
    refused('a row less', 1, qr/$was.*but here it is 559 examples/,
        $MLP, @resume, '--train', write_file("$dir/d.csv",
        join '', @rows[0 .. $#rows - 1]));
    refused('a test set that it had not', 1,
        qr/test set of its run was none, but here it is 300 examples/,
        $MLP, @resume, '--test', "$dir/test.csv");
    my ($status) = mlp(@resume);
    is $status, 0, 'and the whole file is accepted';
};

subtest 'a checkpoint is read by Perl in a few lines' => sub {
    my $file = contents("$dir/w.ckpt");
    my ($text, $numbers, $crc) = $file
        =~ /\A# mlp checkpoint 1: text (\d+), numbers (\d+), CRC-32 (\w+)\n/
        or die;
    my $body = substr $file, length($file) - $text - $numbers;
    require Compress::Zlib;
    is sprintf('%08x', Compress::Zlib::crc32($body)), $crc, 'the sum';
    my %state = substr($body, 0, $text) =~ /^(\w+)=(\d+)$/mg;
    my @theta = unpack "f$state{theta}", substr $body, $text;
    my (undef, $weights) = mlp('weights', '--model', "$dir/w.onnx");
    my ($first) = $weights =~ /(-?\d+\.\d+(?:e-?\d+)?)/;
    is scalar(@theta), 27, 'the parameters';
    ok((grep { close_to($_, $first, 1e-6) } @theta), "among them $first");
};

done_testing;
