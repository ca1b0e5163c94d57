"""One epoch of scikit-learn's MLPClassifier, by partial_fit."""
from bench_peer import Task, missing, serve

try:
    import sklearn
    from sklearn.neural_network import MLPClassifier
except ImportError:
    missing("python3-sklearn")

sklearn.set_config(assume_finite=True)  # or it looks for NaNs in every epoch
task = Task()
network = MLPClassifier(
    hidden_layer_sizes=(task.hidden,), activation="relu", solver="sgd",
    alpha=0, batch_size=task.batch, learning_rate="constant",
    learning_rate_init=task.rate, momentum=0, nesterovs_momentum=False,
    shuffle=True, random_state=1, n_iter_no_change=10**6)

# A network has no weights before its first step; ours replace them after it.
K = task.batch
network.partial_fit(task.X[:K], task.y[:K], classes=range(len(task.b2)))
network.coefs_[0][:], network.coefs_[1][:] = task.W1.T, task.W2.T
network.intercepts_[0][:], network.intercepts_[1][:] = task.b1, task.b2


def epoch():
    network.partial_fit(task.X, task.y)
    return network.loss_


serve(f"scikit-learn {sklearn.__version__}", epoch)
