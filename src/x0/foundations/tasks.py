"""A task fixes the output layer, the loss and the output to start from.

loss = -ln p(y | z);  dloss/dz = prediction - target (absolute: its sign)

Bishop (2006). It starts at the output that is best without an input.
"""

# --8<-- [start:imports]
import torch
from torch import Tensor, nn
from torch.nn import functional

SEED = 0
TASKS = ("classes", "labels", "counts", "squared", "absolute")
# --8<-- [end:imports]


# --8<-- [start:losses]
def task_loss(z: Tensor, y: Tensor, task: str) -> Tensor:
    """Return -ln p(y | z), without constants, averaged over the samples.

    Args:
        z: outputs of the last linear layer, shape (m, outputs).
        y: class numbers (m,) for "classes"; otherwise the shape of z.
        task: "classes" (softmax), "labels" (0 or 1, sigmoid), "counts"
            (Poisson, rate e^z), "squared" (normal), "absolute" (Laplace).

    Raises:
        ValueError: the task is not known, the shapes do not fit, or z is
            not real or empty.

    >>> z = torch.zeros(4, 10)
    >>> round(float(task_loss(z, torch.arange(4), "classes")), 4)
    2.3026
    """
    if not z.is_floating_point() or not z.numel():
        kind = f"{z.dtype}, {tuple(z.shape)}"
        raise ValueError(f"z must be real and not empty. Received: {kind}")
    wanted = z.shape[:1] if task == "classes" else z.shape
    if task in TASKS and (z.ndim < 2 or y.shape != wanted):
        raise ValueError(f"Shapes differ. Received: {z.shape}, {y.shape}")
    if task == "classes":
        return functional.cross_entropy(z, y)
    if task == "labels":
        each = functional.binary_cross_entropy_with_logits
        return each(z, y.to(z.dtype), reduction="none").sum(1).mean()
    if task == "counts":
        return (z.exp() - y * z).sum(1).mean()
    if task == "squared":
        return (z - y).square().sum(1).mean() / 2
    if task == "absolute":
        return (z - y).abs().sum(1).mean()
    raise ValueError(f"task must be one of {TASKS}. Received: {task}")


# --8<-- [end:losses]


# --8<-- [start:start]
def best_constant(y: Tensor, task: str) -> Tensor:
    """Return the outputs with the lowest loss among those without input.

    Raises:
        ValueError: the task is not known, or the best output is infinite
            or no real number.

    >>> best_constant(torch.tensor([[1.0], [2.0], [9.0]]), "squared").item()
    4.0
    >>> best_constant(torch.tensor([[1.0], [2.0], [9.0]]), "absolute").item()
    2.0
    """
    if task not in TASKS:
        raise ValueError(f"task must be one of {TASKS}. Received: {task}")
    if task == "classes":
        found = functional.one_hot(y).double().mean(0).log()
    elif y.is_complex() or not y.ndim:
        raise ValueError(f"Expected real targets. Received: {y}")
    elif task == "absolute":
        found = y.median(0).values
    else:
        mean = (y if y.is_floating_point() else y.double()).mean(0)
        link = {"labels": torch.logit, "counts": torch.log}
        found = link[task](mean) if task in link else mean
    if not bool(found.isfinite().all()):
        raise ValueError(f"A class is empty. Received: outputs {found}")
    return found


@torch.no_grad()
def start_output_(layer: nn.Linear, y: Tensor, task: str) -> nn.Linear:
    """Let the last layer start at the best constant: weight 0, that bias.

    Raises:
        ValueError: as best_constant does, or it does not fit the bias.

    >>> layer = nn.Linear(8, 1)
    >>> y = torch.tensor([[1.0]] + 99 * [[0.0]])
    >>> round(start_output_(layer, y, "labels").bias.item(), 3)
    -4.595
    """
    best = best_constant(y, task)
    outputs = None if layer.bias is None else len(layer.bias)
    if best.numel() != outputs or best.ndim > 1:
        raise ValueError(f"The bias does not fit. Received: {best.shape}")
    layer.weight.zero_()
    layer.bias.copy_(best)
    return layer


# --8<-- [end:start]


# --8<-- [start:examples]
def example_targets(task: str) -> Tensor:
    """Draw targets of a task, none of them centered.

    >>> example_targets("labels").mean(0)
    tensor([0.0100, 0.3000], dtype=torch.float64)
    """
    generator = torch.Generator().manual_seed(SEED)
    if task == "classes":
        return torch.repeat_interleave(
            torch.arange(3), torch.tensor([9, 90, 1])
        )
    if task == "labels":
        rank = torch.arange(1000, dtype=torch.float64)[:, None]
        return (rank < torch.tensor([10.0, 300.0])).double()
    y = torch.randn(999, 1, generator=generator, dtype=torch.float64)
    if task == "counts":
        return (4 * y.exp()).floor()
    return 5 + y.exp()


# --8<-- [end:examples]


if __name__ == "__main__":
    # --8<-- [start:demo]
    at_zero, at_best, slopes = {}, {}, {}
    print("task         zero output  best constant  gradient there")
    for task in TASKS:
        y = example_targets(task)
        outputs = 3 if task == "classes" else y.shape[1]
        zero = torch.zeros(len(y), outputs, dtype=torch.float64)
        at_zero[task] = task_loss(zero, y, task)

        layer = nn.Linear(8, outputs, dtype=torch.float64)
        z = start_output_(layer, y, task)(torch.ones(len(y), 8).double())
        loss = task_loss(z, y, task)
        (slope,) = torch.autograd.grad(loss, z)
        at_best[task] = loss.detach()
        slopes[task] = slope.sum(0).abs().max()
        small = "0" if slopes[task] < 1e-9 else "not 0"
        print(f"{task:10}{at_zero[task]:14.2f}{loss:15.2f}{small:>16}")

    logits = torch.tensor([0.0, 200.0])
    naive, stable = logits.softmax(0).log()[0], logits.log_softmax(0)[0]
    print(f"ln softmax {naive:.0f}, log_softmax {stable:.0f}")
    # --8<-- [end:demo]
