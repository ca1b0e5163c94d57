# Training on several ranks: the bits of one process, one sentence, and a
# checkpoint that survives.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MLP;
use Errno ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $mpi = ($ENV{GENERATED} // "$TOP/generated") . '/bin/mlp-mpi';
plan skip_all => 'no mpirun (make setup-mpi)'
    if system('mpirun --version > /dev/null 2>&1') != 0 && !$ENV{CI};
my $SHIM = $ENV{FAULT_SHIM} // "$TOP/generated/tests/faults.so";
plan skip_all => "no mlp-mpi (make MPI=1)" if !-x $mpi && !$ENV{CI};

# One machine, no network, more ranks than cores, and perhaps root.
$ENV{"OMPI_$_"} = 1 for qw(ALLOW_RUN_AS_ROOT ALLOW_RUN_AS_ROOT_CONFIRM
    MCA_rmaps_base_oversubscribe MCA_mpi_yield_when_idle);
$ENV{OMPI_MCA_btl} = 'self,vader';
$ENV{OMPI_MCA_btl_vader_single_copy_mechanism} = 'none';
$ENV{OMP_NUM_THREADS} = 1;
$ENV{GOMP_SPINCOUNT} //= 2000; # or the program would set it and begin again
delete $ENV{$_} for grep { /^PMI/ } keys %ENV;

my $dir = folder();
my @lines = split /^/, contents("$TOP/data/circles.csv");
write_file("$dir/train.csv", join '', @lines[0 .. 400]);
write_file("$dir/test.csv", join '', @lines[0, 401 .. 550]);
my @circles = ('--train', "$dir/train.csv", '--test', "$dir/test.csv",
    qw(--validation 120 --hidden 11 --batch 33 --rate 0.2 --epochs 4));

# 90 pictures of 5 by 4 bytes in three classes, as IDX.
sub idx {
    my ($name, $n, @sizes) = @_;
    my ($state, $bytes, $labels) = (12345, '', '');
    for my $i (0 .. $n - 1) {
        $labels .= chr($i * 7 % 3);
        for (1 .. $sizes[0] * $sizes[1]) {
            $state = ($state * 1103515245 + 12345) % 2147483648;
            $bytes .= chr(($state >> 16) % 200 + 20 * ($i * 7 % 3));
        }
    }
    write_file("$dir/$name.images", pack('N*', 0x803, $n, @sizes) . $bytes);
    write_file("$dir/$name.labels", pack('N*', 0x801, $n) . $labels);
}
idx('pictures', 90, 5, 4);
my @pictures = ('--train', "$dir/pictures.images", '--train-labels',
    "$dir/pictures.labels", qw(--validation-fraction 0.3 --hidden 7
    --batch 16 --rate 0.2 --epochs 3));

sub on_ranks { my ($n, @command) = @_; return ('mpirun', '-n', $n, @command) }

# The bytes of the log and of the model that a command leaves.
sub outcome {
    my ($name, @command) = @_;
    unlink "$dir/log", "$dir/model";
    my ($status, $out, $err) = run(@command, '--log', "$dir/log", '--save',
        "$dir/model", '--quiet');
    diag "$name: status $status, $err" if $status != 0;
    return join "\0", map { $_ // '(no file)' } contents("$dir/log"),
        contents("$dir/model");
}

sub same_on_ranks {
    my ($name, $ranks, $precisions, @options) = @_;
    for my $precision (@$precisions) {
        my $alone = outcome($name, "$MLP$precision", 'train', @options);
        my @differ = grep {
            outcome($name, on_ranks($_, "$mpi$precision", 'train', @options))
                ne $alone } @$ranks;
        ok length $alone > 500 && $alone !~ /\(no file\)/ && !@differ,
            "$name: the bits of one process on @$ranks ranks$precision"
            or diag "other bits on @differ ranks";
    }
}

same_on_ranks('losses that are added up in two groups', [ 3 ], [''],
    '--train', "$TOP/data/circles.csv", qw(--validation 600 --hidden 5
    --batch 50 --rate 0.2 --epochs 2 --shards 3));
same_on_ranks('momentum, five shards', [1 .. 4], ['', '-double'],
    @circles, qw(--shards 5 --momentum 0.9));
same_on_ranks("Nesterov's, the elastic net, a schedule, early stopping",
    [3], [''], @circles, qw(--shards 4 --momentum 0.9 --nesterov --l1-hidden 1e-3
    --l2-output 1e-3 --schedule cosine --warmup 1 --patience 1));
same_on_ranks('proximal steps, the loop', [4], ['-double'],
    @circles, qw(--shards 7 --l1-hidden 1e-2 --proximal --gradient loop));
same_on_ranks('moved pictures, classes held out alike', [2 .. 4], [''],
    @pictures, qw(--shards 6 --flip --shift 1));
same_on_ranks('minibatches with fewer examples than shards', [4], [''],
    @circles, qw(--batch 3 --shards 8 --epochs 1));

system("gzip -kn $dir/pictures.images") == 0 or die;
same_on_ranks('gzipped pictures', [3], [''], (map { s/images$/images.gz/r }
    @pictures), '--shards', 3);
{
    local $ENV{OMP_NUM_THREADS} = 3;
    my @large = ('--train', "$dir/train.csv", qw(--hidden 3000 --epochs 1
        --shards 3 --batch 100 --momentum 0.5));
    same_on_ranks('with threads in the ranks', [2], [''], @large);
}

{
    my %seen;
    $seen{outcome("$_ shards", $MLP, 'train', @circles, '--shards', $_)}++
        for 1 .. 3;
    is scalar(keys %seen), 3, 'another number of shards has other bits';
}

# What mlp itself said of all that is on stderr.
sub sentences { return grep { /^mlp/ } split /\n/, $_[0] }

sub one_refusal {
    my ($name, $expected, $words, @command) = @_;
    my $start = time;
    my ($status, $out, $err) = run(@command);
    my @said = sentences($err);
    ok $status == $expected && @said == 1 && $said[0] =~ $words, $name
        or diag "status $status\n$err";
    cmp_ok time - $start, '<', 30, '... soon';
}

one_refusal('too few shards for the ranks', 2, qr/--shards is 1.*2 ranks/,
    on_ranks(2, $mpi, 'train', @circles));
one_refusal('a command that takes one process', 2, qr/3 ranks/,
    on_ranks(3, $mpi, 'circles'));
one_refusal('the plain program under mpirun', 2, qr/mlp-mpi/,
    on_ranks(4, $MLP, 'train', @circles));
one_refusal('a file that does not exist', 1, qr/nosuch/,
    on_ranks(4, $mpi, qw(train --shards 4 --train), "$dir/nosuch"));
one_refusal('a wrong option', 2, qr/--epochs/,
    on_ranks(3, $mpi, 'train', @circles, qw(--epochs x)));
{
    my @bad = @lines[0 .. 200];
    $bad[150] = "1,x,0\n";
    write_file("$dir/bad.csv", join '', @bad);
    one_refusal('a bad field', 1, qr/bad.csv:151:2: found "x"/,
        on_ranks(4, $mpi, qw(train --shards 4 --train), "$dir/bad.csv"));
}
{
    # A rank on whose machine the file is another one, or missing.
    mkdir "$dir/$_" for 'here', 'there';
    write_file("$dir/here/f.csv", join '', @lines[0 .. 300]);
    my @here = ('sh', '-c', "cd $dir/here; test \$OMPI_COMM_WORLD_RANK != 2"
        . " || cd $dir/there; exec \"\$@\"", 'sh', $mpi, qw(train --train
        f.csv --shards 4));
    one_refusal('a file that one rank lacks', 1, qr/f\.csv: .*No such file/,
        on_ranks(4, @here));
    write_file("$dir/there/f.csv", join '', @lines[0 .. 200], "1,x,0\n");
    one_refusal('a file that is bad for one rank', 1,
        qr/f\.csv:202:2: found "x"/, on_ranks(3, @here));
}
one_refusal('a rank without /dev/null', 1, qr{/dev/null},
    qw(mpirun -n 1), $mpi, 'train', @circles, qw(--shards 2 : -n 1 env
    FAULT_CALLS=freopen FAULT_AT=1), 'FAULT_ERROR=' . Errno::ENOENT,
    "LD_PRELOAD=$SHIM", $mpi, 'train', @circles, qw(--shards 2));
one_refusal('the standard input, which one process has', 2, qr/standard input/,
    on_ranks(2, $mpi, qw(train --shards 2 --train -)));
{
    mkdir "$dir/gone";
    one_refusal('a checkpoint that cannot be written, by the first rank', 1,
        qr/run.ckpt/, on_ranks(3, 'sh', '-c', "rm -rf $dir/gone; exec \"\$@\"",
        'sh', $mpi, 'train', @circles, '--shards', 4, '--checkpoint',
        "$dir/gone/run.ckpt"));
}

# ---------------------------------------------------------------- memory
{
    my $n = 80000;
    my $labels = write_file("$dir/many.labels", pack('N*', 0x801, $n)
        . "\0\1" x ($n / 2));
    my $images = write_file("$dir/many.images", pack('N*', 0x803, $n, 28, 28));
    truncate $images, 16 + 784 * $n or die; # zeros
    my %peak;
    for my $ranks (1, 4) {
        my ($status, $out, $err) = run(on_ranks($ranks, $mpi, 'time',
            '--train', $images, '--train-labels', $labels, qw(--hidden 1
            --batch 1000 --epochs 1 --gradient matrix --shards 4)));
        ($peak{$ranks}) = column('peak_mib', table($out));
        my ($waited) = column('communication', table($out));
        cmp_ok $waited, $ranks == 1 ? '<' : '>', $ranks == 1 ? 0.05 : 0,
            "mlp time tells the time of communication on $ranks ranks";
    }
    cmp_ok $peak{1} - $peak{4}, '>', 0.6 * 784 * $n / 2 ** 20,
        'of four ranks, each holds a quarter of the examples'
        or diag "$peak{1} MiB, then $peak{4} MiB";
    unlink $images;
}

my $tried = 0;
# One rank finds no room at one of the places where it asks for some, and the
# others do; MLP_LONG=1 tries every place.  The run ends, and one of them says
# why.
for my $case ([ 'CSV', @circles, qw(--shards 4 --epochs 1) ],
    [ 'IDX', @pictures, qw(--shards 6 --epochs 1) ]) {
    my ($name, @command) = @$case;
    for my $victim (0, 2) {
        my $without_room = sub {
            my ($at) = @_;
            my @fault = ('env', 'FAULT_CALLS=room', "FAULT_AT=$at",
                'FAULT_ERROR=' . Errno::ENOMEM, "FAULT_COUNT=$dir/count",
                "LD_PRELOAD=$SHIM");
            my @ranks = map { (':', '-n', 1, $_ == $victim ? @fault : (),
                $mpi, qw(train --quiet), @command) } 0 .. 2;
            return run(qw(timeout 60 mpirun), @ranks[1 .. $#ranks]);
        };
        my ($status) = $without_room->(0);
        my $n = $status == 0 ? 0 + contents("$dir/count") : 0;
        my $step = $ENV{MLP_LONG} ? 1 : 7;
        my @at = grep { $_ % $step == 0 } 1 .. $n;
        my @wrong;
        for my $at (@at) {
            my ($status, $out, $err) = $without_room->($at);
            my @said = sentences($err);
            push @wrong, "place $at: status $status, $err"
                if $status != 1 || @said != 1 || $said[0] !~ /memory|allocat/;
        }
        ok $n > 20 && !@wrong, "$name: rank $victim alone finds no memory: one "
            . 'sentence and no hang in ' . @at . " of $n places"
            or diag @wrong;
        $tried += @at;
    }
}
figure('places where one of three ranks finds no memory: one sentence, no hang',
    $tried);

# ---------------------------------------------------------------- faults
my @long = ('--train', "$dir/train.csv", qw(--validation 100 --hidden 30
    --batch 20 --rate 0.02 --momentum 0.9 --shards 4 --schedule cosine
    --patience 1000 --epochs 300));

sub start {
    my (@command) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    setpgrp;
    local @SIG{qw(INT TERM HUP)} = ('DEFAULT') x 3;
    open STDIN, '<', '/dev/null' or die;
    open STDOUT, '>', "$dir/out" or die;
    open STDERR, '>', "$dir/err" or die;
    exec {$command[0]} @command or POSIX::_exit(127);
}

sub wait_for_checkpoint {
    my $end = time + 60;
    sleep 0.01 until -e "$dir/run.ckpt" || time > $end;
}

# The status and the seconds until the command has ended.
sub ended {
    my ($pid) = @_;
    my $start = time;
    local $SIG{ALRM} = sub { kill 'KILL', -$pid };
    alarm 60;
    waitpid $pid, 0;
    my $status = $? >> 8;
    alarm 0;
    return ($status, time - $start);
}

my $whole = outcome('a run that is left alone', $MLP, 'train', @long);
for my $signal (qw(USR1 TERM)) {
    unlink "$dir/run.ckpt";
    local $ENV{OMPI_MCA_odls_base_sigkill_timeout} = 2;
    my $pid = start(on_ranks(3, $mpi, 'train', @long, '--checkpoint',
        "$dir/run.ckpt", '--every', 10));
    wait_for_checkpoint();
    kill $signal, $pid;
    my ($status, $seconds) = ended($pid);
    my @said = sentences(contents("$dir/err"));
    # As it ends for TERM, mpirun may drop what a rank says.
    ok $status != 0 && @said <= 1 && ($signal eq 'TERM' || "@said"
        =~ /stopped in epoch \d+ of 300; to go on: mpirun -n 3 .*--resume/),
        "SIG$signal to mpirun: all stop, and one says how to go on"
        or diag $status, contents("$dir/err");
    ok outcome('resumed', on_ranks(2, $mpi, 'train', '--resume',
        "$dir/run.ckpt")) eq $whole, '... and two ranks end in the same bits';
}

{
    unlink "$dir/run.ckpt";
    my $pid = start(on_ranks(4, $mpi, 'train', @long, '--checkpoint',
        "$dir/run.ckpt"));
    wait_for_checkpoint();
    my ($victim) = grep { contents("/proc/$_/stat") =~ /^\d+ \(\S+\) . $pid / }
        grep { contents("/proc/$_/cmdline") =~ /mlp-mpi\0train/ }
        map { m{(\d+)} } glob '/proc/[0-9]*';
    kill 'KILL', $victim;
    my ($status, $seconds) = ended($pid);
    cmp_ok $status, '!=', 0, 'a killed rank ends the job';
    cmp_ok $seconds, '<', 20, '... soon';
    like contents("$dir/err"), qr/signal 9/, '... with a message';
    ok outcome('resumed', $MLP, 'train', '--resume', "$dir/run.ckpt")
        eq $whole, '... and one process goes on from its checkpoint';
}

done_testing;
