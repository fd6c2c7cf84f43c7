"""The price of many deletions fails by the step's length, not by cross terms.

loss without them - loss = -sum g_j w_j + 1/2 sum H_jk w_j w_k + third order

The sum of single prices keeps j = k only. In the 20 small networks measured
here all the other entries of H make it no better; a tenth of the step does.
"""

# --8<-- [start:imports]
import functools

import torch
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
NETWORKS = 20
DECAY = 1e-3
# --8<-- [end:imports]


# --8<-- [start:networks]
@functools.cache
def training_sets() -> tuple[Tensor, Tensor]:
    """Return 300 digits for each network, (20, 300, 64), and their classes.

    >>> training_sets()[0].shape
    torch.Size([20, 300, 64])
    """
    digits = load_digits()
    generator = torch.Generator().manual_seed(SEED)
    count = len(digits.target)
    orders = [torch.randperm(count, generator=generator) for _ in range(20)]
    chosen = torch.stack(orders)[:, :300]
    x, y = torch.from_numpy(digits.data), torch.from_numpy(digits.target)
    return x[chosen] / 16, y[chosen]


def network_losses(theta: Tensor) -> Tensor:
    """Return cross-entropy plus weight decay of 64-8-10 tanh networks.

    Args:
        theta: Parameters, shape (20, 610), the 592 weights first.

    Returns:
        A loss for each network on its own digits, shape (20,).
    """
    x, y = training_sets()
    first, second, bias, top = torch.split(theta, [512, 80, 8, 10], 1)
    hidden = torch.baddbmm(bias[:, None], x, first.view(-1, 8, 64).mT)
    logits = torch.baddbmm(
        top[:, None], torch.tanh(hidden), second.view(-1, 10, 8).mT
    )
    each = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), y.flatten(), reduction="none"
    )
    return each.view(y.shape).mean(1) + DECAY / 2 * theta.square().sum(1)


@functools.cache
def trained_networks(steps: int = 800) -> Tensor:
    """Return the parameters of all networks after L-BFGS, (20, 610)."""
    generator = torch.Generator().manual_seed(SEED)
    stds = torch.tensor([1 / 8] * 512 + [0.35] * 80 + [0.0] * 18)
    theta = torch.randn(NETWORKS, 610, generator=generator) * stds
    theta = theta.double().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [theta],
        max_iter=steps,
        max_eval=2 * steps,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        total = network_losses(theta).sum()  # each one's own gradient
        total.backward()
        return total

    optimizer.step(closure)
    return theta.detach()


# --8<-- [end:networks]


# --8<-- [start:prices]
@functools.cache
def all_derivatives(steps: int = 800) -> tuple[Tensor, Tensor]:
    """Return gradients (20, 610) and Hessian matrices (20, 610, 610)."""
    theta = trained_networks(steps).clone().requires_grad_()
    total = network_losses(theta).sum()
    (g,) = torch.autograd.grad(total, theta, create_graph=True)
    columns = [
        torch.autograd.grad(g[:, j].sum(), theta, retain_graph=True)[0]
        for j in range(610)
    ]
    return g.detach(), torch.stack(columns, 2)


def deletion_ranks(steps: int) -> dict[tuple[str, str], Tensor]:
    """Return rank correlations of prices with what a deletion does.

    First-layer weights of pixels that are 0 in all 300 digits are left out.

    Args:
        steps: Iterations of training.

    Returns:
        Keys are a criterion and "change" or "size" (its absolute value);
        each holds one correlation for each network, shape (20,). Under
        ("change", "least") stands the largest fall of each network's loss.
    """
    theta, (g, hessian) = trained_networks(steps), all_derivatives(steps)
    w, base = theta[:, :592], network_losses(theta)
    changes = []
    for j in range(592):
        pruned = theta.clone()
        pruned[:, j] = 0
        changes.append(network_losses(pruned) - base)
    first = -g[:, :592] * w
    second = hessian.diagonal(0, 1, 2)[:, :592] * w**2 / 2
    criteria = {
        "magnitude": w.abs(),
        "absolute first": first.abs(),
        "first": first,
        "second": second,
        "both": first + second,
        "absolute both": (first + second).abs(),
    }
    alive = (training_sets()[0] > 0).any(1).repeat(1, 8)  # pixels in use
    alive = torch.cat([alive, torch.ones(NETWORKS, 80, dtype=torch.bool)], 1)
    change = torch.stack(changes, 1)
    found = {}
    for name, price in criteria.items():
        for kind, truth in (("change", change), ("size", change.abs())):
            each = []
            for one, other, kept in zip(price, truth, alive, strict=True):
                pair = torch.stack([one[kept], other[kept]])
                ranks = pair.argsort(1).argsort(1).double()
                each.append(torch.corrcoef(ranks)[0, 1])
            found[name, kind] = torch.stack(each)
    found["change", "least"] = change.min(1).values
    return found


def pruning_step(share: int, rule: str) -> Tensor:
    """Return the step that deletes the cheapest weights, shape (20, 610).

    Args:
        share: Percentage of the 592 weights to delete.
        rule: "saliency", half of H_jj w_j^2, or "magnitude".
    """
    theta, (_, hessian) = trained_networks(), all_derivatives()
    price = theta[:, :592].abs()
    if rule == "saliency":
        price = hessian.diagonal(0, 1, 2)[:, :592] * price**2 / 2
    gone = price.argsort(1)[:, : share * 592 // 100]
    step = torch.zeros_like(theta)
    return step.scatter(1, gone, -theta.gather(1, gone))


def three_prices(step: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return single prices added up, the whole quadratic, and the truth.

    Args:
        step: Shape (20, 610).

    Returns:
        Three changes of the loss, each of shape (20,).
    """
    theta, (g, hessian) = trained_networks(), all_derivatives()
    linear = (g * step).sum(1)
    diagonal = (hessian.diagonal(0, 1, 2) * step**2).sum(1) / 2
    full = (step * (hessian @ step[..., None])[..., 0]).sum(1) / 2
    truth = network_losses(theta + step) - network_losses(theta)
    return linear + diagonal, linear + full, truth


# --8<-- [end:prices]


# --8<-- [start:mean]
def mean_of_networks(values: Tensor) -> tuple[float, float]:
    """Return the mean over the networks and its standard error.

    Raises:
        ValueError: fewer than two numbers, or not real.
    """
    if values.numel() < 2 or not values.is_floating_point():
        raise ValueError(f"Expected real numbers. Received: {values}")
    return values.mean().item(), values.std().item() / values.numel() ** 0.5


# --8<-- [end:mean]


if __name__ == "__main__":
    # --8<-- [start:ranks]
    print("rank correlation   early   early, size   trained")
    early, late = deletion_ranks(8), deletion_ranks(800)
    ranks, widest = {}, 0.0
    rules = "magnitude", "absolute first", "first", "second", "both"
    for name in (*rules, "absolute both"):
        ranks[name] = [
            mean_of_networks(found)
            for found in (
                early[name, "change"],
                early[name, "size"],
                late[name, "change"],
            )
        ]
        widest = max(widest, *(error for _, error in ranks[name]))
        means = [f"{mean:5.2f}" for mean, _ in ranks[name]]
        print(f"{name:19}{means[0]}   {means[1]}         {means[2]}")
    print(f"standard errors up to {widest:.2f}")
    lowered = (early["change", "least"] < 0).sum()
    print(f"early, some deletion lowers the loss in {lowered} networks of 20")
    # --8<-- [end:ranks]

    # --8<-- [start:demo]
    table, rises, extra = {}, {}, {}
    print("gone  singles  quadratic  truth")
    for share in (50, 70):
        step = pruning_step(share, "saliency")
        prices = three_prices(step)
        table[share] = [mean_of_networks(price) for price in prices]
        shown = "     ".join(f"{mean:.3f}" for mean, _ in table[share])
        print(f"{share}%   {shown}")
        truth = three_prices(pruning_step(share, "magnitude"))[2]
        rises[share] = mean_of_networks(truth)
        extra[share] = mean_of_networks(truth - prices[2])
    singles, quadratic, truth = prices
    cross = mean_of_networks(singles / quadratic)
    beyond = mean_of_networks(truth / quadratic)
    _, short, moved = three_prices(step / 10)
    tenth = mean_of_networks(moved / short)
    print(f"singles / quadratic {cross[0]:.2f} ± {cross[1]:.2f}")
    print(f"truth / quadratic {beyond[0]:.1f} ± {beyond[1]:.1f}")
    print(f"the same on a tenth of the way {tenth[0]:.2f}")
    # --8<-- [end:demo]
