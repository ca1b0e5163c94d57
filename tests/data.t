# Data files that mlp reads and writes: IDX, CSV, the circles. Whatever is
# wrong with a file is said in one sentence, and nothing is trained on it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib ();
use MLP;
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
        is $log{$name}, $log{raw}, "$name: the same log";
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
    bad_idx('junk after gzip', qr/junk \(4 bytes\)/, $packed . 'junk',
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
my $good_log;

sub train_csv {
    my ($text) = @_;
    write_file("$dir/x.csv", $text);
    unlink "$dir/log";
    my @result = mlp('train', '--train', "$dir/x.csv", @brief, '--log',
        "$dir/log");
    return (@result, contents("$dir/log"));
}

sub bad_csv {
    my ($name, $place, $words, $text) = @_;
    write_file("$dir/x.csv", $text);
    refused("$name: refused", 1, qr/x\.csv:$place: found .*$words/s, $MLP,
        'train', '--train', "$dir/x.csv", @brief);
}

subtest 'the same numbers in any good spelling of CSV train alike' => sub {
    my $plain = "1,2,0\n-3.5,40,1\n5,6,0\n0.25,8,1\n";
    my ($status, $out, $err, $log) = train_csv($plain);
    is "$status$out$err", '0', 'plain';
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
    );
    for my $name (sort keys %same) {
        my ($status, $out, $err, $same) = train_csv($same{$name});
        is "$status$out$err", '0', $name;
        is $same, $log, "$name: the same log";
    }
};

subtest 'a bad CSV file is refused at its line and column' => sub {
    my $one = "1,2,0\n";
    my ($number, $class) = (qr/decimal number/, qr/a class, an integer/);
    bad_csv("$_ as a number", '2:1', $number, "${one}$_,1,1\n")
        for qw(nan NaN inf -inf Infinity 0x10 0x1p3 1e999 1e39 - 1e 1d0 abc),
            '1 2', '1_000', '';
    bad_csv("$_ as a class", '2:3', $class, "${one}3,4,$_\n")
        for qw(-1 +1 1.0 1e0 0x1 1000000 4294967296 18446744073709551617
            one), '', '1 2';
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
    bad_csv('a header without a name for the class', '1:1', $number,
        "x1,x2,0\n$one");
    bad_csv('a header that names the class only', '1:3', $class,
        "1,2,label\n$one");
    bad_csv('a first row with a nan is no header', '1:1', $number,
        "nan,2,0\n$one");
    bad_csv('a first row with a hole is no header', '1:2', $number,
        "1,,0\n$one");
    bad_csv('two headers', '2:1', $number, "a,b,c\na,b,c\n$one");
    bad_csv('a comma in quotes', '1:1', $number, "\"1,2\",2,0\n");
    bad_csv('a quote within a field', '1:2', qr/misplaced quote/,
        "1,2\"3,0\n");
    bad_csv('text after a quote', '1:2', qr/misplaced quote/,
        "1,\"2\"x,0\n");
    bad_csv('a quote left open', '2:2', qr/never closed/,
        "${one}1,\"2,0\n1,2,0\n");
    bad_csv('a NUL in a number', '1:2', $number, "1,2\0,0\n");
    bad_csv('a NUL in a class', '1:3', $class, "1,2,0\0\n");
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
    $refused->('a test label beyond the classes', qr/label 2.* 0 to 1/, $two,
        '--test', "$dir/test.csv");
    $refused->('a class left out', qr/class 1, yet .* 2;/,
        "1,2,0\n3,4,2\n1,2,0\n");
    $refused->('labels from 1', qr/class 0, yet/, "1,2,1\n3,4,2\n1,1,1\n");
    $refused->('labels beyond the examples', qr/999999 in only 2/,
        "1,2,0\n3,4,999999\n");
    $refused->('one class', qr/nothing to learn/, "1,2,0\n3,4,0\n");
    write_file("$dir/x.csv", $two);
    run($MLP, 'train', '--train', "$dir/x.csv", @brief, '--save',
        "$dir/two.onnx");
    refused('a label beyond those of a model', 1, qr/label 2.* 0 to 1/, $MLP,
        'evaluate', '--model', "$dir/two.onnx", '--test', "$dir/test.csv");
    my ($status, $out) = mlp('evaluate', '--model', "$dir/two.onnx",
        '--test', write_file("$dir/zero.csv", "1,2,0\n"));
    like $out, qr/^1\t0\t0$/m, 'a test set need not show every class';
};

done_testing;
