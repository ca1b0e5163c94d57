# Models: what is written, what is read, what other programs make of it, and the
# commands that use a trained one.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib ();
use JSON::PP ();
use MLP;
use Test::More;

my $dir = folder();
my $circles = "$TOP/data/circles.csv";
my $python = $ENV{PYTHON} // '/usr/bin/python3';
my $peers = "$TOP/tests/peers";
my @fashion = map { "$FASHION/t10k-$_-ubyte.gz" } qw(images-idx3 labels-idx1);

# A peer that is not installed: skip, visibly, but not where CI expects it.
sub lacks {
    my ($there, $what) = @_;
    return 0 if $there;
    my $why = "$what is not installed (make setup-peers)";
    fail($why), return 1 if $ENV{CI};
    diag("skipped: $why");
    plan skip_all => $why;
}

sub lacks_module {
    return lacks(system("$python -c 'import " . join(', ', @_)
        . "' 2> /dev/null") == 0, "@_ of Python");
}

sub poked {
    my ($text, $at, @bytes) = @_;
    substr($text, $at, scalar @bytes) = pack 'C*', @bytes;
    return $text;
}

sub json { return JSON::PP->new->utf8->decode($_[0]) }

my %model = (float => "$dir/float.onnx", double => "$dir/double.onnx");
my %program = (float => $MLP, double => $DOUBLE);
for (sort keys %model) {
    run($program{$_}, 'train', '--train', $circles, qw(--hidden 3 --epochs 3
        --batch 10 --quiet --save), $model{$_});
}

subtest 'a saved model is read back by both programs' => sub {
    my %weights;
    for my $made (sort keys %model) {
        for my $by (sort keys %program) {
            my ($status, $out, $err) = run($program{$by}, 'weights',
                '--model', $model{$made});
            is "$status$err", '0', "$made, by $by";
            $weights{"$made $by"} = [ split ' ', $out ];
        }
        my ($f, $d) = @weights{"$made float", "$made double"};
        is scalar(@$f), 3 * 3 + 2 * 4, 'all weights';
        is scalar(grep { !close_to($f->[$_], $d->[$_], 1e-7) } 0 .. $#$f), 0,
            'the same weights';
    }
};

subtest 'a model cut anywhere is refused' => sub {
    my $whole = contents($model{float});
    cmp_ok length $whole, '>', 300, 'there is something to cut';
    my $accepted = 0;
    my $sentences = 0;
    for my $n (map { 3 * $_ } 0 .. length($whole) / 3 - 1) {
        write_file("$dir/cut.onnx", substr $whole, 0, $n);
        my ($status, $out, $err) = mlp('weights', '--model', "$dir/cut.onnx");
        $accepted++ if $status != 1 || $out ne '';
        $sentences++ if one_sentence($err)
            && $err =~ /expected a whole one/;
    }
    is $accepted, 0, 'status 1 and nothing on stdout';
    is $sentences, int(length($whole) / 3), 'with a sentence';
};

subtest 'one wrong byte is refused, or changes names, notes or one number' => sub {
    my $whole = contents($model{float});
    my @numbers = map { split /\t/ } grep { length } split /\n/,
        (mlp('weights', $model{float}))[1];
    my (@wrong, %count);
    for (my $n = 0; $n < length $whole; $n += 3) {
        write_file("$dir/bad.onnx", poked($whole, $n,
            255 - ord substr $whole, $n, 1));
        my ($status, $out, $err) = mlp('weights', "$dir/bad.onnx");
        $count{$status}++;
        if ($status == 0) {
            my @now = map { split /\t/ } grep { length } split /\n/, $out;
            my $changed = grep { $numbers[$_] ne $now[$_] } 0 .. $#numbers;
            push @wrong, "byte $n: other numbers"
                if @now != @numbers || $changed > 1;
        } elsif ($status != 1 || !one_sentence($err) || $out ne '') {
            push @wrong, "byte $n: status $status, $err";
        }
    }
    is_deeply \@wrong, [], 'every third byte is tried';
    cmp_ok $count{$_}, '>', 50, "status $_ occurs" for 0, 1;
};

subtest 'what is no model of mlp is refused' => sub {
    my %bad = ('an empty file' => '', 'a text' => "hello\n",
        'a CSV file' => contents($circles),
        'a model and a byte' => contents($model{float}) . "\0",
        'two models' => contents($model{float}) x 2);
    refused($_, 1, qr/expected/, $MLP, 'weights', '--model',
        write_file("$dir/bad.onnx", $bad{$_})) for sort keys %bad;
    my $nan = contents($model{float});
    my $at = index($nan, pack('f<', (split /\t/, (mlp('weights', '--model',
        $model{float}, '--layer', 1))[1])[1]));
    cmp_ok $at, '>', 0, 'the first weight is found in the file';
    refused('a nan among the weights', 1, qr/finite/, $MLP, 'weights',
        '--model', write_file("$dir/bad.onnx", poked($nan, $at, 0, 0, 192,
            127)));
};

subtest 'ONNX: the checker accepts it, and numpy computes the same' => sub {
    return if lacks_module(qw(onnx numpy));
    my $script = write_file("$dir/check.py", <<'END');
# Runs a model node by node in numpy, as ONNX defines the operators, on the
# features of a CSV file, and prints one line of probabilities a row.
import sys
import numpy
import onnx
import onnx.checker
import onnx.numpy_helper
import onnx.shape_inference

model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
values = {t.name: onnx.numpy_helper.to_array(t)
          for t in model.graph.initializer}
kind = next(iter(values.values())).dtype
X = numpy.loadtxt(sys.argv[2], delimiter=",", skiprows=1)[:, :-1]
values[model.graph.input[0].name] = X.astype(kind)


def gemm(node, a, b, c):
    attributes = {x.name: onnx.helper.get_attribute_value(x)
                  for x in node.attribute}
    assert attributes == {"transB": 1}, attributes
    return a @ b.T + c


def softmax(node, a):
    attributes = {x.name: onnx.helper.get_attribute_value(x)
                  for x in node.attribute}
    assert attributes.get("axis", -1) in (1, -1), attributes
    e = numpy.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


operators = {"Sub": lambda node, a, b: a - b, "Mul": lambda node, a, b: a * b,
             "Relu": lambda node, a: numpy.maximum(a, 0),
             "Gemm": gemm, "Softmax": softmax}
for node in model.graph.node:
    values[node.output[0]] = operators[node.op_type](
        node, *(values[name] for name in node.input))
assert model.opset_import[0].version == 13
port = model.graph.output[0]
assert port.name == "probabilities"
assert [d.dim_param or d.dim_value
        for d in port.type.tensor_type.shape.dim] == ["N", 2]
print(kind, file=sys.stderr)
numpy.savetxt(sys.stdout, values[port.name], fmt="%.17g")
END
    my %type = (float => 'float32', double => 'float64');
    for my $made (sort keys %model) {
        my ($status, $out, $err) = run($python, $script, $model{$made},
            $circles);
        is $status, 0, "$made: the checker accepts it" or diag $err;
        is $err, "$type{$made}\n", "$made: the type of its numbers";
        my @numpy = map { [ split ' ' ] } split /\n/, $out;
        run($program{$made}, 'evaluate', '--model', $model{$made}, '--test',
            $circles, '--predictions', "$dir/p.tsv");
        my @ours = table(contents("$dir/p.tsv"));
        is scalar(@numpy), scalar(@ours), "$made: a line for each row";
        my $relative = $made eq 'float' ? 1e-5 : 1e-8; # printed: 9 digits
        my $bad = grep { my ($p, $q) = ($numpy[$_], $ours[$_]);
            !close_to($p->[$q->{predicted}], $q->{probability}, $relative)
                || $p->[$q->{predicted}] < $p->[1 - $q->{predicted}] - 1e-6
        } 0 .. $#ours;
        is $bad, 0, "$made: its probabilities are ours";
    }
};

# ---------------------------------------------------------- forms of a model
subtest 'the documented graph is accepted in any form, any other refused' => sub {
    return if lacks_module(qw(onnx numpy));
    my ($status, undef, $err) = run($python, '-B', "$peers/onnx_forms.py",
        $model{float}, "$dir/forms");
    is $status, 0, 'the forms are made' or return diag $err;
    my (undef, $weights) = mlp('weights', $model{float});
    my @same = split ' ', listing("$dir/forms/same");
    cmp_ok scalar(@same), '>', 15, 'there are many';
    for (@same) {
        my ($status, $out, $err) = mlp('weights', "$dir/forms/same/$_");
        is "$status$err", '0', "$_ is read";
        is $out, $weights, 'and has the same numbers';
    }
    my @other = split ' ', listing("$dir/forms/other");
    cmp_ok scalar(@other), '>', 60, 'and many others';
    refused("$_ is refused", 1, qr/\Q$_\E: found .+, expected /, $MLP,
        'weights', "$dir/forms/other/$_") for @other;
};

subtest 'a hostile model takes no more memory than a few times its size' => sub {
    plan skip_all => 'memory cannot be limited here' unless limit_memory();
    my $huge = "\x3a\x80\xc2\xd7\x2f" . "\x0a\0" x 50000000; # 100 MB of nodes
    refused('fifty million nodes are refused', 1, qr/more parts/, 'bash', '-c',
        'ulimit -v 800000; exec "$@"', 'bash', $MLP, 'weights',
        write_file("$dir/huge.onnx", $huge));
    unlink "$dir/huge.onnx";
};

# -------------------------------------------------------------- other readers
# A network that has seen a little of Fashion-MNIST, in both precisions, and
# the first test images as raw numbers.
my %fashion;
my $images = 1000;
if (!may_skip_fashion()) {
    my (undef, $pixels) = run('gzip', '-dc', $fashion[0]);
    my @pixels = unpack 'C*', substr $pixels, 16, 784 * $images;
    write_file("$dir/images", substr(poked($pixels, 4, unpack 'C4',
        pack 'N', $images), 0, 16 + 784 * $images));
    for ([ float => 'f<*' ], [ double => 'd<*' ]) {
        my ($type, $pack) = @$_;
        write_file("$dir/$type.raw", pack $pack, @pixels);
        $fashion{$type} = "$dir/fashion-$type.onnx";
        run($program{$type}, 'train', '--train', $fashion[0],
            '--train-labels', $fashion[1], qw(--hidden 32 --epochs 2 --quiet
            --save), $fashion{$type});
    }
}

# The largest difference between what a reader prints and our probabilities.
sub gap {
    my ($type, $theirs) = @_;
    my ($status, $ours) = run($program{$type}, 'predict', '--probabilities',
        $fashion{$type}, "$dir/images");
    is $status, 0, 'ours are there';
    my @ours = map { my (undef, @p) = split /\t/; [ @p ] }
        (split /\n/, $ours)[1 .. $images];
    is scalar(grep { @$_ == 10 } @ours), $images, 'of each image';
    my @theirs = map { [ split ' ' ] } split /\n/, $theirs;
    is scalar(@theirs), $images, 'a line for each image';
    my $gap = 0;
    for my $i (0 .. $#ours) {
        is scalar(@{$theirs[$i]}), 10, 'ten classes' if $i == 0;
        for my $k (0 .. 9) {
            my $d = abs($ours[$i][$k] - $theirs[$i][$k]);
            $gap = $d if !($d <= $gap); # also if it is no number
        }
    }
    return $gap;
}

subtest 'onnxruntime gives our probabilities for images of Fashion-MNIST' => sub {
    plan skip_all => "Fashion-MNIST is not in $FASHION" unless %fashion;
    return if lacks(system('node --version > /dev/null 2>&1') == 0, 'Node.js');
    return if lacks(-d "$TOP/generated/peers/node_modules/onnxruntime-web",
        'onnxruntime-web');
    for ([ float => 1e-6 ], [ double => 1e-12 ]) {
        my ($type, $tolerance) = @$_;
        my ($status, $out, $err) = run('bash', '-c',
            'exec node "$1" "$2" "$3" 784 "$4" < "$5"', 'bash',
            "$peers/onnxruntime.js", "$TOP/generated/peers", $fashion{$type},
            $type, "$dir/$type.raw");
        is "$status$err", '0', "$type: it runs the model";
        cmp_ok gap($type, $out), '<', $tolerance, "to $tolerance";
    }
};

subtest 'OpenCV gives our probabilities for images of Fashion-MNIST' => sub {
    plan skip_all => "Fashion-MNIST is not in $FASHION" unless %fashion;
    return if lacks_module(qw(cv2));
    my ($status, $out, $err) = run('bash', '-c',
        'exec "$1" -B "$2" "$3" 784 < "$4"', 'bash', $python,
        "$peers/onnx_opencv.py", $fashion{float}, "$dir/float.raw");
    is "$status$err", '0', 'it runs the model';
    cmp_ok gap('float', $out), '<', 1e-6, 'to 1e-6';
};

# ------------------------------------------------------------------- commands
my ($names, @rows) = split /^/, contents($circles);
my @xy = map { join ',', (split /,/)[0, 1] } @rows;

# The float model with other notes beside its graph.
sub with_notes {
    my ($name, %notes) = @_;
    my $text = contents($model{float});
    for my $key (sort keys %notes) {
        my $pair = varfield(1, "mlp.$key") . varfield(2, $notes{$key});
        $text .= varfield(14, $pair);
    }
    return write_file("$dir/$name.onnx", $text);
}

# A field of bytes as protocol buffers have it.
sub varfield {
    my ($number, $bytes) = @_;
    my ($length, $n) = ('', length $bytes);
    for (; $n >= 128; $n >>= 7) { $length .= chr($n % 128 + 128) }
    return chr(8 * $number + 2) . $length . chr($n) . $bytes;
}

my $named = with_notes('named', class_names => "in, \"ner\n\xc3\xa9%09t\xc3\xa9\n",
    feature_names => "width\nh\\eight\n");

subtest 'info: what is in a model' => sub {
    my ($status, $out, $err) = mlp('info', $model{float}, '--json');
    is "$status$err", '0', 'succeeds';
    my $info = json($out);
    is_deeply [ @$info{qw(inputs hidden_units classes parameters
        nonzero_hidden_weights nonzero_output_weights ignored_inputs seed)} ],
        [ 2, 3, 2, 17, 6, 6, 0, 1 ], 'sizes and seed';
    is_deeply [ @$info{qw(class_names feature_names)} ],
        [ undef, [ 'x1', 'x2' ] ], 'the names of the file';
    like $info->{training_options}, qr/^--header=auto .*--hidden=3 /,
        'the options in force';
    unlike $info->{training_options}, qr/$dir|--(train|save|quiet|threads)/,
        'but no file, and nothing that changes no number';
    is scalar(@{$info->{$_}}), 2, "the range of the $_" for qw(shift scale);
    my (undef, $again) = run($MLP, 'train', '--train', $circles, split(' ',
        $info->{training_options}), '--save', "$dir/again.onnx");
    ok contents("$dir/again.onnx") eq contents($model{float}),
        'trained with these, the same file comes out';
    my (undef, $text) = mlp('info', $model{float});
    like $text, qr/^hidden units +\t3$/m, 'the table has the sizes';
    like $text, qr/^class names +\t-$/m, 'a dash for what is not known';
    $info = json((mlp('info', $named, '--json'))[1]);
    is_deeply $info->{class_names}, [ 'in, "ner', "\x{e9}\tt\x{e9}" ],
        'names of classes, as JSON';
    is_deeply $info->{feature_names}, [ 'width', 'h\eight' ],
        'names of features';
    (undef, $text) = mlp('info', $named);
    like $text, qr/^class names +\tin, "ner, \xc3\xa9\\tt\xc3\xa9$/m,
        'and in the table';
    my $odd = json((mlp('info', '--json', with_notes('odd', training_options =>
        "\x01 \"\\\n", data_sha256 => "\xff")))[1]);
    is $odd->{training_options}, "\x01 \"\\\n", 'any text is good JSON';
    is $odd->{data_sha256}, "\x{fffd}", 'even what is not UTF-8';
    mlp('train', '--train', $circles, qw(--hidden 3 --l1-hidden 1 --epochs 0
        --quiet --seed 7 --save), "$dir/seven.onnx");
    is json((mlp('info', "$dir/seven.onnx", '--json'))[1])->{seed}, 7,
        'another seed';
    my $bare = "$TOP/tests/fuzz/corpus/model/without-notes.onnx";
    (undef, $text) = mlp('info', $bare);
    like $text, qr/^$_ +\t-$/m, "without notes, $_: a dash" for 'training options',
        'feature names', 'seed', 'data SHA-256';
    $info = json((mlp('info', $bare, '--json'))[1]);
    is_deeply [ @$info{qw(feature_names training_options seed data_sha256)} ],
        [ (undef) x 4 ], 'and null in JSON';
    refused('a file that is not there', 1, qr/nosuch.*No such file/, $MLP,
        'info', "$dir/nosuch");
};

subtest 'predict: the same classes whatever is asked for' => sub {
    my (undef, $out) = mlp('evaluate', $model{float}, $circles,
        '--predictions', "$dir/p.tsv");
    my @rows_out = table(contents("$dir/p.tsv"));
    my @expected = column('predicted', @rows_out);
    is scalar(grep { $_ } @expected) * scalar(grep { !$_ } @expected) > 0, 1,
        'both classes are predicted';
    my $bare = write_file("$dir/bare.csv", join "\n", @xy, '');
    my $headed = write_file("$dir/headed.csv", join "\n", 'x1,x2', @xy, '');
    for ([ 'with labels', $circles ], [ 'without', $bare ],
        [ 'without, but with a header', $headed ]) {
        my ($name, $file) = @$_;
        my ($status, $out, $err) = mlp('predict', $model{float}, $file);
        is "$status$err", '0', "data $name";
        is $out, join("\n", 'class', @expected, ''), "data $name: the classes";
    }
    is +(mlp('predict', '--data', $bare, $model{float}))[1],
        (mlp('predict', $model{float}, $bare))[1],
        'an option by name leaves the other place';
    (undef, $out) = run('bash', '-c', '"$0" predict "$1" <(cat "$2")', $MLP,
        $model{float}, $bare);
    is $out, join("\n", 'class', @expected, ''), 'data through a named pipe';
    (undef, $out) = run('bash', '-c', '"$0" predict "$1" - < "$2"', $MLP,
        $model{float}, $bare);
    is $out, join("\n", 'class', @expected, ''), 'and the standard input';
    (undef, $out) = mlp('predict', '--probabilities', $model{float}, $bare);
    my @table = table($out);
    is_deeply [ column('class', @table) ], \@expected, 'with probabilities';
    my $bad = grep { my $r = $table[$_];
        abs($r->{0} + $r->{1} - 1) > 1e-6
            || !close_to($r->{$r->{class}}, $rows_out[$_]{probability}, 1e-8)
    } 0 .. $#table;
    is $bad, 0, 'which are those of evaluate, and sum to 1';
    my $list = json((mlp('predict', $named, $bare, qw(--format json
        --probabilities)))[1]);
    my @names = ('in, "ner', "\x{e9}\tt\x{e9}");
    is_deeply [ map { $_->{class} } @$list ], [ @names[@expected] ],
        'JSON: an array of the same classes, by name';
    is scalar(grep { my $r = $list->[$_];
        $r->{probabilities}{$names[0]} != $table[$_]{0} } 0 .. $#table), 0,
        'and the same probabilities';
    (undef, $out) = mlp('predict', $named, $bare, qw(--format csv
        --probabilities));
    my ($head, @lines) = split /\n/, $out;
    is $head, qq(class,"in, ""ner",\xc3\xa9\tt\xc3\xa9),
        'CSV: quotes around a name with a comma';
    is scalar(grep { !/^("in, ""ner"|\xc3\xa9\tt\xc3\xa9)(,[0-9.e-]+){2}$/ }
        @lines), 0, 'in every line';
    (undef, $out) = mlp('predict', $named, $bare);
    is join(' ', uniq(split /\n/, $out)),
        'class in, "ner ' . "\xc3\xa9\\tt\xc3\xa9", 'TSV: \t for a tab';
    is +(json((mlp('predict', $named, $bare, qw(--format json)))[1]))->[0]
        {class}, $names[$expected[0]], 'JSON without probabilities';
};

sub uniq { my %seen; return sort grep { !$seen{$_}++ } @_ }

subtest 'predict: data that do not fit are refused' => sub {
    my $refused = sub {
        my ($name, $words, $text) = @_;
        refused($name, 1, $words, $MLP, 'predict', $model{float},
            write_file("$dir/x.csv", $text));
    };
    $refused->('a column too few', qr/1 column, expected 3: 2 features and perhaps/,
        "1\n2\n");
    $refused->('two columns too many', qr/4 columns, expected 3/,
        "1,2,3,0\n");
    $refused->('a last column that is no class', qr/x\.csv:1:3: .*a class/,
        "1,2,3.5\n");
    $refused->('a class that the model lacks', qr/"7", expected a class of/,
        "1,2,7\n");
    $refused->('a word among the numbers', qr/x\.csv:2:1: .*number/,
        "1,2\nx,2\n");
    $refused->('nothing', qr/end of the file/, "x1,x2\n");
    refused('no class where --label says that there is one', 1,
        qr/2 columns, expected 3/, $MLP, 'predict', $model{float},
        write_file("$dir/x.csv", "1,2\n"), qw(--label 1));
    refused('images that are cut', 1, qr/header/, $MLP, 'predict',
        $model{float}, write_file("$dir/one", "\0\0\10\3\0\0"));
    refused('images of another size', 1, qr/length 784, where 2/, $MLP,
        'predict', $model{float}, write_file("$dir/one", "\0\0\10\3"
            . pack('N3', 1, 28, 28) . "\1" x 784));
};

subtest 'predict: images need no labels' => sub {
    plan skip_all => "Fashion-MNIST is not in $FASHION" unless %fashion;
    my ($status, $out, $err) = mlp('predict', $fashion{float}, $fashion[0]);
    is "$status$err", '0', 'gzipped ones';
    my (undef, @classes) = split /\n/, $out;
    is scalar(@classes), 10000, 'a line for each image';
    my (undef, $text) = mlp('evaluate', $fashion{float}, $fashion[0],
        '--test-labels', $fashion[1], '--predictions', "$dir/p.tsv");
    is_deeply \@classes, [ column('predicted', table(contents("$dir/p.tsv"))) ],
        'the same as evaluate predicts';
};

# What evaluate should say, computed from its table of predictions.
sub judged {
    my ($m, @rows) = @_;
    my (@confusion, @bins, %sum);
    push @confusion, [ (0) x $m ] for 1 .. $m;
    push @bins, { n => 0, right => 0, confidence => 0 } for 1 .. 10;
    for (@rows) {
        my ($y, $k, $p) = @$_{qw(label predicted probability)};
        $confusion[$y][$k]++;
        my $b = $p >= 1 ? 9 : int 10 * $p;
        $bins[$b]{n}++;
        $bins[$b]{right} += $y == $k;
        $bins[$b]{confidence} += $p;
        $sum{loss} += $_->{loss};
        $sum{errors} += $y != $k;
    }
    my $ece = 0;
    $ece += $_->{n} && $_->{n} / @rows
        * abs($_->{right} / $_->{n} - $_->{confidence} / $_->{n}) for @bins;
    return (\@confusion, \@bins, $ece, $sum{loss} / @rows,
        $sum{errors} / @rows);
}

subtest 'evaluate: every number follows from the predictions' => sub {
    my @sets = ([ $model{float}, 2, $circles ]);
    push @sets, [ $fashion{float}, 10, $fashion[0], '--test-labels',
        $fashion[1] ] if %fashion;
    for (@sets) {
        my ($file, $m, @data) = @$_;
        my ($status, $out, $err) = mlp('evaluate', $file, @data, '--json',
            '--predictions', "$dir/p.tsv");
        is "$status$err", '0', "$m classes";
        my $v = json($out);
        my @rows = table(contents("$dir/p.tsv"));
        my ($confusion, $bins, $ece, $loss, $error) = judged($m, @rows);
        is $v->{examples}, scalar(@rows), 'examples';
        is_deeply $v->{confusion}, $confusion, 'confusion matrix';
        ok close_to($v->{error}, $error, 1e-8), 'error';
        ok close_to($v->{mean_loss}, $loss, 1e-6), 'mean loss';
        ok close_to($v->{calibration_error}, $ece, 1e-5), 'calibration error';
        is_deeply [ map { $_->{examples} } @{$v->{calibration}} ],
            [ map { $_->{n} } @$bins ], 'examples in each bin';
        my %mean;
        for my $k (0 .. $m - 1) {
            my ($found, $named, $of) = ($confusion->[$k][$k], 0, 0);
            $named += $_->[$k] for @$confusion;
            $of += $_ for @{$confusion->[$k]};
            my %score = (precision => $named ? $found / $named : 0,
                recall => $found / $of);
            $score{f1} = $found == 0 ? 0 : 2 / (1 / $score{precision}
                + 1 / $score{recall});
            my $class = $v->{classes}[$k];
            is "$class->{name} $class->{examples}", "$k $of", "class $k";
            ok close_to($class->{$_}, $score{$_}, 1e-8), "its $_"
                for sort keys %score;
            $mean{$_} += $score{$_} / $m for keys %score;
        }
        ok close_to($v->{macro_average}{$_}, $mean{$_}, 1e-8), "mean $_"
            for sort keys %mean;
        my (undef, $text) = mlp('evaluate', $file, @data);
        my ($table) = $text =~ /\n(true\t.*)\z/s;
        is_deeply [ map { my (undef, @n) = split /\t/; \@n }
            (split /\n/, $table)[1 .. $m] ], $confusion,
            'the last table is the confusion matrix too';
        is +($text =~ /^error\t(\S+)$/m)[0], $v->{error}, 'the same error';
    }
};

subtest 'evaluate: classes without examples are not judged' => sub {
    my @first = grep { /,0$/ } map { s/\s+\z//r } @rows;
    my $only = write_file("$dir/only.csv", join "\n", @first, '');
    my $v = json((mlp('evaluate', $model{float}, $only, '--json'))[1]);
    is_deeply $v->{classes}[1], { name => '1', examples => 0,
        precision => undef, recall => undef, f1 => undef }, 'null in JSON';
    is_deeply { %{$v->{macro_average}}, name => '0' }, $v->{classes}[0],
        'and not in the average';
    my (undef, $text) = mlp('evaluate', $model{float}, $only);
    like $text, qr/^1 +\t +-\t +-\t +-\t0$/m, 'a dash in the table';
    my $empty = grep { $_->{examples} == 0 } @{$v->{calibration}};
    is scalar(grep { !defined $_->{right} && !defined $_->{confidence} }
        @{$v->{calibration}}), $empty, 'nor are bins without examples';
};

# The network with all its parameters this many times as large.
sub enlarged {
    my ($times) = @_;
    my $file = contents($model{float});
    my %seen;
    for (split /\s+/, (mlp('weights', '--model', $model{float}))[1]) {
        next if $seen{$_}++;
        my ($old, $new) = (pack('f<', $_), pack 'f<', $_ * $times);
        $file =~ s/\Q$old\E/$new/g;
    }
    return write_file("$dir/enlarged.onnx", $file);
}

subtest 'a network that is certain, and one beyond all numbers' => sub {
    my $v = json((mlp('evaluate', enlarged(1e4), $circles, '--json'))[1]);
    is $v->{calibration}[9]{confidence}, 1, 'confidence 1 is in the last bin';
    my $file = enlarged(1e38);
    my (undef, $out) = mlp('predict', $file, $circles, qw(--probabilities
        --format json));
    is scalar(@{json($out)}), scalar(@rows), 'all examples are in the JSON';
    like $out, qr/"0": null, "1": null/, 'with null for what is no number';
    $v = json((mlp('evaluate', $file, $circles, '--json'))[1]);
    is $v->{mean_loss}, undef, 'and so is the loss';
};

subtest 'evaluate: long names are no wider than a line' => sub {
    my $long = 'a name of more than forty characters in all as said';
    my $model = with_notes('long', class_names => "$long\nb\n");
    my (undef, $text) = mlp('evaluate', $model, write_file("$dir/long.csv",
        join '', map { s/,0$/,$long/r =~ s/,1$/,b/r } @rows));
    like $text, qr/^$long\t/m, 'a long one';
    like $text, qr/^b {39}\t/m, 'a short one below it';
};

subtest 'evaluate: names of classes in all tables' => sub {
    my $model = with_notes('quoted', class_names => "in, \"ner\n\xc3\xa9\n");
    my $file = write_file("$dir/quoted.csv", join '',
        map { s/,0$/,"in, ""ner"/r =~ s/,1$/,\xc3\xa9/r } @rows);
    my (undef, $text) = mlp('evaluate', $model, $file, '--predictions',
        "$dir/p.tsv");
    like $text, qr/^true +\tin, "ner\t\xc3\xa9 +$/m, 'confusion';
    like $text, qr/^\xc3\xa9 +\t +[0-9.]+\t/m, 'scores';
    like contents("$dir/p.tsv"), qr/^0\t(\S.*)\t(\S.*)\t[0-9.e-]+\t/m,
        'predictions';
    my $v = json((mlp('evaluate', $model, $file, '--json'))[1]);
    is $v->{classes}[1]{name}, "\x{e9}", 'JSON';
};

done_testing;
