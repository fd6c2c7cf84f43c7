"""Ensembles of small random networks: what the symbols of the initialization laws are defined by.

Either every network with weights ±σ is built, so that an expectation is a finite mean without any
error, or Gaussian weights are drawn, and the expectation is estimated with its error. Gradients
come from PyTorch's automatic differentiation of loss = Σ r_i z_{D,i} (or r_i h_{D,i}) with a random r that
is independent of all weights; nothing here uses a law of propagation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
import torch

from x0_equations.values import (
    Derivatives,
    Function,
    Indexed,
    Smooth,
    bent,
    relu,
    sample_mean,
)

Layer = Callable[[torch.Tensor], torch.Tensor]
ACTIVATIONS: dict[str, tuple[Layer, Function]] = {
    "linear": (lambda z: z, Function(lambda z: z, np.ones_like)),
    "tanh": (torch.tanh, Smooth(sp.tanh)),
    "relu": (torch.relu, relu),
    "leaky": (lambda z: torch.where(z > 0, z, 0.25 * z), bent(0.25)),
    "bent": (lambda z: torch.where(z > 0, 1.5 * z, -0.5 * z), bent(-0.5, 1.5)),
    "abs": (torch.abs, Function(np.abs, np.sign)),
    # Not odd, with every derivative at 0 present: nothing vanishes by accident.
    "skew": (lambda z: torch.exp(z) - 1 - z**3, Smooth(lambda z: sp.exp(z) - 1 - z**3)),
}


@dataclass(frozen=True)
class Network:
    """An ensemble; layers and units are counted from 1, layer 0 is the input.

    Attributes:
        E: The expectation over networks and inputs.
        n: Widths, `n[l]`.
        v: Variances of the weights, `v[l]`.
        phi: The activation with its derivative.
        z: Pre-activations, `z[l, i]`; also h (activations), w (`w[l, i, j]`), delta (∂loss/∂z).
        u: ∂loss/∂h, from layer 0.
        q: Mean second moment of z over a layer's units, `q[l]`; p of h, d of delta, c of u, G of
            ∂loss/∂w. At the input d is c: there is no activation.
        hat_q: Mean of z² over the units of one network's layer; at the input of h².
        loss: `loss.partial("w", l, i, j)`, `loss.partial("z", l, i)`.
    """

    E: Callable[[Any], Any]
    n: Indexed
    v: Indexed
    phi: Function
    z: Indexed
    h: Indexed
    w: Indexed
    delta: Indexed
    u: Indexed
    hat_q: Indexed
    q: Indexed
    p: Indexed
    d: Indexed
    c: Indexed
    G: Indexed
    loss: Derivatives

    def bind(self, *names: str) -> dict[str, Any]:
        """Return the bindings of some symbols: `eq.holds(l=2, **net.bind("q", "n", "v", "p"))`."""
        return {name: getattr(self, name) for name in names}

    def weights(self, layer: int) -> Indexed:
        """Return the weights of one layer, for equations that write `w_{ij}` without its layer."""
        return Indexed(lambda *units: self.w[(layer, *units)])


def _mean(values: Any) -> Any:
    return np.asarray(values, dtype=float).mean(-1, keepdims=True)


def _signs(count: int) -> torch.Tensor:
    """Return every pattern of ±1, shape (2^count, count)."""
    bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    return torch.from_numpy(2.0 * bits - 1.0)


@cache
def network(
    sizes: tuple[int, ...],
    activation: str = "linear",
    variances: tuple[float, ...] = (),
    *,
    scale: float = 1.0,
    inputs: int = 1,
    samples: int = 0,
    seed: int = 0,
    head: str = "z",
) -> Network:
    """Return an ensemble of networks of one shape.

    Args:
        sizes: Widths from the input to the last layer.
        activation: A key of ACTIVATIONS.
        variances: Of the weights of layers 1, 2, …; generic ones by default.
        scale: The root mean square of the input, if it is the only one.
        inputs: The number of equally likely inputs, with correlated features.
        samples: The number of networks with Gaussian weights; 0 builds every network of ±σ.
        seed: Of the inputs and the weights.
        head: Whether the loss reads the last z or the last h.
    """
    depth = len(sizes) - 1
    rng = np.random.default_rng(seed)
    variances = variances or tuple(0.3 + 0.25 * k for k in range(1, depth + 1))
    x = torch.from_numpy(scale * (rng.standard_normal((inputs, sizes[0])) + 0.5))
    if inputs == 1:
        x *= scale / (x**2).mean() ** 0.5
    counts = [a * b for a, b in zip(sizes[1:], sizes, strict=False)] + [sizes[-1]]
    if samples:
        generator = torch.Generator().manual_seed(seed)
        draws = torch.randn(samples, sum(counts), generator=generator, dtype=torch.float64)
        x = x.repeat(samples // inputs, 1)
    else:
        draws = _signs(sum(counts)).repeat_interleave(inputs, 0)
        x = x.repeat(len(draws) // inputs, 1)
    parts = torch.split(draws, counts, dim=1)
    weights = [
        (part * variance**0.5).reshape(-1, rows, columns).requires_grad_()
        for part, variance, rows, columns in zip(
            parts[:-1], variances, sizes[1:], sizes, strict=False
        )
    ]
    layer, phi = ACTIVATIONS[activation]
    hidden, pre_activations = [x.requires_grad_()], []
    for weight in weights:
        z = torch.einsum("nij,nj->ni", weight, hidden[-1])
        z.retain_grad()
        pre_activations.append(z)
        hidden.append(layer(z))
        hidden[-1].retain_grad()
    output = {"z": pre_activations, "h": hidden}[head][-1]
    (1.3 * parts[-1] * output).sum().backward()  # type: ignore[no-untyped-call]

    def numpy(tensor: torch.Tensor | None) -> Any:
        """Move the networks to the last axis."""
        assert tensor is not None
        return np.ascontiguousarray(np.moveaxis(tensor.detach().numpy(), 0, -1))

    z_all = {k: numpy(z) for k, z in enumerate(pre_activations, 1)}
    h_all = {k: numpy(h) for k, h in enumerate(hidden)}
    w_all = {k: numpy(w) for k, w in enumerate(weights, 1)}
    delta_all = {k: numpy(z.grad) for k, z in enumerate(pre_activations, 1)}
    u_all = {k: numpy(h.grad) for k, h in enumerate(hidden) if h.grad is not None}
    grad_all = {k: numpy(w.grad) for k, w in enumerate(weights, 1)}
    mean = sample_mean if samples else _mean

    def unit(values: dict[int, Any]) -> Indexed:
        return Indexed(lambda k, *units: values[k][tuple(_from_one(i) for i in units)][None])

    def moment(values: dict[int, Any]) -> Indexed:
        squares: dict[int, Any] = {}

        def value(k: int) -> Any:
            if k not in squares:
                flat = values[k].reshape(-1, values[k].shape[-1])
                squares[k] = mean((flat**2).mean(0)[None])
            return squares[k]

        return Indexed(value)

    gradients = {"w": unit(grad_all), "z": unit(delta_all)}
    return Network(
        E=mean,
        n=Indexed(dict(enumerate(sizes)).__getitem__),
        v=Indexed(dict(enumerate(variances, 1)).__getitem__),
        phi=phi,
        z=unit(z_all),
        h=unit(h_all),
        w=unit(w_all),
        delta=unit(delta_all),
        q=moment(z_all),
        u=unit(u_all),
        hat_q=Indexed(lambda k: ({0: h_all[0], **z_all}[k] ** 2).mean(0)[None]),
        p=moment(h_all),
        d=moment({0: u_all[0], **delta_all}),
        c=moment(u_all),
        G=moment(grad_all),
        loss=Derivatives(lambda name, *index: gradients[name][index]),
    )


def _from_one(index: int) -> int:
    """Turn an index that counts from 1 into one that counts from 0."""
    if index < 1:
        raise IndexError("units are counted from 1")
    return index - 1
