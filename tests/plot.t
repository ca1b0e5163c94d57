# Pictures by mlp plot: they are files of their type, they show the numbers
# that the other commands print, and a picture that fails leaves nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib ();
use MIME::Base64 ();
use MLP;
use Test::More;

plan skip_all => 'there is no gnuplot here (make setup)'
    if system('gnuplot --version > /dev/null 2>&1') != 0 && !$ENV{CI};

my $python = $ENV{PYTHON} // '/usr/bin/python3';
my $dir = folder();
my $circles = "$TOP/data/circles.csv";

# A run on the circles, and a network for images of four by four pixels.
my ($log, $model) = ("$dir/run.tsv", "$dir/model.onnx");
mlp('train', '--train', $circles, qw(--hidden 8 --epochs 30 --batch 20),
    qw(--validation 500 --standardize none --quiet --log), $log, '--save',
    $model);
my $images = write_file("$dir/images.csv", join '', map {
    my $i = $_;
    join(',', (map { ($i * 7 + $_ * $_ * 3) % 11 } 1 .. 16), $i % 3) . "\n"
} 0 .. 59);
my $network = "$dir/images.onnx";
mlp('train', '--train', $images, qw(--hidden 5 --epochs 2 --batch 5 --quiet),
    '--save', $network);

my %picture = (
    curves => [ $log ],
    regions => [ $model, '--data', $circles ],
    weights => [ $network ],
    confusion => [ $network, '--data', $images ],
);

sub draw {
    my ($file, @arguments) = @_;
    my ($status, $out, $err) = mlp('plot', @arguments, '-o', $file);
    is "$status$out$err", '0', "mlp plot draws $file in silence";
    ok -s $file, 'and there it is';
    return contents($file);
}

subtest 'what comes through a pipe is drawn as if it were a file' => sub {
    for ([ 'a log', $log, qw(--kind curves) ], [ 'a network', $network ]) {
        my ($name, $file, @options) = @$_;
        my $picture = draw("$dir/file.svg", $file, @options);
        my ($status, $out, $err) = run('bash', '-c', '"$0" plot <(cat "$1") '
            . '--output "${@:2}"', $MLP, $file, "$dir/pipe.svg", @options);
        is "$status$out$err", '0', $name;
        ok contents("$dir/pipe.svg") eq $picture, 'the same picture';
    }
};

subtest 'each kind is a file of the type that its name ends in' => sub {
    for my $kind (sort keys %picture) {
        my $png = draw("$dir/$kind.png", @{$picture{$kind}});
        my ($signature, $width, $height) = unpack 'a8x8NN', $png;
        is $signature, "\x89PNG\r\n\x1a\n", "$kind.png is a PNG";
        is $width, 960, 'of twice the 480 points';
        cmp_ok $height, '>', 200, 'and not flat';
        draw("$dir/$kind.svg", @{$picture{$kind}});
        my ($status, undef, $err) = run($python, '-c', 'import sys;'
            . 'from xml.etree import ElementTree as e;'
            . 'assert e.parse(sys.argv[1]).getroot().tag.endswith("}svg")',
            "$dir/$kind.svg");
        is "$status$err", '0', "$kind.svg is well-formed XML, and SVG";
        draw("$dir/$kind.PDF", @{$picture{$kind}}, qw(--size 300));
        (undef, my $info) = run('pdfinfo', "$dir/$kind.PDF");
        like $info, qr/^Pages: +1$/m, "$kind.PDF is a PDF of one page";
        like $info, qr/^Page size: +300 x \d/m, 'as wide as --size said';
        unlike $info, qr/^CreationDate/m, 'without a date';
    }
};

subtest 'the same picture is the same, to the byte' => sub {
    for my $format (qw(png svg PDF)) {
        same(draw("$dir/again.$format", @{$picture{regions}},
            $format eq 'PDF' ? qw(--size 300) : ()),
            contents("$dir/regions.$format"), $format);
    }
};

# The numbers (or words) of an SVG with the places where they stand.
sub texts {
    my ($svg) = @_;
    my @texts;
    push @texts, [ $1, $2, $3 ] while $svg =~
        m{translate\(([-\d.]+),([-\d.]+)\)[^>]*>\s*<text>(.*?)</text>}gs;
    return @texts;
}

subtest 'the curves have the points of the log' => sub {
    my $svg = contents("$dir/curves.svg");
    my @log = table(contents($log));
    my %colour = (train => '  0, 114, 178', valid => '  0, 158, 115',
        test => '213,  94,   0');
    for my $set (qw(train valid)) {
        my @paths = $svg =~ /stroke='rgb\($colour{$set}\)'\s+d='M([^']*)'/g;
        is scalar(@paths), 2, "$set has a curve in each panel";
        for my $what (qw(error loss)) {
            my @points = map { [ split /,/ ] } shift(@paths) =~ /([\d.]+,[\d.]+)/g;
            is scalar(@points), 30, "$what: as many points as epochs";
            my @values = column("${set}_$what", @log);
            is scalar(grep { abs($points[$_][0] - $points[0][0]
                - $_ * ($points[29][0] - $points[0][0]) / 29) > 0.02 } 0 .. 29),
                0, 'at equal distances';
            # Down on the page is up in the panel: y = a - b value.
            my ($low, $high) = (sort { $values[$a] <=> $values[$b] } 0 .. 29)
                [0, 29];
            my $b = ($points[$low][1] - $points[$high][1])
                / ($values[$high] - $values[$low]);
            cmp_ok $b, '>', 0, 'upwards';
            is scalar(grep { abs($points[$low][1] - $points[$_][1]
                - $b * ($values[$_] - $values[$low])) > 0.03 } 0 .. 29),
                0, 'and as high as the numbers';
        }
    }
    unlike $svg, qr/stroke='rgb\($colour{test}\)'/, 'no curve without a set';
    my ($best) = sort { $a->{valid_error} <=> $b->{valid_error}
        || $a->{epoch} <=> $b->{epoch} } @log;
    my $words = sprintf 'validation: %.3g %% in epoch %d',
        100 * $best->{valid_error}, $best->{epoch};
    ok((grep { $_->[2] eq $words } texts($svg)), $words);
};

subtest 'a log of other columns, of one epoch, without validation' => sub {
    my @names = qw(epoch seconds test_loss test_error rate valid_error
        valid_loss train_error train_loss);
    write_file("$dir/other.tsv", join("\t", @names) . "\n"
        . join("\t", 1, 2.5, 0.7, 0.3, 0.1, 'nan', 'nan', 0.25, 0.6) . "\n");
    my $svg = draw("$dir/other.svg", "$dir/other.tsv");
    my @words = map { $_->[2] } texts($svg);
    ok((grep { $_ eq 'test' } @words), 'the test set is there');
    ok(!(grep { /validation/ } @words), 'a set that was not given is not');
};

# The pixels of the picture inside an SVG: rows of [r, g, b].
sub pixels {
    my ($svg) = @_;
    my ($base64) = $svg =~ m{data:image/png;base64,([^']*)'};
    my $png = MIME::Base64::decode($base64);
    my ($width, $height, $depth, $type) = unpack 'x16NNCC', $png;
    is "$depth $type", '8 2', "an image of $width by $height colours";
    my $data = '';
    for (my $at = 8; $at < length $png;) {
        my ($length, $name) = unpack 'Na4', substr $png, $at, 8;
        $data .= substr $png, $at + 8, $length if $name eq 'IDAT';
        $at += 12 + $length;
    }
    my @bytes = unpack 'C*', Compress::Zlib::uncompress($data);
    my @above = (0) x (3 * $width);
    my @rows;
    for my $y (0 .. $height - 1) {
        my $filter = shift @bytes;
        my @row = splice @bytes, 0, 3 * $width;
        for my $i (0 .. $#row) {
            my ($a, $b, $c) = ($i < 3 ? 0 : $row[$i - 3], $above[$i],
                $i < 3 ? 0 : $above[$i - 3]);
            my ($pa, $pb, $pc) = (abs($b - $c), abs($a - $c),
                abs($a + $b - 2 * $c));
            my $paeth = $pa <= $pb && $pa <= $pc ? $a : $pb <= $pc ? $b : $c;
            $row[$i] = ($row[$i] + (0, $a, $b, int(($a + $b) / 2), $paeth)
                [$filter]) % 256;
        }
        push @rows, [ map { [ @row[3 * $_ .. 3 * $_ + 2] ] } 0 .. $width - 1 ];
        @above = @row;
    }
    return \@rows;
}

subtest 'the regions are those of mlp regions, the right way up' => sub {
    my @box = qw(--x-min -3 --x-max 2 --y-min -1 --y-max 3.5);
    my $rows = pixels(draw("$dir/box.svg", $model, @box));
    my (undef, $out) = mlp('regions', '--model', $model, qw(--grid 201), @box);
    my @table = table($out);
    my @points = grep { defined $_->{p1} } @table;
    my ($n, $wrong, $faint) = (0, 0, 0);
    for my $i (0 .. $#points) {
        my ($r, undef, $b) = @{$rows->[200 - $i % 201][int($i / 201)]};
        my $margin = abs($points[$i]{p1} - $points[$i]{p0});
        my $class = $r > $b ? 1 : 0; # vermilion, or blue
        $n++;
        $wrong++ if $margin > 0.02 && $class != $points[$i]{class};
        # From white, halfway to the colour's darkest channel, which is 0.
        $faint++ if abs(255 - 127.5 * $margin - ($class ? $b : $r)) > 3;
    }
    is $n, 201 * 201, 'every point of the grid';
    is $wrong, 0, 'has the colour of its class';
    is $faint, 0, 'as strongly as the network is sure';
};

subtest 'regions of what lies on a line, and of three classes' => sub {
    my $line = write_file("$dir/line.csv", join '', map { "1,$_,"
        . int($_ / 10) . "\n" } 0 .. 69);
    mlp('train', '--train', $line, qw(--epochs 2 --batch 10 --quiet --save),
        "$dir/line.onnx");
    for ([], [ '--data', $line ], [ '--data', $line,
        qw(--x-min -1 --x-max 1 --y-min -1 --y-max 1) ]) {
        like draw("$dir/line.svg", "$dir/line.onnx", @$_), qr/<svg/,
            "a picture, @$_";
    }
};

subtest 'who ignores its children gets a picture all the same' => sub {
    my ($status, $out, $err) = run('perl', '-e', '$SIG{CHLD} = "IGNORE";'
        . 'exec @ARGV', $MLP, 'plot', $log, '-o', "$dir/ignored.svg");
    is "$status$out$err", '0', 'no child is lost';
    same(contents("$dir/ignored.svg"), contents("$dir/curves.svg"), 'the same');
};

subtest 'a program that may open no more files' => sub {
    plan skip_all => 'valgrind opens files too' if under_valgrind();
    my %said;
    for (4 .. 12) {
        my ($status, undef, $err) = run('bash', '-c', 'ulimit -n $0; exec "$@"',
            $_, $MLP, 'plot', $log, '-o', "$dir/few.svg");
        $said{"$status$1"} = 1 if $err =~ /\Amlp plot: (.+):[^:]*\n\z/;
        last if $status == 0;
    }
    is_deeply [ sort keys %said ], [ map { "1$_" }
        'gnuplot cannot be started', 'no temporary file for gnuplot' ],
        'says so, whichever it is that cannot be opened';
};

subtest 'the examples are drawn over the regions' => sub {
    my $svg = contents("$dir/regions.svg");
    my @dots = $svg =~ m{<use xlink:href='#gpPt6' transform='translate\(([\d.]+,[\d.]+)\) scale\([\d.]+\)' color='rgb\(([ \d,]+)\)'}g;
    my @rows = split /\n/, contents($circles);
    cmp_ok scalar(@dots) / 2, '>=', 2 * (@rows - 1), 'a rim and a dot for each';
};

subtest 'the strongest unit comes first, with its weights' => sub {
    my $svg = draw("$dir/tiles.svg", $network, qw(--units 4));
    my (undef, $out) = mlp('weights', '--model', $network);
    my ($one, $two) = map { [ map { [ split /\t/ ] } split /\n/ ] }
        split /\n\n/, $out;
    my @strength = map { my $j = $_; my $sum = 0;
        $sum += $_->[$j + 1] ** 2 for @$two; $sum } 0 .. 4;
    my @order = sort { $strength[$b] <=> $strength[$a] } 0 .. 4;
    my @numbers = map { $_->[2] } sort { $a->[1] <=> $b->[1]
        || $a->[0] <=> $b->[0] } grep { $_->[2] =~ /^[1-9]$/ } texts($svg);
    is "@numbers", join(' ', map { $_ + 1 } @order[0 .. 3]),
        'four numbers, the strongest first';
    my $rows = pixels($svg);
    # Two by two tiles, each 5 by 5 with its gaps: 4 by 4 below the gap.
    my $zoom = @{$rows->[0]} / 10;
    my @w = @{$one->[$order[0]]}[1 .. 16];
    my @wrong = grep {
        my ($r, undef, $b) = @{$rows->[(1.5 + int($_ / 4)) * $zoom]
            [($_ % 4 + 0.5) * $zoom]};
        abs($r - $b) > 3 && ($r > $b) != ($w[$_] > 0)
    } 0 .. 15;
    is "@wrong", '', 'orange where a weight is positive, blue where negative';
};

subtest 'a confusion matrix shows the counts that mlp evaluate prints' => sub {
    my (undef, $out) = mlp('evaluate', '--model', $network, '--test', $images);
    my ($table) = $out =~ /^true[^\n]*\n(.*)/ms;
    my @expected = map { [ (split /\t/)[1 .. 3] ] } split /\n/, $table;
    my $svg = contents("$dir/confusion.svg");
    my @texts = texts($svg);
    # The classes stand along the lower side: what is above them is a column.
    my @names = grep { $_->[2] =~ /^\d+$/ } @texts;
    my ($bottom) = sort { $b <=> $a } map { $_->[1] } @names;
    my @x = map { $_->[0] } grep { $_->[1] == $bottom } @names;
    is scalar(@x), 3, 'three classes below';
    my ($left) = sort { $a <=> $b } map { $_->[0] } @names;
    my @y = map { $_->[1] } grep { $_->[0] == $left } @names;
    is scalar(@y), 3, 'and three at the left';
    for my $k (0 .. 2) {
        for my $j (0 .. 2) {
            my @here = map { $_->[2] } grep { abs($_->[0] - $x[$j]) < 2
                && abs($_->[1] - $y[$k]) < 2 } @names;
            is "@here", $expected[$k][$j] || '', "true $k, predicted $j";
        }
    }
};

subtest 'pictures and their labels, too, make a confusion matrix' => sub {
    my $pixels = write_file("$dir/pixels", "\0\0\10\3" . pack('N3', 60, 4, 4)
        . join '', map { my $i = $_; map { chr(($i * 7 + $_ * $_ * 3) % 11) }
            1 .. 16 } 0 .. 59);
    my $classes = write_file("$dir/classes", "\0\0\10\1" . pack('N', 60)
        . join '', map { chr($_ % 3) } 0 .. 59);
    # (The CSV file has the same numbers.)
    same(draw("$dir/pixels.svg", $network, '--data', $pixels, '--labels',
        $classes), draw("$dir/numbers.svg", $network, '--data', $images),
        'the same as from CSV');
    write_file("$dir/open.tsv", contents($log) =~ s/\n\z//r);
    same(draw("$dir/open.svg", "$dir/open.tsv"), contents("$dir/curves.svg"),
        'and a log may lack its last line end');
};

subtest 'without --output the picture gets a name, which is told' => sub {
    my $here = folder();
    write_file("$here/a run.v1.tsv", contents($log));
    my ($status, $out, $err) = mlp('plot', "$here/a run.v1.tsv");
    is "$status$out", '0', 'a run';
    is $err, "mlp plot: wrote $here/a run.v1-curves.png\n", 'says its name';
    is listing($here), 'a run.v1-curves.png a run.v1.tsv', 'and has it';
    write_file("$here/run", contents($log));
    is +(run_in($here, $MLP, qw(plot run)))[2],
        "mlp plot: wrote run-curves.png\n", 'a name without an ending';
    mkdir "$here/a.b";
    write_file("$here/a.b/run", contents($log));
    is +(run_in($here, $MLP, qw(plot a.b/run)))[2],
        "mlp plot: wrote a.b/run-curves.png\n", 'in a folder with one';
};

subtest 'no name of a file is ever a command, a format or a string' => sub {
    my $here = folder();
    for my $name ("it's", '"quoted"', '50%', '%d of %s', '|touch x', '$(x) `y`',
        'back\\slash', '-o', ' blank ', "new\nline", "na\xc3\xafve") {
        my $in = write_file("$here/$name.tsv", contents($log));
        my $png = draw("$here/$name.png", '--input', $in);
        is substr($png, 1, 3), 'PNG', 'is a picture of that name';
        unlink $in, "$here/$name.png";
    }
    is listing($here), '', 'and nothing else has been made';
};

subtest 'a wrong request is refused before anything is drawn' => sub {
    my $keep = write_file("$dir/keep.png", 'earlier');
    my @bad = (
        [ 'no input', 2, qr/--input is missing/ ],
        [ 'another format', 2, qr/--output is '.*jpg'.*\.png, \.svg or \.pdf/,
            $log, '-o', "$dir/x.jpg" ],
        [ 'a kind that there is not', 2, qr/--kind is 'pie'/,
            $log, qw(--kind pie) ],
        [ 'a third argument', 2, qr/'stray'/, $log, 'stray' ],
        [ 'data for curves', 2, qr/--data .*curves/, $log, '--data', $images ],
        [ 'units for regions', 2, qr/--units .*regions/,
            $model, qw(--units 3) ],
        [ 'labels without data', 2, qr/--labels without --data/,
            $model, '--labels', $circles ],
        [ 'images without labels', 2, qr/looks like IDX images: add --labels/,
            $network, '--data', write_file("$dir/idx", "\0\0\10\3") ],
        [ 'examples that are no images', 1, qr/found 2 columns, expected 17/,
            $network, '--data', write_file("$dir/none", "\0a,1\n") ],
        [ 'an empty rectangle among examples', 2, qr/--y-min.*--y-max/,
            $model, '--data', $circles, qw(--y-min 2 --y-max 2) ],
        [ 'an empty log', 1, qr/:1: found no column epoch/,
            write_file("$dir/nothing", ''), qw(--kind curves) ],
        [ 'a short file', 1, qr/short/, write_file("$dir/short", 'epo') ],
        [ 'a log that is not there', 1, qr/nosuch.*No such file/,
            "$dir/nosuch", qw(--kind curves) ],
        [ 'a confusion matrix of nothing', 2, qr/--data is missing/,
            $network, qw(--kind confusion) ],
        [ 'inputs that are no image', 2, qr/2 inputs.*--width/,
            $model, qw(--kind weights) ],
        [ 'rows that do not fill the image', 2, qr/--width is 3.*16/,
            $network, qw(--width 3) ],
        [ 'an empty rectangle', 2, qr/--x-min.*--x-max/,
            $model, qw(--x-min 1 --x-max 1) ],
        [ 'the input as the output', 2, qr/same file/,
            "$dir/curves.png", '-o', "$dir/curves.png" ],
        [ 'regions of sixteen inputs', 1, qr/16 inputs.*plane/,
            $network, qw(--kind regions) ],
        [ 'a model as a log', 1, qr/:1: found no column epoch/,
            $model, qw(--kind curves) ],
        [ 'data of another width', 1, qr/found 3 columns, expected 17/,
            $network, '--data', $circles ],
        [ 'a missing file', 1, qr/nosuch.*No such file/, "$dir/nosuch" ],
        [ 'a log without an epoch', 1, qr/no epoch/, write_file(
            "$dir/empty.tsv", (split /^/, contents($log))[0]) ],
        [ 'a log with a word in it', 1, qr/word.tsv:2: found 'x' as/,
            write_file("$dir/word.tsv", contents($log) =~ s/\n1\t\S+\t\S+/\n1\t1\tx/r) ],
        [ 'a log with more than a number', 1, qr/more.tsv:2: found '1x' as/,
            write_file("$dir/more.tsv", contents($log)
                =~ s/(\n1\t\S+\t)\S+/${1}1x/r) ],
        [ 'a log that was cut', 1, qr/cut.tsv:31: found '' as/,
            write_file("$dir/cut.tsv", substr contents($log), 0, -5) ],
    );
    for (@bad) {
        my ($name, $status, $words, @arguments) = @$_;
        refused($name, $status, $words, $MLP, 'plot', @arguments,
            (grep { $_ eq '-o' } @arguments) ? () : ('-o', $keep));
    }
    is contents($keep), 'earlier', 'and the earlier picture is still there';
};

subtest 'without gnuplot: one sentence, and the other commands work' => sub {
    my $here = folder();
    my $out = write_file("$here/keep.svg", 'earlier');
    local $ENV{PATH} = "$here/none";
    refused('mlp plot', 1, qr/gnuplot.*not installed.*gnuplot-nox/,
        $MLP, 'plot', $log, '-o', $out);
    my ($status) = mlp('weights', '--model', $model);
    is $status, 0, 'mlp weights works';
    is contents($out), 'earlier', 'the earlier picture is still there';
    is listing($here), 'keep.svg', 'and no other file';
};

subtest 'a gnuplot that fails: its last line, and no half picture' => sub {
    my %fails = (
        'says why' => [ 'echo half; echo first >&2; echo "  the reason" >&2;'
            . ' exit 3', qr/failed: the reason$/ ],
        'says nothing' => [ 'exit 1', qr/does not say why/ ],
        'is killed' => [ 'echo half; kill -9 $$', qr/does not say why/ ],
        'draws nothing' => [ 'exit 0', qr/does not say why/ ],
        'draws blank lines' => [ 'echo; echo', qr/found a part of a picture/ ],
        'draws a part' => [ 'echo "%PDF-1.5"; echo part',
            qr/found a part of a picture/ ],
    );
    for my $name (sort keys %fails) {
        my ($script, $words) = @{$fails{$name}};
        my $here = folder();
        mkdir "$here/bin";
        write_file("$here/bin/gnuplot", "#!/bin/sh\n$script\n");
        chmod 0755, "$here/bin/gnuplot";
        my $out = write_file("$here/keep.pdf", 'earlier');
        local $ENV{PATH} = "$here/bin:/usr/bin:/bin";
        refused("a gnuplot that $name", 1, $words,
            $MLP, 'plot', $log, '-o', $out);
        is contents($out), 'earlier', 'the earlier picture is still there';
        is listing($here), 'bin keep.pdf', 'and no other file';
    }
};

done_testing;
