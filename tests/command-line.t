# What a user of mlp can rely on: options, exit statuses, sentences, files.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MLP;
use Test::More;
use Time::HiRes qw(time);

my $dir = folder();
my $circles = "$TOP/data/circles.csv";
my @small = ('--train', $circles, qw(--hidden 4 --epochs 3 --batch 20));
my $header = join "\t", qw(epoch rate train_error train_loss valid_error
    valid_loss test_error test_loss);

my $penalties = 'l1-hidden l2-hidden l1-output l2-output';
my %options = (
    train => "train train-labels test test-labels label header validation "
        . "validation-fraction standardize hidden batch epochs rate schedule "
        . "warmup momentum nesterov $penalties proximal flip shift patience "
        . "watch threads checkpoint every resume shards "
        . "gradient seed log save quiet",
    evaluate => 'model test test-labels label header predictions json threads',
    predict => 'model data label header probabilities format threads',
    info => 'model json',
    'check-gradient' => "train train-labels label header standardize inputs "
        . "hidden classes $penalties seed examples method step gradient "
        . "summary",
    compare => "train train-labels label header standardize inputs hidden "
        . "classes $penalties seed batch",
    time => "train train-labels label header validation validation-fraction "
        . "standardize hidden batch epochs rate momentum $penalties gradient "
        . "threads steps seed shards",
    circles => 'examples noise seed output',
    regions => 'model grid x-min x-max y-min y-max',
    weights => 'model layer',
    plot => 'input data labels label header kind output size x-min x-max '
        . 'y-min y-max '
        . 'width units',
);

# A small trained model with two inputs, for what needs one.
my $model = "$dir/model.onnx";
mlp('train', @small, '--save', $model, '--quiet');
my @lines = split /^/, contents($circles);
my ($names, @rows) = @lines;

subtest 'help and version' => sub {
    my ($status, $out, $err) = mlp('--help');
    is $status, 0, 'mlp --help succeeds';
    is $err, '', 'mlp --help prints nothing on stderr';
    like $out, qr/^  \Q$_\E +\S/m, "mlp --help lists $_"
        for sort keys %options;
    is_deeply [ sort $out =~ /^  ([a-z-]+)  +\S/mg ], [ sort keys %options ],
        'mlp --help lists no other command';
    for my $command (sort keys %options) {
        my ($status, $out, $err) = mlp($command, '--help');
        is "$status$err", '0', "mlp $command --help succeeds";
        is_deeply [ sort $out =~ /^  (?:-[ho], )?--([a-z0-9-]+)/mg ],
            [ sort 'help', split ' ', $options{$command} ],
            "mlp $command --help names each of its options and no other";
        unlike $out, qr/[^\n\x20-\x7e]/, "mlp $command --help is plain ASCII";
        my ($short) = mlp($command, '-h');
        is $short, 0, "mlp $command -h is the same";
    }
    is +(mlp('-h'))[1], $out, 'mlp -h is mlp --help';
    ($status, $out, $err) = mlp('--version');
    is "$status$err", '0', 'mlp --version succeeds';
    like $out, qr/\Amlp [0-9.]+ .*\bsingle\b/, 'and says the precision';
    like((run($DOUBLE, '--version'))[1], qr/\Amlp [0-9.]+ .*\bdouble\b/,
        'mlp-double --version too');
};

subtest 'a wrong request: status 2, one sentence, nothing on stdout' => sub {
    my @train = ($MLP, 'train', @small);
    symlink $circles, "$dir/link" or die;
    my @bad = (
        [ 'no command', qr/--help/, $MLP ],
        [ 'an unknown command', qr/'frobnicate'/, $MLP, 'frobnicate' ],
        [ 'an empty command', qr/''/, $MLP, '' ],
        [ 'an unknown general option', qr/--frob/, $MLP, '--frob' ],
        [ 'a stray argument', qr/'stray'/, @train, 'stray' ],
        [ 'a stray argument after --', qr/stray/, @train, '--', 'stray' ],
        [ 'an option without its value', qr/--?rate/, @train, '--rate' ],
        [ 'an empty file name', qr/--log/, @train, '--log', '' ],
        [ 'patience without a validation set', qr/--validation/,
            @train, qw(--patience 3) ],
        [ 'two ways to hold examples out', qr/both hold examples out/,
            @train, qw(--validation 10 --validation-fraction 0.1) ],
        [ 'Nesterov without momentum', qr/--momentum/, @train, '--nesterov' ],
        [ 'proximal steps that make no zero', qr/--l1-hidden/,
            @train, qw(--proximal --l2-hidden 0.1) ],
        [ 'to mirror what is no picture', qr/--flip.*circles\.csv/,
            @train, '--flip' ],
        [ 'to shift what is no picture', qr/--shift.*circles\.csv/,
            @train, qw(--shift 1) ],
        [ 'more warm-up than there are epochs', qr/--warmup is 3\.5.*\b3\b/,
            @train, qw(--warmup 3.5) ],
        [ 'all examples held out', qr/1060/, @train, qw(--validation 1060) ],
        [ 'a batch larger than the training set', qr/--batch is 2000.*1060/,
            @train, qw(--batch 2000) ],
        [ 'a batch larger than what is left', qr/--batch is 61.*60/,
            @train, qw(--validation 1000 --batch 61) ],
        [ 'one argument too many', qr/'three'/, $MLP, 'predict', $model,
            $circles, 'three' ],
        [ 'a place that a named option has taken', qr/'two'/, $MLP, 'info',
            '--model', $model, 'two' ],
        [ 'labels without examples', qr/--test-labels without --test/,
            @train, '--test-labels', $circles ],
        [ 'labels and an option as long as --test', qr/--test-labels without/,
            @train, '--test-labels', $circles, qw(--seed 1) ],
        [ 'a column of what has none', qr/--label and --header are for CSV/,
            @train, '--train-labels', $circles, qw(--label 1) ],
        [ 'a header of what has none', qr/--label and --header are for CSV/,
            @train, '--train-labels', $circles, qw(--header no) ],
        [ 'one file for two outputs', qr/same file/,
            @train, '--log', "$dir/x", '--save', "$dir/./x" ],
        [ 'the data as an output', qr/same file/, @train, '--log', $circles ],
        [ 'the data as an output, by another name', qr/same file/, @train,
            '--log', "$dir/link" ],
        [ 'IDX images without labels', qr/--train-labels/, $MLP, 'train',
            '--train', write_file("$dir/images", "\0\0\10\3" . "\0" x 12) ],
        [ 'an empty rectangle', qr/--x-min.*--x-max/, $MLP, 'regions',
            '--model', $model, qw(--x-min 1 --x-max 1) ],
        [ 'a rectangle upside down', qr/--y-min.*--y-max/, $MLP, 'regions',
            '--model', $model, qw(--y-min 2 --y-max 1) ],
        [ 'sizes that the file decides', qr/--inputs/, $DOUBLE,
            'check-gradient', '--train', $circles, qw(--inputs 2) ],
        [ 'classes that the file decides', qr/--classes/, $MLP, 'compare',
            '--train', $circles, qw(--classes 2) ],
        [ 'a coarse step for a verdict', qr/--summary/, $DOUBLE,
            'check-gradient', qw(--method forward --step 1e-3) ],
        [ 'a step too fine', qr/--summary/, $DOUBLE, 'check-gradient',
            qw(--method forward --step 1e-6) ],
        [ 'more examples than the file has', qr/1060 .*2000/, $MLP,
            'compare', '--train', $circles, qw(--batch 2000) ],
    );
    refused("$_->[0] is refused", 2, @$_[ 1 .. $#$_ ]) for @bad;
    for my $command (sort keys %options) {
        my @command = ($MLP, $command);
        refused("mlp $command refuses an unknown option", 2, qr/--frob/,
            @command, '--frob', '1');
        refused("mlp $command names the option that is missing", 2,
            qr/--(train|model|test|data) is missing/, @command)
            if $options{$command} =~ /^(train|model)/
            && $command !~ /check|compare/;
    }
    my @values = (
        [ 'train', 'rate', '(0, 1e6]',
            qw(0 -1 1e7 abc nan inf 0x1 1e999 1.5x 1e 1.2.3 .), '1,5', '',
            ' 1', '1 ' ],
        [ 'train', 'momentum', '[0, 1)', qw(1 -0.1 2) ],
        [ 'train', 'validation-fraction', '[0, 1)', qw(1 -0.1 20%) ],
        [ 'train', 'watch', 'error|loss', qw(rate) ],
        [ 'train', 'header', 'auto|yes|no', qw(maybe) ],
        [ 'train', 'batch', '[1,', qw(0 -1 1.5 1e2 1000001), '', ' 7', '+7' ],
        [ 'train', 'epochs', '[0,', qw(-1 99999999999999999999) ],
        [ 'train', 'hidden', '[1,', qw(0 x) ],
        [ 'train', 'seed', '4294967295]', qw(4294967296 -1) ],
        [ 'train', 'l2-hidden', '[0, 1e6]', qw(-1e-9 1e7) ],
        [ 'train', 'schedule', 'constant|linear|cosine', qw(steep Linear) ],
        [ 'train', 'standardize', 'none|unit|feature', qw(yes) ],
        [ 'train', 'gradient', 'loop|matrix', qw(both l) ],
        [ 'circles', 'examples', '[2,', qw(1 ten) ],
        [ 'circles', 'noise', '[0, 1000]', qw(-1 1001) ],
        [ 'regions', 'grid', '[2, 10001]', qw(1 10002) ],
        [ 'regions', 'x-min', '[-1e6, 1e6]', qw(-1e7) ],
        [ 'weights', 'layer', '1|2', qw(0 3) ],
        [ 'check-gradient', 'method', 'forward|central|five-point', 'back' ],
        [ 'check-gradient', 'classes', '[2,', qw(1) ],
        [ 'time', 'gradient', 'loop|matrix|both', 'none' ],
    );
    for (@values) {
        my ($command, $option, $expected, @texts) = @$_;
        my @rest = $options{$command} =~ /^model/ ? ('--model', $model)
            : $command =~ /train|time/ ? ('--train', $circles) : ();
        for my $text (@texts) {
            refused("mlp $command refuses --$option '$text'", 2,
                qr/--$option is '\Q$text\E'.*\Q$expected\E/,
                $MLP, $command, @rest, "--$option=$text");
        }
    }
};

subtest 'a file whose name begins with a dash' => sub {
    my $here = folder();
    write_file("$here/-odd.onnx", contents($model));
    my ($status, $out, $err) = run_in($here, $MLP, qw(info -- -odd.onnx));
    is "$status$err", '0', 'is an argument after --';
    same($out, (mlp('info', $model))[1], 'and read');
};

subtest 'a sound request that cannot be met: status 1' => sub {
    my @train = ($MLP, 'train', @small);
    write_file("$dir/three.csv", "1,2,3,0\n4,5,6,1\n");
    write_file("$dir/junk", 'no model');
    mkdir "$dir/folder";
    my @bad = (
        [ 'a missing training file', qr/nosuch.*No such file/,
            $MLP, 'train', '--train', "$dir/nosuch" ],
        [ 'a folder as the training file', qr/directory/,
            $MLP, 'train', '--train', $dir ],
        [ 'a log in a missing folder', qr/--log.*No such file/,
            @train, '--log', "$dir/no/such" ],
        [ 'data on another disk than the log', qr/version/, $MLP, 'train',
            '--train', '/proc/version', '--log', write_file("$dir/old", '') ],
        [ 'a folder as the log', qr/--log.*not an ordinary file/,
            @train, '--log', "$dir/folder" ],
        [ 'a device as the log', qr/--log.*not an ordinary file/,
            @train, '--log', '/dev/null' ],
        [ 'a test set of another width', qr/4 columns, expected 3: 2 feat/,
            @train, '--test', "$dir/three.csv" ],
        [ 'data of another width for a model', qr/4 columns, expected 3: 2/,
            $MLP, 'evaluate', '--model', $model, '--test', "$dir/three.csv" ],
        [ 'a model that is none', qr/junk.*expected a whole one/,
            $MLP, 'weights', '--model', "$dir/junk" ],
        [ 'a missing model', qr/nosuch.*No such file/,
            $MLP, 'regions', '--model', "$dir/nosuch" ],
        [ 'memory that no machine has', qr/memory/, $MLP, 'train',
            '--train', $circles, qw(--hidden 1000000 --batch 1000) ],
    );
    pop @bad unless limit_memory();
    for (@bad) {
        my ($name, $words, @command) = @$_;
        @command = (qw(bash -c), 'ulimit -v 500000; exec "$@"', 'bash',
            @command) if $name =~ /memory/;
        refused("$name is refused", 1, $words, @command);
    }
    ok -c '/dev/null', '/dev/null is still a device';
    SKIP: {
        my @apart = ('unshare', $> ? '-rm' : '-m', 'bash', '-c',
            'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit '
            . '99; shift; exec "$@"', 'bash', write_file("$dir/fixed", ''));
        skip 'nothing can be mounted here', 1
            if (run(@apart, 'true'))[0] != 0;
        refused('a log that is mounted read-only is refused', 1,
            qr/--log: cannot write .*fixed: Read-only/, @apart, @train,
            '--log', "$dir/fixed");
    }
};

subtest 'a full disk is noticed: status 1' => sub {
    plan skip_all => 'there is no /dev/full here' unless -c '/dev/full';
    my %command = (
        'mlp --help' => [ '--help' ], 'mlp --version' => [ '--version' ],
        'mlp train --help' => [ 'train', '--help' ],
        'mlp train' => [ 'train', @small ], 'mlp circles' => [ 'circles' ],
        'mlp weights' => [ 'weights', '--model', $model ],
        'mlp regions' => [ 'regions', '--model', $model ],
        'mlp info' => [ 'info', $model ],
        'mlp predict' => [ 'predict', $model, $circles ],
        'mlp compare' => [ 'compare' ],
        'mlp time' => [ 'time', @small, qw(--epochs 1) ],
        'mlp evaluate' => [ 'evaluate', '--model', $model,
            '--test', $circles ],
    );
    for my $name (sort keys %command) {
        # Where more than a buffer is printed, the reason is lost before the end.
        refused("$name > /dev/full", 1,
            qr/standard output cannot be written: (No space|an earlier part)/,
            'bash', '-c', 'exec "$@" > /dev/full', 'bash', $MLP,
            @{$command{$name}});
        next if under_valgrind(); # which opens what is closed
        my ($status) = run('bash', '-c', 'exec "$@" >&-', 'bash', $MLP,
            @{$command{$name}});
        is $status, 1, "$name >&-";
    }
    my $log = "$dir/full.tsv";
    run('bash', '-c', 'exec "$@" > /dev/full', 'bash', $MLP, 'train', @small,
        '--log', $log);
    ok !-e $log, 'and a run that failed so leaves no log';
};

subtest 'a failing run leaves the folder as it was' => sub {
    my $here = folder();
    my @out = ('--log', "$here/log.tsv", '--save', "$here/model.onnx");
    my @runs = (
        [ 'diverging', 1, @small, qw(--rate 1e6 --l2-hidden 1) ],
        [ 'without data', 1, '--train', "$here/nosuch" ],
        [ 'with a wrong option', 2, @small, qw(--momentum 1) ],
        [ 'with an output that cannot be', 1, @small,
            '--save', "$here/no/such" ],
    );
    for my $earlier (0, 1) {
        write_file("$here/$_", "earlier $_")
            for $earlier ? qw(log.tsv model.onnx) : ();
        for (@runs) {
            my ($name, $expected, @options) = @$_;
            my ($status) = mlp('train', @out, @options);
            is $status, $expected, "a run $name fails";
            is listing($here), $earlier ? 'log.tsv model.onnx' : '',
                'and leaves no stray file';
            is contents("$here/$_"), "earlier $_", "and an earlier $_ alone"
                for $earlier ? qw(log.tsv model.onnx) : ();
        }
    }
    my ($status, $out, $err) = mlp('train', @out, @small);
    is "$status$err", '0', 'a run that succeeds';
    is listing($here), 'log.tsv model.onnx', 'replaces them';
    like contents("$here/log.tsv"), qr/\Aepoch/, 'by new ones';
};

subtest 'a diverging rate stops with a sentence that helps' => sub {
    refused('rate 1e6', 1, qr/epoch 1\b.*smaller --rate/,
        $MLP, 'train', @small, qw(--rate 1e6 --l2-hidden 1));
    refused('with momentum it names that too', 1,
        qr/epoch 1\b.*smaller --rate.*--momentum/, $MLP, 'train', @small,
        qw(--rate 1e6 --l2-hidden 1 --momentum 0.9));
    figure('rates that diverge and are told of in the first epoch', 2);
};

subtest 'the six numbers of every epoch, printed and in the log' => sub {
    my $log = "$dir/six.tsv";
    write_file("$dir/test.csv", join '', @rows[0 .. 199]);
    my ($status, $out, $err) = mlp('train', @small, '--validation', 500,
        '--test', "$dir/test.csv", '--log', $log, qw(--schedule linear));
    is $status, 0, 'training succeeds';
    is $err, '', 'and says nothing on stderr when that is no terminal';
    unlike $out, qr/\r/, 'no progress line goes into a pipe';
    my ($first) = split /\n/, contents($log);
    is $first, $header, 'the header of the log';
    my @log = table(contents($log));
    is join(' ', column('epoch', @log)), '1 2 3', 'a line for every epoch';
    my ($title, @printed) = split /\n/, $out;
    is scalar(@printed), 3, 'on stdout too';
    my @names = split /\t/, $header;
    for my $i (0 .. 2) {
        my @numbers = split ' ', $printed[$i];
        is scalar(@numbers), 7, 'epoch and six numbers';
        my @expected = ($log[$i]{epoch},
            map { /error/ ? sprintf '%.3f', 100 * $log[$i]{$_}
                          : sprintf '%.5f', $log[$i]{$_} } @names[2 .. 7]);
        is "@numbers", "@expected", 'are those of the log, rounded';
        ok close_to($log[$i]{rate}, 0.1 * (3 - $i) / 3, 1e-8),
            'the rate falls along a line';
    }
    my %size = (train => 560, valid => 500, test => 200);
    for my $set (sort keys %size) {
        my $wrong = $log[0]{"${set}_error"} * $size{$set};
        ok abs($wrong - sprintf('%.0f', $wrong)) < 1e-4,
            "the $set error is a number of examples by $size{$set}";
    }
    ($status, $out, $err) = mlp('train', @small, '--quiet', '--log', $log);
    is "$status$out$err", '0', '--quiet prints nothing';
    like contents($log), qr/\tnan\tnan\tnan\tnan\n\z/,
        'sets that were not given are nan in the log';
    ($status, $out) = mlp('train', @small);
    like $out, qr/ -\s+-\s+-\s+-\n\z/, 'and - in the table';
    write_file("$dir/large.csv", join '', map { "${_}000000,$_,"
        . $_ % 2 . "\n" } 10 .. 99);
    (undef, $out) = mlp('train', '--train', "$dir/large.csv", qw(--epochs 1
        --rate 1e-30 --standardize none --batch 10));
    like $out, qr/ \d\.\d{3}e\+\d\d /, 'a large loss keeps to its column';
};

subtest 'a progress bar goes to a terminal, and only there' => sub {
    local @ENV{qw(TERM SHELL)} = qw(xterm /bin/sh);
    plan skip_all => 'script(1) cannot make a terminal here'
        unless system('script -qec true /dev/null > /dev/null 2>&1') == 0;
    # The bar comes after a tenth of a second; the run takes about one.
    my @train = ('train', @small, qw(--validation 300 --batch 1 --hidden 64));
    my $time = -time;
    mlp(@train, qw(--epochs 100));
    $time += time;
    my $epochs = 60 + int(100 / $time);
    my $typed = sub {
        my ($command) = @_;
        return (run('script', '-qec', $command, '/dev/null'))[1];
    };
    my $train = join ' ', map { "'$_'" } $MLP, @train, '--epochs', $epochs;
    my $screen = $typed->("$train > '$dir/table'");
    like $screen, qr{\repoch\ \d+/$epochs\ \[\#*-*\]\ loss\ \d\.\d{4},
        \ valid\ \d+\.\d\d\ %\ \d\.\d{4},\ 0:00:\d\d\ left\ *\r}x,
        'with epoch, part of the epoch, losses and time left';
    like $screen, qr/\r {79}\r\z/, 'it is erased at the end';
    unlike $screen, qr/\n/, 'it stays on its line';
    is scalar(() = contents("$dir/table") =~ /\n/g), $epochs + 1,
        'and out of the table';
    unlike contents("$dir/table"), qr/\r|left/, 'altogether';
    unlike $typed->($train), qr/left *\r *\d/,
        'it makes room for a row of the table on the same terminal';
    like $typed->("$train --validation 0 > '$dir/table'"), qr/\[#+-*\] loss \d+\.\d{4}, 0:/,
        'without a validation set it says nothing of one';
    like $typed->("stty cols 40; $train > '$dir/table'"),
        qr/\A(?:\r[^\r\n]{39})+\r\z/, 'it is never wider than the terminal';
    is $typed->("$train --quiet > '$dir/table'"), '', '--quiet has none';
    is $typed->("TERM=dumb $train > '$dir/table'"), '',
        'nor a dumb terminal';
    is $typed->("$train --epochs 1 --batch 100 > '$dir/table'"), '',
        'nor a run of a tenth of a second';
    unlike $typed->($train), qr/\e/, 'there are no colours for NO_COLOR';
};

subtest 'a bare file: split, trained, stopped, saved, and told' => sub {
    my $here = folder();
    write_file("$here/rings.csv", join '', $names =~ s/label/kind/r,
        map { s/,0$/,inner/r =~ s/,1$/,outer/r } @rows[0 .. 299]);
    my $bare = sub { run_in($here, $MLP, 'train', 'rings.csv', @_) };
    my ($status, $out, $err) = $bare->(qw(--hidden 8 --log a.tsv));
    is $status, 0, 'the run succeeds';
    my @log = table(contents("$here/a.tsv"));
    my ($best) = sort { $a->{valid_loss} <=> $b->{valid_loss} } @log;
    my $last = $log[-1]{epoch};
    is $last, $best->{epoch} + 20, '20 epochs after the best one';
    is scalar(my @table = split /\n/, $out), $last + 1, 'a table on stdout';
    my $errors = sprintf '%.2f %% training %.2f %% validation',
        map { 100 * $best->{"${_}_error"} } qw(train valid);
    my $chosen = '--validation-fraction 0.2 --batch 15 --epochs 500 '
        . '--patience 20 --watch loss --save model.onnx';
    is $err, <<"END", 'and in words what it did';
300 examples of 2 features; 2 classes: inner (150), outer (150)
240 to learn from, 60 held out to validate
chosen: $chosen
best epoch $best->{epoch} of $last, error $errors; saved as model.onnx
END
    is listing($here), 'a.tsv model.onnx rings.csv', 'what it made';
    my $model = contents("$here/model.onnx");
    my ($again, $told, $said) = run_in($here, $MLP, qw(train --train rings.csv
        --hidden 8 --log b.tsv), split(' ', $chosen =~ s/model/explicit/r));
    is "$again$said", '0', 'the options that it printed, with --train';
    my $weights = sub { (run_in($here, $MLP, 'weights', $_[0]))[1] };
    ok $weights->('explicit.onnx') eq $weights->('model.onnx')
        && contents("$here/b.tsv") eq contents("$here/a.tsv") && $told eq $out,
        'make the same network, log and table to the byte';
    (undef, undef, $err) = $bare->(qw(--hidden 8));
    like $err, qr/saved as model.onnx, in place of an earlier one\n\z/,
        'an earlier model is replaced, and that is told';
    ($status, $out, $err) = $bare->(qw(--hidden 8 --quiet));
    is "$status$out$err", '0', '--quiet says nothing';
    ok contents("$here/model.onnx") eq $model, 'and trains the same';
    (undef, undef, $err) = $bare->(qw(--epochs 7 --validation 30 --batch 9
        --save x.onnx --patience 3 --watch error));
    like $err, qr/270 to learn from, 30 held out to validate\nbest/,
        'what is said is not chosen';
    (undef, undef, $err) = $bare->(qw(--epochs 7 --validation 0));
    like $err, qr/300 to learn from, 0 held .*\nchosen: --batch 17 --save/,
        'without a validation set there is no patience';
    like $err, qr/^last epoch 7 of 7, error \S+ % training; saved/m,
        'and the last network is saved';
    (undef, undef, $err) = $bare->(qw(--epochs 3 --validation 30
        --patience 2));
    like $err, qr/^chosen: --batch 16 --watch loss --save/m,
        'a number of examples takes the place of the fraction';
    (undef, undef, $err) = $bare->(qw(--epochs 3 --validation 0
        --validation-fraction 0.1));
    like $err, qr/^270 to learn .*\nchosen: --batch 16 --patience 20 --watch/m,
        'and a fraction of the user that of ours';
    refused('patience without a set to watch is a mistake here too', 2,
        qr/--patience is 2, but without/, $MLP, 'train', "$here/rings.csv",
        qw(--validation 0 --patience 2 --save), "$here/no.onnx");
    write_file("$here/many.csv", join '', map { "$_," . $_ % 25 . "\n" }
        1 .. 15000);
    (undef, undef, $err) = run_in($here, $MLP, qw(train many.csv --epochs 1
        --hidden 1 --save many.onnx));
    like $err, qr/^15000 examples of 1 features; 25 classes: 0 .*, 19 \(600\) and so on$/m,
        'twenty classes are listed';
    like $err, qr/^chosen: .* --batch 100 /m, 'and no minibatch is larger';
    unlink "$here/many.csv", "$here/many.onnx";
    (undef, undef, $err) = $bare->(qw(--epochs 2 --test rings.csv));
    like $err, qr/error \S+ % training \S+ % validation \S+ % test;/,
        'with a test file, its error is told too';
    ($status, $out, $err) = run_in($here, 'bash', '-c',
        'cat rings.csv | "$@"', 'bash', $MLP, qw(train - --hidden 8));
    is $status, 0, '- is a bare file';
    ok contents("$here/model.onnx") eq $model, 'and makes the same model';
};

subtest 'a bare file that cannot be trained on' => sub {
    my $here = folder();
    my @bare = ($MLP, 'train', 'x.csv');
    my $refused = sub {
        my ($name, $expected, $words, @command) = @_;
        my ($status, $out, $err) = run_in($here, @command);
        ok $status == $expected && one_sentence($err) && $err =~ $words, $name
            or diag "status $status: $err";
        is listing($here), 'x.csv', 'no other file is there';
    };
    write_file("$here/x.csv", "x,y,k\n1,2,a\n3,,b\n");
    $refused->('a hole', 1, qr/x\.csv:3:2: found an empty field/, @bare);
    write_file("$here/x.csv", "x,y,k\n1,2,a\n3,4,b\n");
    $refused->('one example of each class', 1, qr/nothing can be held out/,
        @bare);
    $refused->('two bare files', 2, qr/'y\.csv' is no option/, @bare,
        'y.csv');
    $refused->('a bare file and --train', 2, qr/'x\.csv' is no option/,
        @bare, qw(--train x.csv));
    $refused->('the data as the model', 2, qr/--train and --save are the same/,
        @bare, qw(--save x.csv));
    $refused->('no file', 2, qr/--train is missing/, $MLP, 'train');
    $refused->('a missing file', 1, qr/nosuch: .*No such file/, $MLP,
        qw(train nosuch));
    my (undef, $help) = mlp(qw(train --help));
    like $help, qr/^  mlp train \[OPTION\.\.\.\] TRAIN$/m,
        '--help tells of the argument';
    like $help, qr/default 20; 500 with a bare file/, 'and of its defaults';
};

subtest '--validation holds out the last N examples of the file' => sub {
    write_file("$dir/head.csv", join '', $names, @rows[0 .. 759]);
    write_file("$dir/tail.csv", join '', $names, @rows[760 .. 1059]);
    mlp('train', @small, qw(--validation 300 --quiet --log), "$dir/a.tsv");
    mlp('train', @small, '--train', "$dir/head.csv", '--test',
        "$dir/tail.csv", '--quiet', '--log', "$dir/b.tsv");
    my @a = table(contents("$dir/a.tsv"));
    my @b = table(contents("$dir/b.tsv"));
    is scalar(@b), 3, 'both runs have a log';
    for my $what (qw(error loss)) {
        is_deeply [ column("valid_$what", @a) ], [ column("test_$what", @b) ],
            "validation $what is that of tail";
        is_deeply [ column("train_$what", @a) ],
            [ column("train_$what", @b) ], "training $what is that of head";
    }
    my @sorted = sort { substr($a, -2) cmp substr($b, -2) } @rows;
    write_file("$dir/sorted.csv", join '', $names, @sorted);
    refused('a file sorted by class is refused with advice', 1,
        qr/class 1\b.*sorted.*shuffle/, $MLP, 'train', @small, '--train',
        "$dir/sorted.csv", qw(--validation 530));
    my ($status) = mlp('train', @small, '--train', "$dir/sorted.csv",
        qw(--validation 529 --quiet));
    is $status, 0, 'one example of the class is enough';
};

subtest '--validation-fraction takes its share of every class' => sub {
    # Of three classes of 50, 30 and 7 examples, whose one feature tells which
    # example it is, 20 % of 87 are 17: quotas 9.77, 5.86 and 1.37.
    my @all = map { my $c = $_; map { "$c$_" } 1 .. { 1 => 50, 2 => 30,
        3 => 7 }->{$c} } 1 .. 3;
    my $text = join '', map { "$_," . (qw(0 a b c))[substr $_, 0, 1] . "\n" }
        @all;
    my $held = sub {
        my ($fraction, $seed, $text) = @_;
        write_file("$dir/x.csv", $text);
        my (undef, undef, $err) = mlp('train', "$dir/x.csv", '--epochs', 0,
            '--validation-fraction', $fraction, '--seed', $seed, '--save',
            "$dir/x.onnx");
        return $err =~ /^(\d+) to learn from, (\d+) held/m ? $2 : $err;
    };
    is $held->(0.2, 1, $text), 17, 'as many as asked for, rounded';
    is $held->(0.01, 1, $text), 1, 'one';
    like $held->(0.001, 1, $text), qr/nothing can be held out of 87 examples/,
        'none is refused';
    is $held->(0.99, 1, $text), 84, 'every class keeps one to learn from';
    is $held->(0.5, 1, "1,0\n2,0\n3,1\n"), 1, 'also where one is all it has';
    like $held->(0.5, 1, "1,0\n2,1\n"), qr/nothing can be held out/,
        'with one example of each class there is nothing to hold out';
};

subtest 'loop and matrix gradients train alike, up to rounding' => sub {
    for ([ $MLP, 1e-4, 5 ], [ $DOUBLE, 1e-10, 0 ]) {
        my ($program, $relative, $examples) = @$_;
        my %log;
        for my $gradient (qw(loop matrix)) {
            my ($status) = run($program, 'train', @small, qw(--hidden 20),
                qw(--epochs 5 --validation 300 --rate 0.05 --momentum 0.5
                    --l1-hidden 1e-3 --l2-hidden 1e-3 --l1-output 1e-3
                    --l2-output 1e-3 --quiet), '--gradient', $gradient,
                '--log', "$dir/$gradient.tsv");
            is $status, 0, "$gradient trains";
            $log{$gradient} = contents("$dir/$gradient.tsv");
        }
        my @loop = table($log{loop});
        my @matrix = table($log{matrix});
        is scalar(@loop), 5, 'five epochs';
        for my $i (0 .. 4) {
            ok close_to($loop[$i]{$_}, $matrix[$i]{$_}, $relative),
                "$_ of epoch " . ($i + 1)
                for qw(train_loss valid_loss);
            ok abs($loop[$i]{valid_error} - $matrix[$i]{valid_error}) * 300
                <= $examples + 1e-6, 'the same errors';
        }
        isnt $log{loop}, $log{matrix}, 'yet two computations ran'
            if $program eq $MLP;
    }
};

subtest 'a seed fixes the log, the model and the output to the byte' => sub {
    my %made;
    my @seeds = ([ a => 7 ], [ b => 7 ], [ c => 8 ]);
    for (@seeds) {
        my ($name, $seed) = @$_;
        my (undef, $out) = mlp('train', @small, '--seed', $seed,
            '--log', "$dir/$name.tsv", '--save', "$dir/$name.onnx");
        $made{$name} = { log => contents("$dir/$name.tsv"), output => $out,
            model => contents("$dir/$name.onnx") };
    }
    for my $what (qw(log model output)) {
        ok $made{a}{$what} eq $made{b}{$what}, "the same seed, the same $what";
        ok $made{a}{$what} ne $made{c}{$what}, "another seed, another $what";
    }
};

subtest 'every option of training matters' => sub {
    my $log = "$dir/option.tsv";
    my $train = sub {
        unlink $log, "$dir/option.onnx";
        my ($status, undef, $err) = mlp('train', @small, '--quiet', '--log',
            $log, '--save', "$dir/option.onnx", @_);
        is $status, 0, "train @_" or diag $err;
        return contents($log) . contents("$dir/option.onnx");
    };
    my $plain = $train->();
    my %other = (batch => 30, rate => 0.2, momentum => 0.5, hidden => 5,
        schedule => 'cosine', standardize => 'none', epochs => 4,
        validation => 10, 'l1-hidden' => 0.1, 'l2-hidden' => 0.1,
        'l1-output' => 0.1, 'l2-output' => 0.1, gradient => 'loop',
        'validation-fraction' => 0.1, warmup => 1.5, shards => 3);
    ok $train->("--$_" => $other{$_}) ne $plain, "--$_ $other{$_}"
        for sort keys %other;
    ok $train->(qw(--standardize unit)) ne $plain, '--standardize unit';
    ok $train->(qw(--momentum 0.5 --nesterov)) ne $train->(qw(--momentum 0.5)),
        '--nesterov';
    ok $train->(qw(--l1-hidden 0.1 --proximal))
        ne $train->(qw(--l1-hidden 0.1)), '--proximal';
};

# 40 pictures of 4 by 3 pixels and of rank r, none of them symmetric.
sub pictures {
    my ($name, @shape) = @_;
    return (write_file("$dir/$name", pack('CCCCN*', 0, 0, 8, 1 + @shape, 40,
            @shape) . pack('C*', map { $_ * 37 % 251 } 1 .. 480)),
        write_file("$dir/$name-labels", pack('CCCCNC*', 0, 0, 8, 1, 40,
            map { $_ % 2 } 1 .. 40)));
}

subtest '--flip and --shift move training pictures, and no others' => sub {
    my ($images, $labels) = pictures('pictures', 4, 3);
    my $train = sub {
        my ($status, undef, $err) = mlp('train', '--train', $images,
            '--train-labels', $labels, '--test', $images, '--test-labels',
            $labels, qw(--validation 10 --batch 10 --hidden 3 --epochs 3
            --quiet --log), "$dir/moved.tsv", @_);
        is $status, 0, "train @_" or diag $err;
        return [ table(contents("$dir/moved.tsv")) ];
    };
    my $still = $train->();
    for ([ '--flip' ], [ '--shift', 1 ], [ '--flip', '--shift', 2 ]) {
        my $moved = $train->(@$_);
        isnt $moved->[0]{train_loss}, $still->[0]{train_loss},
            "@$_ changes training";
        is_deeply $train->(@$_), $moved, 'and repeats';
    }
    my @tiny = qw(--rate 1e-30);
    is_deeply [ column(valid_loss => @{$train->(@tiny, '--flip')}) ],
        [ column(valid_loss => @{$train->(@tiny)}) ],
        'at no rate to speak of, validation is what it was';
    isnt $train->(@tiny, '--flip')->[1]{train_loss},
        $train->(@tiny)->[1]{train_loss}, 'and training is not';
    refused('a shift out of the frame', 2, qr/--shift is 3.*4 by 3/, $MLP,
        'train', '--train', $images, '--train-labels', $labels,
        qw(--batch 10 --shift 3));
    ($images, $labels) = pictures('rows', 12);
    refused('rank 2 is no picture', 2, qr/--flip.*rank 3/, $MLP, 'train',
        '--train', $images, '--train-labels', $labels,
        qw(--batch 10 --flip));
};

subtest '--proximal makes exact zeros where the gradient makes none' => sub {
    is +(mlp('train', @small, qw(--proximal --l1-output 0.1 --quiet)))[0], 0,
        'in one layer, too';
    my $zeros = sub {
        mlp('train', @small, qw(--hidden 50 --epochs 50 --l1-hidden 0.02
            --quiet --save), "$dir/sparse.onnx", @_);
        my (undef, $out) = mlp('weights', '--model', "$dir/sparse.onnx",
            qw(--layer 1));
        return scalar grep { $_ == 0 }
            map { my (undef, @weights) = split /\t/; @weights } split /\n/, $out;
    };
    is $zeros->(), 0, 'none of 100 weights';
    cmp_ok $zeros->('--proximal'), '>', 20, 'many';
    cmp_ok $zeros->(qw(--proximal --momentum 0.5)), '>', 20, 'with momentum';
};

subtest '--patience stops, and restores the best epoch' => sub {
    write_file("$dir/tail.csv", join '', $names, @rows[760 .. 1059]);
    my ($status, $out) = mlp('train', @small, qw(--validation 300
        --epochs 200 --hidden 50 --rate 0.3 --patience 6 --log),
        "$dir/patience.tsv", '--save', "$dir/patience.onnx");
    is $status, 0, 'the run succeeds';
    my @log = table(contents("$dir/patience.tsv"));
    my ($best) = sort { $a->{valid_error} <=> $b->{valid_error}
        or $a->{epoch} <=> $b->{epoch} } @log;
    cmp_ok scalar(@log), '<', 200, 'it stops early';
    is $log[-1]{epoch}, $best->{epoch} + 6, 'six epochs after the best';
    cmp_ok $log[-1]{valid_error}, '>', $best->{valid_error},
        'the last epoch is not the best (or this test shows nothing)';
    (undef, $out) = mlp('evaluate', '--model', "$dir/patience.onnx",
        '--test', "$dir/tail.csv");
    my %verdict = $out =~ /^([a-z ]+)\t(\S+)$/mg;
    ok close_to($verdict{error}, $best->{valid_error}, 1e-8),
        'the saved network has the smallest validation error of the log';
    ok close_to($verdict{'mean loss'}, $best->{valid_loss}, 1e-5),
        'and the loss of that epoch';
};

subtest 'evaluate agrees with the log; its matrix counts' => sub {
    write_file("$dir/test.csv", join '', $names, @rows[0 .. 700]);
    mlp('train', @small, '--test', "$dir/test.csv", '--quiet',
        '--log', "$dir/e.tsv", '--save', "$dir/e.onnx");
    my @log = table(contents("$dir/e.tsv"));
    my ($status, $out) = mlp('evaluate', '--model', "$dir/e.onnx", '--test',
        "$dir/test.csv", '--predictions', "$dir/p.tsv");
    my %verdict = $out =~ /^([a-z ]+)\t(\S+)$/mg;
    is $verdict{examples}, 701, 'every example is judged';
    is $verdict{error}, $log[-1]{test_error}, 'the error is that of the log';
    ok close_to($verdict{'mean loss'}, $log[-1]{test_loss}, 1e-6),
        'and so is the loss';
    my %class;
    $class{ substr $_, -2, 1 }++ for @rows[0 .. 700];
    my ($matrix) = $out =~ /\n\n(true.*)\z/s;
    my $right = 0;
    my @matrix = table($matrix);
    for my $row (@matrix) {
        my $k = $row->{true};
        is $row->{0} + $row->{1}, $class{$k}, "row $k sums to its class";
        $right += $row->{$k};
    }
    ok close_to(1 - $right / 701, $verdict{error}, 1e-7),
        'what is off the diagonal is the error';
    my @p = table(contents("$dir/p.tsv"));
    is scalar(@p), 701, 'a prediction for every example';
    is join(' ', column('row', @p)), join(' ', 0 .. 700), 'in their order';
    is join(' ', column('label', @p)),
        join(' ', map { substr $_, -2, 1 } @rows[0 .. 700]),
        'with their labels';
    my ($sum, %cell) = (0);
    for (@p) {
        $sum += $_->{loss};
        $cell{"$_->{label} $_->{predicted}"}++;
    }
    ok close_to($sum / 701, $verdict{'mean loss'}, 1e-5), 'losses average';
    is_deeply { map { my $r = $_; map { ("$r->{true} $_", $r->{$_}) } 0, 1 }
        @matrix }, { map { ($_ => $cell{$_} // 0) } '0 0', '0 1', '1 0',
        '1 1' }, 'and their pairs are the matrix';
    my $inconsistent = grep { $_->{predicted} == $_->{label}
        && abs($_->{loss} + log $_->{probability}) > 1e-5 } @p;
    is $inconsistent, 0, 'the loss of a right answer is -ln of its probability';
};

# Logits of a network whose layers are lists of rows (bias, weights...).
sub probabilities {
    my ($hidden, $output, @x) = @_;
    my $layer = sub {
        my ($rows, @in) = @_;
        return map { my ($sum, @w) = @$_;
            $sum += $w[$_] * $in[$_] for 0 .. $#in; $sum } @$rows;
    };
    my @a = $layer->($output, map { $_ > 0 ? $_ : 0 } $layer->($hidden, @x));
    my $sum = 0;
    $sum += exp $_ for @a;
    return map { exp($_) / $sum } @a;
}

subtest 'weights and regions are those of an independent forward pass' => sub {
    my $file = "$dir/w.onnx";
    mlp('train', @small, qw(--standardize none --epochs 20 --rate 0.3
        --hidden 7 --quiet --save), $file);
    my (undef, $out) = mlp('weights', '--model', $file);
    my @layers = map { [ map { [ split /\t/ ] } split /\n/ ] }
        split /\n\n/, $out;
    is scalar(@layers), 2, 'two layers';
    is join(' ', map { scalar @$_ } @{$layers[0]}), '3 ' x 6 . '3',
        'seven hidden units with a bias and two weights';
    is join(' ', map { scalar @$_ } @{$layers[1]}), '8 8',
        'two classes with a bias and seven weights';
    is((mlp('weights', '--model', $file, '--layer', $_ + 1))[1],
        (split /(?<=\n)\n/, $out)[$_], '--layer ' . ($_ + 1)) for 0, 1;
    my (undef, $judged) = mlp('evaluate', '--model', $file, '--test',
        $circles, '--predictions', "$dir/w.tsv");
    my @p = table(contents("$dir/w.tsv"));
    my $bad = 0;
    for my $i (0 .. 99) {
        my ($x1, $x2, $y) = split /,/, $rows[$i];
        my @q = probabilities(@layers, $x1, $x2);
        my $k = $q[0] >= $q[1] ? 0 : 1;
        $bad++ unless $k == $p[$i]{predicted}
            && close_to($q[$k], $p[$i]{probability}, 1e-5)
            && abs(-log($q[$y]) - $p[$i]{loss}) < 1e-5;
    }
    is scalar(@p) . " $bad", '1060 0', 'predictions of 100 rows';

    my @edges = qw(--grid 11 --x-min -2 --x-max 3 --y-min -1 --y-max 4);
    (undef, $out) = mlp('regions', '--model', $file, @edges);
    my ($title, $body) = $out =~ /\A(.*)\n(.*)\z/s ? split(/\n/, $out, 2) : ();
    is $title, "x1\tx2\tclass\tp0\tp1", 'the header of the regions';
    my @blocks = split /\n\n/, $body;
    is scalar(@blocks), 11, 'a block for each x1';
    $bad = 0;
    for my $i (0 .. $#blocks) {
        my @lines = split /\n/, $blocks[$i];
        $bad++ unless @lines == 11;
        for my $j (0 .. $#lines) {
            my ($x1, $x2, $class, @given) = split /\t/, $lines[$j];
            my @q = probabilities(@layers, $x1, $x2);
            $bad++ unless abs($x1 - (-2 + $i / 2)) < 1e-6
                && abs($x2 - (-1 + $j / 2)) < 1e-6
                && $class == ($given[0] >= $given[1] ? 0 : 1)
                && abs($given[0] - $q[0]) < 1e-5
                && abs($given[1] - $q[1]) < 1e-5;
        }
    }
    is $bad, 0, 'each point of the grid has its class and probabilities';
    write_file("$dir/3.csv", "1,2,3,0\n4,5,7,1\n");
    mlp('train', '--train', "$dir/3.csv", qw(--batch 1 --epochs 1 --quiet
        --save), "$dir/3.onnx");
    refused('a network with three inputs has no regions', 1,
        qr/3 inputs/, $MLP, 'regions', '--model', "$dir/3.onnx");
};

subtest 'standardised inputs leave no trace for the user' => sub {
    # Ten times the data, standardised, is the same problem to the last bit
    # or two; the saved network takes the data as they are.
    my $ten = join '', $names, map { my @f = split /,/;
        join ',', $f[0] * 10 + 100, $f[1] * 10 - 50, $f[2] } @rows;
    write_file("$dir/ten.csv", $ten);
    my %error;
    for ([ one => $circles ], [ ten => "$dir/ten.csv" ]) {
        my ($name, $file) = @$_;
        my ($status) = run($DOUBLE, 'train', @small, '--train', $file,
            qw(--epochs 5 --quiet --save), "$dir/$name.onnx");
        is $status, 0, $name;
        (undef, $error{$name}) = run($DOUBLE, 'evaluate', '--model',
            "$dir/$name.onnx", '--test', $file);
    }
    my ($one, $ten_loss) = map { $error{$_} =~ /mean loss\t(\S+)/ } qw(one ten);
    ok close_to($one, $ten_loss, 1e-6), 'the unit of a feature is no matter';
};

subtest 'time' => sub {
    my @steps = table((mlp('time', @small, '--steps'))[1]);
    is join(' ', column('step', @steps)), 'gather forward backward blend',
        '--steps times what an iteration is made of';
    my $sum = 0;
    $sum += $_ for column('share', @steps);
    cmp_ok abs($sum - 1), '<', 1e-3, 'and the shares are of the whole';
    my ($status, $out) = mlp('time', @small, qw(--batch 10));
    is $status, 0, 'succeeds';
    my @times = table($out);
    is join(' ', column('gradient', @times)), 'loop matrix', 'times both';
    for (@times) {
        is "$_->{hidden} $_->{batch} $_->{examples}", '4 10 1060', 'sizes';
        ok $_->{seconds_min} > 0 && $_->{seconds_min} <= $_->{seconds_median}
            && $_->{seconds_median} <= $_->{seconds_max}, 'ordered times';
        # As far as the digits go: seconds have six after the point.
        my $seconds = $_->{seconds_median};
        my $rounding = 0.6e-6 / $seconds;
        ok abs($_->{examples_per_second} * $seconds - 1060)
            < 1060 * (0.001 + $rounding), 'examples a second';
        my $gflops = 1060 * (4 * 2 * 4 + 6 * 4 * 2) / 1e9 / $seconds;
        ok abs($_->{gflops} - $gflops) < 0.0051 + $gflops * $rounding,
            'floating-point operations';
    }
    is join(' ', column('gradient',
        table((mlp('time', @small, '--gradient', $_))[1]))), $_, "only $_"
        for qw(loop matrix);
    refused("a rate that diverges, $_", 1, qr/the loss is no longer a finite/,
        $MLP, 'time', @small, qw(--rate 1e6 --l2-hidden 1 --gradient), $_)
        for qw(loop matrix);
    refused('a missing file', 1, qr/nosuch.*No such file/, $MLP, 'time',
        '--train', "$dir/nosuch", @$_) for [], ['--steps'];
    refused('a batch larger than the file', 2, qr/--batch is 100.*90/, $MLP,
        'time', '--train', "$dir/large.csv", @$_) for [], ['--steps'];
};

subtest 'a user who says how OpenMP waits is obeyed' => sub {
    plan skip_all => 'there is no strace'
        if system('strace true > /dev/null 2>&1') != 0;
    plan skip_all => 'valgrind starts programs too' if under_valgrind();
    # (The leak checker of a sanitizer cannot work under strace.)
    local $ENV{ASAN_OPTIONS} = "$ENV{ASAN_OPTIONS}:detect_leaks=0"
        if $ENV{ASAN_OPTIONS};
    delete local @ENV{qw(GOMP_SPINCOUNT OMP_WAIT_POLICY)};
    for ([ 2 ], [ 1, 'GOMP_SPINCOUNT', 7 ], [ 1, 'OMP_WAIT_POLICY', 'active' ]) {
        my ($times, $name, $value) = @$_;
        local $ENV{$name} = $value if $name;
        my (undef, undef, $calls) = run(qw(strace -f -e trace=execve), $MLP,
            'weights', '--model', $model);
        is scalar(() = $calls =~ /^(?:\[pid +\d+\] )?execve\(/mg), $times, ($name
            // 'who does not') . ": the program is started $times times";
    }
};

subtest 'compare: the loop and the matrix products agree' => sub {
    for my $program ($MLP, $DOUBLE) {
        refused('a file that cannot be read', 1, qr/No such file/, $program,
            qw(compare --train nosuch));
        refused('one of a single class', 1, qr/nothing to learn/, $program,
            qw(compare --batch 1 --train), write_file("$dir/0.csv", "1,0\n"));
        refused('one that cannot be standardised', 1, qr/standardised/,
            $program, qw(compare --batch 2 --train), write_file("$dir/w.csv",
            $program eq $MLP ? "0,0\n1e-44,1\n" : "1e308,0\n-1e308,1\n"));
        my $most = $program eq $MLP ? '3e38' : '1.7e308';
        refused('a difference that is no number', 1, qr/differ by -?nan/,
            $program, qw(compare --standardize none --batch 2 --hidden 20
            --train), write_file("$dir/w.csv",
            "$most,$most,0\n$most,-$most,1\n"));
        for my $more ([], [qw(--inputs 30 --hidden 40 --classes 5 --batch 33
            --l1-hidden 0.1 --l2-output 0.2)], ['--train', $circles],
            [qw(--batch 1)]) {
            my ($status, $out, $err) = run($program, 'compare', @$more);
            is "$status$err", '0', "compare @$more";
            is join(' ', $out =~ /^(\w+) +\d\S+ +\d\S+ +\S+ +\S+$/mg),
                'W1 b1 W2 b2', 'each block is listed';
            my @norms = $out =~ /^\w+ +(\d\S+) +\d\S+ +\S+ +\S+$/mg;
            is scalar(grep { $_ > 0 } @norms), 4, 'and has a gradient';
        }
    }
};

subtest 'check-gradient' => sub {
    for my $method (qw(forward central five-point)) {
        for my $gradient (qw(loop matrix)) {
            my ($status, $out, $err) = run($DOUBLE, 'check-gradient',
                qw(--inputs 3 --hidden 4 --classes 3 --l1-hidden 0.01
                    --l2-hidden 0.02 --l1-output 0.03 --l2-output 0.04),
                '--method', $method, '--gradient', $gradient);
            is "$status$err", '0', "$method, $gradient: the gradient is right";
            my @lines = $out =~ /^([Wb][12]\[\S+\]) /mg;
            is scalar(@lines), 3 * 4 + 4 + 4 * 3 + 3, 'a line a parameter';
            my %seen;
            is scalar(grep { !$seen{$_}++ } @lines), 31, 'each once';
            my %of = $out =~ /^([a-z ]+)\t(\S+)$/mg;
            is $of{checked} + $of{kinks}, 31, 'checked or set aside';
            ok $of{'smallest ratio'} > 0.99 && $of{'largest ratio'} < 1.01,
                'ratios are near 1';
        }
    }
    my ($status, $out) = run($DOUBLE, 'check-gradient', '--summary', '--step',
        '1e-2');
    is $status, 0, '--summary takes any step';
    unlike $out, qr/W1/, 'and lists nothing';
    ($status) = run($DOUBLE, 'check-gradient', '--train', $circles);
    is $status, 0, 'examples from a file';
    refused('a step that proves nothing fails the check', 1,
        qr/relative error/, $DOUBLE, 'check-gradient',
        qw(--method central --step 0.1 --hidden 5));
    refused('single precision declines, with advice', 2, qr/mlp-double/,
        $MLP, 'check-gradient');
    my @data = ($DOUBLE, qw(check-gradient --standardize none --examples 1
        --train));
    write_file("$dir/wide.csv", "1.7e308,1.7e308,0\n1.7e308,-1.7e308,1\n");
    refused('a derivative that is no number', 1, qr/not a finite number/,
        @data, "$dir/wide.csv", qw(--hidden 20));
    write_file("$dir/coarse.csv", "1e9,0\n-1e9,1\n");
    refused('a difference too coarse', 1, qr/a ratio lies outside/,
        @data, "$dir/coarse.csv", qw(--hidden 8 --seed 3));
    # For some seeds the class is certain, and is the right one.
    write_file("$dir/far.csv", "1e6,1e6,0\n-1e6,1e6,1\n");
    ok((grep {
        my ($status, undef, $err) = run(@data, "$dir/far.csv", '--seed', $_);
        $status == 1
            && $err =~ /: every derivative is zero, so nothing has been checked/
    } 1 .. 20), 'nothing to be checked is no success');
};

subtest 'circles' => sub {
    my ($status, $out) = mlp('circles', qw(--examples 500 --seed 3));
    my @points = split /\n/, $out;
    is scalar(@points), 501, 'a header and a line for each example';
    is $points[0], 'x1,x2,label', 'the header';
    is substr($out, 0, length((mlp('circles',
        qw(--examples 200 --seed 3)))[1])),
        (mlp('circles', qw(--examples 200 --seed 3)))[1],
        'more examples begin with the same ones';
    isnt +(mlp('circles', qw(--examples 500 --seed 4)))[1], $out,
        'another seed, other examples';
    mlp('circles', qw(--examples 500 --seed 3 --output), "$dir/c.csv");
    is contents("$dir/c.csv"), $out, '--output writes the same';
    mlp('circles', qw(--output), "$dir/c.csv");
    isnt contents("$dir/c.csv"), $out, 'over what was there';
    (undef, $out) = mlp('circles', qw(--examples 100 --noise 0));
    my $bad = grep { my ($x, $y, $k) = split /,/;
        abs(sqrt($x * $x + $y * $y) - 1 - $k) > 2e-6 }
        grep { !/x1/ } split /\n/, $out;
    is $bad, 0, 'without noise, class k lies on the circle of radius 1 + k';
};

subtest 'Fashion-MNIST' => sub {
    plan skip_all => "Fashion-MNIST is not in $FASHION"
        if may_skip_fashion();
    my @files = map { "$FASHION/$_-ubyte.gz" } qw(train-images-idx3
        train-labels-idx1 t10k-images-idx3 t10k-labels-idx1);
    ok -e $_, "$_ is there" or return for @files;
    my @test = ('--test', $files[2], '--test-labels', $files[3]);
    my ($status, $out, $err) = mlp('train', '--train', $files[0],
        '--train-labels', $files[1], @test, qw(--hidden 32 --epochs 1
        --validation 5000 --quiet --log), "$dir/f.tsv", '--save',
        "$dir/f.onnx");
    is "$status$err", '0', 'one epoch';
    my ($log) = table(contents("$dir/f.tsv"));
    cmp_ok $log->{"${_}_error"}, '<', 0.25, "$_ error is under 25 %"
        for qw(train valid test);
    (undef, $out) = mlp('evaluate', '--model', "$dir/f.onnx", @test);
    my ($error) = $out =~ /^error\t(\S+)/m;
    is $error, $log->{test_error}, 'evaluate agrees with the log';
    my @rows = $out =~ /^\d((?:\t\d+){10})$/mg;
    is scalar(@rows), 10, 'ten classes';
    for (@rows) {
        my $sum = 0;
        $sum += $_ for split ' ';
        is $sum, 1000, 'each of 1000 examples';
    }
    # The same without gzip.
    for (2, 3) {
        my (undef, $raw) = run('gzip', '-dc', $files[$_]);
        write_file("$dir/raw$_", $raw);
    }
    my @short = qw(--hidden 8 --epochs 1 --quiet --log);
    mlp('train', '--train', $files[2], '--train-labels', $files[3], @short,
        "$dir/gz.tsv");
    mlp('train', '--train', "$dir/raw2", '--train-labels', "$dir/raw3",
        @short, "$dir/raw.tsv");
    ok length contents("$dir/gz.tsv"), 'gzipped files train';
    is contents("$dir/raw.tsv"), contents("$dir/gz.tsv"), 'raw ones alike';
};

subtest 'threads change the time, not a bit' => sub {
    plan skip_all => "Fashion-MNIST is not in $FASHION"
        if may_skip_fashion();
    plan skip_all => 'valgrind takes many times as long' if under_valgrind();
    my @data = ('--train', "$FASHION/t10k-images-idx3-ubyte.gz",
        '--train-labels', "$FASHION/t10k-labels-idx1-ubyte.gz");
    my $train = sub {
        my ($name, @more) = @_;
        my ($status, undef, $err) = mlp('train', @data, qw(--validation 1000
            --hidden 150 --epochs 2 --quiet --log), "$dir/$name.tsv",
            '--save', "$dir/$name.onnx", @more);
        is $status, 0, "$name trains";
        return (contents("$dir/$name.tsv"), contents("$dir/$name.onnx"),
            $err);
    };
    for my $momentum (qw(0 0.9)) {
        my ($log, $model) = $train->("one-$momentum", qw(--threads 1
            --l1-hidden 1e-5 --l2-hidden 1e-4 --momentum), $momentum);
        for my $threads (2, 4) {
            my ($log2, $model2) = $train->("$threads-$momentum",
                '--threads', $threads, qw(--l1-hidden 1e-5
                --l2-hidden 1e-4 --momentum), $momentum);
            is $log2, $log, "$threads threads, momentum $momentum: log";
            ok $model2 eq $model, 'and model';
        }
    }
    my $count = sub {
        my (undef, $out) = mlp('time', @data, qw(--hidden 8 --epochs 1
            --gradient matrix), @_);
        return (table($out))[0]{threads};
    };
    is $count->('--threads', 3), 3, '--threads 3';
    local $ENV{OMP_NUM_THREADS} = 2;
    is $count->(), 2, 'OMP_NUM_THREADS=2';
    is $count->('--threads', 1), 1, '--threads goes before it';
};

subtest 'no epochs: the network as it starts' => sub {
    my ($status) = mlp('train', '--train', "$TOP/data/circles.csv",
        qw(--epochs 0 --quiet --save), "$dir/start.onnx", '--log',
        "$dir/start.tsv");
    is $status, 0, 'train';
    is scalar(my @rows = table(contents("$dir/start.tsv"))), 0, 'no record';
    my (undef, $out) = mlp('weights', '--model', "$dir/start.onnx",
        qw(--layer 1));
    my @bias = map { (split /\t/)[0] } split /\n/, $out;
    is_deeply [map { $_ + 0 } @bias], [(0) x 100], 'zero biases';
};

done_testing;
