# mlp.nw as a document: chunks that fit the page, nothing undefined, unused or
# forgotten, an answer to every question, C that two compilers accept.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib ();
use MLP;
use Test::More;

# The files that mlp.nw is tangled into. A chunk that is used nowhere because
# its name is misspelt would appear among them.
my @core = qw(real functions network example);
my @modules = (@core, qw(matrix batch minibatch gradient_check peak error
    dataset source split idx csv circles picture model shards ranks
    train checkpoint options plot));
my @experiments = qw(bare best check-one check-ten circles-bayes circles-decay
    circles-stopping circles-units compare-1 compare-10 diverge fashion made
    moved moved-best moved-run moved-sweep pictures products proximal resume
    sample shards speed steps sweep time tiny winner);
my @expected = sort((map { ("$_.c", "$_.h") } @modules), 'mlp.c', 'ranks-mpi.c',
    (map { "experiments/$_.sh" } @experiments), 'experiments/tiny.c',
    (map { "$_.gp" } qw(look curves regions weights confusion)),
    'experiments/products.c', 'experiments/sweep.sbatch', 'experiments.mk',
    'numpy_gradient.py');
my @questions = ((map { "A.$_" } 1 .. 9), (map { "B.$_" } 1 .. 18),
    (map { "P.$_" } 1 .. 10), (map { "R.$_" } 1 .. 5));
# What is made for those who install it.
@expected = sort @expected, qw(library.c mlp.h manual.head manual.awk
    manual.tail completion.awk completion.bash);

my $nw = $ENV{MLP_NW} // "$TOP/mlp.nw";
my $dir = folder();

# The code chunks in order: { name, line, code (lines), defs (words) }, and
# the lines of prose.
my (@chunks, @prose);
{
    my $open;
    my $number = 0;
    for (split /\n/, contents($nw)) {
        $number++;
        if (/^<<(.*)>>=\s*$/) {
            push @chunks, { name => $1, line => $number, code => [],
                defs => [] };
            $open = 1;
        } elsif (/^\@ %def (.*)/) {
            push @{$chunks[-1]{defs}}, split ' ', $1;
            $open = 0;
        } elsif (/^\@(\s|$)/) {
            push @prose, $_;
            $open = 0;
        } elsif ($open) {
            push @{$chunks[-1]{code}}, $_;
        } else {
            push @prose, $_;
        }
    }
}

# Fails with the list of what is wrong, if there is any.
sub none {
    my ($name, @wrong) = @_;
    ok(!@wrong, $name) or diag join "\n", @wrong;
}

sub places {
    my ($test) = @_;
    my @found;
    for my $chunk (@chunks) {
        my $line = $chunk->{line};
        for (@{$chunk->{code}}) {
            $line++;
            push @found, "mlp.nw:$line: $_" if $test->($_);
        }
    }
    return @found;
}

subtest 'roots: exactly the files that are meant to be made' => sub {
    my ($status, $out) = run('noroots', $nw);
    is $status, 0, 'noroots reads the document';
    is_deeply [ sort $out =~ /^<<\[\[(.*)\]\]>>$/mg ], \@expected,
        'the list of roots';
    is scalar(() = $out =~ /\n/g), scalar(@expected), 'and nothing else';
};

subtest 'chunks: none undefined, none unused' => sub {
    my (%uses, %defined);
    for my $chunk (@chunks) {
        $defined{$chunk->{name}} = 1;
        for (@{$chunk->{code}}) {
            my $line = s/\@<<|\@>>//gr;
            $uses{$chunk->{name}}{$1} = $chunk->{line}
                while $line =~ /<<(.*?)>>/g;
        }
    }
    my %reached;
    my @todo = map { "[[$_]]" } @expected;
    while (defined(my $name = pop @todo)) {
        push @todo, keys %{$uses{$name}} unless $reached{$name}++;
    }
    cmp_ok scalar(keys %defined), '>', 200, 'the chunks are found';
    none('every chunk that is used is defined',
        grep { !$defined{$_} } sort keys %reached);
    none('every chunk that is defined is reached from a file',
        grep { !$reached{$_} } sort keys %defined);
};

subtest 'tangling: no complaint about any file' => sub {
    mkdir "$dir/experiments";
    for my $root (@expected) {
        my ($status, $out, $err) = run('notangle', "-R[[$root]]", $nw);
        is "$status$err", '0', $root;
        ok length $out, "$root is not empty";
        write_file("$dir/$root", $out);
    }
};

subtest 'chunks: they fit a page and any machine' => sub {
    none('no piece of a chunk is longer than 25 lines', map {
        my @code = @{$_->{code}};
        pop @code while @code && $code[-1] =~ /^\s*$/;
        @code > 25 ? "mlp.nw:$_->{line}: " . @code . " lines: $_->{name}" : ()
    } @chunks);
    none('no piece of a chunk is empty', map { "mlp.nw:$_->{line}: $_->{name}" }
        grep { !grep { /\S/ } @{$_->{code}} } @chunks);
    # A name with mathematics in it is shorter on the page than in the file.
    none('no line of code is longer than 80 columns',
        places(sub { !/^ *<<.*>>$/ && length s/\@(<<|>>)/$1/gr > 80 }));
    none('code is ASCII', places(sub { /[^\x20-\x7e\t]/ }));
    none('code has no tabs', places(sub { /\t/ }));
    none('no line of code ends in blanks', places(sub { /\s$/ }));
    none('no chunk is called other, misc, extra or helpers',
        grep { /\b(?:other|misc|extra|helpers?)$/i } map { $_->{name} }
        @chunks);
};

subtest 'index: identifiers are defined where the index says' => sub {
    my (%seen, @absent, @twice);
    my $n = 0;
    for my $chunk (@chunks) {
        my $code = join "\n", @{$chunk->{code}};
        for my $name (@{$chunk->{defs}}) {
            $n++;
            my $where = "mlp.nw:$chunk->{line}: $name";
            push @absent, $where unless $code =~ /(?<!\w)\Q$name\E(?!\w)/;
            push @twice, $where if $seen{$name}++;
        }
    }
    cmp_ok $n, '>', 100, 'the index is not empty';
    none('every %def is in the chunk before it', @absent);
    none('no identifier has two definitions', @twice);
    my %public;
    for my $module (@modules, 'mlp') {
        my $header = contents("$dir/$module.h");
        $header =~ s{/\*.*?\*/}{}gs;
        $header =~ s/\bG_GNUC_\w+\([^)]*\)//g;
        $public{$1} = $module
            while $header =~ /^(?!typedef|#|static)\w[\w \t*]*?\b(\w+)\([^;{]*\);/mg;
        $public{$1} = $module while $header =~ /^\} (\w+);/mg;
        $public{$1} = $module while $header =~ /^#define (\w+)/mg;
        delete $public{$_} for grep { /_H$/ } keys %public;
    }
    cmp_ok scalar(keys %public), '>', 50, 'public names are found';
    none('every public function, type and macro is in the index',
        map { "$_ ($public{$_}.h)" } grep { !$seen{$_} } sort keys %public);
};

subtest 'questions: each is answered at exactly one place' => sub {
    my %count;
    my $prose = join "\n", map { s/(?<!\\)%.*//r } @prose;
    $count{$1}++ while $prose =~ /\\question\{([^}]*)\}\{[^}\s]/g;
    is $count{$_} // 0, 1, $_ for @questions;
    my %known = map { $_ => 1 } @questions;
    none('there are no others', grep { !$known{$_} } sort keys %count);
};

subtest 'references: what is cited is in tex/references.bib' => sub {
    my %entry = map { $_ => 1 }
        contents("$TOP/tex/references.bib") =~ /^\@\w+\{([^,\s]+),/mg;
    my %cited = map { $_ => 1 } map { split /\s*,\s*/ }
        join("\n", @prose) =~ /\\cite\w*(?:\[[^\]]*\])*\{([^}]*)\}/g;
    cmp_ok scalar(keys %cited), '>', 10, 'the text cites';
    none('every key that is cited is an entry',
        grep { !$entry{$_} } sort keys %cited);
};

subtest 'numbers: what the text quotes comes from an experiment' => sub {
    my %known = map { $_ => 1 } @experiments;
    my $prose = join "\n", @prose;
    # What other targets than `make report' make is quoted if it is there.
    my @quoted = grep { !m{^\.\./(?:bench/bench|bench/ranks|trust|trust/faults)\.txt$} }
        $prose =~ /\\res(?:file)?\{([^}]*)\}/g;
    cmp_ok scalar(@quoted), '>', 50, 'the text quotes many';
    none('each names an experiment and a key',
        grep { !m{^([a-z0-9-]+)(?:@[^/]+)?/[^/]+$} || !$known{$1} } @quoted);
    my $results = contents("$TOP/generated/results.tex");
    SKIP: {
        skip 'there are no results yet', 1 unless defined $results;
        my %made = map { $_ => 1 } $results =~ /^\\setres\{([^}]*)\}/mg;
        # Those of `make report-long' are quoted if they are there.
        none('and each number has been made', grep { !$made{$_} }
            grep { !m{^moved} || $made{'moved/test_error'} } $prose =~ /\\res\{([^}]*)\}/g);
    }
};

subtest 'the C sources compile without a message' => sub {
    my $make = contents("$TOP/Makefile");
    my %of;
    for (qw(STANDARD WARNINGS)) {
        ($of{$_}) = $make =~ /^$_ :?= (.*)$/m or die "no $_ in Makefile";
    }
    like $of{WARNINGS}, qr/(?=.*-Wall)(?=.*-Wextra)(?=.*-Wpedantic)
        (?=.*-Wshadow)(?=.*-Wconversion)/x, 'with the warnings of the style';
    chomp(my $packages = `pkg-config --cflags glib-2.0 libprotobuf-c`);
    my @sources = map { "$dir/$_.c" } @modules, 'library', 'mlp';
    for my $compiler (qw(gcc clang)) {
        SKIP: {
            skip "no $compiler", 1
                if system("$compiler --version > /dev/null 2>&1") != 0;
            for my $precision ('', '-DMLP_DOUBLE') {
                my @extra = $precision ? "$dir/experiments/tiny.c" : ();
                my ($status, $out, $err) = run($compiler, '-Werror',
                    '-fsyntax-only', (map { split } @of{qw(STANDARD WARNINGS)}),
                    '-iquote', $dir, '-iquote', "$TOP/generated/src",
                    (split ' ', $packages), ($precision || ()), @sources,
                    @extra);
                is "$status$out$err", '0', "$compiler $precision";
            }
        }
    }
};

subtest 'floors: a module includes only what stands below it' => sub {
    my %floor;
    my $n = 0;
    for my $floor ([qw(real)], [qw(functions matrix error peak picture)],
        [qw(network ranks)],
        [qw(example batch source)], [qw(minibatch dataset)], [qw(shards)],
        [qw(split idx csv circles gradient_check model train)],
        [qw(checkpoint)], [qw(options plot)],
        [qw(mlp)]) {
        $floor{$_} = $n for @$floor;
        $n++;
    }
    $floor{library} = $floor{options};
    my (@up, @core_bad, @glib);
    my %free = map { $_ => 1 } qw(stddef stdbool stdint stdlib string math
        tgmath float limits assert stdalign);
    for my $module (@modules, 'library', 'mlp') {
        my $text = contents("$dir/$module.c") . (contents("$dir/$module.h")
            // '');
        while ($text =~ /^#include "(\w+)\.h"/mg) {
            next if $1 eq $module || $1 eq 'mlp'; # mlp.h is the library's
            push @up, "$module includes $1"
                if defined $floor{$1} && $floor{$1} >= $floor{$module};
        }
        my @system = $text =~ /^#include <([\w\/.-]+)\.h>/mg;
        push @core_bad, map { "$module includes <$_.h>" }
            grep { !$free{$_} } @system if grep { $_ eq $module } @core;
        push @glib, map { "$module includes <$_.h>" }
            grep { /^(glib|gio|stdio)/ } @system
            if grep { $_ eq $module } @core, qw(matrix batch minibatch);
    }
    none('no include goes up', @up);
    none('real, functions, network, example: the bare C library only',
        @core_bad);
    none('matrix, batch, minibatch: no GLib, no stdio', @glib);
    none('no module needs a library of matrices', grep {
        contents("$dir/$_.c") =~ /#include <cblas/
    } @modules, 'library', 'mlp');
};

subtest 'the log of the last report' => sub {
    my $log = contents("$TOP/generated/woven.log");
    plan skip_all => 'there is no report yet (make report)'
        unless defined $log;
    $log =~ s/(?<=[^\n]{79})\n//g; # TeX breaks its lines
    for my $word ('undefined', 'Overfull', 'multiply defined',
        'Missing character', 'Label\(s\) may have changed') {
        none("no $word", $log =~ /^(.*$word.*)$/mg);
    }
};

subtest 'the last report' => sub {
    my $pdf = contents("$TOP/generated/mlp.pdf");
    plan skip_all => 'there is no report yet (make report)'
        unless defined $pdf;
    my $file = "$TOP/generated/mlp.pdf";
    my (undef, $info) = run('pdfinfo', $file);
    like $info, qr/^Title: +\S.*\S/m, 'it has a title';
    like $info, qr/^Author: +\S/m, 'authors';
    unlike $info, qr/^CreationDate:/m, 'and no date, for it is reproducible';
    my $all = $pdf;
    while ($pdf =~ /stream\r?\n(.*?)\r?\nendstream/gs) {
        my $plain = Compress::Zlib::uncompress($1);
        $all .= "\n$plain" if defined $plain && $plain =~ m{/};
    }
    like $all, qr{/Lang ?\(en}, 'a language';
    like $all, qr{/Outlines \d+ 0 R}, 'an outline';
    cmp_ok scalar(() = $all =~ m{/URI ?\(|/S ?/GoTo}g), '>', 100, 'links';
    my (undef, $fonts) = run('pdffonts', $file);
    cmp_ok scalar(() = $fonts =~ /\n/g), '>', 4, 'pdffonts lists fonts';
    unlike $fonts, qr/Type 3/, 'none of them is a bitmap';
    none('all of them are embedded', grep { !/ yes +(yes|no) +(yes|no) +\d/ }
        (split /\n/, $fonts)[2 .. ($fonts =~ tr/\n//) - 1]);
    my (undef, $text) = run('pdftotext', '-q', $file, '-');
    unlike $text, qr/\?\?/, 'no reference is left open';
};

done_testing;
