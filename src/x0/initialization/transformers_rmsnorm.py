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
    """Return x / sqrt(mean(x²) + eps) over the last dimension of real x.

    >>> x = torch.tensor([3.0, 4.0])
    >>> rms_norm(x, 0).square().mean().item()
    1.0
    """
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)


def norm_difference(x: Tensor) -> float:
    """Return the mean square of LayerNorm(x) - RMSNorm(x).

    It is 2 - 2 sqrt(1 - s), about s if s is small, for a share s of the mean
    in the second moment of x, which is real, shape (..., n).
    """
    layer = torch.layer_norm(x, x.shape[-1:])
    return float((layer - rms_norm(x)).detach().square().mean())


# --8<-- [end:norms]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(64, 768, generator=generator)
    moment = {s: rms_norm(s * x).square().mean() for s in (1.0, 0.02, 0.002)}
    print("std of x  second moment after RMSNorm, eps 1e-5")
    for std, second in moment.items():
        print(f"{std:<10}{second:.3f}")
    symmetric, positive = norm_difference(x), norm_difference(x.relu())
    print(f"LayerNorm - RMSNorm, mean 0: {symmetric:.0e}")
    print(f"LayerNorm - RMSNorm, after ReLU: {positive:.1f}")
    # --8<-- [end:demo]
