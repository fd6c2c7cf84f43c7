"""Checks of snippets/equations/tasks.tex."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from x0_equations.check import Equation, equation
from x0_equations.values import (
    Derivatives,
    Indexed,
    discrete,
    gaussian,
    points,
    sample_mean,
)

Z = np.array([0.3, -1.2, 0.8, 2.0])


def leaf(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def softmax() -> Indexed:
    p = torch.softmax(torch.from_numpy(Z), 0).numpy()
    return Indexed(lambda i: float(p[i - 1]))


def logits() -> Indexed:
    return Indexed(lambda i: float(Z[i - 1]))


def one_hot(label: int) -> Indexed:
    return Indexed(lambda i: float(i == label))


def cross_entropy(label: int) -> Derivatives:
    z = leaf(Z)
    loss = functional.cross_entropy(z, torch.tensor(label - 1))
    (slope,) = torch.autograd.grad(loss, z)
    return Derivatives(lambda name, i: float(slope[i - 1]), float(loss.detach()))


@equation("tasks-softmax", kind="definition")
def test_softmax(eq: Equation) -> None:
    for i in (1, 3):
        eq.holds(i=i, C=4, p=softmax(), z=logits())


@equation("tasks-cross-entropy", kind="numerical")
def test_cross_entropy(eq: Equation) -> None:
    for label in (1, 2, 4):
        eq.holds(C=4, loss=cross_entropy(label), y=one_hot(label), p=softmax(), z=logits())


@equation("tasks-gradient", kind="numerical")
def test_gradient(eq: Equation) -> None:
    for i, label in ((1, 1), (1, 3), (4, 2)):
        eq.holds(i=i, loss=cross_entropy(label), p=softmax(), y=one_hot(label))


@equation(
    "tasks-convex",
    kind="numerical",
    survivors="an inequality: a larger left side or a smaller right side stays true",
)
def test_convex(eq: Equation) -> None:
    p = softmax()
    for u in ([1.0, -2.0, 0.5, 0.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 3.0, 3.0]):
        eq.holds(C=4, p=p, u=Indexed(lambda i, u=u: u[i - 1]), scale=1.0, tight=len(set(u)) == 1)
        # It is the second derivative of the loss along u.
        t = leaf(0.0)
        loss = functional.cross_entropy(
            torch.from_numpy(Z) + t * torch.tensor(u, dtype=torch.float64), torch.tensor(0)
        )
        (slope,) = torch.autograd.grad(loss, t, create_graph=True)
        (bend,) = torch.autograd.grad(slope, t)
        weights = np.array([p[i] for i in range(1, 5)])
        assert abs(float(bend) - (weights @ np.square(u) - (weights @ u) ** 2)) < 1e-14


@equation("tasks-sigmoid", kind="numerical")
def test_sigmoid(eq: Equation) -> None:
    eq.holds(z=logits())


def binary(z: float, y: float) -> Derivatives:
    point = leaf(z)
    loss = functional.binary_cross_entropy_with_logits(point, torch.tensor(y, dtype=torch.float64))
    (slope,) = torch.autograd.grad(loss, point)
    return Derivatives(lambda name: float(slope), float(loss.detach()))


@equation("tasks-binary", kind="numerical")
def test_binary(eq: Equation) -> None:
    for z, y in ((0.7, 1.0), (-1.5, 0.0), (0.4, 0.3)):
        p = float(torch.sigmoid(torch.tensor(z, dtype=torch.float64)))
        eq.holds(loss=binary(z, y), y=y, p=p, z=z)


@equation("tasks-binary-gradient", kind="numerical")
def test_binary_gradient(eq: Equation) -> None:
    for z, y in ((0.7, 1.0), (-1.5, 0.0), (0.4, 0.3)):
        eq.holds(loss=binary(z, y), y=y, z=z)


@equation("tasks-normal", kind="numerical")
def test_normal(eq: Equation) -> None:
    for sigma in (0.5, 2.0):
        eq.holds(sigma=sigma, y=points([0.3, -2.0]), z=0.9)
        density = torch.distributions.Normal(0.9, sigma)
        law = density.log_prob(torch.tensor(0.3))
        square = 0.6**2 / (2 * sigma**2) + math.log(2 * math.pi * sigma**2) / 2
        assert abs(float(law) + square) < 1e-6


@equation("tasks-laplace", kind="numerical")
def test_laplace(eq: Equation) -> None:
    for tau in (0.5, 2.0):
        eq.holds(tau=tau, y=points([0.3, -2.0]), z=0.9)
        law = torch.distributions.Laplace(0.9, tau).log_prob(torch.tensor(0.3))
        assert abs(float(law) + 0.6 / tau + math.log(2 * tau)) < 1e-6


Y, EY = discrete([-1.0, 0.5, 2.0, 7.0], [0.2, 0.4, 0.3, 0.1])


@equation("tasks-mean", kind="numerical")
def test_mean(eq: Equation) -> None:
    for z in (-0.3, 1.4):
        eq.holds(E=EY, y=Y, z=z)


@equation("tasks-median", kind="numerical")
def test_median(eq: Equation) -> None:
    for z in (-0.3, 1.4, 5.0):  # between the values, where the mean is a straight line
        eq.holds(E=EY, y=Y, z=z)


@equation(
    "tasks-poisson",
    kind="numerical",
    survivors="the loss is bound to its own value or slope",
    identical="torch does the same operations",
)
def test_poisson(eq: Equation) -> None:
    for z, y in ((0.4, 3.0), (-1.0, 0.0)):
        point = leaf(z)
        loss = functional.poisson_nll_loss(point, torch.tensor(y), log_input=True, full=False)
        (slope,) = torch.autograd.grad(loss, point)
        eq.holds(loss=Derivatives(lambda name, s=slope: float(s), float(loss.detach())), y=y, z=z)


# The start ---------------------------------------------------------------------------------------


def product_nodes(q: float, classes: int) -> tuple[list[np.ndarray[Any, Any]], Any]:
    """Independent logits z_1, …, z_C ~ N(0, q) by product quadrature."""
    x, w = np.polynomial.hermite_e.hermegauss(60 if classes == 2 else 36)
    grid = np.meshgrid(*[x * math.sqrt(q)] * classes, indexing="ij")
    weights = np.ones(())
    for _ in range(classes):
        weights = np.multiply.outer(weights, w / math.sqrt(2 * math.pi))
    flat = weights.reshape(1, -1)

    def mean(values: Any) -> Any:
        values = np.asarray(values, dtype=float)
        return values if values.ndim == 0 else (values * flat).sum(-1, keepdims=True)

    return [z.reshape(1, -1) for z in grid], mean


@equation("tasks-start", kind="numerical")
def test_start(eq: Equation) -> None:
    for classes in (2, 3):
        z, mean = product_nodes(0.6, classes)
        stacked = torch.from_numpy(np.concatenate(z).T.copy())
        for label in (0, 1):
            labels = torch.full((len(stacked),), label)
            loss = functional.cross_entropy(stacked, labels, reduction="none").numpy()[None]
            eq.holds(C=classes, E=mean, loss=loss, z=Indexed(lambda j, z=z: z[j - 1]))


@equation(
    "tasks-bounds",
    kind="numerical",
    survivors="the two inequalities are strict: a smaller left side stays true",
)
def test_bounds(eq: Equation) -> None:
    for q, classes in ((0.6, 3), (1e-9, 2)):
        z, mean = product_nodes(q, classes)
        eq.holds(C=classes, q=q, E=mean, z=Indexed(lambda j, z=z: z[j - 1]), tight=q < 1e-6)


@cache
def expected(q: float, classes: int) -> float:
    """E[ln Σ e^z] by the two equations below, checked there on their own."""
    u = np.linspace(-45, 30, 3001)[:, None]
    x = np.linspace(-11, 11, 801)
    weight = np.exp(-(x**2) / 2)
    one = np.exp(-np.exp(u + math.sqrt(q) * x)) @ (weight / weight.sum())
    return float((np.exp(-np.exp(u[:, 0])) - one**classes).sum() * 0.025)


@equation("tasks-spread", kind="numerical")
def test_spread(eq: Equation) -> None:
    for q in (0.3, 2.0):
        z, mean = gaussian(q)
        eq.holds(E=mean, q=q, z=z)


@equation("tasks-law", kind="numerical", tolerance="slope ± 0.05")
def test_law(eq: Equation) -> None:
    for q in (0.5, 1.0):
        sizes = [300, 600, 1200, 3000]
        eq.approximates(
            sizes,
            lambda C, q=q: {"E": lambda v: v, "loss": expected(q, C), "q": q, "C": C},
            order=-2,
        )
    z, mean = product_nodes(0.6, 3)
    direct = float(mean(np.log(sum(np.exp(v) for v in z))).item())
    assert abs(expected(0.6, 3) - direct) < 1e-10


@equation("tasks-small", kind="numerical", tolerance="slope ± 0.05")
def test_small(eq: Equation) -> None:
    for C in (2, 3):

        def bind(q: float, C: int = C) -> dict[str, Any]:
            z, mean = product_nodes(q, C)
            return {"C": C, "q": q, "E": mean, "loss": np.log(sum(np.exp(v) for v in z)) - z[0]}

        eq.approximates([0.002, 0.005, 0.01, 0.03], bind)


@equation("tasks-integral", kind="numerical", tolerance="relative 1e-8")
def test_integral(eq: Equation) -> None:
    for s in (0.3, 2.0, 40.0):
        eq.holds(S=s)


@equation(
    "tasks-power", kind="numerical", survivors="all classes have one law: z_2 is as good as z_1"
)
def test_power(eq: Equation) -> None:
    z, mean = product_nodes(0.6, 3)
    for t in (0.2, 1.5):
        eq.holds(C=3, t=t, E=mean, z=Indexed(lambda j: z[j - 1]))


@equation("tasks-prior", kind="numerical")
def test_prior(eq: Equation) -> None:
    for r in (0.3, 0.01):
        eq.equivalent("b", (-8.0, 3.0), r=r)


@equation("tasks-pull", kind="numerical")
def test_pull(eq: Equation) -> None:
    for r in (0.3, 0.05):
        y, mean = discrete([0.0, 1.0], [1 - r, r])
        eq.equivalent("p", (0.01, 0.99), E=mean, y=y, r=r)


# Other tasks -------------------------------------------------------------------------------------


@equation("tasks-pairwise", kind="definition")
def test_pairwise(eq: Equation) -> None:
    loss = functional.binary_cross_entropy_with_logits(
        torch.tensor(Z[0] - Z[1]), torch.ones((), dtype=torch.float64)
    )
    eq.holds(loss=float(loss), z=logits())


@equation("tasks-listwise", kind="definition")
def test_listwise(eq: Equation) -> None:
    left, loss = list(Z), 0.0
    while left:  # draw the items one after another
        loss -= float(torch.log_softmax(torch.tensor(left), 0)[0])
        left.pop(0)
    eq.holds(loss=loss, n=4, z=logits())


@equation("tasks-contrast", kind="definition")
def test_contrast(eq: Equation) -> None:
    s = np.random.default_rng(0).normal(size=(5, 5))
    loss = functional.cross_entropy(torch.from_numpy(s), torch.arange(5))
    eq.holds(loss=float(loss), m=5, S=Indexed(lambda k, j: float(s[k - 1, j - 1])))


@cache
def fits(n: int, m: int, sigma: float) -> tuple[Any, Any]:
    """Least squares on many data sets: error on the samples, and on as many new ones."""
    rng = np.random.default_rng(5)
    sets = 8000
    signal = rng.normal(size=(n, 1))
    x = rng.normal(size=(sets, m, n))
    y = x @ signal + sigma * rng.normal(size=(sets, m, 1))
    xt = x.transpose(0, 2, 1)
    w = np.linalg.solve(xt @ x, xt @ y)
    new = rng.normal(size=(sets, m, n))
    target = new @ signal + sigma * rng.normal(size=(sets, m, 1))
    train = ((y - x @ w) ** 2).mean((1, 2))
    test = ((target - new @ w) ** 2).mean((1, 2))
    return train[None], test[None]


@equation("tasks-train", kind="statistical")
def test_train(eq: Equation) -> None:
    for n, m in ((3, 12), (6, 12)):
        train, _ = fits(n, m, 0.7)
        eq.holds(E=sample_mean, hat_loss=train, sigma=0.7, n=n, m=m)


@equation("tasks-wide", kind="statistical")
def test_wide(eq: Equation) -> None:
    """The shortest of all solutions, from the pseudoinverse; targets of noise alone."""
    rng = np.random.default_rng(6)
    for n, m in ((24, 8), (20, 6)):
        x = rng.normal(size=(8000, m, n))
        y = 0.7 * rng.normal(size=(8000, m, 1))
        w = np.linalg.pinv(x) @ y
        new = rng.normal(size=(8000, m, n))
        target = 0.7 * rng.normal(size=(8000, m, 1))
        test = ((target - new @ w) ** 2).mean((1, 2))
        eq.holds(E=sample_mean, loss=test[None], sigma=0.7, n=n, m=m)


@equation("tasks-test", kind="statistical")
def test_test(eq: Equation) -> None:
    for n, m in ((3, 12), (6, 12)):
        _, test = fits(n, m, 0.7)
        eq.holds(E=sample_mean, loss=test, sigma=0.7, n=n, m=m)
