"""LoRA and adaLN-zero add nothing at step 0 and can learn all the same.

(W + (alpha / r) * B A) x = W x for B = 0; x + g * F(x) = x for g = 0

Hu et al. (2022), section 4.1; Peebles and Xie (2023), adaLN-zero.
"""

# --8<-- [start:imports]
import math

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:lora]
class LoRA(nn.Module):
    """A frozen linear layer plus (alpha / rank) * B A, with B = 0 at first."""

    def __init__(
        self, base: nn.Linear, rank: int, alpha: float, zero: str = "B"
    ) -> None:
        """Freeze base and add A (rank, in) and B (out, rank).

        Raises:
            ValueError: zero is not "A", "B" or "AB", or the rank no whole
                number from 1 on.
        """
        super().__init__()
        if zero not in ("A", "B", "AB"):
            raise ValueError(f"zero must be A, B or AB. Received: {zero=}")
        if not isinstance(rank, int) or rank < 1:
            raise ValueError(f"rank must be 1 or more. Received: {rank=}")
        self.scale = float(alpha) / rank
        self.base = base.requires_grad_(False)
        fan_out, fan_in = base.weight.shape
        self.A = nn.Parameter(torch.zeros((int(rank), fan_in)))
        self.B = nn.Parameter(torch.zeros((fan_out, int(rank))))
        for name in {"A", "B"} - set(zero):
            nn.init.kaiming_uniform_(getattr(self, name), a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """Return base(x) + scale * B A x."""
        out: Tensor = self.base(x)
        update = self.scale * (x.to(self.A.dtype) @ self.A.T @ self.B.T)
        return out + update.to(out.dtype)


# --8<-- [end:lora]


# --8<-- [start:adaln]
class AdaLNZero(nn.Module):
    """x + gate * F(norm(x) * (1 + scale) + shift), all three from c."""

    def __init__(self, width: int) -> None:
        """Set the layer of shift, scale and gate to 0; width at least 1."""
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.branch = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.modulation = nn.Linear(width, 3 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """Return the modulated block of x (…, width), conditioned on c."""
        shift, scale, gate = self.modulation(c).chunk(3, dim=-1)
        y = self.branch(self.norm(x) * (1 + scale) + shift)
        out: Tensor = x + gate * y
        return out


# --8<-- [end:adaln]


# --8<-- [start:gradients]
def has_gradient(module: nn.Module, top: Tensor, *inputs: Tensor) -> list[str]:
    """Return the parameters with a gradient that is not zero."""
    module.zero_grad()
    module(*inputs).backward(top)
    return [
        name
        for name, p in module.named_parameters()
        if p.grad is not None and bool(p.grad.any())
    ]


# --8<-- [end:gradients]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    x, c, top = torch.randn(3, 16, 8, generator=generator)
    for zero in ("B", "A", "AB"):
        lora = LoRA(nn.Linear(8, 8), rank=2, alpha=4, zero=zero)
        change = (lora(x) - lora.base(x)).abs().max()
        names = has_gradient(lora, top, x)
        print(f"LoRA, {zero} = 0: change {change:.0f}, gradient:", *names)
    block = AdaLNZero(8)
    change = (block(x, c) - x).abs().max()
    names = has_gradient(block, top, x, c)
    print(f"adaLN-zero: change {change:.0f}, gradient:", *names)
    # --8<-- [end:demo]
