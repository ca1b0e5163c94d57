"""Is mlp as accurate as scikit-learn's MLPClassifier, on iris, wine, digits?

Ten times, with a seed each, a quarter of the data is drawn for testing, and
both train on the rest by one recipe: the same standardised numbers, the same
network, the same descent; each with its own weights and order of examples.
`mlp train FILE`, which sees the raw data, chooses a recipe of its own and
holds a fifth of them out, must not be worse than that.

"Within the spread": the means of the ten accuracies differ by at most two
standard errors of such a difference, sqrt((s1^2 + s2^2) / 10), plus half an
example of the test set, below which accuracies have no digits.  Prints TAP.
"""
import csv
import os
import subprocess
import sys
import tempfile
import warnings

import tap

try:
    import numpy as np
    from sklearn import datasets
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler
except ImportError:
    tap.skip_all("python3-sklearn is not installed (make setup-bench)")

warnings.simplefilter("ignore", ConvergenceWarning)
HERE = os.path.dirname(os.path.abspath(__file__))
MLP = os.environ.get("MLP") or os.path.join(HERE, "../../generated/bin/mlp")
SEEDS = range(1, 11)
HIDDEN, RATE, MOMENTUM = 50, 0.02, 0.9


def write(file, X, y, names):
    with open(file, "w", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow([f"x{i + 1}" for i in range(X.shape[1])] + ["class"])
        rows.writerows([*map(repr, map(float, x)), names[k]]
                       for x, k in zip(X, y))


def ours(folder, *options):
    """Test error in the last epoch, or the best of those that were watched."""
    subprocess.run([MLP, "train", *options, "--quiet", "--log", "log.tsv"],
                   cwd=folder, check=True)
    with open(os.path.join(folder, "log.tsv")) as log:
        epochs = list(csv.DictReader(log, delimiter="\t"))
    watched = [float(epoch["valid_loss"]) for epoch in epochs]
    best = -1 if np.isnan(watched[0]) else int(np.argmin(watched))
    return 1 - float(epochs[best]["test_error"])


def recipe(folder, seed, batch, epochs):
    return ours(folder, "--train", "scaled.csv", "--test", "scaled-test.csv",
                "--standardize", "none", "--hidden", str(HIDDEN), "--batch",
                str(batch), "--rate", str(RATE), "--momentum", str(MOMENTUM),
                "--epochs", str(epochs), "--seed", str(seed))


def bare(folder, seed):
    return ours(folder, "train.csv", "--test", "test.csv", "--seed",
                str(seed))


def peer(seed, batch, epochs, X, y, T, u):
    network = MLPClassifier(
        hidden_layer_sizes=(HIDDEN,), activation="relu", solver="sgd",
        alpha=0, batch_size=batch, learning_rate="constant",
        learning_rate_init=RATE, momentum=MOMENTUM, nesterovs_momentum=False,
        max_iter=epochs, tol=0, n_iter_no_change=10**6, random_state=seed)
    return network.fit(X, y).score(T, u)


def compare(what, ours, theirs, n_test, two_sided):
    a, b = np.array(ours), np.array(theirs)
    spread = 2 * np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))
    allowed = spread + 0.5 / n_test
    difference = a.mean() - b.mean()
    tap.diag(f"{what}: mlp {a.mean():.4f} +- {a.std(ddof=1):.4f}, "
             f"scikit-learn {b.mean():.4f} +- {b.std(ddof=1):.4f}; "
             f"difference {difference:+.4f}, allowed {allowed:.4f}")
    tap.ok((abs(difference) if two_sided else -difference) <= allowed,
           f"{what}: mlp is {'as' if two_sided else 'at least as'} accurate "
           "as scikit-learn, within the spread over ten seeds")


for name, batch, epochs in [("iris", 10, 40), ("wine", 10, 40),
                            ("digits", 32, 25)]:
    data = getattr(datasets, "load_" + name)()
    names = [str(word) for word in data.target_names]
    accuracy = {"recipe": [], "bare": [], "peer": []}
    for seed in SEEDS:
        X, T, y, u = train_test_split(
            data.data, data.target, test_size=0.25, random_state=seed,
            stratify=data.target)
        scaler = StandardScaler().fit(X)
        Xs, Ts = scaler.transform(X), scaler.transform(T)
        with tempfile.TemporaryDirectory() as folder:
            for file, A, k in [("train", X, y), ("test", T, u),
                               ("scaled", Xs, y), ("scaled-test", Ts, u)]:
                write(os.path.join(folder, file + ".csv"), A, k, names)
            accuracy["recipe"].append(recipe(folder, seed, batch, epochs))
            accuracy["bare"].append(bare(folder, seed))
        accuracy["peer"].append(peer(seed, batch, epochs, Xs, y, Ts, u))
    compare(f"{name}, one recipe", accuracy["recipe"], accuracy["peer"],
            len(u), True)
    compare(f"{name}, a bare file", accuracy["bare"], accuracy["peer"],
            len(u), False)
tap.done()
