"""He initialization of a whole ReLU network: one loop over its layers.

Var(w) = 2 / fan_in in linear and convolution layers, biases 0

He et al. (2015), eq. (10).
"""

# --8<-- [start:imports]
import math

import torch
from torch import nn

SEED = 0
DEPTH, WIDTH, NETWORKS = 20, 256, 100
# --8<-- [end:imports]


# --8<-- [start:initialize]
def he_initialize_(
    model: nn.Module, generator: torch.Generator | None = None
) -> nn.Module:
    """Give linear and convolution layers He weights and zero biases.

    Args:
        model: a network whose hidden layers are followed by ReLU; transposed
            convolutions and all other layers stay as they are.
        generator: source of randomness.

    Returns:
        The model, initialized in place.

    Raises:
        ValueError: a weight has no numbers (lazy, meta), or is made from
            others (weight_norm, pruning): then nothing has changed.

    >>> model = he_initialize_(nn.Sequential(nn.Linear(400, 300), nn.ReLU()))
    >>> round(float(model[0].weight.detach().var() * 400), 1)
    2.0
    """
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    layers = [m for m in model.modules() if isinstance(m, kinds)]
    for layer in layers:
        own = dict(layer.named_parameters(recurse=False)).get("weight")
        if own is None or nn.parameter.is_lazy(own) or own.is_meta:
            raise ValueError(f"No weight to set. Received: {layer}")
    for layer in layers:
        nn.init.kaiming_normal_(
            layer.weight, nonlinearity="relu", generator=generator
        )
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return model


# --8<-- [end:initialize]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    moments = []
    for _ in range(NETWORKS):
        layers = [nn.Linear(WIDTH, WIDTH) for _ in range(DEPTH)]
        pairs = [module for layer in layers for module in (layer, nn.ReLU())]
        model = he_initialize_(nn.Sequential(*pairs[:-1]), generator)
        x = torch.randn(1, WIDTH, generator=generator)
        moments.append(model(x).detach().square().mean())
    q = torch.stack(moments)
    measured = q.mean(), q.std() / math.sqrt(NETWORKS)
    # --8<-- [end:demo]
