# Data files that mlp reads and writes: IDX, CSV, the circles. Whatever is
# wrong with a file is said in one sentence, and nothing is trained on it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib ();
use IO::Socket::INET;
use MLP;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;

my $dir = folder();
my $circles = "$TOP/data/circles.csv";
my @brief = qw(--hidden 2 --epochs 1 --batch 1 --quiet);

subtest 'the circles in data/ are what mlp circles makes' => sub {
    for my $program ($MLP, $DOUBLE) {
        my ($status, $out) = run($program, 'circles',
            qw(--examples 1060 --noise 0.45 --seed 2));
        ok $status == 0 && $out eq contents($circles), 'byte for byte';
    }
};

# --------------------------------------------------------------------- IDX
my $images = "\0\0\10\3" . pack('N3', 4, 2, 3) . pack('C*', 1 .. 24);
my $labels = "\0\0\10\1" . pack('N', 4) . pack('C*', 0, 1, 0, 1);

sub gzip { return Compress::Zlib::memGzip($_[0]) }

# Status and stderr of training on these images and labels.
sub train_idx {
    my ($i, $l, @more) = @_;
    write_file("$dir/images", $i);
    write_file("$dir/labels", $l);
    return mlp('train', '--train', "$dir/images", '--train-labels',
        "$dir/labels", @brief, @more);
}

sub bad_idx {
    my ($name, $words, $i, $l) = @_;
    write_file("$dir/images", $i);
    write_file("$dir/labels", $l);
    refused("$name: refused", 1, $words, $MLP, 'train', '--train',
        "$dir/images", '--train-labels', "$dir/labels", @brief);
}

sub poked {
    my ($text, $at, @bytes) = @_;
    substr($text, $at, scalar @bytes) = pack 'C*', @bytes;
    return $text;
}

subtest 'good IDX files, gzipped or not, train alike' => sub {
    my %log;
    my @files = ([ 'raw', $images, $labels ],
        [ 'gzipped', gzip($images), gzip($labels) ],
        [ 'mixed', gzip($images), $labels ],
        [ 'in two members', gzip(substr $images, 0, 9)
            . gzip(substr $images, 9), $labels ],
        [ 'of rank 2', "\0\0\10\2" . pack('N2', 4, 6)
            . pack('C*', 1 .. 24), $labels ]);
    for (@files) {
        my ($name, $i, $l) = @$_;
        my ($status, $out, $err) = train_idx($i, $l, '--log', "$dir/log");
        is "$status$out$err", '0', $name;
        $log{$name} = contents("$dir/log");
        same($log{raw}, $log{$name}, "$name: the same log");
    }
};

subtest 'a cut IDX file is refused wherever it is cut' => sub {
    for ([ 'images', $images, 16 ], [ 'labels', $labels, 8 ]) {
        my ($name, $whole, $header) = @$_;
        for my $n (0 .. length($whole) - 1) {
            my $cut = substr $whole, 0, $n;
            my $got = $n - $header;
            bad_idx("$name cut after $n bytes",
                $n < $header ? qr/$name: .*end of the file inside the header/
                    : qr/$name: found ($got elements|a file of $n bytes), expected/,
                $name eq 'images' ? ($cut, $labels) : ($images, $cut));
        }
        my $packed = gzip($whole);
        for my $n (0 .. length($packed) - 1) {
            my $cut = substr $packed, 0, $n;
            bad_idx("gzipped $name cut after $n bytes", qr/$name: found .*(end of the file|00 00 08)/,
                $name eq 'images' ? ($cut, $labels) : ($images, $cut));
        }
    }
};

subtest 'a wrong IDX file is refused in words that fit' => sub {
    my $packed = gzip($images);
    bad_idx('images and labels exchanged', qr/rank [13].*exchanged/,
        $labels, $images);
    bad_idx('labels twice', qr/images: .*rank 1.*exchanged/, $labels, $labels);
    bad_idx('another type', qr/00 00 0d .*expected 00 00 08/,
        poked($images, 2, 13), $labels);
    bad_idx('no zeros first', qr/40 00 08 .*expected 00 00 08/,
        poked($images, 0, 64), $labels);
    bad_idx('a text file', qr/expected 00 00 08/, "a,b,c\n1,2,0\n", $labels);
    bad_idx('rank 0', qr/rank 0/, poked($labels, 3, 0), $labels);
    bad_idx('no images', qr/size of 0/, poked($images, 7, 0), $labels);
    bad_idx('no rows of pixels', qr/size of 0/, poked($images, 11, 0),
        $labels);
    bad_idx('fewer labels than images', qr/3 labels.*4.*each image/, $images,
        substr poked($labels, 7, 3), 0, 11);
    bad_idx('more labels than images', qr/5 labels.*4.*each image/, $images,
        poked($labels, 7, 5) . "\0");
    bad_idx('a byte too many', qr/more than 24/, $images . "\0", $labels);
    bad_idx('a byte too many within gzip', qr/more than 24/,
        gzip($images . "\0"), $labels);
    bad_idx('sizes that overflow', qr/overflow/,
        poked($images, 4, (255) x 12), $labels);
    bad_idx('a size beyond the file', qr/file of 40 bytes/,
        poked($images, 4, 64), $labels);
    bad_idx('the same within gzip', qr/bytes, expected/,
        gzip(poked($images, 4, 255)), $labels);
    bad_idx('junk after gzip', qr/junk after the gzip data/, $packed . 'junk',
        $labels);
    bad_idx('zeros after gzip', qr/junk/, $packed . "\0\0", $labels);
    bad_idx('a damaged checksum', qr/damaged gzip/,
        poked($packed, length($packed) - 8, 1, 2, 3, 4), $labels);
    bad_idx('a damaged length', qr/damaged gzip/,
        poked($packed, length($packed) - 1, 9), $labels);
    bad_idx('gzipped twice', qr/expected 00 00 08/, gzip($packed), $labels);
    bad_idx('an empty file', qr/end of the file/, '', $labels);
    bad_idx('a class left out', qr/class 1, yet .* 2;/, $images,
        poked($labels, 8, 0, 2, 0, 2));
    bad_idx('one class only', qr/all .*class 0/, $images,
        poked($labels, 8, 0, 0, 0, 0));
    refused('a missing file', 1, qr/nosuch: .*No such file/, $MLP, 'train',
        '--train', "$dir/nosuch", '--train-labels', "$dir/labels", @brief);
    refused('a folder', 1, qr/directory/, $MLP, 'train',
        '--train', $dir, '--train-labels', "$dir/labels", @brief);
};

# --------------------------------------------------------------------- CSV
# Status, stdout, stderr and log of training on this text.
sub train_csv {
    my ($text, @more) = @_;
    write_file("$dir/x.csv", $text);
    unlink "$dir/log";
    my @result = mlp('train', '--train', "$dir/x.csv", @brief, '--log',
        "$dir/log", @more);
    return (@result, contents("$dir/log"));
}

# These texts and options train without a word, and to the same log.
sub same_logs {
    my ($first, @others) = @_;
    my ($name, @run) = @$first;
    my ($status, $out, $err, $log) = train_csv(@run);
    is "$status$out$err", '0', $name;
    for (@others) {
        my ($other, @run) = @$_;
        my ($status, $out, $err, $same) = train_csv(@run);
        is "$status$out$err", '0', $other;
        same($log, $same, "$other: the same log as $name");
    }
    return $log;
}

sub bad_csv {
    my ($name, $place, $words, $text, @more) = @_;
    write_file("$dir/x.csv", $text);
    refused("$name: refused", 1, qr/x\.csv:$place: found .*$words/s, $MLP,
        'train', '--train', "$dir/x.csv", @brief, @more);
}

subtest 'the same numbers in any good spelling of CSV train alike' => sub {
    my $plain = "1,2,0\n-3.5,40,1\n5,6,0\n0.25,8,1\n";
    my $crlf = $plain =~ s/\n/\r\n/gr;
    my %same = (
        'CRLF' => $crlf, 'CR' => $plain =~ s/\n/\r/gr,
        'no line end at the end' => $plain =~ s/\n\z//r,
        'empty lines at the end' => "$plain\n\n", 'a header' =>
            "x1,x2,label\n$plain", 'a header and CRLF' => "x,y,z\r\n$crlf",
        'a byte order mark' => "\xef\xbb\xbf$plain",
        'a byte order mark, a header and CRLF' =>
            "\xef\xbb\xbfa,b,label\r\n$crlf",
        'quoted fields' => $plain =~ s/(-3.5|6)/"$1"/gr,
        'a header with a line end in quotes' => "\"x\n1\",x2,label\n$plain",
        'blanks around fields' => $plain =~ s/,/ ,\t/gr,
        'other decimals' => $plain =~ s/40/4e+1/r =~ s/0\.25/.25/r
            =~ s/^1,/+1.0,/r,
        'gzipped' => gzip($plain), 'gzipped with a byte order mark' =>
            gzip("\xef\xbb\xbf$crlf"), 'gzipped in two members' =>
            gzip(substr $plain, 0, 9) . gzip(substr $plain, 9),
    );
    same_logs([ plain => $plain ], map { [ $_ => $same{$_} ] }
        sort keys %same);
};

subtest 'a line end may fall anywhere in a piece that is read at once' => sub {
    my $rows = join '', map { sprintf "%d,%d,%d\n", $_, 7 * $_ % 100, $_ % 2 }
        1 .. 3000;
    my $crlf = $rows =~ s/\n/\r\n/gr;
    same_logs([ plain => $rows ], map { my $pad = $_; map { [ "CRLF, $pad more"
            => 'x' x $pad . ",y,k\r\n$crlf" ] } $pad } 1 .. 10);
};

subtest 'the first row is a header if it has names and no numbers' => sub {
    my $rows = "1,2,0\n-3.5,40,1\n5,6,0\n0.25,8,1\n";
    my $named = "x,y,kind\n$rows";
    my $years = "1990,1991,kind\n$rows";
    same_logs([ 'no header' => $rows ], [ 'a header' => $named ],
        [ 'a header that does not name the class' => "x,y,\n$rows" ],
        [ 'a number as the name of the class' => "x,y,0\n$rows" ],
        [ 'a column without a name' => ",y,kind\n$rows" ],
        [ 'a header, as said' => $named, qw(--header yes) ],
        [ 'no header, as said' => $rows, qw(--header no) ],
        [ 'a header of numbers, as said' => $years, qw(--header yes) ]);
    my (undef, undef, undef, $four) = train_csv($rows);
    my (undef, undef, undef, $three) = train_csv($rows, qw(--header yes));
    isnt $three, $four, '--header yes takes the first row away';
    bad_csv('a header of numbers', '1:3',
        qr/"kind" as a class in no other row.*--header yes/, $years);
    my ($status, undef, $err) = train_csv("$years$rows", qw(--header no));
    is "$status$err", '0', 'unless --header no says what it is';
    bad_csv('a header where --header no says there is none', '1:1',
        qr/"x".*decimal number/, $named, qw(--header no));
    my $number = qr/decimal number like -0\.25/;
    bad_csv('a first row with a nan is no header', '1:1', $number,
        "nan,2,0\n$rows");
    bad_csv('a first row with a hole is no header', '1:2', $number,
        "1,,0\n$rows");
    bad_csv('a first row of holes is no header', '1:1', $number,
        "NA,?,0\n$rows");
    bad_csv('a first row with a slip of the pen is no header', '1:2',
        qr/"2o".*$number, or a header with a name in every column/,
        "1,2o,0\n$rows");
    bad_csv('two headers', '2:1', qr/"a".*${number}\n/, "a,b,c\na,b,c\n$rows");
    bad_csv('a header in another encoding', '1:2', qr/UTF-8/,
        "x,gr\xf6\xdfe,kind\n$rows");
};

subtest 'the column of the classes is chosen by number or name' => sub {
    my $last = "x,y,kind\n1,2,0\n-3.5,40,1\n5,6,0\n0.25,8,1\n";
    my $first = join '', map { s/(.*),(.*)\n/$2,$1\n/r } $last =~ /.*\n/g;
    my $middle = join '', map { s/(.*),(.*),(.*)\n/$1,$3,$2\n/r }
        $last =~ /.*\n/g;
    same_logs([ 'the last, by default' => $last ],
        [ 'the last by number' => $last, qw(--label 3) ],
        [ 'the last by name' => $last, qw(--label kind) ],
        [ 'the first by number' => $first, qw(--label 1) ],
        [ 'the first by name' => $first, qw(--label kind) ],
        [ 'the middle by number' => $middle, qw(--label 2) ],
        [ 'the middle by name' => $middle, qw(--label kind) ],
        [ 'the first of a file without header' =>
            $first =~ s/.*\n//r, qw(--label 1) ],
        [ 'a name above numbers' => $first =~ s/x,y/1,2/r,
            qw(--label kind) ]);
    my @train = ($MLP, 'train', '--train', "$dir/x.csv", @brief, '--label');
    write_file("$dir/x.csv", $first);
    refused("--label $_ is refused", 2,
        qr/--label is '$_', but .*x\.csv has only the columns 1 to 3/,
        @train, $_) for 0, 4, '18446744073709551617';
    refused("--label $_ is refused", 2,
        qr/--label is '\Q$_\E', but .*x\.csv has no column of that name/,
        @train, $_) for qw(Kind label -1 1.0);
    refused('an empty --label is refused', 2, qr/--label is ''/, @train, '');
    write_file("$dir/x.csv", $first =~ s/x,y/x,kind/r);
    refused('a name that two columns have is refused', 2,
        qr/more than one column of that name/, @train, 'kind');
    write_file("$dir/x.csv", $first =~ s/.*\n//r);
    refused('a name without a header is refused', 2, qr/no column of that/,
        @train, 'kind');
    refused('--label for IDX is refused', 2, qr/--label and --header are for CSV/,
        $MLP, 'train', '--train', write_file("$dir/images", $images),
        '--train-labels', write_file("$dir/labels", $labels), @brief,
        qw(--label 1));
};

# What `mlp train FILE` says of the classes.
sub classes {
    my ($text, @more) = @_;
    write_file("$dir/x.csv", $text);
    my (undef, undef, $err) = mlp('train', "$dir/x.csv", qw(--hidden 2
        --epochs 1 --validation 0 --save), "$dir/x.onnx", @more);
    return $err =~ / classes: (.*)$/m ? $1 : $err;
}

subtest 'labels are names, sorted, integers by value' => sub {
    my $file = sub { join '', map { "$_,1,$_[$_]\n$_,2,$_[$_]\n" }
        0 .. $#_ };
    my %sorted = (
        'by bytes' => [ [ qw(setosa virginica Zoe a10 a9) ],
            'Zoe (2), a10 (2), a9 (2), setosa (2), virginica (2)' ],
        'integers by value' => [ [ qw(10 9 -1 100) ],
            '-1 (2), 9 (2), 10 (2), 100 (2)' ],
        'a name among integers makes them names' => [ [ qw(10 9 x) ],
            '10 (2), 9 (2), x (2)' ],
        'from 1' => [ [ qw(3 1 2) ], '1 (2), 2 (2), 3 (2)' ],
        'with a gap' => [ [ qw(0 2) ], '0 (2), 2 (2)' ],
        'whole numbers with a point are names' => [ [ qw(1.0 0.0) ],
            '0.0 (2), 1.0 (2)' ],
        'blanks inside, and UTF-8' => [ [ 'New York', "K\xc3\xb6ln" ],
            "K\xc3\xb6ln (2), New York (2)" ],
        'quoted' => [ [ '"a,b"', '"say ""x"""' ], 'a,b (2), say "x" (2)' ],
        'plus and minus' => [ [ qw(+1 -1) ], '-1 (2), +1 (2)' ],
    );
    for my $name (sort keys %sorted) {
        my ($labels, $expected) = @{$sorted{$name}};
        is classes($file->(@$labels), qw(--header no)), $expected, $name;
        is classes($file->(reverse @$labels), qw(--header no)), $expected,
            "$name, in another order";
    }
    # Classes are numbered in their order: the same data, named otherwise.
    my @rows = ([ 1, 2 ], [ -3.5, 40 ], [ 5, 6 ], [ 0.25, 8 ], [ 7, 1 ],
        [ 3, 3 ]);
    my $spell = sub { my @names = @_;
        join '', map { join(',', @{$rows[$_]}, $names[$_ % 3]) . "\n" }
            0 .. $#rows };
    same_logs([ 'numbers' => $spell->(2, 0, 1) ],
        [ 'from 1' => $spell->(3, 1, 2) ],
        [ 'names' => $spell->(qw(c a b)), qw(--header no) ],
        [ 'tens' => $spell->(100, 9, 10) ],
        [ 'minus one to one' => $spell->(1, -1, 0) ]);
};

subtest 'a missing value is refused at its line and column' => sub {
    my $good = "x,y,kind\n1,2,a\n3,4,b\n";
    my $advice = qr/a missing value, expected .*; fill it in, or leave the row out/;
    for (qw(NA na N/A NaN nan NULL null ?), '#N/A', '""', '  ') {
        my $what = /^[" ]/ ? qr/an empty field/ : qr/"\Q$_\E"/;
        bad_csv("'$_' as a feature", '4:2', qr/$what, $advice/,
            "${good}5,$_,a\n");
        bad_csv("'$_' as a class", '4:3', qr/$what, $advice/,
            "${good}5,6,$_\n");
    }
    bad_csv('one in a quoted header of three lines', '4:1',
        qr/an empty field, $advice/, "\"x\n1\n2\",y,kind\n,2,a\n");
};

subtest 'a test file has the features and the classes of the training' => sub {
    my $train = "x,y,kind\n1,2,red\n3,4,green\n5,6,red\n7,8,green\n";
    write_file("$dir/train.csv", $train);
    my $log = sub {
        my ($test, @more) = @_;
        my ($status, $out, $err) = mlp('train', '--train', "$dir/train.csv",
            @brief, '--test', write_file("$dir/test.csv", $test), '--log',
            "$dir/log", @more);
        is "$status$out$err", '0', 'trains';
        return (table(contents("$dir/log")))[0];
    };
    my $whole = $log->($train);
    my @greens = grep { /green/ } $train =~ /.*\n/g;
    my $green = $log->("x,y,kind\n@greens" =~ s/\n /\n/gr);
    my $red = $log->($train =~ s/.*green\n//gr);
    ok close_to(($green->{test_loss} + $red->{test_loss}) / 2,
        $whole->{test_loss}, 1e-6), 'a file with one class is mapped alike';
    my $last = $green->{test_loss};
    is $log->(join '', @greens)->{test_loss}, $last, 'without a header';
    is $log->(gzip(join '', @greens))->{test_loss}, $last, 'gzipped';
    my @first = map { s/(.*),(.*)\n/$2,$1\n/r } 'x,y,kind' . "\n", @greens;
    write_file("$dir/train.csv", join '', map { s/(.*),(.*)\n/$2,$1\n/r }
        $train =~ /.*\n/g);
    is $log->(join('', @first), qw(--label kind))->{test_loss}, $last,
        'with the label in front, by name';
    is $log->(join('', @first), qw(--label 1))->{test_loss}, $last,
        'and by number';
    write_file("$dir/train.csv", $train);
    my $bad = sub {
        my ($name, $words, $test) = @_;
        write_file("$dir/test.csv", $test);
        refused($name, 1, $words, $MLP, 'train', '--train',
            "$dir/train.csv", @brief, '--test', "$dir/test.csv");
    };
    $bad->('an unknown class', qr/test\.csv:3:3: found "blue", expected a class of the training: green, red\n/,
        "x,y,kind\n1,2,red\n1,2,blue\n");
    $bad->('a class that differs in case', qr/test\.csv:1:3: found "Red"/,
        "1,2,Red\n");
    $bad->('a feature of another name', qr/test\.csv:1:2: found "z", expected "y", as in the training file/,
        "x,z,kind\n1,2,red\n");
    $bad->('features in another order', qr/test\.csv:1:1: found "y", expected "x"/,
        "y,x,kind\n1,2,red\n");
    $bad->('a feature too many', qr/test\.csv:1:4: found 4 columns, expected 3: 2 features and a class/,
        "x,y,z,kind\n1,2,3,red\n");
    $bad->('a feature too few', qr/test\.csv:1:3: found 2 columns, expected 3/,
        "x,kind\n1,red\n");
    $bad->('a missing value', qr/test\.csv:2:1: found "NA", a missing value/,
        "x,y,kind\nNA,2,red\n");
    write_file("$dir/train.csv", join '', map { "$_,1,c$_\n$_,2,c$_\n" }
        10 .. 49);
    $bad->('one of many classes', qr/: c10, c11, .*c29 and 20 more\n/,
        "1,2,c9\n");
    refused('IDX labels for classes with names', 1,
        qr/numbers for classes, but the classes have names: c10 and so on/,
        $MLP, 'train', '--train', write_file("$dir/train.csv", join '',
            map { "1,2,3,4,5,6,c$_\n" } 10, 10, 11, 11), @brief,
        '--test', write_file("$dir/images", $images), '--test-labels',
        write_file("$dir/labels", $labels));
    my ($status, undef, $err) = mlp('train', '--train', "$dir/images",
        '--train-labels', "$dir/labels", @brief, '--test', write_file(
        "$dir/test.csv", "1,2,3,4,5,6,0\n"));
    is "$status$err", '0', 'CSV is a test of IDX whose classes are numbers';
};

subtest 'the standard input, for which - stands' => sub {
    my $text = "x,y,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n";
    my ($log) = (train_csv($text))[3];
    my $piped = sub {
        my ($input, $how, @command) = @_;
        write_file("$dir/in", $input);
        unlink "$dir/log";
        return run('bash', '-c', "$how", 'bash', $MLP, 'train', @command,
            @brief, '--log', "$dir/log");
    };
    for my $how (qq{"\$@" < '$dir/in'}, qq{cat '$dir/in' | "\$@"}) {
        for ([ 'text' => $text ], [ 'gzip' => gzip($text) ]) {
            my ($name, $input) = @$_;
            my ($status, $out, $err) = $piped->($input, $how, qw(--train -));
            is "$status$out$err", '0', "$name, $how";
            is contents("$dir/log"), $log, 'the same log';
        }
    }
    my $how = qq{"\$@" < '$dir/in'};
    write_file("$dir/labels", $labels);
    my ($status, $out, $err) = $piped->(gzip($images), $how, qw(--train -
        --train-labels), "$dir/labels");
    is "$status$err", '0', 'IDX images, gzipped';
    ($status, $out, $err) = $piped->("1,2,a\n3,NA,b\n", $how, qw(--train -));
    like $err, qr/\Amlp train: standard input:2:2: found "NA"/,
        'a complaint says where it is';
    ($status, $out, $err) = $piped->($text, '"$@" <&-', qw(--train -));
    is $status, 1, 'a closed one';
    like $err, qr/\Amlp train: standard input: cannot be read: /, 'is told';
    ($status, $out, $err) = $piped->($text, qq{"\$@" < /dev/null},
        qw(--train -));
    like $err, qr/standard input:1:1: found the end of the file/, 'so is nothing';
    refused('twice is once too often', 2,
        qr/--train and --test are both the standard input/, $MLP, 'train',
        qw(--train - --test -));
};

subtest 'IDX test data must fit the training' => sub {
    my @train = ($MLP, 'train', '--train', write_file("$dir/images", $images),
        '--train-labels', write_file("$dir/labels", $labels), @brief, '--test');
    my $test = sub { write_file("$dir/more-images", "\0\0\10\3"
        . pack('N3', 2, 2, $_[0]) . "\1" x (4 * $_[0])) };
    my @labels = ('--test-labels', write_file("$dir/more-labels", "\0\0\10\1"
        . pack('N', 2) . "\0\2"));
    refused('pictures of another size', 1, qr/length 8, where 6 is needed/,
        @train, $test->(4), @labels);
    refused('a class beyond', 1, qr/label 2, but the classes are 0 to 1/,
        @train, $test->(3), @labels);
};

subtest 'names of columns that only one of two files has' => sub {
    for ([ "1,2,a\n3,4,b\n" x 2, "x,y,k\n1,2,a\n" ],
        [ "x,y,k\n1,2,a\n3,4,b\n", "1,2,a\n" ]) {
        my ($train, $test) = @$_;
        my ($status, $out, $err) = mlp('train', '--train',
            write_file("$dir/a.csv", $train), '--test',
            write_file("$dir/b.csv", $test), @brief);
        is "$status$err", '0', 'are no obstacle' or diag $err;
    }
    refused('a column by its name where no row has names', 2,
        qr/--label is 'k', but .* has no column of that name in a header/,
        $MLP, 'train', '--train', write_file("$dir/a.csv",
        "x,y,k\n1,2,a\n"), qw(--label k --header no), @brief);
};

subtest 'classes that are one number, written differently, go by text' => sub {
    my $model = "$dir/ones.onnx";
    mlp('train', '--train', write_file("$dir/ones.csv",
        "1,1\n2,01\n3,+1\n4,2\n" x 3), @brief, '--save', $model);
    like +(mlp('info', $model))[1], qr/^class names +\t\+1, 01, 1, 2$/m, 'sorted';
};

# A connection that carries so much and then breaks.
sub broken_connection {
    my ($text) = @_;
    my $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or return;
    my $ours = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $listener->sockport) or return;
    my $theirs = $listener->accept;
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open STDIN, '<&', $theirs or die;
        open STDOUT, '>', '/dev/null' or die;
        open STDERR, '>', "$dir/broken" or die;
        exec {$MLP} $MLP, 'train', '--train', '-', @brief or POSIX::_exit(127);
    }
    close $theirs;
    print $ours $text;
    $ours->flush;
    select undef, undef, undef, 0.5; # it has read all that, and waits
    setsockopt $ours, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $ours; # resets the connection
    waitpid $pid, 0;
    return ($? >> 8, contents("$dir/broken"));
}

subtest 'an error while the data are read is no end of them' => sub {
    plan skip_all => 'there is no network here'
        if !defined((broken_connection(''))[0]);
    srand 7;
    my $rows = join '', map { rand() . ",2,0\n3," . rand() . ",1\n" } 1 .. 3000;
    my $packed = gzip($rows);
    cmp_ok length $packed, '>', 20000, 'gzip data for more than a window';
    # (A window of 16384 bytes; the last of these ends with the gzip data.)
    my $whole = gzip("1,2,0\n3,4,1\n");
    $whole = substr($whole, 0, 3) . chr(8) . substr($whole, 4, 6)
        . 'n' x (16384 - length($whole) - 1) . "\0" . substr $whole, 10;
    for ([ 'text', substr $rows, 0, 16384 ],
        [ 'gzip', substr $packed, 0, 16384 ], [ 'the end of gzip', $whole ]) {
        my ($name, $text) = @$_;
        my ($status, $err) = broken_connection($text);
        is $status, 1, "$name: status 1";
        is $err, 'mlp train: standard input: cannot be read: Connection reset '
            . "by peer\n", 'and a sentence';
    }
};

subtest 'a bad CSV file is refused at its line and column' => sub {
    my $one = "1,2,0\n";
    my $number = qr/decimal number/;
    my $class = qr/a class, a name or an integer/;
    bad_csv("$_ as a number", '2:1', $number, "${one}$_,1,1\n")
        for qw(nan NaN inf -inf Infinity 0x10 0x1p3 1e999 1e39 - 1e 1d0 abc),
            '1 2', '1_000', '';
    bad_csv("$_ as a class", '2:3', $class, "${one}3,4,$_\n")
        for qw(1.5 -0.1 1e-3), "\"a\tb\"", "\"a\nb\"", "caf\xe9", "a\0b";
    bad_csv('a decimal comma', '2:4', qr/4 columns, expected 3/,
        "${one}3,5,4,1\n");
    bad_csv('semicolons', '2:2', qr/1 column, expected 3/, "${one}1;2;0\n");
    bad_csv('a short row', '3:3', qr/2 columns, expected 3/,
        "a,b,c\n${one}1,2\n");
    bad_csv('a comma at the end', '2:4', qr/4 columns/, "${one}3,4,1,\n");
    bad_csv('one column', '1:2', qr/features/, "1\n2\n");
    bad_csv('an empty line first', '1:1', qr/empty line/, "\n$one");
    bad_csv('an empty line between', '2:1', qr/empty line/, "$one\n3,4,1\n");
    bad_csv('an empty line, CRLF', '2:1', qr/empty line/,
        "1,2,0\r\n\r\n3,4,1\r\n");
    bad_csv('an empty file', '1:1', qr/end of the file/, '');
    bad_csv('only empty lines', '2:1', qr/end of the file/, "\n\n");
    bad_csv('only a header', '1:1', qr/end of the file/, "x1,x2,label\n");
    bad_csv('only a byte order mark', '1:1', qr/end of the file/,
        "\xef\xbb\xbf");
    bad_csv('a comma in quotes', '1:1', $number, "\"1,2\",2,0\n");
    bad_csv('a quote within a field', '1:2', qr/misplaced quote/,
        "1,2\"3,0\n");
    bad_csv('text after a quote', '1:2', qr/misplaced quote/,
        "1,\"2\"x,0\n");
    bad_csv('a quote left open', '2:2', qr/never closed/,
        "${one}1,\"2,0\n1,2,0\n");
    bad_csv('a NUL in a number', '1:2', $number, "1,2\0,0\n");
    bad_csv('a NUL in a class', '1:3', qr/"0" and a NUL, expected $class/,
        "1,2,0\0\n");
    bad_csv('a NUL after a known class', '2:3', $class, "${one}1,2,0\0\n");
    bad_csv('a price as a class', '1:3', qr/4 different labels in 6 rows, expected classes that recur; --label/,
        join '', map { "1,2,$_\n" } 100, 110, 120, 120, 130, 130);
    bad_csv('another encoding', '2:1', $number,
        "x1,x2,label\n\xff\xfe,2,0\n");
    refused('a photograph', 1, qr/x\.csv:1:/, $MLP, 'train', '--train',
        write_file("$dir/x.csv", "\x89PNG\r\n\x1a\n" . join '', map { chr }
            0 .. 255), @brief);
    my (undef, $out) = run($DOUBLE, 'train', '--train', write_file(
        "$dir/x.csv", "1e39,1,0\n-1e39,1,1\n"), @brief);
    is $out, '', '1e39 is a number in double precision';
    my ($status, undef, $err) = run($DOUBLE, 'train', '--train',
        "$dir/x.csv", @brief);
    is "$status$err", '0', 'and trains';
};

subtest 'labels must be classes, and the same in training and test' => sub {
    my $two = "1,2,0\n3,4,1\n";
    my $refused = sub {
        my ($name, $words, $train, @more) = @_;
        write_file("$dir/x.csv", $train);
        refused($name, 1, $words, $MLP, 'train', '--train', "$dir/x.csv",
            @brief, @more);
    };
    write_file("$dir/test.csv", "1,2,0\n3,4,2\n");
    $refused->('a test label beyond the classes',
        qr/test\.csv:2:3: found "2", expected a class of the training: 0, 1/,
        $two, '--test', "$dir/test.csv");
    $refused->('one class', qr/all .*class 0, .*nothing to learn/,
        "1,2,0\n3,4,0\n");
    $refused->('one class with a name', qr/all .*class a, .*nothing to learn/,
        "1,2,a\n3,4,a\n");
    write_file("$dir/x.csv", $two);
    run($MLP, 'train', '--train', "$dir/x.csv", @brief, '--save',
        "$dir/two.onnx");
    refused('a label beyond those of a model', 1,
        qr/found "2", expected a class of the training: 0, 1/, $MLP,
        'evaluate', '--model', "$dir/two.onnx", '--test', "$dir/test.csv");
    my ($status, $out) = mlp('evaluate', '--model', "$dir/two.onnx",
        '--test', write_file("$dir/zero.csv", "1,2,0\n"));
    like $out, qr/^1\t0\t0$/m, 'a test set need not show every class';
};

done_testing;
