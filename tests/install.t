# What is installed and shipped: that it works from where it is put, that it
# goes away again, and that the manual, the completion and --help agree. No
# command and no option has its name here: all are asked of the program.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Find qw(find);
use MLP;
use Test::More;

my $dir = folder();
my $prefix = "$dir/a prefix";
my $generated = "$TOP/generated";

sub have { return system("command -v $_[0] > /dev/null 2>&1") == 0 }

# Without a tool of `make setup' a test is skipped, but not where CI runs it.
sub lacks {
    my ($tool) = @_;
    return !have($tool) && !$ENV{CI};
}

sub make {
    my ($where, @goals) = @_;
    return run_in($where, 'make', '--no-print-directory', @goals);
}

# All files and links below a folder, by their paths from there.
sub files {
    my ($top) = @_;
    my @found;
    find({ no_chdir => 1, wanted => sub {
        push @found, substr $_, length "$top/" if -l || !-d;
    } }, $top);
    return sort @found;
}

# What --help says: { usage, items => [[name, about]], options => [{ name,
# short, value, about }] }.
sub help_of {
    my (@command) = @_;
    my ($status, $out, $err) = mlp(@command, '--help');
    is "$status$err", '0', "mlp @command --help";
    my %help = (items => [], options => []);
    ($help{usage}) = $out =~ /^Usage:\n *(.*?) *$/m;
    for (split /\n/, $out) {
        if (/^  (?:(-\w), )?(--[a-z0-9-]+)(?:=(\S+))? +(.*)$/) {
            push @{$help{options}}, { name => $2, short => $1 // '',
                value => $3 // '', about => $4 };
        } elsif (/^  (\S+)  +(.*)$/) {
            push @{$help{items}}, [ $1, $2 ];
        }
    }
    return \%help;
}

my $general = help_of();
my @commands = map { $_->[0] } @{$general->{items}};
my %help = map { $_ => help_of($_) } @commands;
cmp_ok scalar(@commands), '>', 5, 'the program tells its commands';
cmp_ok scalar(@{$help{$_}{options}}), '>', 1, "and the options of $_"
    for @commands;

subtest 'the manual page says what --help says' => sub {
    plan skip_all => 'no mandoc (make setup)' if lacks('mandoc');
    my (undef, $page, $err) = run('mandoc', '-T', 'ascii', '-O', 'width=500',
        "$generated/mlp.1");
    $page =~ s/.\x08//g;
    my %section;
    $section{$1} = $2 while $page =~ /^([A-Z][A-Z ]+)\n((?: .*\n|\n)*)/mg;
    is_deeply [ sort keys %section ], [ sort 'NAME', 'SYNOPSIS',
        'DESCRIPTION', 'COMMANDS', 'OPTIONS', 'EXIT STATUS', 'ENVIRONMENT',
        'FILES', 'EXAMPLES', 'SEE ALSO' ], 'its sections';
    # "name  about" on one line, or the two on two lines
    my $entries = sub {
        return [ map { [ /^ {7}(\S+)\s+(.*?)\s*$/s ] }
            split /\n\n(?= {7}\S)/, $_[0] ];
    };
    is_deeply $entries->($section{COMMANDS}), $general->{items},
        'commands and their summaries';
    my ($none, @parts) = split /^ {3}(?=\S)/m, $section{OPTIONS};
    is_deeply [ map { /^mlp (\S+)/ } @parts ], \@commands,
        'options for each command';
    for my $command (@commands) {
        my $part = shift @parts;
        my $wanted = $help{$command};
        my ($usage) = $part =~ /\A(.*)/;
        is $usage, $wanted->{usage}, "$command: the usage line";
        my @found;
        push @found, { short => $1 // '', name => $2, value => $3 // '',
            about => $4 } while $part
            =~ /^ {7}(?:(-\w), )?(--[a-z0-9-]+)(?:=(\S+))?\s+(.*?)\s*$/mg;
        is_deeply \@found, $wanted->{options},
            "$command: each option, what it takes, what it does";
    }
};

subtest 'the manual page is well made' => sub {
    my $page = contents("$generated/mlp.1");
    my ($version) = (mlp('--version'))[1] =~ /^mlp (\S+)/;
    like $page, qr/^\.TH MLP 1 \d{4}-\d\d-\d\d "mlp \Q$version\E"/m,
        'it bears the day and the version';
    SKIP: {
        skip 'no mandoc', 1 if lacks('mandoc');
        my ($status, $out, $err) = run('mandoc', '-T', 'lint', '-W',
            'warning', "$generated/mlp.1");
        is "$status$out$err", '0', 'mandoc has nothing to warn of';
    }
    SKIP: {
        skip 'no groff', 1 unless have('groff');
        my (undef, undef, $err) = run('groff', '-ww', '-man', '-T', 'ascii',
            "$generated/mlp.1");
        is $err, '', 'nor has groff';
    }
};

subtest 'the examples of the manual page work' => sub {
    my ($example) = contents("$generated/mlp.1") =~ /^\.EX\n(.*?)^\.EE$/ms;
    $example =~ s/\\-/-/g;
    my @lines = split /\n/, $example;
    cmp_ok scalar(@lines), '>', 2, 'there are some';
    my $where = "$dir/examples";
    mkdir $where;
    local $ENV{PATH} = "$generated/bin:$ENV{PATH}";
    for (@lines) {
        my ($status, undef, $err) = run_in($where, 'bash', '-euc', $_);
        is $status, 0, $_ or diag $err;
    }
};

# What bash would offer after these words, the last of them unfinished.
sub offers {
    my (@words) = @_;
    my ($status, $out, $err) = run_in("$dir/files", 'bash', '-c', <<'END',
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
word=${COMP_WORDS[-1]}
[[ $word == "=" ]] && word=
_mlp "$1" "$word" "${COMP_WORDS[-2]}"
printf '%s\n' "${COMPREPLY[@]}"
END
        'bash', "$generated/mlp.bash", @words);
    diag $err if $err ne '';
    return join ' ', sort grep { $_ ne '' } split /\n/, $out;
}

subtest 'the completion offers what --help says' => sub {
    plan skip_all => 'no bash' unless have('bash');
    mkdir "$dir/files";
    write_file("$dir/files/$_", '') for 'data.csv', 'with blank.csv';
    my @all = ((mlp('--help'))[1] =~ /(--\w+)/g, @commands);
    my %all = map { $_ => 1 } @all;
    is offers('mlp', ''), join(' ', sort keys %all), 'commands';
    is offers('mlp', substr $_, 0, -1), $_, "$_ from its beginning"
        for grep { my $c = $_; 1 == grep { /^\Q${\substr $c, 0, -1}\E/ }
            keys %all } @commands;
    for my $command (@commands) {
        my @options = @{$help{$command}{options}};
        is offers('mlp', $command, '--'),
            join(' ', sort map { $_->{name} } @options),
            "$command: its options";
        my $takes_files = $help{$command}{usage} =~ /\[OPTION\S* +\S/;
        is offers('mlp', $command, 'da'), $takes_files ? 'data.csv' : '',
            "$command: files where it takes them";
        my %wrong;
        for (@options) {
            my ($name, $value) = @$_{qw(name value)};
            my $expected = $value =~ /^[NR]$/ ? ''
                : $value eq 'F' ? 'data.csv with blank.csv'
                : join ' ', sort split /\|/, $value;
            next if $value eq '';
            for my $words ([ $name, '' ], [ $name, '=' ]) {
                my $offered = offers('mlp', $command, @$words);
                $wrong{"@$words"} = $offered if $offered ne $expected;
            }
            my $first = (split / /, $expected)[0] // next;
            my $offered = offers('mlp', $command, $name, '=', $first);
            $wrong{"$name=$first"} = $offered if $offered !~ /\Q$first\E/;
        }
        is_deeply \%wrong, {}, "$command: what each option takes";
    }
    my ($status, $out) = run('bash', '-c', 'source "$1"; complete -p mlp '
        . 'mlp-double', 'bash', "$generated/mlp.bash");
    is $status, 0, 'both programs are completed';
};

subtest 'make install puts files in place, make uninstall removes them' => sub {
    mkdir $prefix;
    mkdir "$prefix/bin";
    write_file("$prefix/bin/another", 'keep');
    my @before = files($prefix);
    my ($status, $out, $err) = make($TOP, 'install', "prefix=$prefix");
    is "$status$err", '0', 'make install';
    my @installed = grep { $_ ne 'bin/another' } files($prefix);
    for (qw(bin/mlp bin/mlp-double include/mlp.h lib/libmlp.so
        lib/libmlp-double.so lib/pkgconfig/mlp.pc share/man/man1/mlp.1
        share/bash-completion/completions/mlp)) {
        ok -e "$prefix/$_", $_;
    }
    is +(grep { !-e "$prefix/$_" } @installed), 0, 'no link leads nowhere';
    local $ENV{PATH} = '/usr/bin:/bin';
    is +(run("$prefix/bin/$_", 'circles', '--help'))[0], 0, "$_ runs there"
        for qw(mlp mlp-double);

    my @again = files($prefix);
    ($status) = make($TOP, 'install', "prefix=$prefix");
    is $status, 0, 'make install over it';
    is_deeply [ files($prefix) ], \@again, 'changes no name';

    ($status, $out, $err) = make($TOP, 'uninstall', "prefix=$prefix");
    is "$status$err", '0', 'make uninstall';
    is_deeply [ files($prefix) ], \@before, 'leaves what was there before';
    is contents("$prefix/bin/another"), 'keep', 'untouched';

    my $stage = "$dir/stage";
    ($status, $out, $err) = make($TOP, 'install', "DESTDIR=$stage",
        'prefix=/usr', 'libdir=/usr/lib/here', 'mandir=/opt/man');
    is "$status$err", '0', 'make install into DESTDIR';
    is_deeply [ files($stage) ], [ sort map { s{^lib/}{lib/here/}r }
        map { s{^usr/share/man/}{opt/man/}r =~ s{^usr/lib/}{usr/lib/here/}r }
        map { "usr/$_" } @installed ], 'the directories are those asked for';
    like contents("$stage/usr/lib/here/pkgconfig/mlp.pc"),
        qr{^libdir=/usr/lib/here$}m, 'pkg-config is told without DESTDIR';
    make($TOP, 'uninstall', "DESTDIR=$stage", 'prefix=/usr',
        'libdir=/usr/lib/here', 'mandir=/opt/man');
    is_deeply [ files($stage) ], [], 'and can be taken out again';
};

subtest 'the program of the README embeds the installed library' => sub {
    my $where = "$dir/embed";
    my ($status, undef, $err) = make($TOP, 'install', "prefix=$where");
    is "$status$err", '0', 'make install';
    my ($program, @more) = contents("$TOP/README.md")
        =~ /^```c\n(.*?)^```$/msg;
    is scalar(@more), 0, 'the README has one program in C';
    cmp_ok scalar(() = $program =~ /\n/g), '<=', 30, 'of at most 30 lines';
    write_file("$where/xor.c", $program);
    local $ENV{PKG_CONFIG_PATH} = "$where/lib/pkgconfig";
    local $ENV{LD_LIBRARY_PATH} = "$where/lib";
    my ($version) = (mlp('--version'))[1] =~ /^mlp (\S+)/;
    for my $library (qw(mlp mlp-double)) {
        chomp(my $said = (run('pkg-config', '--modversion', $library))[1]);
        is $said, $version, "$library: pkg-config knows the version";
        my ($status, $out, $err) = run_in($where, 'bash', '-euc', 'cc -Wall '
            . '-Wextra -Wpedantic -Werror xor.c $(pkg-config --cflags --libs '
            . "$library) -o xor; ./xor");
        is "$status$err", '0', 'it compiles and runs';
        is_deeply [ map { $_ > 0.9 ? 1 : $_ < 0.1 ? 0 : $_ }
            $out =~ /probability ([0-9.]+)$/mg ], [ 0, 1, 1, 0 ],
            'and has learnt exclusive or' or diag $out;
        my (undef, $elf) = run('readelf', '-d', "$where/xor");
        like $elf, qr/NEEDED.*\[lib\Q$library\E\.so\.\d+\]/,
            'linked to a version of the interface';
        ok -s "$where/xor.onnx", 'and saved it';
        my ($read, undef, $why) = run_in($where, $MLP, 'weights', '--model',
            'xor.onnx');
        is $read, 0, 'for mlp to read' or diag $why;
        unlink "$where/xor.onnx";
    }
};

subtest 'the header stands alone' => sub {
    my $header = "$generated/src/mlp.h";
    unlike contents($header), qr/glib|real\.h/i, 'it needs no other library';
    for (['C99', 'gcc', '-std=c99', '-xc'], ['C++', 'g++', '-xc++'],
        ['C++', 'clang', '-xc++']) {
        my ($language, @command) = @$_;
        SKIP: {
            skip "no $command[0]", 1 unless have($command[0]);
            for my $precision ('-DMLP_FLOAT', '-DMLP_DOUBLE') {
                my ($status, $out, $err) = run(@command, $precision,
                    qw(-Wall -Wextra -Wpedantic -Werror -fsyntax-only),
                    $header);
                is "$status$out$err", '0', "$language, $precision";
            }
        }
    }
    (my $plain = contents($header)) =~ s{/\*.*?\*/}{}gs;
    my @declared = sort $plain =~ /\b(mlp_\w+)\(/g;
    cmp_ok scalar(@declared), '>', 8, 'it declares functions';
    for my $library (qw(libmlp libmlp-double)) {
        my (undef, $out) = run('nm', '-D', '--defined-only',
            "$generated/lib/$library.so");
        is_deeply [ sort $out =~ /^\S+ \S (\S+)$/mg ], \@declared,
            "$library.so shows these and nothing else";
    }
};

subtest 'make dist: the same bytes twice, and a tree that builds' => sub {
    my $tarball = sub { (glob "$_[0]/generated/mlp-*.tar.gz")[0] };
    my $marked = -e "$generated/shipped"; # this tree is from a tarball
    unlink $_ for glob "$generated/mlp-*.tar.gz";
    my ($status, $out) = make($TOP, 'dist');
    is $status, 0, 'make dist';
    my $file = $tarball->($TOP);
    my ($version) = (mlp('--version'))[1] =~ /^mlp (\S+)/;
    is $file, "$generated/mlp-$version.tar.gz", 'its name has the version';
    my $bytes = contents($file);
    umask 077;
    make($TOP, 'dist');
    umask 022;
    ok contents($file) eq $bytes, 'made again, it has the same bytes';
    is -e "$generated/shipped", $marked, 'and leaves no mark on this tree';

    is system('tar', 'xzf', $file, '-C', $dir), 0, 'it unpacks';
    my $tree = "$dir/mlp-$version";
    is join(' ', grep { !/^(generated|\.git|\.dockerignore)$/
        && !-e "$tree/$_" } split ' ', listing($TOP)), '',
        'all of the tree is in it';
    my $bare = "$dir/bare"; # what there is, but noweb, TeX and the like
    mkdir $bare;
    for my $tool (map { glob "$_/*" } '/bin', '/usr/bin', '/usr/local/bin') {
        my ($name) = $tool =~ m{([^/]+)$};
        symlink $tool, "$bare/$name"
            unless $name =~ /^(no(tangle|weave|web|roots|index)|cpif$|latex
                |pdf(la)?tex|protoc|gnuplot|git$)/x;
    }
    local $ENV{PATH} = $bare;
    (my $made, $out, my $err) = make($tree, 'build');
    is $made, 0, 'it builds without noweb, TeX, protoc and git' or diag $err;
    is +(run_in($tree, "$tree/generated/bin/mlp", '--version'))[1],
        (mlp('--version'))[1], 'the same program';
    is +(make($tree, 'dist'))[0], 0, 'make dist there';
    ok contents($tarball->($tree)) eq $bytes, 'makes the same tarball';

    is +(make($tree, 'clean'))[0], 0, 'make clean';
    ok !-e "$tree/generated/bin", 'removes what was made';
    write_file("$tree/CITATION.cff", contents("$tree/CITATION.cff")
        =~ s/^version: .*/version: "9.8.7"/mr);
    ($made, $out, $err) = make($tree, 'generated/bin/mlp', 'generated/mlp.1');
    is $made, 0, 'and what is left builds' or diag $err;
    like +(run_in($tree, "$tree/generated/bin/mlp", '--version'))[1],
        qr/^mlp 9\.8\.7 /, 'the version stands in CITATION.cff alone';
    like contents("$tree/generated/mlp.1"), qr/^\.TH .*"mlp 9\.8\.7"/m,
        'for the manual page too';
};

subtest 'GitHub runs .ci/run on Debian 12' => sub {
    my $workflow = contents("$TOP/.github/workflows/ci.yml");
    like $workflow, qr/^ +container: debian:12$/m, 'in its container';
    like $workflow, qr/run: \.ci\/run$/m, 'the same script';
    my @actions = $workflow =~ /uses: (\S+)/g;
    is +(grep { !/\@[0-9a-f]{40}$/ } @actions), 0, 'with pinned actions';
    unlike $workflow, qr/secrets\./, 'and no secret';
};

done_testing;
