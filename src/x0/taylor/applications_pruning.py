"""Half the curvature times the squared weight prices its deletion.

loss without w_j - loss = -g_j w_j + 1/2 H_jj w_j^2 + third order

At a minimum the gradient g is zero, and the second term is the saliency of
optimal brain damage (LeCun, Denker and Solla 1990).
"""

# --8<-- [start:imports]
from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
UNITS = 8
# --8<-- [end:imports]


# --8<-- [start:network]
def digits_split() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return 300 training and 600 held-out digits, in float64.

    >>> [tuple(part.shape) for part in digits_split()]
    [(300, 64), (300,), (600, 64), (600,)]
    """
    digits = load_digits()
    generator = torch.Generator().manual_seed(SEED)
    order = torch.randperm(len(digits.target), generator=generator)[:900]
    x = torch.from_numpy(digits.data)[order] / 16
    y = torch.from_numpy(digits.target)[order]
    return x[:300], y[:300], x[300:], y[300:]


def digits_loss(theta: Tensor, x: Tensor, y: Tensor, decay: float) -> Tensor:
    """Return cross-entropy of a 64-8-10 tanh network plus weight decay.

    ``theta`` holds all 610 real parameters, the 592 weights first.
    """
    sizes = [64 * UNITS, 10 * UNITS, UNITS, 10]
    first, second, bias, top = torch.split(theta, sizes)
    hidden = torch.tanh(x @ first.view(UNITS, 64).T + bias)
    logits = hidden @ second.view(10, UNITS).T + top
    cross_entropy = torch.nn.functional.cross_entropy(logits, y)
    return cross_entropy + decay / 2 * theta.square().sum()


@cache
def train_small_network(steps: int) -> Tensor:
    """Return parameters after at most this many L-BFGS iterations."""
    x, y, _, _ = digits_split()
    generator = torch.Generator().manual_seed(SEED)
    theta = torch.zeros(610, dtype=torch.float64)
    theta[: 64 * UNITS].normal_(0, 1 / 8, generator=generator)
    theta[64 * UNITS : 74 * UNITS].normal_(0, 0.35, generator=generator)
    theta.requires_grad_()
    optimizer = torch.optim.LBFGS(
        [theta], max_iter=steps, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = digits_loss(theta, x, y, 1e-3)
        loss.backward()
        return loss

    optimizer.step(closure)
    return theta.detach()


# --8<-- [end:network]


# --8<-- [start:saliency]
def saliencies(theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return -g_j w_j, H_jj w_j^2 / 2 and the true change, shape (592,)."""
    x, y, _, _ = digits_split()
    theta = theta.clone().requires_grad_()
    loss = digits_loss(theta, x, y, 1e-3)
    (g,) = torch.autograd.grad(loss, theta, create_graph=True)
    diagonal, change = [], []
    for j in range(74 * UNITS):
        row = torch.autograd.grad(g[j], theta, retain_graph=True)[0]
        diagonal.append(row[j])
        pruned = theta.detach().clone()
        pruned[j] = 0
        change.append(digits_loss(pruned, x, y, 1e-3) - loss.detach())
    w, g = theta.detach()[: 74 * UNITS], g.detach()[: 74 * UNITS]
    return -g * w, torch.stack(diagonal) * w**2 / 2, torch.stack(change)


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Return the correlation of the ranks of real numbers, without ties.

    Equal numbers would get different ranks.

    Raises:
        ValueError: there are fewer than two pairs.

    >>> rank_correlation(torch.tensor([1.0, 5, 9]), torch.tensor([2.0, 3, 4]))
    1.0
    """
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2 or a.is_complex():
        raise ValueError(f"Expected pairs. Received: {a.shape}, {b.shape}")
    ranks = torch.stack([a.argsort().argsort(), b.argsort().argsort()])
    return round(float(torch.corrcoef(ranks.double())[0, 1]), 12)


# --8<-- [end:saliency]


if __name__ == "__main__":
    # --8<-- [start:demo]
    correlations = {}
    for name, steps in (("early", 8), ("trained", 600)):
        theta = train_small_network(steps)
        first, second, change = saliencies(theta)
        w = theta[: 74 * UNITS]
        for rule, guess in (
            ("magnitude", w.abs()),
            ("first", first),
            ("brain damage", second),
            ("both", first + second),
        ):
            found = correlations[name, rule] = rank_correlation(guess, change)
            print(
                f"{name + ',':8} {rule + ':':13} rank correlation {found:.2f}"
            )
    x, y, held, labels = digits_split()
    base = digits_loss(theta, x, y, 0.0).item()
    test = digits_loss(theta, held, labels, 0.0).item()
    print(f"loss {base:.2f}, held out {test:.2f}")
    i = change.argmax()
    worst, predicted = change[i].item(), (first + second)[i].item()
    dear = change.argsort()[-40:]
    gaps = {}
    for part in (1.0, 0.1):  # of the way to zero
        moved = []
        for j in dear:
            shorter = theta.clone()
            shorter[j] *= 1 - part
            moved.append(digits_loss(shorter, x, y, 1e-3))
        truth = torch.stack(moved) - digits_loss(theta, x, y, 1e-3)
        price = part * first[dear] + part**2 * second[dear]
        gaps[part] = (price / truth - 1).abs().median()
        print(f"{part} of the way, the costliest 40 miss by {gaps[part]:.0%}")
    # --8<-- [end:demo]


# --8<-- [start:plot_saliency]
def plot_saliency() -> Figure:
    """Draw predicted against true changes of the loss, the largest 400."""
    first, second, change = saliencies(train_small_network(600))
    predicted = first + second
    shown = change.argsort()[-400::4]
    figure, axis = plt.subplots(figsize=(5.2, 4.0))
    ends = [float(change[shown].min()), float(change.max())]
    axis.plot(ends, ends, "k--", lw=1, label="predicted = true")
    axis.plot(change[shown], predicted[shown], "C0o", ms=3, label="a weight")
    axis.set(xscale="log", yscale="log")
    axis.set(xlabel="true change of the loss", ylabel="predicted")
    axis.legend()
    return figure


if __name__ == "__main__":
    plot_saliency()
    plt.show()
# --8<-- [end:plot_saliency]
