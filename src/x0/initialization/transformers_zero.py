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
            ValueError: zero is not "A", "B" or "AB".
        """
        super().__init__()
        if zero not in ("A", "B", "AB"):
            raise ValueError(f"zero must be A, B or AB. Received: {zero=}")
        self.base = base.requires_grad_(False)
        fan_out, fan_in = base.weight.shape
        self.A = nn.Parameter(torch.zeros(rank, fan_in))
        self.B = nn.Parameter(torch.zeros(fan_out, rank))
        self.scale = alpha / rank
        for name in {"A", "B"} - set(zero):
            nn.init.kaiming_uniform_(getattr(self, name), a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """Return base(x) + scale * B A x."""
        out: Tensor = self.base(x) + self.scale * (x @ self.A.T @ self.B.T)
        return out


# --8<-- [end:lora]


# --8<-- [start:adaln]
class AdaLNZero(nn.Module):
    """x + gate * F(norm(x) * (1 + scale) + shift), all three from c."""

    def __init__(self, width: int) -> None:
        """Set the layer that makes shift, scale and gate from c to zero."""
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
    torch.autograd.backward(module(*inputs), top)
    return [
        name
        for name, p in module.named_parameters()
        if p.grad is not None and bool(p.grad.any())
    ]


# --8<-- [end:gradients]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print what changes at step 0 and which parameters have a gradient."""
    generator = torch.Generator().manual_seed(SEED)
    x, c, top = torch.randn(3, 16, 8, generator=generator)
    values: dict[str, float | tuple[float, float]] = {}
    for zero in ("B", "A", "AB"):
        lora = LoRA(nn.Linear(8, 8), rank=2, alpha=4, zero=zero)
        change = (lora(x) - lora.base(x)).detach().abs().max()
        names = has_gradient(lora, top, x)
        values[f"lora_{zero}"] = float(change)
        values[f"lora_{zero}_moves"] = float(len(names))
        print(f"LoRA, {zero} = 0: change {change:.0f}, gradient:", *names)
    block = AdaLNZero(8)
    values["adaln"] = float((block(x, c) - x).detach().abs().max())
    names = has_gradient(block, top, x, c)
    rows = block.modulation.weight.grad
    assert rows is not None
    values["adaln_gate_rows"] = float(rows.any(1)[16:].sum())
    values["adaln_other_rows"] = float(rows.any(1)[:16].sum())
    print(f"adaLN-zero: change {values['adaln']:.0f}, gradient:", *names)
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
