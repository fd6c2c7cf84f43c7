"""RMSNorm divides by the root mean square; eps decides for a small stream.

E[y^2] = r / (r + eps) for an input of second moment r

Zhang and Sennrich (2019).
"""

# --8<-- [start:imports]
import torch
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:norms]
def rms_norm(x: Tensor, eps: float = 1e-5) -> Tensor:
    """Return x / sqrt(mean(x²) + eps) over the last dimension.

    >>> x = torch.tensor([3.0, 4.0])
    >>> rms_norm(x, 0).square().mean().item()
    1.0
    """
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)


def norm_difference(x: Tensor) -> float:
    """Return the mean square of LayerNorm(x) - RMSNorm(x).

    It is close to the share of the mean in the second moment of x.
    """
    layer = torch.layer_norm(x, x.shape[-1:])
    return float((layer - rms_norm(x)).square().mean())


# --8<-- [end:norms]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the output for three embeddings, and LayerNorm's difference."""
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(64, 768, generator=generator)
    values: dict[str, float | tuple[float, float]] = {}
    print("std of x  second moment after RMSNorm, eps 1e-5")
    for key, std in (("one", 1.0), ("gpt", 0.02), ("small", 0.002)):
        values[key] = float(rms_norm(std * x).square().mean())
        values[f"{key}_theory"] = std**2 / (std**2 + 1e-5)
        print(f"{std:<10}{values[key]:.3f}")
    values["symmetric"] = norm_difference(x)
    values["positive"] = norm_difference(x.relu())
    print(f"LayerNorm - RMSNorm, mean 0: {values['symmetric']:.0e}")
    print(f"LayerNorm - RMSNorm, after ReLU: {values['positive']:.1f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
