"""What the Python peers of bench.py have in common.

A peer is started as  bench_X.py IMAGES LABELS HIDDEN BATCH RATE THREADS W1 W2
and greets with "ready<TAB>version<TAB>BLAS" or "missing<TAB>package".  Then
it trains for one epoch whenever it reads a line, and answers
"seconds<TAB>mean loss".
"""
import gzip
import sys
import time


def missing(package):
    print("missing", package, sep="\t", flush=True)
    sys.exit()


try:
    import numpy as np
except ImportError:
    missing("python3-numpy")
try:
    from threadpoolctl import threadpool_info
except ImportError:
    missing("python3-threadpoolctl")


def read_idx(path, header):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


class Task:
    """The data, the size of the problem and where the descent starts."""

    def __init__(self):
        images, labels, hidden, batch, rate, threads, W1, W2 = sys.argv[1:]
        self.hidden, self.batch = int(hidden), int(batch)
        self.rate, self.threads = float(rate), int(threads)
        self.y = read_idx(labels, 8).astype(np.int64)
        self.n = len(self.y)
        self.X = read_idx(images, 16).reshape(self.n, -1) / np.float32(255)
        # The files have a line a unit: its bias, then its weights.
        layers = [np.loadtxt(path, np.float32, ndmin=2) for path in (W1, W2)]
        self.b1, self.b2 = [W[:, 0].copy() for W in layers]
        self.W1, self.W2 = [W[:, 1:].copy() for W in layers]
        if self.n % self.batch != 0:
            sys.exit("bench: the last minibatch would be smaller")

    def torch_network(self, torch):
        """Where the descent starts, for PyTorch."""
        network = torch.nn.Sequential(
            torch.nn.Linear(self.X.shape[1], self.hidden), torch.nn.ReLU(),
            torch.nn.Linear(self.hidden, len(self.b2)))
        with torch.no_grad():
            for mine, given in zip(network.parameters(),
                                   (self.W1, self.b1, self.W2, self.b2)):
                mine.copy_(torch.from_numpy(given))
        return network


def blas():
    for library in threadpool_info():
        if library["internal_api"] == "openblas":
            return f"OpenBLAS {library['version']} {library['architecture']}"
    return "no OpenBLAS"


def serve(version, epoch):
    print("ready", version, blas(), sep="\t", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        loss = epoch()
        seconds = time.perf_counter() - start
        print(f"{seconds:.6f}\t{loss:.9g}", flush=True)
