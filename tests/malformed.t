# Files that are not what they should be: each is refused in the sentence that
# stands beside it here, quickly and in little memory. Other such inputs are
# in data.t, model.t (with peers/onnx_forms.py) and resume.t.
use strict;
use warnings;
no warnings 'qw'; # for commas and # in what is no number
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib ();
use MLP;
use Test::More;

my $dir = folder();
mkdir "$dir/out";
my $circles = "$TOP/data/circles.csv";
my @brief = qw(--hidden 2 --epochs 1 --batch 1 --quiet);
$ENV{OMP_NUM_THREADS} = 1;

sub gzip { return Compress::Zlib::memGzip($_[0]) }

sub poked {
    my ($text, $at, @bytes) = @_;
    substr($text, $at, scalar @bytes) = pack 'C*', @bytes;
    return $text;
}

# ------------------------------------------------------------ how it is tried
my $images = "\0\0\10\3" . pack('N3', 4, 2, 3) . pack('C*', 1 .. 24);
my $labels = "\0\0\10\1" . pack('N', 4) . pack('C*', 0, 1, 0, 1);
my $images_file = write_file("$dir/good-images", $images);
my $labels_file = write_file("$dir/good-labels", $labels);

# The arguments that make mlp read F as a file of this kind; with outputs, to
# see that there are none.
my @out = ('--save', "$dir/out/model", '--log', "$dir/out/log");
my %arguments = (
    images => sub { 'train', '--train', $_[0], '--train-labels', $labels_file,
        @brief, @out },
    labels => sub { 'train', '--train', $images_file, '--train-labels', $_[0],
        @brief, @out },
    csv => sub { 'train', '--train', $_[0], @brief, @out },
    model => sub { 'predict', $_[0], $circles },
    checkpoint => sub { 'train', '--resume', $_[0], '--checkpoint',
        "$dir/out/checkpoint", @out },
    log => sub { 'plot', $_[0], '--output', "$dir/out/log.svg" },
);

# Runs it with so much memory (KiB), reading from `$input |` if there is one.
my $can_limit = limit_memory();
sub try {
    my ($memory, $input, @arguments) = @_;
    my $limit = $can_limit ? "ulimit -v $memory; " : '';
    my $pipe = defined $input ? "$input | " : '';
    return run('bash', '-c', "$limit$pipe exec \"\$@\"", 'bash', $MLP,
        @arguments);
}

# The address space that good tiny files need, to 4 MiB, and 64 MiB more.
mlp('train', '--train', $circles, @brief, '--save', "$dir/good.onnx",
    '--checkpoint', "$dir/good.ckpt", '--log', "$dir/good.log");
my %good = (images => $images_file, labels => $labels_file, csv => $circles,
    model => "$dir/good.onnx", checkpoint => "$dir/good.ckpt");
my $needed = 0;
for my $kind (sort keys %good) {
    $needed += 4096 until $needed > 4e5
        || (try($needed, undef, $arguments{$kind}($good{$kind})))[0] == 0;
}
unlink glob "$dir/out/*";
my $most = $needed + 65536;
cmp_ok $needed, '<=', 4e5, "good files need $needed KiB of address space";

# Seconds of the processor, for a busy machine is slow.
sub cpu { my @times = times; return $times[2] + $times[3] }

my $tried = 0;
sub refuse {
    my ($kind, $name, $sentence, $content, $input) = @_;
    my $file = defined $input ? '-' : "$dir/$kind";
    write_file($file, $content) if !defined $input;
    my $start = cpu();
    my ($status, $out, $err) = try($most, $input, $arguments{$kind}($file));
    my $seconds = cpu() - $start;
    my $called = defined $input ? 'standard input' : $file;
    $err =~ s/\Amlp \w+: \Q$called\E/F/;
    if ($ENV{SHOW}) { print STDERR "$kind | $name | $err"; return }
    $tried++;
    my $left = listing("$dir/out");
    unlink glob "$dir/out/*";
    ok($status == 1 && $out eq '' && $err eq "F$sentence\n" && $left eq ''
        && $seconds < ($can_limit ? 2 : 60), "$kind: $name")
        or diag("status $status, $seconds s, left '$left', stdout '$out'\n"
            . "stderr   $err" . "expected F$sentence");
}

# ------------------------------------------------------------------------ IDX
my $idx = "expected 00 00 08 (an IDX file of bytes)";
my $header = ': found the end of the file inside the header, expected an IDX file';
my $zero = ': found a size of 0 in the header, expected at least one of everything';
my $overflow = ': found sizes whose product overflows, expected those of a real file';
my $damaged = sub { ": found damaged gzip data ($_[0]), expected whole ones; "
    . 'copy the file again' };
my $ended = ': found the end of the file in the gzip data, expected a checksum';
my $junk = ': found junk after the gzip data, expected their end';

sub idx { return "\0\0\10" . chr(@_) . pack('N*', @_) }

subtest 'IDX: headers' => sub {
    for ([ images => 2, 3 ], [ images => 4, 2, 1, 3 ], [ labels => 4 ]) {
        my ($kind, @sizes) = @$_;
        my $whole = idx(@sizes);
        refuse($kind, "$_ bytes of a header of rank " . @sizes, $header,
            substr $whole, 0, $_) for 0 .. length($whole) - 1;
    }
    refuse('images', "gzipped, $_ bytes of a header", $header,
        gzip(substr $images, 0, $_)) for 0 .. 15;
    refuse('images', sprintf('type %02x', $_), sprintf(
        ': found 00 00 %02x at the beginning, %s', $_, $idx),
        poked($images, 2, $_)) for 0, 7, 9, 0x0b, 0x0c, 0x0e, 255;
    refuse('images', "byte $_ is no zero", sprintf(': found %02x %02x 08 at the '
        . 'beginning, %s', !$_, $_, $idx), poked($images, $_, 1)) for 0, 1;
    refuse('images', "rank $_", ": found an array of rank $_, expected 2 or "
        . 'more: images (are images and labels exchanged?)',
        poked($images, 3, $_)) for 0, 1;
    refuse('labels', "rank $_", ": found an array of rank $_, expected 1: "
        . 'labels (are images and labels exchanged?)',
        poked($labels, 3, $_)) for 0, 2, 3, 255;
    refuse('images', "size $_ is 0", $zero, poked($images, 4 * $_, 0, 0, 0, 0))
        for 1 .. 3;
    refuse('labels', 'no labels', $zero, idx(0));
    my %other = ('UTF-16' => "\xff\xfe1\0", 'bzip2' => 'BZh91AY', 'a ZIP file'
        => "PK\3\4\0\0", 'PNG' => "\x89PNG\r\n", 'compress' => "\x1f\x9d\x90",
        'zlib' => "\x78\x9c\3\0", 'the other order of bytes' => "\3\10\0\0");
    for (sort keys %other) {
        refuse('images', $_, sprintf(': found %02x %02x %02x at the beginning,'
            . ' %s', unpack('C3', $other{$_}), $idx), $other{$_} . $images);
    }
};

subtest 'IDX: sizes that no file has' => sub {
    my $most = 0xffffffff;
    my %sizes = ('three of the largest' => [ ($most) x 3 ],
        'four of 65536 and one more' => [ 2, (65536) x 4 ],
        '255 times 2' => [ (2) x 255 ], 'rows overflow' => [ 1, $most, $most,
        $most ], 'just beyond' => [ 1 << 31, 1 << 31, 4 ]);
    refuse('images', $_, $overflow, idx(@{$sizes{$_}}) . "\1" x 24)
        for sort keys %sizes;
    %sizes = ('as many images as there can be' => [ $most, 1 ], '2 GiB' => [
        2, 1 << 30 ], 'an exabyte' => [ 1 << 30, 1 << 30 ], 'just below'
        => [ 1 << 31, 1 << 31, 3 ], 'a page' => [ 1, 4096 ]);
    for (sort keys %sizes) {
        my @sizes = @{$sizes{$_}};
        my $n = 1;
        $n *= $_ for @sizes;
        my $file = idx(@sizes) . "\1" x 24;
        refuse('images', $_, ': found a file of ' . length($file)
            . " bytes, expected one that holds the $n elements of its header",
            $file);
        my $packed = gzip($file);
        refuse('images', "$_, gzipped", ': found ' . ($n < 30000 ? '24' : 'a '
            . 'file of ' . length($packed) . ' bytes') . ($n < 30000 ?
            " elements, expected the $n of its header" : ', expected one that '
            . "holds the $n elements of its header"), $packed);
        write_file("$dir/piped", $file);
        refuse('images', "$_, through a pipe", ": found 24 elements, expected "
            . "the $n of its header", undef, "cat '$dir/piped'");
    }
    refuse('labels', '2 GiB of labels', ': found a file of 12 bytes, expected '
        . 'one that holds the 2147483652 elements of its header',
        poked($labels, 4, 128));
    my $bomb = gzip(idx(1, 1) . "\0" x 65536) . gzip("\0" x (1 << 20)) x 1024;
    refuse('images', 'a gigabyte of zeros, in a megabyte of gzip',
        ': found more than 1 elements, expected the 1 of its header', $bomb);
};

subtest 'IDX: labels' => sub {
    my $far = write_file("$dir/label-255", poked($labels, 8, 255));
    local $arguments{images} = sub { 'train', '--train', $_[0],
        '--train-labels', $far, @brief, @out };
    refuse('images', 'a label of 255', ': the labels go up to 255 in only 4 '
        . 'examples; they must be 0, 1, 2 and so on with none left out',
        $images);
};

subtest 'gzip' => sub {
    my $packed = gzip($images);
    my $n = length $packed;
    refuse('images', "a trailer without its last $_ bytes", $ended,
        substr $packed, 0, -$_) for 1 .. 8;
    refuse('images', "byte $_ of the checksum", $damaged->('incorrect data '
        . 'check'), poked($packed, $n - 9 + $_,
        255 ^ ord substr $packed, $n - 9 + $_, 1)) for 1 .. 4;
    refuse('images', "byte $_ of the length", $damaged->('incorrect length '
        . 'check'), poked($packed, $n - 5 + $_,
        255 ^ ord substr $packed, $n - 5 + $_, 1)) for 1 .. 4;
    my %junk = ('a byte' => 'x', 'a zero' => "\0", 'half a magic number' =>
        "\x1f", 'a line end' => "\n", 'an IDX file' => $images);
    refuse('images', "$_ behind", $junk, $packed . $junk{$_})
        for sort keys %junk;
    refuse('images', 'a second member of two bytes', $ended,
        "$packed\x1f\x8b");
    my ($one, $two) = (gzip(substr $images, 0, 20), gzip(substr $images, 20));
    refuse('images', 'a second member cut', $ended, $one
        . substr $two, 0, -1);
    refuse('images', 'a second member damaged', $damaged->('incorrect data '
        . 'check'), $one . poked($two, length($two) - 8, 0, 0, 0, 0));
    refuse('images', 'the images twice', ': found more than 24 elements, '
        . 'expected the 24 of its header', $packed x 2);
    refuse('images', 'another method', $damaged->('unknown compression '
        . 'method'), poked($packed, 2, 7));
    refuse('images', 'flags of the future', $damaged->('unknown header flags '
        . 'set'), poked($packed, 3, 0xe0));
    refuse('images', 'a block of a type that there is not',
        $damaged->('invalid block type'), poked($packed, 10, 7));
    refuse('images', 'a header alone', $ended, substr $packed, 0, 10);
    refuse('images', 'a name without end', $ended,
        poked(substr($packed, 0, 10), 3, 8) . 'name' x 100);
};

# ------------------------------------------------------------------------ CSV
my $number = 'expected a finite decimal number like -0.25';
my $first = "$number, or a header with a name in every column";
my $missing = '; fill it in, or leave the row out';
my $class = 'expected a class, a name or an integer';
my $columns = 'found 1 column, expected features and a class';
my $long = 'found a row of more than 16 MiB, expected a shorter one; is a '
    . 'quote never closed, or is this no CSV file?';

subtest 'CSV: what is no number' => sub {
    my @bytes = ("\xd9\xa1", "\xe2\x88\x921", "\xc2\xbd", "1\xc2\xa0000",
        "\xef\xbc\x91");
    for my $text (qw(nan(1) +inf 1.#INF 1.#QNAN -nan +nan 0X1P3 0b1 0x 1e+ . +
        -- --1 1- +-1 1.2.3 1e5.5 1e5e5 1'000 $1 1% TRUE 1L 1f 1e400 -1e400
        3.5e38 1e+39 1;2 1/2 1:2 2026-11-24 (1) 1+1i 1i infinity -Infinity
        SNaN NONE nil), '1 000', '1 e5', @bytes) {
        my $shown = $text =~ s/([\x80-\xff])/sprintf '\\%o', ord $1/ger;
        refuse('csv', "'$shown'", ":2:1: found \"$shown\", $number",
            "1,2,0\n$text,2,1\n");
    }
    refuse('csv', "$_, a decimal comma", ":2:1: found \"$_\", $number",
        qq(1,2,0\n"$_",2,1\n)) for '1,5', '-0,25', '1.234,5';
};

subtest 'CSV: one thing in each is wrong' => sub {
    my $of = 'expected 3: 2 features and a class';
    my @files = (
        [ 'decimal commas, semicolons', "1:2: found \"5;2\", $first",
            "1,5;2,5;0\n3,5;4,5;1\n" ],
        [ 'decimal commas, commas', '2:5: found 4 columns, expected 5: '
            . '4 features and a class', "1,5,2,5,0\n3,4,5,1\n" ],
        [ 'tabs', "1:2: $columns", "1\t2\t0\n3\t4\t1\n" ],
        [ 'bars', "1:2: $columns", "1|2|0\n" ],
        [ 'a NUL alone', "1:2: $columns", "\0" ],
        [ 'a NUL first', "1:1: found \"\" and a NUL, $first", "\0001,2,0\n" ],
        [ 'a field of a NUL', "1:2: found \"\" and a NUL, $first",
            "1,\0,0\n" ],
        [ 'a NUL in a header', '1:1: found "a" and a NUL, expected the name '
            . 'of a feature in UTF-8', "a\0b,y,k\n1,2,0\n3,4,1\n" ],
        [ 'a line of a NUL', "2:2: found 1 column, $of", "1,2,0\n\0\n" ],
        [ 'a NUL in a class', "1:3: found \"a\" and a NUL, $class",
            "1,2,a\0\n" ],
        [ 'UTF-16, little endian', '1:1: found "\377\3761" and a NUL, '
            . 'expected the name of a feature in UTF-8',
            "\xff\xfe1\0,\0002\0\n\0" ],
        [ 'UTF-16, big endian', '1:1: found "\376\377" and a NUL, expected '
            . 'the name of a feature in UTF-8', "\xfe\xff\0001\0,\0002\0\n" ],
        [ 'UTF-16 without its mark', '1:1: found "1" and a NUL, expected the '
            . 'name of a feature in UTF-8', "1\0,\0002\0,\0000\0\n\0" ],
        [ 'UTF-32', "1:2: $columns", "\xff\xfe\0\0001\0\0\0" ],
        [ 'a row with a field more', "2:4: found 4 columns, $of",
            "1,2,0\n1,2,3,0\n" ],
        [ 'a row with a field only', "3:2: found 1 column, $of",
            "1,2,0\n1,2,1\n1\n" ],
        [ 'a header with a name less', '2:3: found 3 columns, expected 2: '
            . '1 feature and a class', "x,k\n1,2,0\n" ],
        [ 'a header with a name more', '2:4: found 3 columns, expected 4: '
            . '3 features and a class', "x,y,z,k\n1,2,0\n" ],
        [ 'a header with a comma behind', '2:4: found 3 columns, expected 4: '
            . '3 features and a class', "x,y,k,\n1,2,0\n" ],
        [ 'a quote open from the first byte', '1:1: found a quote that is '
            . 'never closed, expected its partner', "\"1,2,0\n3,4,1\n" ],
        [ 'a quote open in the last field', '2:3: found a quote that is '
            . 'never closed, expected its partner', "1,2,0\n3,4,\"1\n" ],
        [ 'a quote alone', '1:1: found a quote that is never closed, '
            . 'expected its partner', "\"\n" ],
        [ 'text behind a quote', '1:1: found a misplaced quote, expected '
            . '"..." around a field, and "" for a quote inside',
            "\"a\"b,2,0\n" ],
        [ 'a quote behind text', '1:3: found a misplaced quote, expected '
            . '"..." around a field, and "" for a quote inside',
            "1,2,0\"\n" ],
        [ 'commas only', "1:1: found an empty field, a missing value, "
            . "$first$missing", ",,\n,,\n" ],
        [ 'blanks only', '1:1: found the end of the file, expected a row of '
            . 'features and a class', "   \n" ],
        [ 'carriage returns only', '3:1: found the end of the file, expected '
            . 'a row of features and a class', "\r\r\r" ],
        [ 'a comment', "1:2: $columns", "# a comment\n1,2,0\n" ],
        [ 'HTML', "1:2: $columns", "<!DOCTYPE html>\n<html>\n" ],
        [ 'JSON', "1:1: found \"[[1\", $first", "[[1, 2, 0]]\n" ],
        [ 'ARFF', "1:2: $columns", "\@relation x\n\@data\n1,2,0\n" ],
        [ 'LIBSVM', "1:2: $columns", "0 1:1 2:2\n1 1:3 2:4\n" ],
        [ 'a ZIP file', "1:2: $columns", "PK\3\4\n" ],
        [ 'a model', "1:2: $columns", contents("$dir/good.onnx") ],
        [ 'a checkpoint', "2:2: found 1 column, $of",
            contents("$dir/good.ckpt") ],
        map { [ 'such a class', "1:3: found \"$_->[0]\", $class",
            "1,2,$_->[1]\n1,2,b\n" ] } [ 'a\\007', "a\7" ], [ 'a\\177',
            "a\x7f" ], [ '0.5', '0.5' ], [ '\\303', "\xc3" ], [ '\\300\\257',
            "\xc0\xaf" ], [ '\\355\\240\\200', "\xed\xa0\x80" ],
    );
    refuse('csv', $_->[0], ":$_->[1]", $_->[2]) for @files;
    refuse('csv', 'gzip, cut', $ended, substr gzip("1,2,0\n3,4,1\n"), 0, -3);
};

# A gigabyte through a pipe, of which a little more than 16 MiB are read.
subtest 'CSV: a field, a class, a row of a gigabyte' => sub {
    my $gigabyte = sub { "head -c 1073741824 /dev/zero | tr '\\0' '$_[0]'" };
    refuse('csv', 'digits', ":1:1: $long", undef, $gigabyte->(1));
    refuse('csv', 'blanks', ":1:1: $long", undef, $gigabyte->(' '));
    refuse('csv', 'NULs', ":1:1: $long", undef,
        '(printf 1; head -c 1073741824 /dev/zero)');
    refuse('csv', 'a class', ":2:3: $long", undef, q[(printf '1,2,a\n1,2,'; ]
        . $gigabyte->('a') . ')');
    refuse('csv', 'line ends in a quote', ":2:2: $long", undef,
        q[(printf '1,2,0\n1,"'; ] . $gigabyte->('\n') . ')');
    refuse('csv', 'digits, in a megabyte of gzip', ":1:1: $long",
        gzip('1' x (1 << 20)) x 1024);
    refuse('csv', 'lines without end', ":1:2: $columns", undef, 'yes');
};

# --------------------------------------------------------------------- models
# Protocol buffers: a varint, and a field of bytes.
sub varint {
    my ($n) = @_;
    my $bytes = '';
    for (; $n >= 128; $n >>= 7) { $bytes .= chr($n % 128 + 128) }
    return $bytes . chr $n;
}

sub field { return varint(8 * $_[0] + 2) . varint(length $_[1]) . $_[1] }

my $model = contents("$dir/good.onnx");
my $checkpoint = contents("$dir/good.ckpt");

subtest 'models' => sub {
    my $opset = field(8, "\x10\x0d");
    my %no_message = (
        'a graph of 2 GiB' => "\x3a\xff\xff\xff\xff\x07",
        'a graph of 4 GiB' => "\x3a\xff\xff\xff\xff\x0f",
        'a graph of 16 EiB' => "\x3a" . "\xff" x 9 . "\1",
        'parameters of 2 GiB' => $opset
            . field(7, field(5, "\x4a\xff\xff\xff\xff\x07")),
        'a number of eleven bytes' => "\x08" . "\xff" x 11,
        'field 0' => "\0\0", 'a group that ends' => "\x0b\x0c",
        'wire type 6' => "\x0e", 'wire type 7' => "\x0f",
        'a number cut' => "\x09\0\0", 'a zero' => "\0",
        'gzip' => gzip($model), 'a ZIP file' => "PK\3\4\x14\0",
        'HDF5' => "\x89HDF\r\n\x1a\n", 'a pickle' => "\x80\4\x95",
        'JSON' => "{\"a\": 1}\n", 'safetensors' => pack('Q<', 10) . '{}',
        'NumPy' => "\x93NUMPY\1\0", 'GGUF' => "GGUF\3\0\0\0",
        'a checkpoint' => $checkpoint, 'images' => $images,
        map { ("cut after $_ bytes" => substr $model, 0, $_) } 1, 4, 5, 10,
            50, 100, length($model) - 2, length($model) - 1,
    );
    refuse('model', $_, ': found something else than an ONNX model, or a part '
        . 'of one, expected a whole one', $no_message{$_})
        for sort keys %no_message;
    refuse('model', $_->[0], ": found $_->[1]", $_->[2]) for
        [ 'an operator set alone', 'no graph, or a part of a model, expected '
            . 'a whole one', $opset ],
        [ 'an empty graph alone', 'no version of the operator set, or a part '
            . 'of a model, expected a whole one', field(7, '') ],
        [ 'an empty graph', 'a graph of 0 nodes, expected the six of mlp: '
            . 'Sub, Mul, Gemm, Relu, Gemm, Softmax', $opset . field(7, '') ];
};

# ---------------------------------------------------------------- checkpoints
my ($line, $body) = $checkpoint =~ /\A([^\n]*\n)(.*)\z/s;
my ($n_text) = $line =~ /text 0*(\d+)/;
my ($text, $numbers) = (substr($body, 0, $n_text), substr $body, $n_text);

# A checkpoint whose first line is right.
sub checkpoint {
    my ($text, $numbers) = @_;
    return sprintf "# mlp checkpoint 1: text %012d, numbers %012d, CRC-32 "
        . "%08x\n%s", length $text, length $numbers,
        Compress::Zlib::crc32($text . $numbers), $text . $numbers;
}

subtest 'checkpoints: the first line' => sub {
    my $whole = sub { refuse('checkpoint', $_[0], ': found ' . length($_[1])
        . ' bytes, which are not as many as the first line says: the '
        . 'checkpoint is not whole', $_[1]) };
    my $none = sub { refuse('checkpoint', $_[0], ': found something else than '
        . 'a checkpoint, expected a file that mlp train --checkpoint has '
        . 'written', $_[1]) };
    $none->("cut after $_ bytes", substr $checkpoint, 0, $_) for 1, 9, 17;
    $whole->("cut after $_ bytes", substr $checkpoint, 0, $_)
        for 18, 20, 30, 45, 60, 76 .. 78;
    $whole->("$_ bytes of text", ($line =~ s/text \d{12}/text $_/r) . $body)
        for '999999999999', '18446744073709551615', '-00000000001';
    $whole->('numbers of 999 GB', ($line =~ s/numbers \d{12}/numbers 999999999999/r)
        . $body);
    $whole->('two lengths whose sum overflows', '# mlp checkpoint 1: text '
        . "9223372036854775808, numbers 9223372036854775808, CRC-32 0\n");
    $whole->('line ends of another system', $checkpoint =~ s/\n/\r\n/r);
    $whole->('blanks for a zero', $checkpoint =~ s/text 0/text  /r);
    $none->('a NUL first', "\0$checkpoint");
    $none->('gzip', gzip($checkpoint));
    refuse('checkpoint', 'version 0', ': found a checkpoint of version 0, '
        . 'expected version 1', $checkpoint =~ s/checkpoint 1/checkpoint 0/r);
    refuse('checkpoint', 'a version beyond int', ': found a checkpoint of '
        . 'version 214748364, expected version 1',
        $checkpoint =~ s/checkpoint 1/checkpoint 2147483648/r);
};

subtest 'checkpoints: what a right checksum does not cover' => sub {
    my $state = sub { ": found no '$_[0]' that fits, expected that of this "
        . 'run' };
    my $options = ': found no options, expected those of its run';
    my $ours = ': found a text that is none of ours';
    refuse('checkpoint', "no $_", $state->($_),
        checkpoint($text =~ s/^$_=.*\n//mr, $numbers)) for qw(epoch minibatch
        errors loss rate best_value best_epoch theta velocity best);
    for ([ epoch => 'x' ], [ minibatch => '1.5' ], [ loss => 'x' ], [ loss =>
        '1,5' ], [ rate => '' ], [ theta => 11 ], [ theta => 13 ], [ theta =>
        0 ], [ theta => '18446744073709551615' ], [ velocity => 5 ],
        [ best => 1 ]) {
        my ($key, $value) = @$_;
        refuse('checkpoint', "$key=$value", $state->($key),
            checkpoint($text =~ s/^$key=.*$/$key=$value/mr, $numbers));
    }
    refuse('checkpoint', "options=$_", $options,
        checkpoint($text =~ s/^options=.*$/options=$_/mr, $numbers))
        for '', "train 'a", 'train --hidden', 'train --nosuch 3';
    refuse('checkpoint', 'no options', $options,
        checkpoint($text =~ s/^options=.*\n//mr, $numbers));
    refuse('checkpoint', 'no text', $options, checkpoint('', $numbers));
    refuse('checkpoint', $_->[0], $ours, checkpoint($_->[1], $numbers)) for
        [ 'a key of no group', "a=1\n" ], [ 'bytes', "\xff\xfe\0" ],
        [ 'half a group', "[state\n" ];
    refuse('checkpoint', 'a number less', $state->('theta'),
        checkpoint($text, substr $numbers, 4));
    refuse('checkpoint', 'no numbers', $state->('theta'),
        checkpoint($text, ''));
    for ([ epoch => 0 ], [ minibatch => 99999 ]) {
        my ($key, $value) = @$_;
        refused("$key=$value", 1, qr/\Amlp train: there is no minibatch \d+ of /,
            $MLP, $arguments{checkpoint}(write_file("$dir/checkpoint",
            checkpoint($text =~ s/^$key=.*$/$key=$value/mr, $numbers))));
    }
    my ($status, $out, $err) = run($MLP, $arguments{checkpoint}(
        write_file("$dir/checkpoint", checkpoint($text =~ s/^log=.*\n//mr,
        $numbers))));
    is "$status$err", '0', 'without the rows of its log a run goes on';
    unlink glob "$dir/out/*";
    refuse('checkpoint', 'no training set', ': the training set of its run was '
        . 'unknown, but here it is ' . ($text =~ /^training set=(.*)$/m)[0],
        checkpoint($text =~ s/^training set=.*\n//mr, $numbers));
    refuse('checkpoint', 'a number more', ': found ' . (4 + length $numbers)
        . ' bytes of numbers, expected ' . length $numbers,
        checkpoint($text, "$numbers\0\0\0\0"));
};

# ----------------------------------------------------------------------- logs
subtest 'logs that are to be drawn' => sub {
    my ($head, $row) = split /^/, contents("$dir/good.log");
    refuse('log', 'no epoch', ': found no epoch in it, expected one at least',
        $head);
    refuse('log', "$_ for an epoch", ":2: found '$_' as epoch, expected a "
        . 'number', $head . $row =~ s/\A\d+/$_/r) for qw(x 1,5 --1);
    refuse('log', 'a row of two', ":2: found '' as train_error, expected a "
        . 'number', "${head}1\t2\n");
    refuse('log', $_->[0], ':1: found no column test_loss, expected the log '
        . 'of a training', ($head =~ s/test_loss/$_->[1]/r) . $row) for
        [ 'another column', 'other' ], [ 'a column twice', 'test_error' ];
};

cmp_ok $tried, '>=', 200, "$tried malformed inputs were tried";
figure('malformed files refused, each with its sentence', $tried);
done_testing;
