# What the tests in tests/*.t share: where things are, how a program is run,
# and how its files are read and written.
package MLP;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use Test::More;

our @EXPORT = qw($TOP $MLP $DOUBLE $FASHION folder copy_tree run_in run mlp
    contents write_file listing table column refused one_sentence
    may_skip_fashion same close_to limit_memory under_valgrind figure);

our $TOP = abs_path(dirname(__FILE__) . '/../..');
our $MLP = $ENV{MLP} // "$TOP/generated/bin/mlp";
our $DOUBLE = $ENV{MLP_DOUBLE} // "$TOP/generated/bin/mlp-double";
our $FASHION = $ENV{FASHION} // '/usr/share/datasets/fashion-mnist';

# A locale with a decimal comma must change nothing; nor may the environment.
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES)};

sub folder { return tempdir(CLEANUP => 1) }

# A copy of the checkout, with what is built but without results, in which make
# may be called. Fashion-MNIST is taken to be there and undamaged.
sub copy_tree {
    my ($tree) = @_;
    mkdir $tree or die "$tree: $!";
    my $cp = sub { system('cp', '-a', @_) == 0 or die "cp @_" };
    $cp->("$TOP/$_", $tree)
        for grep { !/^(\.git|generated)$/ } split ' ', listing($TOP);
    mkdir "$tree/generated";
    $cp->("$TOP/generated/$_", "$tree/generated")
        for grep { -e "$TOP/generated/$_" }
        qw(src obj bin lib experiments experiments.mk tangled help.txt mlp.1
        mlp.bash);
    write_file("$tree/generated/data-checked", '');
    return $tree;
}

# (status, stdout, stderr) of a command run in a folder; a signal n is 128 + n.
sub run_in {
    my ($where, @command) = @_;
    my $dir = folder();
    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null' or die;
        open STDOUT, '>', "$dir/out" or die;
        open STDERR, '>', "$dir/err" or die;
        chdir $where or die "$where: $!";
        no warnings 'exec';
        exec {$command[0]} @command or do {
            print STDERR "$command[0]: $!\n";
            require POSIX;
            POSIX::_exit(127);
        };
    }
    waitpid $pid, 0;
    my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    return ($status, contents("$dir/out"), contents("$dir/err"));
}

sub run { return run_in($TOP, @_) }
sub mlp { return run_in($TOP, $MLP, @_) }

sub contents {
    my ($file) = @_;
    open my $in, '<:raw', $file or return undef;
    local $/;
    my $text = <$in>;
    return $text // '';
}

sub write_file {
    my ($file, $text) = @_;
    open my $out, '>:raw', $file or die "$file: $!";
    print $out $text;
    close $out or die "$file: $!";
    return $file;
}

# The names in a folder, so that a stray file is seen.
sub listing {
    my ($dir) = @_;
    opendir my $in, $dir or die "$dir: $!";
    return join ' ', sort grep { !/^\.\.?$/ } readdir $in;
}

# The lines of a TSV text with a header, as hashes.
sub table {
    my ($text) = @_;
    my ($header, @lines) = split /\n/, $text;
    my @names = split /\t/, $header // '';
    return map { my %row; @row{@names} = split /\t/; \%row } @lines;
}

sub column {
    my ($name, @rows) = @_;
    return map { $_->{$name} } @rows;
}

# Exactly one line that begins with the name of the command.
sub one_sentence {
    my ($text) = @_;
    return $text =~ /\Amlp(?: [a-z-]+)?: [^\n]{10,}\n\z/;
}

# A figure for the chapter on trust: what was measured or counted, and how
# much that is. The figures of a file of tests are kept in the folder
# $MLP_TRUST while all its tests pass.
my %figures;
sub figure {
    my ($what, $value) = @_;
    note("$what: $value");
    $figures{$what} = $value;
}
END {
    my $file = ($ENV{MLP_TRUST} // '') . '/' . basename($0, '.t') . '.tsv';
    my $text = join '', map { "$_\t$figures{$_}\n" } sort keys %figures;
    if ($ENV{MLP_TRUST} && %figures && $? == 0
        && Test::More->builder->is_passing) {
        write_file($file, $text) if (contents($file) // '') ne $text;
    } elsif ($ENV{MLP_TRUST}) {
        unlink $file;
    }
}

# A command fails with this status, one sentence with these words on stderr,
# and, if the request itself was wrong, nothing on stdout.
sub refused {
    my ($name, $status, $words, @command) = @_;
    my ($got, $out, $err) = run(@command);
    my $good = $got == $status && one_sentence($err) && $err =~ $words
        && ($status != 2 || $out eq '');
    ok($good, $name)
        or diag("status $got, expected $status; words $words\n"
                . "stdout: $out\nstderr: $err");
    return $good;
}

# The same, and there at all: two runs that failed are not alike.
sub same {
    my ($a, $b, $name) = @_;
    return ok length($a // '') > 0 && defined $b && $a eq $b, $name;
}

sub close_to {
    my ($a, $b, $relative) = @_;
    return 0 unless defined $a && defined $b;
    my $size = abs($a) > abs($b) ? abs($a) : abs($b);
    return abs($a - $b) <= $relative * $size; # a nan is close to nothing
}

# Whether valgrind runs the programs: slowly, and with files of its own.
sub under_valgrind { return $ENV{UNDER_VALGRIND} }

# Whether memory can be limited: not for the address sanitizer, which wants
# terabytes of addresses, and not for valgrind, which wants some hundred MiB.
sub limit_memory {
    return !$ENV{ASAN_OPTIONS} && !under_valgrind()
        && system('bash -c "ulimit -v 500000" 2> /dev/null') == 0;
}

# Without the data set a test is skipped, but not where CI expects it.
sub may_skip_fashion {
    return !-e "$FASHION/train-images-idx3-ubyte.gz" && !$ENV{CI};
}

1;
