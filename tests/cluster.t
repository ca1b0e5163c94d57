# Experiments that are sent elsewhere by a prefix or a queue: the results are
# those of a local run, byte for byte, and what fails leaves no half of one.
# The queue is a real Slurm of one node, with all of its files in a temporary
# folder. It listens only on the address that the name of the machine has: the
# loopback on Debian, its own one in most containers. ssh is played by a script
# that does to its words, folder and environment what sshd does.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Compress::Gzip qw(gzip);
use IO::Socket::INET;
use MLP;
use POSIX qw(:sys_wait_h);
use Socket qw(INADDR_LOOPBACK inet_ntoa);
use Test::More;
use Time::HiRes qw(sleep time);

my $work = folder();
chomp(my $host = `hostname`);
my $address = inet_ntoa(scalar gethostbyname($host) // INADDR_LOOPBACK);
my (@daemons, @ports); # { name, pid }; where Slurm listens
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
delete @ENV{grep { /^(SLURM|SRUN|SBATCH|PARALLEL|OMP)_/ } keys %ENV};
$ENV{PATH} .= ':/usr/sbin:/sbin';
$ENV{PARALLEL_HOME} = "$work/parallel";
chmod 0711, $work; # munged wants its socket to be reachable

sub have { return system("command -v $_[0] > /dev/null 2>&1") == 0 }

# Without a tool of `make setup-slurm' a test is skipped, but not where CI runs it.
sub lacks {
    my ($missing) = grep { !have($_) } @_;
    return defined $missing && !$ENV{CI} ? "no $missing (make setup-slurm)" : '';
}

sub script {
    my ($name, $text) = @_;
    my $file = write_file("$work/$name", "#!/bin/bash\n$text");
    chmod 0755, $file or die;
    return $file;
}

sub wait_until {
    my ($what, $true) = @_;
    my $end = time + 60;
    while (time < $end) {
        return 1 if $true->();
        sleep 0.1;
    }
    diag "waited a minute: $what";
    return 0;
}

# A data set in the format of Fashion-MNIST, of pictures of 4 by 4 pixels.
sub idx {
    my ($file, $n, @size) = @_;
    my $items = $n;
    $items *= $_ for @size;
    my $bytes = pack 'CCCC N*', 0, 0, 8, 1 + @size, $n, @size;
    $bytes .= join '', map { chr(@size ? ($_ * $_ + $_ % 7 * 31) % 256 : $_ % 10) }
        1 .. $items;
    gzip(\$bytes => "$work/fashion/$file") or die;
}
mkdir "$work/fashion";
idx('train-images-idx3-ubyte.gz', 5300, 4, 4);
idx('train-labels-idx1-ubyte.gz', 5300);
idx('t10k-images-idx3-ubyte.gz', 100, 4, 4);
idx('t10k-labels-idx1-ubyte.gz', 100);

my $tree = copy_tree("$work/a cluster");
my $results = "$tree/generated/results";
my @sweep = qw(4_0.2_0_2e-4 8_0.2_0_0 6_0.1_1e-5_0);
my @choice = ("SWEEP=@sweep", "FASHION=$work/fashion", 'LATE=20');
my @targets = map { "generated/results/$_/command" }
    qw(winner@1 winner@2 check-one made);
my @names = sort qw(best check-one made winner@1 winner@2),
    map { "sweep\@$_" } @sweep;

# A hook that bash runs first: notes what an experiment meets, and holds one
# of them with half a result, if so asked, as long as there is a file.
$ENV{BASH_ENV} = write_file("$work/hook", <<"END");
if [[ \$0 == *experiments/* ]]; then
    echo "\${SETTING} \${OMP_NUM_THREADS-all} \${WHICH-}" \\
        "\${SLURM_JOB_CPUS_PER_NODE-}" >> '$work/notes'
    if [[ \$SETTING == 8_* && \${WHICH-} == held ]]; then
        echo half > log.tsv
        echo \$\$ > '$work/held'
        while [[ -e '$work/hold' ]]; do sleep 0.1; done
        echo late >> log.tsv
    fi
fi
END

sub make {
    return run_in($tree, 'make', '--no-print-directory', @choice, @_);
}

sub half { return my @found = glob "'$results'/sweep\@8_*.part-*/log.tsv" }

sub experiments { return join ' ', sort $_[0] =~ /^experiment (\S+)$/mg }

# Calls make with all results missing, and compares them with the local ones.
sub same_through {
    my ($name, @options) = @_;
    system('rm', '-rf', $results, "$work/notes");
    my ($status, $out, $err) = make('-j4', @targets, @options);
    is $status, 0, "$name: make succeeds" or diag $err;
    is experiments($out), "@names", 'all experiments run';
    is_local($name);
}

sub is_local {
    my ($name) = @_;
    my ($status, $out) = run('diff', '-r', "$work/local", $results);
    is "$status$out", '0', "$name: the results are those of a local run";
}

my ($status, $out, $err) = make('-j2', @targets, 'sweep-list');
is $status, 0, 'the local run' or BAIL_OUT($err);
is listing($results), "@names", 'makes all results';
like $out, qr{^(generated/results/sweep@\S+/command\n){3}}m,
    'and the sweep has a list';
is contents("$results/winner\@1/command"),
    contents("$tree/generated/experiments/winner.sh"), 'a command lies there';
like contents("$work/notes"), qr/^4_0.2_0_2e-4 1 /m,
    'an experiment runs one thread';
like contents("$work/notes"), qr/^made all /m, 'the account of the machine all';
rename $results, "$work/local" or die;

# What sshd does: words become one line for a shell, in the home folder, with
# hardly an environment.
my $ssh = script('ssh', <<'END');
while [[ $1 == -* ]]; do shift; done
shift
[[ $1 != -- ]] || shift
cd /tmp
exec env -i HOME=/tmp SHELL=/bin/bash PATH=/usr/bin:/bin /bin/bash -c "$*"
END

subtest 'through ssh, which keeps neither folder nor environment' => sub {
    same_through('ssh', "RUN=$ssh -oBatchMode=yes host");
};

subtest 'through a prefix that keeps all words' => sub {
    same_through('env', 'RUN=env WHICH=queue', 'RUN_TIMED=env WHICH=whole');
    my $notes = contents("$work/notes");
    like $notes, qr/^8_0.2_0_0 1 queue/m, 'with RUN one thread';
    like $notes, qr/^made all whole/m, 'with RUN_TIMED all of the machine';
    system('rm', '-rf', $results, "$work/notes");
    make($targets[0], 'RUN=env WHICH=queue', 'THREADS=2');
    like contents("$work/notes"), qr/^8_0.2_0_0 2 queue/m,
        'THREADS says how many threads';
    is contents("$results/winner\@1/log.tsv"),
        contents("$work/local/winner\@1/log.tsv"), 'and the log is the same';
};

subtest 'results that a shared folder shows late are waited for' => sub {
    my $late = script('late', <<'END');
job=$(cat)
(sleep 1.5; exec "$@" <<< "$job") > /dev/null 2>&1 &
END
    same_through('late', "RUN=$late");
};

subtest 'a prefix that does not run its command is found out' => sub {
    my $deaf = script('deaf', 'exec "$@" < /dev/null');
    my %bad = ('true' => 'it runs nothing',
        $deaf => 'it loses the standard input');
    for my $run (sort keys %bad) {
        system('rm', '-rf', $results);
        my ($status, $out, $err) = make($targets[2], 'LATE=1', "RUN=$run");
        is $status, 2, "$bad{$run}: make fails";
        like $err, qr/^experiment check-one: its prefix .*\Q$run\E$/m,
            'and says why';
        unlike listing($results), qr/check-one(?!\.part)/, 'without a result';
    }
};

subtest 'what was given up, but goes on, does not spoil the next' => sub {
    system('rm', '-rf', $results);
    write_file("$work/hold", '');
    my $pid = fork() // die;
    if ($pid == 0) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        chdir $tree or die;
        exec 'make', @choice, $targets[0], 'RUN=WHICH=held setsid' or die;
    }
    ok wait_until('half a result', \&half), 'it has half a result';
    kill 'KILL', $pid;
    waitpid $pid, 0;
    my ($status, undef, $err) = make('-j4', @targets);
    is $status, 0, 'make succeeds' or diag $err;
    unlink "$work/hold";
    sleep 0.5;
    is_local('meanwhile');
};

subtest 'through GNU parallel' => sub {
    my $lacks = lacks('parallel');
    plan skip_all => $lacks if $lacks;
    same_through('sem', "RUN=sem --fg --id $$ -j4");
    for my $hosts (':', "2/$ssh host") {
        system('rm', '-rf', $results);
        my ($status, $out, $err) = run_in($tree, 'bash', '-o', 'pipefail',
            '-c', 'make -s sweep-list "$@" |'
            . ' parallel -q -S "$0" --wd . make {} "$@"', $hosts, @choice);
        is $status, 0, "on $hosts" or diag $err;
        is listing($results), join(' ', sort map { "sweep\@$_" } @sweep),
            'makes the sweep';
        ($status, $out, $err) = make(@targets);
        is experiments($out), join(' ', grep { !/^sweep/ } @names),
            'and make the rest';
        is_local($hosts);
    }
};

# A process that ends with this one, whatever becomes of it.
sub daemon {
    my ($name, @command) = @_;
    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$work/$name.out";
        open STDERR, '>&', \*STDOUT;
        exec 'setpriv', '--pdeathsig', 'KILL', $name, @command or die;
    }
    push @daemons, { name => $name, pid => $pid };
}

END {
    my $status = $?;
    system("scancel --state=$_ --quiet 2> /dev/null") for @daemons
        ? qw(PENDING RUNNING) : ();
    for my $daemon (reverse @daemons) {
        my $gone = sub { waitpid($daemon->{pid}, WNOHANG) != 0 };
        kill 'TERM', $daemon->{pid};
        next if wait_until("$daemon->{name} to end", $gone);
        kill 'KILL', $daemon->{pid};
        waitpid $daemon->{pid}, 0;
    }
    $? = $status;
}

sub free_ports {
    my ($n) = @_;
    my @sockets = map { IO::Socket::INET->new(LocalAddr => $address,
        LocalPort => 0, Listen => 1) or die "no port: $!" } 1 .. $n;
    return map { $_->sockport } @sockets;
}

sub start_slurm {
    my $q = "$work/queue";
    mkdir "$q$_" or die for '', qw(/state /spool);
    chmod 0755, $q;
    open my $random, '<:raw', '/dev/urandom' or die;
    read $random, my $key, 128;
    write_file("$q/key", $key);
    chmod 0600, "$q/key";
    daemon('munged', '--foreground', "--key-file=$q/key",
        "--socket=$q/socket", "--pid-file=$q/munged.pid",
        "--log-file=$q/munged.log", "--seed-file=$q/seed");
    my ($port, $node_port) = @ports = free_ports(2);
    my $user = getpwuid $>;
    $ENV{SLURM_CONF} = write_file("$q/slurm.conf", <<"END");
ClusterName=test
SlurmctldHost=$host($address)
NodeName=$host NodeAddr=$address CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
SlurmctldPort=$port
SlurmdPort=$node_port
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket=$q/socket
CredType=cred/munge
SlurmUser=$user
SlurmdUser=$user
StateSaveLocation=$q/state
SlurmdSpoolDir=$q/spool
SlurmctldPidFile=$q/slurmctld.pid
SlurmdPidFile=$q/slurmd.pid
SlurmctldLogFile=$q/slurmctld.log
SlurmdLogFile=$q/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
KillWait=1
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=10000
END
    wait_until('munged', sub { -S "$q/socket" }) or return 0;
    daemon('slurmctld', '-D', '-i', '-c');
    daemon('slurmd', '-D');
    return wait_until('a node', \&idle);
}

sub idle { return `sinfo -h -o %T 2>&1` =~ /^idle/ }

sub slurm_logs {
    return join '', map { contents($_) // '' } glob("'$work'/queue/*.log"),
        glob("'$work'/*.out");
}

subtest 'through Slurm' => sub {
    my $lacks = lacks(qw(munged slurmctld slurmd srun sbatch));
    plan skip_all => $lacks if $lacks;
    ok start_slurm(), 'a queue of one node' or do {
        diag slurm_logs();
        return;
    };

    my $sockets = contents('/proc/net/tcp');
    my %at; # port => addresses
    push @{$at{hex $2}}, join '.', unpack 'C4', pack 'V', hex $1
        while $sockets =~ /^ *\d+: (\w+):(\w+) \w+:\w+ 0A/mg;
    is_deeply [ map { @{$at{$_} // []} } @ports ], [ ($address) x 2 ],
        'it listens on one address only';

    subtest 'srun' => sub {
        same_through('srun', 'RUN=srun -Q -N1 -n1 -c2', 'THREADS=2',
            'RUN_TIMED=srun -Q -N1 -n1 -c4 --exclusive');
        my $notes = contents("$work/notes");
        like $notes, qr/^8_0.2_0_0 2  2$/m, 'with two processors each';
        like $notes, qr/^made all  4$/m, 'but the timed ones on a node alone';
    };

    # Runs all with one setting held, harms that one, and calls make again.
    my $harmed = sub {
        my ($name, $harm) = @_;
        system('rm', '-rf', $results);
        write_file("$work/hold", '');
        my $pid = fork() // die;
        if ($pid == 0) {
            my ($status, undef, $err) = make('-k', '-j4', @targets,
                'RUN=WHICH=held srun -Q -N1 -n1');
            write_file("$work/err", $err);
            POSIX::_exit($status);
        }
        my $others = grep { !/^sweep\@8|best|winner/ } @names;
        ok wait_until('half a result', sub { half() && $others
            == grep { -e "$results/$_/command" } @names }),
            "$name: one experiment is half done, and others all";
        $harm->();
        waitpid $pid, 0;
        is $? >> 8, 2, 'make fails' or diag contents("$work/err");
        my $listing = listing($results);
        unlike $listing, qr/sweep\@8_0.2_0_0(?!\.part)|best|winner/,
            'no half of a result has its name, nor what depends on it';
        unlink "$work/hold";
        my ($status, $out, $err) = make('-j4', @targets,
            'RUN=srun -Q -N1 -n1');
        is $status, 0, 'make again succeeds' or diag $err;
        is experiments($out), join(' ', grep { /^sweep\@8|best|winner/ }
            @names), 'and runs only that and what depends on it';
        is_local($name);
    };
    subtest 'a job that is cancelled' => sub {
        $harmed->('scancel', sub { system 'scancel --state=RUNNING' });
    };
    subtest 'a process that is killed on its node' => sub {
        $harmed->('kill', sub { kill 'KILL', contents("$work/held") });
    };
    subtest 'a node that refuses' => sub {
        my $node = sub { system "scontrol update nodename=$host"
            . " state=$_[0] reason=test"; };
        system('rm', '-rf', $results);
        $node->('drain');
        my ($status, $out, $err) = make($targets[2],
            'RUN=srun -Q -N1 -n1 --immediate=1');
        $node->('resume');
        is $status, 2, 'make fails';
        like $err, qr/^srun: error/m, 'Slurm says why';
        unlike listing($results), qr/check-one(?!\.part)/, 'no result';
    };

    subtest 'the array of jobs of the document' => sub {
        my $submit = sub {
            my (@options) = @_;
            unlink glob "'$tree'/generated/sweep-*.out";
            local $ENV{WHICH} = -e "$work/hold" ? 'held' : '';
            return run_in($tree, 'sbatch', '--quiet', '--wait', @options,
                'generated/experiments/sweep.sbatch', @choice);
        };
        system('rm', '-rf', $results);
        write_file("$work/hold", '');
        my $pid = fork() // die;
        POSIX::_exit(($submit->('--array=1-3'))[0]) if $pid == 0;
        ok wait_until('the others', sub {
            half() && 2 == grep { -e "$results/sweep\@$_/command" } @sweep }),
            'the tasks run, and one is held';
        system 'scancel --state=RUNNING';
        waitpid $pid, 0;
        isnt $?, 0, 'cancelled, it fails';
        ok !-e "$results/sweep\@8_0.2_0_0", 'and leaves no result';
        unlink "$work/hold";
        my ($status, undef, $err) = $submit->('--array=1-3', '-c2');
        is $status, 0, 'submitted again, all succeed' or diag $err;
        is experiments(join '', map { contents($_) }
            glob "'$tree'/generated/sweep-*.out"), 'sweep@8_0.2_0_0',
            'but only the missing one runs';
        ($status, my $out, $err) = make(@targets);
        is experiments($out), join(' ', grep { !/^sweep/ } @names),
            'and make runs the rest';
        is_local('array');
    };
};

done_testing;
