"""How many units in the last place are the basic functions wrong?

Arguments are sent to the functions of the program as hexadecimal numbers,
without loss, and what they return is compared with mpmath at 50 digits.
The bounds are those that the book proves.  Prints TAP.
"""
import math
import os
import random
import subprocess

import tap

try:
    import mpmath as mp
    import numpy as np
except ImportError as e:
    tap.missing(e.name)

mp.mp.dps = 50
HERE = os.path.dirname(os.path.abspath(__file__))
GENERATED = os.environ.get("GENERATED") or os.path.join(HERE, "../../generated")
PROGRAMS = os.path.join(GENERATED, "tests", "peers")
WORST = 4  # ulp
REAL = {"single": np.float32, "double": np.float64}


def ulp(x, real):
    """The distance of the numbers of the precision at x > 0, below and
    between them."""
    info = np.finfo(real)
    exponent = mp.frexp(x)[1] if x != 0 else info.minexp
    return mp.ldexp(1, max(exponent - 1, info.minexp) - info.nmant)


def error(got, exact, real):
    """Of what the program returned, in ulp of what is right."""
    if got == exact:
        return 0.0
    if math.isnan(got) or math.isinf(got):
        return math.inf
    return float(abs(mp.mpf(got) - exact) / ulp(abs(exact), real))


def ask(precision, requests):
    """The program's answers to requests (name, class, numbers)."""
    text = "".join(" ".join([name, str(y)] + [float(x).hex() for x in a])
                   + "\n" for name, y, a in requests)
    run = subprocess.run([os.path.join(PROGRAMS, "dump_functions-"
                                       + precision)],
                         input=text, stdout=subprocess.PIPE, text=True,
                         check=True)
    return [[float.fromhex(x) for x in line.split()]
            for line in run.stdout.splitlines()]


# ------------------------------------------------------------ one argument

def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def log1pexp(x):
    return mp.log1p(mp.exp(x))


SCALARS = {
    "sigmoid": sigmoid,
    "sigmoid_prime": lambda x: sigmoid(x) * sigmoid(-x),
    "tanh_prime": lambda x: 4 * sigmoid(2 * x) * sigmoid(-2 * x),
    "softplus": log1pexp,
}


def hard_scalars(real, rng):
    """Zeros, subnormal, tiny, ordinary and large numbers, the neighbours of
    where the exponential underflows, and powers of 2 of every size."""
    info = np.finfo(real)
    edge = -math.log(info.smallest_subnormal)
    x = [0.0, float(info.smallest_subnormal), float(info.tiny), 1.0,
         float(info.max), edge, -math.log(info.tiny), edge / 2]
    x += [math.ldexp(1 + rng.random(), e)
          for e in range(info.minexp - info.nmant, info.maxexp,
                         1 if real is np.float32 else 8)]
    x += [rng.uniform(0, 1.05 * edge) for _ in range(1500)]
    x += [rng.uniform(0, 2) for _ in range(500)]
    x = [real(v) for v in x]
    return [float(v) for v in x] + [-float(v) for v in x]


def check_scalars(precision, rng):
    real = REAL[precision]
    largest = 0.0
    x = hard_scalars(real, rng)
    answers = ask(precision, [(name, 0, x) for name in SCALARS])
    for (name, f), got in zip(SCALARS.items(), answers):
        worst, where = max((error(g, f(mp.mpf(v)), real), v)
                           for g, v in zip(got, x))
        tap.ok(len(got) == len(x) and worst <= WORST,
               f"{precision}: {name} is within {WORST} ulp of mpmath "
               f"(seen {worst:.2f})", f"at {where!r}")
        largest = max(largest, worst)
    tap.figure(f"{precision}: error of sigmoid, softplus and the derivatives,"
               " in ulp", f"{largest:.2f}")


# -------------------------------------------------------------- logits

def hard_logits(real, rng):
    """Names and vectors of logits."""
    info = np.finfo(real)
    big = 2.0**20 if real is np.float32 else 2.0**50
    normal = lambda m, size: [rng.gauss(0, size) for _ in range(m)]
    cases = {
        "one class": [[v] for v in (0.0, 3.5, -float(info.max))],
        "ordinary": [normal(10, size) for size in (0.01, 1, 3, 10, 30)
                     for _ in range(20)],
        "equal": [[v] * m for v in (0.0, 1e-30, 0.1, -1e8, 1e30)
                  for m in (2, 3, 10, 1000)],
        "nearly equal": [[float(np.nextafter(real(v), real(math.inf))), v,
                          float(np.nextafter(real(v), real(-math.inf)))]
                         for v in (1e-30, 0.1, 1.0, big, -big)],
        "far from zero": [[big + rng.randrange(-8, 9) for _ in range(10)]
                          for _ in range(10)],
        "subnormal": [[v * float(info.smallest_subnormal)
                       for v in (1, -5, 77, 0, 1000)]],
        "certain": [[0.0] + [-t] * (m - 1) for t in (10, 15, 20, 40, 80)
                    for m in (2, 10)],
        "far apart": [normal(10, size) for size in (1e2, 1e3, 1e4)
                      for _ in range(20)] + [[0.0, 1e4, -1e4]],
        "at the underflow": [[0.0, -t, -t - 0.5, -t + 0.7]
                             for edge in (info.smallest_subnormal, info.tiny)
                             for t in [-math.log(edge)]],
        "thousands of classes": [normal(m, size) for m in (1000, 10000)
                                 for size in (0.1, 3, 30)],
    }
    return {name: [[float(real(v)) for v in a] for a in vectors]
            for name, vectors in cases.items()}


class Exact:
    """The truth about a vector of logits."""

    def __init__(self, a):
        self.a = [mp.mpf(v) for v in a]
        self.c = max(self.a)
        top = self.a.index(self.c)
        self.e = [mp.exp(v - self.c) for v in self.a]
        rest = mp.fsum(self.e[:top] + self.e[top + 1:])
        self.sum = 1 + rest
        self.log_sum = mp.log1p(rest)
        self.gaps = [float(self.c - v) for v in self.a]

    def softmax(self):
        return [e / self.sum for e in self.e]

    def log_softmax(self):
        return [(v - self.c) - self.log_sum for v in self.a]

    def log_sum_exp(self):
        return self.c + self.log_sum


def part_of_bound(got, exact, units, m, real, size=None):
    """The error of what the program returned, as a part of its bound: units
    of u and m additions in double precision, both relative to size (of the
    exact value, if it is not given), and m + 1 subnormals."""
    if got == exact:
        return 0.0
    if math.isnan(got) or math.isinf(got):
        return math.inf
    info = np.finfo(real)
    relative = mp.ldexp(units, -info.nmant - 1) + mp.ldexp(m, -53)
    bound = (relative * (abs(exact) if size is None else size)
             + (m + 1) * mp.mpf(float(info.smallest_subnormal)))
    return float(abs(mp.mpf(got) - exact) / bound)


def compare(a, answers, classes, real):
    """For every function, the largest part of its bound that its error is,
    and the largest error in ulp."""
    exact = Exact(a)
    m = len(a)
    second = sorted(exact.gaps)[1] if m > 1 else 0.0
    logs = exact.log_softmax()
    units = [t + math.log(m) + 5 for t in exact.gaps]
    loss_units = second + math.log(m) + 9
    s, log_s, lse, joint, *losses = answers
    pairs = {
        "softmax": list(zip(s, exact.softmax(), units)),
        "log_softmax": [(g, e, loss_units) for g, e in zip(log_s, logs)],
        "cross_entropy": [(g[0], -logs[y], loss_units)
                          for g, y in zip(losses, classes)],
        "softmax_cross_entropy": list(zip(joint, exact.softmax(), units))
            + [(joint[m], -logs[classes[0]], loss_units)],
    }
    found = {name: (max(part_of_bound(g, e, n, m, real) for g, e, n in of),
                    max(error(g, e, real) for g, e, n in of))
             for name, of in pairs.items()}
    # Where c and log1p(R) cancel, the error is that of these.
    sum_of_logs = exact.log_sum_exp()
    found["log_sum_exp"] = (
        part_of_bound(lse[0], sum_of_logs, loss_units, m, real,
                      abs(exact.c) + exact.log_sum),
        error(lse[0], sum_of_logs, real))
    return found


# Their differences are exact, or nearly.
EXACT = {"one class", "equal", "nearly equal", "far from zero", "subnormal",
         "certain"}


def check_logits(precision, rng):
    real = REAL[precision]
    largest = part = 0.0
    for case, vectors in hard_logits(real, rng).items():
        worst, requests, classes = {}, [], []
        for a in vectors:
            classes.append([a.index(max(a)), rng.randrange(len(a)),
                            a.index(min(a))])
            requests += [("softmax", 0, a), ("log_softmax", 0, a),
                         ("log_sum_exp", 0, a),
                         ("softmax_cross_entropy", classes[-1][0], a)]
            requests += [("cross_entropy", y, a) for y in classes[-1]]
        answers = ask(precision, requests)
        each = len(requests) // len(vectors)
        for i, a in enumerate(vectors):
            found = compare(a, answers[each * i:each * (i + 1)], classes[i],
                            real)
            for name, (of_bound, ulps) in found.items():
                old = worst.get(name, (0.0, 0.0))
                worst[name] = (max(old[0], of_bound), max(old[1], ulps))
        tap.ok(len(worst) == 5 and all(p <= 1 for p, _ in worst.values()),
               f"{precision}, logits {case}: every error is within its bound",
               str(worst))
        tap.diag("ulp: " + ", ".join(f"{name} {ulps:.2f}" for name, (_, ulps)
                                     in worst.items()))
        part = max([part] + [p for p, _ in worst.values()])
        if case in EXACT:
            largest = max([largest] + [ulps for _, ulps in worst.values()])
            tap.ok(all(ulps <= WORST for _, ulps in worst.values()),
                   f"{precision}, logits {case}: and within {WORST} ulp",
                   str(worst))
    tap.figure(f"{precision}: error of softmax and loss where differences are "
               "exact, in ulp", f"{largest:.2f}")
    tap.figure(f"{precision}: error of softmax and loss as a part of its "
               "bound", f"{part:.2f}")


if __name__ == "__main__":
    for name in REAL:
        generator = random.Random(1)
        check_scalars(name, generator)
        check_logits(name, generator)
    tap.done()
