"""Do the formulae that the book proves hold for symbols?

SymPy differentiates the definitions; what it finds is compared with the
book's results.  Prints TAP.
"""
import tap

try:
    import sympy as sp
except ImportError:
    tap.missing("sympy")

x = sp.Symbol("x", real=True)
NEGATIVE = sp.Symbol("n", negative=True)
POSITIVE = sp.Symbol("p", positive=True)


def vanishes(expression):
    """Is it zero for all values of its symbols?"""
    return sp.simplify(sp.expand(expression)) == 0


def all_vanish(expressions):
    return all([vanishes(e) for e in expressions])


def indicator(condition):
    return sp.Piecewise((1, condition), (0, True))


def at_places(expression, *places):
    return [sp.sympify(expression).subs(x, place) for place in places]


# ------------------------------------------------------- A: basic functions

sigmoid = 1 / (1 + sp.exp(-x))
softplus = sp.log(1 + sp.exp(x))
tanh = (sp.exp(x) - sp.exp(-x)) / (sp.exp(x) + sp.exp(-x))
sign = indicator(x > 0) - indicator(x < 0)
absolute = sp.Piecewise((x, x >= 0), (-x, True))
rect = sp.Piecewise((x, x >= 0), (0, True))

tap.ok(vanishes(tanh - sp.tanh(x).rewrite(sp.exp)),
       "the definition of tanh is SymPy's")
tap.ok(vanishes(sigmoid - (tanh.subs(x, x / 2) + 1) / 2),
       "A.1 sigmoid(x) = (tanh(x/2) + 1) / 2")
tap.ok(vanishes(sp.expand_log(sp.log(sigmoid), force=True)
                + softplus.subs(x, -x)),
       "A.2 log sigmoid(x) = -softplus(-x)")
tap.ok(vanishes(sp.diff(sigmoid, x) - sigmoid * (1 - sigmoid)),
       "A.3 sigmoid' = sigmoid (1 - sigmoid)")
tap.ok(vanishes(sp.diff(sigmoid, x) - sigmoid * sigmoid.subs(x, -x)),
       "sigmoid'(x) = sigmoid(x) sigmoid(-x), as the program computes it")
tap.ok(vanishes(sp.diff(tanh, x) - (1 - tanh**2)), "A.4 tanh' = 1 - tanh^2")
tap.ok(vanishes(sp.diff(softplus, x) - sigmoid), "softplus' = sigmoid")
tap.ok(all_vanish(at_places(sign - sp.sign(x), NEGATIVE, 0, POSITIVE)),
       "A.5 sign is a difference of indicators, also at 0")
tap.ok(all_vanish(at_places(absolute - sp.Abs(x), NEGATIVE, 0, POSITIVE))
       and all_vanish(at_places(sp.diff(absolute, x) - sign,
                                NEGATIVE, POSITIVE)),
       "A.6 |x|' = sign(x) except at 0")
tap.ok(all_vanish(at_places(rect - sp.Max(0, x), NEGATIVE, 0, POSITIVE))
       and all_vanish(at_places(sp.diff(rect, x) - indicator(x > 0),
                                NEGATIVE, POSITIVE)),
       "A.7 rect'(x) = 1 where x > 0, except at 0")
v = sp.symbols("v1:6", real=True)
tap.ok(all_vanish(sp.diff(sum(c**2 for c in v), c) - 2 * c for c in v),
       "A.8 the gradient of the squared L2 norm is 2 x")
# Away from the kinks: every coordinate has a sign.
w = [sp.Symbol(f"w{i}", **{"positive" if i % 2 else "negative": True})
     for i in range(5)]
tap.ok(all_vanish(sp.diff(sum(map(sp.Abs, w)), c) - sp.sign(c) for c in w),
       "A.9 the gradient of the L1 norm is sign(x)")


# ------------------------------------------------ B: gradients of the network

def softmax(a):
    total = sum(map(sp.exp, a))
    return [sp.exp(c) / total for c in a]


def onehot(k, m):
    return [int(k == i) for i in range(m)]


def loss(a, y):
    """B.4"""
    return sp.log(sum(map(sp.exp, a))) - a[y]


for m in (2, 3, 4):
    oa = sp.symbols(f"a1:{m + 1}", real=True)
    tap.ok(vanishes(sum(softmax(oa)) - 1), f"B.3 softmax sums to 1, m = {m}")
    for y in range(m):
        tap.ok(vanishes(sp.expand_log(sp.log(softmax(oa)[y]), force=True)
                        + loss(oa, y)),
               f"B.4 the loss is -log of the probability, m = {m}, y = {y + 1}")
        tap.ok(all_vanish(sp.diff(loss(oa, y), oa[k])
                          - (softmax(oa)[k] - onehot(y, m)[k])
                          for k in range(m)),
               f"B.7 the gradient by the logits is os - onehot(y), "
               f"m = {m}, y = {y + 1}")

# A whole network, 2-3-2, whose second hidden unit is off: near such a point
# rect is the diagonal matrix of the indicators.
on = sp.diag(1, 0, 1)


def matrix(name, rows, columns):
    return sp.Matrix(rows, columns, lambda i, j:
                     sp.Symbol(f"{name}_{i + 1}{j + 1}", real=True))


def gradient(L, by):
    return by.applyfunc(lambda c: sp.diff(L, c))


def same(a, b):
    return a.shape == b.shape and all_vanish(a - b)


W1, b1, W2, b2 = (matrix("W1", 3, 2), matrix("b1", 3, 1),
                  matrix("W2", 2, 3), matrix("b2", 2, 1))
X = matrix("x", 2, 1)
for y in range(2):
    ha = W1 * X + b1
    hs = on * ha
    oa = W2 * hs + b2
    os = sp.Matrix(softmax(list(oa)))
    L = loss(list(oa), y)
    grad_oa = os - sp.Matrix(onehot(y, 2))
    grad_hs = W2.T * grad_oa
    grad_ha = on * grad_hs
    # The derivative by a quantity inside: put a symbol in its place.
    s = matrix("s", 3, 1)
    L_of_hs = loss(list(W2 * s + b2), y)
    put_hs = dict(zip(s, hs))
    label = f"y = {y + 1}"
    tap.ok(same(gradient(L, W2), grad_oa * hs.T),
           f"B.9 B.10 dL/dW2 = grad_oa hs^T, {label}")
    tap.ok(same(gradient(L, b2), grad_oa), f"B.10 dL/db2 = grad_oa, {label}")
    tap.ok(same(gradient(L_of_hs, s).subs(put_hs), grad_hs),
           f"B.11 B.12 dL/dhs = W2^T grad_oa, {label}")
    tap.ok(same(gradient(L, W1), grad_ha * X.T),
           f"B.13 B.16 dL/dW1 = grad_ha x^T, {label}")
    tap.ok(same(gradient(L, b1), grad_ha), f"B.16 dL/db1 = grad_ha, {label}")
    tap.ok(same(gradient(L, X), W1.T * grad_ha),
           f"B.17 dL/dx = W1^T grad_ha, {label}")

# Every weight has a sign, in turn.
l11, l12, l21, l22 = sp.symbols("l11 l12 l21 l22", positive=True)


def signed(name, rows, columns):
    return sp.Matrix(rows, columns, lambda i, j: sp.Symbol(
        f"{name}_{i}{j}", **{"positive" if (i + j) % 2 else "negative": True}))


W1, W2 = signed("W1", 3, 2), signed("W2", 2, 3)
penalty = (l11 * sum(map(sp.Abs, W1)) + l12 * sum(c**2 for c in W1)
           + l21 * sum(map(sp.Abs, W2)) + l22 * sum(c**2 for c in W2))
for name, W, l1, l2 in (("W1", W1, l11, l12), ("W2", W2, l21, l22)):
    tap.ok(same(gradient(penalty, W), l1 * W.applyfunc(sp.sign) + 2 * l2 * W),
           f"B.18 the elastic net adds l1 sign({name}) + 2 l2 {name}")


# ------------------------------------------------------- finite differences

h = sp.Symbol("h", positive=True)
f = sp.symbols("f0:8")  # derivatives 0, 1, 2 ... of any function, at 0


def at(step):
    return sum(f[k] * step**k / sp.factorial(k) for k in range(8))


def leading_error(difference):
    """The order of the error, and its coefficient."""
    error = sp.Poly(sp.expand(difference - f[1]), h)
    (order,), coefficient = error.terms()[-1]
    return order, coefficient


forward = (at(h) - at(0)) / h
central = (at(h) - at(-h)) / (2 * h)
five_point = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
tap.ok(leading_error(forward) == (1, f[2] / 2),
       "the forward difference is f' + f'' h / 2 + O(h^2)")
tap.ok(leading_error(central) == (2, f[3] / 6),
       "the central difference is f' + f''' h^2 / 6 + O(h^4)")
tap.ok(sp.expand(central - f[1] - f[3] * h**2 / 6).coeff(h, 3) == 0,
       "the next error of the central difference is of order 4")
tap.ok(leading_error(five_point) == (4, -f[5] / 30),
       "the five-point difference is f' - f''''' h^4 / 30 + O(h^6)")
tap.done()
