"""The slope test for a gradient."""

import math
import re
import subprocess
import sys
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.attention import SDPBackend, sdpa_kernel

from x0.taylor.multivariate_check import check_gradient

Array = NDArray[np.float64]


def problem(
    rng: np.random.Generator, n: int
) -> tuple[Callable[[Array], float], Callable[[Array], Array]]:
    a, b = rng.normal(size=(n, n)), rng.normal(size=n)

    def f(x: Array) -> float:
        return float(np.tanh(a @ x).sum() + np.exp(0.3 * b @ x) + x @ x)

    def g(x: Array) -> Array:
        slope: Array = a.T @ (1 - np.tanh(a @ x) ** 2) + 0.3 * b * np.exp(0.3 * b @ x) + 2 * x
        return slope

    return f, g


@pytest.mark.proves(
    "multivariate-slope-finds",
    kind="search",
    range="200 functions, n = 1…8; one entry off by 1e-4…1",
)
def test_a_right_gradient_has_slope_two_and_a_wrong_one_has_one() -> None:
    """A right gradient gives at least 1.9, one entry off by 1e-4 or more gives at most 1.5."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = int(rng.integers(1, 9))
        f, g = problem(rng, n)
        x = rng.normal(size=n)
        assert check_gradient(f, g, x) > 1.9
        k, part = int(rng.integers(n)), float(10 ** rng.uniform(-4, 0))
        off = np.zeros(n)
        off[k] = part * np.linalg.norm(g(x))
        assert check_gradient(f, lambda y, g=g, off=off: g(y) + off, x) < 1.5  # type: ignore[misc]


def test_a_linear_function_has_no_slope_to_measure() -> None:
    c = np.array([1.0, -2.0])
    assert check_gradient(lambda x: float(c @ x), lambda x: c, np.ones(2)) == math.inf
    assert check_gradient(lambda x: float(c @ x), lambda x: 2 * c, np.ones(2)) == pytest.approx(
        1, abs=1e-3
    )


@pytest.mark.proves("multivariate-slope-kink", kind="call")
def test_a_kink_looks_like_a_mistake() -> None:
    """At the kink of ReLU the test reports slope 1 for each gradient tried: like a mistake."""
    for slope in (0.0, 0.5, 1.0):
        found = check_gradient(
            lambda x: float(np.maximum(x, 0).sum()),
            lambda x, s=slope: s * np.ones_like(x),
            np.zeros(1),
        )  # type: ignore[misc]
        assert found == pytest.approx(1)


def test_the_shape_must_fit() -> None:
    with pytest.raises(ValueError, match="shape"):
        check_gradient(lambda x: float(x @ x), lambda x: 2 * x[:1], np.ones(2))


def test_the_demo(values: Callable[[str], Any]) -> None:
    shown = values("multivariate_check")
    assert shown["right"] == pytest.approx(2, abs=0.05)
    assert shown["wrong"] == pytest.approx(1, abs=0.05)


def f(x: torch.Tensor) -> torch.Tensor:
    return (torch.sin(x) * x).sum()


@pytest.fixture
def calls(table: Callable[[str, str], list[list[str]]]) -> list[str]:
    rows = table("taylor/multivariate", "frameworks")
    return [call for row in rows for call in re.findall("`([^`]+)`", row[0])]


@pytest.mark.proves(
    "multivariate-calls", kind="call", range="a function of two numbers", tolerance="10⁻¹²"
)
@pytest.mark.filterwarnings("ignore:.*jit.script:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*backward.. with create_graph:UserWarning")
def test_the_calls_of_the_table_do_what_it_says(calls: list[str]) -> None:
    """The PyTorch calls of the table give the derivatives that their rows name, and the warnings."""
    x = torch.tensor([0.3, -1.2], dtype=torch.float64, requires_grad=True)
    v = torch.tensor([1.0, 2.0], dtype=torch.float64)
    second = torch.diag(2 * x.cos() - x * x.sin()).detach()
    first = (x.sin() + x * x.cos()).detach()
    expected = {
        "torch.func.grad(f)": lambda g: (g(x), first),
        "torch.func.jacrev(torch.func.grad(f))": lambda g: (g(x), second),
        "torch.func.jvp(torch.func.grad(f), (x,), (v,))[1]": lambda g: (g, second @ v),
        "torch.func.hessian(f)": lambda g: (g(x), second),
        "torch.autograd.gradcheck(f, (x,))": lambda g: (torch.tensor(g), torch.tensor(True)),
        "torch.autograd.functional.hvp(f, x, v)[1]": lambda g: (g, second @ v),
        "torch.autograd.grad(loss, p, create_graph=True)": lambda g: (g[0], first),
        "loss.backward(create_graph=True)": lambda _: (x.grad, first),
    }
    names = {"torch": torch, "f": f, "x": x, "v": v, "p": x}
    for call, check in expected.items():
        assert calls.count(call) == 2  # one for each language
        found = check(eval(call, names | {"loss": f(x)}))
        torch.testing.assert_close(*found, rtol=1e-12, atol=0)
    single = x.detach().float().requires_grad_()
    with pytest.warns(UserWarning, match="double precision"), pytest.raises(RuntimeError):
        torch.autograd.gradcheck(f, (single,))


@pytest.mark.proves("multivariate-cycle", kind="call", effect="freed, not freed")
def test_backward_with_create_graph_warns_and_keeps_the_parameter() -> None:
    """loss.backward(create_graph=True) warns and its cycle keeps the parameter; grad does neither."""

    def kept(backward: bool) -> bool:
        p = torch.nn.Parameter(torch.ones(3))
        loss, alive = (p**3).sum(), weakref.ref(p)
        if backward:
            with pytest.warns(UserWarning, match="reference cycle"):
                loss.backward(create_graph=True)
        else:
            torch.autograd.grad(loss, p, create_graph=True)
        del p, loss
        return alive() is not None

    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)  # not only once in a process
    try:
        assert kept(True)
    finally:
        torch.set_warn_always(always)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not kept(False)


@pytest.mark.proves("multivariate-forward", kind="call", range="jvp, hessian")
@pytest.mark.parametrize("call", ["jvp(torch.func.grad(f), (x,), (v,))", "hessian(f)(x)"])
def test_forward_mode_warns_where_warnings_are_errors(call: str) -> None:
    """jvp and hessian warn at first use in a process; plain python does not show it."""
    program = f"import torch; f = lambda x: x.sin().sum(); x = v = torch.ones(2); torch.func.{call}"
    for option in (["-c"], ["-W", "error::DeprecationWarning", "-c"]):
        run = subprocess.run(
            [sys.executable, *option, program], capture_output=True, text=True, check=False
        )
        assert ("DeprecationWarning" in run.stderr) == (len(option) > 1)


@pytest.mark.proves(
    "multivariate-fused", kind="call", range="dropout 0 and 0.1, with and without weights"
)
def test_fused_attention_has_no_second_derivative(calls: list[str]) -> None:
    """On the CPU attention of four axes is fused without dropout and weights; MATH has the second derivative."""
    q = torch.randn(2, 2, 5, 4, requires_grad=True)
    x = torch.randn(5, 2, 8)
    names = {"F": torch.nn.functional, "nn": torch.nn, "q": q}
    call, heads = "F.scaled_dot_product_attention(q, q, q)", "nn.MultiheadAttention(8, 2)"
    assert calls.count(call) == calls.count(heads) == 2

    def twice(output: torch.Tensor, start: torch.Tensor) -> bool:
        (first,) = torch.autograd.grad(output.square().sum(), start, create_graph=True)
        try:
            torch.autograd.grad(first.square().sum(), start)
        except RuntimeError as error:
            return "not implemented" not in str(error)
        return True

    layer = eval(heads, names)
    weight = layer.in_proj_weight
    assert not twice(eval(call, names), q)
    assert twice(eval(call, names | {"q": q[0]}), q)  # three axes
    assert not twice(layer(x, x, x, need_weights=False)[0], weight)
    assert twice(layer(x, x, x)[0], weight)
    assert twice(torch.nn.functional.scaled_dot_product_attention(q, q, q, dropout_p=0.1), q)
    with sdpa_kernel(SDPBackend.MATH):
        assert twice(eval(call, names), q)
        assert twice(layer(x, x, x, need_weights=False)[0], weight)
