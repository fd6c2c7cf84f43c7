"""A branch that starts at zero makes the block the identity at step 0.

x + a * F(x) with a = 0: the output is x, only a has a gradient

De and Smith (2020), SkipInit; Bachlechner et al. (2021), ReZero; Goyal et
al. (2017), section 5.1, zero-γ.
"""

# --8<-- [start:imports]
import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:gate]
class Gated(nn.Module):
    """x + a * branch(x) with one learned number a, at first 0."""

    def __init__(self, branch: nn.Module) -> None:
        """Keep the branch and start at the identity."""
        super().__init__()
        self.branch = branch
        self.factor = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus the gated branch."""
        out: Tensor = x + self.factor * self.branch(x)
        return out


class ZeroGamma(nn.Module):
    """x + branch(x), the branch ending in a BatchNorm whose γ is 0."""

    def __init__(self, channels: int) -> None:
        """Build conv, norm, ReLU, conv, norm; channels at least 1."""
        super().__init__()
        convs = [
            nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            for _ in range(2)
        ]
        norms = [nn.BatchNorm2d(channels) for _ in range(2)]
        nn.init.zeros_(norms[1].weight)
        self.branch = nn.Sequential(
            convs[0], norms[0], nn.ReLU(), convs[1], norms[1]
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus the branch."""
        out: Tensor = x + self.branch(x)
        return out


# --8<-- [end:gate]


# --8<-- [start:gradients]
def zero_start(
    block: nn.Module, x: Tensor, top: Tensor
) -> tuple[Tensor, dict[str, bool]]:
    """Return output minus input, and whether each parameter has a gradient.

    Args:
        block: a residual block.
        x: its input.
        top: derivative of the loss by its output, of the same shape.
    """
    block.zero_grad()
    y = block(x)
    y.backward(top)
    moved = {
        name: bool(p.grad is not None and p.grad.abs().max() > 1e-12)
        for name, p in block.named_parameters()
    }
    return (y - x).detach(), moved


# --8<-- [end:gradients]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    hidden = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    blocks = {
        "gate": (Gated(hidden), (16, 8)),
        "zero-γ": (ZeroGamma(4), (8, 4, 6, 6)),
    }
    for name, (block, shape) in blocks.items():
        x, top = torch.randn(2, *shape, generator=generator)
        change, before = zero_start(block, x, top)
        torch.optim.SGD(block.parameters(), lr=0.1).step()
        _, after = zero_start(block, x, top)
        print(f"{name}: output - input = {change.abs().max():.0f}")
        print("  gradient:", *[n for n, moved in before.items() if moved])
        print(f"  after one step: {sum(after.values())} of {len(after)}")
    # --8<-- [end:demo]
