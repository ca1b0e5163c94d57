# The Makefile: what is made again after a change, and what a failure leaves.
# All of it happens in copies of the source tree, where experiments are made to
# run a stand-in (by the Makefile's RUN), but for the shortest, which really run.
# TeX is left out but for one page; generated/results.tex is the last thing that
# depends on all experiments. `make -n` would tell less: after every tangling it
# takes all sources for new, which make itself finds out not to be so.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MLP;
use Test::More;
use Time::HiRes qw(stat time utime);

my $work = folder();

my $tree = copy_tree("$work/copy");

subtest 'asking for help makes nothing' => sub {
    my $fresh = "$work/fresh";
    mkdir $fresh;
    system('cp', '-a', "$TOP/Makefile", "$TOP/mlp.nw", $fresh) == 0 or die;
    for my $goal (qw(help clean)) {
        my ($status, $out, $err) = run_in($fresh, 'make', $goal);
        is "$status$err", '0', "make $goal in a fresh tree";
        is listing($fresh), 'Makefile mlp.nw', 'makes no file';
    }
};

sub make {
    my @goals = @_;
    return run_in($tree, 'make', '--no-print-directory', @goals);
}

# Name and time of last change of all files below these folders.
sub stamps {
    my %stamp;
    my @todo = map { "$tree/generated/$_" } @_;
    while (defined(my $path = shift @todo)) {
        if (-d $path) {
            push @todo, map { "$path/$_" } split ' ', listing($path);
        } else {
            $stamp{ substr $path, length "$tree/generated/" } =
                sprintf '%.6f', (stat $path)[9];
        }
    }
    return \%stamp;
}

sub changed {
    my ($before, $after) = @_;
    return join ' ', grep { ($before->{$_} // '') ne ($after->{$_} // '') }
        sort keys %{{ %$before, %$after }};
}

sub edit {
    my ($how) = @_;
    local $_ = contents("$tree/mlp.nw");
    my $before = $_;
    $how->();
    die 'the edit changes nothing' if $_ eq $before;
    write_file("$tree/mlp.nw", $_);
}

# Puts a line into the first piece of a chunk.
sub edit_chunk {
    my ($chunk, $line) = @_;
    edit(sub { s/^(<<\Q$chunk\E>>=\n)/$1$line\n/m });
}

# A prefix that puts a stand-in in the place of the script of an experiment.
my $stand_in = q(RUN=sed "s/^bash .*/printf 'key\\\\t1\\\\n' > values.tsv/" |);

# Brings all results up to date with a stand-in; the experiments that it runs.
sub experiments_run {
    my ($status, $out, $err) = make('generated/results.tex', $stand_in);
    is "$status$err", '0', 'make generated/results.tex' or diag $err;
    return join ' ', sort $out =~ /^experiment (.*)$/mg;
}

my $top = listing($tree);
my ($status, $out, $err) = make('tangle', 'build');
is $status, 0, 'the copy builds' or BAIL_OUT($err);

my @experiments = split ' ', experiments_run();
cmp_ok scalar(@experiments), '>', 10, 'there are experiments, and all run';

subtest 'nothing is made twice' => sub {
    my $before = stamps('.');
    my ($status, $out, $err) = make(qw(tangle build generated/results.tex));
    is "$status$err", '0', 'make again';
    is changed($before, stamps('.')), '', 'changes no file';
    is experiments_run(), '', 'and runs no experiment';
};

subtest 'a change of prose compiles nothing and runs no experiment' => sub {
    my @folders = qw(src obj bin experiments experiments.mk results
        results.tex);
    my $before = stamps(@folders);
    edit(sub { s/^(\@\n)/$1A new sentence about \$x\$ and [[theta]].\n/m });
    my ($status, $out, $err) = make(qw(tangle build generated/results.tex));
    is "$status$err", '0', 'make after it';
    unlike $out, qr/\b-c\b|experiment /, 'compiles nothing, runs nothing';
    is changed($before, stamps(@folders)), '', 'changes no file';
    like +(make('-n', 'generated/mlp.tex'))[1], qr/noweave/,
        'but the document is woven again';
};

subtest 'a change of code compiles what depends on it' => sub {
    edit_chunk('[[csv.c]]', '/* new */');
    my ($status, $out) = make('build');
    is $status, 0, 'make build';
    is join(' ', sort $out =~ / -c (\S+)/g),
        'generated/src/csv.c generated/src/csv.c', 'one module, twice';
    like $out, qr{-o generated/bin/mlp\n}, 'links mlp';
    is experiments_run(), "@experiments",
        'and runs all experiments, for the program is new';
};

subtest 'a change of one experiment runs it and what depends on it' => sub {
    my %expected = (
        'steps' => 'steps', 'check-one' => 'check-one',
        'circles-decay' => 'circles-decay', 'fashion' => 'fashion',
        'best' => join(' ', 'best', 'fashion',
            grep { /^winner@/ } @experiments),
        'winner' => join(' ', 'fashion', grep { /^winner@/ } @experiments),
        'sweep' => join(' ', sort 'best', 'fashion',
            grep { /^(winner|sweep)@/ } @experiments),
    );
    for my $name (sort keys %expected) {
        edit_chunk("[[experiments/$name.sh]]", '# new');
        is experiments_run(), $expected{$name}, "$name: $expected{$name}";
        is experiments_run(), '', 'and no more';
    }
};

subtest 'an experiment that runs puts its command beside its results' => sub {
    my $results = "$tree/generated/results";
    system('rm', '-rf', "$results/check-one");
    my ($status, undef, $err) = make("generated/results/check-one/command");
    is "$status$err", '0', 'check-one runs';
    is contents("$results/check-one/command"),
        contents("$tree/generated/experiments/check-one.sh"), 'its command';
    like contents("$results/check-one/values.tsv"), qr/^kinks\t\d/m,
        'its numbers';
    unlike listing($results), qr/\.part/, 'no unfinished folder';
    make('generated/results.tex');
    like contents("$tree/generated/results.tex"),
        qr/^\\setres\{check-one\/kinks\}\{\d+\}$/m, 'for the text to quote';
};

subtest 'an experiment that fails leaves no result' => sub {
    my $results = "$tree/generated/results";
    my $before = contents("$tree/mlp.nw");
    edit_chunk('[[experiments/check-one.sh]]',
        "echo 'half\t1' > values.tsv\nfalse | cat");
    my ($status) = make('generated/results/check-one/command');
    isnt $status, 0, 'make fails, even if the last of a pipe succeeds';
    ok !-e "$results/check-one/command"
        || contents("$results/check-one/values.tsv") !~ /half/,
        'and no half of a result has its name';
    system('rm', '-rf', "$results/check-one");
    ($status) = make('generated/results.tex');
    isnt $status, 0, 'nor is the list of numbers made without it';
    ok !-e "$results/check-one", 'there is no folder of results';
    write_file("$tree/mlp.nw", $before);
    ($status, undef, my $err) = make('generated/results/check-one/command');
    is $status, 0, 'mended, it runs' or diag $err;
    unlike listing($results), qr/check-one\.part/,
        'and nothing is left of the failure';
};

subtest 'results of experiments that are no more are not believed' => sub {
    my $results = "$tree/generated/results";
    my $log = sub {
        my ($name, $error) = @_;
        mkdir "$results/$name";
        write_file("$results/$name/log.tsv", "header\n1\t0.1\t"
            . join("\t", ($error) x 4) . "\tnan\tnan\n");
        write_file("$results/$name/values.tsv", "key\t1\n");
    };
    my @sweep = grep { /^sweep@/ } @experiments;
    $log->($_, 0.2) for @sweep;
    # Left by an earlier mlp.nw, and by an interruption.
    $log->($_, 0.1) for 'gone', 'sweep@7_7_7_7', 'sweep@8_8_8_8.part';
    system('rm', '-rf', "$results/best");
    my ($status, undef, $err) = make('generated/results/best/command');
    is $status, 0, 'the best setting is chosen' or diag $err;
    my %best = (contents("$results/best/values.tsv") // '')
        =~ /^(\w+)\t(\S+)$/mg;
    is $best{settings}, scalar(@sweep), 'among those of the document';
    isnt $best{hidden}, $_, "which $_ hidden units are not" for 7, 8;
    experiments_run();
    my $list = contents("$tree/generated/results.tex");
    unlike $list, qr/\{$_\//, "has none of $_"
        for 'gone', 'sweep\@7_7_7_7', 'sweep\@8_8_8_8\.part';
    system('rm', '-rf', map { "$results/$_" } 'gone', 'sweep@7_7_7_7',
        'sweep@8_8_8_8.part');
};

subtest 'the long experiment runs when it is asked for, and only then' => sub {
    my $run = sub {
        my ($status, $out, $err) = make(@_, $stand_in);
        is "$status$err", '0', "make @_" or diag $err;
        return join ' ', sort $out =~ /^experiment (moved\S*)$/mg;
    };
    my $list = sub { contents("$tree/generated/results.tex") };
    is $run->('generated/results.tex'), '', 'not for the report';
    unlike $list->(), qr/\{moved/, 'which quotes nothing of it';
    like $run->('generated/results/moved/command'),
        qr/\Amoved moved-best( moved-run@\d){5}( moved-sweep@\S+){2,}\z/,
        'all of it when it is asked for';
    is $run->('generated/results.tex'), '', 'the report takes it as it is';
    like $list->(), qr/\{moved\/key\}/, 'and quotes it';
    system('rm', '-r', "$tree/generated/results/moved-run\@3");
    is $run->('generated/results/moved/command'), 'moved moved-run@3',
        'a run that is missing is made good alone';
    edit_chunk('[[experiments/moved-run.sh]]', 'true');
    is $run->('generated/results.tex'), '', 'a change of it starts nothing';
    is $run->('generated/results/moved/command'),
        join(' ', 'moved', map { "moved-run\@$_" } 1 .. 5),
        'unless it is asked for';
    system("rm -r '$tree'/generated/results/moved*");
};

subtest 'an undefined chunk stops make tangle; no file is cut' => sub {
    my $before = contents("$tree/mlp.nw");
    for my $root ('[[functions.c]]', '[[experiments/steps.sh]]') {
        my $stamps = stamps('src', 'experiments');
        edit_chunk($root, '<<this is defined nowhere>>');
        my ($status, undef, $err) = make('tangle');
        isnt $status, 0, "in $root: make fails";
        like $err, qr/undefined chunk.*this is defined nowhere/s,
            'and says which';
        is changed($stamps, stamps('src', 'experiments')), '',
            'no tangled file has changed';
        ($status) = make('tangle');
        isnt $status, 0, 'asked again, it fails again';
        write_file("$tree/mlp.nw", $before);
        ($status) = make('tangle');
        is $status, 0, 'mended, it succeeds';
    }
    edit(sub { s/^<<\[\[csv\.h\]\]>>=$/<<[[cvs.h]]>>=/m });
    my ($status) = make('tangle');
    isnt $status, 0, 'a root without a definition stops it too';
    ok -s "$tree/generated/src/csv.h", 'and empties no file';
    write_file("$tree/mlp.nw", $before);
    make('tangle');
    is +(make('build'))[0], 0, 'mended, it builds';
};

subtest 'an error in the document stops the report, and is shown' => sub {
    plan skip_all => 'no latexmk' if system('latexmk --version'
        . ' > /dev/null 2>&1') != 0;
    # One page in the place of the document, without figures.
    my $page = sub {
        my ($text) = @_;
        write_file("$tree/generated/mlp.tex", <<"END");
\\documentclass[11pt,a4paper,oneside]{scrreprt}
\\usepackage{noweb}
\\usepackage{tex/report}
\\begin{document}
It is $text.
\\end{document}
END
        return make('FIGURES=', '-o', 'generated/results.tex',
            'generated/mlp.pdf');
    };
    my ($status, $out, $err) = $page->('\res{steps/key}');
    is $status, 0, 'a number that is known' or diag "$out$err";
    ok -s "$tree/generated/mlp.pdf", 'makes a page';
    # As after a kill -9 of all processes.
    write_file("$tree/generated/$_", '\relax \citation{') for 'woven.aux',
        'woven.toc';
    write_file("$tree/generated/$_", '') for 'weaving', 'woven.pdf';
    ($status, $out, $err) = $page->('\res{steps/key} again');
    is $status, 0, 'what an interruption has left is not believed'
        or diag "$out$err";
    ok -s "$tree/generated/mlp.pdf", 'and the page is made';
    my %bad = ('\res{steps/unknown}' => qr{No result steps/unknown},
        '\unknown' => qr{Undefined control sequence},
        '\cref{q:unknown}' => qr{q:unknown.*undefined});
    for my $text (sort keys %bad) {
        ($status, $out, $err) = $page->($text);
        isnt $status, 0, "$text stops make";
        like $err, $bad{$text}, 'which names it';
        ok !-e "$tree/generated/mlp.pdf", 'and leaves no page';
    }
};

subtest 'make help lists every target, and needs nothing installed' => sub {
    my $bin = "$work/bin";
    mkdir $bin;
    for my $tool (qw(make sed)) {
        my ($found) = grep { -x } map { "$_/$tool" } split /:/, $ENV{PATH};
        symlink $found, "$bin/$tool" or die;
    }
    local $ENV{PATH} = $bin;
    for my $goals ([], ['help']) {
        my ($status, $out, $err) = run_in($tree, "$bin/make", @$goals);
        is "$status$err", '0', "make @$goals succeeds";
        my @listed = sort $out =~ /^\s+make (\S+)  +\S/mg;
        my %listed = map { $_ => 1 } @listed;
        is scalar(grep { !$listed{$_} } qw(setup tangle build report test
            clean)), 0, "make @$goals lists the targets" or diag $out;
        my $make = contents("$tree/Makefile");
        for (@listed) {
            like $make, qr/^(?:.* )?$_:/m, "make $_ has a rule";
        }
        unlike $out, qr/[^\n\x20-\x7e]/, 'in plain ASCII';
        is scalar(grep { length > 80 } split /\n/, $out), 0,
            'in 80 columns';
    }
};

subtest 'make setup installs exactly what is missing' => sub {
    my $bin = "$work/setup-bin";
    mkdir $bin;
    my $fake = sub {
        my ($name, $text) = @_;
        write_file("$bin/$name", "#!/bin/bash\n$text\n");
        chmod 0755, "$bin/$name";
    };
    $fake->('dpkg-query', 'for p; do :; done; [ "$p" = "$MISSING" ] && exit 1;'
        . ' echo installed');
    $fake->('apt-get', "echo \"\$*\" >> '$work/apt'");
    $fake->('sudo', '"$@"');
    local $ENV{PATH} = "$bin:$ENV{PATH}";
    local $ENV{MISSING} = '';
    my ($status, $out, $err) = make('setup');
    is "$status$err", '0', 'nothing is missing: it succeeds';
    like $out, qr/nothing is missing/, 'and says so';
    ok !-e "$work/apt", 'without calling apt-get';
    $ENV{MISSING} = 'noweb';
    ($status) = make('setup');
    is $status, 0, 'one is missing: it succeeds';
    my ($update, $install, @more) = split /\n/, contents("$work/apt") // '';
    like $update, qr/^update/, 'apt-get update';
    like $install, qr/^install .* noweb$/, 'apt-get install of that one';
    is "@more", '', 'and no more';
    $fake->('apt-get', 'exit 100');
    ($status) = make('setup');
    isnt $status, 0, 'when apt-get fails, it fails';
    my $bare = "$work/bin";
    local $ENV{PATH} = $bare;
    ($status, $out, $err) = run_in($tree, "$bare/make", 'setup');
    isnt $status, 0, 'not on Debian: it fails';
    like $err, qr/not Debian.*noweb/s, 'and says what is needed';
};

subtest 'make setup on this machine is quick' => sub {
    plan skip_all => 'this is not Debian'
        unless system('dpkg-query --version > /dev/null 2>&1') == 0;
    my ($packages) = contents("$tree/Makefile")
        =~ /^PACKAGES := ((?:.*\\\n)*.*)$/m;
    my @missing = grep { system("dpkg-query -W -f='\${db:Status-Status}' $_"
        . ' 2> /dev/null | grep -qx installed') != 0 }
        split ' ', $packages =~ s/\\\n/ /gr;
    plan skip_all => "@missing missing" if @missing;
    my $start = time;
    my ($status, $out, $err) = make('setup');
    my $seconds = time - $start;
    is "$status$err$out", "0setup: nothing is missing\n", 'says so';
    cmp_ok $seconds, '<', 2, 'in two seconds';
};

subtest 'a peer that is not installed is skipped, and no failure' => sub {
    my $none = folder();
    write_file("$none/$_.py", "raise ImportError\n") for qw(torch sklearn);
    local $ENV{PYTHONPATH} = $none;
    delete local $ENV{MLP_TRUST}; # this is no run that has figures
    for my $test (qw(peers sklearn)) {
        my ($status, $out, $err) = run($^X, "$TOP/tests/$test.t");
        is "$status$err", '0', $test;
        like $out, qr/# SKIP .*not installed/, 'says so';
    }
};

subtest 'a damaged Fashion-MNIST is noticed before an experiment' => sub {
    plan skip_all => 'its sums are not in data/'
        unless -e "$tree/data/fashion-mnist.sha256";
    unlink "$tree/generated/data-checked";
    my $empty = folder();
    for my $what ('missing', 'damaged') {
        my ($status, $out, $err) = make("FASHION=$empty",
            'generated/results/check-one/command', '-W', 'mlp.nw');
        isnt $status, 0, "$what: make stops";
        like $err, qr/\Q$empty\E: Fashion-MNIST is missing or damaged/,
            'and says so';
        write_file("$empty/$_", 'damaged') for contents(
            "$tree/data/fashion-mnist.sha256") =~ /(\S+\.gz)$/mg;
    }
    ok !-e "$tree/generated/data-checked", 'and does not believe it was';
    write_file("$tree/generated/data-checked", '');
};

subtest 'data that are damaged after a check are checked again' => sub {
    my ($place) = contents("$tree/Makefile") =~ /^FASHION \?= (\S+)/m;
    my $copy = folder();
    my @copies = glob "$place/*.gz";
    plan skip_all => "there is no Fashion-MNIST in $place" unless @copies;
    system('cp', @copies, $copy) == 0 or die;
    my @check = ("FASHION=$copy", 'generated/data-checked');
    my ($status, $out, $err) = make(@check);
    is "$status$err", '0', 'a good copy passes' or diag $err;
    my ($file) = glob "$copy/*images*.gz";
    my $bytes = contents($file);
    substr($bytes, 1000, 1) ^= "\1";
    write_file($file, $bytes);
    ($status, $out, $err) = make(@check);
    isnt $status, 0, 'and with a bit changed afterwards, no more';
    like $err, qr/\Q$copy\E: Fashion-MNIST is missing or damaged/, 'it says so';
    write_file("$tree/generated/data-checked", '');
};

subtest 'nothing is written outside generated/' => sub {
    is listing($tree), $top, 'the top folder';
    for (grep { !/^generated$|^mlp.nw$/ } split ' ', $top) {
        my ($status, $out) = run('diff', '-rq', "$TOP/$_", "$tree/$_");
        is $status, 0, "$_ is as it was" or diag $out;
    }
    my ($clean) = make('clean');
    is $clean, 0, 'make clean';
    is listing($tree), $top =~ s/\bgenerated //r,
        'removes generated/ and nothing else';
};

subtest 'a blank in the name of the folder is no obstacle' => sub {
    $tree = copy_tree("$work/a folder");
    my ($status, $out, $err) = make('tangle', 'build');
    is $status, 0, 'make build' or diag $err;
    system('rm', '-rf', "$tree/generated/results");
    ($status, $out, $err) = make('generated/results/check-one/command',
        'generated/results/tiny/command');
    is $status, 0, 'experiments run' or diag $err;
    is listing("$tree/generated/results"), 'check-one tiny', 'and are there';
};

done_testing;
