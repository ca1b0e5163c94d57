"""What do PyTorch and scikit-learn say of our descent and our gradient?

They and libmlp-double take a hundred steps from the same parameters on the
same minibatches in double precision.  A peer that is not installed is
skipped (make setup-bench installs both).  Prints TAP.
"""
import importlib
import warnings

import tap

try:
    import numpy as np
except ImportError:
    tap.missing("numpy")
from libmlp import LOOP, MATRIX, Network

STEPS, K, RATE = 100, 20, 0.2
TOLERANCE = 1e-9
LAMBDAS = (0.001, 0.002, 0.003, 0.004)  # l11, l12, l21, l22
SHAPES = [(2, 5, 2), (7, 12, 3), (20, 30, 10)]  # d, dh, m


def peer(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def minibatches(d, m, seed):
    """STEPS of them, each with classes that depend on the examples."""
    random = np.random.default_rng(seed)
    direction = random.normal(size=(d, m))
    for _ in range(STEPS):
        X = random.normal(size=(K, d))
        y = (X @ direction + random.normal(size=(K, m))).argmax(axis=1)
        yield X, y.astype(np.int32)


def start(d, dh, m):
    """A network whose biases are not zero either."""
    network = Network(d, dh, m, seed=3)
    network.theta += np.random.default_rng(4).normal(
        scale=0.1, size=network.n_theta)
    return network


largest = {}


def compare(name, network, begun, theirs):
    """Moved, and moved to the same place."""
    gap = np.abs(network.theta - theirs).max()
    way = np.abs(network.theta - begun).max()
    tap.ok(gap <= TOLERANCE and way > 0.1, name,
           f"largest difference {gap:.3g}, after a way of {way:.3g}")
    peer = name.partition(":")[0]
    largest[peer] = max(gap, largest.get(peer, 0))
    tap.figure(f"largest difference from {peer} after {STEPS} steps",
               f"{largest[peer]:.1e}")


def torch_descends(torch, network, batches, momentum, penalty):
    """Its parameters after the minibatches, in our order."""
    W1, b1, W2, b2 = theta = [
        torch.tensor(part, requires_grad=True) for part in network.parts]
    l11, l12, l21, l22 = penalty
    optimizer = torch.optim.SGD(theta, lr=RATE, momentum=momentum)
    for X, y in batches:
        X, y = torch.from_numpy(X), torch.from_numpy(y).long()
        logits = torch.relu(X @ W1.T + b1) @ W2.T + b2
        risk = (torch.nn.functional.cross_entropy(logits, y)
                + l11 * W1.abs().sum() + l12 * W1.square().sum()
                + l21 * W2.abs().sum() + l22 * W2.square().sum())
        optimizer.zero_grad()
        risk.backward()
        optimizer.step()
    return np.concatenate([part.detach().numpy().ravel() for part in theta])


def sklearn_descends(classifier, network, batches, m, alpha):
    """The same.  Its weights are (inputs, outputs), ours the transposed.

    With all classes named and batch_size = K, partial_fit() of K examples
    is one step.  The first creates the weights, which are then replaced;
    without momentum that step leaves nothing else behind.
    """
    batches = list(batches)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of batch_size, on some versions
        classifier.partial_fit(*batches[0], classes=np.arange(m))
        W1, b1, W2, b2 = network.parts
        classifier.coefs_ = [W1.T.copy(), W2.T.copy()]
        classifier.intercepts_ = [b1.copy(), b2.copy()]
        for X, y in batches:
            classifier.partial_fit(X, y)
    (W1, W2), (b1, b2) = classifier.coefs_, classifier.intercepts_
    return np.concatenate([W1.T.ravel(), b1, W2.T.ravel(), b2])


def judge_by_torch(torch):
    for d, dh, m in SHAPES:
        for momentum in 0, 0.9:
            network = start(d, dh, m)
            begun = network.theta.copy()
            theirs = torch_descends(torch, network, minibatches(d, m, 5),
                                    momentum, LAMBDAS)
            for X, y in minibatches(d, m, 5):
                network.step(X, y, RATE, momentum, LAMBDAS)
            compare(f"PyTorch: {STEPS} steps with the elastic net, "
                    f"momentum {momentum}, {d}-{dh}-{m}",
                    network, begun, theirs)
        network = start(d, dh, m)
        begun = network.theta.copy()
        theirs = torch_descends(torch, network, minibatches(d, m, 5),
                                0, LAMBDAS)
        for X, y in minibatches(d, m, 5):
            network.theta -= RATE * network.risk(X, y, LAMBDAS, LOOP)[1]
        compare(f"PyTorch: the same by the loop's gradient, {d}-{dh}-{m}",
                network, begun, theirs)


def judge_by_gradcheck(torch):
    """torch.autograd.gradcheck shakes each parameter of a Function whose
    two directions are ours."""
    for method, how in (LOOP, "loop"), (MATRIX, "matrices"):
        for d, dh, m in SHAPES[:2]:
            network = start(d, dh, m)
            X, y = next(minibatches(d, m, 6))

            class Risk(torch.autograd.Function):
                @staticmethod
                def forward(ctx, theta):
                    network.theta[:] = theta.detach().numpy()
                    risk, gradient = network.risk(X, y, LAMBDAS, method)
                    ctx.save_for_backward(torch.from_numpy(gradient))
                    return torch.tensor(risk, dtype=torch.float64)

                @staticmethod
                def backward(ctx, grad_risk):
                    gradient, = ctx.saved_tensors
                    return grad_risk * gradient

            theta = torch.tensor(network.theta, requires_grad=True)
            name = f"torch.autograd.gradcheck: our gradient by the {how}, " \
                f"{d}-{dh}-{m}"
            try:
                tap.ok(torch.autograd.gradcheck(
                    Risk.apply, [theta], eps=1e-6, atol=1e-8, rtol=1e-6),
                    name)
            except RuntimeError as error:
                tap.ok(False, name, *str(error).splitlines())


def judge_by_sklearn(neural_network):
    """scikit-learn divides both the loss and alpha/2 |W|^2 by the number of
    examples: alpha/2/K |W|^2 is our l12 |W1|^2 + l22 |W2|^2 for
    l12 = l22 = alpha/2/K.  With two classes it has one sigmoid output, so
    the comparison begins with three."""
    for d, dh, m in SHAPES[1:]:
        for alpha in 0, 0.2:
            network = start(d, dh, m)
            begun = network.theta.copy()
            classifier = neural_network.MLPClassifier(
                (dh,), activation="relu", solver="sgd", alpha=alpha,
                batch_size=K, learning_rate_init=RATE, momentum=0,
                learning_rate="constant", shuffle=False)
            theirs = sklearn_descends(classifier, network,
                                      minibatches(d, m, 7), m, alpha)
            decay = alpha / 2 / K
            for X, y in minibatches(d, m, 7):
                network.step(X, y, RATE, 0, (0, decay, 0, decay))
            compare(f"scikit-learn: {STEPS} calls of partial_fit, "
                    f"alpha {alpha}, {d}-{dh}-{m}", network, begun, theirs)


for module, package, judges in [
        ("torch", "python3-torch", [judge_by_torch, judge_by_gradcheck]),
        ("sklearn.neural_network", "python3-sklearn", [judge_by_sklearn])]:
    found = peer(module)
    for judge in judges:
        if found:
            judge(found)
        else:
            tap.skip(judge.__name__.replace("_", " "),
                     f"{package} is not installed; make setup-bench does")
tap.done()
