"""What do ranks cost, and what do they bring?  (make bench-mpi)

Epochs of Fashion-MNIST with mlp-mpi on 1, 2 and 4 ranks of one thread each:
with the same minibatch for all (strong scaling) and with the same part of one
for each (weak scaling); with small and large networks, to tell what of the
communication is for messages and what for bytes; and in turn with PyTorch's
DistributedDataParallel on two processes.  Then a model of latency and
bandwidth is fitted to it.
"""
import argparse
import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy as np

import bench

PROGRAM = os.path.join(bench.GENERATED, "bin/mlp-mpi")
D, M, N = 784, 10, 60000
HIDDEN, BATCH, SHARDS = 512, 400, 4
RATE = 0.1
# As root, more ranks than cores, and no network: all of it in one machine.
LAUNCH = ["mpirun", "--oversubscribe", "--mca", "btl", "self,vader",
          "--mca", "btl_vader_single_copy_mechanism", "none"]


def environment():
    return bench.environment(1) | {"OMPI_ALLOW_RUN_AS_ROOT": "1",
                                   "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def time_ranks(ranks, hidden, batch, examples=N):
    """Seconds of an epoch, and those of them that were communication."""
    data = [os.path.join(bench.FASHION, f"train-{kind}-ubyte.gz")
            for kind in ("images-idx3", "labels-idx1")]
    done = subprocess.run(
        [*LAUNCH, "-n", str(ranks), PROGRAM, "time", "--train", data[0],
         "--train-labels", data[1], "--hidden", str(hidden), "--batch",
         str(batch), "--shards", str(SHARDS), "--threads", "1", "--gradient",
         "matrix", "--epochs", "1", "--rate", str(RATE), "--validation",
         str(N - examples)],
        text=True, stdout=subprocess.PIPE, env=environment())
    if done.returncode != 0:
        bench.fail(f"{ranks} ranks ended with status {done.returncode}")
    row, = csv.DictReader(done.stdout.splitlines(), delimiter="\t")
    return float(row["seconds_median"]), float(row["communication"])


def parameters(hidden):
    return (D + 1) * hidden + (hidden + 1) * M


# What is measured: name, ranks, hidden units, minibatch, examples.
CASES = ([("strong", r, HIDDEN, BATCH, N) for r in (1, 2, 4)]
         + [("weak", r, HIDDEN, BATCH // 4 * r, N) for r in (1, 2, 4)]
         + [("batch", 1, HIDDEN, b, 20000) for b in (50, 100, 200, 400)]
         + [("bytes", 2, h, 100, 10000) for h in (16, 64, 128, 256, 512, 1024)])


def peer(hidden):
    """PyTorch on two processes, ready and warm, or why not."""
    os.environ["RANKS"] = "2"
    data = [os.path.join(bench.FASHION, f"train-{kind}-ubyte.gz")
            for kind in ("images-idx3", "labels-idx1")]
    rng = np.random.default_rng(1)
    weights = []
    for name, (rows, columns) in {"W1": (hidden, D), "W2": (M, hidden)}.items():
        W = rng.uniform(-1, 1, (rows, columns + 1)) / columns**0.5
        weights.append(os.path.join(bench.scratch, f"{name}-{hidden}"))
        np.savetxt(weights[-1], W)
    bench.BATCH = BATCH
    ddp = bench.Peer("ddp", data, hidden, weights)
    if ddp.state == "missing":
        return None, ddp.version
    first = ddp.epoch()[1]
    if not ddp.epoch()[1] < first:
        bench.fail("PyTorch does not learn")
    return ddp, ddp.version


def race(rounds):
    """{case: [(seconds, communication) in round 0, 1, ...]}, and versions."""
    measured = {case: [] for case in CASES}
    versions = {}
    for hidden in (100, HIDDEN):
        ours, theirs = (("mlp", 2, hidden, BATCH, N),
                        ("DDP", 2, hidden, BATCH, N))
        ddp, versions[hidden] = peer(hidden)
        for i in range(rounds if ddp else 0):
            bench.say(f"PyTorch, {hidden} hidden units, round {i + 1}")
            measured.setdefault(ours, []).append(time_ranks(2, hidden, BATCH))
            measured.setdefault(theirs, []).append((ddp.epoch()[0], 0))
        bench.end_peers()
    for i in range(rounds):
        for case in CASES:
            bench.say(f"round {i + 1} of {rounds}: {case[0]}, {case[1]} ranks")
            measured[case].append(time_ranks(*case[1:]))
    bench.say("")
    return measured, versions


def fit(rows):
    """Seconds of computing for a minibatch of K: c + k K; of communication on
    two ranks: five messages, and the bytes (equation eq:ranks-time)."""
    batches = [(b, (s - comm) * b / n)
               for (what, _, _, b, n), s, comm, *_ in rows if what == "batch"]
    k, c = np.polyfit(*zip(*batches), 1)
    volumes = [(4 * parameters(h) + b * D / 4, comm * b / n)
               for (what, _, h, b, n), _, comm, *_ in rows if what == "bytes"]
    V, t = map(np.array, zip(*volumes))
    # Relative errors, or the largest would count alone.
    A = np.stack([np.full(len(t), 5.0), V], axis=1) / t[:, None]
    (latency, inverse), *_ = np.linalg.lstsq(A, np.ones(len(t)), rcond=None)
    if latency < 0:  # too small to be seen: bytes alone
        latency, inverse = 0.0, 1 / (A[:, 1] @ A[:, 1]) * A[:, 1].sum()
    return {"compute_fixed": c, "compute_example": k, "latency": latency,
            "bandwidth": 1 / inverse}


def summary(measured):
    rows = []
    for case, runs in measured.items():
        seconds, comm = zip(*runs)
        rows.append((case, statistics.median(seconds), statistics.median(comm),
                     min(seconds), max(seconds)))
    return rows


def report(rows, versions, model):
    by = {}
    for (what, *rest), *values in rows:
        by.setdefault(what, []).append((rest, values))
    lines = [bench.machine().replace(f"{bench.options.threads} threads each",
                                     "1 thread a rank"),
             f"{'':22}ranks  hidden  minibatch  seconds  communication  "
             "examples/s"]
    for what, title in (("strong", "the same minibatch"),
                        ("weak", "100 examples a rank")):
        for (ranks, hidden, batch, n), (s, comm, *_) in by[what]:
            lines.append(f"{title:22}{ranks:5}  {hidden:6}  {batch:9}  {s:7.3f}"
                         f"  {comm:13.3f}  {n / s:10.0f}")
            title = ""
    for (ours, theirs) in zip(by.get("mlp", []), by.get("DDP", [])):
        for title, ((ranks, hidden, batch, n), (s, comm, low, high)) in (
                ("mlp-mpi", ours), (versions[ours[0][1]], theirs)):
            shown = f"{comm:13.3f}" if title == "mlp-mpi" else " " * 13
            lines.append(f"{title:22}{ranks:5}  {hidden:6}  {batch:9}  {s:7.3f}"
                         f"  {shown}  {n / s:10.0f}")
    if not by.get("DDP"):
        lines.append(f"PyTorch was skipped (package {versions[HIDDEN]})")
    lines.append("an iteration: {:.0f} us + {:.2f} us an example; a message "
                 "{:.1f} us; {:.2f} GB/s".format(
                     1e6 * model["compute_fixed"],
                     1e6 * model["compute_example"], 1e6 * model["latency"],
                     model["bandwidth"] / 1e9))
    return lines


def main():
    if not os.path.exists(PROGRAM):
        bench.fail(f"{PROGRAM} is missing (make setup-mpi, make MPI=1)")
    measured, versions = race(bench.options.rounds)
    rows = summary(measured)
    model = fit(rows)
    lines = report(rows, versions, model)
    print("\n".join(lines))
    folder = bench.options.output
    with open(os.path.join(folder, "ranks.tsv"), "w") as file:
        out = csv.writer(file, delimiter="\t", lineterminator="\n")
        out.writerow(["what", "ranks", "hidden", "batch", "examples", "seconds",
                      "communication", "seconds_min", "seconds_max"])
        for case, *values in rows:
            out.writerow([*case, *[f"{x:.6f}" for x in values]])
    with open(os.path.join(folder, "ranks-model.tsv"), "w") as file:
        for key, value in model.items():
            file.write(f"{key}\t{value:.6g}\n")
    with open(os.path.join(folder, "ranks.txt"), "w") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", required=True, help="folder for results")
    parser.add_argument("--rounds", type=int, default=3)
    bench.options = parser.parse_args()
    bench.options.threads = 1
    bench.NAMES["ddp"] = "PyTorch"
    bench.alive, bench.scratch = [], tempfile.mkdtemp(prefix="bench-")
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nbench: interrupted")
    finally:
        bench.end_peers()
        shutil.rmtree(bench.scratch)
