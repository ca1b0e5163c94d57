"""Does the C program compute what the book's NumPy lines compute?

Runs generated/src/numpy_gradient.py, as tangled from the document, on the
networks and minibatches that dump_gradient draws, and compares everything
that has the same name.  Prints TAP.
"""
import os
import subprocess
import sys

import tap

try:
    import numpy as np
except ImportError:
    tap.missing("numpy")

HERE = os.path.dirname(os.path.abspath(__file__))
GENERATED = os.environ.get("GENERATED") or os.path.join(HERE, "../../generated")
TOLERANCE = 1e-12
worst = 0.0

sys.path.insert(0, os.path.join(GENERATED, "src"))
from numpy_gradient import gradient_of_minibatch, gradient_of_one_example


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True,
                          text=True).stdout


def dump(*arguments):
    """The parts of dump_gradient's output: {part: {name: array}}."""
    program = os.path.join(GENERATED, "tests/peers/dump_gradient")
    parts = {}
    for line in run(program, *map(str, arguments)).splitlines():
        name, *fields = line.split("\t")
        if not fields:
            part = parts[name] = {}
            continue
        shape = [int(n) for n in fields[0].split(",") if n]
        part[name] = np.array(fields[1:], dtype=float).reshape(shape)
    return parts


def gap(c, numpy):
    """Largest difference, relative to the largest number."""
    c, numpy = np.asarray(c, float), np.asarray(numpy, float)
    if c.shape != numpy.shape:
        return np.inf
    difference, size = np.abs(c - numpy).max(), np.abs(numpy).max()
    return difference / size if size > 0 else difference


def agree(name, c, numpy, keys):
    """One test: the two agree in everything that keys lists."""
    global worst
    gaps = {key: gap(c[key], numpy[key]) for key in keys}
    worst = max(worst, *gaps.values())
    tap.ok(all(g < TOLERANCE for g in gaps.values()), name,
           *(f"{key}: relative difference {g:.3g}" for key, g in gaps.items()
             if not g < TOLERANCE))


def mean_loss(numpy, y):
    shifted = numpy["Oa_shifted"]
    return (np.log(np.exp(shifted).sum(axis=1))
            - shifted[np.arange(len(y)), y]).sum()


ONE = ("ha hs oa os L grad_oa grad_hs grad_ha grad_x "
       "grad_W1 grad_b1 grad_W2 grad_b2").split()
GRADIENTS = "grad_W1 grad_b1 grad_W2 grad_b2".split()
MATRICES = "Ha Hs Oa Os grad_Oa grad_Hs grad_Ha".split()

for d, dh, m, K, strength, seed in [
        (2, 3, 2, 1, 0, 1), (2, 3, 2, 10, 0, 2), (2, 2, 2, 10, 0.01, 3),
        (1, 1, 2, 5, 0.01, 4), (1, 8, 3, 17, 0.1, 5), (7, 1, 4, 3, 0.01, 6),
        (5, 7, 10, 100, 0.001, 7), (64, 32, 10, 50, 0.01, 8),
        (3, 4, 1, 6, 0.01, 9)]:
    c = dump(d, dh, m, K, strength, seed)
    given = c["given"]
    theta = [given[name] for name in ("W1", "b1", "W2", "b2")]
    X, y = given["X"], given["y"].astype(int)
    sizes = f"d={d} dh={dh} m={m}"
    agree(f"one example, {sizes}: every intermediate", c["example"],
          gradient_of_one_example(*theta, X[0], y[0]), ONE)
    numpy = gradient_of_minibatch(
        *theta, X, y, *(given[f"l{i}"] for i in (11, 12, 21, 22)))
    numpy["loss"] = mean_loss(numpy, y)
    numpy["errors"] = (numpy["Oa"].argmax(axis=1) != y).sum()
    sizes += f" K={K} penalties {strength}"
    agree(f"minibatch by the loop, {sizes}", c["loop"], numpy,
          GRADIENTS + ["loss", "errors"])
    agree(f"minibatch by matrices, {sizes}: every intermediate", c["matrix"],
          numpy, GRADIENTS + ["loss", "errors"] + MATRICES)
tap.figure("largest relative difference from NumPy", f"{worst:.1e}")


# The tiny network, as the book prints it.
W1 = np.array([[0.6, -0.4], [-0.8, 0.2], [0.3, 0.9]])
b1 = np.array([0.1, 0.2, -0.1])
W2 = np.array([[0.7, -0.5, 0.2], [-0.3, 0.4, 0.8]])
b2 = np.array([0.1, -0.1])
x, y = np.array([1, 0.5]), 1
text = run(os.path.join(GENERATED, "bin/tiny"))
printed = dict(line.split("\t") for line in text.splitlines())

numpy = gradient_of_one_example(W1, b1, W2, b2, x, y)
after = gradient_of_one_example(
    W1 - 0.5 * numpy["grad_W1"], b1 - 0.5 * numpy["grad_b1"],
    W2 - 0.5 * numpy["grad_W2"], b2 - 0.5 * numpy["grad_b2"], x, y)
expected = {"L": numpy["L"], "L_after": after["L"]}
for name in ONE:
    array = np.ravel(numpy[name])
    prefix = name + "_" if "grad_W" in name or "grad_b" in name else name
    if name != "L":
        expected.update({f"{prefix}{i + 1}": array[i]
                         for i in range(len(array))})
expected.update({f"os_after{k + 1}": after["os"][k] for k in range(2)})

tap.ok(printed.keys() == expected.keys(),
       "the book prints every value of the tiny network, and no other",
       f"only printed: {sorted(printed.keys() - expected.keys())}",
       f"not printed: {sorted(expected.keys() - printed.keys())}")
wrong = [f"{key}: printed {printed[key]}, NumPy says {expected[key]:.6f}"
         for key in printed.keys() & expected.keys()
         if not abs(float(printed[key]) - expected[key]) <= 0.5001e-4]
tap.ok(not wrong, "what it prints is what NumPy computes, to four decimals",
       *wrong)
tap.done()
