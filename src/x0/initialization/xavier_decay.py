"""With tanh, a Xavier network shrinks like 1 / (2 l), not exponentially.

E[tanh(z)²] = q - 2 q² + 17/3 q³ - ..., hence q_l ~ 1 / (2 l).

Glorot and Bengio (2010) assume the linear part of tanh; this is the next term.
"""

# --8<-- [start:imports]
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:map]
def tanh_moments(q: float) -> tuple[float, float]:
    """Return E[tanh(z)²] and E[tanh'(z)²] for z ~ N(0, q), by quadrature.

    Args:
        q: Variance of z; accurate to ten digits up to 25.

    Raises:
        ValueError: If q is negative or infinite.

    >>> [round(x, 6) for x in tanh_moments(1.0)]
    [0.394294, 0.464403]
    """
    if not 0 <= q < np.inf:
        raise ValueError(f"q must not be negative. Received: q={q}")
    z = np.linspace(-10, 10, 401)  # trapezoids: exact to rounding here
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    squared = np.tanh(np.sqrt(q) * z) ** 2
    return float(weight @ squared), float(weight @ (1 - squared) ** 2)


def decay_map(depth: int, q: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Iterate q -> E[tanh(z)²], the infinitely wide network with n v = 1.

    Args:
        depth: Number of layers.
        q: Second moment of the pre-activations of layer 1.

    Returns:
        q_l and the gradient factor chi_l = E[tanh'(z_l)²], l = 1 to depth.

    >>> q, chi = decay_map(100)
    >>> round(float(q[99] * 200), 2)
    1.02
    """
    moments, factors = [], []
    for _ in range(depth):
        moments.append(q)
        q, chi = tanh_moments(q)
        factors.append(chi)
    return np.array(moments), np.array(factors)


# --8<-- [end:map]


# --8<-- [start:network]
def tanh_network(
    depth: int, width: int, networks: int, batch: int
) -> dict[str, np.ndarray]:
    """Measure real tanh networks with Var(w) = 1 / width.

    Args:
        depth: Number of layers.
        width: Units per layer, also the number of inputs.
        networks: Number of independent networks.
        batch: Pairs (input, output gradient) per network, all independent.

    Returns:
        Arrays of shape (networks, depth): "q" of the pre-activations,
        "delta" of their gradients and "weight" of the weight gradients of
        single samples, both relative to "delta" of the last layer.

    >>> tanh_network(3, 50, 2, 4)["q"].shape
    (2, 3)
    """
    rng = np.random.default_rng(SEED)
    result: dict[str, list[np.ndarray]] = {"q": [], "delta": [], "weight": []}
    for _ in range(networks):
        std = np.float32(width**-0.5)
        size = (depth, width, width)
        weights = std * rng.standard_normal(size, dtype=np.float32)
        h = [rng.standard_normal((batch, width), dtype=np.float32)]
        q = []
        for weight in weights:
            z = h[-1] @ weight.T
            q.append(np.mean(z**2))
            h.append(np.tanh(z))
        delta = rng.standard_normal((batch, width), dtype=np.float32)
        d, g = [], []
        for layer in range(depth, 0, -1):
            squares = np.mean(delta**2, axis=1)
            d.append(squares.mean())
            g.append(np.mean(squares * np.mean(h[layer - 1] ** 2, axis=1)))
            delta = (delta @ weights[layer - 1]) * (1 - h[layer - 1] ** 2)
        result["q"].append(np.array(q))
        result["delta"].append(np.array(d[::-1]) / d[0])
        result["weight"].append(np.array(g[::-1]) / d[0])
    return {name: np.stack(rows) for name, rows in result.items()}


# --8<-- [end:network]


if __name__ == "__main__":
    # --8<-- [start:demo]
    q, chi = decay_map(1000)
    scaled = {layer: 2 * layer * q[layer - 1] for layer in (10, 100, 1000)}
    for layer, x in scaled.items():
        print(f"layer {layer:4d}: q = {q[layer - 1]:.6f}, 2 l q = {x:.3f}")
    constant = 1000 * np.prod(chi[:-1])
    print(f"gradient factor from layer 1000 to 1, times 1000: {constant:.3f}")

    network = tanh_network(30, 512, 8, 32)
    ends = {"q": network["q"][:, -1], "delta": network["delta"][:, 0]}
    theory = {"q": q[29], "delta": np.prod(chi[:29])}
    measured = {}
    for name, x in ends.items():
        measured[name] = (x.mean(), x.std(ddof=1) / len(x) ** 0.5)
        print(f"30 layers, {name:5s}: measured {x.mean():.3f}, ", end="")
        print(f"map {theory[name]:.4f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_depth]
def plot_depth() -> Figure:
    """Draw the decay of the signal and of the gradients with depth."""
    depth = 50
    q, chi = decay_map(1000)
    network = tanh_network(depth, 512, 6, 32)
    figure, axes = plt.subplots(2, 1, figsize=(5.6, 6.0))
    layer = np.arange(1, 1001)
    axes[0].plot(layer, q, "k--", lw=1, label="predicted")
    axes[0].plot(layer, 1 / (2 * layer), "C1:", label="1 / (2 l)")
    shown = np.unique(np.geomspace(1, depth, 14).astype(int)) - 1
    mean = network["q"].mean(axis=0)
    axes[0].plot(shown + 1, mean[shown], "C0o", ms=4, label="measured")
    axes[0].set(xscale="log", yscale="log", xlabel="layer")
    axes[0].set_ylabel("second moment q")
    axes[0].legend()
    layer = layer[:depth]
    below = np.cumprod(np.append(1, chi[: depth - 1]))  # chi_1 ... chi_(l-1)
    delta = below[-1] / below
    axes[1].plot(layer, delta, "k--", lw=1)
    axes[1].plot(layer, delta * q[:depth], "k--", lw=1)
    for index, (name, label) in enumerate(
        {"delta": "gradient in z", "weight": "gradient in W"}.items()
    ):
        mean = network[name].mean(axis=0)
        color = f"C{index + 1}"
        axes[1].plot(layer, mean, "o^"[index], ms=4, color=color)
        axes[1].text(25, (0.25, 0.013)[index], label, color=color)
    axes[1].set(yscale="log", xlabel="layer", ylabel="relative second moment")
    return figure


if __name__ == "__main__":
    plot_depth()
    plt.show()
# --8<-- [end:plot_depth]
