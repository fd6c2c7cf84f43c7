"""One variance cannot keep signal and gradient of a layer with unequal fans.

F = fan_in Var(w), B = fan_out Var(w); under Xavier (F + B) / 2 = 1.

Glorot and Bengio (2010), equations (10), (11) and (12).
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:gains]
def variance_by_rule(fan_in: float, fan_out: float) -> dict[str, float]:
    """Return Var(w) of one layer under four rules.

    Raises:
        ValueError: If a fan is not positive.

    >>> round(variance_by_rule(512, 64)["Xavier"] * 288, 6)
    1.0
    """
    if fan_in <= 0 or fan_out <= 0:
        raise ValueError(
            f"fans must be positive. Received: {fan_in=}, {fan_out=}"
        )
    return {
        "fan_in": 1 / fan_in,
        "fan_out": 1 / fan_out,
        "Xavier": 2 / (fan_in + fan_out),
        "geometric mean": 1 / math.sqrt(fan_in * fan_out),
    }


def measured_gains(
    fan_in: int, fan_out: int, variance: float, draws: int
) -> np.ndarray:
    """Return F and B of random linear layers, an array of shape (draws, 2).

    >>> gains = measured_gains(50, 50, 1 / 50, 200)
    >>> gains.mean(axis=0).round(1).tolist()
    [1.0, 1.0]
    """
    rng = np.random.default_rng(SEED)
    rows = []
    for _ in range(draws):
        weight = math.sqrt(variance) * rng.standard_normal((fan_out, fan_in))
        h, delta = rng.standard_normal(fan_in), rng.standard_normal(fan_out)
        forward = np.mean((weight @ h) ** 2) / np.mean(h**2)
        backward = np.mean((weight.T @ delta) ** 2) / np.mean(delta**2)
        rows.append((forward, backward))
    return np.array(rows)


# --8<-- [end:gains]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rules = variance_by_rule(512, 64)
    factors = {
        name: [512 * v, 64 * v, 512 * v * 64 * v] for name, v in rules.items()
    }
    gains = measured_gains(512, 64, rules["Xavier"], 300)
    error = gains.std(axis=0, ddof=1) / math.sqrt(len(gains))
    measured = list(zip(gains.mean(axis=0), error, strict=True))
    # --8<-- [end:demo]


# --8<-- [start:plot_ratio]
def plot_ratio() -> Figure:
    """Draw gains and their product against fan_out / fan_in."""
    ratio = np.geomspace(1 / 16, 16, 65)
    rules = [variance_by_rule(1, float(x)) for x in ratio]
    forward = np.array([rule["Xavier"] for rule in rules])
    backward = ratio * forward
    figure, axes = plt.subplots(2, 1, figsize=(5.6, 5.4), sharex=True)
    axes[0].plot(ratio, forward, "C0-", label="forward factor F")
    axes[0].plot(ratio, backward, "C1-.", label="backward factor B")
    mean = (forward + backward) / 2
    axes[0].plot(ratio, mean, "k--", lw=1, label="mean of F and B")
    axes[0].set(ylabel="factor under Xavier", ylim=(0, 2.8))
    for index, name in enumerate(rules[0]):
        product = ratio * np.array([rule[name] for rule in rules]) ** 2
        axes[1].plot(
            ratio,
            product,
            ["-", "-.", "-", ":"][index],
            c=f"C{'0213'[index]}",
            lw=2.5 if name == "Xavier" else 1.5,
            label=name,
        )
    axes[1].set(xscale="log", yscale="log", ylabel="product F·B")
    axes[1].set(xlabel="fan_out / fan_in", ylim=(0.01, 20))
    ticks = {1 / 16: "1/16", 1 / 4: "1/4", 1: "1", 4: "4", 16: "16"}
    axes[1].set_xticks(list(ticks), list(ticks.values()))
    axes[1].minorticks_off()
    axes[0].legend(loc="upper center", ncols=2)
    axes[1].legend(loc="lower center", ncols=2)
    return figure


if __name__ == "__main__":
    plot_ratio()
    plt.show()
# --8<-- [end:plot_ratio]
