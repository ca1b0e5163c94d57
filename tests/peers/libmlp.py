"""libmlp-double by way of ctypes: what mlp.h declares, for NumPy arrays."""
import ctypes
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
GENERATED = os.environ.get("GENERATED") or os.path.join(HERE, "../../generated")
LOOP, MATRIX = 0, 1


class Penalty(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("l11", "l12", "l21", "l22")]


class Sizes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("d", "dh", "m", "n_theta")]


def load():
    reals = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
    classes = np.ctypeslib.ndpointer(np.int32, flags="C_CONTIGUOUS")
    size, number, handle = ctypes.c_size_t, ctypes.c_double, ctypes.c_void_p
    result = ctypes.POINTER(number)
    library = ctypes.CDLL(os.path.join(GENERATED, "lib/libmlp-double.so"))
    for name, returns, *takes in [
            ("create", handle, size, size, size, ctypes.c_uint32),
            ("free", None, handle),
            ("get_sizes", Sizes, handle),
            ("parameters", ctypes.POINTER(number), handle),
            ("risk", ctypes.c_bool, handle, reals, classes, size, Penalty,
             ctypes.c_int, result, reals),
            ("step", ctypes.c_bool, handle, reals, classes, size, number,
             number, Penalty, result),
            ("error", ctypes.c_char_p),
            ("real_size", size)]:
        function = getattr(library, "mlp_" + name)
        function.restype, function.argtypes = returns, takes
    return library


library = load()
assert library.mlp_real_size() == 8


class Network:
    """A network of the library; theta is its own array, not a copy."""

    def __init__(self, d, dh, m, seed):
        self.handle = library.mlp_create(d, dh, m, seed)
        self.check(self.handle)
        self.n_theta = library.mlp_get_sizes(self.handle).n_theta
        self.theta = np.ctypeslib.as_array(
            library.mlp_parameters(self.handle), (self.n_theta,))
        ends = np.cumsum([dh * d, dh, m * dh])
        W1, b1, W2, b2 = np.split(self.theta, ends)
        self.parts = [W1.reshape(dh, d), b1, W2.reshape(m, dh), b2]

    def __del__(self):
        library.mlp_free(self.handle)

    @staticmethod
    def check(done):
        if not done:
            raise RuntimeError(library.mlp_error().decode())

    def risk(self, X, y, penalty, method):
        """Mean loss plus penalty, and the gradient (n_theta)."""
        risk, gradient = ctypes.c_double(), np.empty(self.n_theta)
        self.check(library.mlp_risk(
            self.handle, X, y, len(y), Penalty(*penalty), method,
            ctypes.byref(risk), gradient))
        return risk.value, gradient

    def step(self, X, y, rate, momentum, penalty):
        self.check(library.mlp_step(
            self.handle, X, y, len(y), rate, momentum, Penalty(*penalty),
            None))
