"""How long does an epoch take, in mlp and in its peers?  (make bench)

One epoch of minibatch gradient descent on the 60000 training images of
Fashion-MNIST: minibatches of 100, one hidden layer of rectifiers, softmax,
cross-entropy, single precision, the same number of threads for all.  First
every peer must find the same losses as mlp from the same weights.  Then the
contenders run one epoch each in turn, round by round, so that a drift of the
machine hits all alike.  An epoch includes shuffling and gathering; the peers'
images have been scaled beforehand, mlp standardises them as it goes.
"""
import argparse
import csv
import gzip
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
GENERATED = os.environ.get("GENERATED") or os.path.join(HERE, "../../generated")
FASHION = os.environ.get("FASHION") or "/usr/share/datasets/fashion-mnist"
MLP = os.path.join(GENERATED, "bin/mlp")
BATCH, RATE = 100, 0.1
UPDATES, TOLERANCE = 20, 1e-4
PAUSE = 0.2  # s between turns: idle OpenBLAS threads spin for a few ms
FANN_ROUNDS = 3  # of seconds each
NAMES = {"mlp": "mlp", "numpy": "NumPy", "sklearn": "scikit-learn",
         "torch": "PyTorch", "fann": "FANN"}


def fail(sentence):
    sys.exit(f"bench: {sentence}")


def environment(threads):
    """Ours without what would change OpenBLAS's kernels or the threads."""
    unwanted = ("OPENBLAS_", "GOTO_", "OMP_", "GOMP_", "KMP_", "MKL_", "BLIS_")
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(unwanted)}
    return clean | {"OPENBLAS_NUM_THREADS": str(threads),
                    "OMP_NUM_THREADS": str(threads),
                    # PyTorch's idle threads take the core from OpenBLAS's:
                    # they may look for work for microseconds, not for ever.
                    "GOMP_SPINCOUNT": "3000",
                    "PYTHONDONTWRITEBYTECODE": "1"}


def mlp(*arguments):
    done = subprocess.run([MLP, *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE,
                          env=environment(options.threads))
    if done.returncode != 0:
        fail(f"mlp {arguments[0]} failed with status {done.returncode}")
    return done.stdout


class Peer:
    """A process that trains for an epoch whenever it is told to."""

    def __init__(self, name, data, hidden, weights):
        program = ([os.path.join(scratch, "bench_fann")] if name == "fann" else
                   [sys.executable, os.path.join(HERE, f"bench_{name}.py")])
        self.name = NAMES[name]
        # In a session of its own, it does not see Ctrl-C: we end it.
        self.process = subprocess.Popen(
            [*program, *data, str(hidden), str(BATCH), str(RATE),
             str(options.threads), *weights],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True, env=environment(options.threads))
        alive.append(self)
        self.state, self.version, *self.blas = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            fail(f"{self.name} ended unexpectedly")
        return line.rstrip("\n").split("\t")

    def epoch(self):
        """Its seconds and its mean loss."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return [float(x) for x in self.answer()]

    def end(self):
        self.process.kill()
        self.process.wait()
        alive.remove(self)


def end_peers():
    while alive:
        alive[-1].end()


def compile_fann():
    """Why FANN cannot take part, or None."""
    found = subprocess.run(["pkg-config", "--modversion", "fann"], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if found.returncode != 0:
        return "libfann-dev"
    compiler = os.environ.get("CC") or "cc"
    subprocess.run([*compiler.split(), "-O3", "-march=native",
                    f'-DVERSION="{found.stdout.strip()}"',
                    os.path.join(HERE, "bench_fann.c"), "-o",
                    os.path.join(scratch, "bench_fann"),
                    "-lfloatfann", "-lz", "-lm"], check=True)
    return None


# ------------------------------------------------- do they learn the same?

def hundred_images(data):
    """A data set of one minibatch: the order of its images cannot matter."""
    small = []
    for path, header, each in zip(data, (16, 8), (784, 1)):
        with gzip.open(path, "rb") as file:
            content = file.read(header + BATCH * each)
        small.append(os.path.join(scratch, "hundred-" + path[-15:-3]))
        with open(small[-1], "wb") as file:
            file.write(content[:4] + BATCH.to_bytes(4, "big") + content[8:])
    return small


def train_small(small, hidden, *more):
    mlp("train", "--train", small[0], "--train-labels", small[1],
        "--standardize", "unit", "--hidden", hidden, "--batch", BATCH,
        "--quiet", *more)


def initial_weights(small, hidden):
    """The files of both layers of the network that mlp starts from."""
    model = os.path.join(scratch, "model")
    train_small(small, hidden, "--epochs", 0, "--save", model)
    files = []
    for layer in "12":
        files.append(os.path.join(scratch, f"W{layer}-{hidden}"))
        with open(files[-1], "w") as file:
            file.write(mlp("weights", "--model", model, "--layer", layer))
    return files


def check_losses(name, losses, ours):
    if name == "fann":  # another loss: it only has to fall
        if not losses[-1] < losses[0]:
            fail(f"FANN's error does not fall: {losses[0]}, ... {losses[-1]}")
        return
    worst = max(range(UPDATES), key=lambda t: abs(losses[t] / ours[t] - 1))
    if not abs(losses[worst] / ours[worst] - 1) <= TOLERANCE:  # nor NaN
        fail(f"{NAMES[name]} does not learn what mlp learns: before update "
             f"{worst + 1} its loss is {losses[worst]:.7g}, ours "
             f"{ours[worst]:.7g}")


def check(names, small, hidden, weights):
    """Compare the losses of some updates; which peers are missing, and why."""
    log = os.path.join(scratch, "log.tsv")
    train_small(small, hidden, "--epochs", UPDATES, "--rate", RATE,
                "--log", log)
    with open(log) as file:
        ours = [float(row["train_loss"])
                for row in csv.DictReader(file, delimiter="\t")]
    missing = {}
    for name in names:
        peer = Peer(name, small, hidden, weights)
        if peer.state == "missing":
            missing[name] = peer.version
        else:
            check_losses(name, [peer.epoch()[1] for _ in range(UPDATES)], ours)
            if peer.blas == ["no OpenBLAS"]:
                fail(f"{NAMES[name]} runs without OpenBLAS (update-alternatives"
                     " --config libblas.so.3-x86_64-linux-gnu)")
        peer.end()
    return missing


# ------------------------------------------------------------- how fast?

def mlp_epoch(data, hidden):
    table = mlp("time", "--train", data[0], "--train-labels", data[1],
                "--hidden", hidden, "--batch", BATCH, "--epochs", 1,
                "--rate", RATE, "--threads", options.threads,
                "--gradient", "matrix")
    row, = csv.DictReader(table.splitlines(), delimiter="\t")
    return float(row["seconds_median"])


def race(names, data, hidden, weights):
    """{name: [seconds in round 0, 1, ...]}, with mlp, and their versions."""
    peers = {name: Peer(name, data, hidden, weights) for name in names}
    versions = {name: ", ".join([p.version, *p.blas])
                for name, p in peers.items()}
    for peer in peers.values():
        peer.epoch()  # to warm up; mlp does so by itself
    seconds = {name: [] for name in ["mlp", *names]}
    for i in range(options.rounds):
        say(f"{hidden} hidden units: round {i + 1} of {options.rounds}")
        for name, measured in seconds.items():
            if name == "fann" and i >= FANN_ROUNDS:
                continue
            time.sleep(PAUSE)
            measured.append(mlp_epoch(data, hidden) if name == "mlp"
                            else peers[name].epoch()[0])
    end_peers()
    return seconds, versions


def statistics_row(name, hidden, seconds, ours, version):
    ratios = [s / o for s, o in zip(seconds, ours)]
    three = [f(values) for values in (seconds, ratios)
             for f in (min, statistics.median, max)]
    return [NAMES[name], str(hidden), str(len(seconds)),
            *[f"{x:.4f}" for x in three[:3]],
            *[f"{x:.3f}" for x in three[3:]], version]


HEADER = ["contender", "hidden", "rounds", "seconds_min", "seconds_median",
          "seconds_max", "ratio_min", "ratio_median", "ratio_max", "version"]


# --------------------------------------------------------------- reporting

def say(progress):
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)


def mlp_version():
    """Such as 'mlp 1.0, vectors of 64 bytes'."""
    lines = mlp("--version").splitlines()
    vectors = next(line for line in lines if line.startswith("vectors"))
    return f"mlp {lines[0].split()[1]}, {vectors}"


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file
                      if line.startswith("model name")), "unknown processor")
    return (f"{model}, {len(os.sched_getaffinity(0))} cores, "
            f"{options.threads} threads each")


def print_table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths)]
        cells[0], cells[-1] = row[0].ljust(widths[0]), row[-1]
        print("  ".join(cells))


def main():
    data = [os.path.join(FASHION, f"train-{kind}-ubyte.gz")
            for kind in ("images-idx3", "labels-idx1")]
    for path in [MLP, *data]:
        if not os.path.exists(path):
            fail(f"{path} is missing (make setup build)")
    busy = os.getloadavg()[0]
    names = ["numpy", "sklearn", "torch", "fann"]
    reason = compile_fann()
    missing = {"fann": reason} if reason else {}
    small, rows = hundred_images(data), []
    for hidden in options.hidden:
        here = [name for name in names if name not in missing
                and not (name == "fann" and hidden > 100)]  # too slow
        say(f"{hidden} hidden units: do all learn the same?")
        weights = initial_weights(small, hidden)
        missing |= check(here, small, hidden, weights)
        here = [name for name in here if name not in missing]
        seconds, versions = race(here, data, hidden, weights)
        versions["mlp"] = mlp_version()
        rows += [statistics_row(name, hidden, s, seconds["mlp"], versions[name])
                 for name, s in seconds.items()]
    say("")
    print(machine())
    if busy > 0.5:
        print(f"the load average was {busy:.1f}: the machine is not idle")
    print_table([HEADER, *rows])
    for name, package in missing.items():
        print(f"{NAMES[name]}  skipped (package {package})")
    print("ratio: seconds / mlp's seconds in the same round."
          + ("  FANN: sigmoids, squared error, 1 thread."
             if "fann" not in missing else ""))
    if options.output:
        with open(options.output, "w") as file:
            csv.writer(file, delimiter="\t", lineterminator="\n").writerows(
                [HEADER, *rows])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", help="write the results to this TSV file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--hidden", type=int, nargs="+", default=[100, 512])
    options = parser.parse_args()
    alive, scratch = [], tempfile.mkdtemp(prefix="bench-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nbench: interrupted")
    finally:
        end_peers()
        shutil.rmtree(scratch)
