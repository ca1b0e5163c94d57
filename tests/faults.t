# Memory that runs out, disks that fill up or fail, and kill -9 leave no
# damage.  MLP_LONG=1 (make check-faults) tries every place, not a sample,
# and MLP_FIGURES=file gets how often what happened.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MLP;
use Errno ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $SHIM = $ENV{FAULT_SHIM} // "$TOP/generated/tests/faults.so";
my $FIRST = $ENV{FAULT_AFTER}; # a library that must be loaded before it
my $LONG = $ENV{MLP_LONG};
plan skip_all => "$SHIM is not there: make test makes it" unless -e $SHIM;

# The program would set the first and begin again, and count anew.
$ENV{GOMP_SPINCOUNT} //= 2000;
$ENV{OMP_NUM_THREADS} = 1;
delete @ENV{qw(G_SLICE G_DEBUG G_MESSAGES_DEBUG)};

my $dir = folder();
my @rows = split /^/, contents("$TOP/data/circles.csv");
write_file("$dir/a.csv", join '', @rows[0 .. 60]);
write_file("$dir/large.csv", join '', @rows); # for more than one window
system('gzip', '-k', "$dir/a.csv", "$dir/large.csv") == 0 or die;
write_file("$dir/x.idx", "\0\0\10\3" . pack('N3', 60, 2, 2)
    . join '', map { chr($_ * 37 % 256) } 0 .. 239);
write_file("$dir/y.idx", "\0\0\10\1" . pack('N', 60)
    . join '', map { chr($_ % 3) } 0 .. 59);

# --------------------------------------------------- one run, one verdict

# Runs a command in $dir with the calls that %fault names failing; the status,
# where a signal n is 128 + n, and what was said on stderr.
sub faulted {
    my ($command, %fault) = @_;
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        chdir $dir or die;
        open STDIN, '<', '/dev/null' or die;
        open STDOUT, '>', $fault{stdout} // 'stdout' or die;
        open STDERR, '>', 'stderr' or die;
        alarm 20; # a run that hangs ends by SIGALRM
        delete $fault{stdout};
        if (%fault) {
            $ENV{LD_PRELOAD} = join ' ', $FIRST // (), $SHIM;
            $ENV{FAULT_COUNT} = 'count';
            $ENV{"FAULT_\U$_"} = $fault{$_} for keys %fault;
        }
        exec {$command->[0]} @$command or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return ($? & 127 ? 128 + ($? & 127) : $? >> 8, contents("$dir/stderr"));
}

sub calls_of {
    my ($command, $calls) = @_;
    faulted($command, calls => $calls, at => 0);
    return 0 + contents("$dir/count");
}

# A case: a command, the files it makes, and how they are without a fault.
sub make_case {
    my ($name, $outputs, $inputs, @command) = @_;
    unshift @command, $MLP if $command[0] !~ m{/};
    my $case = { name => $name, command => \@command, outputs => $outputs,
        inputs => $inputs };
    restore($case);
    my ($status, $err) = faulted($case->{command});
    is $status, 0, "$name: without a fault the run passes" or diag($err);
    $case->{whole} = { map { $_ => contents("$dir/$_") } @$outputs, 'stdout' };
    return $case;
}

# Each output stands there from an earlier run.
sub restore {
    my ($case) = @_;
    for (@{$case->{outputs}}) {
        my $text = $case->{inputs}{$_} // "earlier $_";
        $case->{earlier}{$_} = $text;
        write_file("$dir/$_", $text)
            unless (contents("$dir/$_") // '') eq $text;
    }
    $case->{listing} = listing_of_files();
}

sub listing_of_files {
    return join ' ', grep { !/^(?:count|stdout|stderr)$/ }
        split / /, listing($dir);
}

# A checkpoint that is neither the first nor the last must lead to the end.
my %leads;
sub leads_to_the_end {
    my ($case, $text) = @_;
    return $leads{$case->{name}}{$text} //= lead_to_the_end($case, $text);
}

sub lead_to_the_end {
    my ($case, $text) = @_;
    my $there = folder();
    write_file("$there/$_", contents("$dir/$_"))
        for qw(a.csv a.csv.gz x.idx y.idx);
    write_file("$there/k.ckpt", $text);
    my ($status) = run_in($there, $MLP, qw(train --quiet --resume k.ckpt));
    return 0 + ($status == 0 && contents("$there/m.onnx") eq
        $case->{whole}{'m.onnx'} && contents("$there/l.tsv") eq
        $case->{whole}{'l.tsv'});
}

# 'unharmed', 'sentence', 'abort' (of GLib), or what is wrong.
sub verdict {
    my ($case, $status, $err, $words) = @_;
    my @strange;
    for (@{$case->{outputs}}) {
        my $now = contents("$dir/$_") // 'none';
        next if $now eq $case->{whole}{$_};
        my $kept = $now eq $case->{earlier}{$_}
            || /ckpt/ && leads_to_the_end($case, $now);
        push @strange, "$_ is damaged" if !$kept;
        push @strange, "$_ was not written" if $kept && $status == 0;
    }
    my $left = listing_of_files();
    my $aborted = $status == 128 + 5 || $status == 128 + 6;
    if ($left ne $case->{listing}) {
        push @strange, "files left: $left" unless $aborted;
        my %known = map { $_ => 1 } split / /, $case->{listing};
        unlink map { "$dir/$_" } grep { !$known{$_} } split / /, $left;
    }
    return join ', ', @strange, "status $status, $err" if @strange;
    return 'unharmed' if $status == 0 && $err eq ($case->{stderr} // '')
        && ($case->{measures}
            || contents("$dir/stdout") eq $case->{whole}{stdout});
    return 'sentence' if $status == 1 && $err =~ $words
        && (one_sentence($err) || $err =~ /\A\nlibgomp: [^\n]+\n\z/);
    return 'abort' if $aborted
        && ($err =~ /GSlice: failed to allocate|gthread.*during 'malloc'/
            || $case->{guest} && $err =~ /failed to allocate/);
    return "status $status, $err";
}

my @figures;
# Tries each of the faults; [calls, at, ...] is a list of settings.
sub try_all {
    my ($what, $case, $words, $total, @faults) = @_;
    my %count = map { $_ => 0 } qw(unharmed sentence abort);
    my @wrong;
    for my $fault (@faults) {
        restore($case);
        my $said = verdict($case, faulted($case->{command}, %$fault), $words);
        if (exists $count{$said}) {
            $count{$said}++;
        } else {
            push @wrong, join(' ', map { "$_=$fault->{$_}" }
                sort keys %$fault) . ": $said";
        }
    }
    is scalar(@wrong), 0, "$case->{name}, $what: " . scalar(@faults)
        . " of $total places, $count{sentence} end with a sentence, "
        . "$count{abort} by GLib, $count{unharmed} are unharmed"
        or diag(join "\n", @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)]);
    push @figures, [ $case->{name}, $what, scalar(@faults), $count{sentence},
        $count{abort}, $count{unharmed}, scalar(@wrong) ];
}

# ----------------------------------------------------------------- memory

my @train = (qw(--validation 20 --batch 10 --hidden 3 --epochs 2 --quiet
    --checkpoint k.ckpt --every 1 --log l.tsv --save m.onnx));
my @made = qw(k.ckpt l.tsv m.onnx);
my @cases = make_case('train', \@made, {}, 'train', '--train', 'a.csv.gz',
    @train);
push @cases, make_case('train (IDX)', \@made, {}, qw(train --train x.idx
    --train-labels y.idx --validation-fraction 0.3 --patience 5 --flip
    --momentum 0.9
    --gradient loop), @train[2 .. $#train]);
run_in($dir, $MLP, 'train', '--train', 'a.csv', @train, qw(--epochs 1));
my %begun = ('k.ckpt' => contents("$dir/k.ckpt"));
run_in($dir, $MLP, qw(train --train x.idx --train-labels y.idx --epochs 1
    --batch 10 --quiet --save idx.onnx));
push @cases, make_case('train --resume', \@made, \%begun, qw(train --resume
    k.ckpt --epochs 2));
run_in($dir, $MLP, 'train', '--train', 'a.csv', @train, qw(--save given.onnx
    --log given.tsv));
push @cases,
    make_case('evaluate', ['p.tsv'], {}, qw(evaluate --model given.onnx --test
        a.csv.gz --predictions p.tsv)),
    make_case('predict', [], {}, qw(predict given.onnx large.csv.gz
        --probabilities)),
    make_case('info', [], {}, qw(info given.onnx --json));

# Commands that write no file of which an earlier one could be damaged.
my @others = (make_case('predict (IDX)', [], {}, qw(predict idx.onnx x.idx)),
    make_case('regions', [], {}, qw(regions given.onnx --grid 3)),
    make_case('weights', [], {}, qw(weights given.onnx)),
    make_case('compare', [], {}, qw(compare --train a.csv)),
    make_case('check-gradient', [], {}, $DOUBLE, qw(check-gradient)),
    make_case('time', [], {}, qw(time --train a.csv --batch 10 --epochs 1
        --steps)));
$others[-1]{measures} = 1;
# In the library, GLib ends the program as it does any other's; and when there
# is no memory for its last words either, it may do so without any.
push @others, make_case('library', ['g.onnx'], {},
    ($ENV{GENERATED} // "$TOP/generated") . '/tests/faults-library', 'g.onnx');
$others[-1]{guest} = 1;

# Every place, or some all over the run. (Of a grid's hundred thousand texts,
# the first thousand, and some.)
my $MANY = 1000;
sub places {
    my ($n, $sample) = @_;
    return 1 .. $n if $n <= $sample || $LONG && $n <= 2 * $MANY;
    my @first = $LONG ? 1 .. $MANY : ();
    my $step = ($n - @first) / $sample;
    return @first, map { 1 + int(@first + ($_ + 0.5) * $step) } 0 .. $sample - 1;
}

subtest 'memory runs out' => sub {
    plan skip_all => 'memory is not asked for by the names that we take'
        if $FIRST;
    # A gnuplot that draws quickly.
    my $bin = folder();
    write_file("$bin/gnuplot", "#!/bin/sh\necho '<svg></svg>'\n");
    chmod 0755, "$bin/gnuplot";
    local $ENV{PATH} = "$bin:$ENV{PATH}";
    my @drawn = map { make_case("plot --kind $_->[0]", ['w.svg'], {},
        qw(plot --output w.svg --kind), @$_) }
        [ qw(regions given.onnx --data a.csv) ],
        [ qw(confusion given.onnx --data a.csv) ], [ qw(curves given.tsv) ],
        [ qw(weights idx.onnx --width 2) ];
    for my $case (@cases, @others, @drawn) {
        restore($case);
        my $n = calls_of($case->{command}, 'memory');
        cmp_ok $n, '>', 20, "$case->{name} asks for memory";
        my @at = places($n, grep({ $_ == $case } @cases) ? 40 : 10);
        for ([ 'memory: one request' ], [ 'memory: one and all after it', on => 1 ]) {
            my ($what, @more) = @$_;
            next if $case->{guest} && @more;
            try_all($what, $case, qr/memory|allocat/i, $n, map { { calls =>
                'memory', at => $_, error => Errno::ENOMEM, @more } } @at);
        }
    }
};

subtest 'the tiny program without memory' => sub {
    my $tiny = ($ENV{GENERATED} // "$TOP/generated") . '/bin/tiny';
    my $n = calls_of([$tiny], 'room');
    cmp_ok $n, '>', 2, "it asks $n times";
    is join(' ', map { (faulted([$tiny], calls => 'room', at => $_))[0] }
        1 .. $n), join(' ', (1) x $n), 'and ends each time with status 1';
} unless $FIRST;

{
    restore($cases[0]);
    my ($status, $err) = faulted($cases[0]{command}, calls => 'packed-size',
        at => 1);
    is verdict($cases[0], $status, $err, qr/m\.onnx: .*found a model of \d+ bytes.*2 GiB/),
        'sentence', 'a model of 2 GiB is not written';
}

# ------------------------------------------------------------------ disks

my %errors = (ENOSPC => Errno::ENOSPC, EIO => Errno::EIO);
my %reasons = (ENOSPC => 'No space left', EIO => 'Input/output error');
my @calls = qw(open write fsync close rename);

is calls_of($cases[0]{command}, 'pwrite,fdatasync,ftruncate'), 0,
    'no other calls change a file';

my @pictures;
push @pictures, make_case('plot', ['w.svg'], {}, qw(plot given.onnx --data a.csv
    --kind confusion --output w.svg))
    if system('gnuplot -V > /dev/null 2>&1') == 0;

subtest 'a call fails' => sub {
    for my $case ((grep { @{$_->{outputs}} } @cases), @pictures) {
        # One of two errors each, but in a long run both.
        my @errors = sort keys %errors;
        for my $call (@calls) {
            restore($case);
            my $n = calls_of($case->{command}, $call);
            cmp_ok $n, '>', 0, "$case->{name} calls $call";
            restore($case);
            my $folders = calls_of($case->{command}, 'fsync-folder');
            is 2 * $folders, $n, 'for each file, and for its folder'
                if $call eq 'fsync';
            @errors = reverse @errors;
            for my $error ($LONG ? @errors : $errors[0]) {
                try_all("$call: $error", $case, qr/$reasons{$error}/, $n,
                    map { my $at = $_; map { { calls => $call, at => $at,
                        error => $errors{$error}, @$_ } } [], [ on => 1 ] }
                    places($n, 8));
                # What is read, or a folder, may fail unheard.
                cmp_ok $figures[-1][5], '<=', 2 * $folders, 'not one more is '
                    . 'unharmed than there are folders' if $call eq 'fsync';
                is $figures[-1][5], 0, 'none is unharmed'
                    if $call =~ /^(?:open|write|rename)$/;
                # Each written file is closed once, and must say so.
                cmp_ok $figures[-1][3], '>=', 2 * @{$case->{outputs}},
                    'a sentence for each file' if $call eq 'close' && $LONG;
            }
        }
        my $n = calls_of($case->{command}, 'write');
        try_all('write: one is short', $case, qr/(?!)/, $n, map { { calls =>
            'write', at => $_, error => 0 } } 1 .. $n);
        try_all('write: all are short', $case, qr/(?!)/, $n, { calls =>
            'write', at => 1, on => 1, error => 0 });
    }
};

# A small file system of our own, which vanishes with the command. Files are
# put into it, it is made full or read-only, and the command runs there; what
# it says, its status, and afterwards the files, which must be as before.
my @apart = ('unshare', $> ? '-rm' : '-m');
my $MOUNT = <<'END';
mount -t tmpfs -o size=64k tmpfs small || exit 99
cd small
for file in $FILES; do echo "earlier $file" > $file; done
case $STATE in
full) cat /dev/zero > fill 2> /dev/null;;
readonly) mount -o remount,ro . || exit 99;;
esac
before=$(cksum * && ls)
"$@" 
status=$?
[ "$before" = "$(cksum * && ls)" ] || echo "not as before" >&2
exit $status
END

sub in_small {
    my ($state, $files, @command) = @_;
    local @ENV{qw(STATE FILES)} = ($state, join ' ', @$files);
    return run_in($dir, @apart, 'bash', '-c', $MOUNT, 'bash', @command);
}

mkdir "$dir/small";
my $refused = 0; # outputs, on disks that cannot take them
my %outputs = ('--save' => [ 'm.onnx', 'train', @{$cases[0]{command}}[2 .. 3],
        qw(--validation 20 --batch 10 --epochs 2 --quiet) ]);
$outputs{$_->[0]} = [ $_->[1], @{$outputs{'--save'}}[1 .. 9],
    qw(--save ../s.onnx --quiet) ] for [ '--log', 'l.tsv' ],
        [ '--checkpoint', 'k.ckpt' ];
$outputs{'--predictions'} = [ 'p.tsv', qw(evaluate given.onnx a.csv) ];
$outputs{'--output'} = [ 'c.csv', 'circles' ];
for my $words (values %outputs) {
    s{^(?=(?:given|a)\.)}{../} for @$words;
}

for my $state ('full', 'readonly') {
    subtest "a disk that is $state" => sub {
        my ($status) = in_small($state, ['x'], 'true');
        plan skip_all => 'no file system of our own can be mounted here'
            if $status;
        my $words = $state eq 'full' ? qr/No space left/ : qr/Read-only/;
        for (sort keys %outputs) {
            my ($file, @command) = @{$outputs{$_}};
            my ($status, $out, $err) = in_small($state, [ $file ], $MLP,
                @command, $_, $file);
            is $status, 1, "$_: status 1";
            ok one_sentence($err) && $err =~ $words, 'one sentence that says '
                . 'why, and all files are as before' or diag($err);
            $refused++;
        }
        return if $state ne 'full';
        ($status, undef, my $err) = in_small($state, ['out'], 'sh', '-c',
            'exec "$@" >> out', 'sh', $MLP, qw(regions ../given.onnx));
        is $status, 1, 'the standard output: status 1';
        like $err, qr/^mlp regions: the standard output cannot be written: /,
            'it says why';
    };
}

subtest 'the disk for temporary files is full: no part of a picture' => sub {
    plan skip_all => 'gnuplot is not installed' unless @pictures;
    plan skip_all => 'no file system of our own can be mounted here'
        if (in_small('full', ['x'], 'true'))[0];
    # Of every picture a part fits in 8 KiB, and the script does.
    my $part = qr/found a part of a picture|gnuplot has failed/;
    for ([ 'w.svg', 'size=8k', $part ], [ 'w.png', 'size=8k', $part ],
        [ 'w.pdf', 'size=8k', $part ], [ 'w.svg', 'size=4k',
        qr/the script for gnuplot cannot be written: No space/,
        'echo > /tmp/full' ],
        [ 'w.svg', 'ro', qr/no temporary file for gnuplot: Read-only/ ]) {
        my ($picture, $disk, $words, $before) = @$_;
        $before //= ':';
        my ($status, undef, $err) = run_in($dir, @apart, 'bash', '-c',
            "exec 9< \"\$1\"; shift\n" # it may be below /tmp
            . "mount -t tmpfs -o $disk tmpfs /tmp || exit 99; $before\n"
            . "echo earlier > $picture; exec /proc/self/fd/9 \"\$@\"",
            'bash', $MLP, qw(plot
            given.onnx --data a.csv --kind confusion --output), $picture);
        is $status, 1, "$picture, $disk: status 1";
        ok one_sentence($err) && $err =~ $words, 'one sentence' or diag $err;
        is contents("$dir/$picture"), "earlier\n", 'the earlier one is there';
        unlink "$dir/$picture";
    }
};

subtest 'the standard output is a full disk' => sub {
    for ([ qw(train --train a.csv --validation 20 --batch 10 --epochs 2 --save
            s.onnx) ], [ qw(evaluate given.onnx a.csv) ], [ qw(predict
            given.onnx a.csv) ], [ qw(info given.onnx) ], [ qw(circles) ],
        [ qw(weights given.onnx) ], [ qw(regions given.onnx) ], ['--help'],
        ['--version'], [ qw(train --help) ]) {
        my ($status, $err) = faulted([ $MLP, @$_ ], stdout => '/dev/full');
        is $status, 1, "mlp $_->[0]: status 1";
        like $err, qr/standard output cannot be written: /, 'it says why';
    }
    for (sort keys %outputs) {
        my ($file, @command) = map { s{^\.\./}{}r } @{$outputs{$_}};
        my ($status, $err) = faulted([ $MLP, @command, $_, '/dev/full' ]);
        is $status, 1, "$_ /dev/full: status 1";
        ok one_sentence($err), 'one sentence' or diag($err);
    }
    ok -c '/dev/full', 'and /dev/full is what it was';
};

# ---------------------------------------------------------------- kill -9

my $KILLS = $LONG ? 200 : 4;
subtest "$KILLS times kill -9, at random moments" => sub {
    write_file("$dir/b.csv", join '', @rows[0 .. 400]);
    my @run = (qw(train --train b.csv --validation 100 --hidden 20 --batch 10
        --epochs 40 --momentum 0.9 --quiet --save e.onnx --log e.tsv
        --checkpoint e.ckpt --every 1));
    my $time = -time;
    my ($status) = faulted([ $MLP, @run ]);
    $time += time;
    my @whole = map { contents("$dir/$_") } qw(e.onnx e.tsv);
    my ($killed, @bad) = (0);
    srand 9;
    while ($killed < $KILLS) {
        unlink map { "$dir/$_" } qw(e.ckpt e.onnx e.tsv);
        my $pid = fork // die "fork: $!";
        if ($pid == 0) {
            chdir $dir or die;
            open STDERR, '>', 'stderr' or die;
            exec {$MLP} $MLP, @run;
        }
        sleep 0.002 until -e "$dir/e.ckpt" || waitpid($pid, POSIX::WNOHANG());
        sleep rand $time;
        kill 'KILL', $pid;
        next if waitpid($pid, 0) == -1 || $? == 0; # it was over
        $killed++;
        unlink glob "$dir/e.ckpt.*"; # what a kill may leave
        my ($status, $err) = faulted([ $MLP, qw(train --resume e.ckpt) ]);
        push @bad, "kill $killed: status $status $err" if $status != 0
            || contents("$dir/e.onnx") ne $whole[0]
            || contents("$dir/e.tsv") ne $whole[1];
    }
    is scalar(@bad), 0, "$killed times the file leads to the same bits"
        or diag(join "\n", @bad);
    push @figures, [ 'train', 'kill -9', $killed, 0, 0, $killed - @bad,
        scalar @bad ];
};

figure('outputs refused by full and read-only disks, the earlier file intact',
    $refused) if $refused;
if (open my $out, '>', $ENV{MLP_FIGURES} // '/dev/null') {
    print $out join("\t", qw(run fault places sentence abort unharmed wrong)),
        "\n", map { join("\t", @$_) . "\n" } @figures;
    close $out or die;
}
done_testing;
