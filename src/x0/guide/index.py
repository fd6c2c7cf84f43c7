"""He initialization carries a signal through fifty ReLU layers.

Var(w) = 2 / fan_in

He et al. (2015), equation (10).
"""

# --8<-- [start:imports]
import torch
from torch.nn.init import kaiming_normal_, xavier_normal_

SEED = 0
# --8<-- [end:imports]


if __name__ == "__main__":
    # --8<-- [start:demo]
    size = {}
    for init_ in kaiming_normal_, xavier_normal_:
        rng = torch.Generator().manual_seed(SEED)
        h = torch.randn(512, 64, generator=rng)
        for _ in range(50):
            weight = init_(torch.empty(512, 512), generator=rng)
            h = torch.relu(weight @ h)
        name = init_.__name__
        size[name] = h.square().mean().item()
        print(f"{name:<16} {size[name]:.1g}")
    # --8<-- [end:demo]
