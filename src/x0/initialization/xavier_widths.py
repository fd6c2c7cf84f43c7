"""On alternating widths Xavier decays both ways; the fan-in rule does not.

F B = 4 M N / (M + N)² for each pair of layers M -> N -> M

He et al. (2015), section 2.2: the product of the fan-in rule telescopes.
"""

# --8<-- [start:imports]
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:rules]
def layer_variances(widths: Sequence[int], rule: str) -> np.ndarray:
    """Return Var(w) of each layer of a network with the given widths.

    Args:
        widths: Number of inputs, then of the units of each layer.
        rule: "fan_in", "fan_out", "xavier" or "geometric".

    Returns:
        Array of shape (len(widths) - 1,).

    Raises:
        ValueError: If rule is unknown.

    >>> layer_variances([8, 2], "xavier").tolist()
    [0.2]
    """
    fan_in = np.asarray(widths[:-1], dtype=float)
    fan_out = np.asarray(widths[1:], dtype=float)
    rules: dict[str, np.ndarray] = {
        "fan_in": 1 / fan_in,
        "fan_out": 1 / fan_out,
        "xavier": 2 / (fan_in + fan_out),
        "geometric": 1 / np.sqrt(fan_in * fan_out),
    }
    if rule not in rules:
        raise ValueError(
            f"rule must be one of {sorted(rules)}. Received: rule={rule!r}"
        )
    return rules[rule]


def products(widths: Sequence[int], rule: str) -> tuple[float, float]:
    """Return the forward and the backward gain of the whole linear network.

    >>> products([512, 64, 512], "fan_in")
    (1.0, 1.0)
    """
    variance = layer_variances(widths, rule)
    forward = np.prod(np.asarray(widths[:-1]) * variance)
    backward = np.prod(np.asarray(widths[1:]) * variance)
    return float(forward), float(backward)


# --8<-- [end:rules]


# --8<-- [start:chain]
def width_chain(
    widths: Sequence[int],
    rule: str,
    networks: int,
    rng: np.random.Generator,
    backward: bool = False,
) -> np.ndarray:
    """Return the mean square after each layer of random linear networks.

    Given its input h, a Gaussian layer returns independent N(0, q) values
    with q = fan_in Var(w) mean(h²): no weight matrix has to be drawn.

    Args:
        widths: Number of inputs, then of the units of each layer.
        rule: See layer_variances.
        networks: Number of independent networks.
        rng: Source of randomness.
        backward: Send a gradient from the last layer to the input instead.

    Returns:
        Array of shape (networks, len(widths)), in the order of widths.

    >>> rng = np.random.default_rng(0)
    >>> width_chain([512, 64, 512], "xavier", 5, rng).shape
    (5, 3)
    """
    variance = layer_variances(widths, rule)
    path = np.asarray(widths)[::-1] if backward else np.asarray(widths)
    steps = variance[::-1] if backward else variance
    square = np.ones(networks)
    result = [square]
    for source, target, v in zip(path[:-1], path[1:], steps, strict=True):
        noise = rng.chisquare(target, networks) / target
        square = source * v * square * noise
        result.append(square)
    return np.stack(result[::-1] if backward else result, axis=1)


# --8<-- [end:chain]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    widths = [512, 64, 512, 64, 512]
    forward, backward = {}, {}
    print("512-64-512-64-512   forward          backward")
    for rule in ("fan_in", "xavier", "geometric"):
        last = width_chain(widths, rule, 20_000, rng)[:, -1]
        first = width_chain(widths, rule, 20_000, rng, backward=True)[:, 0]
        forward[rule], backward[rule] = (
            (x.mean(), x.std(ddof=1) / len(x) ** 0.5) for x in (last, first)
        )
        pairs = (forward[rule], backward[rule])
        columns = [f"{mean:.4f} ± {error:.4f}" for mean, error in pairs]
        print(f"{rule:18s}", *columns, sep="  ")
    predicted, _ = products(widths, "xavier")

    pyramid = {
        rule: products([784, 512, 256, 128, 64, 10], rule)
        for rule in ("fan_in", "fan_out", "xavier", "geometric")
    }
    print("pyramid 784-512-256-128-64-10")
    for rule, (there, back) in pyramid.items():
        print(f"{rule:18s}  {there:7.3f}          {back:7.4f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_products]
def plot_products() -> Figure:
    """Draw signal and gradient over 20 layers of widths 512, 64, 512, ..."""
    rng = np.random.default_rng(SEED)
    widths = [512, 64] * 10 + [512]
    layer = np.arange(len(widths))
    figure, axes = plt.subplots(2, 1, figsize=(5.6, 6.0), sharex=True)
    names = {"fan_in": "fan_in", "geometric": "geometric mean"}
    names["xavier"] = "Xavier"
    for axis, backward in zip(axes, (False, True), strict=True):
        for index, (rule, name) in enumerate(names.items()):
            gains = layer_variances(widths, rule) * (
                widths[1:] if backward else widths[:-1]
            )
            if backward:
                predicted = np.append(np.cumprod(gains[::-1])[::-1], 1)
            else:
                predicted = np.append(1, np.cumprod(gains))
            measured = width_chain(widths, rule, 20_000, rng, backward)
            color = ("C0", "C3", "C1")[index]
            axis.plot(layer, predicted, "--", c=color, lw=1)
            axis.plot(
                layer,
                measured.mean(axis=0),
                "os^"[index],
                c=color,
                ms=4,
                label=name,
            )
        axis.set(yscale="log", ylim=(3e-5, 30))
    axes[0].set_ylabel("signal, relative to the input")
    axes[1].set_ylabel("gradient, relative to the output")
    axes[1].set_xlabel("layer")
    axes[1].set_xticks(range(0, 21, 2))
    axes[0].legend()
    return figure


if __name__ == "__main__":
    plot_products()
    plt.show()
# --8<-- [end:plot_products]
