"""A constant start trains like one unit per layer with rates of its own.

W_1 = e u^T, W_l = c_l e e^T, W_D = v e^T: every matrix has rank 1
"""

# --8<-- [start:imports]
import torch
from torch import Tensor

SEED = 0
INPUTS, WIDTH, STEPS, RATE = 8, 16, 200, 0.05
# --8<-- [end:imports]


# --8<-- [start:train]
def train_tanh(
    weights: list[Tensor], rates: list[float], steps: int = STEPS
) -> tuple[Tensor, list[Tensor]]:
    """Fit a fixed random target by full-batch gradient descent in float64.

    Args:
        weights: Shapes (fan_out, fan_in), from the input to one output.
        rates: One learning rate per layer.
        steps: Number of steps.

    Returns:
        The outputs before each step, shape (steps, samples), and the final
        weights.

    Raises:
        ValueError: The numbers of weights and rates differ.

    >>> output, _ = train_tanh([torch.ones(1, 8).double()], [0.1], steps=2)
    >>> output.shape
    torch.Size([2, 32])
    """
    if len(weights) != len(rates):
        raise ValueError(f"Expected {len(weights)} rates. Received: {rates=}")
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(INPUTS, 32, generator=generator, dtype=torch.float64)
    y = torch.sin(x.sum(0, keepdim=True)) + x[:1]
    weights = [w.clone().requires_grad_() for w in weights]
    outputs = []
    for _ in range(steps):
        h = x
        for w in weights[:-1]:
            h = torch.tanh(w @ h)
        output = weights[-1] @ h
        loss = (output - y).square().mean() / 2
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for w, g, rate in zip(weights, gradients, rates, strict=True):
                w -= rate * g
        outputs.append(output.detach()[0])
    return torch.stack(outputs), [w.detach() for w in weights]


def constant_weights(width: int) -> list[Tensor]:
    """Return constant weights of INPUTS-width-width-1, width at least 1."""
    shapes = ((width, INPUTS), (width, width), (1, width))
    values = (0.3, 0.1, 0.2)
    return [
        torch.full(shape, c, dtype=torch.float64)
        for shape, c in zip(shapes, values, strict=True)
    ]


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    wide = constant_weights(WIDTH)
    one = constant_weights(1)
    one[1], one[2] = WIDTH * one[1], WIDTH * one[2]  # sum over equal units
    many, final = train_tanh(wide, [RATE] * 3)
    single, _ = train_tanh(one, [RATE / WIDTH, RATE, RATE * WIDTH])
    same_rate, _ = train_tanh(one, [RATE] * 3)
    moved = (many[-1] - many[0]).abs().max()
    difference = (many - single).abs().max()
    same_rate_difference = (many - same_rate).abs().max()
    ranks = [int(torch.linalg.matrix_rank(w, rtol=1e-9)) for w in final]
    print(f"outputs moved by               {moved:.1f}")
    print(f"16 units and 1 differ by < 1e-12: {difference < 1e-12}")
    print(f"with equal rates they differ by {same_rate_difference:.1f}")
    print(f"ranks of the trained weights   {ranks}")
    # --8<-- [end:demo]
