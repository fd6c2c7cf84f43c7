"""Forward pass, reverse mode and update are three separate computations.

delta_{l-1} = (W_l^T delta_l) * phi'(z_{l-1}),  dloss/dW_l = delta_l h_{l-1}^T

Rumelhart, Hinton and Williams (1986).
"""

# --8<-- [start:imports]
import itertools

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]
Layers = list[tuple[Array, Array]]
SEED = 0
# --8<-- [end:imports]


# --8<-- [start:passes]
def forward_pass(layers: Layers, x: Array) -> tuple[Array, list[Array]]:
    """Compute the output of a tanh network, and keep what comes in.

    Args:
        layers: (W, b) of each layer, shapes (n_out, n_in) and (n_out,).
        x: inputs, shape (m, n_0).

    Returns:
        Output, shape (m, n_D), and the input of each layer.
    """
    inputs, h = [], x
    for weight, bias in layers[:-1]:
        inputs.append(h)
        h = np.tanh(h @ weight.T + bias)
    weight, bias = layers[-1]
    return h @ weight.T + bias, [*inputs, h]


def reverse_pass(layers: Layers, inputs: list[Array], delta: Array) -> Layers:
    """Compute the gradient of every parameter from that of the output.

    Args:
        layers: (W, b) of each layer; they are read, not changed.
        inputs: what forward_pass kept.
        delta: gradient of the loss in the output, finite, shape (m, n_D).

    Raises:
        ValueError: inputs and layers differ in number, or delta has another
            shape or is not finite.
    """
    if len(inputs) != len(layers):
        sizes = f"{len(inputs)} inputs, {len(layers)} layers"
        raise ValueError(f"Expected one input per layer. Received: {sizes}")
    shape = (len(inputs[0]), len(layers[-1][1]))
    if delta.shape != shape or not np.isfinite(delta).all():
        raise ValueError(f"Expected finite {shape}. Received: {delta.shape}")
    gradients: Layers = []
    for (weight, _), h in zip(layers[::-1], inputs[::-1], strict=True):
        gradients.append((delta.T @ h, delta.sum(0)))
        delta = (delta @ weight) * (1 - h**2)  # tanh' = 1 - tanh^2
    return gradients[::-1]


def update_parameters_(layers: Layers, gradients: Layers, rate: float) -> None:
    """Take one step of gradient descent, in place.

    Raises:
        ValueError: the rate is not finite.

    >>> layers = [(np.ones((1, 1)), np.zeros(1))]
    >>> update_parameters_(layers, [(np.ones((1, 1)), np.ones(1))], 0.5)
    >>> layers[0][0].item(), layers[0][1].item()
    (0.5, -0.5)
    """
    if not np.isfinite(rate):
        raise ValueError(f"The rate must be finite. Received: {rate}")
    for layer, gradient in zip(layers, gradients, strict=True):
        for parameter, slope in zip(layer, gradient, strict=True):
            parameter -= rate * slope


# --8<-- [end:passes]


# --8<-- [start:oracle]
def random_layers(widths: tuple[int, ...], rng: np.random.Generator) -> Layers:
    """Draw weights from N(0, 1 / n_in); biases are zero.

    >>> w, b = random_layers((3, 2), np.random.default_rng(0))[0]
    >>> w.shape, b.shape
    ((2, 3), (2,))
    """
    return [
        (rng.normal(0, n**-0.5, (m, n)), np.zeros(m))
        for n, m in itertools.pairwise(widths)
    ]


def flatten(layers: Layers) -> Array:
    """Return a copy of all parameters as one vector.

    >>> flatten([(np.ones((1, 2)), np.zeros(1))])
    array([1., 1., 0.])
    """
    return np.concatenate([p.ravel() for layer in layers for p in layer])


def autograd_gradients(layers: Layers, x: Array, y: Array) -> list[Array]:
    """Return PyTorch's gradients of |output - y|^2 / 2m, x not empty."""
    flat = [torch.tensor(p, requires_grad=True) for lay in layers for p in lay]
    h = torch.from_numpy(x.astype(np.float64))
    for i in range(0, len(flat), 2):
        z = h @ flat[i].T + flat[i + 1]
        h = z.tanh()
    target = torch.from_numpy(y.astype(np.float64))
    loss = (z - target).square().sum() / (2 * len(x))
    return [g.numpy() for g in torch.autograd.grad(loss, flat)]


# --8<-- [end:oracle]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    layers = random_layers((5, 16, 16, 3), rng)
    x, y = rng.normal(size=(32, 5)), rng.normal(size=(32, 3))
    start = flatten(layers)

    output, inputs = forward_pass(layers, x)
    print("forward  changed a parameter:", (flatten(layers) != start).any())
    gradients = reverse_pass(layers, inputs, (output - y) / len(x))
    print("backward changed a parameter:", (flatten(layers) != start).any())
    oracle = np.concatenate(
        [g.ravel() for g in autograd_gradients(layers, x, y)]
    )
    gap = abs(flatten(gradients) - oracle).max()
    print("equal to autograd:", gap < 1e-14)
    update_parameters_(layers, gradients, 0.1)
    print("update   changed a parameter:", (flatten(layers) != start).any())

    before = ((output - y) ** 2).sum() / (2 * len(x))
    output, _ = forward_pass(layers, x)
    after = ((output - y) ** 2).sum() / (2 * len(x))
    print(f"loss {before:.2f} -> {after:.2f}")
    # --8<-- [end:demo]
