"""Checks of snippets/equations/learning-rate.tex."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from x0_equations.check import Equation, equation
from x0_equations.values import Indexed, Matrix, discrete

CASES = ((0.3, 2.0), (0.7, 1.5), (0.9, 1.9))


def iterates(rate: float, curvature: float, steps: int) -> dict[int, float]:
    """Return the error by step under torch's SGD on curvature · e² / 2."""
    weight = torch.nn.Parameter(torch.tensor(1.3, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=rate)
    found = {0: 1.3}
    for t in range(1, steps + 1):
        optimizer.zero_grad()
        (curvature * weight**2 / 2).backward()
        optimizer.step()
        found[t] = weight.item()
    return found


@equation("learning-rate-mode", kind="numerical")
def test_mode(eq: Equation) -> None:
    for eta, curvature in CASES:
        e = iterates(eta, curvature, 5)
        for t in (0, 3):
            eq.holds(t=t, e=e, eta=eta, **{"lambda": curvature})


@equation("learning-rate-power", kind="numerical", tolerance="relative 1e-9")
def test_power(eq: Equation) -> None:
    for eta, curvature in CASES:
        e = iterates(eta, curvature, 7)
        for t in (1, 4, 7):
            eq.holds(t=t, e=e, eta=eta, **{"lambda": curvature})


@equation("learning-rate-stable", kind="numerical")
def test_stable(eq: Equation) -> None:
    for curvature in (0.4, 2.0):
        eq.equivalent("eta", (-3.0, 8.0), **{"lambda": curvature})


@equation(
    "learning-rate-limit",
    kind="numerical",
    survivors="the smaller eigenvalue never decides",
)
def test_limit(eq: Equation) -> None:
    for low, high in ((0.2, 1.0), (1.0, 3.0)):
        eq.equivalent("eta", (-1.0, 4.0), lambda_min=low, lambda_max=high)


@equation("learning-rate-equal", kind="numerical")
def test_equal(eq: Equation) -> None:
    for low, high in ((0.2, 1.0), (1.0, 3.0)):
        eq.equivalent("eta", (0.1, 4.0), lambda_min=low, lambda_max=high)


@equation("learning-rate-best", kind="numerical", tolerance="relative 1e-6")
def test_best(eq: Equation) -> None:
    """η minimizes the larger of the two factors, numerically."""
    for low, high in ((0.2, 1.0), (1.0, 3.0)):

        def worst(eta: float, low: float = low, high: float = high) -> float:
            return max(abs(1 - eta * low), abs(1 - eta * high))

        eta = minimize_scalar(worst, (0, 1 / high, 2 / high), tol=1e-12).x
        eq.holds(eta=eta, lambda_min=low, kappa=high / low)


@equation("learning-rate-descent", kind="numerical")
def test_descent(eq: Equation) -> None:
    """Quadratics, whose steepest direction reaches the bound, and ln cosh, with L = 1."""
    for eta in (0.1, 0.4, 0.7):
        for start in ((1.0, 0.0), (0.3, -2.0)):
            curvature, x = np.array([3.0, 0.5]), np.array(start)
            g = curvature * x
            before, after = (float(curvature @ y**2 / 2) for y in (x, x - eta * g))
            tight = start[1] == 0.0
            eq.holds(eta=eta, L=3.0, loss_0=before, loss_1=after, g=Matrix(g), tight=tight)
        x = np.array([0.8, -1.7])
        g = np.tanh(x)
        before, after = (float(np.log(np.cosh(y)).sum()) for y in (x, x - eta * g))
        eq.holds(eta=eta, L=1.0, loss_0=before, loss_1=after, g=Matrix(g))


def noisy_step(eta: float, curvature: float, sigma: float) -> dict[str, object]:
    """Return e before and after a step, over all pairs of an error and a noise."""
    errors, noises = np.array([-1.0, 0.5, 2.0]), np.array([-1.0, 1.0, 3.0, -3.0]) * sigma / 5**0.5
    e, xi = (a.ravel() for a in np.meshgrid(errors, noises))
    both, mean = discrete(np.stack([e, xi]), np.full(e.size, 1 / e.size))
    before, noise = both[0]
    return {
        "e": {1: before[None], 2: (before - eta * (curvature * before + noise))[None]},
        "E": mean,
    }


@equation("learning-rate-noise", kind="numerical")
def test_noise(eq: Equation) -> None:
    for eta, curvature in CASES:
        bound = noisy_step(eta, curvature, 0.7)
        eq.holds(t=1, eta=eta, sigma=0.7, **bound, **{"lambda": curvature})


@equation("learning-rate-fixed", kind="numerical")
def test_fixed(eq: Equation) -> None:
    for eta, curvature in CASES:
        eq.equivalent("V", (0.0, 30.0), eta=eta, sigma=0.7, **{"lambda": curvature})


@equation("learning-rate-floor", kind="numerical", tolerance="relative 1e-9")
def test_floor(eq: Equation) -> None:
    """The weights of all earlier noises, squared and summed."""
    for eta, curvature in CASES:
        weights = eta * (1 - eta * curvature) ** np.arange(2000.0)
        eq.holds(V=0.49 * float(weights @ weights), eta=eta, sigma=0.7, **{"lambda": curvature})


def decayed(curvature: float, noises: np.ndarray) -> dict[int, np.ndarray]:
    """Return e before each step of SGD with the rate 1 / (λ t), for noises of shape (steps, N)."""
    e = {1: np.full(noises.shape[1:], 1.7)}
    for t, xi in enumerate(noises, 1):
        e[t + 1] = e[t] - (curvature * e[t] + xi) / (curvature * t)
    return e


def drawn(steps: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(steps)


@equation("learning-rate-average", kind="numerical", tolerance="relative 1e-9")
def test_average(eq: Equation) -> None:
    for curvature in (0.5, 2.0):
        xi = drawn(6)
        e = {t: float(x[0]) for t, x in decayed(curvature, xi[:, None]).items()}
        for t in (1, 2, 6):
            noise = {k: float(x) for k, x in enumerate(xi, 1)}
            eq.holds(t=t, e=e, xi=noise, **{"lambda": curvature})


@equation("learning-rate-mean", kind="numerical", tolerance="relative 1e-9")
def test_mean(eq: Equation) -> None:
    for curvature in (0.5, 2.0):
        xi = drawn(6)
        e = {t: float(x[0]) for t, x in decayed(curvature, xi[:, None]).items()}
        for last in (1, 4, 6):
            noise = {k: float(x) for k, x in enumerate(xi, 1)}
            eq.holds(T=last, e=e, xi=noise, **{"lambda": curvature})


@equation("learning-rate-decay", kind="numerical", tolerance="relative 1e-9")
def test_decay(eq: Equation) -> None:
    """All sequences of signs: an expectation without an error."""
    for curvature, sigma in ((0.5, 0.7), (2.0, 1.2)):
        for last in (1, 4, 7):
            signs = 1.0 - 2.0 * (np.arange(2**last) >> np.arange(last)[:, None] & 1)
            e = decayed(curvature, sigma * signs)
            value, mean = discrete(e[last + 1], np.full(2**last, 2.0**-last))
            eq.holds(T=last, sigma=sigma, e={last + 1: value}, E=mean, **{"lambda": curvature})


@equation("learning-rate-forget", kind="numerical")
def test_forget(eq: Equation) -> None:
    """Reached as the rates go to zero."""
    for size in (1e-4, 0.1, 0.4):
        for last in (3, 8):
            rate = Indexed(lambda t, size=size: size / t**0.5)
            eq.holds(T=last, eta=rate, tight=size < 1e-3, **{"lambda": 2.0})


@equation("learning-rate-conditions", kind="numerical", parsed=False)
def test_conditions(eq: Equation) -> None:
    """1/t has both; a constant lacks the second, 1/t² the first: partial sums to 10⁶ decide."""
    eq.states(r"\sum_{t=1}^{\infty} \eta_t = \infty, \quad \sum_{t=1}^{\infty} \eta_t^2 < \infty")
    t = np.arange(1.0, 1e6 + 1)

    def grows(terms: np.ndarray) -> bool:
        sums = np.cumsum(terms)
        return bool(sums[-1] - sums[10**5 - 1] > 0.5 * (sums[10**5 - 1] - sums[10**4 - 1]))

    assert [grows(r) for r in (1 / t, np.ones_like(t), t**-2.0)] == [True, True, False]
    assert [grows(r**2) for r in (1 / t, np.ones_like(t), t**-2.0)] == [False, True, False]
    # and what follows: e² after many steps with noise of variance 1, from e = 1
    ends = []
    for rates in (1 / t[:4000], 0.1 + 0 * t[:4000], 0.5 * t[:4000] ** -2.0):
        second_moment = 1.0
        for rate in rates:
            second_moment = (1 - rate) ** 2 * second_moment + rate**2
        ends.append(second_moment)
    assert ends[0] < 1e-3
    assert min(ends[1:]) > 0.05


@equation("learning-rate-averaged", kind="numerical", tolerance="relative 1e-9")
def test_averaged(eq: Equation) -> None:
    for eta, curvature in ((0.3, 2.0), (0.7, 0.5)):
        xi = drawn(6)
        e = {1: 1.7}
        for t, noise in enumerate(xi, 1):
            e[t + 1] = e[t] - eta * (curvature * e[t] + float(noise))
        for last in (1, 4, 6):
            noises = {k: float(x) for k, x in enumerate(xi, 1)}
            eq.holds(T=last, eta=eta, e=e, xi=noises, **{"lambda": curvature})


def torch_factors(last: int, floor: float) -> dict[int, float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, last, eta_min=floor)
    found = {}
    for t in range(last + 1):
        found[t] = float(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


@equation("learning-rate-cosine", kind="numerical", tolerance="relative 1e-9")
def test_cosine(eq: Equation) -> None:
    for last, floor in ((10, 0.1), (7, 0.3)):
        for t in (0, 3, 6, last):
            eq.holds(t=t, T=last, r=torch_factors(last, floor))


@equation("learning-rate-factor", kind="numerical", tolerance="relative 1e-9")
def test_factor(eq: Equation) -> None:
    for last in (4, 9):
        eq.holds(T=last, r=torch_factors(last, 0.0))
    assert math.isclose(sum(torch_factors(9, 0.0).values()), 5.0)
