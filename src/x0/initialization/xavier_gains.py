"""One variance cannot keep both the signal and the gradient of a layer.

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


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the gains of a layer with 512 inputs and 64 outputs."""
    values: dict[str, float | tuple[float, float]] = {}
    print("512 -> 64          F      B      F·B")
    for name, variance in variance_by_rule(512, 64).items():
        forward, backward = 512 * variance, 64 * variance
        product = forward * backward
        print(f"{name:15s} {forward:5.3f}  {backward:5.3f}  {product:5.3f}")
    variance = variance_by_rule(512, 64)["Xavier"]
    gains = measured_gains(512, 64, variance, 300)
    mean = gains.mean(axis=0)
    error = gains.std(axis=0, ddof=1) / math.sqrt(len(gains))
    print(f"Xavier measured {mean[0]:.2f}   {mean[1]:.2f}")
    values["forward"], values["backward"] = 512 * variance, 64 * variance
    values["product"] = 512 * 64 * variance**2
    values["measured_forward"] = (float(mean[0]), float(error[0]))
    values["measured_backward"] = (float(mean[1]), float(error[1]))
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_ratio]
def plot_ratio() -> Figure:
    """Draw gains and their product against fan_out / fan_in."""
    ratio = np.geomspace(1 / 16, 16, 65)
    rules = [variance_by_rule(1, float(x)) for x in ratio]
    forward = np.array([rule["Xavier"] for rule in rules])
    backward = ratio * forward
    figure, axes = plt.subplots(2, 1, figsize=(5.6, 5.4), sharex=True)
    axes[0].plot(ratio, forward, "C0-", label="forward gain F")
    axes[0].plot(ratio, backward, "C1-.", label="backward gain B")
    mean = (forward + backward) / 2
    axes[0].plot(ratio, mean, "k--", lw=1, label="mean of F and B")
    axes[0].set(ylabel="gain under Xavier", ylim=(0, 2.8))
    for index, name in enumerate(rules[0]):
        product = ratio * np.array([rule[name] for rule in rules]) ** 2
        axes[1].plot(
            ratio,
            product,
            ["-", "-.", "-", ":"][index],
            c=f"C{index}",
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
